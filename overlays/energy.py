"""Electric power density now: what is metered, where it is metered.

A node with meters of its own has their sum. One without has the sum of what is below it: its parts, and the devices
that measure their own power. A building's meter is never spread over its rooms: a room without any stays unknown.

A meter stands for what it supplies (`feeds`: a node id), else for where it is. What a meter feeds is not counted
twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from overlays.overlay import SCOPES, Moment, Overlay, Paint
from overlays.sums import Sums, areas, device_nodes, scope_nodes
from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.wire import Channel

OWN_POWER = frozenset({"lighting", "fcu", "ahu", "chiller", "cooling_tower", "pump", "charger"})


def prepare(graph: SceneGraph, points: PointTable) -> Paint:
    """W/m² of every park, building, storey and space."""
    sums = power_sums(graph, points)
    watts_per_kw_and_area = 1000.0 / areas(graph)[sums.nodes]
    nodes = sums.nodes.astype(np.uint32)

    def paint(moment: Moment) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        return nodes, (sums.total(moment) * watts_per_kw_and_area).astype(np.float32)

    return paint


def power_sums(graph: SceneGraph, points: PointTable, key: str = "power") -> Sums:
    """Which slots (`power` in kW or `energy` in kWh) add up to each scope node, by the rule above."""
    meter_kinds = {"meter"}
    meters = points.slots_of_key(key, meter_kinds)
    own = points.slots_of_key(key, set(OWN_POWER)) if key == "power" else np.zeros(0, np.int64)
    nodes = scope_nodes(graph)
    at = _supplied(graph, points)
    fed = {points.devices[i].feeds for i in set(points.device[meters].tolist())}
    own = np.array([slot for slot in own if points.devices[points.device[slot]].id not in fed], np.int64)
    metered: dict[int, list[int]] = {}
    loose: dict[int, list[int]] = {}
    for slot, table in [*((s, metered) for s in meters), *((s, loose) for s in own)]:
        node = int(at[points.device[slot]])
        if node:
            table.setdefault(node, []).append(int(slot))
    chosen = _chosen(graph, nodes, metered, loose)
    return _as_sums(nodes, chosen)


def _supplied(graph: SceneGraph, points: PointTable) -> NDArray[np.int64]:
    """The scope node each device counts for: what it feeds when that is one, else the one around it."""
    kind = graph.columns["kind"]
    found = np.zeros(len(points.devices), np.int64)
    for index, node in enumerate(device_nodes(graph, points)):
        fed = graph.index(points.devices[index].feeds) if points.kind[index].id == "meter" else 0
        here = fed if fed and kind[fed] in SCOPES else int(node)
        while here and kind[here] not in SCOPES:
            here = int(graph.parent[here])
        found[index] = here
    return found


def _chosen(graph: SceneGraph, nodes: NDArray[np.int64], metered: dict[int, list[int]],
            loose: dict[int, list[int]]) -> dict[int, list[int]]:
    """Slots of each node, from the leaves up: its meters, or else what its parts and loose devices give."""
    depth = {int(node): len(graph.path(int(node))) for node in nodes}
    below: dict[int, list[int]] = {}
    chosen: dict[int, list[int]] = {}
    for node in sorted(depth, key=lambda node: -depth[node]):
        chosen[node] = metered.get(node) or below.get(node, []) + loose.get(node, [])
        parent = int(graph.parent[node])
        below.setdefault(parent, []).extend(chosen[node])
    return chosen


def _as_sums(nodes: NDArray[np.int64], chosen: dict[int, list[int]]) -> Sums:
    slots = np.array(sorted({slot for parts in chosen.values() for slot in parts}), np.int64)
    rows = [row for row, node in enumerate(nodes) for _ in chosen[int(node)]]
    columns = np.searchsorted(slots, [slot for node in nodes for slot in chosen[int(node)]])
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(nodes), len(slots)))
    return Sums(nodes, slots, matrix)


OVERLAYS = (
    Overlay(channel=Channel.ENERGY, name="Power density", name_zh="用电功率密度", unit="W/m²",
            breaks=(0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0), prepare=prepare, reads=("power",)),
)
