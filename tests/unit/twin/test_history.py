"""What was put in can be asked for, and a kill −9 loses nothing that was called durable."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from twin.history import files
from twin.history.store import History, HistoryError
from twin.history.wal import READINGS, read_wal
from twin.ports import Positions, Readings
from twin.wire import Quality

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC
IDS = ["a.x", "a.y", "b.x"]


def readings(slot: int, start: float, values: list[float], quality: int = 0) -> Readings:
    n = len(values)
    return Readings(np.full(n, slot, np.uint32), np.array(values), np.full(n, quality, np.uint8), start + np.arange(n))


def test_mean_low_and_high_span_log_segments_and_day_files(tmp_path: Path) -> None:
    for day in range(3):  # three runs: every earlier log has become a segment
        history = History(tmp_path, IDS)
        history.put(readings(2, NOON + day * 86400, [1.0, 2.0, 3.0, 4.0]))
        history.put(readings(0, NOON + day * 86400, [99.0]))
        assert history.flush()
        if day == 1:
            assert history.compact(NOON + 86400) == 1
        if day < 2:
            history.close()
    assert {path.parent.name for path in tmp_path.rglob("*.*") if path.suffix != ".json"} == {"wal", "segments", "days"}
    for day in range(3):
        start_ms = (NOON + day * 86400) * 1000
        series = history.query("b.x", start_ms, start_ms + 6000, 3)
        assert series.t.tolist() == [start_ms, start_ms + 2000, start_ms + 4000]
        np.testing.assert_array_equal(series.mean, [1.5, 3.5, np.nan])
        np.testing.assert_array_equal(series.low, [1.0, 3.0, np.nan])
        np.testing.assert_array_equal(series.high, [2.0, 4.0, np.nan])
    history.close()


def test_bad_readings_do_not_enter_means_but_show_in_the_past(tmp_path: Path) -> None:
    history = History(tmp_path, IDS)
    history.put(readings(0, NOON, [5.0]))
    history.put(readings(0, NOON + 1, [500.0], quality=int(Quality.BAD)))
    assert history.flush()
    assert history.query("a.x", NOON * 1000, NOON * 1000 + 5000, 1).mean.tolist() == [5.0]
    assert history.as_of(NOON).value[0] == 5.0
    past = history.as_of(NOON + 10)
    assert past.quality.tolist() == [Quality.BAD, Quality.NEVER, Quality.NEVER]
    assert np.isnan(past.value[1])
    assert history.as_of(NOON - 1).quality.tolist() == [Quality.NEVER] * 3
    history.close()


def test_points_keep_their_past_when_the_registry_is_reordered(tmp_path: Path) -> None:
    first = History(tmp_path, IDS)
    first.put(readings(1, NOON, [7.0]))
    first.close()
    second = History(tmp_path, ["new.point", "b.x", "a.y"])
    assert second.as_of(NOON).value.tolist()[2] == 7.0
    assert second.query("a.y", NOON * 1000, NOON * 1000 + 1, 1).mean.tolist() == [7.0]
    with pytest.raises(HistoryError, match=r"a\.x"):
        second.query("a.x", 0, 1, 1)
    second.close()


def test_positions_come_back_by_time(tmp_path: Path) -> None:
    history = History(tmp_path, IDS)
    history.put_positions(Positions(np.array([5, 4], np.uint32), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
                                    np.array([0.5, 0.25], np.float32), np.array([NOON + 1, NOON])))
    assert history.flush()
    fixes = history.fixes_in(int(NOON) * 1000, int(NOON + 2) * 1000)
    assert fixes.track.tolist() == [4, 5]
    assert fixes.xyz.tolist() == [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]
    history.close()


def test_a_full_log_becomes_segments_while_writing(tmp_path: Path) -> None:
    history = History(tmp_path, IDS, roll_rows=10)
    for k in range(5):
        history.put(readings(0, NOON + 10 * k, [float(k)] * 10))
        assert history.flush()
    assert history.query("a.x", NOON * 1000, (NOON + 50) * 1000, 5).mean.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    history.close()
    assert list((tmp_path / "segments").glob("*.parquet"))


def test_a_crash_between_segment_and_deletion_of_its_log_doubles_nothing(tmp_path: Path) -> None:
    history = History(tmp_path, IDS)
    history.put(readings(0, NOON, [1.0, 3.0]))
    history.close()
    number, path = files.logs(tmp_path)[0]
    files.write_segments(tmp_path, number, read_wal(path))  # … and here the power fails
    again = History(tmp_path, IDS)
    assert again.query("a.x", NOON * 1000, NOON * 1000 + 5000, 1).mean.tolist() == [2.0]
    assert sum(len(batch) for piece in files.pieces(tmp_path, READINGS) for batch in [_rows(piece.path)]) == 2
    again.close()


def _rows(path: Path) -> np.ndarray:
    import pyarrow.parquet as pq

    return pq.read_table(path)["time_ms"].to_numpy()


def test_a_torn_tail_is_dropped_and_the_rest_stays(tmp_path: Path) -> None:
    history = History(tmp_path, IDS)
    history.put(readings(0, NOON, [1.0]))
    history.close()
    log = files.logs(tmp_path)[0][1]
    whole = log.read_bytes()
    log.write_bytes(whole + whole[: len(whole) - 3])
    again = History(tmp_path, IDS)
    assert again.query("a.x", NOON * 1000, NOON * 1000 + 1000, 1).mean.tolist() == [1.0]
    again.close()


WRITER = """
import sys, numpy as np
from pathlib import Path
from twin.history.store import History
from twin.ports import Readings
history = History(Path(sys.argv[1]), ["a.x"], roll_rows=500)
k = 0
while True:
    k += 1
    history.put(Readings(np.zeros(50, np.uint32), np.full(50, float(k)), np.zeros(50, np.uint8),
                         1.7e9 + k * 100 + np.arange(50)))
    if k % 3 == 0 and history.flush():
        print(k, flush=True)
"""


@pytest.mark.parametrize("lines", [3, 11])
def test_kill_9_loses_no_durable_reading(tmp_path: Path, lines: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split()]
    history = History(tmp_path, ["a.x"])
    batches = told[-1]
    series = history.query("a.x", 1.7e12 + 100_000, 1.7e12 + 100_000 * (batches + 1), batches)
    assert series.mean.tolist() == [float(k) for k in range(1, batches + 1)]
    rows = [_rows(piece.path) for piece in files.pieces(tmp_path, READINGS)]
    times = np.concatenate(rows)
    assert len(np.unique(times)) == len(times) >= batches * 50
    history.close()
