"""A build on a real Dask cluster: the same bytes, whoever dies meanwhile, and one clear sentence where it cannot be."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
from dask_rig import REPOSITORY, Rig, rig
from shapely.geometry import LineString

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from gis.step import ReadLayer
from scenes.cluster import ClusterError, cluster
from scenes.compile import BuildResult, compile_park
from scenes.output import tree_digest
from twin.parkfile import load_park

COUNT = 4
HEAD = """[park]
id = "row"
name = "Row"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
[[layer]]
id = "road"
source = "road.geojson"
kind = "roads"
"""
BUILDING = """[[building]]
id = "b{k}"
ifc = "b{k}.ifc"
placement = {{ at = [{x}.0, 20.0, 0.0] }}
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small buildings on a road, not built."""
    root = tmp_path_factory.mktemp("row")
    block = next(block for block in BLOCKS if block.id == "g2")
    write_building(block, root / "b0.ifc")
    for k in range(1, COUNT):
        (root / f"b{k}.ifc").write_bytes((root / "b0.ifc").read_bytes() + b"/* %d */\n" % k)
    road = LineString([(519200, 3342600), (519200 + 60 * COUNT, 3342600)])
    gpd.GeoDataFrame({"width": [6.0]}, geometry=[road], crs="EPSG:4549").to_crs(4326).to_file(root / "road.geojson")
    (root / "park.toml").write_text(HEAD + "".join(BUILDING.format(k=k, x=20 + 60 * k) for k in range(COUNT)))
    return root


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the park as this machine builds it alone."""
    root = shutil.copytree(source, tmp_path_factory.mktemp("local") / "park")
    compile_park(load_park(root), jobs=2, force=True)
    return tree_digest(root / "build")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("dask"), workers=2) as made:
        yield made


@pytest.fixture
def park(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shutil.copytree(source, tmp_path / "park")


def built(park: Path, made: Rig, said: list[str], **options: object) -> BuildResult:
    with cluster(made.address, said.append) as pool:
        return compile_park(load_park(park), pool=pool, **options)  # type: ignore[arg-type]


def kept(park: Path) -> set[str]:
    return {path.name for path in (park.parent / "cache" / "parktwin" / "steps").rglob("*") if path.is_file()}


def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("done on this machine")

    for name in ("models_bim.read.read_file", "gis.read.read_layer", "scenes.building_step.tile_building"):
        monkeypatch.setattr(name, fail)


def test_two_workers_build_what_one_machine_builds(park: Path, whole: str, two: Rig,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_here(monkeypatch)
    told: list[tuple[str, int, int]] = []
    built(park, two, said := [], progress=lambda stage, done, total: told.append((stage, done, total)))
    assert tree_digest(park / "build") == whole
    (park / "build" / "manifest.json").unlink()
    compile_park(load_park(park))
    assert tree_digest(park / "build") == whole, "nothing is read or drawn again: what the workers did is kept on this side"
    assert [done for stage, done, _ in told if stage == "buildings"] == list(range(COUNT + 1))
    assert [text for text in said if not text.startswith("no worker can be used yet")] == []


def test_a_worker_that_dies_is_told_and_its_steps_are_done_by_the_other(park: Path, whole: str, two: Rig) -> None:
    doomed = two.add_worker()
    said: list[str] = []
    killed: list[int] = []

    def kill(stage: str, done: int, _: int) -> None:
        if stage == "buildings" and done == 1:
            killed.append(doomed.pid)
            doomed.send_signal(signal.SIGKILL)

    with cluster(two.address, said.append) as pool:
        while len(pool.threads) < 3:
            pool.look()
        compile_park(load_park(park), pool=pool, progress=kill)
        pool.look()
    doomed.wait()
    assert killed
    assert [text for text in said if "is gone; its steps are done elsewhere" in text]
    assert tree_digest(park / "build") == whole


def test_hundreds_of_files_go_through(tmp_path: Path, two: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    park, text = tmp_path / "park", [HEAD.split("[[layer]]")[0]]
    park.mkdir()
    for k in range(200):
        rows = [f"P{k}-{j},{10 * (k % 20) + j},{10 * (k // 20)}" for j in range(3)]
        (park / f"l{k}.csv").write_text("\n".join(["name,x,y", *rows]))
        text.append(f'[[layer]]\nid = "l{k}"\nsource = "l{k}.csv"\nkind = "poi"\ncrs = "park"\n')
    (park / "park.toml").write_text("".join(text))
    result = built(park, two, [])
    assert result.counts["feature"] == 600
    assert {step.key for layer in load_park(park).layers for step in [ReadLayer.of(layer, load_park(park))]} <= kept(park)
    there = tree_digest(park / "build")
    compile_park(load_park(park), force=True)
    assert tree_digest(park / "build") == there


def test_a_worker_with_other_code_gets_no_step(park: Path, whole: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for room in ("twin", "models_bim", "gis", "scenes"):
        shutil.copytree(REPOSITORY / room, other / room, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "assets").symlink_to(REPOSITORY / "assets")
    with (other / "scenes" / "far.py").open("a") as changed:
        changed.write("WORTH = 0.2\n")
    (tmp_path / "nowhere" / "scenes").mkdir(parents=True)
    (tmp_path / "nowhere" / "scenes" / "__init__.py").write_text("raise ImportError('as where nothing is installed')\n")
    with rig(tmp_path, workers=0) as made:
        made.add_worker(code=other)
        made.add_worker(code=tmp_path / "nowhere")
        made.wait_for(2)
        with pytest.raises(ClusterError, match="no worker that can be used"), \
                cluster(made.address, (said := []).append, patience_secs=5):
            pass
        made.add_worker()
        built(park, made, said)
    assert tree_digest(park / "build") == whole
    assert any("is left out: parktwin code" in text and text.endswith("install the same versions there") for text in said)
    assert any("it has no parktwin to work with" in text for text in said)


@pytest.mark.skipif(os.geteuid() != 0, reason="hiding a folder from a worker needs root")
def test_files_travel_to_workers_that_do_not_see_them(park: Path, whole: str, tmp_path: Path) -> None:
    (tmp_path / "dask").mkdir()
    with rig(tmp_path / "dask") as made:
        made.add_worker(hidden=park)
        built(park, made, said := [])
    assert "the park's files are not on the workers; they are sent" in said
    assert tree_digest(park / "build") == whole


def test_too_large_a_file_for_the_way_is_one_finding_and_the_rest_goes_on(park: Path, tmp_path: Path,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("hiding a folder from a worker needs root")
    monkeypatch.setattr("scenes.cluster.SEND_MOST_BYTES", (park / "b3.ifc").stat().st_size - 1)
    (park / "b0.ifc").write_text("ISO-10303-21;")
    (tmp_path / "dask").mkdir()
    with rig(tmp_path / "dask") as made:
        made.add_worker(hidden=park)
        result = built(park, made, [])
    told = [f for f in result.findings if "too large to send" in f.what]
    assert len(told) == COUNT - 1
    assert all("share the park's folder" in f.mend for f in told)
    assert [f for f in result.findings if f.where == "b0.ifc"], "it was small enough, and read"


def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9 .*start one"), \
            cluster("tcp://127.0.0.1:9", print):
        pass
    with pytest.raises(ClusterError, match=r"'10\.0\.0\.5' is no address"), cluster("10.0.0.5", print):
        pass
    with pytest.raises(ClusterError, match="needs certificates"), cluster("tls://127.0.0.1:9", print):
        pass
    with rig(tmp_path) as made, pytest.raises(ClusterError, match=r"no worker that can be used.*dask worker tcp"), \
            cluster(made.address, (said := []).append, patience_secs=1):
        pass
    assert said == ["no worker can be used yet; waiting 1 s for one"]


def test_without_dask_the_option_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'parktwin\[dask\]'"), cluster("tcp://127.0.0.1:9", print):
        pass


def test_a_scheduler_that_goes_leaves_what_was_done(park: Path, whole: str, tmp_path: Path) -> None:
    (tmp_path / "dask").mkdir()
    with rig(tmp_path / "dask", workers=1) as made:
        def kill(stage: str, done: int, _: int) -> None:
            if stage == "buildings" and done == 2:
                made.scheduler.kill()

        with pytest.raises(ClusterError, match="went away in the middle of the build; start it and build again"):
            built(park, made, [], progress=kill)
    done = kept(park)
    assert len(done) >= 2
    compile_park(load_park(park), jobs=1)
    assert done < kept(park)
    assert tree_digest(park / "build") == whole
