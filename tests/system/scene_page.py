"""The 3D view alone in a real browser, over any compiled park: opened, aimed, read pixel by pixel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")
VIEWER = Path(__file__).resolve().parents[2] / "assets/viewer"
CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WIDTH, HEIGHT = 640, 360


@contextmanager
def scene_page(build: Path) -> Iterator[playwright.Page]:
    """A browser that has drawn a compiled park; skipped where there is none, or no viewer."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    if not (VIEWER / "dist/scene.js").exists():
        if not (VIEWER / "node_modules").exists():
            pytest.skip("the viewer is not built: npm ci && npm run build in assets/viewer")
        subprocess.run(["node", "build.mjs"], cwd=VIEWER, check=True, capture_output=True)
    sys.path.insert(0, str(VIEWER / "dev"))
    from serve import serve

    server = serve(build, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with playwright.sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        tab.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        tab.wait_for_function("window.harness && harness.seen.progress === 1 && harness.seen.firstFrame > 0")
        yield tab
        browser.close()
    server.shutdown()
    server.server_close()
    thread.join()


def settle(page: playwright.Page) -> None:
    """Waits until no model frame was drawn for a while: the picture is refined and kept."""
    page.evaluate("""async () => { let last = -1, same = 0;
        while (same < 4) { await new Promise(r => setTimeout(r, 150));
        const n = harness.view.stats().frames; same = n === last ? same + 1 : 0; last = n; } }""")


def look_at(page: playwright.Page, target: tuple[float, float, float], distance: float, polar: float) -> None:
    """Aims the camera (park metres, radians from straight down) and waits for the picture."""
    page.evaluate("c => harness.view.setCamera(c)",
                  {"target": target, "distance": distance, "azimuth": 0, "polar": polar, "metresPerPixel": 1})
    settle(page)


def pixels(page: playwright.Page) -> np.ndarray:
    """The view as (height, width, 3) int."""
    return np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")).astype(int)
