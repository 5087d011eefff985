"""A walking graph while it is being put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.rows import Point
from twin.walk import WalkGraph


@dataclass(frozen=True, slots=True, eq=False)
class WalkPiece:
    """A part of the graph in rows of its own, whose points say what they stand for by numbers of its own.

    Args:
        doors: rows of its entrances.
    """

    xyz: list[Point]
    number: list[int]
    kind: list[str]
    edge: list[tuple[int, int]]
    edge_kind: list[str]
    doors: list[int]


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

    def piece(self, doors: list[int]) -> WalkPiece:
        """All of it, as a piece of a larger graph."""
        return WalkPiece(self.xyz, self._node, self._kind, self._edge, self._edge_kind, doors)

    def add(self, piece: WalkPiece, nodes: NDArray[np.uint32], at: tuple[float, float] = (0.0, 0.0)) -> list[int]:
        """Add a piece; returns the rows of its entrances.

        Args:
            nodes: uint32 (k,) the node of each of its numbers.
            at: where its origin lies, park metres.
        """
        first = len(self.xyz)
        self.xyz += [(x + at[0], y + at[1], z) for x, y, z in piece.xyz]
        self._node += nodes[piece.number].tolist() if piece.number else []
        self._kind += piece.kind
        self._edge += [(a + first, b + first) for a, b in piece.edge]
        self._edge_kind += piece.edge_kind
        return [row + first for row in piece.doors]

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
