"""`/wall` as the command centre sees it: a tour, an urgent alarm that takes it, a person who gives it back."""

from __future__ import annotations

import pytest
from page_driver import open_tab
from playwright.sync_api import Browser
from served_park import Served

pytestmark = pytest.mark.browser
DRILL = "/api/v1/drills/fire"


def test_a_fire_takes_the_wall_and_a_person_gives_it_back(window: Browser, paged: Served) -> None:
    operator, tab = paged.browser(), open_tab(window, paged, width=1920, height=1080)
    try:
        operator.post("/api/v1/wall/drive", {"verb": "resume"})
        tab.open("/wall")
        tab.until("document.querySelector('.wall[data-mode=tour] .counts')")
        assert operator.post(f"{DRILL}/start", {}).status_code == 200
        tab.until("document.querySelector('.wall.alarmed[data-mode=alarm] .alarm-words')", 60)
        assert "Energy Centre" in tab.page.locator(".alarm-words").first.inner_text()
        assert tab.page.locator(".wall .counts").count() == 0, "figures leave when an alarm takes the wall"
        assert tab.page.locator(".wall-plan li").count() > 0, "the plan, or what the alarm asks for"
        tab.until("document.querySelector('.alarm-words .escape')", 30)
        ways = operator.http.get("/api/v1/escape", params={"node": operator.http.get("/api/v1/wall").json()["focus"]}).json()
        assert ways["burning"], "it knows what burns"
        assert ways["ways"], "there is a way out"
        assert all(way["metres"] > 0 and way["points"][-1] != way["points"][0] for way in ways["ways"])
        operator.post(f"{DRILL}/stop", {})
        assert operator.http.get("/api/v1/wall").json()["mode"] == "alarm", "ending the drill does not resume the tour"
        assert operator.post("/api/v1/wall/drive", {"verb": "resume"}).json()["mode"] == "tour"
        tab.until("document.querySelector('.wall[data-mode=tour]:not(.alarmed) .counts')")
        assert not tab.complaints
    finally:
        operator.post(f"{DRILL}/stop", {})
        operator.post("/api/v1/wall/drive", {"verb": "resume"})
        tab.context.close()
