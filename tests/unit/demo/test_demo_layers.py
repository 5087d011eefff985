"""The sample park's GIS layers and device registry: bytes, counts, and that everything binds."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from pathlib import Path

import laspy
import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely.geometry import Point, Polygon

from assets.demo import blocks, gisfiles, land, planting
from assets.demo.blocks import BLOCK_OF, BLOCKS
from assets.demo.fittings import fittings
from assets.demo.furnish import furnish
from assets.demo.ifcmodel import guid_of
from assets.demo.make import park_toml
from assets.demo.programs import storeys_of
from assets.demo.registry import devices, write_devices
from assets.demo.scan import write_scan
from twin.packs import load_packs
from twin.registry import PointTable, read_registry


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gis")
    gisfiles.write_layers(folder, 7)
    return folder


def test_layers_come_out_the_same_twice(layers: Path, tmp_path: Path) -> None:
    gisfiles.write_layers(tmp_path, 7)
    for path in sorted(layers.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_scan_says_where_it_lies_and_comes_out_the_same_twice(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.laz", 7)
    write_scan(tmp_path / "b.laz", 7)
    assert (tmp_path / "a.laz").read_bytes() == (tmp_path / "b.laz").read_bytes()
    scan = laspy.read(tmp_path / "a.laz")
    assert scan.header.parse_crs() == CRS(blocks.CRS)
    x, y, z = (np.asarray(axis) - origin for axis, origin in zip((scan.x, scan.y, scan.z), blocks.ORIGIN, strict=True))
    assert len(x) > 100_000
    assert bool(shapely.contains_xy(land.SITE, x, y).all())
    assert 25.0 < z.max() < 30.0, "the chimney"
    assert set(np.unique(np.asarray(scan.classification))) == {2, 5, 6}


def test_another_seed_plants_other_trees() -> None:
    assert [t.geometry.wkt for t in planting.trees(7)] != [t.geometry.wkt for t in planting.trees(8)]


def test_a_thousand_trees_keep_off_roads_buildings_and_water() -> None:
    trees = planting.trees(7)
    assert 900 <= len(trees) <= 1400
    solid = shapely.union_all([land.road_area(), land.river(), land.pond(), *land.footprints().values()])
    shapely.prepare(solid)
    assert not any(solid.contains(t.geometry) for t in trees)


def test_ground_is_flat_where_buildings_stand_and_rises_beyond_the_river() -> None:
    for block in BLOCKS:
        x, y = np.array(block.corners(3.0)).T
        assert np.abs(gisfiles.ground_z(x, y)).max() < 0.02
    assert gisfiles.ground_z(np.array([560.0]), np.array([690.0]))[0] > 15
    assert gisfiles.ground_z(np.array([300.0]), np.array([land.river_y(300.0)]))[0] == pytest.approx(
        gisfiles.RIVER_Z, abs=0.01
    )


def test_every_entrance_reaches_the_footpaths() -> None:
    ways = shapely.union_all([p.geometry for p in land.paths()])
    for door in land.entrances():
        assert ways.distance(door.geometry) < 0.6, door.id


def test_footprints_stand_inside_the_fence_and_apart_from_roads() -> None:
    roads = shapely.union_all([shapely.LineString(r.line).buffer(r.width / 2) for r in land.ROADS])
    prints = list(land.footprints().items())
    for key, area in prints:
        assert land.SITE.contains(area), key
        assert not roads.intersects(area), key
        assert all(not area.intersects(other) for name, other in prints if name != key), key


def test_registry_reads_without_a_fault_and_has_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    write_devices(path)
    packs = load_packs()
    registry = read_registry(path, packs)
    assert registry.faults == ()
    assert 1800 <= len(registry.devices) <= 3000
    assert set(Counter(d.kind for d in registry.devices)) == set(packs.kinds)
    assert len(PointTable(registry.devices, packs.kinds)) > 6000


def test_every_device_binds_to_something_that_exists() -> None:
    rooms = {(b.id, s.name): {c.number for c in s.cells} for b in BLOCKS for s in storeys_of(b)}
    guids = {guid_of(b.id, i.key) for b in BLOCKS for s in storeys_of(b) for i in [*furnish(b, s), *fittings(b, s)]}
    for row in devices():
        if row.building:
            assert row.building in BLOCK_OF, row.id
        if row.space:
            assert row.space in rooms[row.building, row.storey], row.id
        if row.guid and row.kind not in ("lift", "door"):
            assert row.guid in guids, row.id
        assert row.building or row.at, row.id
        if row.at and not row.building:
            assert land.SITE.buffer(8).contains(Point(row.at[:2])), row.id


def test_every_camera_says_where_it_looks_and_looks_into_its_room() -> None:
    cells = {(b.id, s.name, c.number): (b, c) for b in BLOCKS for s in storeys_of(b) for c in s.cells}
    cameras = [row for row in devices() if row.kind == "camera"]
    assert len({row.id for row in cameras}) == len(cameras) > 300
    for row in cameras:
        assert row.heading is not None, row.id
        assert 0 <= row.heading < 360, row.id
        if not (row.building and row.at):
            continue
        block, cell = cells[row.building, row.storey, row.space]
        x0, y0, x1, y1 = cell.rect
        room = Polygon([block.park_from_local(x, y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])
        turn = math.radians(90.0 - row.heading)
        for metres in (0.0, 1.5):
            spot = Point(row.at[0] + metres * math.cos(turn), row.at[1] + metres * math.sin(turn))
            assert room.buffer(0.01).contains(spot), row.id


def test_device_names_speak_both_languages() -> None:
    for row in devices():
        cells = row.cells()
        assert cells[2].isascii() or "é" in cells[2], row.id
        assert any("\u4e00" <= c <= "\u9fff" for c in cells[3]), row.id


def test_park_file_names_every_building_and_layer() -> None:
    park = tomllib.loads(park_toml())
    assert len(park["building"]) == len(BLOCKS)
    assert {layer["kind"] for layer in park["layer"]} >= {
        "roads",
        "trees",
        "water",
        "pipes",
        "terrain",
        "buildings",
        "fence",
        "gates",
        "pointcloud",
    }
    assert park["park"]["demo"] is True
