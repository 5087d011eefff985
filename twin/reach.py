"""What is near on foot: devices and people by walking distance through doors and stairs, not by the crow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.walk import WalkGraph

_KEPT = 8
#: devices hang above the floor people walk on, metres
_HANGS_M = 1.2


@dataclass(frozen=True, slots=True)
class Near:
    """A device and the metres walked to it; inf where no way is known."""

    device: str
    metres: float


class Reach:
    """Answers of one compiled park. One thread uses it.

    Args:
        graph, points, walk: of the park; a walk without points knows no ways (distances are inf).
    """

    def __init__(self, graph: SceneGraph, points: PointTable, walk: WalkGraph) -> None:
        self.graph, self.points, self.walk = graph, points, walk
        self._metres: OrderedDict[int, NDArray[np.float64]] = OrderedDict()
        self._rows: dict[int, int] = {}

    def row(self, node: int) -> int:
        """The walking graph's point of a node: its room's, else the nearest to where it is; -1 without a graph."""
        if node not in self._rows:
            self._rows[node] = self._find(node)
        return self._rows[node]

    def at(self, node: int) -> NDArray[np.float64]:
        """Where one stands at a node: park metres (3,)."""
        row = self.row(node)
        return self.walk.xyz[row] if row >= 0 else np.asarray(self.graph.columns["anchor"][node], np.float64)

    def devices(self, node: int, kind: str, where: str, *, count: int = 0, besides: str = "") -> list[Near]:
        """Devices of a kind by their relation to a node, the nearest on foot first.

        Args:
            where: device, storey, building, park or nearest (the whole park, cut by `count`).
            count: at most so many; 0 is all.
            besides: a device that is not meant (the one that raised the alarm).
        """
        scope = self.graph.ancestor(node, where) if where in ("storey", "building") else 0
        if where in ("storey", "building") and not scope:
            return []
        found = []
        metres = self.metres_to(node)
        for index, device in enumerate(self.points.devices):
            at = self.graph.index(device.id)
            if self.points.kind[index].id != kind or not at or (device.id == besides) != (where == "device"):
                continue
            if scope and self.graph.ancestor(at, where) != scope:
                continue
            row = self.row(at)
            found.append(Near(device.id, float(metres[row]) if row >= 0 else np.inf))
        found.sort(key=lambda near: (near.metres, near.device))
        return found[:count] if count else found

    def people(self, node: int, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 (k,) metres walked from places (k, 3) to a node."""
        if not len(self.walk) or not len(xyz):
            return np.full(len(xyz), np.inf)
        return np.asarray(self.metres_to(node)[self.walk.nearest(xyz)], np.float64)

    def way(self, xyz: NDArray[np.float64], node: int) -> tuple[list[tuple[float, float, float]], float] | None:
        """The way from a place to a node, both ends included, and its metres; None where there is none."""
        if not len(self.walk):
            return None
        rows = self.walk.route_rows(int(self.walk.nearest(xyz)), self.row(node))
        if rows is None:
            return None
        line = np.vstack([np.asarray(xyz, np.float64)[None, :], self.walk.xyz[rows]])
        metres = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
        return [(round(float(x), 2), round(float(y), 2), round(float(z), 2)) for x, y, z in line], metres

    def metres_to(self, node: int) -> NDArray[np.float64]:
        """float64 (n,) metres from every point of the walking graph to a node."""
        row = self.row(node)
        if row < 0:
            return np.zeros(0)
        if row not in self._metres:
            self._metres[row] = self.walk.distances(np.array([row]))
            if len(self._metres) > _KEPT:
                self._metres.popitem(last=False)
        return self._metres[row]

    def _find(self, node: int) -> int:
        if not len(self.walk):
            return -1
        anchor = np.asarray(self.graph.columns["anchor"][node], np.float64)
        space = self.graph.ancestor(node, "space")
        inside: Sequence[int] = self.walk.points_of(space).tolist() if space else []
        rows = [row for row in inside if self.walk.kind[row] == "space"] or list(inside)
        if rows:
            gaps = np.linalg.norm(self.walk.xyz[rows] - anchor, axis=1)
            return int(rows[int(gaps.argmin())])
        return int(self.walk.nearest(anchor - [0.0, 0.0, _HANGS_M]))
