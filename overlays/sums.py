"""Sums up the tree as sparse matrices, made once a park: slots → nodes, tracks → nodes, areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from overlays.overlay import SCOPES, Moment
from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.wire import Quality


def good(moment: Moment, slots: NDArray[np.integer]) -> NDArray[np.float64]:
    """Values of slots, NaN where they cannot be trusted (bad, stale or never)."""
    return np.where(moment.quality[slots] <= Quality.UNCERTAIN, moment.value[slots], np.nan)


def scope_nodes(graph: SceneGraph, kinds: tuple[str, ...] = SCOPES) -> NDArray[np.int64]:
    """Dense indices of the nodes figures are made for, ascending."""
    return np.flatnonzero(np.isin(graph.columns["kind"], kinds)).astype(np.int64)


def ancestors(graph: SceneGraph) -> sparse.csr_matrix:
    """(n+1)×(n+1) matrix with 1 where the row node is the column node or above it."""
    parent = graph.columns["parent"].astype(np.int64)
    here = np.arange(graph.size)
    rows, columns, level = [], [], here
    while np.any(level):
        live = level > 0
        rows.append(level[live])
        columns.append(here[live])
        level = parent[level]
    index = (np.concatenate(rows or [here[:0]]), np.concatenate(columns or [here[:0]]))
    return sparse.csr_matrix((np.ones(len(index[0]), np.float32), index), shape=(graph.size, graph.size))


def device_nodes(graph: SceneGraph, points: PointTable) -> NDArray[np.int64]:
    """Node of each device of the table; 0 for one the build left out."""
    return np.array([graph.index(device.id) for device in points.devices], np.int64)


def areas(graph: SceneGraph) -> NDArray[np.float64]:
    """Floor area of every node (m²): what of it has rooms by its rooms, and buildings without any by their own area.

    A node with neither keeps its own area, or NaN.
    """
    own, kind = graph.columns["area"].astype(np.float64), graph.columns["kind"]
    within = ancestors(graph)
    rooms = np.where((kind == "space") & (own > 0), own, 0.0)
    bare = np.where((kind == "building") & (own > 0) & ~(within @ rooms > 0), own, 0.0)
    total = within @ (rooms + bare)
    return np.where(total > 0, total, np.where(own > 0, own, np.nan))


@dataclass(frozen=True, slots=True)
class Sums:
    """Which slots add up to a node: `matrix` (nodes × slots given), so that unknown parts are told from zero."""

    nodes: NDArray[np.int64]
    slots: NDArray[np.int64]
    matrix: sparse.csr_matrix

    def total(self, moment: Moment, scale: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Sum a node, of what is known; NaN where nothing is. `scale` multiplies each slot."""
        value = good(moment, self.slots)
        known = np.isfinite(value)
        value = np.where(known, value, 0.0) * (1.0 if scale is None else scale)
        return np.where(self.matrix @ known.astype(np.float64) > 0, self.matrix @ value, np.nan)

    def mean(self, moment: Moment) -> NDArray[np.float64]:
        """Mean a node of what is known; NaN where nothing is."""
        value = good(moment, self.slots)
        known = np.isfinite(value)
        count = self.matrix @ known.astype(np.float64)
        return np.where(count > 0, self.matrix @ np.where(known, value, 0.0) / np.maximum(count, 1.0), np.nan)


def sums_below(graph: SceneGraph, points: PointTable, slots: NDArray[np.int64], nodes: NDArray[np.int64]) -> Sums:
    """Every slot counts for its device's node and all above."""
    at = device_nodes(graph, points)[points.device[slots]] if len(slots) else np.zeros(0, np.int64)
    keep = at > 0
    slots, at = slots[keep], at[keep]
    return Sums(nodes, slots, ancestors(graph)[nodes][:, at].tocsr())
