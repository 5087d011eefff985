"""The simulated field on a real broker, heard by the twin's own MQTT connector; a command there and back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from assets.demo.registry import write_devices
from connectors.mqtt import MqttConnector
from connectors.simulator import Publisher, Simulator
from twin.packs import load_packs
from twin.ports import CommandAck, CommandOrder, Positions, Readings
from twin.registry import PointTable, read_registry

pytestmark = pytest.mark.broker
URL = "mqtt://127.0.0.1:1883"


class Ears:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.last: dict[int, float] = {}
        self.acks: list[CommandAck] = []
        self.is_live = False

    def ingest(self, readings: Readings) -> None:
        self.last.update(zip(readings.slot.tolist(), readings.value.tolist(), strict=True))

    def move(self, positions: Positions) -> None:
        """Nobody moves in this park."""

    def acknowledge(self, ack: CommandAck) -> None:
        self.acks.append(ack)

    def link(self, connector: str, is_live: bool, text: str) -> None:
        self.is_live = is_live


async def until(condition, secs: float = 15.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


async def test_telemetry_and_a_command_go_there_and_back(tmp_path: Path) -> None:
    write_devices(tmp_path / "devices.csv")
    packs = load_packs()
    points = PointTable(read_registry(tmp_path / "devices.csv", packs).devices, packs.kinds)
    simulator, ears = Simulator(points), Ears()
    twin = MqttConnector(URL, "simtest", points)
    tasks = [asyncio.create_task(twin.run(ears))]
    try:
        await until(lambda: ears.is_live)
        tasks.append(asyncio.create_task(Publisher(simulator, URL, "simtest").run()))
        await until(lambda: len(ears.last) > 0.97 * len(points))
        meter = points.slot_of("PARK-MTR-00.power")
        assert meter is not None
        assert ears.last[meter] > 100.0
        await twin.send(CommandOrder(id="m1", device="GATE-MAIN-IN", key="open", args={}, expires=time.time() + 60))
        gate = points.slot_of("GATE-MAIN-IN.state")
        assert gate is not None
        opened = points.spec[gate].states.index("open")
        await until(lambda: any(a.id == "m1" and a.accepted for a in ears.acks))
        await until(lambda: ears.last[gate] == opened)
        assert np.isfinite(list(ears.last.values())).mean() > 0.99
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
