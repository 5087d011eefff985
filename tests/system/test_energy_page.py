"""Energy over a real server: figures by HTTP, and the panel as its reader sees it."""

from __future__ import annotations

import time

import httpx
import pytest
from page_driver import open_tab
from playwright.sync_api import Browser as Window
from served_park import Served, until

HOUR = 3_600_000


def test_meters_are_read_by_http_and_only_signed_in(served: Served) -> None:
    http = served.browser().http
    now = time.time() * 1000
    overview = http.get("/api/v1/energy").json()
    assert [medium["key"] for medium in overview["media"]] == ["electricity"]
    assert overview["days"] >= overview["days_needed"]  # the demo's made-up past
    span = {"medium": "electricity", "from_ms": now - 6 * HOUR, "to_ms": now}
    tree = http.get("/api/v1/energy/tree", params=span).json()["supplies"]
    assert [(row["meters"], row["state"]) for row in tree] == [(["MTR-0"], "leaf")]
    used = http.get("/api/v1/energy/use", params={**span, "place": "park"}).json()
    assert used["how"] == "measured"
    assert sum(v for v in used["use"] if v is not None) == pytest.approx(tree[0]["used"], rel=0.05)
    wrong = http.get("/api/v1/energy/use", params={**span, "place": "nowhere"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "energy.no_place")
    late = http.get("/api/v1/energy/tree", params={**span, "to_ms": now - 9 * HOUR})
    assert (late.status_code, late.json()["code"]) == (422, "energy.span")
    until(lambda: http.get("/api/v1/energy/expected", params={"place": "park", "medium": "electricity", "time_ms": now}
                           ).json()["expected"], 60, "the day is forecast")
    slot = served.services.points.slot("energy@park@electricity", "day")
    until(lambda: served.services.runner.core.state.quality[slot] == 0, 30, "the figures are told as points")
    assert httpx.get(f"{served.origin}/api/v1/energy", timeout=10).status_code == 401


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_panel_shows_today_the_tree_and_what_was_expected(served: Served, window: Window, lang: str) -> None:
    tab = open_tab(window, served, lang=lang).open("/?panel=meters")
    tab.page.wait_for_selector(".meters-panel .tree li", timeout=30_000)
    heading = tab.page.inner_text(".dock-panel h2")
    assert heading == {"zh": "能耗分析", "en": "Meters"}[lang]
    tab.until("document.querySelector('.meters-panel .chart canvas')?.height > 80")
    assert "kWh" in tab.page.inner_text(".meters-panel")
    assert not tab.foreign
    assert not tab.complaints


def test_what_an_enterprise_used_is_its_rooms_share_of_what_the_building_used(paged: Served) -> None:
    http = paged.browser().http
    now = time.time() * 1000
    span = {"medium": "electricity", "from_ms": now - 6 * HOUR, "to_ms": now}
    assert [t["id"] for t in http.get("/api/v1/energy").json()["tenants"]] == ["acme", "rest"]
    use = {place: http.get("/api/v1/energy/use", params={**span, "place": place}).json() for place in ("e1", "acme", "rest")}
    used = {place: sum(v for v in answer["use"] if v is not None) for place, answer in use.items()}
    assert (use["e1"]["how"], use["acme"]["how"]) == ("measured", "share"), "only the building has a meter"
    assert used["acme"] + used["rest"] == pytest.approx(used["e1"], rel=1e-3)
    areas = use["acme"]["area"], use["rest"]["area"]
    assert used["acme"] / used["e1"] == pytest.approx(areas[0] / sum(areas), rel=1e-3)
    ranks = http.get("/api/v1/energy/ranking", params={**span, "scope": "tenant"}).json()["rows"]
    assert {row["place"]: row["used"] for row in ranks} == pytest.approx({k: used[k] for k in ("acme", "rest")}, rel=1e-3)


@pytest.mark.browser
def test_enterprises_are_ranked_on_the_panel(paged: Served, window: Window) -> None:
    tab = open_tab(window, paged, lang="zh").open("/?panel=meters")
    tab.page.wait_for_selector(".meters-panel .ranks li", timeout=30_000)
    assert "艾克米" not in tab.page.inner_text(".meters-panel .ranks")
    tab.page.locator(".meters-panel label.check input").check()
    tab.until("document.querySelector('.meters-panel .ranks').innerText.includes('艾克米 <img')")
    assert "其余" in tab.page.inner_text(".meters-panel .ranks")
    assert tab.page.evaluate("window.hacked ?? 0") == 0
    assert not tab.complaints
