"""The walking graph inside one building: points in rooms, joined by doors, open edges, stairs and lifts.

All geometry here is in the ifc frame, where walls run along the axes and boxes are tight; points go out in park metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.model import Ground
from models_bim.model import BimModel, Space
from scenes.walk_parts import WalkParts
from scenes.walk_room import room_points

_DOOR_REACH_M = 0.75  # from a door's middle line to the rooms on both sides of its wall
_FLOOR_SLACK_M = 0.7  # a door sill or a landing this far from a room's floor belongs to it
_STAIR_REACH_M = 2.0
_LIFT_REACH_M = 2.5
_OPEN_EDGE_M = 0.8  # rooms sharing this much edge with no wall between are one walk
_TOUCH_M = 0.03
_GAP_M = 0.3
_THICKEST_WALL_M = 1.0
_PROBE_M = 0.2  # how finely a shared edge is tried for walls
_GROUND_SLACK_M = 1.6  # an outer door this near to the ground is an entrance
_DRAWN_REACH_M = 4.0  # from an entrance of the map to the room it opens
_NOWHERE = np.zeros((0, 2))
_ESCALATORS = ("ESCALATOR", "MOVINGWALKWAY")
_WALLS = ("IfcWall", "IfcCurtainWall", "IfcWindow", "IfcPlate", "IfcBuildingElementProxy")


@dataclass(frozen=True, slots=True, eq=False)
class _Rooms:
    """Rooms of one building with their points' rows."""

    spaces: tuple[Space, ...]
    rows: list[list[int]]
    tree: shapely.STRtree
    floor: NDArray[np.float64]
    top: NDArray[np.float64]


def walk_building(
    parts: WalkParts,
    model: BimModel,
    park_from_ifc: NDArray[np.float64],
    nodes: NDArray[np.uint32],
    ground: Ground,
    drawn: NDArray[np.float64] = _NOWHERE,
) -> list[int]:
    """Add one building's points and ways; returns the rows of its entrances.

    Its own outer doors come first, else the entrances the map draws at it, else where its walls are open.

    Args:
        nodes: uint32 (entities,) scene node of every entity row.
        drawn: float64 (k, 2) the map's entrances at this building, park metres.
    """
    if not model.spaces:
        return []
    walker = _Walker(parts, model, park_from_ifc, nodes, ground)
    walker.open_edges()
    walker.stairs()
    walker.lifts()
    return walker.doors() or walker.drawn(drawn) or walker.open_side()


class _Walker:
    """One building being walked through."""

    def __init__(
        self,
        parts: WalkParts,
        model: BimModel,
        park_from_ifc: NDArray[np.float64],
        nodes: NDArray[np.uint32],
        ground: Ground,
    ) -> None:
        self.parts, self.model, self.park_from_ifc, self.nodes, self.ground = parts, model, park_from_ifc, nodes, ground
        rows = [self._fill(space) for space in model.spaces]
        self.rooms = _Rooms(
            model.spaces,
            rows,
            shapely.STRtree([s.polygon for s in model.spaces]),
            np.array([s.z0 for s in model.spaces]),
            np.array([s.z1 for s in model.spaces]),
        )
        self._ifc_from_park = np.linalg.inv(park_from_ifc)
        self._reach: dict[int, shapely.Polygon] = {}

    def doors(self) -> list[int]:
        """Doors join the two rooms they touch; one that touches only one, near the ground, is an entrance."""
        entrances = []
        for row in self._of("IfcDoor"):
            box = self.model.boxes[row]
            middle = np.array([(box[0] + box[3]) / 2, (box[1] + box[4]) / 2, box[2]])
            reach = _DOOR_REACH_M + min(box[3] - box[0], box[4] - box[1]) / 2
            touched = self._rooms_near(middle, reach)[:2]
            if not touched:
                continue
            sill = self.rooms.floor[touched[0]]
            door = self._add((middle[0], middle[1], sill), int(self.nodes[row]), "door")
            for room in touched:
                self._join_room(door, room, "door")
            if len(touched) == 1 and self._is_at_ground((middle[0], middle[1], sill)):
                self.parts.set_kind(door, "entrance")
                entrances.append(door)
        return entrances

    def drawn(self, entrances: NDArray[np.float64]) -> list[int]:
        """Entrances the map draws, joined to the nearest room at the ground; those with none near lead nowhere."""
        found = []
        for x, y in entrances:
            ground = float(self.ground.height_at(np.array([[x, y]]))[0])
            middle = (self._ifc_from_park @ [x, y, ground, 1.0])[:3]
            spot = shapely.Point(middle[:2])
            near = [int(k) for k in self.rooms.tree.query(spot, predicate="dwithin", distance=_DRAWN_REACH_M)
                    if self._is_at_ground((middle[0], middle[1], self.rooms.floor[k]))]
            if near:
                room = min(near, key=lambda k: (round(float(self.rooms.spaces[k].polygon.distance(spot)), 3), k))
                way_in = self._add((middle[0], middle[1], self.rooms.floor[room]), self._node(room), "entrance")
                self._join_room(way_in, room, "door")
                found.append(way_in)
        return found

    def open_side(self) -> list[int]:
        """Where a building without an entrance door is open to the outside: the widest gap in its walls at the ground."""
        walls, boxes = self._barrier()
        best: tuple[int, int, NDArray[np.float64]] | None = None
        for room, space in enumerate(self.rooms.spaces):
            here = shapely.line_interpolate_point(
                space.polygon.exterior, np.arange(_PROBE_M / 2, space.polygon.length, _PROBE_M)
            )
            is_shut = np.zeros(len(here), dtype=np.bool_)
            spot, wall = walls.query(here, predicate="dwithin", distance=_GAP_M)
            z = self.rooms.floor[room] + 1.0
            is_shut[spot[(boxes[wall, 2] <= z) & (z <= boxes[wall, 5])]] = True
            near, other = self.rooms.tree.query(here, predicate="dwithin", distance=_GAP_M)
            is_shut[near[(other != room) & (np.abs(self.rooms.floor[other] - self.rooms.floor[room]) < 2.0)]] = True
            for run in np.split(np.arange(len(here)), np.flatnonzero(np.diff(is_shut)) + 1):
                if not is_shut[run[0]] and len(run) * _PROBE_M >= _OPEN_EDGE_M and (best is None or len(run) > best[1]):
                    middle = shapely.get_coordinates(here[run[len(run) // 2]])[0]
                    if self._is_at_ground((middle[0], middle[1], self.rooms.floor[room])):
                        best = (room, len(run), middle)
        if best is None:
            return []
        room, _, middle = best
        way_in = self._add((middle[0], middle[1], self.rooms.floor[room]), self._node(room), "entrance")
        self._join_room(way_in, room, "walk")
        return [way_in]

    def _barrier(self) -> tuple[shapely.STRtree, NDArray[np.float64]]:
        """Plans of what stands in the way, as a tree, and their boxes. What is as thick as a room is no wall."""
        rows = [int(row) for row in self._of(*_WALLS) if len(self._cloud(int(row)))]
        hulls = np.array([shapely.MultiPoint(self._cloud(row)[:, :2]).convex_hull for row in rows], dtype=object)
        is_thin = shapely.minimum_clearance(shapely.oriented_envelope(hulls)) <= _THICKEST_WALL_M
        return shapely.STRtree(hulls[is_thin]), self.model.boxes[np.array(rows, dtype=int)[is_thin]].reshape(-1, 6)

    def open_edges(self) -> None:
        """Rooms side by side with no wall between: corridors drawn in pieces, passages, halls and their galleries.

        Rooms are often drawn to the faces of walls that are not there, so a gap up to a wall's thickness counts as touching.
        """
        barrier, boxes = self._barrier()
        if not len(boxes):
            return  # a model without walls says nothing about what is open
        polygons = np.array([s.polygon for s in self.rooms.spaces])
        pairs = self.rooms.tree.query(polygons, predicate="dwithin", distance=_GAP_M)
        for one, other in pairs.T[pairs[0] < pairs[1]]:
            if abs(self.rooms.floor[one] - self.rooms.floor[other]) > _FLOOR_SLACK_M:
                continue
            spot = self._open_spot(polygons[one], polygons[other], barrier, boxes, self.rooms.floor[one] + 1.0)
            if spot is not None:
                gap = self._add((spot[0], spot[1], self.rooms.floor[one]), self._node(one), "space")
                self._join_room(gap, int(one), "walk")
                self._join_room(gap, int(other), "walk")

    def _open_spot(
        self,
        one: shapely.Polygon,
        other: shapely.Polygon,
        barrier: shapely.STRtree,
        boxes: NDArray[np.float64],
        z: float,
    ) -> NDArray[np.float64] | None:
        """The middle of the longest stretch along which two rooms face each other with no wall between, at height z."""
        shared = one.buffer(_GAP_M, join_style="mitre").intersection(other.exterior)
        if shared.geom_type == "MultiLineString":
            shared = shapely.line_merge(shared)
        best: list[NDArray[np.float64]] = []
        for piece in shapely.get_parts(shared):
            if piece.geom_type != "LineString" or piece.length < _OPEN_EDGE_M:
                continue
            here = shapely.line_interpolate_point(piece, np.arange(_PROBE_M / 2, piece.length, _PROBE_M))
            across = shapely.shortest_line(here, one)
            middle = shapely.line_interpolate_point(across, 0.5, normalized=True)
            spot, wall = barrier.query(middle, predicate="dwithin", distance=_TOUCH_M)
            is_shut = shapely.length(across) > _GAP_M
            is_shut[spot[(boxes[wall, 2] <= z) & (z <= boxes[wall, 5])]] = True
            for run in np.split(np.arange(len(here)), np.flatnonzero(np.diff(is_shut)) + 1):
                if not is_shut[run[0]] and len(run) > len(best):
                    best = list(shapely.get_coordinates(middle[run]))
        return best[len(best) // 2] if len(best) * _PROBE_M >= _OPEN_EDGE_M else None

    def stairs(self) -> None:
        """A flight or escalator goes from the middle of its lowest tread to its top landing and joins the rooms at both."""
        moving = self._of("IfcTransportElement")
        escalators = moving[np.isin(self.model.entities.predefined[moving], _ESCALATORS)]
        for row in [*self._of("IfcStair", "IfcRamp").tolist(), *escalators.tolist()]:
            points = self._points_under(row)
            if points is None:
                continue
            low, high = float(points[:, 2].min()), float(points[:, 2].max())
            if high - low < 0.5:
                continue
            ends = [self._landing(points, low, int(self.nodes[row])), self._landing(points, high, int(self.nodes[row]))]
            if None not in ends:
                kind = "ramp" if str(self.model.entities.cls[row]).startswith("IfcRamp") else "stair"
                self.parts.join(ends[0], ends[1], kind)  # type: ignore[arg-type]

    def lifts(self) -> None:
        """Lift cars above one another are one shaft; a car drawn once serves every storey."""
        shafts: list[tuple[NDArray[np.float64], list[int]]] = []
        for row in self._of("IfcTransportElement"):
            if self.model.entities.predefined[row] in _ESCALATORS:
                continue
            box = self.model.boxes[row]
            middle = (box[:2] + box[3:5]) / 2
            for known, members in shafts:
                if np.hypot(*(known - middle)) < 1.0:
                    members.append(int(row))
                    break
            else:
                shafts.append((middle, [int(row)]))
        for middle, members in shafts:
            low = self.model.boxes[members, 2].min()
            high = self.model.boxes[members, 5].max()
            serves_all = len(members) == 1 and high - low < 4.5
            stops = [
                storey.elevation for storey in self.model.storeys if serves_all or low - 1.0 <= storey.elevation <= high - 0.5
            ]
            self._shaft(middle, stops, int(self.nodes[members[0]]))

    def _shaft(self, middle: NDArray[np.float64], stops: list[float], node: int) -> None:
        below = -1
        for z in stops:
            rooms = self._rooms_near(np.array([*middle, z]), _LIFT_REACH_M)
            if not rooms:
                continue
            stop = self._add((middle[0], middle[1], self.rooms.floor[rooms[0]]), node, "lift")
            self._join_room(stop, rooms[0], "walk")
            if below >= 0:
                self.parts.join(below, stop, "lift")
            below = stop

    def _landing(self, points: NDArray[np.float64], z: float, node: int) -> int | None:
        """A point at one end of a flight, joined to the room whose floor is there."""
        middle = points[np.abs(points[:, 2] - z) < 0.25][:, :2]
        spot = (middle.min(axis=0) + middle.max(axis=0)) / 2
        rooms = self._rooms_near(np.array([*spot, z]), _STAIR_REACH_M)
        if not rooms:
            return None
        end = self._add((spot[0], spot[1], z), node, "stair")
        self._join_room(end, rooms[0], "walk")
        return end

    def _points_under(self, row: int) -> NDArray[np.float64] | None:
        """Vertices of a stair with its parts in ifc metres, railings aside; None for a flight of another stair."""
        entities = self.model.entities
        above = int(entities.parent[row])
        if above >= 0 and str(entities.cls[above]).startswith(("IfcStair", "IfcRamp")):
            return None
        family = {row} | set(np.flatnonzero(entities.parent == row).tolist())
        parts = [self._cloud(k) for k in sorted(family) if entities.cls[k] not in ("IfcRailing", "IfcMember")]
        points = np.concatenate(parts)
        return points if len(points) else None

    def _cloud(self, row: int) -> NDArray[np.float64]:
        """float64 (v, 3) vertices of one entity in ifc metres."""
        first, last = np.searchsorted(self.model.instances.entity, [row, row + 1])
        clouds = [np.zeros((0, 3))]
        for k in range(first, last):
            matrix = self.model.instances.ifc_from_local[k]
            vertices = self.model.meshes[self.model.instances.mesh[k]].vertices.astype(np.float64)
            clouds.append(vertices @ matrix[:3, :3].T + matrix[:3, 3])
        return np.concatenate(clouds)

    def _rooms_near(self, point: NDArray[np.float64], reach: float) -> list[int]:
        """Rooms whose floor is at a point's height and whose outline is within reach, nearest first."""
        spot = shapely.Point(point[:2])
        found = self.rooms.tree.query(spot, predicate="dwithin", distance=reach)
        level = [int(k) for k in found if abs(self.rooms.floor[k] - point[2]) <= _FLOOR_SLACK_M]
        return sorted(level, key=lambda k: (round(float(self.rooms.spaces[k].polygon.distance(spot)), 3), k))

    def _fill(self, space: Space) -> list[int]:
        xy, pairs = room_points(space.polygon)
        node = int(self.nodes[space.entity])
        rows = [self._add((x, y, space.z0), node, "space") for x, y in xy]
        for a, b in pairs:
            self.parts.join(rows[a], rows[b], "walk")
        return rows

    def _join_room(self, row: int, room: int, kind: str) -> None:
        """Join a point to the nearest point of a room (by a line inside it, where there is one)."""
        own = self.rooms.rows[room]
        here = np.array(self.parts.xyz[row])
        there = np.array([self.parts.xyz[k] for k in own])
        order = np.argsort(np.linalg.norm(there - here, axis=1), kind="stable")
        if room not in self._reach:
            self._reach[room] = self.rooms.spaces[room].polygon.buffer(_DOOR_REACH_M)
            shapely.prepare(self._reach[room])
        polygon = self._reach[room]
        spot = (self._ifc_from_park @ [*here, 1.0])[:2]
        for k in order[:6]:
            end = (self._ifc_from_park @ [*there[k], 1.0])[:2]
            if polygon.covers(shapely.LineString([spot, end])):
                self.parts.join(row, own[k], kind)
                return
        self.parts.join(row, own[order[0]], kind)

    def _is_at_ground(self, point_in_ifc: tuple[float, float, float]) -> bool:
        x, y, z = (self.park_from_ifc @ [*point_in_ifc, 1.0])[:3]
        return abs(z - float(self.ground.height_at(np.array([[x, y]]))[0])) <= _GROUND_SLACK_M

    def _add(self, point_in_ifc: tuple[float, float, float], node: int, kind: str) -> int:
        x, y, z = (self.park_from_ifc @ [*point_in_ifc, 1.0])[:3]
        return self.parts.add_point((x, y, z), node, kind)

    def _node(self, room: int) -> int:
        return int(self.nodes[self.rooms.spaces[room].entity])

    def _of(self, *classes: str) -> NDArray[np.intp]:
        """Element rows of classes and what is derived of them; with a shape (stairs may have it in their parts)."""
        is_class = np.array([str(c).startswith(classes) for c in self.model.entities.cls], dtype=bool)
        if classes[0] != "IfcStair":
            is_class &= np.isfinite(self.model.boxes[:, 0])
        return np.flatnonzero(is_class & (self.model.entities.kind == "element"))
