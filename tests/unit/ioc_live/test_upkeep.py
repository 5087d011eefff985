"""Closed days become day files while the server runs, and not a reading is lost by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from ioc.live.upkeep import keep_compact
from twin.history.store import History
from twin.ports import Readings

DAY = 86_400.0


class Noon:
    """A clock that stands still."""

    def now(self) -> float:
        return 20_000 * DAY + DAY / 2


async def test_yesterday_becomes_one_file_and_today_stays_as_it_is(tmp_path: Path) -> None:
    times = Noon().now() + np.array([-DAY, -DAY + 60.0, -30.0])
    history = History(tmp_path, ["A.temp"])
    history.put(Readings(np.zeros(3, np.uint32), np.array([1.0, 2.0, 3.0]), np.zeros(3, np.uint8), times))
    history.close()
    history = History(tmp_path, ["A.temp"])  # the log becomes segments
    chore = asyncio.create_task(keep_compact(history, Noon(), every_secs=0.01))
    for _ in range(500):
        if list((tmp_path / "days").glob("*.parquet")):
            break
        await asyncio.sleep(0.01)
    chore.cancel()
    assert [path.name.split(".")[0] for path in (tmp_path / "days").glob("*.parquet")] == ["19999"]
    assert history.as_of(Noon().now()).value.tolist() == [3.0]
    assert history.as_of(Noon().now() - DAY + 90.0).value.tolist() == [2.0]
    history.close()
