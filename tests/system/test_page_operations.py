"""`/` as a manager uses it: sign in, read, drill, find, switch; nothing foreign is fetched and no name runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from page_driver import Tab, open_tab
from page_park import HOSTILE
from playwright.sync_api import Browser
from served_park import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tab(window: Browser, paged: Served) -> Iterator[Tab]:
    opened = open_tab(window, paged).open("/")
    yield opened
    opened.context.close()


@pytest.fixture(autouse=True)
def at_the_park(tab: Tab) -> None:
    tab.page.keyboard.press("Escape")
    if tab.query("at") or tab.query("device"):
        tab.page.locator(".crumbs button.crumb").first.click()
        tab.until("!new URLSearchParams(location.search).get('at')")


def storey_of(served: Served, name: str) -> str:
    return next(n["id"] for n in served.browser().http.get("/api/v1/tree").json()["nodes"]
                if n["kind"] == "storey" and n["name"] == name)


def test_a_wrong_password_is_told_and_the_demo_lets_in(window: Browser, paged: Served) -> None:
    context = window.new_context()
    page = context.new_page()
    page.goto(paged.origin + "/")
    assert "/signin" in page.url, "the unsigned are led to the door"
    page.fill("input[name=user]", "nobody")
    page.fill("input[name=password]", "not-the-password")
    page.locator("form[action='/signin'] button").click()
    assert len(page.locator("[role=alert]").inner_text()) > 5
    page.locator("#demo").click()
    page.wait_for_selector(".topbar", timeout=60_000)
    assert page.locator(".demo").is_visible(), "the demo says that it is one"
    context.close()


def test_key_figures_are_those_of_the_server(tab: Tab) -> None:
    tab.until("document.querySelectorAll('.kpi:not(.loading)').length > 4")
    cards = {card["name"]: card for card in tab.served.browser().http.get("/api/v1/kpis?node=park").json()["cards"]}
    shown = {row.locator("h3").inner_text(): row.inner_text() for row in tab.page.locator(".kpi").all()}
    assert set(shown) == set(cards)
    for name, card in cards.items():
        assert (card["value"] is None) == ("—" in shown[name]), name
        assert card["unit"] in shown[name]
    online = float(re.findall(r"[\d.]+", shown["Devices online"])[0])
    assert online == pytest.approx(cards["Devices online"]["value"], abs=15.0)


def test_search_breadcrumb_address_and_back_say_the_same(tab: Tab) -> None:
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("Office climate")
    tab.page.wait_for_selector("#hits li[role=option]")
    tab.page.keyboard.press("Enter")
    tab.until("document.querySelector('.device h2')?.textContent === 'Office climate'")
    assert tab.query("device") == "ENV-202"
    crumbs = tab.page.locator(".crumbs").inner_text()
    assert "Energy Centre" in crumbs
    tab.page.locator(".crumbs button.crumb", has_text="Energy Centre").click()
    tab.until("new URLSearchParams(location.search).get('at') === 'e1'")
    tab.page.go_back()
    tab.until("new URLSearchParams(location.search).get('device') === 'ENV-202'")
    tab.page.go_forward()
    tab.until("new URLSearchParams(location.search).get('at') === 'e1'")
    tab.page.keyboard.press("Escape")
    tab.until("!new URLSearchParams(location.search).get('at')")


def test_a_click_drills_from_building_to_storey_to_room(tab: Tab) -> None:
    canvas = tab.page.locator(".scene-host canvas").bounding_box()
    assert canvas is not None
    tab.page.wait_for_timeout(1500)
    tab.page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] * 0.52)
    tab.until("new URLSearchParams(location.search).get('at') === 'e1'")
    storey = storey_of(tab.served, "1F")
    tab.page.locator(".storeys button").last.click()
    tab.until(f"new URLSearchParams(location.search).get('at') === '{storey}'")
    tab.until("globalThis.parktwin.scene.model.open !== null", 30)
    tab.page.wait_for_timeout(2500)
    tab.page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] * 0.5)
    at = tab.until("new URLSearchParams(location.search).get('at')")
    kind = next(n["kind"] for n in tab.served.browser().http.get("/api/v1/tree").json()["nodes"] if n["id"] == at)
    assert kind in ("space", "storey")
    assert tab.page.locator(".crumbs").inner_text().count("›") >= 2


def test_a_link_opens_where_it_says(window: Browser, paged: Served) -> None:
    linked = open_tab(window, paged)
    linked.open(f"/?at={storey_of(paged, '1F')}&channel=2")
    assert "Energy Centre" in linked.page.locator(".crumbs").inner_text()
    assert linked.page.locator(".channels button[aria-pressed=true]").inner_text() == "Temperature"
    linked.open("/?at=no-such-place")
    assert linked.page.locator(".kpi").count() > 0, "a dead link opens the park"
    linked.context.close()


def test_nothing_is_asked_for_twice_while_a_page_opens(window: Browser, paged: Served) -> None:
    opened = open_tab(window, paged).open("/")
    opened.until("document.querySelectorAll('.kpi').length > 0")
    asked = [urlsplit(url) for url in opened.requests if urlsplit(url).path.startswith("/api/v1/")]
    first = [url.path.removeprefix("/api/v1") + (f"?{url.query}" if url.query else "") for url in asked]
    assert {"/tree?form=columns", "/spaces?form=columns", "/devices", "/park"} <= set(first)
    assert not [path for path in set(first) if first.count(path) > 1 and not path.startswith("/kpis")], "each once"
    assert opened.page.evaluate("() => Object.keys(parktwinEarly)") == [], "what the head asked for early, the page took"
    opened.context.close()


def test_language_and_theme_change_without_a_reload(tab: Tab) -> None:
    tab.page.evaluate("() => { window.kept = 42; }")
    tab.page.locator(".pair button", has_text="中").click()
    tab.until("document.documentElement.lang === 'zh-CN' && document.querySelector('.kpis h2').textContent === '关键指标'")
    tab.page.locator(".pair button", has_text="EN").click()
    tab.until("document.documentElement.lang === 'en' && document.querySelector('.kpis h2').textContent !== '关键指标'")
    before = tab.page.evaluate("() => getComputedStyle(document.querySelector('.topbar')).backgroundColor")
    tab.page.get_by_role("button", name="Switch light / dark").click()
    tab.until(f"getComputedStyle(document.querySelector('.topbar')).backgroundColor !== '{before}'")
    tab.page.get_by_role("button", name="Switch light / dark").click()
    assert tab.page.evaluate("() => window.kept") == 42


def test_the_scene_shows_the_building_and_not_one_colour(tab: Tab) -> None:
    tab.until("globalThis.parktwin.scene.stats().triangles > 500")
    colours = tab.page.evaluate("""async () => {
      const picture = await createImageBitmap(await globalThis.parktwin.scene.screenshot());
      const canvas = new OffscreenCanvas(160, 100), ctx = canvas.getContext('2d');
      ctx.drawImage(picture, 0, 0, 160, 100);
      const bytes = ctx.getImageData(0, 0, 160, 100).data, seen = new Set();
      for (let i = 0; i < bytes.length; i += 4)
        seen.add((bytes[i] & 248) << 16 | (bytes[i + 1] & 248) << 8 | bytes[i + 2] & 248);
      return seen.size; }""")
    assert colours > 60


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", ["/", "/console"])
def test_no_name_from_a_file_runs_and_all_are_shown_as_text(window: Browser, paged: Served, lang: str, path: str) -> None:
    hostile = open_tab(window, paged, lang=lang)
    tree = paged.browser().http.get("/api/v1/tree").json()["nodes"]
    room = next(n["id"] for n in tree if n["kind"] == "space" and "onerror" in n["name"] + n["name_zh"])
    for at in ("", "?at=e1", f"?at={room}", "?device=SMK-201"):
        hostile.open(path + at)
        hostile.page.wait_for_timeout(600)
        assert hostile.page.evaluate("() => window.hacked") is None, at
        assert hostile.page.evaluate("() => document.querySelectorAll('main img, aside img, header img').length") == 0
    hostile.page.keyboard.press("/")
    hostile.page.keyboard.type("onerror")
    hostile.page.wait_for_selector("#hits li")
    assert any(name in hostile.page.content() or name.replace("<", "&lt;").replace(">", "&gt;") in hostile.page.content()
               for name in HOSTILE)
    assert hostile.page.evaluate("() => window.hacked") is None
    assert hostile.foreign == []
    hostile.context.close()


def test_nothing_is_fetched_from_anywhere_else_and_nothing_breaks(tab: Tab) -> None:
    assert tab.requests, "the tab listened"
    assert tab.foreign == []
    assert tab.complaints == []


def test_panels_do_not_wait_for_a_picture_that_does_not_come(window: Browser, paged: Served) -> None:
    dark = open_tab(window, paged)
    dark.page.route("**/tiles/**", lambda route: None)  # never answered
    dark.page.goto(paged.origin + "/")
    dark.page.wait_for_selector(".scene-host canvas", timeout=60_000)
    dark.until("['.right .panel', '.kpi', '.timeline'].every((panel) => document.querySelector(panel))")
    assert dark.page.evaluate("() => globalThis.parktwin.scene.stats().frames") == 0
    dark.page.unroute_all(behavior="ignoreErrors")
    dark.context.close()
