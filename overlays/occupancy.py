"""People in rooms, storeys and buildings, counted from the tracks that are present."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overlays.overlay import Moment, Overlay, Paint
from overlays.sums import ancestors, scope_nodes
from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.wire import Channel


def prepare(graph: SceneGraph, points: PointTable) -> Paint:
    """People in every park, building, storey and space; a node nobody is in has 0, not NaN."""
    nodes = scope_nodes(graph)
    above = ancestors(graph)[nodes].tocsr()
    numbers = nodes.astype(np.uint32)

    def paint(moment: Moment) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        inside = moment.track_node[moment.track_node < graph.size]
        return numbers, (above @ np.bincount(inside, minlength=graph.size)).astype(np.float32)

    return paint


OVERLAYS = (
    Overlay(channel=Channel.OCCUPANCY, name="People", name_zh="人数", unit="",
            breaks=(0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0), prepare=prepare),
)
