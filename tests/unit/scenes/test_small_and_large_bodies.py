"""Buildings unlike buildings: smaller than a hand, made of bolts, larger than a cell of the ground."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import trimesh

from gis.mesh import Mesh, box_mesh, join, make_mesh
from scenes.compile import compile_park
from scenes.read_glb import read_glb
from scenes.shell import drop_small
from scenes.store import open_graph
from twin.parkfile import load_park

sys.path.insert(0, str(Path(__file__).parents[1] / "models_bim"))
from ifc_maker import Maker

GREY = (90, 90, 90)
PARK = """[park]
name = "One body"
crs = "EPSG:4549"
origin = [500000.0, 3400000.0, 0.0]

[[building]]
id = "b"
ifc = ["b.ifc"]
placement = { at = [0.0, 0.0, 0.0], rotation = 0.0 }
"""


def _built(folder: Path, size: tuple[float, float, float]) -> Path:
    """The build folder of a park with one building, which is one box."""
    maker = Maker()
    maker.box("IfcBuildingElementProxy", (0, 0, 0), size, maker.storey("L1", 0.0), Name="Body")
    maker.write(folder / "b.ifc")
    (folder / "park.toml").write_text(PARK, "utf-8")
    return compile_park(load_park(folder), jobs=1).folder


def _ball(node: int) -> Mesh:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.02)
    return make_mesh(ball.vertices, ball.faces.astype(np.uint32), colour=GREY, surface=0, node=node)


def test_small_triangles_go_but_a_bolt_made_of_them_stays_whole() -> None:
    wall, knob, bolt = box_mesh((0, 0, 0), (4, 0.2, 3), colour=GREY, surface=0, node=1), _ball(1), _ball(2)
    left = drop_small(join([wall, knob, bolt]))
    thing = left.node[left.faces[:, 0]]
    assert (np.count_nonzero(thing == 1), np.count_nonzero(thing == 2)) == (len(wall.faces), len(bolt.faces))


def test_a_body_without_a_surface_is_let_go() -> None:
    line = make_mesh(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]], np.uint32), colour=GREY, surface=0,
                     node=1)
    assert len(drop_small(line).faces) == 0


def test_a_building_smaller_than_a_hand_is_drawn(tmp_path: Path) -> None:
    build = _built(tmp_path, (0.004, 0.004, 0.004))
    body = next(node for node, name in enumerate(open_graph(build).columns["name"]) if name == "Body")
    for tile in ("shell.glb", "0.glb"):
        assert body in read_glb(build / "tiles" / "b" / "b" / tile).nodes_of_features()


def test_cells_of_the_ground_that_a_building_covers_are_left_out(tmp_path: Path) -> None:
    build = _built(tmp_path, (700.0, 700.0, 3.0))
    written = {path.name for path in (build / "tiles" / "ground").glob("*.glb")}
    told = json.loads((build / "tiles" / "tileset.json").read_text("utf-8"))
    listed = {one["content"]["uri"] for one in _every(told["root"]) if "content" in one}
    assert {name for name in listed if name.startswith("ground/")} == {f"ground/{name}" for name in written}
    assert len(written) == 1 + 9 - 1  # what lies beyond, and three by three cells but the middle one


def _every(tile: dict) -> Iterator[dict]:
    yield tile
    for child in tile.get("children", ()):
        yield from _every(child)


def test_a_building_beyond_the_earth_is_left_out_and_told(tmp_path: Path) -> None:
    maker = Maker()
    maker.box("IfcBuildingElementProxy", (6.0e8, 6.7e9, 0), (9.0, 9.0, 9.0), maker.storey("L1", 0.0), Name="Body")
    maker.write(tmp_path / "b.ifc")
    (tmp_path / "park.toml").write_text(PARK, "utf-8")
    built = compile_park(load_park(tmp_path), jobs=1)
    assert [f.level for f in built.findings if "has no place" in f.what] == ["error"]
    assert built.counts.get("element", 0) == 0
