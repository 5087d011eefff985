"""A walking graph while it is being put together."""

from __future__ import annotations

import numpy as np

from scenes.rows import Point
from twin.walk import WalkGraph


class WalkParts:
    """Points (park metres) and ways between them, in the order they are added."""

    def __init__(self) -> None:
        self.xyz: list[Point] = []
        self._node: list[int] = []
        self._kind: list[str] = []
        self._edge: list[tuple[int, int]] = []
        self._edge_kind: list[str] = []

    def add_point(self, xyz: Point, node: int, kind: str) -> int:
        """Add a point; returns its row."""
        self.xyz.append((float(xyz[0]), float(xyz[1]), float(xyz[2])))
        self._node.append(node)
        self._kind.append(kind)
        return len(self.xyz) - 1

    def join(self, a: int, b: int, kind: str) -> None:
        """Add a way between two rows; its length is the straight line."""
        if a != b:
            self._edge.append((a, b))
            self._edge_kind.append(kind)

    def set_kind(self, row: int, kind: str) -> None:
        """Name what a point is."""
        self._kind[row] = kind

    def graph(self) -> WalkGraph:
        """The graph as it stands."""
        xyz = np.array(self.xyz, dtype=np.float64).reshape(-1, 3)
        edge = np.array(self._edge, dtype=np.int32).reshape(-1, 2)
        length = np.linalg.norm(xyz[edge[:, 0]] - xyz[edge[:, 1]], axis=1)
        return WalkGraph(
            xyz,
            np.array(self._node, dtype=np.uint32),
            np.array(self._kind, dtype=object),
            edge,
            length,
            np.array(self._edge_kind, dtype=object),
        )
