"""A scan and a reality mesh in a park: valid tiles, out of the way of buildings, misfits told, kept between builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scene_page import look_at, pixels, scene_page, settle
from tile_checks import faults_of, issues_of

from scenes.compile import BuildResult, compile_park
from scenes.output import tree_digest
from scenes.stills import coarse_tiles, finest_tiles
from twin.parkfile import load_park

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "gis"))
from made_scans import square_points, write_hill, write_scan

X0, Y0 = 519_200.0, 3_342_600.0
BLOCK = (-25.0, 14.0, -12.0, 26.0)  # covers one of the scanned trees' ground
PARK = f"""[park]
id = "square"
name = "Square"
crs = "EPSG:4549"
origin = [{X0}, {Y0}, 4.0]
[[layer]]
id = "blocks"
source = "blocks.geojson"
kind = "buildings"
[[layer]]
id = "scan"
source = "scan.laz"
kind = "pointcloud"
name_zh = "老大门"
[[layer]]
id = "hill"
source = "hill/mesh.obj"
kind = "mesh"
shown = false
placement = {{ at = [40.0, -40.0, 0.0] }}
"""


def _write(root: Path, park: str = PARK, count: int = 150_000) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    points, rgb, classes = square_points(count)
    write_scan(root / "scan.laz", points + np.array([X0, Y0, 4.0]), rgb, classes)
    write_hill(root / "hill")
    gpd.GeoDataFrame({"height": [9.0]}, geometry=[shapely.box(*BLOCK)], crs=None).set_geometry(
        [shapely.affinity.translate(shapely.box(*BLOCK), X0, Y0)]).set_crs("EPSG:4549").to_file(root / "blocks.geojson")
    (root / "park.toml").write_text(park, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return compile_park(load_park(_write(tmp_path_factory.mktemp("square"))))


def _glb(path: Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    size = int.from_bytes(data[12:16], "little")
    return json.loads(data[20:20 + size]), data[28 + size:]


def test_tiles_pass_khronos_validator_and_the_schema(built: BuildResult) -> None:
    files = sorted((built.folder / "tiles/bg").rglob("*.glb"))
    assert len(files) > 8
    assert {f: i for f, i in issues_of(files).items() if i} == {}
    for layer in ("scan", "hill"):
        tileset = json.loads((built.folder / f"tiles/bg/{layer}/tileset.json").read_text())
        assert faults_of("tileset.schema.json", tileset) == []
        assert all((path.parent / (path.name + ".br")).exists() for path in files)
    assert faults_of("tileset.schema.json", json.loads((built.folder / "tiles/tileset.json").read_text())) == []


def test_the_manifest_lists_them_and_nothing_in_them_is_a_feature(built: BuildResult) -> None:
    manifest = json.loads((built.folder / "manifest.json").read_text())
    assert [(b["id"], b["kind"], b["name_zh"], b["shown"]) for b in manifest["backgrounds"]] == [
        ("scan", "pointcloud", "老大门", True), ("hill", "mesh", "", False)]
    assert manifest["counts"].get("feature", 0) == 0
    for path in (built.folder / "tiles/bg").rglob("*.glb"):
        gltf, _ = _glb(path)
        assert "EXT_structural_metadata" not in gltf["extensionsUsed"]
        assert gltf["nodes"][0]["extras"]["background"] in ("points", "surface")


def test_every_point_is_drawn_but_where_a_building_stands(built: BuildResult) -> None:
    manifest = json.loads((built.folder / "manifest.json").read_text())
    drawn = 0
    for path in sorted((built.folder / "tiles/bg/scan").glob("*.glb")):
        gltf, _ = _glb(path)
        node, position = gltf["nodes"][0], gltf["accessors"][gltf["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
        assert gltf["meshes"][0]["primitives"][0]["mode"] == 0
        assert max(position["max"]) <= 65535
        assert node["scale"][0] <= 60.1
        drawn += position["count"]
    told = {f.what.split(": ")[-1].split(" (")[0]: f.count for f in built.findings if f.what.startswith("layer 'scan'")}
    assert drawn == manifest["backgrounds"][0]["count"]
    assert told["where a building of the park stands"] > 1_000
    assert drawn + sum(n for why, n in told.items() if why.startswith(("where", "nearer"))) == len(
        square_points(150_000)[0])


@pytest.mark.browser
def test_in_a_browser_each_is_seen_in_its_colours_while_its_layer_is_on(built: BuildResult) -> None:
    with scene_page(built.folder) as page:
        page.evaluate("harness.view.setLayer('labels', false)")
        look_at(page, (0.0, 0.0, 3.0), 45.0, 1.2)
        both = pixels(page)
        assert page.evaluate("harness.view.stats().triangles") > 0

        def brick(picture: np.ndarray) -> int:
            """Pixels of the scanned gate's colour; nothing of ours is so red."""
            return int((picture[..., 0] - picture[..., 2] > 60).sum())

        assert brick(both) > 500
        page.evaluate("harness.view.setLayer('background:scan', false)")
        settle(page)
        without = pixels(page)
        assert brick(without) < 0.02 * brick(both)
        look_at(page, (80.0, 0.0, 3.0), 90.0, 0.9)
        bare = pixels(page)
        page.evaluate("harness.view.setLayer('background:hill', true)")
        settle(page)
        assert (np.abs(pixels(page) - bare).max(axis=2) > 24).mean() > 0.2, "off by itself; on, it fills much of the picture"
        page.evaluate("harness.view.setLayer('background:scan', true)")
        look_at(page, (0.0, 0.0, 3.0), 45.0, 1.2)
        assert brick(pixels(page)) > 0.8 * brick(both)


def test_stills_and_exports_pass_them_by(built: BuildResult) -> None:
    assert not [p for p in (*finest_tiles(built.folder), *coarse_tiles(built.folder, set())) if "bg" in p.parts]


def test_another_build_takes_them_over_and_makes_the_same(built: BuildResult, tmp_path: Path) -> None:
    root = built.folder.parent
    before = {p: p.stat().st_ino for p in (built.folder / "tiles/bg").rglob("*.glb")}
    digest = tree_digest(built.folder / "tiles/bg")
    (root / "park.toml").write_text(PARK.replace('"Square"', '"The square"'), encoding="utf-8")
    again = compile_park(load_park(root))
    assert {p: p.stat().st_ino for p in (again.folder / "tiles/bg").rglob("*.glb")} == before
    assert [f for f in again.findings if "scan" in f.what] == [f for f in built.findings if "scan" in f.what]
    other = compile_park(load_park(_write(tmp_path / "other")))
    assert tree_digest(other.folder / "tiles/bg") == digest


def test_a_scan_in_the_wrong_zone_or_at_ellipsoidal_heights_is_noticed(tmp_path: Path) -> None:
    root = _write(tmp_path / "square", PARK.replace('kind = "pointcloud"', 'kind = "pointcloud"\ncrs = "EPSG:4547"'), 20_000)
    result = compile_park(load_park(root))
    stray = next(f for f in result.findings if f.level == "error")
    assert "layer 'scan' lands" in stray.what
    assert 'crs = "EPSG:4549"' in stray.mend
    assert not (result.folder / "tiles/bg/scan").exists()
    (root / "park.toml").write_text(PARK.replace('kind = "pointcloud"', 'kind = "pointcloud"\noffset = [0.0, 0.0, 12.5]'))
    high = next(f for f in compile_park(load_park(root)).findings if "above the ground" in f.what)
    assert "12.5 m" in high.what
    assert "-12.5" in high.mend


def test_a_damaged_one_stops_nothing_else(tmp_path: Path) -> None:
    root = _write(tmp_path / "square", count=20_000)
    scan = root / "scan.laz"
    scan.write_bytes(scan.read_bytes()[:9_000])
    result = compile_park(load_park(root))
    assert [f.what for f in result.findings if f.level == "error"] == [
        "layer 'scan': scan.laz is damaged, none of its points can be read"]
    assert (result.folder / "tiles/bg/hill/tileset.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited as Linux does")
def test_memory_does_not_grow_with_the_cloud(tmp_path: Path) -> None:
    peaks = []
    for name, count in (("small", 400_000), ("large", 3_200_000)):
        root = _write(tmp_path / name, PARK.replace('kind = "pointcloud"', 'kind = "pointcloud"\nspacing = 0.001'), count)
        code = ("import resource, sys; from pathlib import Path; from twin.parkfile import load_park; import gis.octree as o;"
                "o.BUCKET = 100_000; import gis.scan as s; s.PIECE = 100_000; o._PIECE = 100_000;"
                "from scenes.scan_tiles import tile_scan; from scenes.background_folder import Frame; import shapely;"
                "p = load_park(Path(sys.argv[1])); out = Path(sys.argv[1], 'out'); out.mkdir();"
                "f = Frame(p.crs, p.origin, (-1e9, -1e9, 1e9, 1e9), shapely.Polygon());"
                "tile_scan(p.layers[1], f, out, lambda a, b: None);"
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
        ran = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True,
                             env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
        peaks.append(int(ran.stdout))
    assert peaks[1] < 1.35 * peaks[0]
