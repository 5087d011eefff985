"""A small park with meters: graph, devices and readings made by hand."""

from __future__ import annotations

import numpy as np

from twin.graph import SceneGraph
from twin.packs import load_packs
from twin.registry import Device, PointTable

KINDS = load_packs().kinds
#: Place → (kind, parent, m²).
PLACES = {"park": ("park", "", 0.0), "b1": ("building", "park", 0.0), "b2": ("building", "park", 0.0),
          "b1s1": ("storey", "b1", 0.0), "b1s2": ("storey", "b1", 0.0), "r1": ("space", "b1s1", 100.0),
          "r2": ("space", "b1s1", 300.0), "r3": ("space", "b1s2", 200.0), "r4": ("space", "b2", 400.0)}


def graph_of(devices: dict[str, str]) -> SceneGraph:
    """The places, and devices (id → place) under them."""
    rows = [("", "none", "", 0.0), *((name, *row) for name, row in PLACES.items()),
            *((name, "device", place, 0.0) for name, place in devices.items())]
    index = {row[0]: k for k, row in enumerate(rows)}
    n = len(rows)
    return SceneGraph({
        "id": np.array([row[0] for row in rows], object), "kind": np.array([row[1] for row in rows], object),
        "parent": np.array([index.get(row[2], 0) for row in rows], np.uint32),
        "name": np.array([row[0] for row in rows], object), "name_zh": np.full(n, "", object),
        "area": np.array([row[3] or np.nan for row in rows])})


def areas_of(graph: SceneGraph) -> np.ndarray:
    """m² of every node: its rooms summed."""
    own = np.nan_to_num(graph.columns["area"])
    out = np.array([sum(own[k] for k in graph.subtree(node)) if node else 0.0 for node in range(graph.size)])
    return np.where(out > 0, out, np.nan)


def table_of(meters: dict[str, tuple[str, str]], kind: str = "meter") -> PointTable:
    """Meters: id → (place it stands in, what it feeds)."""
    return PointTable([Device(id=name, kind=kind, name=name, feeds=feeds, line=k + 2)
                       for k, (name, (_, feeds)) in enumerate(meters.items())], KINDS)
