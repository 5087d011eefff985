"""`parktwin bench scene` runs and prints each row, whatever peers there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building

ROOT = Path(__file__).resolve().parents[2]


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "parktwin", "bench", "scene", *arguments], cwd=ROOT, text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_small_files_have_a_row_for_every_peer_and_figure(tmp_path: Path) -> None:
    file = tmp_path / "g2.ifc"
    write_building(next(block for block in BLOCKS if block.id == "g2"), file)
    done = _bench("--quick", "--only", "small", "--out", "-", str(file))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    whats = [row["what"] for row in rows]
    for what in ("build, file by file", "CPU of the build", "bytes as sent (brotli)", "xeokit-convert"):
        assert any(what in said for said in whats), what
    for peer in ("@thatopen/fragments", "web-ifc", "ifcopenshell GLB"):
        assert any(f"build, file by file, against {peer}" in said for said in whats), peer
    assert all(row["ours"] > 0 for row in rows)


def test_what_is_true_stands_beside_its_target(tmp_path: Path) -> None:
    file = tmp_path / "g2.ifc"
    write_building(next(block for block in BLOCKS if block.id == "g2"), file)
    done = _bench("--quick", "--only", "true,place", "--out", "-", str(file))
    assert done.returncode == 0, done.stderr
    rows = {row["what"].split(" [")[0]: row for row in json.loads(done.stdout)}
    assert rows["products with a body neither drawn nor reported"]["ours"] == 0
    for what in ("bounding boxes off OpenCASCADE's", "total area off OpenCASCADE's", "local frame: error of map coordinates",
                 "GCJ-02 there and back", "BD-09 there and back"):
        assert rows[what]["met"] is True, what


def test_rebuild_and_footprints_have_their_rows(tmp_path: Path) -> None:
    file = tmp_path / "g2.ifc"
    write_building(next(block for block in BLOCKS if block.id == "g2"), file)
    done = _bench("--quick", "--only", "again,gis", "--out", "-", str(file))
    assert done.returncode == 0, done.stderr
    whats = [row["what"] for row in json.loads(done.stdout)]
    for what in ("rebuild after one changed building", "mesh 1,000 footprints, as surroundings", "against ExtrudeGeometry",
                 "in full form"):
        assert any(what in said for said in whats), what


def test_rows_nobody_knows_are_told(tmp_path: Path) -> None:
    done = _bench("--only", "smell", str(tmp_path / "x.ifc"))
    assert done.returncode == 2
    assert "smell" in done.stderr
    assert "small" in done.stderr
