"""What reading a large IFC file takes in memory, all processes together, against its size."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from parktwin.bench.child import run
from parktwin.bench.ifc_replica import replicate

SEED = Path(os.environ.get("PARKTWIN_SHARED", "../shared")) / "data" / "ifc" / "schependomlaan-windows.ifc"
READ = "import sys, pathlib, models_bim.read as r; print(len(r.read_file(pathlib.Path(sys.argv[1])).properties.step))"
MOST = 6.0  # times the size of the file


@pytest.mark.skipif(not SEED.is_file(), reason="no real models beside the checkout (PARKTWIN_SHARED)")
def test_reading_a_file_of_60_mb_takes_at_most_six_times_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.ifc"
    copies = replicate(SEED, path, 60_000_000)
    small, large = (run([sys.executable, "-c", READ, str(p)]) for p in (SEED, path))
    assert int(large.said) > (copies - 1) * int(small.said) * 0.95, "all of it was read"
    assert large.peak_mb > small.peak_mb > 60, "the meter sees the readers"
    assert large.peak_mb < MOST * path.stat().st_size / 1e6
