"""Places told afterwards are those that were shown: from the log, from segments and from day files; what came is kept too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hand_clock import T0, HandClock

from parktwin.bench.live.people import Floors, crossed, floors, noisy, walks
from twin.contacts import contacts
from twin.events import EventStore
from twin.history.store import History
from twin.history.wal import POSITIONS, Batch, WalFile, read_wal
from twin.live.core import LiveCore
from twin.live.steady import Steadier
from twin.packs import load_packs
from twin.ports import Positions
from twin.registry import PointTable
from twin.replay import Past

SECS, PEOPLE, SIGMA = 60, 6, 2.0
FROM_MS, TO_MS = int(T0) * 1000, int(T0 + SECS + 5) * 1000
Told = dict[tuple[int, int], np.ndarray]


@pytest.fixture(scope="module")
def building() -> Floors:
    return floors(2, 6)


@pytest.fixture
def core(tmp_path: Path, building: Floors) -> Iterator[LiveCore]:
    events = EventStore.at(tmp_path / "events.db")
    yield LiveCore(PointTable([], load_packs().kinds), events, clock=HandClock(), indoors=building.indoors)
    events.close()


def batches(seed: int, building: Floors) -> list[Positions]:
    """Fixes of everybody with and without noise, in batches of seconds, some held back for a while as a gateway does."""
    chance = np.random.default_rng(seed)
    raw = noisy(walks(building, PEOPLE, SECS, seed), SIGMA, seed + 1)
    time = np.repeat(T0 + np.arange(SECS), PEOPLE)
    arrives = time + np.where(chance.random(len(time)) < 0.1, chance.integers(1, 4, len(time)), 0) + chance.random(len(time))
    order = np.argsort(arrives)
    track = np.tile(np.arange(PEOPLE, dtype=np.uint32), SECS)
    whole = Positions(track, raw.reshape(-1, 3), np.zeros(len(track), np.float32), time,
                      np.where(track == 0, 0.0, SIGMA).astype(np.float32))
    return [whole.of(rows) for rows in np.split(order, np.flatnonzero(np.diff(np.floor(arrives[order]))) + 1)]


def live(core: LiveCore, history: History, came: list[Positions]) -> None:
    for batch in came:
        core.move(batch)
        tick = core.tick(float(batch.source_time.max()))
        history.put_positions(tick.positions, tick.shown)
    assert history.flush()


def plain(building: Floors, came: list[Positions]) -> Told:
    """The same one fix at a time: noisy ones count while they are newer than the last of their track, exact ones always."""
    steadier, last, told = Steadier(building.indoors), dict[int, float](), Told()
    for batch in came:
        for row in np.argsort(batch.source_time, kind="stable").tolist():
            who, time = int(batch.track[row]), float(batch.source_time[row])
            if batch.sigma()[row] == 0 or time > last.get(who, 0.0):
                last[who] = time
                told[who, int(time * 1000)] = steadier.step(batch.of(np.array([row]))).fixes.xyz[0]
    return told


def by_key(fixes: Positions) -> Told:
    return {(int(who), int(time * 1000)): at for who, time, at in zip(fixes.track, fixes.source_time, fixes.xyz, strict=True)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_places_told_afterwards_are_those_shown_live_wherever_they_are_kept(
        core: LiveCore, tmp_path: Path, building: Floors, seed: int) -> None:
    came, root = batches(seed, building), tmp_path / "history"
    wanted = plain(building, came)
    assert 0 < SECS * PEOPLE - len(wanted) < 60, "some came too late to be shown"
    history = History(root, [])
    live(core, history, came)
    for stage in ("log", "segments", "day"):
        told = history.fixes_in(FROM_MS, TO_MS)
        found = by_key(told)
        assert found.keys() == wanted.keys(), stage
        assert max(np.abs(found[key] - at).max() for key, at in wanted.items()) < 1e-4, stage
        assert (told.sigma()[told.track == 0] == 0).all()
        assert ((told.sigma() > 0) & (told.sigma() < 2 * SIGMA))[told.track > 0].all(), "as far as they are to be trusted"
        if stage == "log":
            history.close()
            history = History(root, [])
        elif stage == "segments":
            assert history.compact(T0 + 2 * 86_400) > 0
    seen = {who: core.tracks.xyz[who] for who in range(PEOPLE)}
    last = {who: max(ms for other, ms in wanted if other == who) for who in seen}
    assert all(np.allclose(seen[who], wanted[who, last[who]], atol=1e-9) for who in seen), "the page's last place is the last"
    history.close()


def test_what_came_is_kept_as_evidence_with_its_accuracy(core: LiveCore, tmp_path: Path, building: Floors) -> None:
    came = batches(4, building)
    history = History(tmp_path / "history", [])
    live(core, history, came)
    sent = {key: at for batch in came for key, at in by_key(batch).items()}
    for who, sigma in ((0, 0.0), (3, SIGMA)):
        raw = history.track_between(who, T0, T0 + SECS + 5, raw=True)
        assert len(raw.track) == SECS
        assert all(np.allclose(sent[key], at, atol=1e-4) for key, at in by_key(raw).items())
        assert (raw.sigma() == np.float32(sigma)).all()
    raw, shown = (history.track_between(3, T0, T0 + SECS + 5, raw=is_raw) for is_raw in (True, False))
    assert crossed(building, shown.xyz[:, None]) < crossed(building, raw.xyz[:, None]), "what is told goes by the doors"
    history.close()


def test_contacts_are_of_the_places_shown_and_nearer_the_truth(core: LiveCore, tmp_path: Path, building: Floors) -> None:
    people, secs = 12, 100
    truth = walks(building, people, secs)
    raw = noisy(truth, SIGMA)
    history = History(tmp_path / "history", [])
    live(core, history, [Positions(np.arange(people, dtype=np.uint32), xyz, np.zeros(people, np.float32),
                                   np.full(people, T0 + k), np.full(people, SIGMA, np.float32)) for k, xyz in enumerate(raw)])

    def met(fixes: Positions) -> set[tuple[int, int, int]]:
        """(who, whom, second) together."""
        return {(who, c.track, second) for who in range(people)
                for c in contacts(fixes, who, metres=2.5, secs=0.0, indoors=building.indoors)
                for second in range(int(c.start), int(c.end) + 1)}

    def all_at(places: np.ndarray) -> Positions:
        return Positions(np.tile(np.arange(people, dtype=np.uint32), secs), places.reshape(-1, 3),
                         np.zeros(people * secs, np.float32), np.repeat(T0 + np.arange(secs), people))

    true, came, told = met(all_at(truth)), met(all_at(raw)), met(history.fixes_in(FROM_MS, FROM_MS + secs * 1000))
    assert len(true) > 100, "the control: people met"
    assert len(told ^ true) < 0.9 * len(came ^ true), "fewer seconds are wrong, one way or the other"
    history.close()


def test_a_replay_shows_the_places_and_how_far_they_are_to_be_trusted(
        core: LiveCore, tmp_path: Path, building: Floors) -> None:
    history = History(tmp_path / "history", [])
    live(core, history, batches(5, building))
    past = Past(history, core.events, period=np.zeros(0), tracks=PEOPLE, locate=core.tracks.locate)
    past.seek(TO_MS)
    assert np.allclose(past.xyz, core.tracks.xyz[:PEOPLE], atol=1e-4)
    assert np.allclose(past.spread, core.tracks.spread[:PEOPLE], atol=1e-6)
    assert past.spread[1:].all()
    history.close()


def test_logs_and_files_of_before_are_read_as_they_were_shown_then(tmp_path: Path) -> None:
    """Six columns a fix, no accuracy: a log, a segment and, joined with a new one, a day file."""
    old = {"track": np.array([4, 4], np.uint32), "time_ms": np.array([FROM_MS, FROM_MS + 1000]),
           "x": np.array([1.0, 2.0], np.float32), "y": np.array([3.0, 4.0], np.float32),
           "z": np.zeros(2, np.float32), "heading": np.full(2, 0.5, np.float32)}
    root = tmp_path / "history"
    History(root, []).close()
    pq.write_table(pa.table({**old, "time_ms": old["time_ms"] + 5000}),
                   root / "segments" / f"{FROM_MS // 86_400_000}.00000001.positions.parquet")
    log = WalFile(root / "wal" / "00000002.log")
    since = ("accuracy", "shown_x", "shown_y", "shown_z", "spread")
    log.append(Batch(POSITIONS, {**old, **{name: np.zeros(0) for name in since}}))
    log.sync()
    log.close()
    assert np.isnan(read_wal(log.path)[0].columns["accuracy"]).all()
    history = History(root, [])
    history.put_positions(Positions(np.array([4], np.uint32), np.array([[9.0, 9.0, 0.0]]), np.zeros(1, np.float32),
                                    np.array([T0 + 10]), np.array([2.0], np.float32)))
    assert history.flush()
    history.close()
    history = History(root, [])
    for _ in range(2):
        for raw in (True, False):
            told = history.track_between(4, T0, T0 + 60, raw=raw)
            assert told.xyz[:, :2].tolist() == [[1, 3], [2, 4], [1, 3], [2, 4], [9, 9]]
            assert told.sigma().tolist() == [0, 0, 0, 0, 2]
        assert history.compact(T0 + 2 * 86_400) in (0, 1)
    history.close()
