"""What goes into a tile comes out of it: places, colours, whose it is."""

import numpy as np
import pytest
from pyproj import Transformer

from gis.mesh import Surface, box_mesh, empty, join
from gis.shapes import tree
from scenes.bake import Light
from scenes.colour import from_gltf, to_gltf
from scenes.glb import FeatureNames, InstanceSet, TileContent, write_glb
from scenes.read_glb import Glb
from scenes.settle import settled
from scenes.tileset import Tile, bounding_box, ecef_from_park, tileset_json

NAMES = FeatureNames(np.array(["", "park", "a:1", "a:2"], object), np.array(["", "P", "北楼 <b>", "Two"], object),
                     np.array(["", "park", "buildings", "trees"], object))


def _light(n: int) -> Light:
    return Light(np.linspace(0, 255, n).astype(np.uint8), np.full(n, 9, np.uint8))


def _content() -> TileContent:
    box = box_mesh((1000.25, -500.5, 3.0), (40, 20, 9), 0.3, colour=(10, 20, 30), surface=Surface.RIBBON, node=2,
                   storey_dm=36)
    return TileContent(box, _light(len(box)), np.array([[[1000, -500, 3], [1010, -500, 12.0]]]))


def test_positions_come_back_within_a_millimetre() -> None:
    content = _content()
    part = Glb(write_glb(content, NAMES)).surfaces()[0]
    there = content.mesh.position[content.mesh.faces].reshape(-1, 3)
    here = part.position[part.faces].reshape(-1, 3)
    assert np.abs(here - there).max() < 1e-3


def test_colour_light_and_class_travel_unchanged() -> None:
    content = _content()
    part = Glb(write_glb(content, NAMES)).surfaces()[0]
    assert part.colour[:, :3].tolist() == content.mesh.colour.tolist()
    assert part.colour[:, 3].tolist() == content.light.ao.tolist()
    assert set(map(tuple, part.shade[:, [0, 2, 3]].tolist())) == {(9, 3, 36)}


def test_strangers_find_linear_colours_and_every_byte_comes_back() -> None:
    """Oracle: mid grey 188 is half the light; one step in the dark is seen in the file and 0..255 survive."""
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    stored = to_gltf(grey, grey[:, 0])
    assert stored[188, 0] / 65535 == pytest.approx(0.5029, abs=1e-4)
    assert stored[1, 0] / 65535 == pytest.approx(1 / 255 / 12.92, rel=0.05)
    assert (from_gltf(stored) == np.column_stack([grey, grey[:, 0]])).all()
    content = _content()
    glb = Glb(write_glb(content, NAMES))
    accessor = glb.json["accessors"][glb.json["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    assert (accessor["componentType"], accessor["normalized"]) == (5123, True)


def test_trees_and_edges_have_a_colour_for_those_who_do_not_know_our_attributes() -> None:
    mesh = tree("round")
    group = InstanceSet("tree-round", mesh, _light(len(mesh)), np.zeros((2, 3)), np.zeros(2), np.ones((2, 3)),
                        np.array([[60, 120, 60], [80, 140, 80]], np.uint8), np.full(2, 255, np.uint8), np.zeros(2, np.uint32))
    content = _content()
    gltf = Glb(write_glb(TileContent(content.mesh, content.light, content.edges, (group,)), NAMES)).json
    look = {m["name"]: gltf["materials"][m["primitives"][0]["material"]] for m in gltf["meshes"]}
    assert "baseColorFactor" not in look["surfaces"]["pbrMetallicRoughness"]
    red, green, blue, _ = look["tree-round"]["pbrMetallicRoughness"]["baseColorFactor"]
    assert green > 3 * red == pytest.approx(3 * blue)
    assert look["edges"]["alphaMode"] == "BLEND"
    assert max(look["edges"]["pbrMetallicRoughness"]["baseColorFactor"]) < 0.4


def test_every_vertex_says_whose_it_is_and_nobody_comes_first() -> None:
    glb = Glb(write_glb(_content(), NAMES))
    assert glb.nodes_of_features().tolist() == [0, 2]
    assert set(glb.surfaces()[0].node.tolist()) == {2}
    assert glb.texts("id") == ["", "a:1"]
    assert glb.texts("name") == ["", "北楼 <b>"]


def test_a_tile_drawn_without_names_is_settled_in_the_park() -> None:
    drawn, dense = write_glb(_content()), np.array([0, 7, 3], np.uint32)
    placed = Glb(settled(drawn, dense, NAMES, (100.0, -20.0)))
    assert placed.nodes_of_features().tolist() == [0, 3]
    assert placed.texts("id") == ["", "a:2"]
    assert placed.texts("name") == ["", "Two"]
    there_m = np.array([100.0, -20.0, 0.0])
    here, there = placed.surfaces()[0], Glb(drawn).surfaces()[0]
    assert here.position == pytest.approx(there.position + there_m, abs=1e-9)
    assert (here.faces == there.faces).all()
    assert (here.colour == there.colour).all()
    assert placed.edges() == pytest.approx(Glb(drawn).edges() + there_m, abs=1e-9)
    assert settled(write_glb(_content(), NAMES), np.arange(4, dtype=np.uint32), NAMES) == write_glb(_content(), NAMES)


def test_edges_come_back() -> None:
    assert np.abs(Glb(write_glb(_content(), NAMES)).edges() - _content().edges).max() < 1e-3


def test_instances_stand_where_they_were_put() -> None:
    mesh = tree("round")
    at = np.array([[5.0, 6.0, 1.0], [50.0, 60.0, 2.0]])
    group = InstanceSet("tree-round", mesh, _light(len(mesh)), at, np.array([0.0, np.pi / 2]),
                        np.array([[4, 4, 8.0], [6, 6, 10.0]]), np.full((2, 3), 128, np.uint8),
                        np.full(2, 255, np.uint8),
                        np.array([2, 3], np.uint32))
    part = Glb(write_glb(TileContent(empty(), _light(0), instances=(group,)), NAMES)).surfaces()[0]
    second = part.position[part.node == 3]
    assert second[:, 2].min() == pytest.approx(2.0, abs=1e-3)
    assert second[:, 2].max() == pytest.approx(12.0, abs=0.5)
    assert second[:, :2].mean(axis=0) == pytest.approx([50, 60], abs=0.5)
    turned = mesh.position * [6, 6, 10]
    assert second[:, 1].max() == pytest.approx(60 + turned[:, 0].max(), abs=1e-3)


def test_more_features_than_a_tile_can_number_are_refused() -> None:
    many = join([box_mesh((0, 0, 0), (1, 1, 1), colour=(0, 0, 0), surface=0, node=2)])
    nodes = np.arange(70_000, dtype=np.uint32)
    group = InstanceSet("x", many, _light(len(many)), np.zeros((70_000, 3)), np.zeros(70_000), np.ones((70_000, 3)),
                        np.zeros((70_000, 3), np.uint8), np.zeros(70_000, np.uint8), nodes)
    with pytest.raises(ValueError, match="70000 features"):
        write_glb(TileContent(empty(), _light(0), instances=(group,)), NAMES)


def test_same_content_gives_the_same_bytes() -> None:
    assert write_glb(_content(), NAMES) == write_glb(_content(), NAMES)


def test_root_transform_puts_park_points_where_proj_does() -> None:
    crs, origin = "EPSG:4549", (560_000.0, 3_350_000.0, 12.0)
    ecef = ecef_from_park(crs, origin)
    assert ecef[:3, :3].T @ ecef[:3, :3] == pytest.approx(np.eye(3), abs=1e-12)
    to_lonlat = Transformer.from_crs(crs, "EPSG:4979", always_xy=True)
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    for x, y, z in [(0, 0, 0), (100, 0, 0), (0, 100, 5), (-80, 60, 0)]:
        lon, lat = to_lonlat.transform(origin[0] + x, origin[1] + y)
        true = np.array(to_ecef.transform(lon, lat, origin[2] + z))
        assert np.linalg.norm((ecef @ [x, y, z, 1])[:3] - true) < 0.02  # what grid scale leaves over 100 m


def test_boxes_hold_their_tile() -> None:
    box = bounding_box((0, 0, 0, 10, 20, 4))["box"]
    assert box == [5, 10, 2, 5, 0, 0, 0, 10, 0, 0, 0, 2]
    text = tileset_json([Tile("a.glb", "x", (0, 0, 0, 1, 1, 1)), Tile("b.glb", "x", (5, 5, 5, 9, 9, 9))], np.eye(4))
    assert '"refine": "ADD"' in text
    assert '"version": "1.1"' in text
