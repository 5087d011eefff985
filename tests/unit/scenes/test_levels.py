"""A park high above the sea: where its ground is drawn, and what is told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import ifcopenshell
import pytest

from assets.demo.blocks import BLOCKS, CRS, ORIGIN
from assets.demo.building import write_building
from gis.model import FlatGround
from scenes.compile import BuildResult, compile_park
from scenes.levels import check_levels
from scenes.sources import read_sources
from scenes.store import open_graph
from scenes.targets import Targets
from twin.overrides import Place, key_of, written
from twin.parkfile import load_park
from twin.steps import StepStore
from twin.workshop import LocalPool, Workshop

HEIGHT = 1891.3
PARK = """[park]
id = "high"
name = "High"
crs = "{crs}"
origin = [{x}, {y}, {z}]
[[building]]
id = "gate"
ifc = "gate.ifc"
{more}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a building whose file puts its ±0.00 at 1,891.3 m."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    block = next(block for block in BLOCKS if block.id == "g2")
    write_building(replace(block, is_georeferenced=True), tmp_path / "gate.ifc")
    model = ifcopenshell.open(str(tmp_path / "gate.ifc"))
    model.by_type("IfcMapConversion")[0].OrthogonalHeight = HEIGHT
    model.write(str(tmp_path / "gate.ifc"))
    return tmp_path


def build(root: Path, *, z: float = 0.0, more: str = "") -> tuple[BuildResult, dict]:
    (root / "park.toml").write_text(PARK.format(crs=CRS, x=ORIGIN[0], y=ORIGIN[1], z=z, more=more), encoding="utf-8")
    result = compile_park(load_park(root), jobs=1)
    return result, json.loads((result.folder / "manifest.json").read_text(encoding="utf-8"))


def told(result: BuildResult) -> list[str]:
    return [f.what for f in result.findings if " m above " in f.what or " m under " in f.what]


def test_without_terrain_the_ground_lies_where_the_buildings_stand_and_the_origin_to_write_is_told(root: Path) -> None:
    result, manifest = build(root)
    assert manifest["ground"] == {"low": HEIGHT, "middle": HEIGHT, "high": HEIGHT}
    assert told(result) == ["the buildings stand 1,891.3 m above the park's origin, so the ground is drawn there"]
    mend = next(f.mend for f in result.findings if f.what == told(result)[0])
    assert "origin = [519200, 3342600, 1891.3]" in mend


def test_so_it_is_at_a_few_metres_and_a_plinth_lifts_no_ground(root: Path) -> None:
    assert build(root, z=HEIGHT - 7.5)[1]["ground"]["middle"] == 7.5
    assert build(root, z=HEIGHT - 1.2)[1]["ground"]["middle"] == 0.0


def test_a_building_that_an_edit_lifts_lifts_no_ground(root: Path) -> None:
    result, _ = build(root, z=HEIGHT)
    targets = Targets.open(result.folder, open_graph(result.folder))
    x, y, z = targets.pose("gate").at
    lifted = Place(target=targets.of("gate"), at=(x, y, z + 6.0), anchor=targets.pose("gate").anchor,
                   heading=targets.pose("gate").heading, was=(x, y, z), was_heading=targets.pose("gate").heading)
    (root / "overrides.toml").write_text(written("", {key_of(lifted): lifted}), encoding="utf-8")
    manifest = build(root, z=HEIGHT)[1]
    assert manifest["ground"]["middle"] == 0.0
    assert manifest["buildings"][0]["bbox"][2] > 5.0, "it stands higher"


def test_with_the_height_in_the_origin_nothing_is_told(root: Path) -> None:
    result, manifest = build(root, z=HEIGHT)
    assert manifest["ground"] == {"low": 0.0, "middle": 0.0, "high": 0.0}
    assert told(result) == []


def test_where_the_park_file_places_buildings_the_ground_stays_and_one_far_above_it_is_told(root: Path) -> None:
    result, manifest = build(root, more="placement = { at = [0.0, 0.0, 60.0] }")
    assert manifest["ground"]["middle"] == 0.0
    assert told(result) == ["building 'gate' stands 60.0 m above the ground of the park"]


def test_a_building_that_is_far_under_the_ground_is_told(root: Path) -> None:
    build(root, z=HEIGHT)
    sources = read_sources(load_park(root), lambda what, done, total: None, Workshop(LocalPool(1), StepStore(None)))
    found, = check_levels(sources.buildings, FlatGround(140.0))
    assert found.what == "building 'gate' stands 140.0 m under the ground of the park"
    assert "/editor" in found.mend
    assert check_levels(sources.buildings, FlatGround(20.0)) == (), "a slope or a basement"
