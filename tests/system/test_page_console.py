"""`/console` as an operator uses it: an alarm is taken, a command is followed to its proof, the line goes and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_driver import Tab, open_tab
from page_park import TEXT
from playwright.sync_api import Browser
from served_park import Served, free_port, serving

from scenes.compile import compile_park
from twin.parkfile import load_park

SHOWS = "(build) => globalThis.parktwin?.world?.park.build === build"
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tab(window: Browser, paged: Served) -> Iterator[Tab]:
    opened = open_tab(window, paged).open("/console")
    yield opened
    opened.context.close()


def alarms(served: Served, state: str = "active") -> list[dict]:
    return served.browser().http.get(f"/api/v1/alarms?state={state}").json()


def test_a_drill_raises_an_alarm_that_the_operator_acknowledges(tab: Tab) -> None:
    tab.page.locator("button", has_text="Fire in A3").click()
    tab.until("document.querySelector('.alarm.p1.new')", 60)
    row = tab.page.locator(".alarm.p1.new").first
    row.locator("button.line").click()
    tab.until("document.querySelector('.alarm.chosen .alarm-verbs')")
    assert tab.page.locator(".alarm.chosen").count() == 1
    assert "Energy Centre" in tab.page.locator(".alarm.chosen").inner_text()
    tab.page.keyboard.press("a")
    tab.until("document.querySelector('.alarm.chosen.acknowledged')")
    assert [a["acked_by"] for a in alarms(tab.served) if a["priority"] == 1 and a["state"] == "acknowledged"] == ["demo"]
    assert tab.page.locator(".why[role=alert]").count() == 0
    tab.page.locator("button", has_text="Fire in A3").click()


def test_an_incident_s_linkage_is_seen_to_its_proof_and_its_plan_is_ticked_for_everybody(tab: Tab) -> None:
    tab.open("/console")
    tab.page.locator(".drills button", has_text="Fire in A3").click()
    tab.until("document.querySelector('.alarm.p1')", 60)
    tab.page.locator(".alarm.p1 button.line").first.click()
    tab.until("document.querySelector('.incident h3 button[aria-expanded=false]')", 60)  # all done: it makes room
    tab.page.locator(".incident h3 button").first.click()
    tab.until("[...document.querySelectorAll('.incident .steps li.confirmed')].some((l) => /gate/i.test(l.textContent))")
    start = tab.page.locator(".incident button", has_text="Start: Fire in a building")
    start.click()
    tab.until("document.querySelectorAll('.incident .plan-steps > li').length === 8")
    tab.page.locator(".incident .plan-steps > li > button").first.click()
    tab.until("document.querySelector('.incident .plan-steps > li.confirmed')")
    rows = tab.served.browser().http.get("/api/v1/incidents").json()["incidents"]
    plan = next(i["plan"] for i in rows if i["plan"])
    assert plan["steps"][0]["done_by"] == "demo", "kept by the server, not by the page"
    assert tab.page.locator(".incident .close button").is_disabled(), "alarms of it are live"
    assert tab.page.locator(".incident .why[role=alert]").count() == 0
    tab.page.locator(".drills button", has_text="Fire in A3").click()


def test_a_rule_is_put_aside_with_a_reason_is_seen_and_put_back(tab: Tab) -> None:
    tab.open("/console?device=AHU-1")
    tab.until("document.querySelector('.rules summary')")
    tab.page.locator(".rules summary").click()
    tab.page.locator(".rules li", has_text="Air handling unit fault").locator("button").click()
    form = tab.page.locator(".rules form.shelve")
    form.locator("input[type=number]").fill("15")
    form.locator("input:not([type])").fill("belt is changed")
    form.locator("button.primary").click()
    tab.until("[...document.querySelectorAll('.aside-list q')].some((q) => q.textContent === 'belt is changed')")
    held = tab.served.browser().http.get("/api/v1/alarms/aside").json()["aside"]
    assert [(h["key"], h["who"], h["reason"]) for h in held] == [("AHU-1.fault", "demo", "belt is changed")]
    assert 13 < (held[0]["until_ms"] - held[0]["since_ms"]) / 60_000 < 16
    tab.page.locator(".aside-list li.shelved", has_text="belt is changed").locator("button", has_text="Put back").click()
    tab.until("!document.querySelector('.aside-list li.shelved')")
    assert tab.served.browser().http.get("/api/v1/alarms/aside").json()["aside"] == []


def test_the_load_of_the_alarms_is_told_beside_what_it_should_be(tab: Tab) -> None:
    tab.open("/console")
    tab.page.locator(".eemua summary").click()
    tab.until("document.querySelectorAll('.eemua dl > div').length === 6")
    figures = tab.page.locator(".eemua dl").inner_text()
    told = tab.served.browser().http.get("/api/v1/alarms/kpis?hours=8").json()
    assert told["count"] >= 1, "the drills above raised alarms"
    assert f"{told['now']['standing']}" in figures
    assert "at most 1" in figures
    assert any(person["who"] == "demo" and person["acknowledged"] >= 1 for person in told["people"])
    assert tab.page.locator(".eemua .top li").count() >= 1


def test_a_command_is_followed_to_its_proof(tab: Tab) -> None:
    tab.open("/console?device=GATE-1")
    tab.until("document.querySelector('.device .verbs button')")
    tab.page.locator(".device .verbs button", has_text="Close").first.click()  # the linkage has opened it
    said = tab.page.locator(".order .effect").inner_text()
    assert "South gate" in said, "the sentence names the device"
    assert tab.page.locator(".device .life").count() == 0, "no former command's proof stands under an order being written"
    with tab.page.expect_response(lambda r: r.url.endswith("/api/v1/commands") and r.request.method == "POST") as answer:
        tab.page.locator(".order button.primary").click()
    sent = answer.value.json()["id"]
    tab.until(f"document.querySelector('.life.confirmed[data-command=\"{sent}\"]')", 40)
    assert tab.page.locator(".life.confirmed li.done").count() == 4
    kept = next(c for c in tab.served.browser().http.get("/api/v1/commands").json() if c["id"] == sent)
    assert (kept["state"], kept["by"]) == ("confirmed", "demo")


def test_a_dangerous_command_waits_on_the_page_until_a_second_person_approves(window: Browser, tab: Tab) -> None:
    tab.open("/console?device=CH-1")
    tab.until("document.querySelector('.device .verbs button')")
    tab.page.locator(".device .verbs button", has_text="Stop").click()
    assert "another commander" in tab.page.locator(".order .two").inner_text()
    tab.page.locator(".order button.primary").click()
    tab.until("document.querySelector('.device .life.requested .second')")
    assert tab.page.locator(".device .life .second button.primary").count() == 0, "who asked gets no button to approve"
    second = open_tab(window, tab.served, session=tab.served.browser(second=True).cookie, lang="zh")
    second.open("/console?device=CH-1").until("document.querySelector('.approvals .effect')")
    assert "冷水机组" in second.page.locator(".approvals .effect").inner_text()
    assert "申请人 demo" in second.page.locator(".approvals .asked").inner_text()
    second.page.locator(".device .verbs button", has_text="停机").click()
    second.page.locator(".device .order button.primary").click()
    second.until("document.querySelector('.device .order .why[role=alert]')")
    assert "demo 已对 CH-1 下发同一命令" in second.page.locator(".device .order .why").inner_text(), "refused in Chinese"
    second.complaints.clear()  # the refused order itself, 409
    second.page.locator(".approvals button.primary").click()
    second.until("!document.querySelector('.approvals')")
    second.context.close()
    tab.until("document.querySelector('.device .life.confirmed')", 120)
    steps = tab.page.locator(".device .life li.done").all_inner_texts()
    assert "demo" in steps[0]
    assert "demo-2" in steps[1]


@pytest.mark.parametrize(("lang", "loops", "nobody"), [
    ("en", "it loops (loop → fire_pump.running → loop)", "nobody owns it"),
    ("zh", "触发成环（loop → fire_pump.running → loop）", "没有责任人")])
def test_a_looping_linkage_and_an_ownerless_plan_are_told_on_the_page(window: Browser, paged: Served, lang: str, loops: str,
                                                                     nobody: str) -> None:
    reader = open_tab(window, paged, lang=lang).open("/console")
    reader.until("document.querySelector('.left-out summary')")
    reader.page.locator(".left-out summary").click()
    told = reader.page.locator(".left-out li").all_inner_texts()
    assert len(told) == 2
    assert any("loop.toml" in text and loops in text for text in told)
    assert any("nobody.toml" in text and nobody in text for text in told)
    assert reader.page.evaluate("() => window.hacked ?? 0") == 0
    assert reader.complaints == [], "and nothing else breaks"
    reader.context.close()


def test_a_viewer_sees_the_buttons_shut_and_why(window: Browser, paged: Served) -> None:
    paged.services.accounts.add("reader", "viewer", "slow-heron-88-bridge")
    session = paged.browser("reader", "slow-heron-88-bridge").cookie
    reader = open_tab(window, paged, session=session).open("/console?device=GATE-1")
    reader.until("document.querySelector('.device .verbs button')")
    assert all(button.is_disabled() for button in reader.page.locator(".device .verbs button").all())
    assert len(reader.page.locator(".device .why").first.inner_text()) > 5
    reader.context.close()


def half_written(tab: Tab) -> str:
    """What stands in the order being written; "" where there is none."""
    return str(tab.page.evaluate("() => document.querySelector('.order input')?.value ?? ''"))


def camera_of(tab: Tab) -> list[float]:
    """Target, distance and both angles."""
    return tab.page.evaluate("() => { const c = parktwin.scene.getCamera(); "
                             "return [...c.target, c.distance, c.azimuth, c.polar]; }")


def test_the_page_survives_its_server_and_a_new_build(window: Browser, paged_built: Path, tmp_path: Path) -> None:
    """With place, camera, filters and a half-written order; and nothing is sent by itself."""
    at, port = tmp_path / "served", free_port()
    with serving(paged_built, at, text=TEXT, port=port) as first:
        tab = open_tab(window, first).open("/console?device=AHU-1")
        tab.until("globalThis.parktwin.world.live.value.some((v) => v > 0)")
        tab.page.get_by_role("button", name="By priority").click()
        tab.until("document.querySelector('.device .verbs button')")
        tab.page.locator(".device .verbs button", has_text="supply").click()
        tab.page.locator(".order input").fill("21.5")
        tab.page.evaluate("() => { const s = parktwin.scene; s.setCamera({ ...s.getCamera(), distance: 77, azimuth: 1 }); }")
        camera, place = camera_of(tab), tab.page.locator(".crumbs").inner_text()
    tab.until("document.querySelector('.banner[role=alert]')", 15)
    assert tab.page.locator(".scene.stale").count() == 1, "values are greyed"
    assert tab.page.locator(".order button.primary").is_disabled(), "nothing is sent into the dark"
    with serving(paged_built, at, text=TEXT, port=port) as second:
        tab.until("!document.querySelector('.banner')", 20)
        assert (tab.page.locator(".crumbs").inner_text(), half_written(tab)) == (place, "21.5")
        assert camera_of(tab) == pytest.approx(camera, rel=0.01)
        assert tab.page.locator(".scene.stale").count() == 0
        tab.until("!document.querySelector('.order button.primary').disabled")
        assert second.browser().http.get("/api/v1/commands").json() == []
    (at / "park.toml").write_text(TEXT.replace("name = 'Paged", "name = 'Renewed"), "utf-8")
    build = compile_park(load_park(at), jobs=1).build
    with serving(paged_built, at, port=port) as third:
        tab.until("document.querySelector('.banner.newer')", 20)
        assert tab.page.evaluate("() => parktwin.world.park.build") != build, "not under an operator's hand"
        assert half_written(tab) == "21.5"
        assert tab.page.locator(".order button.primary").is_disabled(), "the sentence may say what is no longer so"
        tab.page.get_by_role("button", name="Load it now").click()
        tab.page.wait_for_function(SHOWS, arg=build, timeout=40_000)
        tab.until("document.querySelector('.order input')")
        assert (tab.page.locator(".crumbs").inner_text(), half_written(tab)) == (place, "21.5")
        assert camera_of(tab) == pytest.approx(camera, rel=0.01)
        assert tab.page.get_by_role("button", name="By priority").get_attribute("aria-pressed") == "true"
        tab.page.get_by_role("button", name="Cancel").click()
        assert third.browser().http.get("/api/v1/commands").json() == []
    (at / "park.toml").write_text(TEXT, "utf-8")
    build = compile_park(load_park(at), jobs=1).build
    with serving(paged_built, at, port=port):
        tab.page.wait_for_function(SHOWS, arg=build, timeout=40_000)  # nobody is at work: loaded by itself
        assert camera_of(tab) == pytest.approx(camera, rel=0.01)
        tab.context.close()


def test_nothing_is_fetched_from_anywhere_else_and_nothing_breaks(tab: Tab) -> None:
    assert tab.foreign == []
    assert tab.complaints == []
