"""All of a park's sources as one connector: each runs and restarts alone, each point has one source.

A point bound by a [[source]] is heard from that source only; what is bound nowhere may come from anyone. When a line goes
down, the points it fed turn stale, and no others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from connectors.field import FieldConnector
from twin.finding import Finding
from twin.ports import CommandAck, CommandOrder, Connector, DispatchOrder, Positions, Readings, Sink
from twin.registry import PointTable

RESTART_SECS = 3.0
log = logging.getLogger(__name__)


class Sources:
    """Several connectors, seen by the core as one.

    Args:
        connectors: in the order of the park file.
        points: every point of the park.
    """

    name = "sources"

    def __init__(self, connectors: Sequence[Connector], points: PointTable) -> None:
        self.connectors = tuple(connectors)
        self.findings: list[Finding] = []
        self._owner = np.full(len(points), -1, np.int16)
        self._sink: Sink | None = None
        for number, connector in enumerate(self.connectors):
            if isinstance(connector, FieldConnector):
                self._claim(number, connector)

    @property
    def refused(self) -> Counter[str]:
        """What could not be used, of all sources, by reason."""
        return sum((connector.refused for connector in self.connectors), Counter())

    async def run(self, sink: Sink) -> None:
        """Run every source until cancelled."""
        self._sink = sink
        async with asyncio.TaskGroup() as group:
            for number, connector in enumerate(self.connectors):
                group.create_task(self._keep(connector, Tap(sink, self._owner, number)))

    def reaches(self, device: str) -> bool:
        """Whether any source reaches it."""
        return any(connector.reaches(device) for connector in self.connectors)

    async def send(self, order: CommandOrder) -> None:
        """To the source that binds the device, else to the first that reaches anybody."""
        ways = [connector for connector in self.connectors if connector.reaches(order.device)]
        ways.sort(key=lambda connector: not (isinstance(connector, FieldConnector) and connector.bindings.rows))
        if ways:
            await ways[0].send(order)
        elif self._sink is not None:
            note = "no source reaches it: bind its points with 'write' in a points file"
            self._sink.acknowledge(CommandAck(id=order.id, device=order.device, accepted=False, note=note))

    async def dispatch(self, order: DispatchOrder) -> None:
        """To every source; people are known to those that track them."""
        for connector in self.connectors:
            await connector.dispatch(order)

    def _claim(self, number: int, connector: FieldConnector) -> None:
        """A point has the first source that binds it."""
        self.findings += connector.findings
        for row in connector.bindings.rows:
            if self._owner[row.slot] < 0:
                self._owner[row.slot] = number
                continue
            other = self.connectors[self._owner[row.slot]].name
            self.findings.append(Finding("error", f"{connector.points.ids[row.slot]} is bound by source '{other}' already",
                                         f"{connector.bindings.file}:{row.line}", "bind it once; the first one counts"))

    async def _keep(self, connector: Connector, tap: Tap) -> None:
        """A source that dies restarts alone, and its link says so."""
        while True:
            try:
                await connector.run(tap)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the seam to field code: whatever it raises is a line that is down
                log.exception("source %s stopped", connector.name)
                tap.link(connector.name, False, f"{type(error).__name__}: {error}")
            await asyncio.sleep(RESTART_SECS)


class Tap:
    """A source's own way to the core (`twin.ports.Sink`): lets through what is its own, remembers what it fed."""

    def __init__(self, sink: Sink, owner: NDArray[np.int16], number: int) -> None:
        self._sink, self._number = sink, number
        self._may = (owner < 0) | (owner == number)
        self._fed = np.zeros(len(owner), np.bool_)

    def ingest(self, readings: Readings) -> None:
        """Readings of points that have another source are left out."""
        slots = readings.slot
        mine = slots[slots < len(self._may)]
        if len(mine) < len(slots) or not self._may[mine].all():
            keep = np.zeros(len(slots), np.bool_)
            keep[slots < len(self._may)] = self._may[mine]
            readings = Readings(slots[keep], readings.value[keep], readings.quality[keep], readings.source_time[keep])
        self._fed[readings.slot] = True
        self._sink.ingest(readings)

    def move(self, positions: Positions) -> None:
        """Fixes pass."""
        self._sink.move(positions)

    def acknowledge(self, ack: CommandAck) -> None:
        """Answers pass."""
        self._sink.acknowledge(ack)

    def lose(self, slots: NDArray[np.integer]) -> None:
        """Only what is this source's can be lost by it."""
        self._sink.lose(slots[self._may[slots]])

    def link(self, connector: str, is_live: bool, text: str) -> None:
        """A line that goes down takes what it fed with it."""
        self._sink.link(connector, is_live, text)
        if not is_live:
            self._sink.lose(np.flatnonzero(self._fed))
            self._fed[:] = False
