"""The state of the video wall: a tour of stops by the server's clock, interrupted by what is urgent, driven by operators.

Pure: every function takes a state and an instant and answers the next state. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from twin.errors import TwinError
from twin.wire import WallShot as Shot
from twin.wire import WallStop as Stop

Mode = Literal["tour", "paused", "manual", "alarm"]
LAYERS = ("people", "vehicles", "devices", "labels", "trees", "pipes")
MOST_STOPS = 40
MOST_URGENT = 12
MOST_LET_GO = 200
MOST_SHOTS = 4
LEAST_SECS, MOST_SECS = 5.0, 3600.0
TURN_MS = 20_000.0
"""How long the camera stays with one of several urgent places."""
LEAD_MS, TOUR_FLIGHT_MS, URGENT_FLIGHT_MS = 250.0, 2600.0, 1200.0
"""A flight begins so long after its decision that every window knows of it, and lasts so long."""


class WallError(TwinError):
    """The wall cannot be driven that way."""


class Urgent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has taken the wall: `alarm:<id>` or `incident:<id>`, and the node flown to.

    From `over_ms` on the wall lets it go by itself; 0: only a person does.
    """

    key: str
    node: str
    over_ms: float = 0.0


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """What every window of the wall shows.

    `started_ms` is when the present stop began; `held_ms` how far it was when it stopped. `node` is the place shown by hand,
    `urgent` what has taken the wall and `focus` which of its places the camera is at, `under` the mode it took it from,
    `let_go` the keys that do not take it again; `skipped` the stops passed over on the way to the present one, as their
    places are gone; `shots` what the camera was sent to, the last one the present.
    """

    stops: tuple[Stop, ...] = ()
    mode: Mode = "tour"
    at: int = 0
    started_ms: float = 0.0
    held_ms: float = 0.0
    node: str = ""
    urgent: tuple[Urgent, ...] = ()
    focus: int = 0
    focused_ms: float = 0.0
    under: Mode = "tour"
    let_go: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    shots: tuple[Shot, ...] = ()
    by: str = ""


def checked(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """The stops, when a tour can run on them.

    Raises:
        WallError: too many, a duration out of range, an unknown layer, or a camera that is not six finite numbers.
    """
    if len(stops) > MOST_STOPS:
        raise WallError(f"a tour of {len(stops)} views", mend=f"keep it to {MOST_STOPS}",
                        code="wall.stops", fill={"n": len(stops), "most": MOST_STOPS})
    for n, stop in enumerate(stops, 1):
        if not LEAST_SECS <= stop.seconds <= MOST_SECS:
            raise WallError(f"view {n} stays {stop.seconds:g} s", mend=f"give it {LEAST_SECS:g} to {MOST_SECS:g} s",
                            code="wall.secs", fill={"n": n, "least": LEAST_SECS, "most": MOST_SECS})
        if len(stop.camera) not in (0, 6) or not all(abs(x) < 1e6 for x in stop.camera):
            raise WallError(f"the camera of view {n} is not six numbers", mend="add the view again from the console",
                            code="wall.camera", fill={"n": n})
        if unknown := [layer for layer in stop.layers if layer not in LAYERS]:
            raise WallError(f"view {n} shows the layer '{unknown[0]}'", mend=f"use {', '.join(LAYERS)}",
                            code="wall.layer", fill={"n": n, "layer": unknown[0]})
    return stops


# ---- what time does -------------------------------------------------------------------------------------------------
def advance(wall: Wall, now_ms: float, missing: Collection[int] = ()) -> Wall:
    """The wall at an instant: urgent things whose time is over leave, the tour goes as many stops on as their time ran out.

    Stops in `missing` are passed over. A wall that was off resumes at its stop.
    """
    if wall.mode == "alarm":
        return _turned(_relieved(wall, now_ms), now_ms)
    if wall.mode != "tour" or not wall.stops:
        return wall
    at, started, skipped = wall.at % len(wall.stops), wall.started_ms, wall.skipped
    there = [k for k in range(len(wall.stops)) if k not in missing]
    if not there:
        return _changed(wall, at=at, skipped=tuple(range(len(wall.stops))))
    whole = sum(wall.stops[k].seconds for k in there) * 1000
    if now_ms - started > whole or now_ms < started:
        started = now_ms
    if at in missing:
        (at, skipped), started = _next_there(wall, at, 1, missing), now_ms
    while now_ms - started >= wall.stops[at].seconds * 1000:
        started += wall.stops[at].seconds * 1000
        at, skipped = _next_there(wall, at, 1, missing)
    return _changed(wall, at=at, started_ms=started, skipped=tuple(k for k in skipped if k in missing))


def _next_there(wall: Wall, at: int, by: int, missing: Collection[int]) -> tuple[int, tuple[int, ...]]:
    """The next stop whose place exists, and those passed over; `at` itself counts as passed over when it is gone."""
    n, skipped = len(wall.stops), [at] if at in missing else []
    for k in range(1, n + 1):
        to = (at + by * k) % n
        if to not in missing:
            return to, tuple(skipped)
        if to not in skipped:
            skipped.append(to)
    return at, tuple(skipped)


def _relieved(wall: Wall, now_ms: float) -> Wall:
    over = tuple(one.key for one in wall.urgent if 0 < one.over_ms <= now_ms)
    return release(wall, over, now_ms) if over else wall


def _turned(wall: Wall, now_ms: float) -> Wall:
    """The camera goes on to the next of several urgent places."""
    n = len(places(wall))
    if wall.mode != "alarm" or n < 2 or now_ms - wall.focused_ms < TURN_MS:
        return wall
    return _changed(wall, focus=(wall.focus + 1) % n, focused_ms=now_ms)


def _changed(wall: Wall, **fields: object) -> Wall:
    after = msgspec.structs.replace(wall, **fields)
    return wall if after == wall else after


def _held(wall: Wall, now_ms: float) -> float:
    return max(0.0, now_ms - wall.started_ms) if wall.mode == "tour" else wall.held_ms


# ---- what is urgent -------------------------------------------------------------------------------------------------
def places(wall: Wall) -> tuple[str, ...]:
    """The nodes of what is urgent, the first to come first, each once."""
    return tuple(dict.fromkeys(one.node for one in wall.urgent))


def focus_of(wall: Wall) -> str:
    """The urgent place the camera is at."""
    nodes = places(wall)
    return nodes[wall.focus % len(nodes)] if nodes else ""


def interrupt(wall: Wall, urgent: Urgent, now_ms: float, *, by: str = "") -> Wall:
    """Something urgent takes the wall, or joins what has it; the camera goes to the newest.

    One that was let go comes only by a person's hand (`by`).
    """
    known = any(one.key == urgent.key for one in wall.urgent)
    if not by and (known or urgent.key in wall.let_go or len(wall.urgent) >= MOST_URGENT):
        return wall
    all_of = wall.urgent if known else (*wall.urgent, urgent)[-MOST_URGENT:]
    under = wall.under if wall.mode == "alarm" else wall.mode
    after = msgspec.structs.replace(wall, mode="alarm", urgent=all_of, under=under, held_ms=_held(wall, now_ms), by=by,
                                    let_go=tuple(key for key in wall.let_go if key != urgent.key), focused_ms=now_ms)
    node = next(one.node for one in all_of if one.key == urgent.key)
    return msgspec.structs.replace(after, focus=places(after).index(node))


def settle(wall: Wall, key: str, over_ms: float) -> Wall:
    """From `over_ms` on this one may be let go (0: only by a person)."""
    urgent = tuple(msgspec.structs.replace(one, over_ms=over_ms) if one.key == key else one for one in wall.urgent)
    return wall if urgent == wall.urgent else msgspec.structs.replace(wall, urgent=urgent)


def release(wall: Wall, keys: Collection[str], now_ms: float) -> Wall:
    """These leave the wall; when they were the last, it goes on with what it did before."""
    here = focus_of(wall)
    urgent = tuple(one for one in wall.urgent if one.key not in keys)
    let_go = (*wall.let_go, *(one.key for one in wall.urgent if one.key in keys and one.key not in wall.let_go))
    after = msgspec.structs.replace(wall, urgent=urgent, let_go=let_go[-MOST_LET_GO:])
    if not urgent:
        started = now_ms - wall.held_ms if wall.under == "tour" else wall.started_ms
        return msgspec.structs.replace(after, mode=wall.under, started_ms=started, focus=0, by="")
    nodes = places(after)
    if here in nodes:
        return msgspec.structs.replace(after, focus=nodes.index(here))
    return msgspec.structs.replace(after, focus=0, focused_ms=now_ms)


def forget(wall: Wall, keys: Collection[str]) -> Wall:
    """Forget that these were let go: when one comes again under its key, it takes the wall again."""
    kept = tuple(key for key in wall.let_go if key not in keys)
    return wall if kept == wall.let_go else msgspec.structs.replace(wall, let_go=kept)


def resumes_ms(wall: Wall) -> float:
    """When the wall goes on by itself; 0: a person must say so."""
    if wall.mode != "alarm" or not all(one.over_ms for one in wall.urgent):
        return 0.0
    return max((one.over_ms for one in wall.urgent), default=0.0)


# ---- what people do -------------------------------------------------------------------------------------------------
def pause(wall: Wall, now_ms: float, by: str) -> Wall:
    """The tour stays where it is."""
    if wall.mode == "alarm":
        raise WallError("an urgent alarm is on the wall", mend="resume the tour to let it go", code="wall.alarmed")
    return msgspec.structs.replace(wall, mode="paused", held_ms=_held(wall, now_ms), node="", by=by)


def resume(wall: Wall, now_ms: float, by: str) -> Wall:
    """The tour goes on where it was; what was urgent is let go."""
    free = release(wall, {one.key for one in wall.urgent}, now_ms) if wall.urgent else wall
    return msgspec.structs.replace(free, mode="tour", started_ms=now_ms - _held(wall, now_ms), held_ms=0.0, node="",
                                   under="tour", by=by)


def step(wall: Wall, by_stops: int, now_ms: float, by: str, missing: Collection[int] = ()) -> Wall:
    """So many stops on or back; stops in `missing` are passed over.

    Raises:
        WallError: there is no tour, no place of it exists, or an alarm is on the wall.
    """
    if not wall.stops:
        raise WallError("the tour has no views", mend="add one from the console", code="wall.empty")
    if wall.mode == "alarm":
        raise WallError("an urgent alarm is on the wall", mend="resume the tour first", code="wall.alarmed")
    if len(set(missing)) >= len(wall.stops):
        raise WallError("no place of the tour exists any more", mend="add views from the console", code="wall.gone")
    at, skipped = _next_there(wall, wall.at % len(wall.stops), by_stops, missing)
    mode = "paused" if wall.mode == "paused" else "tour"
    return msgspec.structs.replace(wall, mode=mode, at=at, started_ms=now_ms, held_ms=0.0, node="", by=by,
                                   skipped=tuple(k for k in skipped if k != wall.at))


def show(wall: Wall, node: str, now_ms: float, by: str) -> Wall:
    """A place by hand, until someone resumes."""
    free = release(wall, {one.key for one in wall.urgent}, now_ms) if wall.urgent else wall
    return msgspec.structs.replace(free, mode="manual", node=node, held_ms=_held(wall, now_ms), by=by)


def with_stops(wall: Wall, stops: tuple[Stop, ...], now_ms: float) -> Wall:
    """Another tour; the present stop stays where it is still there."""
    stops = checked(stops)
    here = wall.stops[wall.at] if wall.at < len(wall.stops) else None
    if here in stops:
        return msgspec.structs.replace(wall, stops=stops, at=stops.index(here), skipped=())
    return msgspec.structs.replace(wall, stops=stops, at=0, started_ms=now_ms, held_ms=0.0, skipped=())


# ---- what the camera does -------------------------------------------------------------------------------------------
def aimed(wall: Wall, now_ms: float, missing: Collection[int] = ()) -> Wall:
    """With a shot more, when what is to be seen is another place than the last shot's."""
    node, camera = _aim(wall, missing)
    last = wall.shots[-1] if wall.shots else None
    if last is not None and (last.node, last.camera, last.is_urgent) == (node, camera, wall.mode == "alarm"):
        return wall
    flight = 0.0 if last is None else URGENT_FLIGHT_MS if wall.mode == "alarm" else TOUR_FLIGHT_MS
    shot = Shot(node=node, camera=camera, since_ms=now_ms + (LEAD_MS if last else 0.0), flight_ms=flight,
                is_urgent=wall.mode == "alarm")
    return msgspec.structs.replace(wall, shots=(*wall.shots, shot)[-MOST_SHOTS:])


def _aim(wall: Wall, missing: Collection[int]) -> tuple[str, list[float]]:
    if wall.mode == "alarm":
        return focus_of(wall) or "park", []
    if wall.mode == "manual":
        return wall.node or "park", []
    if not wall.stops or wall.at % len(wall.stops) in missing:
        return "park", []
    stop = wall.stops[wall.at % len(wall.stops)]
    return stop.node, stop.camera
