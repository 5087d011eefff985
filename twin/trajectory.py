"""Where somebody went: fixes of a period made readable: legs, storeys, stays, distance. Park frame, metres, seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.graph import SceneGraph
from twin.live.tracks import Locate
from twin.ports import Positions

#: Fixes further apart in time are not joined by a line: nobody knows the way between them.
GAP_SECS = 60.0
STAY_METRES, STAY_SECS = 3.0, 60.0
#: Points of a leg are thinned to this many metres of the true line; a stay keeps its first and last.
THIN_METRES = 0.25
MOST_POINTS = 4000


@dataclass(frozen=True, slots=True)
class Stay:
    """Time spent within 3 m of a spot: middle (m), from and to (s), the node it was in."""

    at: tuple[float, float, float]
    start: float
    end: float
    node: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One node (room, or 0 for outdoors) between two instants (s)."""

    node: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A period of one track. `leg` numbers pieces that a silence separates; `node` is the room of each point.

    `spread`: median standard deviation of the places, metres; 0 where at least half are exact.
    """

    time: NDArray[np.float64]
    xyz: NDArray[np.float64]
    node: NDArray[np.uint32]
    leg: NDArray[np.int64]
    stays: tuple[Stay, ...]
    visits: tuple[Visit, ...]
    metres: float
    spread: float = 0.0


def trajectory(fixes: Positions, locate: Locate) -> Trajectory:
    """What the fixes of one track say, sorted by time. Fixes without a finite place are left out."""
    sound = np.isfinite(fixes.xyz).all(axis=1)
    time, xyz = fixes.source_time[sound], fixes.xyz[sound]
    keep = np.append(True, np.diff(time) > 0)[: len(time)]
    time, xyz = time[keep], xyz[keep]
    node = locate(xyz) if len(time) else np.zeros(0, np.uint32)
    leg = np.cumsum(np.append(0, np.diff(time) > GAP_SECS))[: len(time)]
    step = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
    metres = float(step[np.diff(leg) == 0].sum()) if len(time) > 1 else 0.0
    kept = thinned(xyz, leg)
    return Trajectory(time[kept], xyz[kept], node[kept], leg[kept], stays(time, xyz, node, leg), visits(time, node, leg),
                      metres, float(np.median(fixes.sigma()[sound])) if len(time) else 0.0)


def stays(time: NDArray[np.float64], xyz: NDArray[np.float64], node: NDArray[np.uint32],
          leg: NDArray[np.int64]) -> tuple[Stay, ...]:
    """Spots held for a minute and more: as long as every fix is within 3 m of the spot's first."""
    found: list[Stay] = []
    start = 0
    for k in range(1, len(time) + 1):
        is_here = k < len(time) and leg[k] == leg[start] and np.linalg.norm(xyz[k] - xyz[start]) <= STAY_METRES
        if is_here:
            continue
        if time[k - 1] - time[start] >= STAY_SECS:
            x, y, z = np.median(xyz[start:k], axis=0)
            found.append(Stay((float(x), float(y), float(z)), float(time[start]), float(time[k - 1]), int(node[start])))
        start = k
    return tuple(found)


def visits(time: NDArray[np.float64], node: NDArray[np.uint32], leg: NDArray[np.int64]) -> tuple[Visit, ...]:
    """Rooms in the order they were entered, with when; neighbouring fixes in one room are one visit."""
    if not len(time):
        return ()
    cut = np.flatnonzero((np.diff(node.astype(np.int64)) != 0) | (np.diff(leg) != 0)) + 1
    starts, ends = np.append(0, cut), np.append(cut, len(time)) - 1
    return tuple(Visit(int(node[a]), float(time[a]), float(time[b])) for a, b in zip(starts, ends, strict=True))


def thinned(xyz: NDArray[np.float64], leg: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices that keep every leg's line within 0.25 m (Douglas–Peucker), at most `MOST_POINTS` in all."""
    kept: list[int] = []
    for number in np.unique(leg):
        here = np.flatnonzero(leg == number)
        kept.extend(here[_line(xyz[here])].tolist())
    if len(kept) > MOST_POINTS:
        kept = [kept[k] for k in np.linspace(0, len(kept) - 1, MOST_POINTS).astype(int)]
    return np.array(kept, np.int64)


def _line(points: NDArray[np.float64]) -> NDArray[np.int64]:
    keep = np.zeros(len(points), np.bool_)
    keep[[0, -1]] = True
    todo = [(0, len(points) - 1)]
    while todo:
        a, b = todo.pop()
        if b - a < 2:
            continue
        far = _distance(points[a + 1:b], points[a], points[b])
        k = int(np.argmax(far))
        if far[k] > THIN_METRES:
            keep[a + 1 + k] = True
            todo += [(a, a + 1 + k), (a + 1 + k, b)]
    return np.flatnonzero(keep)


def _distance(points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres of points from the segment a–b."""
    along = b - a
    length = float(along @ along)
    t = np.clip((points - a) @ along / length, 0.0, 1.0) if length > 0 else np.zeros(len(points))
    return np.linalg.norm(points - (a + t[:, None] * along), axis=1)


def blurred(found: Trajectory, storey: Callable[[int], int],
            middle: Callable[[int], tuple[float, float, float] | None]) -> Trajectory:
    """As somebody may see it who may not follow people: storeys by the minute, each by its middle; nothing outdoors."""
    rows: list[Visit] = []
    for visit in found.visits:
        shown = Visit(storey(visit.node), visit.start // 60 * 60, visit.end // 60 * 60 + 60)
        if rows and rows[-1].node == shown.node and shown.start <= rows[-1].end:
            rows[-1] = Visit(shown.node, rows[-1].start, max(rows[-1].end, shown.end))
        else:
            rows.append(shown)
    placed = [(visit, at) for visit in rows if visit.node and (at := middle(visit.node)) is not None]
    xyz = np.array([at for _, at in placed], np.float64).reshape(-1, 3)
    return Trajectory(np.array([visit.start for visit, _ in placed], np.float64), xyz,
                      np.array([visit.node for visit, _ in placed], np.uint32), np.arange(len(placed)), (),
                      tuple(visit for visit, _ in placed), float("nan"))


def storey_of(graph: SceneGraph, node: int) -> int:
    """The storey above a node; 0 for outdoors."""
    while node and graph.columns["kind"][node] != "storey":
        node = int(graph.parent[node])
    return node
