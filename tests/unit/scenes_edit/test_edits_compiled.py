"""Edits applied by the compiler, and applied still after the models were exported again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from edited_park import build, export_again, keep, write_park

from scenes.editing import read_editing
from scenes.open_park import open_compiled, registry_of
from scenes.targets import Targets
from twin.graph import SceneGraph
from twin.overrides import DrawnZone, Group, Nest, Place, PutDevice, Rename
from twin.parkfile import load_park


@pytest.fixture
def park(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_park(tmp_path / "park")


def graph_of(park: Path) -> SceneGraph:
    return open_compiled(load_park(park)).graph


def rooms(graph: SceneGraph, building: str) -> list[int]:
    return [int(k) for k in graph.of_kind("space") if str(graph.columns["id"][k]).startswith(f"{building}:")]


def test_a_building_without_a_place_lies_at_the_origin_and_the_report_says_where_to_place_it(park: Path) -> None:
    told = [f for f in build(park).findings if f.code == "building.unplaced"]
    assert [f.fill["building"] for f in told] == ["lost"]
    assert "/editor" in told[0].mend
    standing = read_editing(park / "build")["buildings"]
    assert standing["lost"]["how"] == "none"
    assert standing["lost"]["at"] == [0.0, 0.0, 0.0]
    assert standing["west"]["how"] == "sources"


def test_every_edit_holds_and_holds_again_after_a_new_export_from_another_origin(park: Path) -> None:
    build(park)
    targets = Targets.open(park / "build", graph_of(park))
    before = graph_of(park)
    first, second = rooms(before, "west")[:2]
    place_of_rooms = before.columns["anchor"][[first, second]] - targets.pose("west").at
    keep(park,
         Place(target=targets.of("lost"), at=(60.0, 40.0, 0.5), anchor=targets.pose("lost").anchor, heading=90.0),
         Place(target=targets.of("west"), at=(-30.0, 10.0, 0.0), anchor=targets.pose("west").anchor, heading=350.0,
               was=targets.pose("west").at, was_heading=350.0),
         Rename(target=targets.of(str(before.columns["id"][first])), name="Porter", name_zh="门房"),
         Rename(target=targets.of("west"), name="West lodge", name_zh="西门房"),
         Group(id="g-1", name="Public", members=(targets.of(str(before.columns["id"][first])),
                                                 targets.of(str(before.columns["id"][second])))),
         DrawnZone(id="z-1", name="East side", ring=((40.0, 20.0), (80.0, 20.0), (80.0, 60.0), (40.0, 60.0))),
         PutDevice(id="CAM-1", kind="camera", at=(0, 0, 0), building="lost", heading=45.0,
                   own=tuple(targets.pose("lost").anchor), corner=targets.of("lost").corner))
    for step in ("as edited", "exported again", "exported again from another origin"):
        if step != "as edited":
            for name in ("west", "lost"):
                export_again(park / f"{name}.ifc", shift=(0, 0, 0) if step == "exported again" else (800.0, -90.0, 0.0))
        result = build(park)
        assert result.is_fresh
        assert not [f for f in result.findings if f.level != "note"], step
        graph = graph_of(park)
        c = graph.columns
        lost, west = graph.index("lost"), graph.index("west")
        box = c["bbox"][lost]
        assert np.allclose((box[:2] + box[3:5]) / 2, (60.0, 40.0), atol=1e-3), step
        assert box[2] == pytest.approx(0.5, abs=1e-3)
        assert c["id"][c["parent"][lost]] == "z-1"
        assert c["id"][c["parent"][west]] == "south"
        named = [k for k in rooms(graph, "west") if c["name_zh"][k] == "门房"]
        assert len(named) == 1, step
        assert c["name"][west] == "West lodge"
        assert np.allclose(c["anchor"][named[0]] - (-30.0, 10.0, 0.0), place_of_rooms[0], atol=2e-3), "the same room"
        group = graph.index("g-1")
        assert named[0] in graph.children(group)
        assert len(graph.children(group)) == 2
        assert c["kind"][c["parent"][group]] == "storey"
        camera = graph.index("CAM-1")
        assert np.allclose(c["anchor"][camera], (60.0, 40.0, 0.5), atol=1e-3)
        opened = open_compiled(load_park(park))
        known = {device.id: device.at for device in registry_of(opened.spec, opened.packs)}
        assert np.allclose(known["CAM-1"], (60.0, 40.0, 0.5), atol=1e-3), "the registry says where its building took it"
        assert graph.ancestor(camera, "building") == lost
        meter = graph.index("M1")
        old = before.columns["anchor"][before.index("M1")]
        assert np.allclose(c["anchor"][meter] - old, c["anchor"][west] - before.columns["anchor"][before.index("west")],
                           atol=2e-3), "the meter goes where its building goes"
        assert opened.points.device_index("CAM-1") is not None


def test_edits_that_match_nothing_are_kept_and_told_with_their_mend(park: Path) -> None:
    build(park)
    targets = Targets.open(park / "build", graph_of(park))
    name = str(graph_of(park).columns["id"][rooms(graph_of(park), "west")[0]])
    target = targets.of(name)
    keep(park, Rename(target=target, name="Porter"))
    text = (park / "overrides.toml").read_text()
    other = "".join(line.replace("ifc = \"west.ifc\"", "ifc = \"other.ifc\"") + "\n"
                    for line in (park / "park.toml").read_text().splitlines())
    from assets.demo.blocks import BLOCKS
    from assets.demo.building import write_building
    write_building(next(block for block in BLOCKS if block.id == "p1"), park / "other.ifc")
    (park / "park.toml").write_text(other)
    told = [f for f in build(park).findings if f.code == "edit.missed"]
    assert len(told) == 1
    assert "/editor" in told[0].mend
    assert (park / "overrides.toml").read_text() == text


def test_a_faulty_file_stops_no_build(park: Path) -> None:
    (park / "overrides.toml").write_text("[[override]\nwhat=")
    told = [f for f in build(park).findings if f.where == "overrides.toml"]
    assert [f.level for f in told] == ["error"]
    (park / "overrides.toml").write_text('[[override]]\nwhat = "zone"\nid = "z"\nname = "Z"\nring = [[0,0],[1,1]]\n')
    told = [f for f in build(park).findings if f.where == "overrides.toml"]
    assert "left out" in told[0].what


def test_a_room_lies_in_a_room_also_after_a_new_export_and_rings_are_told(park: Path) -> None:
    build(park)
    targets, before = Targets.open(park / "build", graph_of(park)), graph_of(park)
    ids = before.columns["id"]
    outer, inner, inmost = (targets.of(str(ids[room])) for room in rooms(before, "west")[:3])
    areas = {k: float(before.columns["area"][k]) for k in rooms(before, "west")}
    keep(park, Nest(target=inner, into=outer), Nest(target=inmost, into=inner),
         Group(id="g-1", name="Public", members=(outer, inner)))
    for step in ("as edited", "exported again"):
        if step == "exported again":
            export_again(park / "west.ifc")
        assert [f.what for f in build(park).findings if f.level != "note" and f.where == "overrides.toml"] == [], step
        graph = graph_of(park)
        again = Targets.open(park / "build", graph)
        one, two, three = (graph.index(again.node_of(target)) for target in (outer, inner, inmost))
        assert [graph.parent[three], graph.parent[two]] == [two, one], step
        assert graph.columns["id"][graph.parent[one]] == "g-1"
        assert graph.ancestor(three, "storey") == graph.ancestor(one, "storey") != 0
        assert three in graph.subtree(one)
        assert sum(graph.columns["area"][rooms(graph, "west")]) == pytest.approx(sum(areas.values())), "no floor counts twice"
    keep(park, Nest(target=inner, into=outer), Nest(target=outer, into=inner))
    told = [f for f in build(park).findings if "lies in it" in f.what]
    assert len(told) == 1
    assert "/editor" in told[0].mend
    graph = graph_of(park)
    assert graph.ancestor(graph.index(again.node_of(outer)), "storey"), "the ring is cut"
