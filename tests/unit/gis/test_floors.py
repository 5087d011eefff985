"""Floor areas of buildings that are known by their outline alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from gis.boundary import park_outline, stands_outside
from gis.floors import counted_floors, floor_areas
from gis.model import Layer


def layer(kind: str, geometry: list[shapely.Geometry], height_m: list[float], **columns: list[str]) -> Layer:
    n = len(geometry)
    bare, nothing = np.full(n, "", object), np.full(n, np.nan)
    return Layer(id=kind, kind=kind, name=kind, name_zh="", source="t", crs="EPSG:4549",  # type: ignore[arg-type]
                 ids=np.array([str(k) for k in range(n)], object), names=bare, names_zh=bare,
                 geometry=np.array(geometry, object), height_m=np.array(height_m, float),
                 width_m=nothing, depth_m=nothing, medium=bare,
                 properties={name: np.array(values, object) for name, values in columns.items()})


TEN = [shapely.box(20 * k, 0, 20 * k + 10, 10) for k in range(6)]  # 100 m² each
BLOCKS = layer("buildings", TEN, [36.0, 36.0, 12.0, np.nan, np.nan, 2.0],
               MAX_FLOORS=["12", "", "", "3", "", "900"], Use=["Office", "", "Warehouse", "", "", ""])


def test_floors_are_counted_by_the_source_in_any_case_and_what_no_building_has_is_none() -> None:
    assert counted_floors(BLOCKS).tolist() == [12, 0, 0, 3, 0, 0]
    assert counted_floors(replace(BLOCKS, properties={})).tolist() == [0] * 6


def test_an_outline_counts_once_a_floor_a_hall_once_and_of_an_unknown_height_nothing_is_said() -> None:
    assert floor_areas(BLOCKS) == pytest.approx([1200, 1000, 100, 300, np.nan, 100], nan_ok=True)


def test_what_stands_outside_the_park_is_no_floor_of_it() -> None:
    park = park_outline([layer("boundary", [shapely.box(-5, -5, 35, 35)], [np.nan]), BLOCKS])
    assert stands_outside(BLOCKS, park).tolist() == [False, False, True, True, True, True]
    assert floor_areas(BLOCKS, park) == pytest.approx([1200, 1000] + [np.nan] * 4, nan_ok=True)
    assert park_outline([BLOCKS]) is None
    assert not stands_outside(BLOCKS, None).any()
