"""Cards that device kinds declare in their packs, as figures over the park's nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overlays.overlay import Moment
from overlays.sums import sums_below
from twin.graph import SceneGraph
from twin.packs import DeviceKind, KpiSpec
from twin.registry import PointTable


@dataclass(frozen=True, slots=True)
class Card:
    """How one figure is called and written."""

    key: str
    name: str
    name_zh: str
    unit: str
    digits: int


Figure = Callable[[Moment], NDArray[np.float64]]


def pack_cards(graph: SceneGraph, points: PointTable, nodes: NDArray[np.int64]) -> list[tuple[Card, Figure]]:
    """A card for every KPI of a kind in use, with its figure a node; NaN where no such device is heard of."""
    kinds = {kind.id: kind for kind in points.kind}
    return [(_card(kind, spec), _figure(kind, spec, graph, points, nodes))
            for kind in kinds.values() for spec in kind.kpis]


def _card(kind: DeviceKind, spec: KpiSpec) -> Card:
    point = kind.point(spec.point)
    unit = "%" if spec.how == "share" else point.unit if point else ""
    return Card(f"{kind.id}.{spec.key}", spec.name, spec.name_zh, unit, spec.digits)


def _figure(kind: DeviceKind, spec: KpiSpec, graph: SceneGraph, points: PointTable, nodes: NDArray[np.int64]) -> Figure:
    sums = sums_below(graph, points, points.slots_of_key(spec.point, {kind.id}), nodes)
    if spec.how == "sum":
        return sums.total
    if spec.how == "mean":
        return sums.mean
    point = kind.point(spec.point)
    wanted = point.number_of(spec.state or "") if point else np.nan

    def share(moment: Moment) -> NDArray[np.float64]:
        is_so = Moment(time=moment.time, value=np.where(np.isnan(moment.value), np.nan, moment.value == wanted) * 100.0,
                       quality=moment.quality, track_node=moment.track_node)
        return sums.mean(is_so)

    return share
