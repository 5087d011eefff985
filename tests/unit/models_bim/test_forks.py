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
    found = list(in_forks(list(range(11)), {forks}, work))
except MemoryError:
    sys.exit(33)
print(sorted(item for item, _ in found) == list(range(11)), len({{pid for _, pid in found}}))
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def shared(forks: int, at: int = -1, act: str = "pass") -> subprocess.CompletedProcess[str]:
    return run(SHARED.format(forks=forks, at=at, act=act))


def test_every_item_is_found_once_by_as_many_processes_as_asked() -> None:
    for forks in (1, 2, 3):
        assert shared(forks).stdout.split() == ["True", str(forks)]


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
geometry.WORTH_A_FORK = 2
found = [read_discipline(Path({str(path)!r}), forks=forks).shapes for forks in (1, 3)]
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
