"""What of a building can stand in a place's light is found run by run, and is what a look at every triangle finds."""

from types import SimpleNamespace

import numpy as np
import pytest

import scenes.building_body
from gis.mesh import box_mesh, join
from gis.model import FlatGround
from scenes.building_body import BuildingBody, Shelf, footprint
from scenes.building_mesh import BuildingMesh
from scenes.shade import REACH_M, RUN, Near, Shade, _reaches
from twin.steps import StepStore

SUN = np.array([0.3, -0.5, 0.6]) / np.linalg.norm([0.3, -0.5, 0.6])


@pytest.fixture
def row_of_houses(monkeypatch: pytest.MonkeyPatch) -> BuildingBody:
    monkeypatch.setattr(scenes.building_body, "RUN", 7)
    mesh = join([box_mesh((30.0 * k, 0.0, 0.0), (8, 8, 12), colour=(1, 1, 1), surface=0) for k in range(12)])
    source = SimpleNamespace(model=SimpleNamespace(digest=""), at=(40.0, -20.0))
    body = BuildingBody(source, FlatGround(12.0), "", StepStore(None), Shelf())  # type: ignore[arg-type]
    none = np.zeros(len(mesh.faces), np.int32)
    body.__dict__["_meshed"] = BuildingMesh(mesh, none, none.astype(np.int64), none.astype(bool))
    return body


def test_runs_that_reach_a_place_give_the_triangles_that_do(row_of_houses: BuildingBody) -> None:
    low, high = np.array([[100.0, 5.0, 0.0], [300, 5, 0]]), np.array([[110.0, 9.0, 1.0], [301, 6, 0]])
    sun = np.array([0, -0.6, 0.8])
    near = Near(low, high, np.zeros((0, 3, 3)), (row_of_houses,), sun)
    corners = row_of_houses.corners()
    each = [_reaches(corners.min(axis=1), corners.max(axis=1), *box, sun) for box in zip(low, high, strict=True)]
    wanted = corners[np.any(each, axis=0)]
    assert 0 < len(wanted) < len(corners)
    assert np.array_equal(np.concatenate(list(near._parts(row_of_houses))), wanted)


def test_footprint_is_that_of_all_triangles(row_of_houses: BuildingBody) -> None:
    found = row_of_houses.hole
    assert found.area == pytest.approx(12 * 64, rel=0.01)
    assert found.equals(footprint(row_of_houses.corners(), FlatGround(12.0)))


@pytest.mark.parametrize("count", [0, 1, RUN, 5000])
def test_everything_that_reaches_a_place_is_near_it(count: int) -> None:
    chance = np.random.default_rng(count)
    corners = chance.random((count, 1, 3)) * [800, 800, 30] + chance.random((count, 3, 3)) * 6
    shade = Shade(corners, [], SUN)
    for low in chance.random((40, 3)) * [800, 800, 10] - [0, 0, 5]:
        high = low + np.array([80, 80, 2])
        far = corners[:, :, :2] - (SUN[:2] / SUN[2]) * np.maximum(corners[:, :, 2:].max(axis=1, keepdims=True) - low[2], 0)
        both = np.concatenate([corners[:, :, :2], far], axis=1)
        reach = ((both.min(axis=1) <= high[:2] + REACH_M) & (both.max(axis=1) >= low[:2] - REACH_M)).all(axis=1)
        assert np.array_equal(shade.near(low[None], high[None]).corners, corners[reach])
