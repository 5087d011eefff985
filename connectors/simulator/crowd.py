"""Where everybody is at an instant: each person's and vehicle's day is a timed line through the park, drawn from the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.cast import cast
from connectors.simulator.climate import DAY_SECS, Site, attendance_of, weekday_of
from connectors.simulator.places import Places
from twin.ports import Positions, TrackInfo

WALK_MPS, DRIVE_MPS = 1.3, 6.0
_MARK_SECS = 3600.0


class Day:
    """One track's day as a line: seconds since local midnight and park metres; absent outside them."""

    def __init__(self) -> None:
        self._t: list[NDArray[np.float64]] = []
        self._xyz: list[NDArray[np.float64]] = []
        self.now = 0.0
        self._here = np.zeros(3)

    def appear(self, at: float, where: NDArray[np.float64]) -> None:
        """Start the day at a place."""
        self._add(np.array([at]), np.asarray(where, np.float64)[None, :])

    def stay(self, until: float) -> None:
        """Remain at the last place until a time."""
        if self._t and until > self.now:
            self._add(np.array([until]), self._here[None, :])

    def go(self, line: NDArray[np.float64], speed: float) -> None:
        """Follow a polyline (k, 3) from the last place at metres a second."""
        gaps = np.linalg.norm(np.diff(np.vstack([self._here, line]), axis=0), axis=1)
        moved = gaps > 1e-6
        if moved.any():
            self._add(self.now + np.cumsum(gaps)[moved] / speed, line[moved])

    def line(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times (k,) and places (k, 3)."""
        if not self._t:
            return np.zeros(0), np.zeros((0, 3))
        return np.concatenate(self._t), np.vstack(self._xyz)

    def _add(self, t: NDArray[np.float64], xyz: NDArray[np.float64]) -> None:
        self._t.append(t)
        self._xyz.append(xyz)
        self.now, self._here = float(t[-1]), xyz[-1]


class Crowd:
    """All tracks of a park with a walking graph."""

    def __init__(self, places: Places, site: Site, seed: int) -> None:
        self._places, self._site, self._seed = places, site, seed
        self.tracks = cast(seed)
        self._days: dict[int, dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
        self._sent: dict[int, tuple[float, NDArray[np.float64], NDArray[np.float64], bool]] = {}
        self._outing: tuple[float, NDArray[np.float64], NDArray[np.float64]] | None = None

    def apart(self) -> Crowd:
        """The same people with nobody sent anywhere; days planned by one are planned for both."""
        other = Crowd(self._places, self._site, self._seed)
        other._days = self._days
        return other

    def at(self, now: float) -> Positions:
        """Fixes of everybody who is in the park at an instant (seconds since 1970 UTC)."""
        day, second = divmod(now + self._site.utc_offset_hours * 3600.0, DAY_SECS)
        lines = self._day(int(day))
        numbers: list[int] = []
        xyz: list[NDArray[np.float64]] = []
        heading: list[float] = []
        for number, (since, t, path, is_back) in list(self._sent.items()):
            if is_back and now - since > t[-1]:
                del self._sent[number]  # back in the day
                continue
            self._fix(number, t, path, min(max(now - since, 0.0), float(t[-1])), numbers, xyz, heading)
        for number, (t, path) in lines.items():
            if number in self._sent or not len(t) or second < t[0] or second > t[-1]:
                continue
            self._fix(number, t, path, second, numbers, xyz, heading)
        if self._outing is not None:
            since, t, path = self._outing
            self._fix(self.tracks[-1].i, t, path, min(now - since, float(t[-1])), numbers, xyz, heading)
        if second > DAY_SECS - _MARK_SECS:
            self._prepare(int(day) + 1)
        count = len(numbers)
        return Positions(
            np.array(numbers, np.uint32),
            np.array(xyz, np.float64).reshape(count, 3),
            np.array(heading, np.float32),
            np.full(count, now),
        )

    @staticmethod
    def _fix(
        number: int, t: NDArray, path: NDArray, second: float, numbers: list[int], xyz: list, heading: list[float]
    ) -> None:
        k = min(max(int(np.searchsorted(t, second, side="right")) - 1, 0), len(t) - 1)
        j = min(k + 1, len(t) - 1)
        share = (second - t[k]) / (t[j] - t[k]) if t[j] > t[k] else 0.0
        step = path[j] - path[k]
        numbers.append(number)
        xyz.append(path[k] + share * step)
        heading.append(float(np.arctan2(step[1], step[0])) if abs(step[0]) + abs(step[1]) > 1e-9 else 0.0)

    def intrude(self, start: tuple[float, float, float], end: tuple[float, float, float], now: float) -> None:
        """Send the stranger from a place to a place on foot."""
        ways = self._places.people
        line = ways.way(ways.nearest(start), ways.nearest(end))
        day = Day()
        day.appear(0.0, np.array([start[0], start[1], 0.0]))
        if line is not None:
            day.go(line, WALK_MPS * 1.3)
        self._outing = (now, *day.line())

    def dispatch(self, number: int, route: Sequence[tuple[float, float, float]], start: float) -> bool:
        """Send somebody along a way (park metres) from an instant on; they stay at its end. False: not in the park."""
        here = self._place(number, start)
        if here is None:
            return False
        self._sent[number] = (start, *self._along(here, np.asarray(route, np.float64), WALK_MPS * 1.15), False)
        return True

    def release(self, number: int, now: float) -> None:
        """They walk back to where their day has them by then."""
        here, sent = self._place(number, now), self._sent.get(number)
        if here is None or sent is None:
            return
        del self._sent[number]
        there = self._place(number, now)
        for _ in range(2):  # their day goes on while they walk
            if there is None:
                return
            ways = self._places.people
            way = ways.way(ways.nearest(here), ways.nearest(there))
            line = np.vstack([*([] if way is None else [way]), there[None, :]])
            t, path = self._along(here, line, WALK_MPS * 1.15)
            there = self._place(number, now + float(t[-1]))
        self._sent[number] = (now, t, path, True)

    def _place(self, number: int, now: float) -> NDArray[np.float64] | None:
        fixes = self.at(now)
        row = np.flatnonzero(fixes.track == number)
        return fixes.xyz[row[0]] if len(row) else None

    @staticmethod
    def _along(
        here: NDArray[np.float64], route: NDArray[np.float64], speed: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        day = Day()
        day.appear(0.0, here)
        day.go(route, speed)
        return day.line()

    def leave(self) -> None:
        """The stranger is gone."""
        self._outing = None

    # ---- days ---------------------------------------------------------------------------------------------------

    def _day(self, day: int) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        if day not in self._days or len(self._days[day]) < len(self.tracks) - 1:
            for track in self.tracks[:-1]:
                self._plan(day, track)
            self._days = {d: lines for d, lines in self._days.items() if d >= day}
        return self._days[day]

    def _prepare(self, day: int) -> None:
        """Plan a few more of tomorrow's days, so that midnight costs nothing."""
        done = self._days.setdefault(day, {})
        for track in self.tracks[len(done) : min(len(done) + 2, len(self.tracks) - 1)]:
            self._plan(day, track)

    def _plan(self, day: int, track: TrackInfo) -> None:
        lines = self._days.setdefault(day, {})
        if track.i in lines:
            return
        chance = np.random.default_rng((self._seed, day, track.i))
        person = np.random.default_rng((self._seed, track.i))  # what stays the same from day to day
        plan = {
            "staff": _staff,
            "visitor": _visitor,
            "guard": _rounds,
            "cleaner": _rounds,
            "maintenance": _rounds,
            "car": _car,
            "shuttle": _shuttle,
        }
        line = Day()
        if self._places.is_usable:
            plan[track.role](self._places, line, track, person, chance, attendance_of(weekday_of(day)))
        lines[track.i] = line.line()


def _walk(places: Places, line: Day, here: int, there: int, seat: NDArray[np.float64] | None) -> int:
    """Walk from a row to a row and sit down; gives the row reached (the old one when there is no way)."""
    way = places.people.way(here, there)
    if way is None:
        return here
    line.go(way, WALK_MPS)
    if seat is not None:
        line.go(seat[None, :], WALK_MPS)
    return there


def _staff(
    p: Places, line: Day, track: TrackInfo, person: np.random.Generator, chance: np.random.Generator, attendance: float
) -> None:
    room = p.draw("work", person)
    lives_here = bool(p.rooms["rest"]) and person.random() < 0.3
    home = p.draw("rest", person) if lives_here else -1
    is_late = person.random() < 0.08
    present = chance.random() < 0.94 * attendance
    arrive = (float(np.clip(chance.normal(8.55, 0.5), 6.8, 10.5)) + (6.0 if is_late else 0.0)) * 3600
    leave = float(np.clip(chance.normal(18.1, 0.9), 15.5, 22.5) if not is_late else chance.normal(22.6, 0.4)) * 3600
    leave = min(leave, 23.3 * 3600)
    seat = p.seat(room, person)
    if lives_here:
        here = p.row(home)
        bed = p.seat(home, person)
        line.appear(0.0, bed)
        if not present:
            line.stay(DAY_SECS)
            return
        line.stay(arrive - 400)
        line.go(p.people.xyz[[here]], WALK_MPS)
    elif present:
        here = int(person.choice(p.gates))
        line.appear(arrive, p.people.xyz[here])
    else:
        return
    here = _walk(p, line, here, p.row(room), seat)
    here = _errand(p, line, here, seat, chance, 0.5, 10.6)
    if p.rooms["eat"] and chance.random() < 0.86 and not is_late:
        table = p.draw("eat", chance)
        line.stay(float(np.clip(chance.normal(11.95, 0.3), 11.2, 12.9)) * 3600)
        _step_out(p, line, here)
        here = _walk(p, line, here, p.row(table), p.seat(table, chance))
        line.stay(line.now + chance.uniform(1300, 2300))
        _step_out(p, line, here)
        here = _walk(p, line, here, p.row(room), seat)
    here = _errand(p, line, here, seat, chance, 0.5, 15.2)
    line.stay(leave)
    _step_out(p, line, here)
    if lives_here:
        _walk(p, line, here, p.row(home), p.seat(home, person))
        line.stay(DAY_SECS)
    else:
        _walk(p, line, here, int(person.choice(p.gates)), None)


def _step_out(p: Places, line: Day, here: int) -> None:
    """From the seat to the room's own point of the graph."""
    line.go(p.people.xyz[[here]], WALK_MPS)


def _errand(
    p: Places, line: Day, here: int, seat: NDArray[np.float64], chance: np.random.Generator, share: float, hour: float
) -> int:
    """Perhaps go to a room in the same building for a while and come back."""
    if chance.random() > share:
        return here
    line.stay(max(line.now + 300, (hour + chance.normal(0, 0.6)) * 3600))
    other = p.neighbour(here, chance)
    _step_out(p, line, here)
    there = _walk(p, line, here, p.row(other), p.seat(other, chance))
    line.stay(line.now + chance.uniform(600, 2600))
    _step_out(p, line, there)
    return _walk(p, line, there, here, seat)


def _visitor(
    p: Places, line: Day, track: TrackInfo, person: np.random.Generator, chance: np.random.Generator, attendance: float
) -> None:
    if chance.random() > attendance + 0.1:
        return
    gate = int(person.choice(p.gates))
    line.appear(chance.uniform(8.8, 15.0) * 3600, p.people.xyz[gate])
    here = gate
    for _ in range(int(chance.integers(1, 4))):
        room = p.draw("work", chance)
        here = _walk(p, line, here, p.row(room), p.seat(room, chance))
        line.stay(line.now + chance.uniform(1200, 3600))
        _step_out(p, line, here)
    _walk(p, line, here, gate, None)


def _rounds(
    p: Places, line: Day, track: TrackInfo, person: np.random.Generator, chance: np.random.Generator, attendance: float
) -> None:
    """Guards go about outdoors round the clock in shifts, cleaners and technicians from room to room by day."""
    outdoors = track.role == "guard"
    start, end = ((0.0, 24.0), (6.0, 17.5), (7.5, 18.5))[("guard", "cleaner", "maintenance").index(track.role)]
    if outdoors:
        shift = track.i % 3
        start, end = 8.0 * shift, 8.0 * shift + 8.0
    elif attendance < 0.5 and track.i % 3:
        return
    here = int(person.choice(p.gates))
    line.appear(start * 3600, p.people.xyz[here])
    while line.now < end * 3600 - 400:
        if outdoors:
            there = int(chance.choice(p.outdoor))
            here = _walk(p, line, here, there, None)
            line.stay(line.now + chance.uniform(20, 240))
        else:
            room = p.neighbour(here, chance) if chance.random() < 0.8 else p.draw("work", chance)
            _step_out(p, line, here)
            here = _walk(p, line, here, p.row(room), p.seat(room, chance))
            line.stay(line.now + chance.uniform(240, 1300))
    if outdoors:
        line.stay(end * 3600.0)  # until the next shift is there
    else:
        _step_out(p, line, here)
        _walk(p, line, here, int(person.choice(p.gates)), None)


def _car(
    p: Places, line: Day, track: TrackInfo, person: np.random.Generator, chance: np.random.Generator, attendance: float
) -> None:
    if not len(p.bays) or not len(p.road_gates) or chance.random() > 0.95 * attendance:
        return
    gate = int(person.choice(p.road_gates))
    bay = p.bays[track.i % len(p.bays)]
    arrive, leave = chance.normal(8.4, 0.6) * 3600, chance.normal(18.2, 1.0) * 3600
    if track.i % 9 == 0:
        arrive, leave = chance.uniform(9, 15) * 3600, 0.0
        leave = arrive + chance.uniform(1200, 4000)
    _drive(p, line, gate, bay, max(arrive, 1.0), min(leave, 23.4 * 3600))


def _drive(p: Places, line: Day, gate: int, bay: NDArray[np.float64], arrive: float, leave: float) -> None:
    row = p.roads.nearest(bay)
    way = p.roads.way(gate, row)
    if way is None:
        return
    line.appear(arrive, p.roads.xyz[gate])
    line.go(way, DRIVE_MPS)
    line.go(bay[None, :], DRIVE_MPS / 2)
    line.stay(leave)
    line.go(p.roads.xyz[[row]], DRIVE_MPS / 2)
    back = p.roads.way(row, gate)
    line.go(back if back is not None else way[::-1], DRIVE_MPS)


def _shuttle(
    p: Places, line: Day, track: TrackInfo, person: np.random.Generator, chance: np.random.Generator, attendance: float
) -> None:
    """Small buses go about the park's roads from six to eleven at night."""
    if not len(p.road_rows):
        return
    here = int(person.choice(p.road_rows))
    line.appear(6.0 * 3600 + 300 * (track.i % 6), p.roads.xyz[here])
    while line.now < 22.8 * 3600:
        there = int(p.road_rows[int(chance.integers(len(p.road_rows)))])
        way = p.roads.way(here, there)
        if way is None:
            break
        line.go(way, DRIVE_MPS * 0.8)
        line.stay(line.now + chance.uniform(25, 90))
        here = there
