"""Where the park ends, where a layer says so: what stands beyond is its surroundings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.model import Layer


def park_outline(layers: Iterable[Layer]) -> shapely.Geometry | None:
    """The area of the layers of kind "boundary" together (park metres); None where there is none."""
    fences = [layer.geometry for layer in layers if layer.kind == "boundary" and len(layer)]
    return shapely.union_all(np.concatenate(fences)) if fences else None


def stands_outside(layer: Layer, park: shapely.Geometry | None) -> NDArray[np.bool_]:
    """(n,) features that nowhere touch the park; none where its outline is not known."""
    return np.zeros(len(layer), bool) if park is None else ~shapely.intersects(layer.geometry, park)
