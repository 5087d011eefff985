"""Where somebody who is no longer heard of may be by now: what can be reached on foot since the last fix.

Doors count as open and nobody is said to run; a room is reached when its first point of the walking graph is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.graph import SceneGraph
from twin.indoors import Indoors
from twin.seeing import Seeing
from twin.sight import OUTDOORS
from twin.walk import WalkGraph

#: Beyond this nobody is looked for in a park; metres.
FARTHEST_M = 3000.0
#: Half the width people are looked for in along a path outdoors, metres.
PATH_M = 4.0
SIMPLE_M = 0.3


@dataclass(frozen=True, slots=True)
class Reached:
    """A node and how far it is on foot from where somebody was last seen, metres."""

    node: int
    metres: float


@dataclass(frozen=True, slots=True)
class Level:
    """What can be reached of a storey (node; 0 outdoors): a polygon in park metres and its floor (m)."""

    storey: int
    z: float
    shape: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Search:
    """What can be reached within so many metres: levels to draw, rooms, doors and exits by distance, cameras."""

    metres: float
    levels: tuple[Level, ...]
    rooms: tuple[Reached, ...]
    doors: tuple[Reached, ...]
    exits: tuple[Reached, ...]
    cameras: tuple[int, ...]


def search(at: NDArray[np.float64], metres: float, *, indoors: Indoors, graph: SceneGraph, seeing: Seeing) -> Search:
    """What can be reached from a place (3,) within so many metres on foot, by the doors of the walking graph."""
    metres = min(metres, FARTHEST_M)
    walk, room = indoors.walk, int(indoors.room_at(at[None])[0])
    away = indoors.metres_from(at, room)
    shapes, rooms = _rooms(indoors, graph, at, room, away, metres)
    if room < 0 or (away[indoors.rows(-1)] <= metres).any():
        shapes.setdefault(0, []).append(_paths(indoors, at if room < 0 else None, away, metres))
    levels = [Level(storey, _floor(graph, storey, at), shapely.union_all(parts).simplify(SIMPLE_M))
              for storey, parts in shapes.items() if any(not part.is_empty for part in parts)]
    return Search(metres=metres, levels=tuple(levels), rooms=tuple(sorted(rooms, key=lambda r: r.metres)),
                  doors=_of_kind(walk, away, metres, ("door", "entrance")), exits=_of_kind(walk, away, metres, ("entrance",)),
                  cameras=_cameras(seeing, {r.node for r in rooms}, levels))


# ---- inside -------------------------------------------------------------------------------------------------------------
def _rooms(indoors: Indoors, graph: SceneGraph, at: NDArray[np.float64], room: int, away: NDArray[np.float64],
           metres: float) -> tuple[dict[int, list[shapely.Geometry]], list[Reached]]:
    """Pieces of floor by storey, and the rooms they are of: of each what lies within what is left at its points."""
    shapes: dict[int, list[shapely.Geometry]] = {}
    found: list[Reached] = []
    for number, node in enumerate(indoors.node.tolist()):
        rows = indoors.rows(number)
        left = metres - away[rows] if len(rows) else np.zeros(0)
        centres, radii = indoors.walk.xyz[rows][left > 0][:, :2], left[left > 0]
        if number == room:
            centres, radii = np.vstack([centres, at[:2]]), np.append(radii, metres)
        if not len(radii):
            continue
        polygon = indoors.polygon[number]
        x0, y0, x1, y1 = polygon.bounds
        if radii.max() < np.hypot(x1 - x0, y1 - y0):
            polygon = polygon.intersection(shapely.union_all(shapely.buffer(shapely.points(centres), radii)))
        shapes.setdefault(graph.ancestor(node, "storey"), []).append(polygon)
        found.append(Reached(node, 0.0 if number == room else max(0.0, metres - float(radii.max()))))
    return shapes, found


def _paths(indoors: Indoors, at: NDArray[np.float64] | None, away: NDArray[np.float64], metres: float) -> shapely.Geometry:
    """Ground along the paths outdoors that are reached, each as far as what is left carries."""
    walk = indoors.walk
    outside = np.isin(walk.kind, ("road", "entrance"))
    edge = walk.edge[outside[walk.edge].all(axis=1)]
    a, b = np.where((away[edge[:, 0]] <= away[edge[:, 1]])[:, None], edge, edge[:, ::-1]).T
    left = metres - away[a]
    kept = left > 0
    a, b, left = a[kept], b[kept], left[kept]
    start, end = walk.xyz[a, :2], walk.xyz[b, :2]
    length = np.maximum(np.linalg.norm(end - start, axis=1), 1e-9)
    end = start + (end - start) * np.minimum(left / length, 1.0)[:, None]
    parts = shapely.buffer(shapely.linestrings(np.stack([start, end], axis=1)), PATH_M, quad_segs=2)
    around = [shapely.Point(at[:2]).buffer(min(metres, 60.0))] if at is not None else []
    return shapely.union_all([*parts, *around])


def _of_kind(walk: WalkGraph, away: NDArray[np.float64], metres: float, kinds: tuple[str, ...]) -> tuple[Reached, ...]:
    node = walk.node
    rows = np.flatnonzero(np.isin(walk.kind, kinds) & (away <= metres) & (node > 0))
    best: dict[int, float] = {}
    for row in rows[np.argsort(away[rows])].tolist():
        best.setdefault(int(node[row]), float(away[row]))
    return tuple(Reached(n, m) for n, m in best.items())


def _cameras(seeing: Seeing, rooms: set[int], levels: list[Level]) -> tuple[int, ...]:
    """Cameras that see any of what is reached, in registry order."""
    shapes = {level.storey: level.shape for level in levels}
    found = []
    for camera, eye in seeing.eyes.items():
        if eye.area in rooms or (eye.area == OUTDOORS and 0 in shapes and shapes[0].intersects(seeing.sight(camera))):
            found.append(camera)
    return tuple(found)


def _floor(graph: SceneGraph, storey: int, at: NDArray[np.float64]) -> float:
    height = float(graph.columns["elevation"][storey]) if storey else float("nan")
    return height if np.isfinite(height) else float(at[2])
