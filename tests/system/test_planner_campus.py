"""Two made-up schemes on a real campus: real buildings go, an IFC and a GeoJSON come, judged in the projected grid."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from scenes.compile import compile_park
from scenes.schemes.mass import open_surroundings
from scenes.schemes.result import Workshop
from scenes.store import open_graph
from twin.parkfile import load_park

SHARED = Path(os.environ.get("PARKTWIN_SHARED", Path(__file__).resolve().parents[2].parent / "shared")) / "data"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not (SHARED / "campus").is_dir(), reason=f"no campus at {SHARED}")]
PARK = """[park]
id = "campus"
name = "Campus"
crs = "EPSG:26910"
origin = [481000.0, 5456000.0, 0.0]
[[layer]]
id = "b"
source = "{gis}/ubcv_buildings.geojson"
kind = "buildings"
id_field = "BLDG_UID"
name_field = "NAME"
height_field = "BLDG_HEIGHT"
"""
ORIGIN = np.array([481000.0, 5456000.0])
RULES = """[rules]
name = "Campus rule"
far_max = 2.0
height_max = 40.0
setback_min = 4.0
sunlight_min = 2.0
"""


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Results of both schemes, with the plot they stand on."""
    root = tmp_path_factory.mktemp("campus")
    (root / "park.toml").write_text(PARK.format(gis=SHARED / "campus/gis"))
    (root / "rules.toml").write_text(RULES)
    spec = load_park(root)
    compile_park(spec, jobs=1)
    manifest, graph = json.loads((spec.build_dir / "manifest.json").read_text()), open_graph(spec.build_dir)
    around = open_surroundings(spec, manifest, graph)
    middle = shapely.MultiPoint([s.footprint().centroid for s in around.stacks]).centroid
    old = min((s for s in around.stacks if 600 < s.footprint().area < 2500), key=lambda s: s.footprint().distance(middle))
    plot = old.footprint().buffer(18).envelope
    gone = [s.id for s in around.stacks if s.footprint().intersects(plot)]
    x0, y0, x1, y1 = plot.bounds
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    head = (f"[scheme]\nname = \"{{}}\"\nsite = {[[round(a, 2), round(b, 2)] for a, b in plot.exterior.coords[:-1]]}\n"
            f"remove = {json.dumps(gone)}\n")
    (root / "schemes").mkdir()
    (root / "schemes/quiet.toml").write_text(
        head.format("Quiet") + '[[building]]\nid = "q"\nuse = "residential"\nstoreys = 5\n'
        f"footprint = {[[x - 12, y - 7], [x + 12, y - 7], [x + 12, y + 7], [x - 12, y + 7]]}\n")
    shutil.copy(SHARED / "ifc/duplex-architecture.ifc", root / "schemes/duplex.ifc")
    tower = shapely.transform(shapely.box(x + 2, y - 9, x + 20, y + 9), lambda p: p + np.array(spec.origin[:2]))
    gpd.GeoDataFrame({"storeys": [30]}, geometry=[tower], crs=spec.crs).to_crs(4326).to_file(root / "schemes/tower.geojson")
    (root / "schemes/tall.toml").write_text(
        head.format("Tall") + '[[footprints]]\nsource = "schemes/tower.geojson"\nuse = "residential"\n'
        '[[building]]\nid = "duplex"\nifc = "schemes/duplex.ifc"\n'
        f"placement = {{ at = [{x - 22:.1f}, {y:.1f}, {old.ground:.2f}] }}\n")
    shop = Workshop(spec, manifest, graph)
    return {"removed": {"ids": gone}, **{key: shop.work_out(key) for key in ("quiet", "tall")}}


def _row(result: dict, key: str) -> dict:
    return next(row for row in result["indicators"] if row["key"] == key)


def test_the_plot_is_measured_on_the_ground(campus: dict[str, dict]) -> None:
    ring = gpd.GeoSeries([shapely.transform(shapely.Polygon(campus["quiet"]["site"]), lambda p: p + ORIGIN)],
                         crs="EPSG:26910").to_crs(4326).iloc[0]
    true_area = abs(Geod(ellps="GRS80").geometry_area_perimeter(ring)[0])
    assert _row(campus["quiet"], "site")["value"] == pytest.approx(true_area, rel=2e-3)


def test_real_buildings_go_and_the_scheme_stands(campus: dict[str, dict]) -> None:
    assert set(campus["quiet"]["removed"]) == set(campus["removed"]["ids"])
    assert [f["what"] for f in campus["quiet"]["faults"]] == []
    assert _row(campus["quiet"], "gfa")["value"] == pytest.approx(24 * 14 * 5)
    assert _row(campus["quiet"], "height")["passes"] is True


def test_an_ifc_and_a_geojson_make_a_scheme(campus: dict[str, dict]) -> None:
    tall = campus["tall"]
    assert [f["what"] for f in tall["faults"]] == []
    storeys = {b["id"]: b["storeys"] for b in tall["buildings"]}
    assert storeys["duplex"] >= 2
    assert storeys["tower:0" if "tower:0" in storeys else "tower:1"] == 30
    assert _row(tall, "height")["passes"] is False


def test_a_tower_takes_winter_sun_from_its_neighbours(campus: dict[str, dict]) -> None:
    quiet, tall = (_row(campus[key], "sun_lost") for key in ("quiet", "tall"))
    assert tall["failed"] > quiet["failed"]
    assert all(b["cells"] for b in tall["breaches"])
    sun = campus["tall"]["sunlight"]
    worse = [b - a for a, b in zip(sun["hours_after"], sun["hours_before"], strict=True) if b is not None]
    assert max(worse) > 1.0
