"""What feeds what, which places that serves, and which systems things belong to.

A device and the element it is bound to are one thing here: what flows into the element flows into the device.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twin.graph import SceneGraph

#: Kinds of nodes that are served; devices and elements are fed.
PLACES = frozenset({"park", "zone", "building", "storey", "space", "feature"})


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Things that belong together without being in one another: an IFC system, zone or group. Nodes by dense index."""

    id: str
    kind: str
    name: str
    cls: str = ""
    members: tuple[int, ...] = ()
    serves: tuple[int, ...] = ()


class Supply:
    """Answers over the edges of supply of a park. Nodes are dense indices; answers are in a fixed order without repeats.

    Args:
        graph: the nodes.
        edges: (what feeds, what is fed).
        systems: what things belong to.
    """

    def __init__(self, graph: SceneGraph, edges: Iterable[tuple[int, int]], systems: Sequence[System] = ()) -> None:
        self._graph, self._element = graph, graph.columns["element"]
        self._devices = defaultdict[int, list[int]](list)
        for device in graph.of_kind("device").tolist():
            if self._element[device]:
                self._devices[int(self._element[device])].append(device)
        self._out, self._in = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for a, b in sorted({(self._one(a), self._one(b)) for a, b in edges if a and b}):
            if a != b:
                self._out[a].append(b)
                self._in[b].append(a)
        self.systems = {system.id: system for system in systems}
        self._of, self._serving = defaultdict[int, list[str]](list), defaultdict[int, list[str]](list)
        for system in systems:
            for member in {self._one(m) for m in system.members}:
                self._of[member].append(system.id)
            for place in system.serves:
                self._serving[place].append(system.id)

    def feeds(self, node: int, *, deep: bool = False) -> list[int]:
        """What a node supplies; `deep`: and what that supplies, and so on, nearest first."""
        return self._things(self._walk([self._one(node)], self._out, deep))

    def fed_by(self, node: int, *, deep: bool = False) -> list[int]:
        """What supplies a node; `deep`: and what supplies that, and so on, nearest first."""
        return self._things(self._walk([self._one(node)], self._in, deep))

    def systems_of(self, node: int) -> list[System]:
        """The systems, zones and groups a node belongs to."""
        return [self.systems[i] for i in self._of.get(self._one(node), ())]

    def members(self, system: str) -> list[int]:
        """What belongs to a system; nothing where there is none of that id."""
        return self._things(sorted({self._one(m) for m in self.systems[system].members})) if system in self.systems else []

    def serves(self, node: int) -> list[int]:
        """Places supplied by a node, in however many steps, and places served by the systems it belongs to."""
        declared = [place for system in self.systems_of(node) for place in system.serves]
        return self._only_places([*self._walk([self._one(node)], self._out, True), *declared])

    def serves_of(self, system: str) -> list[int]:
        """Places a system serves: those it is said to, and those its members supply."""
        found = self.systems.get(system)
        if found is None:
            return []
        return self._only_places([*found.serves, *self._walk([self._one(m) for m in found.members], self._out, True)])

    def served_by(self, node: int) -> tuple[list[int], list[str]]:
        """Nodes, and ids of systems, that supply a node or a place it is in; the nearest first."""
        found, systems = list[int](), list[str]()
        for here in self._graph.path(node)[::-1]:
            at = self._one(here)
            feeders = self._walk([at], self._in, True)
            named = self._serving.get(here, [])
            found += [*feeders, *(self._one(m) for i in named for m in self.systems[i].members)]
            is_place = self._graph.columns["kind"][here] in PLACES
            systems += [*named, *(i for one in feeders if is_place for i in self._of.get(one, ()))]
        things = [one for one in self._things(dict.fromkeys(found)) if one != node]
        return things, list(dict.fromkeys(systems))

    def _one(self, node: int) -> int:
        """A device's element where it has one: the two are one thing."""
        return int(self._element[node]) or int(node)

    def _things(self, ones: Iterable[int]) -> list[int]:
        """Devices where things have any, else the things themselves."""
        return list(dict.fromkeys(thing for one in ones for thing in self._devices.get(one) or [one]))

    def _walk(self, starts: Sequence[int], edges: Mapping[int, list[int]], deep: bool) -> list[int]:
        """What is reached from some nodes (themselves aside), breadth first."""
        seen, found, front = set(starts), list[int](), list(dict.fromkeys(starts))
        while front:
            reached = [b for a in front for b in edges.get(a, ())]
            front = [b for b in dict.fromkeys(reached) if b not in seen]
            found += front
            seen.update(front)
            if not deep:
                break
        return found

    def _only_places(self, nodes: Iterable[int]) -> list[int]:
        kind = self._graph.columns["kind"]
        return [node for node in dict.fromkeys(nodes) if kind[node] in PLACES]
