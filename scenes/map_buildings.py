"""Buildings that come from a map layer, as edits know them: by id, shape and place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from gis.model import Layer
from twin.matching import Miss, is_same_size
from twin.overrides import Target, Xyz

NEAR_M = 1.0  # of one shape, outlines are the same building where their middles are this close
APART_M = 0.2  # of two as near as this to each other neither is taken


@dataclass(frozen=True, slots=True)
class MapMatch:
    """The outline that is meant, and what told so: `row` counts those of all layers in their order."""

    row: int
    id: str
    by: Literal["id", "shape"]


class MapBuildings:
    """The building outlines of a park's layers, as their files have them.

    Args:
        outlines: node id → outline, park metres.
    """

    def __init__(self, outlines: Mapping[str, shapely.Geometry]) -> None:
        self._ids = list(outlines)
        self._row_of = {name: row for row, name in enumerate(self._ids)}
        self._bounds = shapely.bounds(np.array(list(outlines.values()), dtype=object)).reshape(-1, 4)

    def find(self, target: Target) -> MapMatch | Miss:
        """The outline a target means: its id where shape and place agree, else whatever has both, else its id alone.

        Ids of layers without a column of ids are row numbers, which the next export gives to other buildings.
        """
        named = self._row_of.get(target.building)
        if target.size is None or target.at is None:
            return Miss(0) if named is None else self._match(named, "id")
        alike = self._alike(target.size, target.at)
        if named is not None and named in alike:
            return self._match(named, "id")
        if alike and not any(self._away(row, target.at) - self._away(alike[0], target.at) < APART_M for row in alike[1:]):
            return self._match(alike[0], "shape")
        if named is not None:
            return self._match(named, "id")
        return Miss(len(alike))

    def _alike(self, size: Xyz, at: Xyz) -> list[int]:
        """Rows of one size with an outline whose middle is near a place, the nearest first."""
        middle = (self._bounds[:, :2] + self._bounds[:, 2:]) / 2
        near = np.flatnonzero(np.hypot(middle[:, 0] - at[0], middle[:, 1] - at[1]) <= NEAR_M).tolist()
        wide, deep = (self._bounds[:, 2:] - self._bounds[:, :2]).T
        alike = [row for row in near if is_same_size(size, (float(wide[row]), float(deep[row]), 0.0))]
        return sorted(alike, key=lambda row: self._away(row, at))

    def _away(self, row: int, at: Xyz) -> float:
        box = self._bounds[row]
        return math.hypot((box[0] + box[2]) / 2 - at[0], (box[1] + box[3]) / 2 - at[1])

    def _match(self, row: int, by: Literal["id", "shape"]) -> MapMatch:
        return MapMatch(row, self._ids[row], by)


def outlines_of(layers: Sequence[Layer], from_source: Mapping[str, shapely.Geometry] | None = None,
                ) -> dict[str, shapely.Geometry]:
    """The outlines of all building layers in order; of those put elsewhere (`from_source`) as their files have them."""
    moved = from_source or {}
    return {name: moved.get(name, shape) for layer in layers if layer.kind == "buildings"
            for name, shape in zip(layer.node_ids(), layer.geometry, strict=True)}


def anchor_of_outline(geometry: shapely.Geometry) -> Xyz:
    """What an outline is held by: the middle of its box, park metres."""
    x0, y0, x1, y1 = geometry.bounds
    return round((x0 + x1) / 2, 4), round((y0 + y1) / 2, 4), 0.0


def size_of_outline(geometry: shapely.Geometry) -> Xyz:
    """Its box; heights are often mended and tell nothing of who it is."""
    x0, y0, x1, y1 = geometry.bounds
    return round(x1 - x0, 4), round(y1 - y0, 4), 0.0
