"""Corners that repeat the one before go, whatever else is wrong with an outline."""

import numpy as np
import shapely

from gis.corners import tidy

HOUSE = shapely.Polygon([(0, 0), (10, 0), (10, 0.01), (10, 8), (0, 8)])
PIN = shapely.box(2, 2, 2.03, 2.03)


def test_corners_that_repeat_go_and_outlines_turn_counter_clockwise() -> None:
    [house] = tidy(np.array([HOUSE.reverse()], dtype=object))
    assert len(house.exterior.coords) == 5
    assert house.exterior.is_ccw
    assert np.isclose(house.area, HOUSE.area, rtol=1e-3)


def test_a_hole_that_would_vanish_is_closed_and_the_others_are_tidied_all_the_same() -> None:
    pierced = shapely.Polygon(HOUSE.exterior, [PIN.exterior, shapely.box(4, 4, 6, 6).exterior])
    pin, house = tidy(np.array([pierced, HOUSE], dtype=object))
    assert [round(shapely.Polygon(ring).area) for ring in pin.interiors] == [4]
    assert len(house.exterior.coords) == 5


def test_an_outline_that_would_vanish_stays() -> None:
    [pin] = tidy(np.array([shapely.box(0, 0, 0.04, 0.04)], dtype=object))
    assert np.isclose(pin.area, 0.0016)
