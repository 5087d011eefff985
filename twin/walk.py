"""The walking graph of a park: where people can go, through which doors, and the shortest way between two places."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # slow to load, and not all who open a park look for ways
    from scipy.sparse import csr_matrix
    from scipy.spatial import cKDTree

NODE_KINDS = ("space", "door", "entrance", "stair", "lift", "road")
EDGE_KINDS = ("walk", "door", "stair", "ramp", "lift", "road")


class WalkGraph:
    """Points people pass and the ways between them, both directions alike.

    Args:
        xyz: float64 (n, 3) park metres, at floor height.
        node: uint32 (n,) scene node of the room (or door, stair, lift, road) a point is in; 0 outside.
        kind: text (n,), one of NODE_KINDS.
        edge: int32 (m, 2) rows of points joined.
        length: float64 (m,) metres.
        edge_kind: text (m,), one of EDGE_KINDS.
    """

    def __init__(
        self,
        xyz: NDArray[np.float64],
        node: NDArray[np.uint32],
        kind: NDArray[np.object_],
        edge: NDArray[np.int32],
        length: NDArray[np.float64],
        edge_kind: NDArray[np.object_],
    ) -> None:
        self.xyz = np.asarray(xyz, dtype=np.float64).reshape(-1, 3)
        self.node, self.kind = node, kind
        self.edge = np.asarray(edge, dtype=np.int32).reshape(-1, 2)
        self.length, self.edge_kind = length, edge_kind

    def __len__(self) -> int:
        return len(self.xyz)

    @cached_property
    def _matrix(self) -> csr_matrix:
        from scipy.sparse import csr_matrix

        # coo sums repeated pairs, which would lengthen a way walked twice: keep the shortest of each pair
        low, high = self.edge.min(axis=1), self.edge.max(axis=1)
        order = np.lexsort((self.length, high, low))
        first = np.ones(len(order), dtype=bool)
        first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
        keep = order[first]
        length = np.maximum(self.length[keep], 1e-6)
        return csr_matrix((length, (low[keep], high[keep])), shape=(len(self), len(self)))

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.xyz)

    @cached_property
    def component(self) -> NDArray[np.int32]:
        """int32 (n,) which connected part each point is in."""
        from scipy.sparse.csgraph import connected_components

        return connected_components(self._matrix, directed=False)[1]

    def points_of(self, node: int) -> NDArray[np.intp]:
        """Rows of the points in a room (or of a door)."""
        return np.flatnonzero(self.node == node)

    def nearest(self, xyz: NDArray[np.float64]) -> NDArray[np.intp]:
        """Rows of the points nearest to positions (k, 3) or (3,), park metres."""
        return np.asarray(self._tree.query(xyz)[1], dtype=np.intp)

    def route(self, start: int, end: int) -> NDArray[np.float64] | None:
        """float64 (k, 3) polyline of the shortest way between two points by row, ends included; None for no way."""
        rows = self.route_rows(start, end)
        return None if rows is None else self.xyz[rows]

    def route_rows(self, start: int, end: int) -> list[int] | None:
        """Rows passed on the shortest way, ends included; None where there is none."""
        if start == end:
            return [int(start)]
        before = self._shortest(int(end), return_predecessors=True)[1]
        if before[start] < 0:
            return None
        rows = [int(start)]
        while rows[-1] != end:
            rows.append(int(before[rows[-1]]))
        return rows

    def without(self, *kinds: str) -> WalkGraph:
        """The same points with no ways of some kinds."""
        keep = ~np.isin(self.edge_kind, kinds)
        return WalkGraph(self.xyz, self.node, self.kind, self.edge[keep], self.length[keep], self.edge_kind[keep])

    def ways_to(self, ends: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Metres (n,) from every point to the nearest of `ends` (inf: none), and the next row (n,) on it (negative: none)."""
        metres, after, _ = self._shortest(ends, return_predecessors=True, min_only=True)
        return metres, after

    def distances(self, starts: NDArray[np.intp]) -> NDArray[np.float64]:
        """float64 (n,) metres from every point to the nearest of `starts`; inf where there is no way."""
        return self._shortest(starts, min_only=True)

    def _shortest(self, ends: int | NDArray[np.intp], **wanted: bool) -> Any:
        from scipy.sparse.csgraph import dijkstra

        return dijkstra(self._matrix, directed=False, indices=ends, **wanted)
