"""The campus served and drawn in a real browser: what the map and the models say is on the screen."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from page_driver import Tab, open_tab
from playwright.sync_api import Browser
from served_park import serving

from scenes.compile import BuildResult

pytestmark = [pytest.mark.browser, pytest.mark.shared]
LOOK = """async () => {
  const picture = await createImageBitmap(await globalThis.parktwin.scene.screenshot());
  const canvas = new OffscreenCanvas(240, 150), ctx = canvas.getContext('2d');
  ctx.drawImage(picture, 0, 0, 240, 150);
  const b = ctx.getImageData(0, 0, 240, 150).data, seen = new Set();
  let edges = 0;
  for (let i = 0; i < b.length; i += 4) {
    seen.add((b[i] & 248) << 16 | (b[i + 1] & 248) << 8 | b[i + 2] & 248);
    if (i >= 4 && Math.abs(b[i] - b[i - 4]) + Math.abs(b[i + 1] - b[i - 3]) > 24) edges++;
  }
  return { colours: seen.size, edges }; }"""


def look_until(tab: Tab, *, colours: int, edges: int, secs: float = 60.0) -> None:
    """Wait until the picture has more colours than ground and sky have, and the outlines of many things."""
    end = time.monotonic() + secs
    while (seen := tab.page.evaluate(LOOK))["colours"] <= colours or seen["edges"] <= edges:
        assert time.monotonic() < end, f"the picture stays at {seen}"
        tab.page.wait_for_timeout(500)


def test_campus_is_served_and_drawn(campus: BuildResult, window: Browser, tmp_path: Path) -> None:
    at = tmp_path / "campus"
    shutil.copytree(campus.folder.parent, at)
    with serving(at, at) as served:
        tab = open_tab(window, served).open("/")
        tree = served.browser().http.get("/api/v1/tree").json()["nodes"]
        assert sum(node["kind"] == "building" for node in tree) >= 443
        tab.until("!document.querySelector('.scene-load')", 90)
        tab.until("globalThis.parktwin.scene.stats().triangles > 5000", 30)
        look_until(tab, colours=150, edges=1500)
        tab.open("/?at=duplex")
        tab.until("!document.querySelector('.scene-load')", 90)
        tab.until("globalThis.parktwin.scene.stats().triangles > 2000", 30)
        assert "duplex" in tab.page.locator(".crumbs").inner_text().lower()
        look_until(tab, colours=0, edges=400)
        assert tab.foreign == []
        assert tab.complaints == []
        tab.context.close()
