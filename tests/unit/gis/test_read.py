"""A layer is read once, placed, repaired, and everything odd about it is said."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.check import check_layer
from gis.read import read_layer
from scenes.compile import compile_park
from twin.errors import SourceError
from twin.park import LayerSpec
from twin.parkfile import load_park

CRS, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 0.0)
BOWTIE = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def _write(path: Path, geometry: list, crs: str | None = CRS, **columns: list) -> Path:
    shifted = [None if g is None else shapely.transform(g, lambda xy: xy + np.array(ORIGIN[:2])) for g in geometry]
    gpd.GeoDataFrame(columns, geometry=shifted, crs=crs).to_file(path, engine="pyogrio")
    return path


def _square(x: float, side: float = 10.0) -> shapely.Polygon:
    return shapely.box(x, 0, x + side, side)


def _spec(path: Path, **more: object) -> LayerSpec:
    return LayerSpec(id="blocks", source=path, kind="buildings", line=9, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp"])
def test_coordinates_land_in_the_park_frame(tmp_path: Path, name: str) -> None:
    layer = read_layer(_spec(_write(tmp_path / name, [_square(5.0)])), CRS, ORIGIN)
    assert layer.bounds() == pytest.approx((5, 0, 15, 10), abs=1e-6)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_layer_without_crs_is_refused_with_the_line_and_the_mend(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.shp", [_square(0)], crs=None)
    with pytest.raises(SourceError, match=r'park\.toml:9: .*no coordinate system; add crs = "EPSG'):
        read_layer(_spec(path), CRS, ORIGIN)


def test_geojson_of_metres_without_crs_is_not_taken_for_degrees(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [500010.0, 3300010.0]}}]}))
    with pytest.raises(SourceError, match="holds metres but declares no coordinate system"):
        read_layer(_spec(path), CRS, ORIGIN)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_park_of_one_layer_without_crs_is_refused_by_the_build_with_the_same_mend(tmp_path: Path) -> None:
    _write(tmp_path / "a.shp", [_square(0)], crs=None)
    (tmp_path / "park.toml").write_text(
        '[park]\nid = "p"\nname = "P"\ncrs = "EPSG:4549"\norigin = [500000.0, 3300000.0, 0.0]\n'
        '[[layer]]\nid = "blocks"\nsource = "a.shp"\nkind = "buildings"\n')
    with pytest.raises(SourceError, match=r'could be read; first: .*no coordinate system; add crs = "EPSG'):
        compile_park(load_park(tmp_path))


def test_heights_that_nothing_has_are_told_and_taken_for_unknown(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gpkg", [_square(20.0 * k) for k in range(4)], height=[9.0, 1e9, -2e4, 828.0])
    layer = read_layer(_spec(path), CRS, ORIGIN)
    assert layer.height_m.tolist() == pytest.approx([9.0, np.nan, np.nan, 828.0], nan_ok=True)
    assert [(f.where, f.count) for f in layer.findings] == [("a.gpkg: rows 2, 3", 2)]


def test_floors_in_digits_that_make_no_number_stop_no_check(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gpkg", [_square(0.0), _square(20.0)], height=[9.0, 90.0], levels=["3²", "3"])
    assert [f.where for f in check_layer(read_layer(_spec(path), CRS, ORIGIN)) if "floors" in f.what] == ["blocks:2"]


def test_declared_crs_wins_over_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gpkg", [_square(5.0)], crs="EPSG:4547")
    layer = read_layer(_spec(path, crs=CRS), CRS, ORIGIN)
    assert layer.bounds() == pytest.approx((5, 0, 15, 10), abs=1e-6)
    assert "park.toml is followed" in layer.findings[0].what


def test_repeated_ids_get_a_suffix_and_a_finding(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gpkg", [_square(0), _square(20), _square(40)], code=["x", "y", "x"])
    layer = read_layer(_spec(path, id_field="code"), CRS, ORIGIN)
    assert layer.ids.tolist() == ["x", "y", "x~2"]
    assert layer.node_ids()[2] == "blocks:x~2"
    assert [f.count for f in layer.findings] == [1]


def test_crossed_polygon_is_repaired_and_empty_one_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.gpkg", [BOWTIE, None, _square(30)], name=["bow", "none", "box"])
    layer = read_layer(_spec(path), CRS, ORIGIN)
    assert layer.names.tolist() == ["bow", "box"]
    assert shapely.is_valid(layer.geometry).all()
    assert shapely.area(layer.geometry[0]) == pytest.approx(50.0, abs=1e-6)
    assert {f.level for f in layer.findings} == {"warning"}
    assert len(layer.findings) == 2


def test_csv_of_longitude_and_latitude_is_read_with_its_gaps_reported(tmp_path: Path) -> None:
    path = tmp_path / "trees.csv"
    path.write_text("id,LON,LAT,h\n1,120.001,29.8,7.5\n2,,29.8,1\n", encoding="utf-8-sig")
    layer = read_layer(LayerSpec(id="trees", source=path, kind="trees", height_field="h"), CRS, ORIGIN)
    assert layer.ids.tolist() == ["1"]
    assert layer.height_m.tolist() == [7.5]
    assert [f.level for f in layer.findings] == ["note", "warning"]


def test_csv_of_metres_without_crs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trees.csv"
    path.write_text("id,x,y\n1,500010,3300010\n")
    with pytest.raises(SourceError, match="no coordinate system"):
        read_layer(LayerSpec(id="trees", source=path, kind="trees"), CRS, ORIGIN)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"names gone\.gpkg, which does not exist"):
        read_layer(_spec(tmp_path / "gone.gpkg"), CRS, ORIGIN)


def test_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text("{ not json")
    with pytest.raises(SourceError, match=r"a\.geojson cannot be read"):
        read_layer(_spec(path), CRS, ORIGIN)
