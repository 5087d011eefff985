"""A build repeats only what changed, to the same bytes as one that does everything, and goes on after it was stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import ifcopenshell
import ifcopenshell.guid
import pytest

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from scenes.compile import BuildResult, compile_park
from scenes.output import tree_digest
from scenes.read_glb import Glb
from scenes.store import open_graph
from twin.parkfile import load_park

PARK = """[park]
id = "two"
name = "Two"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
[[building]]
id = "west"
ifc = "west.ifc"
placement = { at = [20.0, 20.0, 0.0] }
[[building]]
id = "east"
ifc = "east.ifc"
placement = { at = [80.0, 20.0, 0.0] }
"""


@pytest.fixture
def park(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "park"
    root.mkdir()
    (root / "park.toml").write_text(PARK)
    for name in ("west", "east"):
        write_building(next(block for block in BLOCKS if block.id == "g2"), root / f"{name}.ifc")
    return root


def built(park: Path, *, force: bool = False) -> BuildResult:
    return compile_park(load_park(park), jobs=1, force=force)


def steps_of(park: Path) -> list[Path]:
    every = (park.parent / "cache" / "parktwin" / "steps").rglob("*")
    return [path for path in every if len(path.name) == 64 and path.is_file()]  # the others are not written to their end


def kept(park: Path) -> set[str]:
    return {path.name for path in steps_of(park)}


def test_one_changed_model_is_read_and_drawn_again_and_nothing_else(park: Path) -> None:
    built(park)
    first = kept(park)
    assert len(first) == 4, "two models read, two buildings drawn"
    with (park / "east.ifc").open("a") as model:
        model.write("/* saved again */\n")
    assert built(park).is_fresh
    assert len(kept(park) - first) == 2, "the changed one, read and drawn"
    quick = tree_digest(park / "build")
    built(park, force=True)
    assert tree_digest(park / "build") == quick, "the same bytes as when every step is done"


def test_more_elements_in_one_building_leave_those_after_it_as_they_are_drawn(park: Path) -> None:
    built(park)
    first, shell = kept(park), Glb((park / "build/tiles/b/east/shell.glb").read_bytes())
    model = ifcopenshell.open(park / "west.ifc")
    window = model.by_type("IfcWindow")[0]
    shelf = model.create_entity("IfcFurniture", ifcopenshell.guid.new(), Name="shelf", ObjectPlacement=window.ObjectPlacement,
                                Representation=window.Representation)
    rooms = next(r for r in model.by_type("IfcRelContainedInSpatialStructure") if window in r.RelatedElements)
    rooms.RelatedElements = [*rooms.RelatedElements, shelf]
    model.write(str(park / "west.ifc"))
    built(park)
    assert len(kept(park) - first) == 2, "west, read and drawn"
    after = Glb((park / "build/tiles/b/east/shell.glb").read_bytes())
    assert (after.nodes_of_features()[1:] == shell.nodes_of_features()[1:] + 1).all(), "one more before them"
    graph = open_graph(park / "build")
    assert after.texts("id")[1:] == [str(graph.columns["id"][node]) for node in after.nodes_of_features()[1:]]
    quick = tree_digest(park / "build")
    built(park, force=True)
    assert tree_digest(park / "build") == quick, "the same bytes as when every step is done"


def test_a_build_that_was_stopped_goes_on_where_it_was(park: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("scenes.compile.write_tiles", stop)
        with pytest.raises(KeyboardInterrupt):
            built(park)
    assert len(kept(park)) == 2, "what was read is kept"

    def no_reading(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("models_bim.read.read_file", no_reading)
    built(park)
    assert [b["id"] for b in json.loads((park / "build" / "manifest.json").read_text())["buildings"]] == ["west", "east"]


@pytest.mark.parametrize("stage", ["reading", "drawing"])
def test_a_build_that_was_killed_goes_on_where_it_was(park: Path, stage: str) -> None:
    built(park, force=True)
    whole = tree_digest(park / "build")
    kill_when(park, 1 if stage == "reading" else 3)
    assert tree_digest(park / "build") == whole, "the last good build stands"
    before = {path.name: path.stat().st_ino for path in steps_of(park)}
    (park / "build" / "manifest.json").write_text("{}")
    assert built(park).is_fresh
    assert before.items() <= {path.name: path.stat().st_ino for path in steps_of(park)}.items(), "none was made again"
    assert tree_digest(park / "build") == whole
    assert not (park / "build.tmp").exists()


def kill_when(park: Path, steps: int) -> None:
    """Start a build as a person does, and kill it once so many steps are kept."""
    (park / "build" / "manifest.json").rename(park / "build" / "put-aside")
    process = subprocess.Popen([sys.executable, "-m", "parktwin", "build", str(park), "--jobs", "1"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while len(kept(park)) < steps:
            assert process.poll() is None, "it was through before it could be killed"
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()
    (park / "build" / "put-aside").rename(park / "build" / "manifest.json")


def test_a_building_that_moved_is_drawn_again(park: Path) -> None:
    built(park)
    first = kept(park)
    text = (park / "park.toml").read_text()
    (park / "park.toml").write_text(text.replace("[80.0, 20.0, 0.0]", "[300.0, 20.0, 0.0]"))
    built(park)
    boxes = {b["id"]: b["bbox"] for b in json.loads((park / "build" / "manifest.json").read_text())["buildings"]}
    assert boxes["east"][0] > 290
    assert len(kept(park) - first) == 2, "east moved, west lost its neighbour; no model was read"
