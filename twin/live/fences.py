"""Who is inside which fence, fix by fix: the way between two fixes counts, so that a thin fence cannot be jumped.

Everything is in park metres and seconds of source time. Semantics, for one track and one fence:
`enter` comes when the way goes from outside in, goes when the last fix is outside; `leave` the other way round; `cross`
comes and goes at once; `dwell` comes when it was inside without a break for `mins`; `forbidden` comes when any of the way
is inside. A first fix only says where somebody is. After a silence the way in between is not known: only the new
place counts.
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.fences import Placed
from twin.ports import Positions, TrackInfo

SILENCE_SECS = 60.0
TOUCH_M = 1e-9  # a way that touches an edge and the band at one point, worked out in floats


@dataclass(frozen=True, slots=True)
class FenceEvent:
    """A fence's condition came (`is_on`) or went for a track, at a source time (s)."""

    fence: str
    track: int
    is_on: bool
    time: float


def local_minute(time: float) -> float:
    """Minute of the day of this machine's time zone."""
    then = clock.localtime(time)
    return then.tm_hour * 60 + then.tm_min + then.tm_sec / 60.0


class FenceWatch:
    """Fences over moving tracks. One thread uses it.

    Args:
        fences: where they stand.
        tracks: who the track numbers are; a number not in it is a person without a role.
        minute: local minute of the day of an instant.
    """

    def __init__(self, fences: Sequence[Placed] = (), tracks: Iterable[TrackInfo] = (),
                 minute: Callable[[float], float] = local_minute) -> None:
        self._who = {track.i: (track.kind, track.role) for track in tracks}
        self._minute = minute
        self._last: dict[int, tuple[float, NDArray[np.float64]]] = {}
        self._inside: dict[tuple[str, int], float] = {}  # since when
        self.on: set[tuple[str, int]] = set()
        self.fences: tuple[Placed, ...] = ()
        self.place(fences, 0.0)

    def place(self, fences: Sequence[Placed], now: float) -> list[FenceEvent]:
        """Take other fences; what was known of unchanged ones is kept, conditions of gone ones end."""
        same = {new.fence.id for new in fences for old in self.fences if old.fence == new.fence}
        known = {placed.fence.id for placed in self.fences}
        self.fences = tuple(fences)
        self._shapes = np.array([placed.shape for placed in fences], object)
        shapely.prepare(self._shapes)
        self._is_line = np.array([placed.shape.geom_type == "LineString" for placed in fences], bool)
        self._tree = shapely.STRtree(self._shapes)
        self._inside = {key: since for key, since in self._inside.items() if key[0] in same}
        kept = same | {placed.fence.id for placed in fences if placed.fence.id not in known}
        over = sorted(key for key in self.on if key[0] not in kept)
        self.on.difference_update(over)
        for placed in fences:  # somebody already there has not entered, but is there
            if placed.fence.id not in same:
                self._settle(placed)
        return [FenceEvent(fence, track, False, now) for fence, track in over]

    def step(self, fixes: Positions) -> list[FenceEvent]:
        """Take fixes (any order; older than a track's last are passed over) and give what came and went, by time."""
        if not self.fences:
            self._remember(fixes)
            return []
        order = np.argsort(fixes.source_time, kind="stable")
        events: list[FenceEvent] = []
        waiting = order.tolist()
        while waiting:
            chosen: list[int] = []
            later: list[int] = []
            seen: set[int] = set()
            for k in waiting:
                track = int(fixes.track[k])
                (later if track in seen else chosen).append(k)
                seen.add(track)
            events += self._round(fixes, np.array(chosen, np.int64))
            waiting = later
        return events

    def forget(self, tracks: NDArray[np.integer]) -> None:
        """Keep no place of these tracks, only which fences they are in: that ends by a fix, as alarms on record do."""
        for track in tracks.tolist():
            self._last.pop(track, None)

    def inside(self) -> dict[str, list[int]]:
        """Tracks inside each fence, by fence id."""
        found: dict[str, list[int]] = {placed.fence.id: [] for placed in self.fences}
        for fence, track in sorted(self._inside):
            found.setdefault(fence, []).append(track)
        return found

    # ---- inside -------------------------------------------------------------------------------------------------
    def _remember(self, fixes: Positions) -> None:
        for k in np.argsort(fixes.source_time, kind="stable"):
            self._last[int(fixes.track[k])] = float(fixes.source_time[k]), fixes.xyz[k]

    def _settle(self, placed: Placed) -> None:
        for track, (time, xyz) in self._last.items():
            if self._is_for(placed, track) and _holds(placed, xyz):
                self._inside[placed.fence.id, track] = time

    def _is_for(self, placed: Placed, track: int) -> bool:
        return placed.fence.is_for(*self._who.get(track, ("person", "")))

    def _round(self, fixes: Positions, rows: NDArray[np.int64]) -> list[FenceEvent]:
        """One fix of each of several tracks."""
        fresh = [int(k) for k in rows if (had := self._last.get(int(fixes.track[k]))) is None
                 or fixes.source_time[k] > had[0]]
        if not fresh:
            return []
        ends = fixes.xyz[fresh]
        starts = np.array([self._start(int(fixes.track[k]), float(fixes.source_time[k]), fixes.xyz[k]) for k in fresh])
        ways = shapely.linestrings(np.stack([starts[:, :2], ends[:, :2]], axis=1))
        hit: dict[int, set[int]] = {}
        for way, fence in zip(*self._tree.query(ways, predicate="intersects"), strict=True):
            hit.setdefault(int(way), set()).add(int(fence))
        events: list[FenceEvent] = []
        by_id = {placed.fence.id: f for f, placed in enumerate(self.fences)}
        held = {(track, fence) for fence, track in (*self._inside, *self.on) if fence in by_id}
        of_track: dict[int, set[int]] = {}
        for track, fence in held:
            of_track.setdefault(track, set()).add(by_id[fence])
        for n, k in enumerate(fresh):
            track, time = int(fixes.track[k]), float(fixes.source_time[k])
            is_first = track not in self._last
            for f in sorted(hit.get(n, set()) | of_track.get(track, set())):
                if self._is_for(self.fences[f], track):
                    touches = f in hit.get(n, set())
                    events += self._judge(f, track, time, starts[n], ends[n], ways[n], touches=touches, is_first=is_first)
            self._last[track] = time, fixes.xyz[k]
        return events

    def _start(self, track: int, time: float, at: NDArray[np.float64]) -> NDArray[np.float64]:
        had = self._last.get(track)
        return at if had is None or time - had[0] > SILENCE_SECS else had[1]

    def _judge(self, f: int, track: int, time: float, start: NDArray[np.float64], end: NDArray[np.float64],
               way: shapely.LineString, *, touches: bool, is_first: bool) -> list[FenceEvent]:
        placed, key = self.fences[f], (self.fences[f].fence.id, track)
        fence, is_armed = placed.fence, placed.fence.holds_at(self._minute(time))
        if self._is_line[f]:
            is_crossed = touches and not is_first and bool(np.any(start != end)) and _meets(placed, start, end, way)
            return self._blink(key, time) if is_crossed and is_armed else []
        was = key in self._inside
        goes_in = touches and _meets(placed, start, end, way)
        now = goes_in and _holds(placed, end)
        goes_out = not now or not (_holds(placed, start) and placed.shape.covers(way))
        entered = (goes_in and not was and not is_first) or (was and now and goes_out and bool(np.any(start != end)))
        left = (was and goes_out) or (goes_in and not was and not now and not is_first)
        if now and (not was or (goes_out and bool(np.any(start != end)))):
            self._inside[key] = time
        if not now:
            self._inside.pop(key, None)
        if fence.rule == "cross":
            return self._blink(key, time) if (entered or left) and is_armed else []
        if fence.rule == "enter":
            return self._switch(key, time, comes=entered and is_armed, goes=not now)
        if fence.rule == "leave":
            return self._switch(key, time, comes=left and is_armed, goes=now)
        if fence.rule == "dwell":
            is_long = now and time - self._inside[key] >= fence.mins * 60.0
            return self._switch(key, time, comes=is_long and is_armed, goes=not now)
        return self._switch(key, time, comes=goes_in and is_armed, goes=not now or not is_armed)

    def _switch(self, key: tuple[str, int], time: float, *, comes: bool, goes: bool) -> list[FenceEvent]:
        events = []
        if comes and key not in self.on:
            self.on.add(key)
            events.append(FenceEvent(*key, True, time))
        if goes and key in self.on:
            self.on.discard(key)
            events.append(FenceEvent(*key, False, time))
        return events

    def _blink(self, key: tuple[str, int], time: float) -> list[FenceEvent]:
        return [FenceEvent(*key, True, time), FenceEvent(*key, False, time)]


def _holds(placed: Placed, at: NDArray[np.float64]) -> bool:
    """Whether a point is in the fence, its edge and height band included."""
    return bool(placed.z0 <= at[2] <= placed.z1) and bool(shapely.intersects(placed.shape, shapely.Point(at[:2])))


def _meets(placed: Placed, start: NDArray[np.float64], end: NDArray[np.float64], way: shapely.LineString) -> bool:
    """Whether any of the way, whose plan meets the shape, is also in the height band (z runs evenly along it)."""
    low, high = sorted((float(start[2]), float(end[2])))
    if high < placed.z0 or low > placed.z1:
        return False
    if placed.z0 <= low and high <= placed.z1:
        return True
    length = math.hypot(*(end - start)[:2])
    if length == 0.0:
        return True
    for part in getattr(inside := way.intersection(placed.shape), "geoms", [inside]):
        share = [math.hypot(x - start[0], y - start[1]) / length for x, y in shapely.get_coordinates(part)]
        heights = [float(start[2] + (end[2] - start[2]) * t) for t in share]
        if heights and max(heights) >= placed.z0 - TOUCH_M and min(heights) <= placed.z1 + TOUCH_M:
            return True
    return False
