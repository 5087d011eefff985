"""The graph of a compiled park put together for questions: nodes, registry, relations of the models, cameras, ways."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from scenes.open_park import CompiledPark
from scenes.relations import open_relations
from twin.park_graph import ParkGraph
from twin.seeing import Seeing
from twin.sight import areas_of, eyes_of
from twin.supply import Supply, System

#: Groups of a model that gather things one can point at; types, materials and classes are no systems.
_SYSTEMS = ("system", "zone", "group")


def open_park_graph(park: CompiledPark) -> ParkGraph:
    """What a compiled park can be asked (see `ParkGraph`)."""
    graph = park.graph
    return ParkGraph(graph, _supply(park),
                     Seeing(graph, lambda: areas_of(graph, park.spaces, park.site, park.outline),
                            lambda known: eyes_of(graph, park.points, known), park.outline), park.walk)


def _supply(park: CompiledPark) -> Supply:
    """Who feeds whom by the registry and by the flow between ports; systems with their members and places."""
    graph, relations = park.graph, open_relations(park.spec.build_dir)
    edges = [(graph.index(device.id), graph.index(device.feeds)) for device in park.points.devices if device.feeds]
    flows = relations.kind == "feeds"
    edges += zip(relations.a[flows].tolist(), relations.b[flows].tolist(), strict=True)
    members, serves = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for kind, a, b, group in zip(relations.kind, relations.a.tolist(), relations.b.tolist(), relations.group.tolist(),
                                 strict=True):
        if kind in _SYSTEMS and a:
            for whole in _wholes(relations.groups["parent"], group):
                members[whole].append(a)
        elif kind == "serves" and b:
            serves[group].append(b)
    groups = relations.groups
    systems = [System(id=str(groups["id"][g]), kind=str(groups["kind"][g]), name=str(groups["name"][g]),
                      cls=str(groups["cls"][g]), members=tuple(members[g]), serves=tuple(serves[g]))
               for g in range(1, len(groups["id"])) if groups["kind"][g] in _SYSTEMS]
    return Supply(graph, edges, systems)


def _wholes(parent: NDArray[np.uint32], group: int) -> list[int]:
    """A group and the groups it is a part of."""
    found: list[int] = []
    while group and group not in found:
        found.append(group)
        group = int(parent[group])
    return found
