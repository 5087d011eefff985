"""A list shared out among forks comes back whole, and no fork dies in silence."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
from ifc_maker import Maker

from models_bim.forks import DIED

ROOT = Path(__file__).resolve().parents[3]
SHARED = """
import os, sys
from models_bim.forks import in_forks
def work(share):
    for item in share:
        if item == {at}:
            {act}
        yield item, os.getpid()
try:
    found = list(in_forks([list(range(k, 11, {shares})) for k in range({shares})], {forks}, work))
except MemoryError:
    sys.exit(33)
print(sorted(item for item, _ in found) == list(range(11)), len({{pid for _, pid in found}}))
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def shared(shares: int, at: int = -1, act: str = "pass", forks: int = 2) -> subprocess.CompletedProcess[str]:
    return run(SHARED.format(shares=shares, forks=forks, at=at, act=act))


def test_every_item_is_found_once_and_every_share_by_a_process_of_its_own() -> None:
    for shares in (1, 2, 5):
        for forks in (1, 2):
            assert shared(shares, forks=forks).stdout.split() == ["True", str(shares)]


def test_forks_that_read_one_open_file_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(b"".join(b"%7d\n" % k for k in range(200_000)))
    code = f"""
from models_bim.forks import in_forks
with open({str(path)!r}, "rb") as source:
    source.seek(80)
    def work(share):
        for k in range(share[0], 200_000, 997):
            source.seek(k * 8)
            yield k == int(source.read(8))
    print(all(in_forks([[k] for k in range(40)], 4, work)))
"""
    assert run(code).stdout == "True\n", "each has a place of its own in the file"


def test_a_fork_that_dies_takes_the_process_with_it() -> None:
    assert shared(2, at=1, act="os.kill(os.getpid(), 11)").returncode == DIED


def test_a_fork_without_memory_is_told_as_that() -> None:
    assert shared(2, at=1, act="raise MemoryError").returncode == 33


def test_shapes_of_a_file_are_the_same_from_forks(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("EG", 0.0)
    for k in range(9):
        maker.box("IfcWall", (3.0 * k, 0, 0), (1.0 + k / 10, 0.2, 3.0), storey)
    path = maker.write(tmp_path / "walls.ifc")
    code = f"""
import sys, pickle
from pathlib import Path
import models_bim.geometry as geometry
from models_bim.worker import read_discipline
geometry.WORTH_A_FORK, geometry.LEAST_IN_A_SHARE, geometry.MOST_IN_A_SHARE = 2, 1, 6
whole = read_discipline(Path({str(path)!r})).shapes
found = [whole, read_discipline(Path({str(path)!r}), forks=3, is_lazy=True).shapes]
sys.stdout.buffer.write(pickle.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    alone, together = pickle.loads(done.stdout)
    assert list(alone) == list(together)
    assert len(alone) == 9
    for one, other in zip(alone.values(), together.values(), strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.context == b.context
            assert np.array_equal(a.mesh.vertices, b.mesh.vertices)
            assert np.array_equal(a.mesh.triangles, b.mesh.triangles)
            assert np.array_equal(a.ifc_from_local, b.ifc_from_local)
