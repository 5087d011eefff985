"""A layer in the wrong coordinate system is noticed by where it lands, and the right one is named."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from gis.crs import bd09_from_wgs84, gcj02_from_wgs84
from gis.landing import Frame, land, likely_crs
from gis.model import Layer
from gis.read import MissingCrs, read_layer
from scenes.compile import compile_park
from twin.park import LayerSpec
from twin.parkfile import load_park

CRS, ORIGIN = "EPSG:4549", (509_600.0, 3_353_000.0, 0.0)  # Hangzhou, 120.1° east
FRAME = Frame(CRS, ORIGIN)
LONLAT = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
SEED = np.random.default_rng(3)


def _read(path: Path, kind: str, shapes: list[shapely.Geometry], written: str, declared: str | None = None,
          move=lambda xy: xy, origin: tuple[float, float, float] = ORIGIN) -> Layer:
    """A file whose coordinates are truly in `written`, read as the layer declares."""
    there = [shapely.transform(g, lambda xy: xy + np.array(ORIGIN[:2])) for g in shapes]
    frame = gpd.GeoDataFrame({"id": range(len(there))}, geometry=there, crs=CRS).to_crs(written)
    frame.geometry = frame.geometry.set_crs(written).transform(move)
    frame.set_crs(declared, allow_override=True).to_file(path, engine="pyogrio")
    return read_layer(LayerSpec(id=path.stem, source=path, kind=kind), CRS, origin)  # type: ignore[arg-type]


def _blocks(n: int = 40) -> list[shapely.Geometry]:
    return [shapely.box(x, y, x + 20, y + 12) for x in range(-300, 300, 75) for y in range(-170, 180, 70)][:n]


@pytest.fixture
def others(tmp_path: Path) -> list[Layer]:
    roads = [shapely.LineString([(-320, y), (320, y)]) for y in range(-200, 201, 70)]
    roads += [shapely.LineString([(x, -200), (x, 200)]) for x in range(-320, 321, 80)]
    return [_read(tmp_path / "roads.gpkg", "roads", roads, CRS, CRS),
            _read(tmp_path / "greens.gpkg", "greens", [shapely.box(-320, 160, -100, 200)], CRS, CRS)]


@pytest.mark.parametrize(("written", "declared"), [
    ("EPSG:4549", "EPSG:4547"), ("EPSG:4549", "EPSG:32650"), ("EPSG:4528", "EPSG:3857"), ("EPSG:32651", "EPSG:4549"),
    ("EPSG:4326", "EPSG:4549"), ("EPSG:4509", "EPSG:4549"), ("EPSG:3857", "EPSG:4549")])
def test_wrong_grid_is_left_out_and_the_right_one_named(tmp_path: Path, others: list[Layer], written: str,
                                                        declared: str) -> None:
    wrong = _read(tmp_path / "blocks.gpkg", "buildings", _blocks(), written, declared)
    landed = land([*others, wrong], FRAME)
    assert [layer.id for layer in landed.layers] == ["roads", "greens"]
    (finding,) = landed.findings
    assert "layer 'blocks' lands" in finding.what
    assert f'crs = "{written}"' in finding.mend


def test_right_layers_say_nothing(tmp_path: Path, others: list[Layer]) -> None:
    right = _read(tmp_path / "blocks.gpkg", "buildings", _blocks(), "EPSG:4326", "EPSG:4326")
    landed = land([*others, right], FRAME)
    assert not landed.findings
    assert len(landed.layers) == 3


def test_swapped_axes_are_found(tmp_path: Path, others: list[Layer]) -> None:
    wrong = _read(tmp_path / "blocks.gpkg", "buildings", _blocks(), CRS, CRS, move=lambda xy: xy[:, ::-1])
    assert 'crs = "EPSG:4549" and axes = "yx"' in land([*others, wrong], FRAME).findings[0].mend


def test_coordinates_that_are_park_metres_already_are_found(tmp_path: Path, others: list[Layer]) -> None:
    wrong = _read(tmp_path / "blocks.gpkg", "buildings", _blocks(), CRS, CRS, move=lambda xy: xy - np.array(ORIGIN[:2]))
    assert 'crs = "park"' in land([*others, wrong], FRAME).findings[0].mend


@pytest.mark.parametrize(("datum", "forward", "off"), [("GCJ-02", gcj02_from_wgs84, 480), ("BD-09", bd09_from_wgs84, 1_000)])
def test_web_map_datum_taken_for_wgs84_is_noticed(tmp_path: Path, others: list[Layer], datum: str, forward, off: int) -> None:
    wrong = _read(tmp_path / "blocks.geojson", "buildings", _blocks(), "EPSG:4326", "EPSG:4326",
                  move=lambda xy: np.column_stack(forward(xy[:, 0], xy[:, 1])))
    (finding,) = land([*others, wrong], FRAME).findings
    assert f'write crs = "{datum}"' in finding.mend
    told = float(finding.what.split(" lies ")[1].split(" m off")[0].replace(",", ""))
    assert told == pytest.approx(off, abs=250)


def test_lone_layer_far_from_the_origin_asks_for_the_origin(tmp_path: Path) -> None:
    origin = (500_000.0, 3_400_000.0, 0.0)
    far = _read(tmp_path / "blocks.gpkg", "buildings", _blocks(), CRS, CRS, origin=origin)
    (finding,) = land([far], Frame(CRS, origin)).findings
    assert finding.what == "everything lies 48 km from the park's origin"
    assert finding.mend.startswith("write origin = [5095")


def test_zone_of_another_place_is_said_with_what_it_costs(tmp_path: Path) -> None:
    there = Transformer.from_crs(CRS, "EPSG:4547", always_xy=True).transform(*ORIGIN[:2])
    layer = _read(tmp_path / "blocks.gpkg", "buildings", _blocks(), CRS, CRS)
    frame = Frame("EPSG:4547", (*there, 0.0))
    (finding,) = land([layer], frame).findings
    assert 'use crs = "EPSG:4549"' in finding.mend
    assert "m a km" in finding.what


def test_forgotten_zeros_leave_the_layer_and_not_the_park(tmp_path: Path, others: list[Layer]) -> None:
    shapes = [*(shapely.Point(x, 5) for x in range(0, 200, 10)), shapely.Point(-ORIGIN[0], -ORIGIN[1])]
    trees = _read(tmp_path / "trees.gpkg", "trees", shapes, CRS, CRS)
    landed = land([*others, trees], FRAME)
    assert len(landed.layers[-1]) == 20
    assert landed.findings[0].count == 1
    assert landed.findings[0].where == "trees.gpkg: 20"


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_layer_without_a_crs_is_told_the_likely_one(tmp_path: Path, others: list[Layer]) -> None:
    shapes = [shapely.transform(g, lambda xy: xy + np.array(ORIGIN[:2])) for g in _blocks()]
    gpd.GeoDataFrame({"id": range(len(shapes))}, geometry=shapes).to_file(tmp_path / "blocks.shp")
    with pytest.raises(MissingCrs) as raised:
        read_layer(LayerSpec(id="blocks", source=tmp_path / "blocks.shp", kind="buildings"), CRS, ORIGIN)
    assert likely_crs(raised.value.sample, others, FRAME) == 'crs = "EPSG:4549"'


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_park_with_bad_layers_is_built_with_the_good_ones(tmp_path: Path, others: list[Layer]) -> None:
    _read(tmp_path / "wrong.gpkg", "buildings", _blocks(), CRS, "EPSG:32650")
    shapes = [shapely.transform(g, lambda xy: xy + np.array(ORIGIN[:2])) for g in _blocks()]
    gpd.GeoDataFrame({"id": range(len(shapes))}, geometry=shapes).to_file(tmp_path / "mute.shp")
    layers = "".join(f'[[layer]]\nid = "{i}"\nsource = "{f}"\nkind = "{k}"\n' for i, f, k in (
        ("roads", "roads.gpkg", "roads"), ("greens", "greens.gpkg", "greens"), ("wrong", "wrong.gpkg", "buildings"),
        ("mute", "mute.shp", "buildings")))
    layers += '[[layer]]\nid = "degrees"\nsource = "wrong.gpkg"\nkind = "buildings"\ncrs = "EPSG:4326"\n'
    (tmp_path / "park.toml").write_text(f'[park]\nname = "P"\ncrs = "{CRS}"\norigin = {list(ORIGIN)}\n{layers}')
    result = compile_park(load_park(tmp_path))
    mends = sorted(f.mend for f in result.findings if f.level == "error")
    assert mends == ['write crs = "EPSG:4549" in the layer',
                     *['write crs = "EPSG:4549" in the layer: read so, it lies among the rest'] * 2]
    assert result.counts["feature"] == 16
    assert "building" not in result.counts


def test_a_layer_of_places_far_apart_is_read_where_most_of_it_lies(tmp_path: Path) -> None:
    near = _blocks(24)
    shapes = [*near, *(shapely.affinity.translate(g, 3e5, -2e5) for g in _blocks(4)),
              *(shapely.affinity.translate(g, -2e5, 6e5) for g in _blocks(3))]
    landed = land([_read(tmp_path / "all.gpkg", "buildings", shapes, CRS, CRS)], FRAME)
    assert len(landed.layers[0]) == len(near)
    assert [f.count for f in landed.findings if "outside the park" in f.what] == [7]
