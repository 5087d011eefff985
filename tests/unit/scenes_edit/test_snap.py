"""A building's outline laid on the footprint of a map: turn, shift, and an honest residual."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate, translate

from scenes.snap import snap

ELL = shapely.Polygon([(0, 0), (30, 0), (30, 12), (14, 12), (14, 25), (0, 25)])
ANCHOR = (15.0, 12.5)


def footprints(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, dtype=object)


def standing(x: float, y: float, heading: float) -> shapely.Polygon:
    """ELL held by its anchor at x, y, turned clockwise."""
    return translate(rotate(translate(ELL, -ANCHOR[0], -ANCHOR[1]), -heading, origin=(0, 0)), x, y)


@settings(max_examples=25, deadline=None)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 359.9))
def test_a_footprint_of_the_same_shape_is_found_to_the_millimetre(x: float, y: float, heading: float) -> None:
    found = snap(ELL, ANCHOR, (0.0, 0.0), 0.0, ["a:1"], footprints(standing(x, y, heading)))
    assert found is not None
    assert found.at == pytest.approx((x, y), abs=2e-3)
    assert abs((found.heading - heading + 180) % 360 - 180) < 0.01
    assert found.residual_m < 1e-3


def test_of_turns_as_good_the_one_it_has_now_is_kept() -> None:
    box = shapely.box(0, 0, 20, 10)
    found = snap(box, (10, 5), (100, 100), 182.0, ["a:1"], footprints(shapely.box(90, 95, 110, 105)))
    assert found is not None
    assert found.heading == pytest.approx(180.0, abs=0.01)
    assert found.at == pytest.approx((100, 100), abs=1e-3)


def test_the_residual_says_how_far_the_outlines_are_apart() -> None:
    found = snap(shapely.box(0, 0, 20, 10), (10, 5), (10, 5), 0.0, ["a:1"], footprints(shapely.box(-1, -1, 21, 11)))
    assert found is not None
    assert found.residual_m == pytest.approx(1.0, abs=0.12), "a metre on every side"


def test_footprints_of_other_sizes_and_far_away_are_not_taken() -> None:
    shapes = footprints(shapely.box(0, 0, 200, 200), shapely.box(0, 0, 3, 3), standing(5000, 0, 0))
    assert snap(ELL, ANCHOR, (0.0, 0.0), 0.0, ["a", "b", "c"], shapes) is None
    assert snap(ELL, ANCHOR, (0.0, 0.0), 0.0, [], footprints()) is None
    near = snap(ELL, ANCHOR, (0.0, 0.0), 0.0, ["far", "near"], footprints(standing(120, 0, 0), standing(20, 0, 0)))
    assert near is not None
    assert near.footprint == "near"
