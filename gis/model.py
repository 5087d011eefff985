"""What the GIS room hands on: layers as columns in the park frame, and the ground they lie on.

Everything spatial here is float64 metres in the park frame (projected grid minus the park's origin), x east, y north.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.finding import Finding
from twin.park import LayerKind

#: Suffixes of the pictures on a reality mesh.
TEXTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".tga")


class Ground(Protocol):
    """The surface everything stands on."""

    def height_at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights z (n,) in park metres under points xy (n, 2) in the park frame."""
        ...


@dataclass(frozen=True, slots=True)
class FlatGround:
    """Where a park has no terrain layer: everywhere the same height (park metres)."""

    z: float = 0.0

    def height_at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """The one height, (n,)."""
        return np.full(len(xy), self.z)


@dataclass(frozen=True, slots=True, eq=False)
class Shell:
    """A building's own faces (CityJSON, CityGML), in the park frame.

    Args:
        rings: a face each: its outline and then its holes, float64 (k, 3), not closed, counter-clockwise from outside.
        role: "wall", "roof", "under" or "ground", a face each.
        is_above_ground: z counts from the ground the building stands on, and is no height of the park.
    """

    rings: tuple[tuple[NDArray[np.float64], ...], ...]
    role: tuple[str, ...]
    is_above_ground: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One GIS layer in the park frame; row k of every column is one feature. Never empty geometries.

    Args:
        ids: text (n,), unique within the layer (a repeated id got a suffix `~2` and a finding).
        geometry: shapely geometries (n,), valid, 2D, park-frame metres.
        height_m, width_m, depth_m: float64 (n,), NaN where the source says nothing. Depth is positive downward.
        medium: text (n,), what a pipe carries (water, drain, power, heat, gas, data); "" elsewhere.
        properties: every source column as text (n,), "" where empty.
        crs: CRS the source was read in (before it was brought to the park frame).
        raw: float64 (k, 2), some of its points as they stand in the source, in `crs`; empty where nobody kept them.
        shells: faces of their own (n,), None where a feature has but a footprint; empty where none has any.
    """

    id: str
    kind: LayerKind
    name: str
    name_zh: str
    source: str
    crs: str
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    names_zh: NDArray[np.object_]
    geometry: NDArray[np.object_]
    height_m: NDArray[np.float64]
    width_m: NDArray[np.float64]
    depth_m: NDArray[np.float64]
    medium: NDArray[np.object_]
    properties: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    raw: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    shells: tuple[Shell | None, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def node_ids(self) -> list[str]:
        """Scene-graph ids of the features: `<layer>:<feature id>`."""
        return [f"{self.id}:{feature_id}" for feature_id in self.ids]

    def take(self, rows: NDArray) -> Layer:
        """The same layer with only some rows (index array or boolean mask)."""
        return Layer(
            id=self.id, kind=self.kind, name=self.name, name_zh=self.name_zh, source=self.source, crs=self.crs,
            ids=self.ids[rows], names=self.names[rows], names_zh=self.names_zh[rows], geometry=self.geometry[rows],
            height_m=self.height_m[rows], width_m=self.width_m[rows], depth_m=self.depth_m[rows],
            medium=self.medium[rows], properties={k: v[rows] for k, v in self.properties.items()},
            findings=self.findings, raw=self.raw,
            shells=tuple(self.shells[k] for k in np.arange(len(self))[rows]) if self.shells else (),
        )

    def bounds(self) -> tuple[float, float, float, float] | None:
        """(xmin, ymin, xmax, ymax) in park metres; None for an empty layer."""
        if not len(self):
            return None
        xmin, ymin, xmax, ymax = shapely.total_bounds(self.geometry)
        return float(xmin), float(ymin), float(xmax), float(ymax)
