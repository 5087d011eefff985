"""The wall runs unattended: a lost graphics device, a server that restarts, a link that is revoked; nobody touches it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from page_driver import Tab, open_tab
from PIL import Image
from playwright.sync_api import Browser
from served_park import Served, free_port, serving

pytestmark = pytest.mark.browser
LOSE = """() => { const gl = parktwin.scene.stage.renderer.getContext();
  window.lost = gl.getExtension('WEBGL_lose_context'); window.lost.loseContext(); }"""
CALM = {"name": "Park", "node": "park", "seconds": 600, "layers": ["devices", "labels", "trees"]}


def picture(tab: Tab) -> NDArray[np.int16]:
    """The drawn park once it rests, without the page's own panels."""
    tab.page.add_style_tag(content=".wall-canvas{visibility:hidden}")
    tab.until("parktwin.scene.stage.isStill && parktwin.scene.tiles.progress === 1", 60)
    return np.asarray(Image.open(io.BytesIO(tab.page.screenshot(timeout=60_000))).convert("RGB")).astype(np.int16)


@contextmanager
def screen(window: Browser, served: Served, secret: str) -> Iterator[Tab]:
    """A screen that came in by its link, as a kiosk browser opens it."""
    with closing(window.new_context(viewport={"width": 480, "height": 270})) as context:
        context.add_init_script("localStorage.setItem('parktwin.lang', 'en')")
        tab = Tab(context.new_page(), context, served)
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.on("response", lambda r: tab.complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        tab.page.goto(f"{served.origin}/screen?cols=1#{secret}")
        tab.page.wait_for_url("**/wall?cols=1", timeout=30_000)
        tab.page.wait_for_selector(".scene-host canvas", timeout=60_000)
        tab.until("(globalThis.parktwin?.scene.stats().frames ?? 0) > 0", 60)
        yield tab


def test_a_lost_graphics_device_is_said_and_comes_back_with_the_same_picture(window: Browser, calm: Served) -> None:
    operator = calm.browser()
    stops = operator.http.get("/api/v1/wall").json()["stops"]
    headers = {"x-csrf-token": operator.csrf}
    operator.post("/api/v1/wall/drive", {"verb": "resume"})
    operator.http.put("/api/v1/wall/tour", json={"stops": [CALM]}, headers=headers)
    tab = open_tab(window, calm, width=480, height=270)
    try:
        tab.open("/wall")
        before = picture(tab)
        assert before.std() > 5, "there is a picture"
        tab.page.evaluate(LOSE)
        tab.until("document.querySelector('.wall-banner.is-lost')")
        tab.page.evaluate("() => window.lost.restoreContext()")
        tab.until("!document.querySelector('.wall-banner.is-lost')")
        after = picture(tab)
        assert float((np.abs(after - before).max(axis=2) > 24).mean()) < 0.005, "the same picture"
        with tab.page.expect_event("load", timeout=60_000):
            tab.page.evaluate(LOSE)  # and never given back: the page loads again by itself
        tab.until("!window.lost && (globalThis.parktwin?.scene.stats().frames ?? 0) > 0", 90)
        assert tab.page.evaluate("() => location.pathname") == "/wall"
        assert not tab.complaints
    finally:
        operator.http.put("/api/v1/wall/tour", json={"stops": stops}, headers=headers)
        tab.context.close()


def test_a_server_that_restarts_is_said_and_the_wall_goes_on_where_it_was(window: Browser, built: Path,
                                                                         tmp_path: Path) -> None:
    at, port = tmp_path / "park", free_port()
    with serving(built, at, port=port) as served:
        _, secret = served.services.screens.make("Hall", "root")
        operator = served.browser()
        operator.post("/api/v1/wall/drive", {"verb": "show", "node": "GATE-1"})
        screened = screen(window, served, secret)
        tab = screened.__enter__()
        tab.until("document.querySelector('.wall[data-mode=manual]')", 30)
        assert not tab.complaints, "a link may read all that the wall asks for"
        tab.page.evaluate("() => { window.untouched = true; }")
    try:
        tab.until("document.querySelector('.wall-banner.is-down')", 30)
        with serving(built, at, port=port) as served:
            tab.until("document.querySelector('.wall') && !document.querySelector('.wall-banner.is-down')", 60)
            assert tab.page.evaluate("() => window.untouched"), "the same page: nothing to load again"
            tab.until("document.querySelector('.wall[data-mode=manual]')", 30)
            before = tab.page.evaluate("() => performance.now()")
            tab.until(f"parktwin.world.live.receivedMs.some((ms) => ms > {before})", 60)
            (link,) = served.services.screens.all()
            served.services.screens.revoke(link.id)
            tab.page.wait_for_url("**/screen?cols=1", timeout=30_000)
            tab.until("/no longer valid/.test(document.getElementById('told').textContent)", 30)
    finally:
        screened.__exit__(None, None, None)
