"""Batches that are posted: one whose poster gave up ends nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from connectors.bindings import Bindings
from connectors.http_in import HttpInConnector
from twin.packs import load_packs
from twin.park import SourceSpec
from twin.registry import Device, PointTable


async def test_a_poster_that_gave_up_does_not_stop_the_source(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token-of-more-than-twenty", "utf-8")
    points = PointTable([Device(id="AHU-1", kind="ahu", name="AHU-1")], load_packs().kinds)
    door = HttpInConnector(SourceSpec(id="push", url="http-in", password="file:token"), tmp_path, points,
                           Bindings((), file=""))
    given_up, waits = (door.put(b'{"ts": 1000, "d": {"AHU-1": {"supply_temp": 20.5}}}') for _ in range(2))
    assert given_up.cancel()
    talking = asyncio.create_task(door.talk())
    try:
        assert await asyncio.wait_for(asyncio.wrap_future(waits), 5) == (1, {})
        assert not talking.done()
        assert door.waiting == 0
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
