"""However many things a park has, no tile is heavy, few are needed from afar, and every thing is in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.mesh import Surface, box_mesh, take_faces
from scenes.compile import compile_park
from scenes.gis_tiles import MOST_INSTANCES, MOST_TRIANGLES
from scenes.massing import boxes
from scenes.quadtree import divide
from scenes.read_glb import read_glb
from scenes.stills import finest_tiles
from twin.parkfile import load_park

SIDE = 60  # buildings along each side
ORIGIN = np.array([500_000.0, 3_300_000.0])


def test_cells_share_out_every_row_once_and_none_is_too_heavy() -> None:
    rng = np.random.default_rng(3)
    xy, weight = rng.normal(size=(5000, 2)) ** 3, rng.uniform(1, 9, 5000)
    leaves = list(divide(xy, weight, 400, "x").leaves())
    assert sorted(np.concatenate([c.rows for c in leaves]).tolist()) == list(range(5000))
    assert max(weight[c.rows].sum() for c in leaves) <= 400
    assert len({c.name for c in leaves}) == len(leaves)


def test_things_in_one_place_are_left_together() -> None:
    assert not divide(np.zeros((50, 2)), np.ones(50), 10, "x").children


def test_box_stands_where_its_building_does() -> None:
    body = box_mesh((100, 50, 4), (30, 12, 9), 0.4, colour=(10, 20, 30), surface=Surface.RIBBON, node=7)
    wall = take_faces(body, [0, 1])
    assert len(boxes([wall, body]).faces) == 20, "bodies of any size, flat ones too"
    box = boxes([body])
    assert set(box.node.tolist()) == {7}
    assert box.position.min(0) == pytest.approx(body.position.min(0), abs=1e-6)
    assert box.position.max(0) == pytest.approx(body.position.max(0), abs=1e-6)
    corner = box.position[box.faces]
    outward = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    assert (np.einsum("ij,ij->i", outward, corner.mean(1) - [*body.position.mean(0)[:2], 4.0]) > 0).all()


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build folder of a town: 3,600 buildings, 16,000 trees, 400 pipes."""
    root = tmp_path_factory.mktemp("town")
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2) * 26.0
    squares = [shapely.box(x, y, x + 16, y + 12) for x, y in grid]
    trees = [shapely.Point(x * 1500, y * 1500) for x, y in np.random.default_rng(1).random((16_000, 2))]
    pipes = [shapely.LineString([(0, k * 4.0), (700, k * 4.0), (1500, k * 4.0)]) for k in range(400)]
    heights = {"height": 9 + np.arange(len(squares)) % 40}
    for name, shapes, column in (("b", squares, heights), ("t", trees, {}), ("p", pipes, {})):
        moved = [shapely.transform(g, lambda c: c + ORIGIN) for g in shapes]
        gpd.GeoDataFrame(column, geometry=moved, crs="EPSG:4549").to_file(root / f"{name}.gpkg")
    layers = "".join(f'[[layer]]\nid = "{i}"\nkind = "{kind}"\nsource = "{i}.gpkg"\n'
                     for i, kind in (("b", "buildings"), ("t", "trees"), ("p", "pipes")))
    (root / "park.toml").write_text(f'[park]\nid = "town"\nname = "Town"\ncrs = "EPSG:4549"\n'
                                    f'origin = [{ORIGIN[0]}, {ORIGIN[1]}, 0.0]\ntimezone = "Asia/Shanghai"\n{layers}')
    return compile_park(load_park(root), force=True, jobs=1).folder


def _tree(build: Path) -> list[dict[str, Any]]:
    """Every tile of the tileset, parents first."""
    found = [json.loads((build / "tiles/tileset.json").read_text())["root"]]
    for tile in found:
        found.extend(tile.get("children", []))
    return found


def test_no_tile_is_heavy_and_every_thing_is_in_one(tiles: Path) -> None:
    seen: set[int] = set()
    for path in finest_tiles(tiles):
        glb = read_glb(path)
        for node in glb.json["nodes"]:
            placed = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
            if placed:
                assert glb.json["accessors"][placed["attributes"]["TRANSLATION"]]["count"] <= MOST_INSTANCES
        if "layers/b_" in path.as_posix() or "pipes/" in path.as_posix():
            assert sum(len(part.faces) for part in glb.surfaces()) <= MOST_TRIANGLES
        seen.update(glb.nodes_of_features().tolist())
    nodes = gpd.pd.read_parquet(tiles / "nodes.parquet")
    drawn = nodes["index"][nodes["cls"].isin(["buildings", "trees"])]
    assert len(drawn) == SIDE * SIDE + 16_000
    assert set(drawn) <= seen


def test_from_afar_a_town_is_some_boxes(tiles: Path) -> None:
    """What a viewer draws where 60 m of detail do not count; pipes are not drawn."""
    triangles = 0
    stack = [json.loads((tiles / "tiles/tileset.json").read_text())["root"]]
    while stack:
        tile = stack.pop()
        is_enough = tile["geometricError"] < 60
        if "content" in tile and tile["extras"]["layer"] != "pipes" and (is_enough or tile["refine"] == "ADD"):
            triangles += sum(len(p.faces) for p in read_glb(tiles / "tiles" / tile["content"]["uri"]).surfaces())
        if not is_enough:
            stack.extend(tile.get("children", []))
    everything = sum(len(p.faces) for path in finest_tiles(tiles) for p in read_glb(path).surfaces())
    assert 1000 < triangles < everything / 20


def test_masses_stand_for_less_than_what_replaces_them(tiles: Path) -> None:
    masses = [t for t in _tree(tiles) if t["extras"].get("mass")]
    assert masses
    for tile in masses:
        assert tile["refine"] == "REPLACE"
        assert all(child["geometricError"] < tile["geometricError"] for child in tile["children"])
