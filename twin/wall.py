"""The state of the video wall: a tour of stops by the server's clock, interrupted by urgent alarms, driven by operators.

Pure: every function takes a state and an instant and answers the next state. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from twin.errors import TwinError
from twin.wire import WallStop as Stop

Mode = Literal["tour", "paused", "manual", "alarm"]
MOST_STOPS = 40
MOST_ALARMS = 2
LEAST_SECS, MOST_SECS = 5.0, 3600.0


class WallError(TwinError):
    """The wall cannot be driven that way."""


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """What every window of the wall shows.

    `started_ms` is when the present stop began; `held_ms` how far it was when it stopped. `node`
    is the place shown by hand, `alarms` those shown now (the first is flown to), `seen` those let go.
    """

    stops: tuple[Stop, ...] = ()
    mode: Mode = "tour"
    at: int = 0
    started_ms: float = 0.0
    held_ms: float = 0.0
    node: str = ""
    alarms: tuple[int, ...] = ()
    seen: tuple[int, ...] = ()
    by: str = ""


def checked(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """The stops, when a tour can run on them.

    Raises:
        WallError: too many, a duration out of range, or a camera that is not six finite numbers.
    """
    if len(stops) > MOST_STOPS:
        raise WallError(f"a tour of {len(stops)} views", mend=f"keep it to {MOST_STOPS}")
    for n, stop in enumerate(stops, 1):
        if not LEAST_SECS <= stop.seconds <= MOST_SECS:
            raise WallError(f"view {n} stays {stop.seconds:g} s", mend=f"give it {LEAST_SECS:g} to {MOST_SECS:g} s")
        if len(stop.camera) not in (0, 6) or not all(abs(x) < 1e6 for x in stop.camera):
            raise WallError(f"the camera of view {n} is not six numbers", mend="add the view again from the console")
    return stops


def advance(wall: Wall, now_ms: float) -> Wall:
    """The tour at an instant: as many stops on as their seconds have run out. A wall that was off resumes at its stop."""
    if wall.mode != "tour" or not wall.stops:
        return wall
    at, started = wall.at % len(wall.stops), wall.started_ms
    whole = sum(stop.seconds for stop in wall.stops) * 1000
    if now_ms - started > whole or now_ms < started:
        return msgspec.structs.replace(wall, at=at, started_ms=now_ms)
    while now_ms - started >= wall.stops[at].seconds * 1000:
        started += wall.stops[at].seconds * 1000
        at = (at + 1) % len(wall.stops)
    return wall if (at, started) == (wall.at, wall.started_ms) else msgspec.structs.replace(wall, at=at, started_ms=started)


def _held(wall: Wall, now_ms: float) -> float:
    return max(0.0, now_ms - wall.started_ms) if wall.mode == "tour" else wall.held_ms


def interrupt(wall: Wall, alarm: int, now_ms: float, *, by: str = "") -> Wall:
    """An urgent alarm takes the wall; a second one joins it, more wait unseen. One that was let go does not come again."""
    if alarm in wall.alarms or (alarm in wall.seen and not by) or (len(wall.alarms) >= MOST_ALARMS and not by):
        return wall
    shown = (alarm,) if by else (*wall.alarms, alarm)
    return msgspec.structs.replace(wall, mode="alarm", alarms=shown, held_ms=_held(wall, now_ms), node="", by=by)


def still_urgent(wall: Wall, alarms: frozenset[int]) -> Wall:
    """Forget those let go that are no longer urgent: when one comes again under its number, it takes the wall again."""
    seen = tuple(alarm for alarm in wall.seen if alarm in alarms)
    return wall if seen == wall.seen else msgspec.structs.replace(wall, seen=seen)


def pause(wall: Wall, now_ms: float, by: str) -> Wall:
    """The tour stays where it is."""
    if wall.mode == "alarm":
        raise WallError("an urgent alarm is on the wall", mend="resume the tour to let it go")
    return msgspec.structs.replace(wall, mode="paused", held_ms=_held(wall, now_ms), node="", by=by)


def resume(wall: Wall, now_ms: float, by: str) -> Wall:
    """The tour goes on where it was; the alarms shown are let go."""
    return msgspec.structs.replace(wall, mode="tour", started_ms=now_ms - _held(wall, now_ms), held_ms=0.0, node="",
                                   alarms=(), seen=(*wall.seen, *wall.alarms)[-200:], by=by)


def step(wall: Wall, by_stops: int, now_ms: float, by: str) -> Wall:
    """So many stops on or back.

    Raises:
        WallError: there is no tour, or an alarm is on the wall.
    """
    if not wall.stops:
        raise WallError("the tour has no views", mend="add one from the console")
    if wall.mode == "alarm":
        raise WallError("an urgent alarm is on the wall", mend="resume the tour first")
    mode = "paused" if wall.mode == "paused" else "tour"
    return msgspec.structs.replace(wall, mode=mode, at=(wall.at + by_stops) % len(wall.stops), started_ms=now_ms, held_ms=0.0,
                                   node="", by=by)


def show(wall: Wall, node: str, now_ms: float, by: str) -> Wall:
    """A place by hand, until someone resumes."""
    return msgspec.structs.replace(wall, mode="manual", node=node, held_ms=_held(wall, now_ms), alarms=(),
                                   seen=(*wall.seen, *wall.alarms)[-200:], by=by)


def with_stops(wall: Wall, stops: tuple[Stop, ...], now_ms: float) -> Wall:
    """Another tour; the present stop stays where it is still there."""
    stops = checked(stops)
    here = wall.stops[wall.at] if wall.at < len(wall.stops) else None
    if here in stops:
        return msgspec.structs.replace(wall, stops=stops, at=stops.index(here))
    return msgspec.structs.replace(wall, stops=stops, at=0, started_ms=now_ms, held_ms=0.0)
