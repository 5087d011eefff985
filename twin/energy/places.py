"""What a place used, as sums of meters: its own meter, else the meters of its parts, else a share by floor area.

What is made behind a meter (PV) is used as well, so it is added. Each account is a row of weights over meters, so that a
whole year of a place is one product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.energy.meters import SCOPES, Meter
from twin.energy.spec import FILE, EnergySpec, Tenant
from twin.energy.tree import MeterTree
from twin.finding import Finding
from twin.graph import SceneGraph

#: measured: a meter of its own · parts: what is metered inside it · share: of what is left around it, by floor area.
How = Literal["measured", "parts", "share", "none"]
_WORST: tuple[How, ...] = ("measured", "parts", "share", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A place's use of a medium: `weight` of each meter (numbers of the tree's meters), `area` in m² (NaN: not known)."""

    medium: str
    weight: dict[int, float]
    how: How
    area: float


class Accounts:
    """Accounts of places and tenants over one meter tree.

    Args:
        areas: m² of every node (NaN where unknown).
    """

    def __init__(self, tree: MeterTree, graph: SceneGraph, areas: NDArray[np.float64], spec: EnergySpec) -> None:
        self._tree, self._graph, self._areas = tree, graph, areas
        self._inside: dict[str, dict[int, list[int]]] = {}
        for k, supply in enumerate(tree.supplies):
            for node in graph.path(supply.node):
                self._inside.setdefault(supply.medium, {}).setdefault(node, []).append(k)
        self.findings: list[Finding] = []
        self.tenants: dict[str, tuple[Tenant, tuple[int, ...]]] = {}
        for tenant in spec.tenants:
            places = self._places(tenant)
            if places:
                self.tenants[tenant.id] = tenant, places

    def media(self) -> list[str]:
        """Media that are metered anywhere, in their usual order."""
        return [medium for medium in ("electricity", "water", "heat", "cooling", "gas") if medium in self._inside]

    def of(self, node: int, medium: str) -> Account:
        """The account of a place."""
        inside = self._inside.get(medium, {}).get(node, [])
        if inside:
            is_own = any(self._tree.supplies[k].node == node for k in inside)
            return Account(medium=medium, weight=self._sum(_top(inside, self._tree)), how="measured" if is_own else "parts",
                           area=float(self._areas[node]))
        return self._share(node, medium)

    def of_tenant(self, tenant: str, medium: str) -> Account:
        """The account of a tenant: of all its places together. A storey without rooms (a roof) has no part in anything; what
        else is not metered leaves the tenant without a figure."""
        nodes, kinds = self.tenants[tenant][1], self._graph.columns["kind"]
        every = [self.of(node, medium) for node in nodes]
        parts = [part for node, part in zip(nodes, every, strict=True)
                 if part.how != "none" or part.area > 0 or kinds[node] != "storey"] or every
        weight: dict[int, float] = {}
        for part in parts:
            for meter, share in part.weight.items():
                weight[meter] = weight.get(meter, 0.0) + share
        return Account(medium=medium, weight=weight, how=max((p.how for p in parts), key=_WORST.index),
                       area=float(sum(p.area for p in parts)))

    def sources(self, node: int, medium: str) -> Account:
        """What is made (PV) in a place, whoever uses it."""
        made = {k: m.scale for k, m in enumerate(self._tree.meters)
                if m.is_source and m.medium == medium and m.node and node in self._graph.path(m.node)}
        return Account(medium=medium, weight=made, how="measured" if made else "none", area=float(self._areas[node]))

    def sources_of_tenant(self, tenant: str, medium: str) -> Account:
        """What is made in a tenant's places."""
        parts = [self.sources(node, medium) for node in self.tenants[tenant][1]]
        weight = {meter: share for part in parts for meter, share in part.weight.items()}
        return Account(medium=medium, weight=weight, how="measured" if weight else "none",
                       area=float(sum(p.area for p in parts)))

    def _sum(self, supplies: Sequence[int], sign: float = 1.0) -> dict[int, float]:
        """What came in by some supplies, and what was made behind them."""
        meters: Sequence[Meter] = self._tree.meters
        mine = [m for k in supplies for m in self._tree.supplies[k].meters]
        todo = list(supplies)
        while todo:
            supply = self._tree.supplies[todo.pop()]
            mine += supply.sources
            todo += supply.children
        return {m: sign * meters[m].scale for m in mine}

    def _share(self, node: int, medium: str) -> Account:
        """Its part, by floor area, of what the metered place around it uses beyond the metered places in that."""
        nothing = Account(medium=medium, weight={}, how="none", area=float(self._areas[node]))
        table = self._inside.get(medium, {})
        for around in self._graph.path(node)[-2::-1]:
            inside = table.get(around, [])
            if not any(self._tree.supplies[k].node == around for k in inside):
                continue
            within = [k for k in inside if self._tree.supplies[k].node != around]
            parts = _top(within, self._tree)
            taken = {self._tree.supplies[k].node for k in parts}
            left = self._areas[around] - sum(np.nan_to_num(self._areas[n]) for n in taken)
            share = self._areas[node] / left if left > 0 else np.nan
            if not 0 < share <= 1:
                return nothing
            weight = self._sum(_top(inside, self._tree))
            for meter, sign in self._sum(parts, -1.0).items():
                weight[meter] = weight.get(meter, 0.0) + sign
            return Account(medium=medium, weight={m: w * share for m, w in weight.items() if w}, how="share",
                           area=float(self._areas[node]))
        return nothing

    def _places(self, tenant: Tenant) -> tuple[int, ...]:
        nodes: list[int] = []
        for name in tenant.places:
            node = self._graph.index(name)
            if not node or self._graph.columns["kind"][node] not in SCOPES:
                self.findings.append(Finding("error", f"tenant '{tenant.id}' has no place '{name}'", FILE,
                                             "name buildings, storeys or rooms by their node id"))
            else:
                nodes.append(node)
        taken = {place: other for other, (_, places) in self.tenants.items() for place in places}
        out: list[int] = []
        for node in dict.fromkeys(nodes):
            name, path = str(self._graph.columns["id"][node]), self._graph.path(node)
            other = next((taken[step] for step in path if step in taken), None)
            if other is not None:
                self.findings.append(Finding("error", f"'{name}' is of tenant '{other}', not also of '{tenant.id}'", FILE,
                                             "give each place one tenant"))
            elif any(step in nodes for step in path[:-1]):
                self.findings.append(Finding("warning", f"tenant '{tenant.id}' has '{name}' twice, in another of its places",
                                             FILE, "remove the smaller one"))
            else:
                out.append(node)
        return tuple(out)


def _top(supplies: Sequence[int], tree: MeterTree) -> list[int]:
    """Those of some supplies that are under none of the others."""
    chosen = set(supplies)

    def is_under(k: int) -> bool:
        up = tree.supplies[k].parent
        while up >= 0:
            if up in chosen:
                return True
            up = tree.supplies[up].parent
        return False

    return [k for k in supplies if not is_under(k)]
