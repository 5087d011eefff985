"""The meter tree of each medium: which meter's use is part of which other's.

A meter is under the meter that feeds it (`feeds`, also through devices between them, or `under` in energy.toml). Otherwise it
is under what supplies the nearest place around the one it supplies. Meters that supply one place together are one supply.
What is made here (PV) comes in under a supply beside what that counted: before the meter that a source feeds, behind the
supply of the place where it feeds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twin.energy.meters import Meter, feeders
from twin.energy.spec import FILE, EnergySpec
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.pack_spec import Medium
from twin.registry import PointTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """One node of the tree: `meters` (numbers) that together supply `node`; `parent` and `children` are supplies.

    `sources`: meters of what is made and comes in under it, counted by its children or what they supply, not by `meters`.
    """

    medium: Medium
    meters: tuple[int, ...]
    node: int
    parent: int = -1
    children: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterTree:
    """Every supply of every medium, parents before their children, and what did not hold together."""

    meters: tuple[Meter, ...]
    supplies: tuple[Supply, ...]
    findings: tuple[Finding, ...]

    def roots(self, medium: str) -> list[int]:
        """Supplies of a medium nothing is above of."""
        return [k for k, supply in enumerate(self.supplies) if supply.medium == medium and supply.parent < 0]


def meter_tree(meters: Sequence[Meter], points: PointTable, graph: SceneGraph, spec: EnergySpec) -> MeterTree:
    """The tree of a park's meters. Cycles and second parents are findings; the rest stands."""
    found: list[Finding] = []
    above = _above(meters, points, spec, found)
    _break_cycles(meters, above, found)
    node = _nodes(meters, above, graph)
    supplies = _grouped(meters, above, node)
    of_meter = {m: k for k, supply in enumerate(supplies) for m in supply.meters}
    parent = [of_meter[above[supply.meters[0]]] if supply.meters[0] in above else -1 for supply in supplies]
    at: dict[tuple[str, int], list[int]] = {}
    for k, supply in enumerate(supplies):
        if supply.node:
            at.setdefault((supply.medium, supply.node), []).append(k)
    for k, supply in enumerate(supplies):
        if parent[k] < 0 and supply.node:
            parent[k] = _around(k, supply, parent, at, graph)
    made: dict[int, list[int]] = {}
    fed = _fed(meters, points)
    for k, meter in enumerate(meters):
        if meter.is_source:
            under = parent[of_meter[fed[k]]] if k in fed else _furthest(meter.medium, graph.path(meter.node), parent, at)
            if under >= 0:
                made.setdefault(under, []).append(k)
    return MeterTree(tuple(meters), _ordered(supplies, parent, made), tuple(found))


def _fed(meters: Sequence[Meter], points: PointTable) -> dict[int, int]:
    """Source → the meter of its medium that it feeds, straight or through devices."""
    return {source: k for k, candidates in feeders(points, meters).items() for source in candidates
            if meters[source].is_source and meters[source].medium == meters[k].medium and not meters[k].is_source}


def _above(meters: Sequence[Meter], points: PointTable, spec: EnergySpec, found: list[Finding]) -> dict[int, int]:
    """Meter → the meter declared above it; of several the first."""
    number = {meter.id: k for k, meter in enumerate(meters)}
    above: dict[int, int] = {}
    for k, candidates in feeders(points, meters).items():
        mine = [c for c in candidates if meters[c].medium == meters[k].medium and not meters[c].is_source]
        line = points.devices[meters[k].device].line
        other = [c for c in candidates if meters[c].medium != meters[k].medium]
        if other:
            up = meters[other[0]]
            found.append(Finding(
                "warning", f"{up.medium} meter '{up.id}' feeds {meters[k].medium} meter '{meters[k].id}'",
                f"devices.csv:{line}", "a meter is part of one of its own medium only; correct 'feeds'"))
        if len(mine) > 1 and meters[k].id not in spec.meters:
            names = ", ".join(meters[c].id for c in mine)
            found.append(Finding("warning", f"meter '{meters[k].id}' has {len(mine)} parents: {names}", f"devices.csv:{line}",
                                 f"name one: [[meter]] id = \"{meters[k].id}\", under = … in {FILE}"))
        if mine and not meters[k].is_source:
            above[k] = mine[0]
    for entry in spec.meters.values():
        for name in [name for name in (entry.id, entry.under) if name and name not in number]:
            found.append(Finding("error", f"[[meter]] '{entry.id}' names '{name}', which is no meter", FILE,
                                 "use the id of a device whose kind has 'metering'"))
        if entry.id in number and entry.under in number:
            above[number[entry.id]] = number[entry.under]
    return above


def _break_cycles(meters: Sequence[Meter], above: dict[int, int], found: list[Finding]) -> None:
    for begin in list(above):
        way = [begin]
        while way[-1] in above and above[way[-1]] not in way:
            way.append(above[way[-1]])
        if way[-1] in above and above[way[-1]] == begin:
            names = " → ".join(meters[k].id for k in [*way, begin])
            found.append(Finding("error", f"meters are under each other in a circle: {names}; none of these ties is used",
                                 "devices.csv", f"correct 'feeds' of one of them, or give 'under' in {FILE}"))
            for k in way:
                above.pop(k, None)


def _nodes(meters: Sequence[Meter], above: dict[int, int], graph: SceneGraph) -> list[int]:
    """The place of each meter; of one that feeds meters, what is around all the places those supply."""
    below: dict[int, list[int]] = {}
    for k, up in above.items():
        below.setdefault(up, []).append(k)
    node = [0 if k in below and graph.columns["kind"][meter.node] == "device" else meter.node
            for k, meter in enumerate(meters)]

    def place(k: int, depth: int = 0) -> int:
        if not node[k] and depth < len(meters):
            paths = [graph.path(place(child, depth + 1)) for child in below.get(k, ())]
            shared = [steps for steps in zip(*paths, strict=False) if len(set(steps)) == 1] if paths else []
            node[k] = shared[-1][0] if shared else 0
        return node[k]

    return [place(k) for k in range(len(meters))]


def _grouped(meters: Sequence[Meter], above: dict[int, int], node: list[int]) -> list[Supply]:
    groups: dict[tuple[Medium, int], list[int]] = {}
    out: list[Supply] = []
    for k, meter in enumerate(meters):
        if meter.is_source:
            continue
        if k in above or not node[k]:
            out.append(Supply(medium=meter.medium, meters=(k,), node=node[k]))
        else:
            groups.setdefault((meter.medium, node[k]), []).append(k)
    out += [Supply(medium=medium, meters=tuple(members), node=place) for (medium, place), members in groups.items()]
    return out


def _around(k: int, supply: Supply, parent: list[int], at: dict[tuple[str, int], list[int]], graph: SceneGraph) -> int:
    """The supply of the nearest place around that is not under it."""
    return _furthest(supply.medium, graph.path(supply.node)[:-1], parent, at, k)


def _furthest(medium: Medium, path: Sequence[int], parent: list[int], at: dict[tuple[str, int], list[int]],
              beside: int = -1) -> int:
    """The supply of the last place of a path that has one; among several of one place the one furthest down."""
    for place in path[::-1]:
        others = [other for other in at.get((medium, place), ()) if beside not in _line(other, parent)]
        if others:
            return max(others, key=lambda other: len(_line(other, parent)))
    return -1


def _line(k: int, parent: list[int]) -> list[int]:
    line = [k]
    while parent[line[-1]] >= 0 and parent[line[-1]] not in line:
        line.append(parent[line[-1]])
    return line


def _ordered(supplies: list[Supply], parent: list[int], made: dict[int, list[int]]) -> tuple[Supply, ...]:
    order = sorted(range(len(supplies)), key=lambda k: (supplies[k].medium, len(_line(k, parent)), k))
    new = {old: k for k, old in enumerate(order)}
    below: dict[int, list[int]] = {}
    for old in order:
        if parent[old] >= 0:
            below.setdefault(parent[old], []).append(new[old])
    return tuple(replace(supplies[old], parent=new[parent[old]] if parent[old] >= 0 else -1,
                         children=tuple(below.get(old, ())), sources=tuple(made.get(old, ()))) for old in order)
