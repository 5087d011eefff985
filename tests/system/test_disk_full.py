"""A disk that fills in the middle of a build costs that build, and nothing that stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served_park import build_park, serving

from scenes.compile import compile_park
from scenes.output import DiskFullError, tree_digest
from twin.parkfile import load_park

KB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Makes disks of their own, so many bytes large."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own takes root to mount")
    mounted: list[Path] = []

    def mount(name: str, size: int) -> Path:
        place = tmp_path / name
        place.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], capture_output=True,
                              text=True)
        if made.returncode:
            pytest.skip(f"no disk of its own can be mounted here: {made.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    ballast = place / "ballast"
    with ballast.open("wb") as out:
        out.write(b"\1" * max(0, shutil.disk_usage(place).free - leave))
    return ballast


def test_a_full_disk_ends_the_build_and_the_park_is_served_on(disk: Callable[[str, int], Path], tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    park = shutil.copytree(build_park(tmp_path / "made"), disk("small", 256 * KB * KB) / "park")
    before = tree_digest(park / "build")
    with serving(park, park, text="") as served:
        http = served.browser().http
        first = http.get("/tiles/tileset.json").content
        ballast = fill(park.parent, 100 * KB)
        with pytest.raises(DiskFullError) as full:
            compile_park(load_park(park), jobs=1, force=True)
        assert re.search(r"takes about \d+\.\d MB, as the last one, and 0\.\d MB are free there; "
                         "the last good build still stands", str(full.value))
        assert str(full.value).startswith(f"{park}: the disk is full")
        assert "make room and build again" in full.value.mend
        assert not (park / "build.tmp").exists()
        assert http.get("/tiles/tileset.json").content == first
        assert http.get("/api/v1/park").status_code == 200
        ballast.unlink()
        assert compile_park(load_park(park), jobs=1, force=True).is_fresh
        assert http.get("/tiles/tileset.json").content == first
    assert tree_digest(park / "build") == before


def test_a_first_build_that_does_not_fit_says_how_far_it_came(disk: Callable[[str, int], Path], tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    park = shutil.copytree(build_park(tmp_path / "made"), disk("small", 4 * KB * KB) / "park")
    shutil.rmtree(park / "build")
    fill(park.parent, 80 * KB)
    with pytest.raises(DiskFullError, match=r"takes more than 0\.\d MB, and 0\.\d MB are free there; make room"):
        compile_park(load_park(park), jobs=1)
    assert not (park / "build").exists()
    assert not (park / "build.tmp").exists()


def test_a_full_cache_keeps_less_and_fails_nothing(disk: Callable[[str, int], Path], tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made").mkdir()
    park = build_park(tmp_path / "made")
    whole = tree_digest(park / "build")
    cache = disk("cache", 64 * KB)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    (cache / "parktwin" / "steps").mkdir(parents=True, mode=0o700)
    fill(cache, 0)
    shutil.rmtree(park / "build")
    assert compile_park(load_park(park), jobs=1).is_fresh
    assert tree_digest(park / "build") == whole
    assert not [path for path in (cache / "parktwin").rglob("*") if path.is_file()]


def test_a_build_caught_between_two_moves_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    park = build_park(tmp_path)
    before = tree_digest(park / "build")
    (park / "build").rename(park / "build.old")

    def stop(*_: object) -> None:
        raise OSError("stopped")

    monkeypatch.setattr("scenes.park_tiles.write_tiles", stop)
    with pytest.raises(OSError, match="stopped"):
        compile_park(load_park(park), jobs=1)
    assert tree_digest(park / "build") == before
