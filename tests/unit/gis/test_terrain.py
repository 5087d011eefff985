"""The ground is where the raster says it is, the right way up."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio import Affine

from gis.terrain import read_terrain, tin_of_grid
from twin.errors import SourceError
from twin.park import LayerSpec

CRS, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 10.0)


def _slope(path: Path, *, hole: bool = False) -> Path:
    rows, cols, cell = 60, 80, 5.0
    x = (np.arange(cols) + 0.5) * cell
    y = 300.0 - (np.arange(rows) + 0.5) * cell
    hill = 3 * np.exp(-((x[None, :] - 100) ** 2 + (y[:, None] - 220) ** 2) / 900)
    z = 10.0 + 0.02 * x[None, :] + 0.05 * y[:, None] + hill
    if hole:
        z[10:13, 10:13] = -9999.0
    with rasterio.open(path, "w", driver="GTiff", height=rows, width=cols, count=1, dtype="float64", crs=CRS,
                       nodata=-9999.0, transform=Affine(cell, 0.0, ORIGIN[0], 0.0, -cell, ORIGIN[1] + 300.0)) as raster:
        raster.write(z, 1)
    return path


def _expected(xy: np.ndarray) -> np.ndarray:
    x, y = xy.T
    return 0.02 * x + 0.05 * y + 3 * np.exp(-((x - 100) ** 2 + (y - 220) ** 2) / 900)


def test_heights_follow_the_raster_within_the_error_bound(tmp_path: Path) -> None:
    terrain = read_terrain(LayerSpec(id="dem", source=_slope(tmp_path / "dem.tif"), kind="terrain"), CRS, ORIGIN)
    spots = np.random.default_rng(3).uniform([10, 10], [380, 290], (500, 2))
    assert np.abs(terrain.height_at(spots) - _expected(spots)).max() < 0.25
    assert len(terrain.triangles) < 2 * 60 * 80 / 3


def test_every_triangle_looks_up(tmp_path: Path) -> None:
    terrain = read_terrain(LayerSpec(id="dem", source=_slope(tmp_path / "dem.tif"), kind="terrain"), CRS, ORIGIN)
    a, b, c = (terrain.vertices[terrain.triangles[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_height_outside_is_that_of_the_rim(tmp_path: Path) -> None:
    terrain = read_terrain(LayerSpec(id="dem", source=_slope(tmp_path / "dem.tif"), kind="terrain"), CRS, ORIGIN)
    inside, outside = terrain.height_at(np.array([[397.4, 150.0], [9000.0, 150.0]]))
    assert outside == pytest.approx(inside, abs=0.05)


def test_missing_cells_are_filled_and_told(tmp_path: Path) -> None:
    spec = LayerSpec(id="dem", source=_slope(tmp_path / "d.tif", hole=True), kind="terrain")
    terrain = read_terrain(spec, CRS, ORIGIN)
    assert [f.count for f in terrain.findings] == [9]
    assert abs(terrain.height_at(np.array([[57.0, 243.0]]))[0] - _expected(np.array([[57.0, 243.0]]))[0]) < 1.0


def test_grid_rows_are_not_flipped() -> None:
    z = np.zeros((9, 9))
    z[0, :] = 5.0  # the southern rim, as ys ascends
    vertices, _ = tin_of_grid(z, np.arange(9.0), np.arange(9.0), 0.01)
    assert vertices[vertices[:, 1] == 0.0][:, 2].min() == 5.0
    assert vertices[vertices[:, 1] >= 1.0][:, 2].max() == 0.0


def test_of_a_raster_far_wider_than_a_park_only_what_is_near_is_read_in_its_own_detail(tmp_path: Path) -> None:
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(*ORIGIN[:2])
    cell = 1 / 1200  # three seconds of arc, as of a tile of one degree
    rows = cols = 1201
    step = np.arange(cols) * cell
    z = (50.0 + 3000.0 * np.abs(step[None, :] - 0.5)) * np.ones((rows, 1))
    path = tmp_path / "tile.tif"
    with rasterio.open(path, "w", driver="GTiff", height=rows, width=cols, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(cell, 0, lon - 0.5, 0, -cell, lat + 0.5)) as raster:
        raster.write(z.astype(np.float32), 1)
    terrain = read_terrain(LayerSpec(id="dem", source=path, kind="terrain"), CRS, ORIGIN)
    spots = np.random.default_rng(5).uniform(-1500, 1500, (300, 2))
    there = np.column_stack(Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(*(spots + ORIGIN[:2]).T))
    assert np.abs(terrain.height_at(spots) + ORIGIN[2] - 50.0 - 3000.0 * np.abs(there[:, 0] - lon)).max() < 3.0
    assert np.abs(terrain.vertices[:, :2]).max() < 7_000


@pytest.mark.parametrize("west", [-180.0, 100.0])
def test_a_raster_of_the_whole_earth_is_read_about_the_park(tmp_path: Path, west: float) -> None:
    path = tmp_path / "earth.tif"
    cell = (180.0 - west) / 360
    with rasterio.open(path, "w", driver="GTiff", height=180, width=360, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(cell, 0, west, 0, -1, 90)) as raster:
        raster.write(np.full((180, 360), 12.0, np.float32), 1)
    terrain = read_terrain(LayerSpec(id="dem", source=path, kind="terrain"), CRS, ORIGIN)
    assert np.isfinite(terrain.vertices).all()
    assert np.allclose(terrain.height_at(np.array([[0.0, 0.0], [900.0, -900.0]])), 2.0)


def test_a_raster_where_the_grid_of_the_park_cannot_reach_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "away.tif"
    with rasterio.open(path, "w", driver="GTiff", height=64, width=64, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(0.5, 0, 0, 0, -0.5, 0)) as raster:
        raster.write(np.ones((64, 64), np.float32), 1)
    with pytest.raises(SourceError, match="more of the earth than EPSG:4549"):
        read_terrain(LayerSpec(id="dem", source=path, kind="terrain"), CRS, ORIGIN)
