"""Which cameras see what: rooms and what is in them, and outdoors what stands in sight (see `twin.sight` for how)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from twin.fences import Outline
from twin.graph import SceneGraph
from twin.sight import OUTDOORS, Area, Eye, area_of, sight

#: A building is seen by a camera whose sight comes this near to its outline, metres.
FACADE_M = 0.5
SHOWN = ("building", "space", "device")


@dataclass(frozen=True, slots=True)
class InSight:
    """A node a camera sees, and the share of its floor that is in sight (rooms; NaN for what has no floor)."""

    node: int
    share: float


class Seeing:
    """Answers over the cameras of a park. Nodes are dense indices; what was worked out once is kept.

    Args:
        graph: the nodes.
        areas: every room and the site outdoors, made when first asked for.
        eyes: node → eye of every camera, given the areas' nodes.
        outline: of places, park metres.
    """

    def __init__(self, graph: SceneGraph, areas: Callable[[], Sequence[Area]],
                 eyes: Callable[[set[int]], dict[int, Eye]], outline: Outline) -> None:
        self._graph, self._make_areas, self._make_eyes, self._outline = graph, areas, eyes, outline
        self._areas: dict[int, Area] = {}
        self._eyes: dict[int, Eye] = {}
        self._sights: dict[int, shapely.Geometry] = {}
        self._shapes: dict[int, shapely.Geometry | None] = {}
        self._outside: list[int] | None = None

    @property
    def eyes(self) -> dict[int, Eye]:
        """Node → eye of every camera that has a place, in registry order."""
        self._open()
        return self._eyes

    def sight(self, camera: int) -> shapely.Geometry:
        """The floor one camera sees, park metres; empty for what is no camera."""
        self._open()
        if camera not in self._eyes:
            return shapely.Polygon()
        if camera not in self._sights:
            self._sights[camera] = sight(self._areas[self._eyes[camera].area].polygon, self._eyes[camera])
            shapely.prepare(self._sights[camera])
        return self._sights[camera]

    def sees(self, camera: int, kind: str = "") -> list[InSight]:
        """The room a camera sees (outdoors: the buildings), then devices there; or what is of a kind or class instead."""
        seen = self.sight(camera)
        if seen.is_empty:
            return []
        area = self._areas[self._eyes[camera].area]
        found: list[InSight] = []
        if area.node != OUTDOORS:
            found.append(InSight(area.node, min(seen.area / area.polygon.area, 1.0)))
        else:
            found += [InSight(b, float("nan")) for b in self._graph.of_kind("building").tolist() if self._is_facade(seen, b)]
        found += [InSight(i, float("nan")) for i in self._things(area.node) if i != camera and self._is_point(seen, i)]
        kinds, cls = self._graph.columns["kind"], self._graph.columns["cls"]
        return [one for one in found if (kind in (kinds[one.node], cls[one.node]) if kind else kinds[one.node] in SHOWN)]

    def seen_by(self, node: int) -> list[int]:
        """Cameras that see a thing, a room, a building from outside, or any room of a wider place; in registry order."""
        self._open()
        kind = self._graph.columns["kind"]
        if kind[node] in ("device", "element", "feature"):
            area = area_of(self._graph, node, set(self._areas))
            return [c for c, eye in self._eyes.items()
                    if eye.area == area and c != node and self._is_point(self.sight(c), node)]
        below = list(self._graph.subtree(node))
        rooms, buildings = set(below) & set(self._areas) - {OUTDOORS}, [i for i in below if kind[i] == "building"]
        return [c for c, eye in self._eyes.items()
                if (eye.area in rooms and not self.sight(c).is_empty)
                or (eye.area == OUTDOORS and any(self._is_facade(self.sight(c), b) for b in buildings))]

    def _open(self) -> None:
        if not self._areas:
            self._areas = {area.node: area for area in self._make_areas()}
            self._eyes = self._make_eyes(set(self._areas))

    def _things(self, area: int) -> list[int]:
        """Devices, elements and features in a room, or outdoors."""
        if area != OUTDOORS:
            return [i for i in self._graph.subtree(area) if i != area]
        if self._outside is None:
            known, kind = set(self._areas), self._graph.columns["kind"]
            self._outside = [int(i) for i in np.flatnonzero(np.isin(kind, ("device", "feature")))
                             if area_of(self._graph, int(i), known) == OUTDOORS]
        return self._outside

    def _is_point(self, seen: shapely.Geometry, node: int) -> bool:
        x, y = self._graph.columns["anchor"][node][:2]
        return bool(np.isfinite([x, y]).all() and shapely.intersects_xy(seen, x, y))

    def _is_facade(self, seen: shapely.Geometry, building: int) -> bool:
        if building not in self._shapes:
            found = self._outline(str(self._graph.columns["id"][building]))
            self._shapes[building] = None if found is None else found[0]
        shape = self._shapes[building]
        return shape is not None and bool(shapely.dwithin(seen, shape, FACADE_M))
