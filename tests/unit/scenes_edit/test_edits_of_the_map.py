"""Buildings of map layers moved, turned and named by edits, found again after the layer was exported anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from edited_park import build, keep, write_park

from ioc.edit_desk import AskDevice, EditDesk
from scenes.open_park import open_compiled, registry_of
from scenes.read_glb import read_glb
from scenes.targets import Targets
from twin.graph import SceneGraph
from twin.overrides import Place, PutDevice, Rename
from twin.parkfile import load_park
from twin.ports import WallClock
from twin.shared.papers import Paper

LAYER = '[[layer]]\nid = "blocks"\nsource = "blocks.geojson"\nkind = "buildings"\ncrs = "park"\nheight_field = "height"\n'
ELL = [(60, 40), (60, 20), (90, 20), (90, 30), (70, 30), (70, 40), (60, 40)]
ROW = [[(x, 80), (x, 70), (x + 12, 70), (x + 12, 80), (x, 80)] for x in (0, 15, 30)]


def write_blocks(root: Path, rings: list[list[tuple[float, float]]], ids: list[str] | None = None) -> None:
    """The layer; without ids its features are counted."""
    features = [{"type": "Feature", "properties": {"height": 9.0} | ({"id": ids[k]} if ids else {}),
                 "geometry": {"type": "Polygon", "coordinates": [ring]}} for k, ring in enumerate(rings)]
    (root / "blocks.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


@pytest.fixture
def park(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = write_park(tmp_path / "park")
    write_blocks(root, [ELL, *ROW])
    (root / "park.toml").write_text((root / "park.toml").read_text() + LAYER)
    (root / "devices.csv").write_text("id,kind,name,x,y,z\nROOF,camera,On the roof,65,35,9\nYARD,camera,Beside it,85,37,4\n")
    build(root)
    return root


def opened(root: Path) -> tuple[SceneGraph, Targets]:
    graph = open_compiled(load_park(root)).graph
    return graph, Targets.open(root / "build", graph)


def middle(graph: SceneGraph, key: str) -> tuple[float, float]:
    box = graph.columns["bbox"][graph.index(key)]
    return float(box[0] + box[3]) / 2, float(box[1] + box[4]) / 2


def moved(targets: Targets, key: str, at: tuple[float, float], heading: float) -> Place:
    pose = targets.pose(key)
    return Place(target=targets.of(key), at=(*at, 0.0), anchor=pose.anchor, heading=heading, was=pose.at)


def test_a_building_of_the_map_is_moved_turned_and_named_and_what_stands_on_it_goes_along(park: Path) -> None:
    before, targets = opened(park)
    keep(park, moved(targets, "blocks:1", (-60.0, -40.0), 90.0),
         Rename(target=targets.of("blocks:1"), name="Boiler house", name_zh="锅炉房"))
    found = [f for f in build(park).findings if f.level != "note" and f.where == "overrides.toml"]
    assert found == []
    graph, again = opened(park)
    c = graph.columns
    box = c["bbox"][graph.index("blocks:1")]
    assert middle(graph, "blocks:1") == pytest.approx((-60.0, -40.0), abs=1e-6)
    assert (box[3] - box[0], box[4] - box[1]) == pytest.approx((20.0, 30.0)), "turned by a quarter"
    assert (c["name"][graph.index("blocks:1")], c["name_zh"][graph.index("blocks:1")]) == ("Boiler house", "锅炉房")
    roof, yard = c["anchor"][graph.index("ROOF")], c["anchor"][graph.index("YARD")]
    assert np.allclose(roof[:2], (-60.0 + 5.0, -40.0 + 10.0)), "65, 35 is 10 m west and 5 m north of the middle"
    assert np.allclose(yard[:2], (85.0, 37.0)), "what stands in its box and not on it stays"
    assert again.stands("blocks:1")["how"] == "hand"
    assert again.pose("blocks:1").heading == 90.0
    assert again.of("blocks:1") == targets.of("blocks:1"), "it is known by what its layer says, wherever it stands"
    assert middle(graph, "blocks:2") == pytest.approx(middle(before, "blocks:2"))


def test_a_device_put_on_it_by_hand_goes_along_wherever_it_is_moved_later(park: Path, tmp_path: Path) -> None:
    keep(park, moved(opened(park)[1], "blocks:1", (-60.0, -40.0), 90.0))
    build(park)
    compiled = open_compiled(load_park(park))
    desk = EditDesk(compiled.spec, compiled.graph, compiled.packs, WallClock(), compiled.manifest["build"],
                    Paper(tmp_path / "edits.jsonl"))
    camera = AskDevice(id="HAND", kind="camera", at=(-53.0, -50.0, 9.0))  # in the notch of the ell's box: on nothing
    assert desk._override(camera, "ann").building == ""  # type: ignore[union-attr]
    put = desk._override(AskDevice(id="HAND", kind="camera", at=(-55.0, -30.0, 9.0)), "ann")
    assert isinstance(put, PutDevice)
    assert (put.building, put.own) == ("blocks:1", pytest.approx((65.0, 35.0, 9.0))), "as its layer has it"
    keep(park, moved(opened(park)[1], "blocks:1", (0.0, 100.0), 0.0), put)
    write_blocks(park, [[(200, 200), (200, 190), (230, 190), (230, 200), (200, 200)], ROW[0], ROW[2], ELL, ROW[1]])
    build(park)
    graph, _ = opened(park)
    assert graph.columns["anchor"][graph.index("HAND")] == pytest.approx((-10.0, 105.0, 9.0)), "10 m west, 5 m north of it"
    known = {device.id: device.at for device in registry_of(load_park(park), compiled.packs)}
    assert known["HAND"] == pytest.approx((-10.0, 105.0, 9.0))


def test_it_is_found_again_when_the_layer_is_exported_anew(park: Path) -> None:
    """Ids of a layer without a column of ids are row numbers: with a new building before them all they shift."""
    _, targets = opened(park)
    keep(park, moved(targets, "blocks:1", (-60.0, -40.0), 90.0), Rename(target=targets.of("blocks:3"), name="Middle one"))
    write_blocks(park, [[(200, 200), (200, 190), (230, 190), (230, 200), (200, 200)], ROW[0], ROW[2], ELL, ROW[1]])
    notes = [f.what for f in build(park).findings if f.where == "overrides.toml"]
    graph, again = opened(park)
    assert middle(graph, "blocks:4") == pytest.approx((-60.0, -40.0), abs=1e-6)
    assert middle(graph, "blocks:1") == pytest.approx((215.0, 195.0)), "the id alone says nothing"
    assert graph.columns["name"][graph.index("blocks:5")] == "Middle one"
    assert graph.columns["name"][graph.index("blocks:3")] != "Middle one"
    assert len([what for what in notes if "by shape and place" in what]) == 2
    assert again.node_of(targets.of("blocks:1")) == "blocks:4"


def test_a_building_that_is_gone_leaves_its_edit_as_an_orphan_and_moves_no_neighbour(park: Path) -> None:
    _, targets = opened(park)
    keep(park, moved(targets, "blocks:4", (-60.0, -40.0), 0.0))
    text = (park / "overrides.toml").read_text()
    write_blocks(park, [ELL, *ROW[:2]])
    told = [f for f in build(park).findings if f.code == "edit.missed"]
    assert len(told) == 1
    assert "blocks:4" in told[0].what
    assert "/editor" in told[0].mend
    assert (park / "overrides.toml").read_text() == text
    graph, again = opened(park)
    assert again.placed == {}
    assert again.node_of(targets.of("blocks:4")) == ""
    assert middle(graph, "blocks:3") == pytest.approx((21.0, 75.0))
    write_blocks(park, [ELL, *ROW])  # it comes back, and so does its place
    build(park)
    assert middle(opened(park)[0], "blocks:4") == pytest.approx((-60.0, -40.0), abs=1e-6)


def test_an_outline_drawn_anew_under_its_id_keeps_its_place_and_is_told(park: Path) -> None:
    write_blocks(park, [ELL, *ROW], ["ell", "r1", "r2", "r3"])
    (park / "park.toml").write_text((park / "park.toml").read_text() + 'id_field = "id"\n')
    build(park)
    _, targets = opened(park)
    keep(park, moved(targets, "blocks:ell", (-60.0, -40.0), 0.0))
    larger = [(x + 4 * (x > 65), y) for x, y in ELL]
    write_blocks(park, [larger, *ROW], ["ell", "r1", "r2", "r3"])
    told = [f.what for f in build(park).findings if f.where == "overrides.toml" and f.level == "warning"]
    assert ["not as large" in what for what in told] == [True]
    assert middle(opened(park)[0], "blocks:ell") == pytest.approx((-60.0, -40.0), abs=1e-6)


def test_the_tiles_show_it_where_it_stands_now(park: Path) -> None:
    assert drawn_at(park, "blocks:1")[:2] == pytest.approx((75.0, 30.0), abs=1.0)
    _, targets = opened(park)
    keep(park, moved(targets, "blocks:1", (-60.0, -40.0), 90.0))
    build(park)
    assert drawn_at(park, "blocks:1")[:2] == pytest.approx((-60.0, -40.0), abs=1.0)


def drawn_at(root: Path, key: str) -> np.ndarray:
    """The middle of what the tiles of the layer draw of a building."""
    node = opened(root)[0].index(key)
    points = [part.position[part.node == node] for path in (root / "build/tiles/layers").rglob("*.glb")
              for part in read_glb(path).surfaces()]
    every = np.concatenate(points)
    return (every.min(axis=0) + every.max(axis=0)) / 2
