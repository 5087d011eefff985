"""A footprint of the map and a building with a model are one thing: by ground, by name, by declaration; conflicts told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.model import Layer
from scenes.double import Standing
from scenes.footprints import NAME_REACH_M, SAME_SHARE, already_there, plain, undeclared
from scenes.rows import NodeRows
from scenes.store import open_graph, write_nodes
from twin.finding import Finding
from twin.graph import SceneGraph

A1, A2 = shapely.box(0, 0, 20, 10), shapely.box(60, 0, 80, 10)


def layer_of(*features: tuple[str, shapely.Geometry], layer_id: str = "blocks") -> Layer:
    n = len(features)
    blank = np.array([""] * n, dtype=object)
    return Layer(id=layer_id, kind="buildings", name=layer_id, name_zh="", source=f"{layer_id}.geojson", crs="EPSG:4549",
                 ids=np.array([str(k + 1) for k in range(n)], dtype=object),
                 names=np.array([name for name, _ in features], dtype=object), names_zh=blank,
                 geometry=np.array([shape for _, shape in features], dtype=object), height_m=np.full(n, 9.0),
                 width_m=np.full(n, np.nan), depth_m=np.full(n, np.nan), medium=blank)


def standing(*declared: str) -> list[Standing]:
    return [Standing("a1", A1, 11, ("a1", "Hall A1", "A1 大厅"), declared, 7), Standing("a2", A2, 12, ("a2", "Tower"), (), 9)]


def recognise(layer: Layer, there: list[Standing]) -> tuple[list[int], list[Finding]]:
    """Node that stands for each feature, 0 where it is drawn; and what is told, what went well aside."""
    told: list[Finding] = []
    stay, node = already_there(layer, there, told)
    assert ((node == 0) == stay).all()
    return node.tolist(), [f for f in told if f.level != "note"]


def test_ground_makes_one_of_a_footprint_and_a_model() -> None:
    assert recognise(layer_of(("", A1.buffer(-0.5)), ("", A2.buffer(1.0)), ("", shapely.box(200, 0, 210, 9))),
                     standing()) == ([11, 12, 0], [])


def test_name_makes_one_of_them_where_the_ground_does_not() -> None:
    beside = shapely.box(0, 14, 20, 24)
    node, told = recognise(layer_of(("hall-a1", beside), ("", A2)), standing())
    assert (node, told) == ([11, 12], [])
    assert recognise(layer_of(("A１ 大厅", beside)), standing())[0] == [11]
    assert recognise(layer_of(("Hall", beside)), standing())[0] == [0]  # no building is called that


def test_name_of_two_footprints_says_nothing() -> None:
    twice = layer_of(("Hall A1", shapely.box(0, 14, 20, 24)), ("Hall A1", shapely.box(0, -14, 20, -4)))
    assert recognise(twice, standing())[0] == [0, 0]


def test_name_far_from_the_model_is_a_conflict_and_both_are_drawn() -> None:
    far = shapely.box(0, 10 + NAME_REACH_M + 5, 20, 60)
    node, told = recognise(layer_of(("Hall A1", far)), standing())
    assert node == [0]
    assert [f.where for f in told] == ["blocks:1"]
    assert "35 m from its model" in told[0].what
    assert 'footprint = "blocks:1"' in told[0].mend


def test_name_that_speaks_against_the_ground_is_told_and_the_ground_holds() -> None:
    node, told = recognise(layer_of(("Tower", A1), ("", A2)), standing())
    assert node == [11, 12]
    assert ["has the name of building 'a2', but building 'a1' stands on it" in f.what for f in told] == [True]


def test_declaration_beats_place_and_name() -> None:
    far, wrong = shapely.box(300, 0, 320, 10), ("Tower", A1)
    node, told = recognise(layer_of(("", far), wrong), standing("blocks:1"))
    assert node == [11, 0]
    assert [f.what for f in told if "is not the one it declares" in f.what] == [
        "footprint 2 lies under building 'a1' and is not the one it declares; both are drawn"]


def test_declared_footprint_that_is_not_there_is_told_with_its_line() -> None:
    node, told = recognise(layer_of(("", A2)), standing("blocks:99", "nowhere:1"))
    assert node == [12]
    assert [(f.where, "blocks:99" in f.what) for f in told] == [("park.toml:7", True)]
    missing = undeclared(standing("blocks:99", "nowhere:1"), [layer_of(("", A2))])
    assert ["nowhere:1" in f.what for f in missing] == [True]


def test_two_buildings_that_declare_one_footprint_are_a_conflict() -> None:
    there = [standing("blocks:1")[0], replace(standing()[1], declared=("blocks:1",))]
    node, told = recognise(layer_of(("", A2)), there)
    assert node == [11]
    assert [f.level for f in told if "both declare" in f.what] == ["error"]


def test_footprint_under_two_models_and_two_footprints_of_one_model_are_conflicts() -> None:
    node, told = recognise(layer_of(("", shapely.box(-1, -1, 81, 11))), standing())
    assert node == [11]
    assert "lies under both buildings 'a1' and 'a2'" in told[0].what
    node, told = recognise(layer_of(("", shapely.box(0, 0, 10, 10)), ("", shapely.box(10, 0, 20, 10))), standing())
    assert node == [11, 11]
    assert [f.count for f in told if "2 footprints of layer 'blocks' are building 'a1' (1, 2)" in f.what] == [2]


def test_model_without_a_footprint_is_told_where_the_map_has_those_of_others() -> None:
    told: list[Finding] = []
    already_there(layer_of(("", A1)), standing(), told)
    assert [f.what for f in told if "has no footprint" in f.what] == ["building 'a2' has no footprint in layer 'blocks'"]
    told.clear()
    already_there(layer_of(("", shapely.box(500, 0, 520, 10))), standing(), told)  # a map of the surroundings
    assert told == []
    already_there(layer_of(("", shapely.box(0, 20, 20, 30))), standing(), told)
    assert [f.what for f in told] == ["building 'a1' has no footprint in layer 'blocks'; footprint 1 is close by"]


def test_merged_footprint_is_known_by_its_own_id_too(tmp_path: Path) -> None:
    rows = NodeRows()
    park = rows.add("park", "park", 0)
    hall = rows.add("a1", "building", park)
    rows.alias("blocks:1", hall)
    rows.alias("park", hall)  # what has an id keeps it
    graph = SceneGraph(rows.columns(), rows.aliases)
    write_nodes(tmp_path, graph)
    for opened in (graph, open_graph(tmp_path)):
        assert [opened.index(i) for i in ("blocks:1", "a1", "park", "blocks:2")] == [hall, hall, park, 0]


def test_names_are_compared_without_width_case_blanks_and_marks() -> None:
    assert plain(" Ａ１-研发 主楼 ") == plain("a1研发主楼")
    assert plain("A1") != plain("A2")


_BOXES = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 8), st.integers(1, 8)).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(st.lists(_BOXES, min_size=1, max_size=4), st.lists(_BOXES, min_size=1, max_size=6))
def test_ground_agrees_with_plain_loops(models: list[shapely.Geometry], prints: list[shapely.Geometry]) -> None:
    there = [Standing(f"b{k}", shape, k + 1) for k, shape in enumerate(models)]
    node, _ = recognise(layer_of(*[("", p) for p in prints]), there)
    for shape, found in zip(prints, node, strict=True):
        shares = [(m.intersection(shape).area, -k) for k, m in enumerate(models)
                  if m.intersection(shape).area > SAME_SHARE * min(m.area, shape.area)]
        assert found == (1 - max(shares)[1] if shares else 0)
