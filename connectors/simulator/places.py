"""The places people go to, found in the compiled park: rooms by what their names say, gates, outdoor points, parking bays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.routes import Routes, Walk
from twin.graph import SceneGraph
from twin.registry import PointTable

_CLOSED = (
    "corridor",
    "走廊",
    "stair",
    "楼梯",
    "lift",
    "电梯",
    "riser",
    "管井",
    "washroom",
    "卫生间",
    "toilet",
    "passage",
    "连廊",
    "aisle",
    "通道",
    "shaft",
    "电池",
    "battery",
    "配电",
    "electrical",
    "空调机房",
    "air handling",
    "停车",
    "parking",
    "机房",
    "server",
    "data hall",
    "数据大厅",
    "变配电",
    "substation",
    "泵房",
    "pump",
    "换热",
    "ups",
    "库房",
    "store",
    "档案",
    "制冷",
)
_REST = ("dormitory", "宿舍", "bedroom", "apartment")
_EAT = ("dining", "餐厅", "canteen", "café", "咖啡")
_SITE_M = 340.0
_HUBS, _ROUNDS = 6, 40


class Places:
    """Rooms (node indices) by use, and rows of the walking graph for gates, outdoors, roads and bays (park metres)."""

    def __init__(self, points: PointTable, graph: SceneGraph, walk: Walk, seed: int) -> None:
        self.people = Routes(walk, is_driving=False)
        self.roads = Routes(walk, is_driving=True)
        self._graph, c = graph, graph.columns
        node = np.asarray(walk.node)
        kinds = np.asarray(walk.kind).astype(str)
        self._row: dict[int, int] = {}
        for row in np.flatnonzero(node):
            if self.people.is_reachable(int(row)) and kinds[row] == "space":
                self._row.setdefault(int(node[row]), int(row))
        self.rooms: dict[str, list[int]] = {"work": [], "rest": [], "eat": []}
        self._weight: dict[str, list[float]] = {"work": [], "rest": [], "eat": []}
        for index in graph.of_kind("space"):
            use = _use(f"{c['name'][index]} {c['name_zh'][index]} {c['cls'][index]}".lower())
            if use and int(index) in self._row:
                area = float(c["area"][index])
                self.rooms[use].append(int(index))
                self._weight[use].append(min(area, 160.0) if area == area else 20.0)
        self._building = {r: graph.ancestor(r, "building") for rooms in self.rooms.values() for r in rooms}
        self._by_building: dict[int, list[int]] = {}
        for room in self.rooms["work"]:
            self._by_building.setdefault(self._building[room], []).append(room)
        pick = np.random.default_rng(seed)
        self._hubs = {b: [rooms[k] for k in pick.permutation(len(rooms))[:_HUBS]] for b, rooms in self._by_building.items()}
        self._node_of_row = {row: n for n, row in self._row.items()}
        self._outside(points, kinds, seed)

    @property
    def is_usable(self) -> bool:
        """Whether there is anywhere to come from and to go to."""
        return bool(self.rooms["work"]) and len(self.gates) > 0

    def _outside(self, points: PointTable, kinds: NDArray, seed: int) -> None:
        gates = [np.array(d.at) for k, d in enumerate(points.devices) if points.kind[k].id == "gate" and d.at]
        self.gates = sorted({self.people.nearest(g) for g in gates} - {-1})
        middle = np.mean(gates, axis=0) if gates else np.zeros(3)
        lots = [np.array(d.at) for k, d in enumerate(points.devices) if points.kind[k].id == "parking" and d.at]
        if lots:
            middle = np.mean([middle, *lots], axis=0)
        near = np.hypot(*(self.people.xyz - middle)[:, :2].T) < _SITE_M
        is_out = np.isin(kinds, ("road", "entrance")) & near
        self.outdoor = np.array([r for r in np.flatnonzero(is_out) if self.people.is_reachable(int(r))], np.int64)
        self.outdoor = np.random.default_rng(seed).permutation(self.outdoor)[:_ROUNDS]
        if not len(self.outdoor):
            self.outdoor = np.array(self.gates, np.int64)
        main = self.roads.main
        self.road_rows = main[near[main]] if len(main) > 1 else np.zeros(0, np.int64)
        self.road_gates = sorted({self.roads.nearest(g) for g in gates} - {-1}) if len(main) > 1 else []
        bays = [lot + np.array([dx, dy, -lot[2]]) for lot in lots for dy in (-8.0, 8.0) for dx in np.arange(-24.0, 25.0, 5.4)]
        order = np.random.default_rng(seed).permutation(len(bays))
        self.bays = [bays[k] for k in order]

    def row(self, room: int) -> int:
        """The graph's point of a room."""
        return self._row[room]

    def draw(self, use: str, chance: np.random.Generator) -> int:
        """A room of a use, larger ones more often."""
        weight = np.array(self._weight[use])
        return int(self.rooms[use][int(chance.choice(len(weight), p=weight / weight.sum()))])

    def neighbour(self, row: int, chance: np.random.Generator) -> int:
        """One of the rooms where people of a building meet; from outdoors any workroom."""
        room = self._node_of_row.get(row, 0)
        rooms = self._hubs.get(self._building.get(room, 0)) or self.rooms["work"]
        return int(rooms[int(chance.integers(len(rooms)))])

    def seat(self, room: int, chance: np.random.Generator) -> NDArray[np.float64]:
        """A spot in a room: park metres, within the inner part of its box round the graph's point."""
        box = self._graph.columns["bbox"][room]
        point = self.people.xyz[self.row(room)]
        half = np.minimum(np.minimum(point[:2] - box[:2], box[3:5] - point[:2]), 7.0)
        spread = np.maximum(half - 0.6, 0.0) * chance.uniform(-0.85, 0.85, 2)
        return np.array([point[0] + spread[0], point[1] + spread[1], point[2]])


def _use(text: str) -> str:
    if any(word in text for word in _REST):
        return "rest"
    if any(word in text for word in _EAT):
        return "eat"
    return "" if any(word in text for word in _CLOSED) else "work"
