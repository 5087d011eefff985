"""Coverage against areas known by hand and against points asked one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from overlays.coverage import Sensor, coverage
from twin.sight import Area, Eye, sight

ROOM = shapely.box(0, 0, 10, 6)
L_ROOM = shapely.Polygon([(0, 0), (10, 0), (10, 4), (4, 4), (4, 10), (0, 10)])


def test_a_dome_in_the_corner_of_a_plain_room_sees_all_of_it() -> None:
    assert sight(ROOM, Eye(area=1, at=(0.1, 0.1), range_m=50, fov_deg=360)).area == pytest.approx(60.0, rel=1e-3)


def test_the_range_bounds_what_is_seen() -> None:
    seen = sight(shapely.box(-50, -50, 50, 50), Eye(area=1, at=(0, 0), range_m=10, fov_deg=90, heading_deg=0.0))
    assert seen.area == pytest.approx(math.pi * 100 / 4, rel=1e-3)
    assert seen.centroid.y > 5
    east = sight(shapely.box(-50, -50, 50, 50), Eye(area=1, at=(0, 0), range_m=10, fov_deg=90, heading_deg=90.0))
    assert east.centroid.x > 5


def test_an_unset_heading_looks_along_the_longest_line_of_sight() -> None:
    corridor = shapely.box(0, 0, 40, 2)
    seen = sight(corridor, Eye(area=1, at=(1, 1), range_m=30, fov_deg=60))
    assert seen.intersects(shapely.Point(28, 1))


@settings(max_examples=80, deadline=None)
@given(st.floats(0.2, 3.8), st.floats(0.2, 9.8), st.integers(0, 10_000))
def test_a_point_is_seen_when_nothing_stands_between(x: float, y: float, seed: int) -> None:
    seen = sight(L_ROOM, Eye(area=1, at=(x, y), range_m=30, fov_deg=360))
    for px, py in np.random.default_rng(seed).uniform(0.1, 9.9, (40, 2)):
        line, point = shapely.LineString([(x, y), (px, py)]), shapely.Point(px, py)
        if abs(L_ROOM.exterior.distance(point)) < 0.05 or line.distance(shapely.Point(4, 4)) < 0.05:
            continue
        assert seen.buffer(0.01).intersects(point) == L_ROOM.covers(line), (px, py)


def test_rows_add_up_and_what_is_not_seen_is_blind() -> None:
    areas = [Area(node=11, storey=5, polygon=ROOM, z=0.0), Area(node=12, storey=5, polygon=shapely.box(10, 0, 20, 6), z=0.0)]
    told: list[tuple[int, int]] = []
    row, = coverage(areas, [Eye(area=11, at=(1, 1), range_m=50, fov_deg=360)], [Sensor(area=12, at=(15, 3), radius_m=2.0)],
                    lambda done, total: told.append((done, total)))
    assert (row.node, row.cameras, row.sensors, row.floor_m2) == (5, 1, 1, 120.0)
    assert row.seen_m2 == pytest.approx(60.0, rel=1e-3)
    assert row.reached_m2 == pytest.approx(math.pi * 4, rel=1e-2)
    blind = sum(shapely.Polygon(p[0], p[1:]).area for p in row.blind)
    assert blind == pytest.approx(60.0, rel=1e-2)
    assert told == [(1, 2), (2, 2)]
