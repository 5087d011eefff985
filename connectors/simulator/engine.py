"""The simulator: a field of devices and people in this process, driven by any clock, same seed same field."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.behave import Behaviours
from connectors.simulator.chance import seed_of, uniform
from connectors.simulator.climate import Site
from connectors.simulator.crowd import Crowd
from connectors.simulator.incidents import SCRIPTS, Incidents
from connectors.simulator.orders import OrderBook
from connectors.simulator.places import Places
from connectors.simulator.routes import Walk
from twin.graph import SceneGraph
from twin.ports import (
    Clock,
    CommandAck,
    CommandOrder,
    DispatchOrder,
    IncidentInfo,
    Positions,
    Readings,
    Sink,
    TrackInfo,
    WallClock,
)
from twin.registry import PointTable
from twin.wire import Quality

_FAILING = frozenset({"env_sensor", "lighting", "fcu", "hydrant", "speaker"})
_OFFLINE_SHARE, _BAD_SHARE = 0.006, 0.004
_FIX_SECS = 1.0
_SET_OUT_SECS = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """What the field said at one instant."""

    readings: Readings
    positions: Positions | None
    acks: tuple[CommandAck, ...]


class Simulator:
    """A connector (`twin.ports.Connector`) whose field is invented.

    Args:
        points: every point of the park.
        graph: the compiled park and `walk` its walking graph: without both there are no people and vehicles.
        clock: now; give an accelerated or a past one in tests.
        seed: of all chance.
        site: latitude and local hours.
    """

    name = "simulator"

    def __init__(
        self,
        points: PointTable,
        *,
        graph: SceneGraph | None = None,
        walk: Walk | None = None,
        clock: Clock | None = None,
        seed: int = 7,
        site: Site | None = None,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self.points, self.clock, self.seed = points, clock or WallClock(), seed
        self.site = site or Site()
        self.behaviours = Behaviours(points, self.site, seed)
        self.offline, self._quality = self._failing()
        self._quality[[spec.is_derived for spec in points.spec]] = Quality.NEVER  # the core works those out
        self.orders = OrderBook(self.behaviours, self.offline, seed)
        self._incidents = Incidents(self.behaviours)
        self._graph = graph
        self._crowd = (
            Crowd(Places(points, graph, walk, seed), self.site, seed) if graph is not None and walk is not None else None
        )
        self._turn: NDArray[np.int64] | None = None
        self._reported = np.full(len(points), np.nan)
        self._phase = uniform(seed, self.behaviours.number, 17) * points.period
        self._fixed = -np.inf

    def apart(self, clock: Clock) -> Simulator:
        """The same field by a clock of its own, without what was done to this one; days are planned once for both."""
        other = copy.copy(self)
        other.clock, other._turn, other._fixed = clock, None, -np.inf
        other.behaviours = self.behaviours.afresh()
        other.orders = OrderBook(other.behaviours, self.offline, self.seed)
        other._incidents = Incidents(other.behaviours)
        other._crowd = self._crowd.apart() if self._crowd is not None else None
        other._reported = np.full(len(self.points), np.nan)
        return other

    @property
    def can_burn(self) -> bool:
        """Whether there is a detector for the fire to start at."""
        return self._incidents.seat_of_fire() is not None

    # ---- what the twin asks ---------------------------------------------------------------------------------------

    def tracks(self) -> tuple[TrackInfo, ...]:
        """Everybody who may appear; a track's number is its place here. Empty without a walking graph."""
        return self._crowd.tracks if self._crowd is not None else ()

    def incidents(self) -> tuple[IncidentInfo, ...]:
        """The scripts that can be started, and whether each is under way."""
        running = self._incidents.started
        return tuple(IncidentInfo(key=s.key, name=s.name, name_zh=s.name_zh, running=s.key in running) for s in SCRIPTS)

    def start_incident(self, key: str) -> None:
        """Start a script now; one that runs goes on.

        Raises:
            KeyError: no such script.
        """
        now = self.clock.now()
        self._incidents.start(key, now)
        pair = self._incidents.breach() if key == "intrusion" else None
        if pair is not None and self._crowd is not None:
            self._crowd.intrude(self._place(pair[0].id), self._place(pair[1].id), now)

    def stop_incident(self, key: str) -> None:
        """Return to normal."""
        self._incidents.stop(key)
        if key == "intrusion" and self._crowd is not None:
            self._crowd.leave()

    # ---- the field --------------------------------------------------------------------------------------------------

    def step(self, now: float) -> Step:
        """Everything reported since the last step, at an instant that does not go back."""
        acks = self.orders.step(now)
        self._reported[self.orders.moved] = np.nan  # a device says what it did, also when that is what it was before
        self._incidents.step(now)
        value = self.behaviours.at(now)
        turn = np.floor((now + self._phase) / np.maximum(self.points.period, 0.5)).astype(np.int64)
        due = np.ones(len(value), bool) if self._turn is None else turn != self._turn
        if self._turn is not None:
            due |= np.isfinite(self.behaviours.held) & (value != self._reported)
        else:
            self._reported = value.copy()
        self._turn = turn
        due &= (self._quality != Quality.NEVER) & ~self._incidents.silent
        slots = np.flatnonzero(due)
        self._reported[slots] = value[slots]
        readings = Readings(slots.astype(np.uint32), value[slots].copy(), self._quality[slots], np.full(len(slots), now))
        return Step(readings, self._move(now), tuple(acks))

    def history(self, start: float, end: float, every_secs: float = 300.0) -> Iterator[Readings]:
        """All points at coarse instants of a past span (seconds since 1970 UTC), oldest first; leaves the present alone."""
        past = self.behaviours.afresh()
        slots = np.flatnonzero(self._quality != Quality.NEVER).astype(np.uint32)
        for now in np.arange(start, end, every_secs):
            value = past.at(float(now))
            yield Readings(slots, value[slots].copy(), self._quality[slots], np.full(len(slots), float(now)))

    def past(self, slots: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        """f64 (instants, slots): what some points showed at instants (s, ascending); leaves the present alone."""
        then = self.behaviours.afresh()
        row_of = {int(slot): row for row, slot in enumerate(then.total_slot)}
        if all(int(slot) in row_of for slot in slots) and not np.isin(slots, then.counts).any():  # nothing before matters
            return np.maximum(then.totals(times)[:, [row_of[int(slot)] for slot in slots]], then.low[slots])
        return np.array([then.at(float(time))[slots] for time in times])

    async def run(self, sink: Sink) -> None:
        """Report until cancelled, twice a second."""
        sink.link(self.name, True, "simulated field")
        try:
            while True:
                self.feed(sink, self.step(self.clock.now()))
                await asyncio.sleep(0.5)
        finally:
            sink.link(self.name, False, "stopped")

    @staticmethod
    def feed(sink: Sink, step: Step) -> None:
        """Hand one step to a sink."""
        if len(step.readings.slot):
            sink.ingest(step.readings)
        if step.positions is not None and len(step.positions.track):
            sink.move(step.positions)
        for ack in step.acks:
            sink.acknowledge(ack)

    def reaches(self, device: str) -> bool:
        """Every device of the park is simulated."""
        return self.points.device_index(device) is not None

    async def send(self, order: CommandOrder) -> None:
        """Give an order to its device."""
        self.take(order)

    def take(self, order: CommandOrder) -> None:
        """As `send`."""
        self.orders.take(order, self.clock.now())

    async def dispatch(self, order: DispatchOrder) -> None:
        """Send a simulated person on their way, or back (an order without a route)."""
        self.go(order)

    def go(self, order: DispatchOrder) -> None:
        """As `dispatch`. A person who is not in the park refuses."""
        now = self.clock.now()
        if self._crowd is None:
            return
        if not order.route:
            self._crowd.release(order.track, now)
            return
        is_here = self._crowd.dispatch(order.track, order.route, now + _SET_OUT_SECS)
        ack = CommandAck(id=order.id, device=order.person, accepted=is_here, note="" if is_here else "not in the park")
        self.orders.answer(now + _SET_OUT_SECS, ack)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _failing(self) -> tuple[set[str], NDArray[np.uint8]]:
        """A few devices that are silent or read badly, always the same."""
        quality = np.zeros(len(self.points), np.uint8)
        offline = set()
        for index, device in enumerate(self.points.devices):
            draw = float(uniform(self.seed, seed_of(device.id), 23)[0])
            if self.points.kind[index].id not in _FAILING or draw > _OFFLINE_SHARE + _BAD_SHARE:
                continue
            slots = list(self.points.slots_of(index))
            quality[slots] = Quality.NEVER if draw < _OFFLINE_SHARE else Quality.BAD
            if draw < _OFFLINE_SHARE:
                offline.add(device.id)
        return offline, quality

    def _move(self, now: float) -> Positions | None:
        if self._crowd is None or now - self._fixed < _FIX_SECS - 0.05:
            return None
        self._fixed = now
        return self._crowd.at(now)

    def _place(self, device_id: str) -> tuple[float, float, float]:
        index = self.points.device_index(device_id)
        at = self.points.devices[index].at if index is not None else None
        if at is None and self._graph is not None and self._graph.index(device_id):
            x, y, z = (float(v) for v in self._graph.columns["anchor"][self._graph.index(device_id)])
            return x, y, z
        return at or (0.0, 0.0, 0.0)
