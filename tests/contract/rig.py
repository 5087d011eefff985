"""What the connector contract runs on: a small park, a sink that remembers, and the shape of a rig.

A rig is a real server of one protocol on loopback with one air handler behind it, and the connector that speaks to it.
"""

from __future__ import annotations

import abc
import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.bindings import Bindings, read_bindings
from twin.packs import load_packs
from twin.park import SourceSpec
from twin.ports import CommandAck, CommandOrder, Connector, Positions, Readings
from twin.registry import Device, PointTable

STATES = ("off", "run", "fault")


def small_park() -> PointTable:
    """Two air handlers and a gate."""
    packs = load_packs()
    devices = [Device(id="AHU-1", kind="ahu", name="1"), Device(id="AHU-2", kind="ahu", name="2"),
               Device(id="GATE-1", kind="gate", name="g")]
    return PointTable(devices, packs.kinds)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ears:
    """A sink that remembers the last of everything."""

    def __init__(self, points: PointTable) -> None:
        self.points = points
        self.value: dict[str, float] = {}
        self.quality: dict[str, int] = {}
        self.time: dict[str, float] = {}
        self.acks: list[CommandAck] = []
        self.links: list[tuple[str, bool, str]] = []
        self.lost: set[str] = set()

    def ingest(self, readings: Readings) -> None:
        rows = zip(readings.slot.tolist(), readings.value.tolist(), readings.quality.tolist(),
                   readings.source_time.tolist(), strict=True)
        for slot, value, quality, at in rows:
            name = self.points.ids[slot]
            self.value[name], self.quality[name], self.time[name] = value, quality, at
            self.lost.discard(name)

    def move(self, positions: Positions) -> None:
        """Nobody moves here."""

    def acknowledge(self, ack: CommandAck) -> None:
        self.acks.append(ack)

    def lose(self, slots: NDArray[np.integer]) -> None:
        self.lost |= {self.points.ids[slot] for slot in slots.tolist()}

    def link(self, connector: str, is_live: bool, text: str) -> None:
        self.links.append((connector, is_live, text))

    @property
    def is_live(self) -> bool:
        return bool(self.links) and self.links[-1][1]

    @property
    def is_down(self) -> bool:
        return bool(self.links) and not self.links[-1][1]


async def until(condition: Callable[[], object], what: str, secs: float = 30.0) -> None:
    """Wait until something is so; fail with `what` when it never is."""
    end = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < end, f"not within {secs} s: {what}"
        await asyncio.sleep(0.02)


class Rig(abc.ABC):
    """One protocol. `rows` is its points file; the server answers with a temperature, a state and a set-point."""

    name = ""
    rows = ""
    #: the protocol carries the time of a value
    tells_time = False
    #: a value can be told to be bad
    tells_quality = True
    #: the server can be stopped and started
    has_server = True
    #: orders are written (else the connector must refuse them)
    writes = True
    #: only points with a `write` address take orders
    is_selective = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.points, self.port = folder, small_park(), free_port()

    def source(self, **more: object) -> SourceSpec:
        """The [[source]] of this rig."""
        return SourceSpec(id="rig", url=self.url, points=self.folder / "rig.csv", poll_secs=0.1, **more)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return ""

    def bindings(self) -> Bindings:
        """The points file, written and read; it has no faults."""
        (self.folder / "rig.csv").write_text(self.rows, "utf-8")
        bindings = read_bindings(self.folder / "rig.csv", self.points)
        assert not bindings.findings
        return bindings

    @abc.abstractmethod
    def connector(self) -> Connector:
        """What speaks to the server."""

    async def start(self) -> None:  # noqa: B027 - some are always there
        """The server is there."""

    async def stop(self) -> None:  # noqa: B027 - some are always there
        """The server is gone."""

    async def setpoint(self) -> float | None:
        """What the server holds as set-point; None where none is written."""
        return None


class ServerRig(Rig):
    """A protocol with a server that can be told what to say."""

    @abc.abstractmethod
    async def say(self, temp: float, status: str, at: float) -> None:
        """The air handler's supply temperature and state are this, since `at`."""

    @abc.abstractmethod
    async def say_bad(self) -> None:
        """The supply temperature is no good any more; the state still is."""

    @abc.abstractmethod
    async def say_nonsense(self) -> None:
        """Something that cannot be used."""


def order(key: str, **args: float | str) -> CommandOrder:
    """An order to the air handler."""
    return CommandOrder(id=f"o-{key}", device="AHU-1", key=key, args=args, expires=time.time() + 60)
