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
_GROUND_SLACK_M = 1.6  # an outer door this near to the ground is an entrance
_WALLS = ("IfcWall", "IfcCurtainWall", "IfcWindow", "IfcPlate")


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
) -> list[int]:
    """Add one building's points and ways; returns the rows of its entrances.

    Args:
        nodes: uint32 (entities,) scene node of every entity row.
    """
    if not model.spaces:
        return []
    walker = _Walker(parts, model, park_from_ifc, nodes, ground)
    walker.open_edges()
    walker.stairs()
    walker.lifts()
    return walker.doors()


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
            if len(touched) == 1 and self._is_at_ground(door):
                self.parts.set_kind(door, "entrance")
                entrances.append(door)
        return entrances

    def open_edges(self) -> None:
        """Rooms that share an edge with no wall on it: corridors drawn in pieces, halls and their galleries."""
        walls = [tuple(self.model.boxes[row]) for name in _WALLS for row in self._of(name)]
        boxes = np.array(walls).reshape(-1, 6)
        barrier = shapely.STRtree(shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 3], boxes[:, 4]))
        polygons = np.array([s.polygon for s in self.rooms.spaces])
        pairs = self.rooms.tree.query(polygons, predicate="dwithin", distance=_TOUCH_M)
        for one, other in pairs.T[pairs[0] < pairs[1]]:
            if abs(self.rooms.floor[one] - self.rooms.floor[other]) > _FLOOR_SLACK_M:
                continue
            shared = polygons[one].buffer(_TOUCH_M).intersection(polygons[other].boundary)
            for piece in shapely.get_parts(
                shapely.line_merge(shared) if shared.geom_type == "MultiLineString" else shared
            ):
                if piece.length < _OPEN_EDGE_M:
                    continue
                spot = piece.interpolate(0.5, normalized=True)
                near = barrier.query(spot, predicate="dwithin", distance=_TOUCH_M)
                z = self.rooms.floor[one] + 1.0
                if not any(boxes[k, 2] <= z <= boxes[k, 5] for k in near):
                    gap = self._add((spot.x, spot.y, self.rooms.floor[one]), int(self._node(one)), "space")
                    self._join_room(gap, int(one), "walk")
                    self._join_room(gap, int(other), "walk")

    def stairs(self) -> None:
        """A flight goes from the middle of its lowest tread to its top landing, and joins the rooms at both."""
        for row in self._of("IfcStair", "IfcRamp"):
            points = self._points_under(row)
            if points is None:
                continue
            low, high = float(points[:, 2].min()), float(points[:, 2].max())
            if high - low < 0.5:
                continue
            ends = [self._landing(points, low, int(self.nodes[row])), self._landing(points, high, int(self.nodes[row]))]
            if None not in ends:
                self.parts.join(ends[0], ends[1], "stair")  # type: ignore[arg-type]

    def lifts(self) -> None:
        """Lift cars above one another are one shaft; a car drawn once serves every storey."""
        shafts: list[tuple[NDArray[np.float64], list[int]]] = []
        for row in self._of("IfcTransportElement"):
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
                storey.elevation
                for storey in self.model.storeys
                if serves_all or low - 1.0 <= storey.elevation <= high - 0.5
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
        own = [
            k
            for k, e in enumerate(self.model.instances.entity)
            if int(e) in family and entities.cls[e] not in ("IfcRailing", "IfcMember")
        ]
        clouds = [
            self.model.meshes[self.model.instances.mesh[k]].vertices.astype(np.float64)
            @ self.model.instances.ifc_from_local[k, :3, :3].T
            + self.model.instances.ifc_from_local[k, :3, 3]
            for k in own
        ]
        return np.concatenate(clouds) if clouds else None

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
        polygon = self.rooms.spaces[room].polygon.buffer(_DOOR_REACH_M)
        spot = (self._ifc_from_park @ [*here, 1.0])[:2]
        for k in order[:6]:
            end = (self._ifc_from_park @ [*there[k], 1.0])[:2]
            if polygon.covers(shapely.LineString([spot, end])):
                self.parts.join(row, own[k], kind)
                return
        self.parts.join(row, own[order[0]], kind)

    def _is_at_ground(self, row: int) -> bool:
        x, y, z = self.parts.xyz[row]
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
