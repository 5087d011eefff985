"""Overlays that device kinds declare in their packs: a point of the kind, joined over rooms, storeys and buildings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overlays.overlay import Moment, Overlay, Paint
from overlays.sums import scope_nodes, sums_below
from twin.graph import SceneGraph
from twin.packs import DeviceKind, OverlaySpec
from twin.registry import PointTable

#: Channels below are the modules' own (`twin.wire.Channel`); packs count on from here, kinds in order of their ids.
FIRST_CHANNEL = 64


def overlays_of(points: PointTable) -> list[Overlay]:
    """An overlay for each kind in use that declares one."""
    kinds = {kind.id: kind for kind in points.kind if kind.overlay is not None}
    return [_overlay(FIRST_CHANNEL + k, kinds[key]) for k, key in enumerate(sorted(kinds))]


def _overlay(channel: int, kind: DeviceKind) -> Overlay:
    declared = kind.overlay
    assert declared is not None
    point = kind.point(declared.point)
    assert point is not None

    def prepare(graph: SceneGraph, points: PointTable) -> Paint:
        return _paint(kind.id, declared, graph, points)

    return Overlay(channel=channel, name=f"{kind.name}: {point.name}", name_zh=f"{kind.name_zh}：{point.name_zh}",
                   unit=point.unit, breaks=declared.breaks, prepare=prepare, reads=(declared.point,))


def _paint(kind: str, declared: OverlaySpec, graph: SceneGraph, points: PointTable) -> Paint:
    sums = sums_below(graph, points, points.slots_of_key(declared.point, {kind}), scope_nodes(graph))
    nodes = sums.nodes.astype(np.uint32)

    def paint(moment: Moment) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        value = sums.total(moment) if declared.how == "sum" else sums.mean(moment)
        return nodes, value.astype(np.float32)

    return paint
