"""Floors of buildings known by their outline: as their source counts them, else by their height."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.boundary import stands_outside
from gis.columns import LEVEL_NAMES
from gis.lengths import number_of
from gis.model import Layer

STOREY_M = 3.6
#: Words of a use that is one hall under a roof, whatever its height.
HALLS = ("warehouse", "industrial", "plant", "utility", "shed", "storage", "factory", "workshop")
_USE_NAMES = ("use", "usage", "building", "bldg_usage", "function", "type")
_MOST_FLOORS = 250


def column_of(layer: Layer, names: tuple[str, ...]) -> NDArray[np.object_]:
    """(n,) text of the first of some columns (in any case) that the source has; "" where it has none."""
    lower = {name.lower(): values for name, values in reversed(layer.properties.items())}
    return next((lower[name] for name in names if name in lower), np.full(len(layer), "", object))


def uses(layer: Layer) -> list[str]:
    """What each building is for, in small letters; "" where nothing says so."""
    return [str(use).lower() for use in column_of(layer, _USE_NAMES)]


def counted_floors(layer: Layer) -> NDArray[np.int64]:
    """(n,) floors as the source counts them; 0 where it does not, or says what no building has."""
    told = np.array([number_of(str(text)) for text in column_of(layer, LEVEL_NAMES)], float)
    return np.where((told >= 1) & (told < _MOST_FLOORS), np.nan_to_num(told), 0).astype(np.int64)


def floor_areas(layer: Layer, park: shapely.Geometry | None = None) -> NDArray[np.float64]:
    """(n,) m² of floor: the outline once a floor. Without a count a hall has one and another building one to every 3.6 m of
    its height. NaN where the height is not known either, and of what stands outside the park's outline."""
    floors = counted_floors(layer)
    by_height = np.maximum(1.0, np.round(np.where(layer.height_m > 1.0, layer.height_m, np.nan) / STOREY_M))
    is_hall = np.array([any(word in use for word in HALLS) for use in uses(layer)], bool)
    area = shapely.area(layer.geometry) * np.where(floors > 0, floors, np.where(is_hall, 1.0, by_height))
    return np.where(stands_outside(layer, park), np.nan, area)
