"""`/editor` as a planner uses it, in a real browser on `parktwin serve`, until the models were exported again: drag, turn,
name, group, zone, device, undo, publish; with other GUIDs in every file the edits are still there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser as Window
from playwright.sync_api import Page
from served_park import free_port, until

from tools.browser import signed_in

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "scenes_edit"))
from edited_park import build, export_again, write_park  # noqa: E402 - shared with the unit tests

BLOCKS = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"height": 6}, "geometry":
{"type": "Polygon", "coordinates": [[[60, 40], [60, 28.5], [72.2, 28.5], [72.2, 40], [60, 40]]]}},
{"type": "Feature", "properties": {"height": 6}, "geometry":
{"type": "Polygon", "coordinates": [[[-30, 62], [-30, 50], [-12, 50], [-12, 62], [-30, 62]]]}}]}"""
NEWER = "(old) => globalThis.parktwin?.world && parktwin.world.park.build !== old"
NESTED = "() => { const w = parktwin.world, of = (i) => w.byIndex.get(i)?.kind; " \
         "return w.places.ofKind('space').filter(n => of(n.parent) === 'space').length; }"
NODE_AT = """([x, y]) => { const box = document.querySelector('.editor-canvas').getBoundingClientRect();
    return parktwin.scene.nodeAt(x - box.left, y - box.top); }"""
LAYER = '[[layer]]\nid = "blocks"\nsource = "blocks.geojson"\nkind = "buildings"\ncrs = "park"\n'


@dataclass(slots=True)
class Running:
    """A server in a process of its own."""

    root: Path
    port: int
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def planner(self, *, second: bool = False) -> tuple[httpx.Client, dict[str, str]]:
        """A signed-in client and the header its changes carry."""
        http = httpx.Client(base_url=self.origin, timeout=30)
        self.clients.append(http)
        http.post("/demo", data={"second": "true"} if second else None)
        return http, {"x-csrf-token": http.get("/api/v1/me").json()["csrf"]}


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = write_park(tmp_path / "park")
    (root / "blocks.geojson").write_text(BLOCKS)
    with (root / "park.toml").open("a") as park:
        park.write(LAYER)
    build(root)
    (root / "state" / "history").mkdir(parents=True)  # no sample drill is made up at the start
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "parktwin", "serve", str(root), "--demo", "--port", str(port)],
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        found = Running(root, port)
        until(lambda: _answers(found.origin), 60, "the server starts")
        yield found
        for client in found.clients:
            client.close()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0


def _answers(origin: str) -> bool:
    try:
        return httpx.get(f"{origin}/livez", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def edits(page: Page) -> dict:
    """The draft as the server has it."""
    return page.evaluate("async () => (await fetch('/api/v1/edits')).json()")


def standing(page: Page, building: str) -> dict:
    return next(b for b in edits(page)["buildings"] if b["id"] == building)


def opened(page: Page, origin: str, query: str = "") -> Page:
    page.goto(f"{origin}/editor{query}")
    page.wait_for_selector(".editor-canvas canvas", timeout=60_000)
    page.wait_for_function("() => (parktwin.scene.stats().tileBytes ?? 0) > 0", timeout=60_000)
    page.wait_for_timeout(1500)
    return page


def pixel_of(page: Page, building: str) -> tuple[float, float]:
    """A pixel of the page that shows the building."""
    x, y = page.evaluate("""(id) => { const box = document.querySelector('.editor-canvas').getBoundingClientRect();
        for (let y = 20; y < box.height - 60; y += 7) for (let x = 20; x < box.width; x += 7)
          if (parktwin.scene.nodeAt(x, y) === id && parktwin.scene.nodeAt(x + 9, y + 9) === id)
            return [x + box.left + 5, y + box.top + 5];
        return [0, 0]; }""", building)
    assert x, f"{building} is not in the picture"
    return x, y


def test_a_day_on_the_editor_page(running: Running, window: Window) -> None:
    page = signed_in(window, running.origin, width=1440, height=860, theme="light", lang="en").new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    opened(page, running.origin)
    first = page.locator(".editor-left .editor-list button").first
    assert "lost" in first.inner_text(), "what has no place comes first"
    assert "no place" in first.inner_text()

    x, y = pixel_of(page, "lost")  # dragged by hand
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y - 30, steps=4)
    page.mouse.move(x + 150, y - 90, steps=6)
    page.mouse.up()
    until(lambda: edits(page)["version"] == 1, 10, "the drag is one edit")
    assert page.evaluate(NODE_AT, [x + 190, y - 60]) == "lost", "its tiles are drawn where it was put"
    assert page.evaluate(NODE_AT, [x, y]) != "lost"
    dragged = standing(page, "lost")
    assert dragged["is_placed"]
    assert dragged["at"][0] > 5
    assert dragged["at"][1] > 3
    page.evaluate("document.activeElement.blur()")
    for _ in range(3):
        page.keyboard.press("]")
    until(lambda: edits(page)["version"] == 2, 10, "three turns at once are one edit")
    assert standing(page, "lost")["heading"] == pytest.approx(3.0)

    page.get_by_role("button", name="Snap to footprint").click()
    page.get_by_text("On footprint blocks:1").wait_for(timeout=20_000)
    snapped = standing(page, "lost")
    assert 60 < snapped["at"][0] < 72.2
    assert 28.5 < snapped["at"][1] < 40

    page.locator(".editor-left .editor-list button", has_text="west").click()  # named
    page.locator(".editor-field.wide select").select_option(index=1)
    page.locator(".editor-list.rooms button").first.click()
    page.locator(".editor-right .editor-name input").first.fill("值班室")
    page.get_by_role("button", name="Rename").click()
    until(lambda: edits(page)["version"] == 4, 10, "the room is renamed")
    boxes = page.locator(".editor-list.rooms input")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.locator(".editor-name", has_text="Group 2 rooms").locator("input").last.fill("Public")
    page.get_by_role("button", name="Group 2 rooms").click()
    until(lambda: edits(page)["version"] == 5, 10, "the group is made")

    page.locator(".editor-left .editor-list button", has_text="west").click()
    page.wait_for_timeout(1200)
    page.get_by_role("button", name="Whole park from above").click()
    page.get_by_role("button", name="Draw a zone").click()
    box = page.locator(".editor-canvas").bounding_box()
    assert box is not None
    for u, v in ((0.04, 0.06), (0.96, 0.06), (0.96, 0.9), (0.04, 0.9)):
        page.mouse.click(box["x"] + u * box["width"], box["y"] + v * box["height"])
        page.wait_for_timeout(120)
    page.locator(".editor-name", has_text="Save zone").locator("input").last.fill("Everything")
    page.get_by_role("button", name="Save zone").click()
    until(lambda: edits(page)["version"] == 6, 10, "the zone is drawn")

    page.get_by_role("button", name="Put a device").click()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.locator(".editor-name", has_text="Put it here").locator("input").first.fill("CAM-9")
    page.locator(".editor-name", has_text="Put it here").locator("select").select_option("camera")
    page.get_by_role("button", name="Put it here").click()
    until(lambda: edits(page)["version"] == 7, 10, "the device is put")

    page.get_by_role("button", name="Undo").click()
    until(lambda: not any(o["key"] == "device:CAM-9" for o in edits(page)["overrides"]), 10, "undone")
    page.reload()
    opened(page, running.origin)
    page.get_by_role("button", name="Redo").click()
    until(lambda: any(o["key"] == "device:CAM-9" for o in edits(page)["overrides"]), 10, "done again after a reload")

    page.get_by_role("searchbox").fill("blocks:2")  # a building of the map: found, chosen, dragged
    page.keyboard.press("Enter")
    page.get_by_text("From a map layer").wait_for()
    page.wait_for_timeout(1500)
    x, y = pixel_of(page, "blocks:2")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 10, steps=3)
    page.mouse.move(x + 60, y + 40, steps=4)
    page.wait_for_timeout(600)
    assert page.evaluate(NODE_AT, [x + 70, y + 48]) == "blocks:2", "it is drawn where the hand holds it"
    assert page.evaluate(NODE_AT, [x - 2, y - 2]) != "blocks:2", "and no more where it stood"
    page.mouse.up()
    until(lambda: any(o["key"] == "place:blocks:2" for o in edits(page)["overrides"]), 10, "the drag is an edit")
    carried = standing(page, "blocks:2")
    assert carried["at"][:2] != pytest.approx([-21.0, 56.0], abs=2.0)

    page.get_by_role("searchbox").fill("")  # a room into a room
    page.locator(".editor-left .editor-list button", has_text="west").click()
    page.locator(".editor-field.wide select").select_option(index=1)
    page.locator(".editor-list.rooms button").nth(1).click()
    page.locator(".editor-field.wide", has_text="Lies in").locator("select").select_option(index=1)
    until(lambda: any(o["what"] == "nest" for o in edits(page)["overrides"]), 10, "the room is nested")
    page.get_by_role("button", name="Undo").click()
    until(lambda: not any(o["what"] == "nest" for o in edits(page)["overrides"]), 10, "undone")
    page.get_by_role("button", name="Redo").click()
    until(lambda: any(o["what"] == "nest" for o in edits(page)["overrides"]), 10, "nested again")

    before = page.evaluate("() => parktwin.world.park.build")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_function(NEWER, arg=before, timeout=60_000)
    assert not edits(page)["is_dirty"]
    assert standing(page, "lost")["how"] == "hand"
    assert standing(page, "blocks:2")["at"][:2] == pytest.approx(carried["at"][:2], abs=1e-3)
    assert page.evaluate(NESTED) == 1
    assert page.evaluate("() => { const w = parktwin.world; "
                         "return w.byIndex.get(w.byId.get('lost').parent).name; }") == "Everything"

    for name in ("west", "lost"):  # exported again: every GUID is new
        export_again(running.root / f"{name}.ifc")
    http, token = running.planner()
    served = page.evaluate("() => parktwin.world.park.build")
    page.locator(".editor-left .editor-list button", has_text="west").click()
    page.locator(".editor-right .editor-name input").first.fill("还没写完")
    http.post("/api/v1/edits/publish", headers=token)
    page.locator(".banner.newer").wait_for(timeout=60_000)
    assert page.evaluate("() => parktwin.world.park.build") == served, "not while a name is being written"
    page.locator(".editor-right .editor-name input").first.fill("")
    page.wait_for_function(NEWER, arg=served, timeout=60_000)
    after = standing(page, "lost")
    assert after["at"] == pytest.approx(snapped["at"], abs=1e-3)
    assert page.evaluate("() => parktwin.world.places.ofKind('space').filter(n => n.name_zh === '值班室').length") == 1
    assert page.evaluate("() => parktwin.world.places.ofKind('zone').filter(n => n.name === 'Public').length") == 1
    assert page.evaluate("() => parktwin.world.deviceById.has('CAM-9')")
    assert page.evaluate(NESTED) == 1
    assert [f for f in edits(page)["findings"] if f["level"] != "note"] == []
    assert not wrong


def test_two_people_a_viewer_and_a_forged_request(running: Running) -> None:
    ann, token = running.planner()
    zone = {"what": "zone", "id": "z", "name": "Ann's", "ring": [[0, 0], [9, 0], [9, 9]]}
    assert ann.post("/api/v1/edits", json={"version": 0, "edit": zone}).status_code == 403, "no CSRF token"
    assert ann.post("/api/v1/edits", json={"version": 0, "edit": zone}, headers=token).status_code == 200
    bob, his = running.planner(second=True)
    late = bob.post("/api/v1/edits", json={"version": 0, "edit": {**zone, "name": "Bob's"}}, headers=his)
    assert late.status_code == 409
    assert late.json()["fill"] == {"by": "demo", "key": "zone:z"}
    assert bob.post("/api/v1/edits", json={"version": 0, "edit": {**zone, "id": "y"}}, headers=his).status_code == 200
    crossed = {**zone, "ring": [[0, 0], [2, 2], [2, 0], [0, 2]]}
    bad = bob.post("/api/v1/edits", json={"version": 9, "edit": crossed}, headers=his)
    assert (bad.status_code, bad.json()["code"]) == (422, "edit.crossed")
    assert any(row["what"] == "edit.made" and row["who"] == "demo-2" for row in bob.get("/api/v1/trail").json())
    assert httpx.get(f"{running.origin}/api/v1/edits").status_code == 401
