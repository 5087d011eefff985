"""The questions of a compiled park's graph: what is in, contains, feeds, serves, is near, sees, and how to get there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twin.errors import TwinError
from twin.graph import Node, SceneGraph
from twin.seeing import Seeing
from twin.supply import Supply, System
from twin.walk import WalkGraph
from twin.ways import Ways

How = Literal["walk", "wheelchair"]
HOWS: tuple[How, ...] = get_args(How)
Point = tuple[float, float, float]


class NotInGraph(TwinError):
    """An id the park does not have, or a question that cannot be asked of it."""


@dataclass(frozen=True, slots=True)
class Near:
    """A node and the metres to it."""

    id: str
    metres: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A node in a camera's sight, and the share of its floor that is (rooms; NaN where there is no floor)."""

    id: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A way on foot. `xyz` float64 (k, 3) park metres, ends included; `passed` the ids of rooms, doors and stairs on it."""

    metres: float
    xyz: NDArray[np.float64]
    passed: tuple[str, ...]
    how: How


class ParkGraph:
    """One compiled park, asked by node id. Answers are ids in a fixed order; nothing is changed by asking.

    A footprint merged into a building answers for that building. One thread uses it.

    Args:
        scene: every node.
        supply: what feeds and serves what.
        seeing: what cameras see.
        walk: where people can go.
    """

    def __init__(self, scene: SceneGraph, supply: Supply, seeing: Seeing, walk: WalkGraph) -> None:
        self.scene, self.supply, self.seeing = scene, supply, seeing
        self._ways = Ways(scene, walk)

    def node(self, node_id: str) -> Node:
        """One node made readable.

        Raises:
            NotInGraph: no such node (so do all questions here).
        """
        return self.scene.node(self.index(node_id))

    def index(self, node_id: str) -> int:
        """Dense index of an id."""
        found = self.scene.index(node_id)
        if not found:
            raise NotInGraph(f"nothing is called '{node_id}' here", mend="search for it by name", code="node.unknown",
                             fill={"node": node_id})
        return found

    def inside(self, node_id: str, kind: str = "", *, deep: bool = True) -> list[str]:
        """What is in a place, depth first; of one kind (`space`) or class (`camera`, `IfcDoor`); `deep`: at any depth."""
        at = self.index(node_id)
        found = [i for i in self.scene.subtree(at) if i != at] if deep else self.scene.children(at).tolist()
        return self._ids(i for i in found if self._is(i, kind))

    def containers(self, node_id: str) -> list[str]:
        """What contains it, the park first, the nearest last."""
        return self._ids(self.scene.path(self.index(node_id))[:-1])

    def feeds(self, node_id: str, *, deep: bool = False) -> list[str]:
        """What it supplies (registry `feeds`, flow between IFC ports); `deep`: and what that supplies, nearest first."""
        return self._ids(self.supply.feeds(self.index(node_id), deep=deep))

    def fed_by(self, node_id: str, *, deep: bool = False) -> list[str]:
        """What supplies it; `deep`: and what supplies that, nearest first."""
        return self._ids(self.supply.fed_by(self.index(node_id), deep=deep))

    def serves(self, node_or_system: str) -> list[str]:
        """Places it supplies, in however many steps, or that the systems it belongs to serve; also of a system's id."""
        if node_or_system in self.supply.systems:
            return self._ids(self.supply.serves_of(node_or_system))
        return self._ids(self.supply.serves(self.index(node_or_system)))

    def served_by(self, node_id: str) -> list[str]:
        """What supplies it or a place it is in, the nearest first, then the ids of systems that do."""
        nodes, systems = self.supply.served_by(self.index(node_id))
        return [*self._ids(nodes), *systems]

    def systems(self, node_id: str = "") -> list[System]:
        """Systems, zones and groups a node belongs to; all of the park where none is named."""
        return self.supply.systems_of(self.index(node_id)) if node_id else list(self.supply.systems.values())

    def members(self, system_id: str) -> list[str]:
        """What belongs to a system, zone or group."""
        if system_id not in self.supply.systems:
            raise NotInGraph(f"no system is called '{system_id}' here", mend="list them: systems()", code="node.unknown",
                             fill={"node": system_id})
        return self._ids(self.supply.members(system_id))

    def near(self, place: str | Sequence[float], metres: float, kind: str = "device", *, on_foot: bool = False) -> list[Near]:
        """What is within so many metres of a node or a point (x, y, z in park metres), the nearest first.

        Straight metres are between boxes, 0 where they meet; `on_foot` through doors, by stairs and paths. What contains
        the node is not told.

        Args:
            kind: of nodes (`device`, `space`, `building`, …) or a class (`camera`, `trees`, `IfcDoor`).
        """
        at, box = self._box(place)
        kinds, cls = self.scene.columns["kind"], self.scene.columns["cls"]
        rows = np.flatnonzero((kinds == kind) | (cls == kind))
        rows = rows[~np.isin(rows, self.scene.path(at))]
        apart = gaps(box, self.scene.columns["bbox"][rows])
        rows, apart = rows[apart <= metres], apart[apart <= metres]
        if on_foot:
            apart = self._ways.metres(at, box[:3], rows)
            rows, apart = rows[apart <= metres], apart[apart <= metres]
        order = np.lexsort((rows, apart))
        return [Near(str(self.scene.columns["id"][rows[k]]), float(apart[k])) for k in order]

    def sees(self, camera_id: str, kind: str = "") -> list[Seen]:
        """What a camera sees: its room (outdoors: buildings), then devices; or what is of a kind or class instead."""
        ids = self.scene.columns["id"]
        return [Seen(str(ids[one.node]), one.share) for one in self.seeing.sees(self.index(camera_id), kind)]

    def seen_by(self, node_id: str) -> list[str]:
        """Cameras that see a thing, a room, a building from outside, or any room of a wider place."""
        return self._ids(self.seeing.seen_by(self.index(node_id)))

    def path(self, start: str | Sequence[float], end: str | Sequence[float], how: How = "walk") -> Way | None:
        """The shortest way on foot between two nodes or points (park metres); None where there is none.

        A building is entered at its entrances. `wheelchair` takes ramps and lifts, never stairs or escalators; widths of
        doors and sills are not known and not looked at.
        """
        if how not in HOWS:
            raise NotInGraph(f"there is no way '{how}'", mend=f"use one of {', '.join(HOWS)}", code="graph.how",
                             fill={"hows": ", ".join(HOWS)})
        (a, here), (b, there) = self._box(start), self._box(end)
        found = self._ways.between((a, here[:3]), (b, there[:3]), with_stairs=how == "walk")
        if found is None:
            return None
        passed = dict.fromkeys(int(node) for node in found.nodes if node)
        return Way(metres=found.metres, xyz=found.xyz, passed=tuple(self._ids(passed)), how=how)

    def _box(self, place: str | Sequence[float]) -> tuple[int, NDArray[np.float64]]:
        """(node or 0, float64 (6,) box) of a node or a point."""
        if isinstance(place, str):
            at = self.index(place)
            box = np.asarray(self.scene.columns["bbox"][at], np.float64)
            return at, box if np.isfinite(box).all() else np.tile(self.scene.columns["anchor"][at], 2)
        xyz = np.asarray(place, np.float64)
        if xyz.shape != (3,) or not np.isfinite(xyz).all():
            raise NotInGraph(f"{place!r} is no point", mend="give x, y, z in park metres", code="graph.point")
        return 0, np.tile(xyz, 2)

    def _is(self, index: int, kind: str) -> bool:
        return not kind or kind in (self.scene.columns["kind"][index], self.scene.columns["cls"][index])

    def _ids(self, nodes: Iterable[int]) -> list[str]:
        ids = self.scene.columns["id"]
        return [str(ids[node]) for node in nodes]


def gaps(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 (n,) metres between a box (6,) and others (n, 6); inf to those that have none."""
    apart = np.maximum(boxes[:, :3] - box[3:], box[:3] - boxes[:, 3:]).clip(min=0.0)
    return np.where(np.isnan(apart).any(axis=1), np.inf, np.linalg.norm(apart, axis=1))
