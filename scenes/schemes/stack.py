"""A building as a stack of storeys: areas, heights, distances and shadows are all taken from the same stack."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import shapely

from gis.mesh import Mesh

_WALL_M = 0.35


@dataclass(frozen=True, slots=True)
class Storey:
    """One storey: outline (Polygon or MultiPolygon) between z0 and z1."""

    outline: shapely.Geometry
    z0: float
    z1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One building. `ground` is the level its height is counted from; storeys below it are cellars.

    `model` is what a scheme's IFC looks like from outside, park metres; what is measured are the storeys.
    """

    id: str
    name: str
    name_zh: str
    storeys: tuple[Storey, ...]
    ground: float
    is_new: bool = False
    is_dwelling: bool = False
    node: int = 0
    model: Mesh | None = None

    @property
    def top(self) -> float:
        """Level of the roof, metres."""
        return max(s.z1 for s in self.storeys)

    @property
    def height(self) -> float:
        """Roof above ground, metres."""
        return self.top - self.ground

    def above(self) -> list[Storey]:
        """Storeys that count: more than half of them above ground."""
        return [s for s in self.storeys if (s.z0 + s.z1) / 2 > self.ground]

    def footprint(self) -> shapely.Geometry:
        """The ground it covers."""
        return shapely.union_all([s.outline for s in self.above()], grid_size=0.001)

    def floor_area(self) -> float:
        """Gross floor area above ground, m²."""
        return float(sum(s.outline.area for s in self.above()))


def outline_of(rooms: list[shapely.Polygon]) -> shapely.Geometry:
    """Rooms, the walls between them and the wall around them."""
    closed = shapely.buffer(shapely.union_all([shapely.buffer(r, _WALL_M, join_style="mitre") for r in rooms]), 0)
    return shapely.simplify(closed, 0.05)


def even_storeys(shape: shapely.Geometry, z0: float, z1: float, count: int) -> tuple[Storey, ...]:
    levels = np.linspace(z0, z1, count + 1)
    return tuple(Storey(shape, float(low), float(high)) for low, high in itertools.pairwise(levels))
