"""What a browser looks at: the slots of everything under a node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.graph import SceneGraph
from twin.registry import PointTable

MOST_KEPT = 256


class Sight:
    """Slots under nodes, worked out when a node is first looked at.

    Args:
        graph: the compiled park.
        points: its points.
    """

    def __init__(self, graph: SceneGraph, points: PointTable) -> None:
        self._graph, self._points = graph, points
        self._node = np.array([graph.index(points.home.get(device.id) or device.id) for device in points.devices], np.int64)
        self._kept: dict[str, NDArray[np.bool_]] = {}

    def of(self, node: str) -> NDArray[np.bool_]:
        """bool[slots]: whether a slot's device is the node or under it."""
        found = self._kept.get(node)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[node] = self._under(self._graph.index(node))[self._points.device]
        return found

    def _under(self, index: int) -> NDArray[np.bool_]:
        at = self._node.copy()
        found = np.zeros(len(at), np.bool_)
        while index and at.any():
            found |= at == index
            at = self._graph.parent[at].astype(np.int64)
        return found
