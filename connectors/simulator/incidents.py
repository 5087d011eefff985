"""Scripted incidents: fire, intrusion, chiller failure. Each holds points at values that grow with its age, until stopped."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.behave import Behaviours
from twin.registry import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An incident that can be started."""

    key: str
    name: str
    name_zh: str


#: What says nothing without its board; fire detection has batteries.
POWERED = frozenset(("lighting", "fcu", "screen"))
SCRIPTS = (
    Script(key="fire", name="Fire in A3, third floor", name_zh="A3 三层火情"),
    Script(key="intrusion", name="Intrusion at the perimeter", name_zh="周界入侵"),
    Script(key="chiller", name="Chiller failure", name_zh="冷水机组故障"),
    Script(key="power", name="Distribution board dead", name_zh="配电箱失电"),
)


def _grow(age: float, start: float, tau: float) -> float:
    """0 before `start` seconds, then towards 1."""
    return 0.0 if age <= start else 1.0 - math.exp(-(age - start) / tau)


class Incidents:
    """Which incidents run since when, and what they do to the points."""

    def __init__(self, behaviours: Behaviours) -> None:
        self._b = behaviours
        self.started: dict[str, float] = {}
        self._touched: dict[str, set[int]] = {}
        #: slots whose device has no supply: it says nothing
        self.silent: NDArray[np.bool_] = np.zeros(len(behaviours.points), np.bool_)

    def start(self, key: str, now: float) -> None:
        """Start an incident; one that runs goes on.

        Raises:
            KeyError: no such incident.
        """
        if key not in {script.key for script in SCRIPTS}:
            raise KeyError(key)
        self.started.setdefault(key, now)

    def stop(self, key: str) -> None:
        """Back to normal: what was held is let go."""
        self.started.pop(key, None)
        for slot in self._touched.pop(key, set()):
            self._b.held[slot] = np.nan
            self._b.drift[slot] = 0.0
        if key == "power":
            self.silent[:] = False

    def step(self, now: float) -> None:
        """Hold the points of every running incident at their values of now."""
        for key, since in self.started.items():
            effects = {"fire": self._fire, "intrusion": self._intrusion, "chiller": self._chiller,
                       "power": self._power}[key]
            touched = self._touched.setdefault(key, set())
            for device, point, value in effects(now - since):
                slot = self._b.points.slot(device.id, point)
                if slot is None:
                    continue
                touched.add(slot)
                if point == "room_temp":
                    self._b.drift[slot] = float(value)
                else:
                    self._b.held[slot] = self._b.points.spec[slot].number_of(value)
                    self._b.held_until[slot] = np.inf

    def _of(self, kind: str) -> list[Device]:
        p = self._b.points
        return [d for k, d in enumerate(p.devices) if p.kind[k].id == kind]

    # ---- fire ---------------------------------------------------------------------------------------------------

    def seat_of_fire(self) -> Device | None:
        """The detector where the fire starts: a server or laboratory room of A3's third floor, else the first there is."""
        smoke = self._of("smoke")
        floor = [d for d in smoke if d.building == "a3" and d.storey == "3F"]
        rooms = [d for d in floor if any(w in d.name.lower() for w in ("server", "lab"))]
        return next(iter(rooms or floor or smoke), None)

    def _fire(self, age: float) -> Iterator[tuple[Device, str, float | str]]:
        seat = self.seat_of_fire()
        if seat is None:
            return
        near = [d for d in self._of("smoke") if (d.building, d.storey) == (seat.building, seat.storey) and d.id != seat.id]
        near.sort(key=lambda d: (abs(_number(d.space) - _number(seat.space)), d.id))
        for rank, detector in enumerate([seat, *near[:5]]):
            start = 4.0 + (0.0 if rank == 0 else 25.0 + 22.0 * rank)
            smoke = 0.2 + (13.0 if rank == 0 else 9.0) * _grow(age, start, 25.0 + 10.0 * rank)
            heat = 23.5 + (68.0 if rank == 0 else 12.0) * _grow(age, start + 15.0, 90.0)
            yield detector, "obscuration", smoke
            yield detector, "temp", heat
            yield detector, "state", "alarm" if smoke > 4.0 else "normal"
        for sensor in self._of("env_sensor"):
            if (sensor.building, sensor.storey) != (seat.building, seat.storey):
                continue
            share = 1.0 if sensor.space == seat.space else 0.14
            yield sensor, "temp", 23.5 + 32.0 * share * _grow(age, 18.0, 100.0)
            yield sensor, "pm25", 20.0 + 420.0 * share * _grow(age, 8.0, 50.0)
            yield sensor, "co2", 620.0 + 1500.0 * share * _grow(age, 15.0, 120.0)
        if age > 75.0:
            for pump in self._of("fire_pump")[:1]:
                yield pump, "status", "run"
                yield pump, "pressure", 0.55 + 0.35 * _grow(age, 75.0, 6.0)

    # ---- intrusion ----------------------------------------------------------------------------------------------

    def breach(self) -> tuple[Device, Device] | None:
        """The perimeter detector and the door of the intrusion: the pair that is closest together."""
        found = [d for d in self._of("intrusion") if d.at]
        doors = [d for d in self._of("door") if d.at or d.building]
        if not found or not doors:
            return None
        door = next((d for d in doors if d.building == "b1"), doors[0])
        return found[len(found) * 3 // 4 + 1 if len(found) > 8 else 0], door

    def _intrusion(self, age: float) -> Iterator[tuple[Device, str, float | str]]:
        pair = self.breach()
        if pair is None:
            return
        detector, door = pair
        yield detector, "state", "alarm" if age > 2.0 else "normal"
        yield detector, "signal", 86.0 - 48.0 * _grow(age, 1.0, 2.0)
        if age > 70.0:
            yield door, "state", "forced"
        at = np.array(detector.at)
        for camera in self._of("camera"):
            if age > 3.0 and camera.at and float(np.hypot(*(np.array(camera.at) - at)[:2])) < 60.0:
                yield camera, "motion", "motion"

    # ---- chiller ------------------------------------------------------------------------------------------------

    def _chiller(self, age: float) -> Iterator[tuple[Device, str, float | str]]:
        for chiller in self._of("chiller")[:1]:
            peak = 1.0 - _grow(age, 22.0, 40.0)
            yield chiller, "condenser_pressure", 860.0 + 420.0 * _grow(age, 2.0, 7.0) * peak
            if age > 20.0:
                yield chiller, "status", "fault"
                yield chiller, "supply_temp", 7.0 + 9.5 * _grow(age, 20.0, 110.0)
                yield chiller, "return_temp", 12.0 + 6.0 * _grow(age, 20.0, 150.0)
        for fan in self._of("fcu"):
            if fan.building in ("a1", "a2", "a3"):
                yield fan, "room_temp", 6.5 * _grow(age, 60.0, 500.0)

    # ---- power --------------------------------------------------------------------------------------------------

    def dead_board(self) -> Device | None:
        """The board that loses its supply: the one on A1's second floor, else the first there is."""
        boards = self._of("panel")
        return next((d for d in boards if (d.building, d.storey) == ("a1", "2F")), next(iter(boards), None))

    def _power(self, age: float) -> Iterator[tuple[Device, str, float | str]]:
        board = self.dead_board()
        if board is None or age <= 2.0:
            return
        yield board, "supply", "dead"
        yield board, "load", 0.0
        p = self._b.points
        for k, device in enumerate(p.devices):
            if (device.building, device.storey) == (board.building, board.storey) and p.kind[k].id in POWERED:
                self.silent[p.slots_of(k)] = True


def _number(space: str) -> int:
    digits = "".join(c for c in space if c.isdigit())
    return int(digits) if digits else 0
