"""Temperature and CO₂ of rooms, and their means over storeys and buildings, from the sensors in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overlays.overlay import Moment, Overlay, Paint
from overlays.sums import scope_nodes, sums_below
from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.wire import Channel


def prepare_temperature(graph: SceneGraph, points: PointTable) -> Paint:
    """Mean °C of the sensors in each node."""
    return _mean_of("temp", graph, points)


def prepare_co2(graph: SceneGraph, points: PointTable) -> Paint:
    """Mean ppm of the sensors in each node."""
    return _mean_of("co2", graph, points)


def _mean_of(key: str, graph: SceneGraph, points: PointTable) -> Paint:
    sums = sums_below(graph, points, points.slots_of_key(key, {"env_sensor"}), scope_nodes(graph))
    nodes = sums.nodes.astype(np.uint32)

    def paint(moment: Moment) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        return nodes, sums.mean(moment).astype(np.float32)

    return paint


OVERLAYS = (
    Overlay(channel=Channel.TEMPERATURE, name="Temperature", name_zh="温度", unit="°C",
            breaks=(16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 32.0), prepare=prepare_temperature, reads=("temp",)),
    Overlay(channel=Channel.CO2, name="CO₂", name_zh="二氧化碳", unit="ppm",
            breaks=(400.0, 600.0, 800.0, 1000.0, 1200.0, 1500.0, 2000.0, 2500.0), prepare=prepare_co2, reads=("co2",)),
)
