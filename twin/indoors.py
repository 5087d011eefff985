"""Walls as people meet them: rooms, the doors between them, and how far a straight step may go. Park frame, metres."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.walk import WalkGraph

#: How far around the line from a room to its door one may be, and how far inside its walls one is put.
DOORWAY_M, INSET_M = 0.35, 0.15
#: A way longer than this is not looked for: nobody walked it between two fixes.
FARTHEST_M = 80.0
HEIGHT_GAP_M = 0.5
#: A door is this near to the rooms it joins; a way without a door between rooms is no longer than this.
REACH_M, OPEN_M = 1.5, 6.0
#: People are followed at the height of a tag, ways run on the floor.
HEIGHT_SLACK_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room as walls see it: its node, outline and height band."""

    node: int
    polygon: shapely.Polygon
    z0: float
    z1: float


class Indoors:
    """Rooms by number (their order; -1 outdoors) and the ways between them.

    Args:
        rooms: every room with an outline.
        walk: the walking graph; rooms without points on it have no doors.
    """

    def __init__(self, rooms: Sequence[Room], walk: WalkGraph) -> None:
        self.walk = walk
        self.node = np.array([room.node for room in rooms], np.uint32)
        self.z0, self.z1 = np.array([room.z0 for room in rooms]), np.array([room.z1 for room in rooms])
        self.polygon = np.array([room.polygon for room in rooms], object)
        self._of_node = {room.node: number for number, room in enumerate(rooms)}
        self._tree = shapely.STRtree(self.polygon)
        self._area = shapely.area(self.polygon)
        self._ways: list[list[tuple[float, int]]] = [[] for _ in range(len(walk))]
        for (a, b), length in zip(walk.edge.tolist(), walk.length.tolist(), strict=True):
            self._ways[a].append((length, b))
            self._ways[b].append((length, a))
        self._xyz = walk.xyz.tolist()
        self._is_convex = self._area >= 0.999 * shapely.area(shapely.convex_hull(self.polygon))
        self._rows: dict[int, NDArray[np.intp]] = {}
        self._open: dict[int, shapely.Geometry] = {}
        self._walls: dict[int, shapely.Geometry] = {}
        outside = np.flatnonzero(np.isin(walk.kind, ("road", "entrance"))) if len(walk) else np.zeros(0, np.intp)
        self._outside, self._outside_tree = outside, cKDTree(walk.xyz[outside, :2]) if len(outside) else None

    def __len__(self) -> int:
        return len(self.node)

    def room_at(self, xyz: NDArray[np.float64]) -> NDArray[np.int64]:
        """int64 (n,) room each point (n, 3) is in, -1 for none; of several the smallest whose band fits best."""
        found = np.full(len(xyz), -1, np.int64)
        if not len(self) or not len(xyz):
            return found
        point, room = self._tree.query(shapely.points(xyz[:, :2]), predicate="intersects")
        off = np.maximum(self.z0[room] - xyz[point, 2], xyz[point, 2] - self.z1[room]).clip(min=0)
        near = off <= HEIGHT_GAP_M
        point, room, off = point[near], room[near], off[near]
        order = np.lexsort((self._area[room], off))[::-1]
        found[point[order]] = room[order]
        return found

    def nearest(self, xyz: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.int64]:
        """int64 (n,) the room nearest to each point in plan, of those at its height and so near (m); -1 for none."""
        found = np.full(len(xyz), -1, np.int64)
        if not len(self) or not len(xyz):
            return found
        points = shapely.points(xyz[:, :2])
        point, room = self._tree.query(points, predicate="dwithin", distance=within)
        level = (self.z0[room] - HEIGHT_GAP_M <= xyz[point, 2]) & (xyz[point, 2] <= self.z1[room] + HEIGHT_GAP_M)
        point, room = point[level], room[level]
        order = np.argsort(shapely.distance(points[point], self.polygon[room]))[::-1]
        found[point[order]] = room[order]
        return found

    def distance(self, room: NDArray[np.int64], xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """f64 (n,) metres in plan from points to rooms, and in height beyond half a metre; 0 inside."""
        off = np.maximum(self.z0[room] - xyz[:, 2], xyz[:, 2] - self.z1[room]) - HEIGHT_GAP_M
        return np.hypot(shapely.distance(self.polygon[room], shapely.points(xyz[:, :2])), off.clip(min=0))

    def inside(self, room: NDArray[np.int64], xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """f64 (n, 3) the places in rooms nearest to points, a little off the wall, within the room's height."""
        out = xyz.copy()
        outer = shapely.shortest_line(self.polygon[room], shapely.points(xyz[:, :2]))
        edge = shapely.get_coordinates(outer).reshape(-1, 2, 2)[:, 0]
        way = edge - xyz[:, :2]
        length = np.linalg.norm(way, axis=1)
        moved = length > 0
        step = way[moved] / length[moved, None] * INSET_M
        inner = edge[moved] + step
        fits = shapely.covers(self.polygon[room[moved]], shapely.points(inner))
        out[moved, :2] = np.where(fits[:, None], inner, edge[moved])
        out[:, 2] = np.clip(xyz[:, 2], self.z0[room], self.z1[room])
        return out

    def is_clear(self, room: NDArray[np.int64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool (n,) whether straight steps stay within a room and its doorways; outdoors: whether they meet no room."""
        out = np.zeros(len(room), np.bool_)
        if not len(room):
            return out
        lines = shapely.linestrings(np.stack([start[:, :2], end[:, :2]], axis=1))
        within = room >= 0
        if (room == room[0]).all() and within[0]:
            return np.asarray(shapely.covers(self.open_room(int(room[0])), lines))
        if within.any():
            out[within] = shapely.covers(np.array([self.open_room(r) for r in room[within].tolist()], object), lines[within])
        if (~within).any():
            rows = np.flatnonzero(~within)
            hit, other = self._tree.query(lines[rows], predicate="crosses")
            low, high = np.minimum(start[rows, 2], end[rows, 2])[hit], np.maximum(start[rows, 2], end[rows, 2])[hit]
            level = (self.z0[other] <= high) & (self.z1[other] >= low)
            out[rows] = True
            out[rows[hit[level]]] = False
        return out

    def sees(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool (n,) whether straight lines between points (n, 3) meet no wall: rooms' outlines but for their doorways."""
        out = np.ones(len(start), np.bool_)
        if not len(self) or not len(start):
            return out
        lines = shapely.linestrings(np.stack([start[:, :2], end[:, :2]], axis=1))
        line, room = self._tree.query(lines, predicate="intersects")
        low, high = np.minimum(start[line, 2], end[line, 2]), np.maximum(start[line, 2], end[line, 2])
        level = (self.z0[room] - HEIGHT_GAP_M <= high) & (self.z1[room] + HEIGHT_GAP_M >= low)
        line, room = line[level], room[level]
        met = shapely.intersects(np.array([self._walls_of(r) for r in room.tolist()], object), lines[line])
        out[line[met]] = False
        return out

    def open_room(self, room: int) -> shapely.Geometry:
        """A room's outline with the doorways that lead out of it, prepared."""
        if room not in self._open:
            shape = shapely.union_all([self.polygon[room].buffer(1e-6), *self._doorways(room)])
            shapely.prepare(shape)
            self._open[room] = shape
        return self._open[room]

    def _walls_of(self, room: int) -> shapely.Geometry:
        if room not in self._walls:
            shape = self.polygon[room].boundary.difference(shapely.union_all(self._doorways(room)))
            shapely.prepare(shape)
            self._walls[room] = shape
        return self._walls[room]

    def _doorways(self, room: int) -> list[shapely.Geometry]:
        """Where one leaves a room: from its edge to its doors, and along ways to rooms it is open to."""
        found = []
        for row in self.rows(room).tolist():
            for length, other in self._ways[row]:
                if self.walk.node[other] == self.node[room] or not self._is_level(row, other):
                    continue
                at = shapely.Point(self.walk.xyz[other, :2])
                way = shapely.shortest_line(self.polygon[room], at)
                if self.walk.kind[other] == "space" and length <= OPEN_M:
                    found.append(shapely.LineString(self.walk.xyz[[row, other], :2]).buffer(2 * DOORWAY_M))
                elif way.length <= REACH_M:
                    found.append(way.buffer(DOORWAY_M))
        return found

    def rows(self, room: int) -> NDArray[np.intp]:
        """Rows of the walking graph in a room; outdoors: of roads and entrances."""
        if room < 0:
            return self._outside
        if room not in self._rows:
            self._rows[room] = self.walk.points_of(int(self.node[room]))
        return self._rows[room]

    def way(self, start: NDArray[np.float64], room: int, end: NDArray[np.float64], goal: int,
            farthest: float = FARTHEST_M) -> tuple[list[int], float] | None:
        """Rows passed from a place in one room to a place in another, and all the metres; None: no way, or a longer one."""
        ends = dict(self._near(end, goal))
        xyz, (x, y, z) = self._xyz, end.tolist()
        begins = self._near(start, room) if ends else []
        queue = [(metres + math.dist(xyz[row], (x, y, z)), metres, row, -1) for row, metres in begins]
        heapq.heapify(queue)
        before: dict[int, int] = {}
        best, best_row = farthest, -1
        while queue:  # A*: the straight line is never longer than the way
            least, metres, row, came = heapq.heappop(queue)
            if least >= best:
                break
            if row in before:
                continue
            before[row] = came
            if row in ends and metres + ends[row] < best:
                best, best_row = metres + ends[row], row
            for length, other in self._ways[row]:
                if other not in before:
                    there = metres + length
                    heapq.heappush(queue, (there + math.dist(xyz[other], (x, y, z)) - HEIGHT_SLACK_M, there, other, row))
        if best_row < 0:
            return None
        rows = [best_row]
        while before[rows[-1]] >= 0:
            rows.append(before[rows[-1]])
        return rows[::-1], best

    def metres_from(self, at: NDArray[np.float64], room: int) -> NDArray[np.float64]:
        """f64 (n,) metres walked from a place in a room to every row of the walking graph; inf where there is no way."""
        away = np.full(len(self.walk), np.inf)
        for row, metres in self._near(at, room):
            away = np.minimum(away, metres + self.walk.distances(np.array([row])))
        return away

    def room_of_row(self, row: int) -> int:
        """The room a row of the walking graph is in; -1 for none."""
        return self._of_node.get(int(self.walk.node[row]), -1)

    # ---- inside -------------------------------------------------------------------------------------------------
    def _near(self, at: NDArray[np.float64], room: int) -> list[tuple[int, float]]:
        """Rows one can begin or end at, with metres: those of the room in sight (else the nearest three), or outdoors."""
        rows = self.rows(room)
        if not len(rows):
            return []
        if room < 0:
            assert self._outside_tree is not None
            metres, found = self._outside_tree.query(at[:2], k=min(3, len(rows)))
            return list(zip(rows[np.atleast_1d(found)].tolist(), np.atleast_1d(metres).tolist(), strict=True))
        metres = np.linalg.norm(self.walk.xyz[rows, :2] - at[:2], axis=1)
        order = np.argsort(metres)[:6]
        if self._is_convex[room]:
            return list(zip(rows[order].tolist(), metres[order].tolist(), strict=True))
        clear = self.is_clear(np.full(len(order), room), np.repeat(at[None], len(order), axis=0), self.walk.xyz[rows[order]])
        kept = order[clear] if clear.any() else order[:3]
        return list(zip(rows[kept].tolist(), metres[kept].tolist(), strict=True))

    def _is_level(self, a: int, b: int) -> bool:
        return abs(float(self.walk.xyz[a, 2] - self.walk.xyz[b, 2])) < HEIGHT_GAP_M * 2
