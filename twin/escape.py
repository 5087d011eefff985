"""Ways out of a storey on foot: down stairs, never by lift, not through rooms on fire, to the building's own entrances."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from twin.graph import SceneGraph
from twin.walk import WalkGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One room's shortest way out. `xyz` float64 (k, 3) park metres, the room's point first, the entrance last."""

    room: int
    exit: int
    metres: float
    xyz: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Escape:
    """Ways out of the rooms of one storey, and the rooms from which there is none."""

    ways: tuple[Way, ...]
    shut: tuple[int, ...]


def escape(walk: WalkGraph, graph: SceneGraph, storey: int, burning: Collection[int]) -> Escape:
    """The shortest way out of every room of a storey.

    Nobody is led through a burning room; those in one are led out of it by the door that is best then.

    Args:
        storey: node of the storey.
        burning: nodes of rooms on fire.
    """
    building = graph.ancestor(storey, "building")
    exits = [int(row) for row in np.flatnonzero(walk.kind == "entrance")
             if building and graph.ancestor(int(walk.node[row]), "building") == building]
    rooms = [int(node) for node in graph.subtree(storey) if graph.columns["kind"][node] == "space"]
    rows = {room: [row for row in walk.points_of(room) if walk.kind[row] == "space"] for room in rooms}
    walked = {room: at for room, at in rows.items() if at}
    if not exits:
        return Escape(ways=(), shut=tuple(walked))
    is_fire = np.isin(walk.node, list(burning))
    is_open = (walk.edge_kind != "lift") & ~is_fire[walk.edge].any(axis=1)
    metres, before = _to(exits, walk, is_open)
    ways, shut = [], []
    for room, at in walked.items():
        nearest = at[int(metres[at].argmin())]
        length, path = _out_of(walk, at, metres, is_fire) if room in burning else (float(metres[nearest]), [nearest])
        if not np.isfinite(length):
            shut.append(room)
            continue
        while before[path[-1]] >= 0:
            path.append(int(before[path[-1]]))
        ways.append(Way(room=room, exit=int(walk.node[path[-1]]), metres=length, xyz=walk.xyz[path]))
    return Escape(ways=tuple(ways), shut=tuple(shut))


def _to(exits: list[int], walk: WalkGraph, is_open: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Metres from every point to the nearest exit and the next point on the way; the shorter of two edges counts."""
    edge, length = np.sort(walk.edge[is_open], axis=1), np.maximum(walk.length[is_open], 1e-6)
    order = np.lexsort((length, edge[:, 1], edge[:, 0]))
    first = order[np.unique(edge[order], axis=0, return_index=True)[1]] if len(order) else order
    matrix = csr_matrix((length[first], (edge[first, 0], edge[first, 1])), shape=(len(walk), len(walk)))
    metres, before, _ = dijkstra(matrix, directed=False, indices=exits, return_predecessors=True, min_only=True)
    return metres, before


def _out_of(walk: WalkGraph, inside: list[int], metres: NDArray[np.float64],
            is_fire: NDArray[np.bool_]) -> tuple[float, list[int]]:
    """Out of a burning room: its point, the best point next to the room, and the metres of the whole way."""
    best: tuple[float, list[int]] = (np.inf, [])
    for a, b in ((walk.edge[:, 0], walk.edge[:, 1]), (walk.edge[:, 1], walk.edge[:, 0])):
        for row in np.flatnonzero(np.isin(walk.node[a], walk.node[inside]) & ~is_fire[b] & (walk.edge_kind != "lift")):
            start = min(inside, key=lambda at: float(np.linalg.norm(walk.xyz[at] - walk.xyz[b[row]])))
            gap = float(np.linalg.norm(walk.xyz[start] - walk.xyz[b[row]]))
            if gap + metres[b[row]] < best[0]:
                best = (gap + float(metres[b[row]]), [start, int(b[row])])
    return best
