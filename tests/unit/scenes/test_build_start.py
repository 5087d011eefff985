"""A build loads what it needs and nothing else: for a small park loading takes longer than building."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_TREE = Path(__file__).resolve().parents[3]


def test_a_build_starts_without_the_libraries_that_few_steps_need() -> None:
    slow = ("scipy", "pandas", "geopandas", "pyogrio", "ifcopenshell", "trimesh", "rasterio", "panel")
    code = f"import parktwin.build, scenes.cluster, scenes.compile, sys; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=_TREE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
