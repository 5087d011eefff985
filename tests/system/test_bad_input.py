"""A folder with everything wrong in it: each fault is named with its mend, the rest is built, nothing crashes."""

from __future__ import annotations

import io
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import Point, box

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from parktwin.__main__ import main

HEAD = '[park]\nid = "bad"\nname = "Bad"\ncrs = "EPSG:4549"\norigin = [519200.0, 3342600.0, 0.0]\n'
RING = [[117.2, 30.2], [117.2003, 30.2], [117.2003, 30.2003], [117.2, 30.2003], [117.2, 30.2]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}


def _beside(square: dict, degrees: float) -> dict:
    """The square that far to the east: three buildings in one place would be drawn once."""
    return {**square, "coordinates": [[[x + degrees, y] for x, y in ring] for ring in square["coordinates"]]}


GOOD = {"type": "FeatureCollection", "features": [
    {"type": "Feature", "id": name, "properties": {"height": 9.0}, "geometry": _beside(SQUARE, 0.001 * k)}
    for k, name in enumerate(("twin", "twin", "other"))]}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it said, on one line."""

    status: int
    text: str


def parktwin(*words: str) -> Ran:
    """The command in this process, as its console script runs it; what it does not catch fails the test."""
    heard = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(heard), redirect_stderr(heard):
        patch.setenv("COLUMNS", "220")
        patch.setattr(sys, "argv", ["parktwin", *words])
        try:
            main()
            status = 0
        except SystemExit as left:
            status = int(left.code or 0)
    text = " ".join(heard.getvalue().split())
    assert "Traceback" not in text, text[-3000:]
    return Ran(status, text)


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five faults of the issue and one good thing beside each."""
    root = tmp_path_factory.mktemp("bad")
    write_building(next(block for block in BLOCKS if block.id == "g2"), root / "good.ifc")
    (root / "broken.ifc").write_text("ISO-10303-21;\nHEADER;\nthis is not a model")
    (root / "twice.geojson").write_text(json.dumps(GOOD))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no CRS is the point
        gpd.GeoDataFrame(geometry=[box(10, 10, 30, 30)]).to_file(root / "nowhere.gpkg")
    gpd.GeoDataFrame(geometry=[Point(519210, 3342610)], crs="EPSG:4549").to_file(root / "trees.gpkg")
    (root / "devices.csv").write_text(
        "id,kind,name,building,storey,space,guid,x,y,z,feeds\n"
        "CAM-1,camera,Good camera,,,,,20,20,4,\nCAM-2,camera,Lost camera,g2,1F,no such room,,,,,\n"
        "CAM-3,camera,Nowhere camera,,,,,,,,\n")
    (root / "park.toml").write_text(
        HEAD + 'registry = "devices.csv"\nnmae_zh = "typo"\n'
        '[[building]]\nid = "g2"\nifc = "good.ifc"\nplacement = { at = [40.0, 40.0, 0.0] }\n'
        '[[building]]\nid = "b9"\nifc = "broken.ifc"\nplacement = { at = [90.0, 40.0, 0.0] }\n'
        '[[layer]]\nid = "twice"\nsource = "twice.geojson"\nkind = "buildings"\n'
        '[[layer]]\nid = "nowhere"\nsource = "nowhere.gpkg"\nkind = "greens"\n'
        '[[layer]]\nid = "trees"\nsource = "trees.gpkg"\nkind = "trees"\n')
    return root


OK_LAYER = '[[layer]]\nid = "ok"\nsource = "ok.geojson"\nkind = "buildings"\n'
FAULTS = ("broken.ifc", "nowhere", "twin", "nmae_zh", "CAM-3")


def test_check_names_every_fault_and_does_not_fail_the_whole(park: Path) -> None:
    done = parktwin("check", str(park))
    text = done.text
    for fault in FAULTS:
        assert fault in text, fault
    assert "park.toml:7" in text, "a typo has its line"
    assert "name_zh" in text, "and what was meant"
    assert done.status == 0, "something can be built"


def test_build_goes_on_with_the_rest_and_reports(park: Path) -> None:
    done = parktwin("build", str(park))
    assert done.status == 0
    report = json.dumps(json.loads((park / "build" / "report.json").read_text()))
    for fault in ("broken.ifc", "nowhere", "twin", "CAM-2", "CAM-3"):
        assert fault in report, fault
    assert all(row["mend"] for row in json.loads((park / "build" / "report.json").read_text()))
    manifest = json.loads((park / "build" / "manifest.json").read_text())
    assert [b["id"] for b in manifest["buildings"]] == ["g2"], "the good building stands"
    assert (park / "build" / "tiles" / "tileset.json").exists()


def test_serve_refuses_a_park_that_was_never_built(tmp_path: Path) -> None:
    (tmp_path / "park.toml").write_text(HEAD)
    done = parktwin("serve", str(tmp_path))
    assert done.status == 2
    assert f"parktwin build {tmp_path}" in done.text


def test_a_park_of_nothing_readable_is_not_built_and_keeps_the_last_good_build(park: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ifc").write_text("")
    (tmp_path / "park.toml").write_text(HEAD + '[[building]]\nid = "a"\nifc = "a.ifc"\n')
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "manifest.json").write_text("{}")
    done = parktwin("build", str(tmp_path))
    assert done.status != 0
    assert "a.ifc" in done.text
    assert (tmp_path / "build" / "manifest.json").read_text() == "{}", "what was served stays"


NASTY = {
    "page.geojson": (b"<!doctype html><p>404 not found</p>", "page.geojson"),
    "empty.geojson": (b"", "empty.geojson"),
    "none.geojson": (b'{"type": "FeatureCollection", "features": []}', "layer 'x' holds nothing"),
    "half.gpkg": (b"SQLite format 3\0" + b"\0" * 40, "half.gpkg"),
    "far.geojson": (json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {
        "type": "Point", "coordinates": [1e9, 1e9]}}]}).encode(), "layer 'x'"),
}


@pytest.mark.parametrize("name", sorted(NASTY))
def test_a_layer_that_is_no_layer_is_one_line(name: str, tmp_path: Path) -> None:
    content, clue = NASTY[name]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "ok.geojson").write_text(json.dumps(GOOD))
    (tmp_path / "park.toml").write_text(
        HEAD + f'[[layer]]\nid = "x"\nsource = "{name}"\nkind = "trees"\n' + OK_LAYER)
    for verb in ("check", "build"):
        done = parktwin(verb, str(tmp_path))
        text = done.text
        assert done.status == 0
        assert clue in text or verb == "build", text


REGISTRIES = {
    "no header": (b"CAM-1,camera\n", "column 'id' is missing"),
    "unknown kind": (b"id,kind,name\nA,teapot,Tea\n", "kind 'teapot'"),
    "twice the same id": (b"id,kind,name,x,y,z\nA,camera,One,1,1,1\nA,camera,Two,2,2,2\n", "device 'A' is already on line 2"),
    "words for numbers": (b"id,kind,name,x,y,z\nA,camera,One,left,up,none\n", "x, y, z of device 'A'"),
    "gbk": ("id,kind,name,name_zh,x,y,z\nA,camera,One,摄像机,1,1,1\n".encode("gbk"), "UTF-8"),
    "nul": (b"id,kind,name\nA\0,camera,One\n", "id 'A"),
    "parent": (b"id,kind,name,building\n../../etc,camera,One,../a\n", "'../../etc'"),
}


@pytest.mark.parametrize("case", sorted(REGISTRIES))
def test_a_registry_with_faults_leaves_the_park_standing(case: str, tmp_path: Path) -> None:
    content, clue = REGISTRIES[case]
    (tmp_path / "devices.csv").write_bytes(content)
    (tmp_path / "ok.geojson").write_text(json.dumps(GOOD))
    (tmp_path / "park.toml").write_text(
        HEAD + 'registry = "devices.csv"\n' + OK_LAYER)
    check, build = parktwin("check", str(tmp_path)), parktwin("build", str(tmp_path))
    assert "devices.csv" in check.text
    assert clue in check.text
    assert build.status == 0
    nodes = json.loads((tmp_path / "build" / "manifest.json").read_text())["counts"]
    assert nodes["building"] == 3, "the layer beside it is built"


HEADS = {
    "an unknown EPSG": (HEAD.replace("4549", "999999").encode(), "crs 'EPSG:999999' is not known"),
    "degrees": (HEAD.replace("4549", "4326").encode(), "is not projected in metres"),
    "no park table": (b"a = 1\n", "there is no [park] table"),
    "not TOML": (b"[park\n", "not TOML"),
    "a path out of the folder": (
        (HEAD + '[[layer]]\nid = "x"\nsource = "../../etc/passwd"\nkind = "roads"\n').encode(),
        "there is no file '../../etc/passwd'"),
    "two layers of one id": (
        HEAD.encode() + b'[[layer]]\nid = "x"\nsource = "a"\nkind = "roads"\n' * 2, "id 'x' is already used on line 7"),
    "latin bytes": ('[park]\nname = "Café"\n'.encode("latin-1"), "UTF-8"),
}


@pytest.mark.parametrize("case", sorted(HEADS))
def test_a_park_file_with_faults_says_what_to_write(case: str, tmp_path: Path) -> None:
    content, clue = HEADS[case]
    (tmp_path / "park.toml").write_bytes(content)
    for verb in ("check", "build", "serve"):
        done = parktwin(verb, str(tmp_path))
        assert done.status != 0
        assert (clue if verb == "check" else "park.toml") in done.text or "parktwin build" in done.text, done.text
