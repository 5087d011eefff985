"""The sheet under the ground never comes through it, and costs next to nothing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gis.model import FlatGround
from gis.terrain import Terrain, plane_heights, tin_of_grid
from gis.underlay import ACROSS, UNDER_M, underlay


def _hills() -> Terrain:
    at = np.linspace(0, 600, 121)
    z = 12 * np.sin(at / 40)[:, None] * np.cos(at / 55)[None, :] + at[None, :] * 0.05
    return Terrain("t", "t", "t", "", *tin_of_grid(z, at, at, 0.05), 0.05)


def test_it_lies_under_every_part_of_hilly_ground() -> None:
    ground = _hills()
    sheet = underlay((0, 0, 1, 1), ground)
    assert len(sheet.faces) == 2 * ACROSS**2 < 0.5 * len(ground.triangles)
    xy = np.random.default_rng(2).uniform(0, 600, (4000, 2))
    point, face = shapely.STRtree(shapely.polygons(sheet.position[sheet.faces][:, :, :2])).query(
        shapely.points(xy), predicate="intersects")
    below = np.full(len(xy), np.nan)
    below[point] = plane_heights(sheet.position[sheet.faces[face]], xy[point])
    gap = ground.height_at(xy) - below
    assert gap.min() >= UNDER_M - 1e-9
    assert np.median(gap) < 10.0, "a sheet under the ground, not a cellar"
    normal = np.cross(*(sheet.position[sheet.faces[:, k]] - sheet.position[sheet.faces[:, 0]] for k in (1, 2)))
    assert (normal[:, 2] > 0).all()


def test_under_flat_ground_it_is_one_square() -> None:
    sheet = underlay((-10.0, 0.0, 30.0, 20.0), FlatGround(5.0))
    assert len(sheet.faces) == 2
    assert sheet.position[:, 2] == pytest.approx(4.2)
    assert (sheet.position[:, :2].min(0).tolist(), sheet.position[:, :2].max(0).tolist()) == ([-10.0, 0.0], [30.0, 20.0])
