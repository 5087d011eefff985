"""One picture over several browser windows: the same pixels, the same clock, no word across a seam."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import parse_qsl

import numpy as np
import pytest
from numpy.typing import NDArray
from page_driver import Tab, open_tab
from PIL import Image
from playwright.sync_api import Browser
from served_park import Browser as Person
from served_park import Served

pytestmark = pytest.mark.browser
WIDE, HIGH = 320, 180
CALM = ["devices", "labels", "trees"]  # people and vehicles move between two screenshots
#: A browser whose clock is wrong by 7 s, as that of a second machine may be.
WRONG_CLOCK = """(() => { const now = Date.now.bind(Date); Date.now = () => now() + 7000;
  Object.defineProperty(Performance.prototype, 'timeOrigin', { get: () => now() - performance.now() + 7000 }); })()"""
#: Keeps (shared time, target x, distance, azimuth, begin of the flight it knows of) of every picture drawn from now on.
RECORD = """() => { window.flown = [];
  const { scene, clock } = parktwin, step = scene.orbit.step.bind(scene.orbit), now = clock.now.bind(clock);
  let asked = 0;
  clock.now = () => (asked = now());
  scene.orbit.step = (t) => { const moved = step(t), n = scene.orbit.now;
    window.flown.push([asked, n.target.x, n.distance, n.azimuth, parktwin.legs().at(-1).since_ms]); return moved; }; }"""
POSES = "(times) => times.map((ms) => { const p = parktwin.poseAt(ms); return [p.target[0], p.distance, p.azimuth]; })"
#: Boxes (left, top, right, bottom) in the whole picture of everything that may not lie across a seam.
PANELS = """() => { const o = document.querySelector('.wall-canvas').getBoundingClientRect();
  return [...document.querySelectorAll('.wall-canvas [data-whole], .source')].map((e) => e.getBoundingClientRect())
    .map((b) => [b.left - o.left, b.top - o.top, b.right - o.left, b.bottom - o.top]).filter((b) => b[2] > b[0]); }"""
LABELS = """() => { const { sprites } = parktwin.scene.signs, k = sprites.scale / 2;
  return sprites.placed.filter((p) => p.sprite.isLabel).map(({ x, y, sprite: s }) =>
    [x - s.width * k, y - s.height * k, x + s.width * k, y + s.height * k]); }"""


@contextmanager
def windows(window: Browser, served: Served, *, width: int = WIDE, height: int = HIGH,
            **parts: str) -> Iterator[dict[str, Tab]]:
    """Windows of one wall by name, each signed in by itself; one without `col` and `row` holds the whole."""
    with ExitStack() as stack:
        tabs = {}
        for name, query in parts.items():
            given = {key: int(value) for key, value in parse_qsl(query)}
            cols, rows = (1, 1) if {"col", "row"} & set(given) else (given.get("cols", 1), given.get("rows", 1))
            gap = given.get("gap", 0)
            tab = open_tab(window, served, width=width * cols + gap * (cols - 1), height=height * rows + gap * (rows - 1))
            stack.enter_context(closing(tab.context))
            if name == "skewed":
                tab.context.add_init_script(WRONG_CLOCK)
            tabs[name] = tab.open(f"/wall?{query}")
        yield tabs


@pytest.fixture
def hand(calm: Served) -> Iterator[Person]:
    """An operator whose tour is put back as it was."""
    operator = calm.browser()
    operator.post("/api/v1/wall/drive", {"verb": "resume"})
    before = operator.http.get("/api/v1/wall").json()["stops"]
    yield operator
    put(operator, before)
    operator.post("/api/v1/wall/drive", {"verb": "resume"})


def put(operator: Person, stops: list[dict]) -> None:
    answer = operator.http.put("/api/v1/wall/tour", json={"stops": stops}, headers={"x-csrf-token": operator.csrf})
    assert answer.status_code == 200, answer.text


def stop(node: str, **more: object) -> dict:
    return {"name": node, "node": node, "seconds": 600, "layers": CALM, **more}


def picture(tab: Tab) -> NDArray[np.int16]:
    """The drawn park once it rests, without the page's own panels."""
    tab.page.add_style_tag(content=".wall-canvas{visibility:hidden}")
    tab.until("parktwin.scene.stage.isStill && parktwin.scene.tiles.progress === 1", 60)
    shot = tab.page.screenshot(timeout=60_000)
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(np.int16)


def differing(whole: NDArray[np.int16], *parts: NDArray[np.int16]) -> float:
    """Share of pixels in which the windows side by side are not the whole picture."""
    return float((np.abs(np.concatenate(parts, axis=1) - whole).max(axis=2) > 24).mean())


def test_windows_side_by_side_are_the_whole_picture(window: Browser, calm: Served, hand: Person) -> None:
    put(hand, [stop("e1")])
    hand.post("/api/v1/wall/drive", {"verb": "pause"})
    with windows(window, calm, whole="cols=2", left="cols=2&col=0", right="cols=2&col=1",
                 wrong="cols=2&col=1&gap=6") as tabs:
        whole, left, right, wrong = (picture(tabs[name]) for name in ("whole", "left", "right", "wrong"))
        assert whole.std() > 5, "there is a picture"
        assert differing(whole, left, right) < 0.004
        assert differing(whole, left, wrong) > 0.01, "six pixels off is seen"
        assert not any(tab.complaints for tab in tabs.values())


def test_a_flight_is_the_same_in_every_window_at_the_same_time(window: Browser, calm: Served, hand: Person) -> None:
    """The second window runs on a machine whose clock is 7 s wrong, and opens later."""
    put(hand, [stop("park"), stop("e1", camera=[60, 40, 3, 90, 2.0, 0.7])])
    hand.post("/api/v1/wall/drive", {"verb": "pause"})
    with windows(window, calm, left="cols=2&col=0", skewed="cols=2&col=1") as tabs:
        for tab in tabs.values():
            tab.until("parktwin.clock.error < 250", 60)
            tab.page.evaluate(RECORD)
        assert tabs["skewed"].page.evaluate("() => parktwin.clock.offset") < -6000, "its clock is wrong, and known to be"
        hand.post("/api/v1/wall/drive", {"verb": "next"})
        flown = []
        for tab in tabs.values():
            tab.until("window.flown.length && Math.abs(window.flown.at(-1)[2] - 90) < 1e-6", 60)
            rows = np.array(tab.page.evaluate("() => window.flown"))
            flown.append(rows[rows[:, 4] == rows[-1, 4], :4])  # a busy machine may hear of it a moment late
        one, other = flown
        for rows in (one, other):
            left = tabs["left"].page.evaluate(POSES, rows[:, 0].tolist())
            assert np.allclose(left, rows[:, 1:], atol=1e-6), "what one draws is where the other is at that time"
        assert np.ptp(other[:, 2]) > 10, "it did fly"
        assert len(np.unique(other[:, 2])) > 3, "it did not cut"


def test_no_word_lies_across_a_seam_and_all_windows_agree_where_it_is(window: Browser, calm: Served, hand: Person) -> None:
    wide, high, gap = 480, 270, 10
    put(hand, [stop("park")])
    grid = f"cols=2&rows=2&gap={gap}"
    with windows(window, calm, width=wide, height=high, whole=grid, last=f"{grid}&col=1&row=1") as tabs:
        places = []
        for tab in tabs.values():
            tab.until("document.querySelector('.wall .counts')", 30)
            tab.until("document.querySelectorAll('.wall .figure').length > 2", 30)
            places.append(tab.page.evaluate(PANELS))
        assert len(places[0]) > 6
        assert np.allclose(places[0], places[1], atol=1.0), "every window lays the whole out alike"
        whole = tabs["whole"]
        whole.until("parktwin.scene.signs.sprites.placed.some((p) => p.sprite.isLabel)", 30)
        for what in (places[0], whole.page.evaluate(LABELS)):
            assert not [b for b in what if b[0] < wide + gap and b[2] > wide], "across the upright seam"
            assert not [b for b in what if b[1] < high + gap and b[3] > high], "across the level seam"
