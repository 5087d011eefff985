"""Shortest ways between things of a park: from a node to the points where one stands at it, and on from there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.graph import SceneGraph
from twin.walk import WalkGraph

#: Devices hang above the floor people walk on, metres.
HANGS_M = 1.2
OUTSIDE = ("road", "entrance")
Spot = tuple[int, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A way: metres, xyz float64 (k, 3) and the node (k,) each of its points is in."""

    metres: float
    xyz: NDArray[np.float64]
    nodes: NDArray[np.uint32]


class Ways:
    """Ways over the walking graph of a park.

    A *spot* is a node (0 for a bare point) and where it is, park metres.
    """

    def __init__(self, graph: SceneGraph, walk: WalkGraph) -> None:
        self.graph, self.walk = graph, walk

    def rows(self, spot: Spot) -> NDArray[np.intp]:
        """Rows of the walking graph where one stands at a spot; empty where there is no graph.

        A room: the point nearest to the middle of the room, or to the thing in it. A building: its entrances. Outdoors:
        the nearest path or entrance, never a room behind a wall.
        """
        node, at = spot
        if not len(self.walk):
            return np.zeros(0, np.intp)
        if not node:
            return np.atleast_1d(self.walk.nearest(at))
        anchor = np.asarray(self.graph.columns["anchor"][node], np.float64)
        room, building = self.graph.ancestor(node, "space"), self.graph.ancestor(node, "building")
        inside = self.walk.points_of(room) if room else np.zeros(0, np.intp)
        inside = inside[self.walk.kind[inside] == "space"] if (self.walk.kind[inside] == "space").any() else inside
        if len(inside):
            return inside[[int(np.linalg.norm(self.walk.xyz[inside] - anchor, axis=1).argmin())]]
        if building == node and building in self._entrances:
            return self._entrances[building]
        if building in self._entrances and building != node:
            return np.atleast_1d(self.walk.nearest(anchor - [0.0, 0.0, HANGS_M]))
        rows, tree = self._outdoors
        return rows[[int(tree.query(anchor[:2])[1])]] if tree is not None else np.atleast_1d(self.walk.nearest(anchor))

    def between(self, start: Spot, end: Spot, *, with_stairs: bool = True) -> Found | None:
        """The shortest way between two spots; None where there is none."""
        a, b = self.rows(start), self.rows(end)
        if not len(a) or not len(b):
            return None
        metres, after = (self.walk if with_stairs else self._stepless).ways_to(b)
        row = int(a[int(metres[a].argmin())])
        if not np.isfinite(metres[row]):
            return None
        rows = [row]
        while after[rows[-1]] >= 0:
            rows.append(int(after[rows[-1]]))
        return Found(float(metres[row]), self.walk.xyz[rows], self.walk.node[rows])

    def metres(self, node: int, at: NDArray[np.float64], others: NDArray[np.intp]) -> NDArray[np.float64]:
        """float64 (n,) metres walked from a spot to each of other nodes; inf where there is no way."""
        rows = self.rows((node, at))
        if not len(rows) or not len(others):
            return np.full(len(others), np.inf)
        walked = self.walk.distances(rows)
        anchor = self.graph.columns["anchor"]
        return np.array([walked[self.rows((int(other), anchor[other]))].min() for other in others])

    @cached_property
    def _stepless(self) -> WalkGraph:
        return self.walk.without("stair")

    @cached_property
    def _entrances(self) -> dict[int, NDArray[np.intp]]:
        """Building → rows of its entrances."""
        found: dict[int, list[int]] = {}
        for row in np.flatnonzero(self.walk.kind == "entrance").tolist():
            found.setdefault(self.graph.ancestor(int(self.walk.node[row]), "building"), []).append(row)
        return {building: np.array(rows, np.intp) for building, rows in found.items() if building}

    @cached_property
    def _outdoors(self) -> tuple[NDArray[np.intp], cKDTree | None]:
        rows = np.flatnonzero(np.isin(self.walk.kind, OUTSIDE))
        return rows, cKDTree(self.walk.xyz[rows, :2]) if len(rows) else None
