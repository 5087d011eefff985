"""Ways through the park: shortest paths on the walking graph for people, on its roads for vehicles; trees are kept."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree


class Walk(Protocol):
    """What is needed of `twin.walk.WalkGraph`: points (park metres), the node each is in, and edges with a kind."""

    xyz: NDArray[np.float64]
    node: NDArray[np.uint32]
    kind: NDArray[np.object_]
    edge: NDArray[np.int32]
    length: NDArray[np.float64]
    edge_kind: NDArray[np.object_]


_PEOPLE_COST = {"road": 2.5, "stair": 1.5, "lift": 0.8}


class Routes:
    """Shortest ways between rows of a walking graph.

    Args:
        walk: the graph.
        is_driving: take road edges only; else all, with roads disliked.
    """

    def __init__(self, walk: Walk, *, is_driving: bool) -> None:
        self.xyz = np.asarray(walk.xyz, np.float64)
        kind = np.asarray(walk.edge_kind).astype(str)
        use = kind == "road" if is_driving else np.ones(len(kind), bool)
        edge = np.asarray(walk.edge)[use]
        cost = np.asarray(walk.length, np.float64)[use].copy()
        if not is_driving:
            for name, factor in _PEOPLE_COST.items():
                cost[kind[use] == name] *= factor
        n = len(self.xyz)
        low, high = (edge.min(axis=1), edge.max(axis=1)) if len(edge) else (np.zeros(0, int), np.zeros(0, int))
        order = np.lexsort((cost, high, low))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
        keep = order[first]
        self._matrix = csr_matrix((np.maximum(cost[keep], 1e-3), (low[keep], high[keep])), shape=(n, n))
        self._matrix = (self._matrix + self._matrix.T).tocsr()  # both ways once, not at every question
        part = connected_components(self._matrix, directed=False)[1]
        sizes = np.bincount(part) if n else np.zeros(1, int)
        self.main = np.flatnonzero(part == sizes.argmax()) if n else np.zeros(0, int)
        self._tree = cKDTree(self.xyz[self.main]) if len(self.main) else None
        self._in_main = np.zeros(n, bool)
        self._in_main[self.main] = True
        self._before: dict[int, NDArray[np.int32]] = {}

    def is_reachable(self, row: int) -> bool:
        """Whether a row belongs to the largest connected part."""
        return bool(self._in_main[row])

    def nearest(self, xyz: tuple[float, float, float] | NDArray[np.float64]) -> int:
        """The row of the connected part nearest to a place; -1 where there is none."""
        return -1 if self._tree is None else int(self.main[self._tree.query(np.asarray(xyz, np.float64))[1]])

    def way(self, start: int, end: int) -> NDArray[np.float64] | None:
        """float64 (k, 3) from start to end, both included; None where there is no way."""
        if start == end:
            return self.xyz[[start]]
        flip = start in self._before and end not in self._before
        root, leaf = (start, end) if flip else (end, start)
        if root not in self._before:
            self._before[root] = dijkstra(self._matrix, directed=True, indices=root, return_predecessors=True)[1].astype(
                np.int32
            )
        before, rows = self._before[root], [leaf]
        while rows[-1] != root:
            step = int(before[rows[-1]])
            if step < 0:
                return None
            rows.append(step)
        return self.xyz[rows[::-1] if flip else rows]
