"""The viewer's TypeScript run in Node, bundled as the pages are."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWER = ROOT / "assets/viewer"


def run_in_node(folder: Path, source: str, *words: str) -> str:
    """What a TypeScript program prints; it may import from `SOURCE/…`, the viewer's own, and the viewer's packages.

    Skips where Node is missing.
    """
    node = shutil.which("node") or shutil.which("node", path=str(ROOT / ".venv/bin"))
    esbuild = VIEWER / "node_modules/.bin/esbuild"
    if node is None or not esbuild.exists():
        pytest.skip("no node, or the viewer was not set up")
    (folder / "run.ts").write_text(source.replace("SOURCE", str(VIEWER / "src")), encoding="utf-8")
    subprocess.run([esbuild, "run.ts", "--bundle", "--platform=node", "--outfile=run.cjs", "--log-level=error"],
                   cwd=folder, check=True, env={**os.environ, "NODE_PATH": str(VIEWER / "node_modules")})
    ran = subprocess.run([node, "run.cjs", *words], capture_output=True, text=True, check=False, cwd=folder,
                         env={"TZ": "Pacific/Kiritimati"})
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
