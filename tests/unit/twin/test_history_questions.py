"""Questions to history say what a look at every row says, however the rows lie in logs, segments and day files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.history import files, read
from twin.history.files import DAY_MS
from twin.history.wal import READINGS, Batch, Columns, WalFile
from twin.wire import Quality

POINTS, DAYS, A_DAY, START = 3, 3, 4, 20_000 * DAY_MS
STEP_MS = DAY_MS // A_DAY
ROWS = st.lists(st.tuples(st.integers(0, POINTS - 1), st.integers(0, DAYS * A_DAY - 1)), max_size=12)
LAID = st.lists(st.tuples(ROWS, st.sampled_from(["log", "segment", "day"])), min_size=1, max_size=4)


def lay(root: Path, laid: list[tuple[list[tuple[int, int]], str]]) -> Columns:
    """Rows of (point, step), each batch in a log, in segments, or joined into day files; what there is, each row once."""
    files.clean(root)
    seen: set[tuple[int, int]] = set()
    every: list[tuple[int, int]] = []
    for number, (said, where) in enumerate(laid, start=1):
        fresh = [row for row in dict.fromkeys(said) if row not in seen]
        seen.update(fresh)
        every += fresh
        batch = Batch(READINGS, columns_of(fresh))
        if where == "log":
            writer = WalFile(files.log_path(root, number))
            writer.append(batch)
            writer.sync()
            writer.close()
            continue
        files.write_segments(root, number, [batch])
        if where == "day":
            for day in range(DAYS):
                files.compact_day(root, START // DAY_MS + day, READINGS)
    return columns_of(every)


def columns_of(rows: list[tuple[int, int]]) -> Columns:
    """A value that tells its row; every fifth is bad."""
    point, step = np.array(rows, np.int64).reshape(-1, 2).T
    bad = np.where(step % 5 == 0, int(Quality.BAD), int(Quality.GOOD)).astype(np.uint8)
    return {"point": point.astype(np.uint32), "time_ms": START + step * STEP_MS, "value": point * 1000.0 + step,
            "quality": bad}


@pytest.mark.parametrize("few", [0, 64])
@settings(deadline=None)
@given(laid=LAID, asked=st.sets(st.integers(0, POINTS - 1)), at=st.integers(-1, DAYS * A_DAY),
       back=st.integers(1, DAYS * A_DAY))
def test_as_of_is_the_last_row_of_every_point(few: int, laid: list[tuple[list[tuple[int, int]], str]], asked: set[int],
                                              at: int, back: int) -> None:
    numbers = np.array(sorted(asked), np.uint32)
    now, since = START + at * STEP_MS, START + (at - back) * STEP_MS
    with tempfile.TemporaryDirectory() as folder, patch.object(read, "FEW", few), patch.object(files, "ROW_GROUP", 3):
        rows = lay(Path(folder), laid)
        told = read.as_of(Path(folder), numbers, now, back * STEP_MS)
        between = read.rows_between(Path(folder), READINGS, since, now, who=numbers)
    for k, number in enumerate(numbers):
        mine = (rows["point"] == number) & (rows["time_ms"] >= since) & (rows["time_ms"] <= now)
        last = rows["time_ms"][mine].max(initial=0)
        row = np.flatnonzero(mine & (rows["time_ms"] == last))
        wanted = (rows["value"][row[0]], rows["quality"][row[0]], last) if len(row) else (np.nan, int(Quality.NEVER), 0)
        np.testing.assert_array_equal((told.value[k], told.quality[k], told.time_ms[k]), wanted)
    chosen = np.isin(rows["point"], numbers) & (rows["time_ms"] >= since) & (rows["time_ms"] < now)
    assert sorted(between["value"].tolist()) == sorted(rows["value"][chosen].tolist())
