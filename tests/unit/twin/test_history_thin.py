"""Thinned days answer as the whole ones would, bucket by bucket; what is too old goes; a crash half way changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.history import files, read
from twin.history.keeping import Keeping, Kept, keep
from twin.history.store import History, HistoryError
from twin.history.thin import THIN, bucketed, of_readings, thin_pieces
from twin.history.wal import POSITIONS, READINGS
from twin.ports import Positions, Readings

IDS = ["a.x", "a.y", "b.x"]
DAY = 86_400.0
START = 19_600 * DAY
MINUTE_MS = 60_000


def rows_of(points: list[int], times: list[int], values: list[float], quality: list[int]) -> dict[str, np.ndarray]:
    return {"point": np.array(points, np.uint32), "time_ms": np.array(times, np.int64), "value": np.array(values),
            "quality": np.array(quality, np.uint8)}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 600_000), st.floats(-1e6, 1e6) | st.just(float("nan")),
                          st.integers(0, 3)), max_size=60, unique_by=lambda row: row[:2]))
def test_a_bucket_holds_what_a_plain_loop_finds(rows: list[tuple[int, int, float, int]]) -> None:
    found = bucketed(of_readings(rows_of(*map(list, zip(*rows, strict=True))) if rows else rows_of([], [], [], [])), 60)
    plain: dict[tuple[int, int], list[tuple[int, float, int]]] = {}
    for point, time_ms, value, quality in rows:
        plain.setdefault((point, time_ms // MINUTE_MS * MINUTE_MS), []).append((time_ms, value, quality))
    assert list(zip(found["point"].tolist(), found["time_ms"].tolist(), strict=True)) == sorted(plain)
    for row, key in enumerate(sorted(plain)):
        good = [value for _, value, quality in plain[key] if quality <= 1 and np.isfinite(value)]
        last_ms, last, quality = max(plain[key])[0], *next(r[1:] for r in plain[key] if r[0] == max(plain[key])[0])
        assert found["count"][row] == len(good)
        assert found["total"][row] == pytest.approx(sum(good))
        np.testing.assert_array_equal([found["low"][row], found["high"][row]],
                                      [min(good, default=np.nan), max(good, default=np.nan)])
        assert (found["last_ms"][row], found["quality"][row]) == (last_ms, quality)
        np.testing.assert_array_equal(found["last"][row], last)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.sampled_from([60, 300, 900]))
@settings(max_examples=40)
def test_thinning_twice_is_thinning_once_to_the_coarser(values: list[float], secs: int) -> None:
    rows = of_readings(rows_of([0] * len(values), [n * 7_000 for n in range(len(values))], values, [0] * len(values)))
    once, twice = bucketed(rows, 900), bucketed(bucketed(rows, secs), 900)
    for name, _ in THIN:
        np.testing.assert_allclose(once[name], twice[name])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three days, a reading a second from noon for ten minutes, one person."""
    history = History(tmp_path, IDS)
    rng = np.random.default_rng(1)
    for day in range(3):
        at = START + day * DAY + DAY / 2 + np.arange(600)
        for slot in (0, 2):
            history.put(Readings(np.full(600, slot, np.uint32), rng.normal(size=600), np.zeros(600, np.uint8), at))
        history.put_positions(Positions(np.zeros(9, np.uint32), np.zeros((9, 3)), np.zeros(9, np.float32), at[:9]))
    assert history.flush()
    history.close()
    History(tmp_path, IDS).close()  # its log becomes segments
    return tmp_path


def answers(root: Path, secs: int = 60) -> list[np.ndarray]:
    """What is asked of the first day, at whole buckets."""
    begin = int((START + DAY / 2) * 1000)
    series = read.series(root, 2, begin, begin + 600_000, 600 // secs)
    edges = begin + np.arange(0, 601_000, secs * 1000)
    past = read.as_of(root, np.array([0, 1, 2], np.uint32), begin + 600_000, 3_600_000)
    means = read.means(root, np.array([2, 0], np.uint32), edges)
    return [series.mean, series.low, series.high, means, past.value, past.time_ms]


def test_a_thinned_day_answers_as_the_whole_one_would(root: Path) -> None:
    whole, size = answers(root, 300), sum(path.stat().st_size for path in root.rglob("*.parquet"))
    now_ms = int((START + 5 * DAY) * 1000)
    assert keep(root, Keeping(thin=((2, 60), (4, 300))), now_ms) == Kept(thinned=3)
    assert {piece.secs for piece in thin_pieces(root).values()} == {60, 300}
    assert files.pieces(root, READINGS) == []
    for a, b in zip(whole, answers(root, 300), strict=True):
        np.testing.assert_allclose(a, b)
    assert sum(path.stat().st_size for path in root.rglob("*.parquet")) < size / 2
    assert keep(root, Keeping(thin=((2, 60), (4, 300))), now_ms) == Kept(), "a second round has nothing to do"


def test_minutes_of_a_thinned_day_are_those_of_the_whole_one(root: Path) -> None:
    whole = answers(root)
    keep(root, Keeping(thin=((0, 60),)), int((START + 5 * DAY) * 1000))
    for a, b in zip(whole, answers(root), strict=True):
        np.testing.assert_allclose(a, b)
    begin = int((START + DAY / 2) * 1000)
    fine = read.series(root, 2, begin, begin + 120_000, 12)
    assert np.isfinite(fine.mean).all(), "a chart finer than what is kept has no holes"
    assert read.first_ms(root) == begin + 59_000, "the last word of the first minute"


def test_what_comes_late_joins_a_thinned_day(root: Path) -> None:
    keep(root, Keeping(thin=((0, 60),)), int((START + 5 * DAY) * 1000))
    history = History(root, IDS)
    late = START + DAY / 2 + 30.5
    history.put(Readings(np.array([2], np.uint32), np.array([1000.0]), np.zeros(1, np.uint8), np.array([late])))
    history.flush()
    history.close()
    History(root, IDS).close()
    begin = int((START + DAY / 2) * 1000)
    before = read.series(root, 2, begin, begin + 60_000, 1)
    assert before.high.tolist() == [1000.0]
    assert keep(root, Keeping(thin=((0, 60),)), int((START + 5 * DAY) * 1000)) == Kept(thinned=1)
    after = read.series(root, 2, begin, begin + 60_000, 1)
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(getattr(before, name), getattr(after, name))


def test_a_crash_between_writing_and_deleting_doubles_nothing(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    files.compact_day(root, 19_600, READINGS)
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree(root / "days", kept / "days")
    keep(root, Keeping(thin=((0, 60),)), int((START + 5 * DAY) * 1000))
    thin = answers(root)
    shutil.copytree(kept / "days", root / "days", dirs_exist_ok=True)  # as if it had not come to deleting them
    for a, b in zip(thin, answers(root), strict=True):
        np.testing.assert_array_equal(a, b)
    History(root, IDS).close()
    assert not list((root / "days").glob("19600.*.readings.parquet"))


def test_what_is_too_old_goes_and_people_go_sooner(root: Path) -> None:
    now_ms = int((START + 4 * DAY) * 1000)
    assert keep(root, Keeping(days=3, positions_days=1), now_ms).deleted == 4
    assert {piece.day for piece in files.pieces(root, READINGS)} == {19_601, 19_602}
    assert files.pieces(root, POSITIONS) == []
    keep(root, Keeping(thin=((0, 60),)), now_ms)
    keep(root, Keeping(days=1), now_ms)
    assert thin_pieces(root) == {}
    history = History(root, IDS)
    assert history.as_of(START + 3 * DAY).time_ms.tolist() == [0, 0, 0]
    history.close()


def test_two_servers_never_write_one_history(root: Path) -> None:
    first = History(root, IDS)
    with pytest.raises(HistoryError, match="another server"):
        History(root, IDS)
    first.close()
    History(root, IDS).close()
