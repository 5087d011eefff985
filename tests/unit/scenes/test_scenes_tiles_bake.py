"""Light is where a person would see it, and rays do not lose precision far from the origin."""

import numpy as np
import pytest

import gis.mesh
from gis.mesh import Surface, box_mesh, join, make_mesh
from scenes.bake import Occluders, bake, sky_directions, sun_vector
from scenes.edges import feature_edges
from scenes.shell import visible_facets


def _floor(at: tuple[float, float] = (0.0, 0.0)) -> object:
    xs = np.linspace(-20, 20, 21)
    x, y = np.meshgrid(xs, xs)
    position = np.column_stack([x.ravel() + at[0], y.ravel() + at[1], np.zeros(x.size)])
    row = np.arange(20)[:, None] * 21 + np.arange(20)
    corner = row, row + 1, row + 22, row + 21
    faces = np.concatenate([np.stack([corner[i] for i in tri], -1) for tri in ((0, 1, 2), (0, 2, 3))]).reshape(-1, 3)
    return make_mesh(position, faces, colour=(200, 200, 200), surface=Surface.PAVING)


def _house(at: tuple[float, float] = (0.0, 0.0)) -> object:
    return box_mesh((at[0], at[1], 0.0), (8, 8, 12), colour=(200, 200, 200), surface=Surface.PLAIN)


@pytest.mark.parametrize("at", [(0.0, 0.0), (482_000.0, 5_456_500.0)])
def test_ground_lies_in_shadow_on_the_far_side_of_a_house(at: tuple[float, float]) -> None:
    floor, house = _floor(at), _house(at)
    sun = np.array([-0.6, 0.0, 0.8])
    light = bake(floor, Occluders(house.position[house.faces]), sun)
    east = np.linalg.norm(floor.position[:, :2] - at - [8.0, 0.0], axis=1) < 0.1
    west = np.linalg.norm(floor.position[:, :2] - at - [-8.0, 0.0], axis=1) < 0.1
    assert light.sun[east].max() == 0
    assert light.sun[west].min() == pytest.approx(0.8 * 255, abs=2)


def test_ground_darkens_towards_a_wall() -> None:
    floor, house = _floor(), _house()
    light = bake(floor, Occluders(house.position[house.faces]), sun_vector(31.2))
    distance = np.abs(floor.position[:, 0])
    on_axis = np.abs(floor.position[:, 1]) < 0.1
    near, far = (light.ao[on_axis & (np.abs(distance - d) < 0.1)].mean() for d in (6.0, 20.0))
    assert near < far - 20


def test_sun_stands_south_west_in_the_early_afternoon_of_the_north() -> None:
    east, north, up = sun_vector(31.2)
    assert east < 0 > north
    assert up > 0.5
    assert sun_vector(-33.0)[1] > 0


def test_sky_directions_are_unit_and_upward() -> None:
    rays = sky_directions()
    assert np.linalg.norm(rays, axis=1) == pytest.approx(np.ones(22))
    assert rays[:, 2].min() > 0


def test_wrongly_wound_box_is_lit_like_a_right_one() -> None:
    house = _house()
    turned = make_mesh(house.position, house.faces[:, ::-1], colour=(1, 1, 1), surface=0)
    sun, blockers = sun_vector(31.2), Occluders(house.position[house.faces])
    right, wrong = (bake(m, blockers, sun, two_sided=True) for m in (house, turned))
    assert np.abs(right.sun.astype(int) - wrong.sun.astype(int)).max() <= 1


def test_corners_shared_by_faces_stop_rays_as_triangles_do() -> None:
    house = _house((482_000.0, 5_456_500.0))
    shared, apart = Occluders(house.position, house.faces), Occluders(house.position[house.faces])
    assert (shared.centre == house.position[house.faces].reshape(-1, 3).mean(axis=0)).all()
    origin = house.position.mean(axis=0) + 30 * sky_directions(200)
    ahead = np.tile(house.position.mean(axis=0), (200, 1)) - origin + np.linspace(-9, 9, 200)[:, None]
    assert (shared.first_hit(origin, ahead) == apart.first_hit(origin, ahead)).all()
    assert (shared.first_hit(origin, ahead) >= 0).any()


def test_light_is_the_same_however_many_vertices_are_lit_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    both = join([_floor(), _house()])
    blockers, sun = Occluders(both.position, both.faces), sun_vector(31.2)
    at_once, edges = bake(both, blockers, sun, two_sided=True), feature_edges(both)
    monkeypatch.setattr(gis.mesh, "AT_A_TIME", 7)
    in_parts = bake(both, Occluders(both.position, both.faces), sun, two_sided=True)
    assert (in_parts.ao == at_once.ao).all()
    assert (in_parts.sun == at_once.sun).all()
    assert np.array_equal(feature_edges(both), edges)


def test_shell_keeps_the_outside_and_drops_what_is_inside() -> None:
    house, table = _house(), box_mesh((0, 0, 3.0), (1, 1, 1), colour=(1, 1, 1), surface=Surface.INTERIOR)
    both = join([house, table])
    kept, side = visible_facets(both, np.arange(len(both.faces)) // 2, Occluders(both.position, both.faces))
    assert kept[:10].all()
    assert not kept[10:].any()
    assert (side[:10] == 1).all()


def test_edges_of_a_box_are_its_visible_ones() -> None:
    house = _house()
    edges = feature_edges(house)
    assert len(edges) == 12
    assert sorted(set(np.round(np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1), 3))) == [8.0, 12.0]


def test_edges_vanish_where_two_coplanar_faces_meet() -> None:
    assert len(feature_edges(_floor())) == 80
