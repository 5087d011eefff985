"""What the viewer fetches of a real park: no storey from afar, one when one is opened, no more at once than its budget."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenes.compile import BuildResult
from tools.browser import chromium

playwright = pytest.importorskip("playwright.sync_api")
VIEWER = Path(__file__).resolve().parents[2] / "assets/viewer"
pytestmark = [pytest.mark.browser, pytest.mark.shared]


class Watched:
    """A page and the tiles it has asked for, in order, relative to `tiles/`."""

    def __init__(self, page: playwright.Page) -> None:
        self.page = page
        self.fetched: list[str] = []
        page.on("request", self._note)

    def _note(self, request: playwright.Request) -> None:
        found = re.search(r"/tiles/(.+\.glb)", request.url)
        if found:
            self.fetched.append(found[1])

    def settle(self) -> None:
        """Waits until everything in view has arrived and nothing more is asked for."""
        for _ in range(3):
            self.page.wait_for_function("harness.view.tiles.isSettled", timeout=60_000)
            self.page.wait_for_timeout(400)


@pytest.fixture
def watched(campus: BuildResult) -> Iterator[Watched]:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine")
    if not (VIEWER / "dist/scene.js").exists():
        pytest.skip("the viewer is not built: tools/setup")
    sys.path.insert(0, str(VIEWER / "dev"))
    from serve import serve

    server = serve(campus.folder, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 640, "height": 360})
        watch = Watched(page)
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        page.wait_for_function("window.harness?.seen.firstFrame > 0", timeout=60_000)
        watch.settle()
        yield watch
    server.shutdown()
    server.server_close()
    thread.join()


def _storeys(campus: BuildResult) -> dict[str, str]:
    """Tile of every storey, by node id, of the first building of two storeys or more."""
    for building in json.loads((campus.folder / "manifest.json").read_text())["buildings"]:
        found = {s["id"]: s["tile"] for s in building["storeys"] if s["tile"]}
        if len(found) > 1:
            return found
    raise AssertionError("no building of several storeys")


def test_opening_one_storey_loads_one_storey(watched: Watched, campus: BuildResult) -> None:
    every = {t for b in json.loads((campus.folder / "manifest.json").read_text())["buildings"] for s in b["storeys"]
             if (t := s["tile"])}
    assert watched.fetched
    assert not every & set(watched.fetched), "none from afar"
    opened = list(_storeys(campus).items())[:2]
    for count, (storey, tile) in enumerate(opened, 1):
        watched.page.evaluate("id => harness.view.goTo(id, { immediate: true })", storey)
        watched.page.wait_for_function("id => harness.view.model.open?.storey.id === id", arg=storey, timeout=30_000)
        watched.settle()
        assert [t for t in watched.fetched if t in every] == [t for _, t in opened[:count]], tile


def test_pipes_are_fetched_when_one_looks_below(watched: Watched, campus: BuildResult) -> None:
    pipes = {p.relative_to(campus.folder / "tiles").as_posix() for p in (campus.folder / "tiles/pipes").glob("*.glb")}
    assert not pipes & set(watched.fetched)
    watched.page.evaluate("harness.view.setLayer('pipes', true)")
    watched.settle()
    assert pipes <= set(watched.fetched)


def test_tiles_out_of_sight_are_dropped_when_the_budget_is_full(watched: Watched) -> None:
    budget = 3 * 2**19
    watched.page.evaluate("""most => { const cache = harness.view.tiles.renderer.lruCache;
        cache.maxBytesSize = most; cache.minBytesSize = most / 2; }""", budget)
    beyond: list[int] = []
    for x, y in ((0, 0), (900, 500), (-700, 900), (500, -900), (0, 0)):
        watched.page.evaluate("c => harness.view.setCamera(c)", {
            "target": [x, y, 0], "distance": 160, "azimuth": 0, "polar": 0.6, "metresPerPixel": 1})
        watched.settle()
        held, in_use = watched.page.evaluate("""() => { const cache = harness.view.tiles.renderer.lruCache;
            return [cache.cachedBytes, [...cache.usedSet].reduce((sum, tile) => sum + cache.getMemoryUsage(tile), 0)]; }""")
        beyond.append(held - max(budget, in_use))
    assert len(watched.fetched) > len(set(watched.fetched)), "what was dropped is fetched again"
    assert max(beyond) <= 0, "what is kept is within the budget, or in view"
