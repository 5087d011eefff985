"""Ways through a graph and points in rooms."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.walk_room import room_points
from twin.walk import WalkGraph


def _graph(xyz: list[tuple[float, float, float]], edges: list[tuple[int, int]]) -> WalkGraph:
    points, pairs = np.array(xyz), np.array(edges, dtype=np.int32).reshape(-1, 2)
    return WalkGraph(
        points,
        np.arange(1, len(points) + 1, dtype=np.uint32),
        np.array(["space"] * len(points), dtype=object),
        pairs,
        np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1),
        np.array(["walk"] * len(pairs), dtype=object),
    )


def test_shortest_way_is_taken_and_ends_where_it_should() -> None:
    graph = _graph([(0, 0, 0), (10, 0, 0), (10, 10, 0), (0, 1, 0)], [(0, 1), (1, 2), (0, 3), (3, 2)])
    way = graph.route(0, 2)
    assert way is not None
    assert way.tolist() == [[0, 0, 0], [0, 1, 0], [10, 10, 0]]


def test_way_written_twice_is_not_twice_as_long() -> None:
    graph = _graph([(0, 0, 0), (10, 0, 0)], [(0, 1), (1, 0), (0, 1)])
    assert graph.distances(np.array([0])).tolist() == [0.0, 10.0]


def test_no_way_is_none() -> None:
    graph = _graph([(0, 0, 0), (1, 0, 0), (5, 0, 0)], [(0, 1)])
    assert graph.route(0, 2) is None
    assert graph.component[0] != graph.component[2]


@pytest.mark.parametrize(
    "outline",
    [
        shapely.box(0, 0, 40, 1.4),
        shapely.box(0, 0, 0.8, 0.8),
        shapely.box(0, 0, 90, 60),
        shapely.Polygon([(0, 0), (30, 0), (30, 1.5), (1.5, 1.5), (1.5, 30), (0, 30)]),
    ],
)
def test_every_room_has_points_that_all_reach_each_other(outline: shapely.Polygon) -> None:
    points, pairs = room_points(outline)
    assert len(points) >= 1
    assert shapely.contains_xy(outline, points[:, 0], points[:, 1]).all()
    graph = _graph([(x, y, 0.0) for x, y in points], pairs)
    assert len(set(graph.component.tolist())) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)), min_size=3, max_size=12))
def test_any_outline_gets_a_connected_set_of_points(corners_mm: list[tuple[int, int]]) -> None:
    hull = shapely.MultiPoint(np.array(corners_mm) / 1000).convex_hull
    if hull.geom_type != "Polygon" or hull.area < 0.05 or shapely.minimum_bounding_radius(hull) ** 2 > 1000 * hull.area:
        return
    points, pairs = room_points(hull)
    assert len(set(_graph([(x, y, 0.0) for x, y in points], pairs).component.tolist())) == 1
