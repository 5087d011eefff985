"""Buildings mapped part by part are drawn so, whatever file their tags came in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from gis.model import FlatGround, Layer
from gis.read import read_layer
from gis.solids import building_meshes, check_bases
from twin.park import LayerSpec

CRS, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 10.0)
LONLAT = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
HALL = {"building": "yes", "name": "Hall"}


def _layer(path: Path, *features: tuple[shapely.Geometry, dict[str, str]]) -> Layer:
    """Features of park metres as a GeoJSON of the tags, read."""
    def moved(g: shapely.Geometry) -> shapely.Geometry:
        return shapely.transform(g, lambda xy: np.column_stack(LONLAT.transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1])))

    rows = [{"type": "Feature", "properties": {"id": f"w{k}", **tags}, "geometry": json.loads(shapely.to_geojson(moved(g)))}
            for k, (g, tags) in enumerate(features)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return read_layer(LayerSpec(id="it", source=path, kind="buildings", line=7), CRS, ORIGIN)


def _mesh(layer: Layer, z: float = 0.0):  # type: ignore[no-untyped-def]
    meshes = building_meshes(layer, np.arange(1, len(layer) + 1, dtype=np.uint32), FlatGround(z))
    return meshes[0]


def test_a_tower_on_a_podium_is_one_building_of_two_heights(tmp_path: Path) -> None:
    layer = _layer(tmp_path / "a.geojson", (shapely.box(0, 0, 40, 30), HALL),
                   (shapely.box(0, 0, 40, 30), {"building:part": "yes", "height": "8"}),
                   (shapely.box(10, 10, 20, 20), {"building:part": "yes", "height": "60 m", "min_height": "8"}))
    assert (layer.ids.tolist(), layer.names.tolist(), layer.height_m.tolist()) == (["w0"], ["Hall"], [60.0])
    top = _mesh(layer, 5.0).position
    assert (top[:, 2].min(), top[:, 2].max()) == pytest.approx((5.0, 65.0), abs=0.01)
    high = top[top[:, 2] > 15.0]
    assert high[:, :2].min(axis=0) == pytest.approx((10, 10), abs=0.02)
    assert high[:, :2].max(axis=0) == pytest.approx((20, 20), abs=0.02)
    assert check_bases(layer, FlatGround(500.0)) == (), "heights over the ground are of no datum"


def test_a_bridge_between_two_houses_stays_in_the_air(tmp_path: Path) -> None:
    layer = _layer(tmp_path / "a.geojson", (shapely.box(0, 0, 40, 10), HALL),
                   (shapely.box(0, 0, 40, 10), {"building:part": "yes", "building:min_level": "2", "building:levels": "3"}))
    z = _mesh(layer).position[:, 2]
    assert (z.min(), z.max()) == pytest.approx((6.0, 9.0), abs=0.01)


@pytest.mark.parametrize(("shape", "volume"), [
    ("flat", 12.0), ("gabled", 10.0), ("skillion", 10.0), ("pyramidal", 8 + 4 / 3)])
def test_roofs_close_over_the_volume_their_shape_has(tmp_path: Path, shape: str, volume: float) -> None:
    part = {"building:part": "yes", "height": "12", "min_height": "0.5", "roof:shape": shape, "roof:height": "4"}
    layer = _layer(tmp_path / "a.geojson", (shapely.box(0, 0, 20, 10), HALL), (shapely.box(0, 0, 20, 10), part))
    mesh = _mesh(layer)
    a, b, c = (mesh.position[mesh.faces[:, k]] for k in range(3))
    inside = float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6.0  # holds only of a closed body, faces outward
    assert inside == pytest.approx(200.0 * (volume - 0.5), rel=2e-3)


def test_a_part_in_no_building_is_one_of_its_own_and_said(tmp_path: Path) -> None:
    layer = _layer(tmp_path / "a.geojson", (shapely.box(0, 0, 10, 10), HALL),
                   (shapely.box(50, 0, 60, 10), {"building:part": "yes", "height": "9"}))
    assert (layer.ids.tolist(), layer.shells) == (["w0", "w1"], (None, None))
    assert [f.count for f in layer.findings if "stand in no building" in f.what] == [1]
