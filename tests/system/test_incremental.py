"""A build repeats only what changed, to the same bytes as one that does everything, and goes on after it was stopped."""

from __future__ import annotations

import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.guid
import numpy as np
import pytest

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from models_bim.read import ReadModel
from scenes.compile import BuildResult, compile_park
from scenes.output import tree_digest
from scenes.read_glb import Glb
from scenes.store import open_graph
from twin.parkfile import load_park

LAMPS = "name,x,y\na,50.0,10.0\nb,310.0,10.0\n"
PATHS = """{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[-20, 12], [400, 12]]}}]}"""
PARK = """[park]
id = "two"
name = "Two"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
[[layer]]
id = "paths"
source = "paths.geojson"
kind = "paths"
crs = "park"
[[layer]]
id = "lamps"
source = "lamps.csv"
kind = "lamps"
crs = "park"
[[building]]
id = "west"
ifc = "west.ifc"
placement = { at = [20.0, 20.0, 0.0] }
[[building]]
id = "east"
ifc = "east.ifc"
placement = { at = [300.0, 20.0, 0.0] }
"""
#: What a build can do, by the function that does it.
WORK = {"read": "models_bim.read.read_file", "draw": "scenes.building_step.tile_building",
        "walk": "scenes.walk.walk_building", "paths": "scenes.walk._outdoors", "light": "scenes.ground_light._cell",
        "mesh the map": "scenes.gis_tiles.mesh_layers", "tile of the map": "scenes.gis_tiles.write_glb",
        "squeeze": "scenes.output.brotli.compress"}


@pytest.fixture
def park(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "park"
    root.mkdir()
    (root / "park.toml").write_text(PARK)
    (root / "paths.geojson").write_text(PATHS)
    (root / "lamps.csv").write_text(LAMPS)
    for name in ("west", "east"):
        write_building(next(block for block in BLOCKS if block.id == "g2"), root / f"{name}.ifc")
    return root


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each sort of work was done."""
    counted: Counter[str] = Counter()
    for name, where in WORK.items():
        module, function = where.rsplit(".", 1)
        real = getattr(pkgutil.resolve_name(module), function)

        def spy(*given: object, name: str = name, real: Callable[..., Any] = real, **named: object) -> Any:
            counted[name] += 1
            return real(*given, **named)

        monkeypatch.setattr(where, spy)
    return counted


def move_a_wall(file: Path) -> None:
    """What an architect's new export holds: one wall stands a hand further on."""
    model = ifcopenshell.open(file)
    at = model.by_type("IfcWall")[-1].ObjectPlacement.RelativePlacement.Location
    at.Coordinates = (at.Coordinates[0] + 0.1, *at.Coordinates[1:])
    model.write(str(file))


def built(park: Path, *, force: bool = False) -> BuildResult:
    return compile_park(load_park(park), jobs=1, force=force)


def steps_of(park: Path) -> list[Path]:
    every = (park.parent / "cache" / "parktwin" / "steps").rglob("*")
    return [path for path in every if len(path.name) == 64 and path.is_file()]  # the others are not written to their end


def kept(park: Path) -> set[str]:
    return {path.name for path in steps_of(park)}


def test_a_wall_moved_in_one_building_costs_that_building_and_the_light_round_it(park: Path, done: Counter[str]) -> None:
    built(park)
    whole = Counter(done)
    assert min(whole[name] for name in WORK) > 0, "the first build does all of it"
    assert {name: whole[name] for name in ("read", "draw", "walk")} == {"read": 2, "draw": 2, "walk": 2}
    done.clear()
    move_a_wall(park / "east.ifc")
    assert built(park).is_fresh
    assert {name: done[name] for name in ("read", "draw", "walk", "paths", "mesh the map")} == {
        "read": 1, "draw": 1, "walk": 1, "paths": 0, "mesh the map": 0}
    assert 0 < done["light"] < whole["light"], "only where its shadow falls"
    assert done["tile of the map"] < whole["tile of the map"], "tiles that it does not stand on or shade are as they were"
    assert 0 < done["squeeze"] < whole["squeeze"], "only files with other bytes"
    quick = tree_digest(park / "build")
    built(park, force=True)
    assert tree_digest(park / "build") == quick, "the same bytes as when every step is done"


def test_a_new_lamp_leaves_models_buildings_and_ways_as_they_were(park: Path, done: Counter[str]) -> None:
    built(park)
    done.clear()
    (park / "lamps.csv").write_text(LAMPS + "c,160.0,10.0\n")
    built(park)
    assert [done[name] for name in ("read", "draw", "walk", "paths")] == [0, 0, 0, 0]
    assert 0 < done["tile of the map"] <= 2, "the lamps; the ground is as it was"
    quick = tree_digest(park / "build")
    built(park, force=True)
    assert tree_digest(park / "build") == quick


def test_more_elements_in_one_building_leave_those_after_it_as_they_are_drawn(park: Path, done: Counter[str]) -> None:
    built(park)
    shell = Glb((park / "build/tiles/b/east/shell.glb").read_bytes())
    done.clear()
    model = ifcopenshell.open(park / "west.ifc")
    window = model.by_type("IfcWindow")[0]
    shelf = model.create_entity("IfcFurniture", ifcopenshell.guid.new(), Name="shelf", ObjectPlacement=window.ObjectPlacement,
                                Representation=window.Representation)
    rooms = next(r for r in model.by_type("IfcRelContainedInSpatialStructure") if window in r.RelatedElements)
    rooms.RelatedElements = [*rooms.RelatedElements, shelf]
    model.write(str(park / "west.ifc"))
    built(park)
    assert (done["read"], done["draw"], done["walk"], done["paths"]) == (1, 1, 1, 0), "west alone"
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

        patch.setattr("scenes.park_tiles.write_tiles", stop)
        with pytest.raises(KeyboardInterrupt):
            built(park)
    assert {ReadModel.of(park / f"{name}.ifc").key for name in ("west", "east")} <= kept(park), "what was read is kept"

    def no_reading(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("models_bim.read.read_file", no_reading)
    built(park)
    assert [b["id"] for b in json.loads((park / "build" / "manifest.json").read_text())["buildings"]] == ["west", "east"]


@pytest.mark.parametrize("stage", ["reading", "drawing"])
def test_a_build_that_was_killed_goes_on_where_it_was(park: Path, stage: str) -> None:
    built(park, force=True)
    whole = tree_digest(park / "build")
    kill_when(park, 1 if stage == "reading" else 10)
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


@pytest.mark.parametrize("stage", ["reading", "drawing"])
def test_ctrl_c_ends_a_build_soon_with_one_line_and_all_its_processes(park: Path, stage: str) -> None:
    built(park, force=True)
    whole = tree_digest(park / "build")
    manifest = park / "build" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "build": "of yesterday"}))
    standing = tree_digest(park / "build")
    told = park.parent / "told"
    with told.open("wb") as said:
        process = subprocess.Popen([sys.executable, "-m", "parktwin", "build", str(park)], stdout=said, stderr=said,
                                   start_new_session=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # as in a terminal
        while not (any("models_bim.worker" in line for line in group_of(process.pid)) if stage == "reading"
                   else (park / "build.tmp").exists()):
            assert process.poll() is None, "it was through before it could be stopped"
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the build hears it
        assert process.wait(60) == 130
    assert told.read_text().count("stopped; the last good build stands") == 1
    assert "Traceback" not in told.read_text()
    assert not group_of(process.pid), "nothing of it goes on"
    assert not (park / "build.tmp").exists()
    assert tree_digest(park / "build") == standing
    before = {path.name: path.stat().st_ino for path in steps_of(park)}
    assert before or stage == "reading"
    assert built(park).is_fresh
    assert before.items() <= {path.name: path.stat().st_ino for path in steps_of(park)}.items(), "none was made again"
    assert tree_digest(park / "build") == whole


def group_of(leader: int) -> list[str]:
    """Command lines of the processes of a group that are still at work."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
    return found


def test_a_building_that_moved_is_drawn_again(park: Path, done: Counter[str]) -> None:
    (park / "park.toml").write_text((park / "park.toml").read_text().replace("[300.0, 20.0, 0.0]", "[80.0, 20.0, 0.0]"))
    built(park)
    done.clear()
    text = (park / "park.toml").read_text()
    (park / "park.toml").write_text(text.replace("[80.0, 20.0, 0.0]", "[300.0, 20.0, 0.0]"))
    built(park)
    boxes = {b["id"]: b["bbox"] for b in json.loads((park / "build" / "manifest.json").read_text())["buildings"]}
    assert boxes["east"][0] > 290
    assert (done["read"], done["draw"]) == (0, 2), "east moved, west lost its neighbour; no model was read"


def test_copies_of_a_building_are_drawn_once_and_each_is_itself(park: Path, done: Counter[str]) -> None:
    """West twice, turned alike, nothing in the light of either."""
    (park / "park.toml").write_text((park / "park.toml").read_text().replace('"east.ifc"', '"west.ifc"'))
    built(park)
    assert (done["read"], done["draw"], done["walk"]) == (1, 1, 1)
    entry = {b["id"]: b for b in json.loads((park / "build" / "manifest.json").read_text())["buildings"]}
    graph = open_graph(park / "build")
    files = sorted(path.name for path in (park / "build/tiles/b/west").glob("*.glb"))
    assert files == sorted(path.name for path in (park / "build/tiles/b/east").glob("*.glb"))
    for name in files:
        tiles = [Glb((park / "build/tiles/b" / b / name).read_bytes()) for b in ("west", "east")]
        for one, other in zip(*(glb.surfaces() for glb in tiles), strict=True):
            assert other.position == pytest.approx(one.position + np.array([280.0, 0.0, 0.0]), abs=1e-6)
            assert (one.shade == other.shade).all()
        for glb in tiles:
            assert glb.texts("id")[1:] == [str(graph.columns["id"][node]) for node in glb.nodes_of_features()[1:]]
        assert not set(tiles[0].texts("id")[1:]) & set(tiles[1].texts("id"))
    moved_m = np.array([280.0, 0, 0, 280, 0, 0])
    assert entry["east"]["bbox"] == pytest.approx(np.array(entry["west"]["bbox"]) + moved_m, abs=1e-3)
    west, east = ([storey["id"].split(":") for storey in entry[b]["storeys"]] for b in ("west", "east"))
    assert [own for _, own in west] == [own for _, own in east]
    assert {building for building, _ in east} == {"east"}
    quick = tree_digest(park / "build")
    compile_park(load_park(park, strict=False), force=True)
    assert tree_digest(park / "build") == quick, "the same bytes as when every step is done"
