"""The past against a plain oracle: a jump and a playthrough both come to what a straightforward reading says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from twin.commands import Command
from twin.events import EventStore, Note, Records
from twin.history.store import History
from twin.live.alarms import Alarm, AlarmEvent
from twin.live.tracks import LOST, nowhere
from twin.ports import Positions, Readings
from twin.replay import (
    KEPT_SECS,
    LOOK_BACK_MS,
    LOST_MS,
    ORDER_SECS,
    SILENT_PERIODS,
    TRACK_MS,
    Past,
    ReplayError,
    incident_at,
    range_of,
)
from twin.wire import DispatchView, IncidentView, PlanRun, PlanStep, Quality

T0 = 1_790_000_000_000
PERIODS = np.array([2.0, 10.0, 0.0, np.inf])
SLOTS, TRACKS, END = len(PERIODS), 3, 400_000
Row = tuple[int, int, float, int]


def history_of(root: Path, rows: list[Row], fixes: list[tuple[int, int, float]]) -> History:
    """A history with readings (ms after T0, slot, value, quality) and fixes (ms after T0, track, x)."""
    history = History(root, [f"d.{k}" for k in range(SLOTS)])
    for at, slot, value, quality in sorted(rows):
        history.put(Readings(np.array([slot], np.uint32), np.array([value]), np.array([quality], np.uint8),
                             np.array([(T0 + at) / 1000])))
    for at, track, x in sorted(fixes):
        history.put_positions(Positions(np.array([track], np.uint32), np.array([[x, 0.0, 0.0]]), np.zeros(1, np.float32),
                                        np.array([(T0 + at) / 1000])))
    assert history.flush()
    return history


def past(history: History, events: EventStore) -> Past:
    return Past(history, events, period=PERIODS, tracks=TRACKS, locate=nowhere)


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventStore]:
    store = EventStore.at(tmp_path / "events.sqlite")
    yield store
    store.close()


def oracle(rows: list[Row], fixes: list[tuple[int, int, float]], at: int) -> tuple[list[object], list[object]]:
    """Value and quality by slot, and (x, is lost) by present track, read one after the other as a person would."""
    values: list[object] = []
    for slot in range(SLOTS):
        said = [row for row in sorted(rows) if row[1] == slot and row[0] <= at]
        age = at - said[-1][0] if said else LOOK_BACK_MS + 1
        if age > LOOK_BACK_MS:
            values.append((None, int(Quality.NEVER)))
            continue
        quality, period = said[-1][3], PERIODS[slot]
        is_silent = np.isfinite(period) and period > 0 and age > period * SILENT_PERIODS * 1000
        values.append((said[-1][2], int(Quality.STALE) if is_silent and quality < Quality.STALE else quality))
    people: list[object] = []
    for track in range(TRACKS):
        seen = [fix for fix in sorted(fixes) if fix[1] == track and fix[0] <= at]
        if seen and at - seen[-1][0] <= TRACK_MS:
            people.append((track, np.float32(seen[-1][2]), at - seen[-1][0] > LOST_MS))
    return values, people


def shown(state: Past) -> tuple[list[object], list[object]]:
    """What a past shows, in the oracle's words."""
    values = [(None if q == Quality.NEVER else float(v), int(q)) for v, q in zip(state.value, state.quality, strict=True)]
    people = [(int(i), state.xyz[i][0], bool(state.flags[i] & LOST)) for i in state.present()]
    return values, people  # type: ignore[return-value]


#: a coarse grid, so that hops often end exactly where something was said
instants = st.integers(0, END // 10_000).map(lambda k: k * 10_000)
readings = st.lists(st.tuples(instants, st.integers(0, SLOTS - 1), st.integers(0, 9).map(float),
                              st.sampled_from([int(Quality.GOOD), int(Quality.UNCERTAIN), int(Quality.BAD)])),
                    min_size=1, max_size=30, unique_by=lambda row: row[:2])
walks = st.lists(st.tuples(instants, st.integers(0, TRACKS - 1), st.integers(0, 90).map(float)), max_size=20,
                 unique_by=lambda fix: fix[:2])


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=readings, fixes=walks, start=instants,
       hops=st.lists(st.integers(1, 9).map(lambda k: k * 10_000), min_size=1, max_size=8))
def test_playing_and_jumping_agree_with_a_plain_reading(rows: list[Row], fixes: list[tuple[int, int, float]], start: int,
                                                        hops: list[int], events: EventStore,
                                                        tmp_path_factory: pytest.TempPathFactory) -> None:
    history = history_of(tmp_path_factory.mktemp("h"), rows, fixes)
    try:
        played = past(history, events)
        played.seek(T0 + start)
        at = start
        for hop in hops:
            at += hop
            played.advance(T0 + at, window_ms=70_000)
            jumped = past(history, events)
            jumped.seek(T0 + at)
            assert shown(jumped) == oracle(rows, fixes, at)
            assert shown(played) == oracle(rows, fixes, at)
            assert played.hash() == jumped.hash()
    finally:
        history.close()


def test_a_value_of_yesterday_is_not_known_any_more(events: EventStore, tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", [(0, 2, 5.0, 0)], [])
    state = past(history, events)
    state.seek(T0 + LOOK_BACK_MS - 1)
    assert state.value[2] == 5.0
    state.advance(T0 + LOOK_BACK_MS + 1)
    assert state.quality[2] == Quality.NEVER
    assert state.present().tolist() == []
    history.close()


def test_a_step_into_what_was_not_read_is_refused(events: EventStore, tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", [(0, 0, 1.0, 0)], [])
    state = past(history, events)
    state.seek(T0, T0 + 1000)
    with pytest.raises(ReplayError, match="was not read"):
        state.step(T0 + 2000)
    with pytest.raises(ReplayError, match="was not read"):
        state.step(T0 - 1)
    history.close()


def test_an_empty_history_says_that_nothing_was_recorded(tmp_path: Path) -> None:
    history = History(tmp_path / "h", ["d.0"])
    with pytest.raises(ReplayError, match="nothing has been recorded yet"):
        range_of(history, T0 / 1000)
    history.close()


# ---- alarms, commands, incidents, dispatches --------------------------------------------------------------------------
def alarm(number: int, state: str, at: float, *, is_active: bool) -> AlarmEvent:
    what = {"unacknowledged": "raised", "acknowledged": "acknowledged", "returned": "returned", "cleared": "returned"}[state]
    one = Alarm(id=number, key=f"d.{number}", state=state, is_active=is_active, raised=T0 / 1000, changed=at, value=1.0)  # type: ignore[arg-type]
    return AlarmEvent(what=what, alarm=one, time=at)  # type: ignore[arg-type]


def command(number: int, steps: list[tuple[str, float]]) -> Command:
    return Command(id=f"c{number}", idempotency_key=f"k{number}", device="d", key="open", args={}, by="wang",
                   state=steps[-1][0], steps=tuple((name, at, "") for name, at in steps),  # type: ignore[arg-type]
                   expires=T0 / 1000 + 99, point="d.0", target=1.0, tolerance=0.0, within_secs=9.0, ack_within_secs=9.0,
                   second="li" if any(name == "approved" for name, _ in steps) else "")


def incident(number: int, opened: float, closed: float | None) -> IncidentView:
    return IncidentView(id=number, title="Fire", title_zh="火警", priority=1, state="closed" if closed else "open",
                        opened_ms=opened * 1000, closed_ms=closed and closed * 1000, alarms=[number], node=1, device="d",
                        place="A", place_zh="甲", closed_by="li" if closed else "", note="out" if closed else "")


def dispatch(number: int, steps: list[tuple[str, float]]) -> DispatchView:
    return DispatchView(id=f"d{number}", incident=1, track=0, person="P", name="P", name_zh="P", role="guard", node=1,
                        place="A", place_zh="甲", reason="look", by="li", state=steps[-1][0], metres=9.0, route=[],
                        expires_ms=0.0,
                        steps=[(name, at * 1000, "") for name, at in steps])


ALARM_LIFE = ("unacknowledged", "acknowledged", "cleared")
COMMAND_LIFE = ("requested", "approved", "sent", "acknowledged", "confirmed")
WALK_LIFE = ("requested", "sent", "accepted", "arrived", "released")
lives = st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True).map(sorted), max_size=6)


def steps_of(life: tuple[str, ...], when: list[int]) -> list[tuple[str, float]]:
    """Names of a life with instants (s)."""
    return [(name, T0 / 1000 + at) for name, at in zip(life, when, strict=False)]


@settings(deadline=None, max_examples=25)
@given(alarms=lives, commands=lives, walks=lives, incidents=lives, start=st.integers(0, 300),
       hops=st.lists(st.integers(1, 90), min_size=1, max_size=6))
def test_what_happened_is_as_far_as_it_was(alarms: list[list[int]], commands: list[list[int]], walks: list[list[int]],
                                           incidents: list[list[int]], start: int, hops: list[int],
                                           tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("e")
    events, history = EventStore.at(root / "e.sqlite"), history_of(root / "h", [(0, 2, 1.0, 0)], [])
    lived = {k: steps_of(ALARM_LIFE, when) for k, when in enumerate(alarms, 1)}
    for name, k in sorted(((at, k) for k, steps in lived.items() for _, at in steps)):
        state = next(word for word, at in lived[k] if at == name)
        events.write(Records(alarms=[alarm(k, state, name, is_active=state != "cleared")]))
    ordered = {f"c{k}": steps_of(COMMAND_LIFE, when) for k, when in enumerate(commands)}
    walked = {f"d{k}": steps_of(WALK_LIFE, when) for k, when in enumerate(walks)}
    begun = {k: [T0 / 1000 + at for at in when[:2]] for k, when in enumerate(incidents, 1)}
    events.write(Records(
        commands=[command(k, steps) for k, steps in enumerate(ordered.values())],
        dispatches=[dispatch(k, steps) for k, steps in enumerate(walked.values())],
        incidents=[incident(k, when[0], when[1] if len(when) > 1 else None) for k, when in begun.items()]))
    try:
        played = past(history, events)
        played.seek(T0 + start * 1000)
        at = start
        for hop in hops:
            at += hop
            now = T0 / 1000 + at
            played.advance(T0 + at * 1000, window_ms=70_000)
            jumped = past(history, events)
            jumped.seek(T0 + at * 1000)
            for state in (played, jumped):
                assert {a.id: a.state for a in state.alarms.values()} == latest(lived, now)
                assert {c.id: c.state for c in state.commands.values()} == latest(ordered, now)
                assert {d.id: d.state for d in state.dispatches.values()} == latest(walked, now)
                assert {i.id: i.state for i in state.incidents.values()} == {
                    k: "closed" if len(when) > 1 and when[1] <= now else "open"
                    for k, when in begun.items() if when[0] <= now}
                assert all(set(i.alarms) <= set(state.alarms) for i in state.incidents.values())
                assert all((c.second == "li") == (len(c.steps) > 1) for c in state.commands.values())
            assert played.hash() == jumped.hash()
    finally:
        history.close()
        events.close()


def latest(lives: dict[object, list[tuple[str, float]]], now: float) -> dict[object, str]:
    """By id the last step taken by an instant."""
    found = {key: [name for name, at in steps if at <= now] for key, steps in lives.items()}
    return {key: names[-1] for key, names in found.items() if names}


def test_what_a_jump_would_not_read_is_forgotten_on_the_way(events: EventStore, tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", [(0, 2, 1.0, 0)], [])
    begun = T0 / 1000 + 1
    events.write(Records(alarms=[alarm(1, "unacknowledged", begun, is_active=True)],
                         commands=[command(1, [("requested", begun)])], incidents=[incident(1, begun, None)],
                         dispatches=[dispatch(1, [("requested", begun)])]))
    state = past(history, events)
    for after, left in ((ORDER_SECS, (1, 1, 1, 1)), (ORDER_SECS + 2, (1, 0, 1, 0)), (KEPT_SECS + 2, (0, 0, 0, 0))):
        state.advance(T0 + int(after * 1000), window_ms=int(KEPT_SECS * 1000))
        assert tuple(map(len, (state.alarms, state.commands, state.incidents, state.dispatches))) == left
        jumped = past(history, events)
        jumped.seek(T0 + int(after * 1000))
        assert jumped.hash() == state.hash()
    history.close()


def test_every_part_of_a_state_is_in_its_hash(events: EventStore, tmp_path: Path) -> None:
    history = history_of(tmp_path / "h", [(0, 0, 1.0, 0)], [(0, 0, 5.0)])
    at = T0 / 1000
    events.write(Records(alarms=[alarm(1, "unacknowledged", at, is_active=True)], commands=[command(1, [("requested", at)])],
                         incidents=[incident(1, at, None)], dispatches=[dispatch(1, [("requested", at)])],
                         notes=[Note(time=at, who="li", what="x", subject="y")]))

    def seen() -> Past:
        state = past(history, events)
        state.seek(T0 + 1000)
        return state

    hashes = [seen().hash()]
    for change in ("value", "xyz", "alarms", "commands", "incidents", "dispatches"):
        state = seen()
        if change in ("value", "xyz"):
            getattr(state, change)[0] += 1.0
        elif change == "alarms":
            state.alarms = {}
        elif change == "commands":
            state.commands = {}
        elif change == "incidents":
            state.incidents = {1: replace(state.incidents[1], note="other")}
        else:
            state.dispatches = {}
        hashes.append(state.hash())
    assert len(set(hashes)) == 7
    assert seen().hash() == hashes[0]
    history.close()


def test_a_plan_is_ticked_only_as_far_as_it_was() -> None:
    plan = PlanRun(plan="p", name="P", name_zh="P", owner="o", owner_zh="o", by="li", started_ms=T0 + 10.0, steps=[
        PlanStep(key="a", what="A", what_zh="A", role="r", role_zh="r", limit_mins=1, done_ms=T0 + 20.0, done_by="li",
                 note="n")])
    whole = replace(incident(1, T0 / 1000, None), plan=plan)
    before, between, after = (incident_at(whole, T0 + ms) for ms in (5.0, 15.0, 25.0))
    assert before is not None
    assert before.plan is None
    assert between is not None
    assert between.plan is not None
    assert [(s.done_ms, s.done_by, s.note) for s in between.plan.steps] == [(None, "", "")]
    assert after == whole
