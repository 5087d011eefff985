"""A park of real files compiles to tiles that strangers' tools accept; a tampered file proves that they look."""

from __future__ import annotations

import json
import math
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from campus_park import SHARED
from PIL import Image
from tile_checks import faults_of, issues_of

from scenes.compile import BuildResult, compile_park
from scenes.notebook import NotInPark, view
from scenes.output import digest, tree_digest
from scenes.read_glb import read_glb
from scenes.stills import draw_still, finest_tiles
from twin.parkfile import load_park

ORIGIN = (482_000.0, 5_456_500.0, 0.0)

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def built(campus: BuildResult) -> BuildResult:
    return campus


@pytest.fixture(scope="module")
def manifest(built: BuildResult) -> dict:
    return json.loads((built.folder / "manifest.json").read_text())


def test_every_footprint_becomes_a_building(built: BuildResult) -> None:
    nodes = pq.read_table(built.folder / "nodes.parquet").to_pandas()
    merged = sum("has its own model" in f.what for f in built.findings)
    assert (nodes["id"].str.startswith("buildings:")).sum() == 443 - merged
    assert (nodes["cls"] == "trees").sum() == 9315
    assert built.counts["storey"] >= 5
    assert nodes["index"].tolist() == list(range(1, len(nodes) + 1))


def test_footprints_stand_within_a_millimetre_of_their_coordinates(built: BuildResult) -> None:
    source = gpd.read_file(SHARED / "campus/gis/ubcv_buildings.geojson").to_crs("EPSG:26910").set_index("BLDG_UID")
    source = source[~source.index.duplicated()]
    layer = gpd.read_parquet(built.folder / "layers/buildings.parquet").set_index("id")
    common = layer.index.intersection(source.index)
    here, there = layer.loc[common].geometry.bounds.to_numpy(), source.loc[common].geometry.bounds.to_numpy()
    assert len(common) > 400
    assert np.abs(here - there).max() < 1e-3


def test_drawn_blocks_stand_where_their_nodes_say(built: BuildResult) -> None:
    nodes = pq.read_table(built.folder / "nodes.parquet").to_pandas().set_index("index")
    checked = 0
    for path in finest_tiles(built.folder, lambda extras: extras["layer"] == "blocks"):
        for part in read_glb(path).surfaces():
            for node in np.unique(part.node)[:40]:
                points = part.position[part.node == node]
                row = nodes.loc[node]
                assert points[:, 0].min() >= row["xmin"] - 0.06
                assert points[:, 1].max() <= row["ymax"] + 0.06
                checked += 1
    assert checked > 300


def test_known_defects_of_the_data_are_told(built: BuildResult) -> None:
    told = {f.what.split(": ")[-1]: f.count for f in built.findings if f.what.startswith("layer 'buildings'")}
    assert told["footprints overlap"] == 6  # by more than a square decimetre
    assert told["buildings lower than 2 m"] == 3
    assert told["height and number of floors do not fit each other"] == 21
    assert any(f.level == "error" and "broken.ifc" in f.what + f.where for f in built.findings)


def test_every_tile_passes_khronos_validator_and_a_tampered_one_does_not(built: BuildResult, tmp_path: Path) -> None:
    tiles = sorted((built.folder / "tiles").rglob("*.glb"))
    good = tiles[0].read_bytes()
    tampered = tmp_path / "tampered.glb"
    tampered.write_bytes(good.replace(b'"type":"VEC3"', b'"type":"VEC2"', 1))
    issues = issues_of([*tiles, tampered])
    assert issues.pop(str(tampered))
    assert len(issues) > 10
    assert {f: i for f, i in issues.items() if i} == {}


def test_tileset_follows_the_schema_of_3d_tiles_and_a_tampered_one_does_not(built: BuildResult) -> None:
    tileset = json.loads((built.folder / "tiles/tileset.json").read_text())
    assert faults_of("tileset.schema.json", tileset) == []
    harms = {"geometricError": -1}, {"refine": "add"}, {"children": []}, {"content": {"url": "a"}}, {"boundingVolume": {}}
    for harm in harms:
        child = {**tileset["root"]["children"][0], **harm}
        assert faults_of("tileset.schema.json", {**tileset, "root": {**tileset["root"], "children": [child]}}), harm


def test_property_tables_follow_the_schema_of_structural_metadata(built: BuildResult) -> None:
    files = sorted((built.folder / "tiles").rglob("*.glb"))
    found = [tile.json["extensions"]["EXT_structural_metadata"] for tile in map(read_glb, files)]
    assert len(found) == len(files) > 20
    assert [fault for metadata in found for fault in faults_of("metadata.schema.json", metadata)] == []
    assert faults_of("metadata.schema.json", {**found[0], "propertyTables": [{"class": "node"}]})


def test_tileset_nests_refines_and_names_files_that_exist(built: BuildResult) -> None:
    tileset = json.loads((built.folder / "tiles/tileset.json").read_text())
    assert tileset["asset"]["version"] == "1.1"
    uris: list[str] = []

    def walk(tile: dict, error: float, inside: np.ndarray | None) -> None:
        box = np.array(tile["boundingVolume"]["box"])
        low, high = box[:3] - box[[3, 7, 11]], box[:3] + box[[3, 7, 11]]
        assert tile["geometricError"] <= error
        assert tile["refine"] in ("ADD", "REPLACE")
        assert "layer" in tile["extras"]
        if inside is not None:
            assert (low >= inside[0] - 1e-6).all()
            assert (high <= inside[1] + 1e-6).all()
        if "content" in tile:
            uris.append(tile["content"]["uri"])
        for child in tile.get("children", []):
            walk(child, tile["geometricError"], np.array([low, high]))

    walk(tileset["root"], tileset["geometricError"], None)
    assert len(tileset["root"]["transform"]) == 16
    assert len(uris) == len(set(uris))
    on_disk = {p.relative_to(built.folder / "tiles").as_posix() for p in (built.folder / "tiles").rglob("*.glb")}
    assert set(uris) == on_disk


def test_property_tables_name_the_nodes_of_the_table(built: BuildResult) -> None:
    nodes = pq.read_table(built.folder / "nodes.parquet").to_pandas().set_index("index")
    for path in sorted((built.folder / "tiles/b").rglob("*.glb")):
        glb = read_glb(path)
        ids = glb.texts("id")
        assert [nodes.loc[n, "id"] if n else "" for n in glb.nodes_of_features()] == ids


def test_shell_is_lighter_than_what_it_stands_for(manifest: dict, built: BuildResult) -> None:
    for building in manifest["buildings"]:
        shell = sum(len(p.faces) for p in read_glb(built.folder / "tiles" / building["shell"]).surfaces())
        full = sum(len(p.faces) for s in building["storeys"] if s["tile"]
                   for p in read_glb(built.folder / "tiles" / s["tile"]).surfaces())
        assert shell < full
    assert [b["id"] for b in manifest["buildings"]] == ["duplex", "house"]


def test_placed_building_stands_at_its_placement(manifest: dict) -> None:
    box = next(b["bbox"] for b in manifest["buildings"] if b["id"] == "duplex")
    assert math.hypot((box[0] + box[3]) / 2 - 700, (box[1] + box[4]) / 2 + 40) < 25


def test_spaces_are_in_the_parks_own_crs(built: BuildResult) -> None:
    spaces = gpd.read_parquet(built.folder / "spaces.parquet")
    assert spaces.crs.to_epsg() == 26910
    near = shapely.distance(spaces.geometry.values, shapely.Point(ORIGIN[0] + 700, ORIGIN[1] - 40))
    assert near.min() < 30


def test_unchanged_park_is_left_as_it_stands_and_a_forced_build_repeats_it(built: BuildResult) -> None:
    spec = load_park(built.folder.parent, strict=False)
    before = digest(sorted(p for p in built.folder.rglob("*") if p.is_file()))
    assert not compile_park(spec).is_fresh
    again = compile_park(spec, force=True)
    assert again.is_fresh
    after = digest(sorted(p for p in again.folder.rglob("*") if p.is_file()))
    changed = {Path(name).relative_to(built.folder).as_posix() for name in before | after
               if before.get(name) != after.get(name)}
    assert changed == set()


def test_failed_build_leaves_the_last_good_one(built: BuildResult, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree_digest(built.folder)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("scenes.park_tiles.write_tiles", fail)
    with pytest.raises(OSError, match="disk full"):
        compile_park(load_park(built.folder.parent, strict=False), force=True)
    assert tree_digest(built.folder) == before
    assert not built.folder.with_name("build.tmp").exists()


def test_still_shows_more_than_sky(manifest: dict, built: BuildResult) -> None:
    tiles = [built.folder / "tiles" / s["tile"] for b in manifest["buildings"] for s in b["storeys"] if s["tile"]]
    target = np.array([725.0, -25.0, 2.0])
    image = np.asarray(Image.open(BytesIO(draw_still(built.folder, size=(320, 180), tiles=tiles,
                                                     camera=(target + np.array([-60, -90, 60]), target)))))
    assert image.shape == (180, 320, 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 200


def test_notebook_view_holds_one_building_only(built: BuildResult) -> None:
    renderer = view(built.folder, "duplex")
    triangles = sum(len(child.geometry.attributes["index"].array) // 3 for child in renderer.scene.children
                    if hasattr(child, "geometry"))
    assert 10_000 < triangles < 100_000
    with pytest.raises(NotInPark, match="no node of this park"):
        view(built.folder, "nobody")
