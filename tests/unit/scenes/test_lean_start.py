"""What a build has loaded while it reads: its readers share the machine's memory with it."""

import subprocess
import sys

HEAVY = ("pandas", "geopandas", "pyogrio", "scipy", "rasterio", "PIL")


def test_nothing_that_draws_and_no_tables_of_layers_are_loaded_before_all_is_read() -> None:
    asked = f"import sys, scenes.compile; print([m for m in {HEAVY} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
