"""Energy by the hour, trails, fences and coverage as their users use them, in a real browser over one real building."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest
from served_park import Served, serving, until

from assets.demo.blocks import BLOCKS
from assets.demo.make import write_building
from assets.demo.registry_buildings import building_devices
from assets.demo.registry_row import COLUMNS
from scenes.compile import compile_park
from tools.browser import chromium, open_page, signed_in
from twin.parkfile import load_park
from twin.ports import Positions, Readings

pw = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser,
              pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")]
BLOCK = dataclasses.replace(next(block for block in BLOCKS if block.id == "g1"), x=0.0, y=0.0, turn_deg=0.0)
PARK = """[park]
id = "one"
name = "One"
name_zh = "一园"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
registry = "devices.csv"
[live]
source = "mqtt://127.0.0.1:9"
[[building]]
id = "g1"
ifc = ["g1.ifc"]
name = "Visitor Centre"
name_zh = "访客中心"
placement = { at = [0.0, 0.0, 0.0] }
"""
GUEST = [{"id": "V-1", "kind": "person", "name": "Guest", "name_zh": "访客甲", "role": "visitor"},
         {"id": "V-2", "kind": "person", "name": "Guest two", "name_zh": "访客乙", "role": "visitor"},
         {"id": "V-3", "kind": "person", "name": "Guest three", "name_zh": "访客丙", "role": "visitor"},
         {"id": "V-4", "kind": "person", "name": "Guest four", "name_zh": "访客丁", "role": "visitor"},
         {"id": "V-5", "kind": "person", "name": "Guest five", "name_zh": "访客戊", "role": "visitor"}]


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("one")
    write_building(BLOCK, root / "g1.ifc")
    with (root / "devices.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        out.writerows(row.cells() for row in building_devices(BLOCK))
    (root / "tracks.json").write_text(json.dumps(GUEST), "utf-8")
    (root / "park.toml").write_text(PARK, "utf-8")
    compile_park(load_park(root), jobs=1)
    with serving(root, tmp_path_factory.mktemp("served") / "one", text=PARK) as running:
        yield running


@pytest.fixture(scope="module")
def context(park: Served) -> Iterator[pw.BrowserContext]:
    with chromium() as browser:
        yield signed_in(browser, park.origin, width=1600, height=900)


def move(park: Served, secs: float, at: tuple[float, float, float]) -> None:
    fix = Positions(np.zeros(1, np.uint32), np.array([at]), np.zeros(1, np.float32), np.array([secs]))
    park.services.runner.submit(lambda: park.services.runner.core.move(fix)).result(5)


def rooms_of(park: Served, storey: int) -> list[dict]:
    storeys = sorted({s["parent"] for s in park.services.spaces}, key=lambda i: park.services.graph.columns["elevation"][i])
    return [s for s in park.services.spaces if s["parent"] == storeys[storey]]


def middle(room: dict) -> tuple[float, float, float]:
    xs, ys = zip(*room["ring"], strict=True)
    return sum(xs) / len(xs), sum(ys) / len(ys), room["z0"] + 0.9


def storey_id(park: Served, storey: int) -> str:
    return str(park.services.graph.columns["id"][rooms_of(park, storey)[0]["parent"]])


def test_a_manager_looks_at_any_hour_of_yesterday_with_the_keyboard(park: Served, context: pw.BrowserContext) -> None:
    day = (datetime.now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    slots = park.services.points.slots_of_key("power", {"meter"})
    for hour, kw in ((9, 4.0), (10, 12.0)):
        times = np.repeat(day.timestamp() + hour * 3600 + np.array([60.0, 1800.0]), len(slots))
        park.services.history.put(Readings(np.tile(slots, 2).astype(np.uint32), np.full(2 * len(slots), kw),
                                           np.zeros(2 * len(slots), np.uint8), times))
    assert park.services.history.flush()
    page = open_page(context, f"{park.origin}/?panel=hours", settle_secs=0.5)
    page.fill(".when input[type=date]", f"{day:%Y-%m-%d}")
    page.locator("input.hour").evaluate("e => { e.value = '9'; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    pw.expect(page.locator(".when output")).to_contain_text("09:00–10:00")
    pw.expect(page.locator(".ranks li b").first).to_have_text("4.00")
    pw.expect(page.locator(".legend header")).to_contain_text("09:00–10:00")
    page.focus("input.hour")
    page.keyboard.press("ArrowRight")
    pw.expect(page.locator(".when output")).to_contain_text("10:00–11:00")
    pw.expect(page.locator(".ranks li b").first).to_have_text("12.0")
    page.focus("input.hour")
    page.keyboard.press("ArrowRight")
    pw.expect(page.locator(".hours-panel")).to_contain_text("没有任何计量记录")
    page.click("[aria-label=关闭面板]")
    pw.expect(page.locator(".legend header")).to_contain_text("截至")
    page.close()


def test_an_operator_follows_a_guest_over_two_floors_and_the_look_is_on_the_trail(park: Served,
                                                                                  context: pw.BrowserContext) -> None:
    lower, upper = middle(rooms_of(park, 0)[0]), middle(rooms_of(park, 1)[0])
    now = time.time()
    for k in range(100):
        at = lower if k < 70 else upper
        move(park, now - 150 + k, (at[0] + 0.02 * (k % 3), at[1], at[2]))
    until(lambda: len(park.services.history.track_between(0, now - 200, now).track) >= 100, 10, "fixes are in the history")
    page = open_page(context, f"{park.origin}/?panel=trail", settle_secs=0.5)
    page.fill(".choose input", "访客甲")
    page.keyboard.press("Enter")
    pw.expect(page.locator(".floors button")).to_have_count(2)
    pw.expect(page.locator(".plan .way").first).to_be_attached()
    pw.expect(page.locator(".facts")).to_contain_text("停留")
    page.locator(".floors button").first.click()
    pw.expect(page.locator(".plan .stay").first).to_be_attached()
    trail = park.browser().http.get("/api/v1/trail").json()
    assert any(row["what"] == "track.viewed" and row["subject"] == "V-1" for row in trail)
    page.close()


def test_one_who_fell_silent_is_searched_for_and_their_contacts_are_found(park: Served, context: pw.BrowserContext) -> None:
    x, y, z = middle(rooms_of(park, 1)[0])
    now = time.time()
    for k in range(120):
        both = np.array([[x, y, z], [x + 0.8, y, z]])
        fixes = Positions(np.array([3, 4], np.uint32), both, np.zeros(2, np.float32), np.full(2, now - 150 + k))
        park.services.runner.submit(lambda fixes=fixes: park.services.runner.core.move(fixes)).result(5)
    until(lambda: len(park.services.history.track_between(4, now - 200, now).track) >= 115, 10, "fixes are in the history")
    page = open_page(context, f"{park.origin}/?panel=trail&track=V-4", settle_secs=0.5)
    page.click("text=寻人")
    pw.expect(page.locator(".missing")).to_contain_text("已失联")
    pw.expect(page.locator(".missing .plan .drawn").first).to_be_attached()
    rooms = int(page.locator(".missing .facts dd").nth(1).inner_text())
    assert rooms > 1, "half a minute leads out of the room"
    page.click("text=慢 0.8")
    pw.expect(page.locator(".missing .facts dd").nth(1)).not_to_have_text(str(rooms))
    page.click(".trail-panel >> text=接触者")
    page.click("text=查找接触者")
    pw.expect(page.locator(".contacts li")).to_have_count(1)
    pw.expect(page.locator(".contacts li")).to_contain_text("访客戊")
    pw.expect(page.locator(".contacts li")).to_contain_text("0.8 m")
    page.close()


def test_the_trail_is_of_the_places_shown_and_fixes_as_they_came_on_request(park: Served, context: pw.BrowserContext) -> None:
    at, now = np.array(middle(rooms_of(park, 1)[1])), time.time()
    noise = np.random.default_rng(1).normal(0.0, 2.0, (60, 3)) * [1.0, 1.0, 0.25]
    for k in range(60):
        fix = Positions(np.array([2], np.uint32), at[None] + noise[k], np.zeros(1, np.float32), np.array([now - 70 + k]),
                        np.array([2.0], np.float32))
        park.services.runner.submit(lambda fix=fix: park.services.runner.core.move(fix)).result(5)
    until(lambda: len(park.services.history.track_between(2, now - 200, now).track) == 60, 10, "fixes are in the history")
    http, span = park.browser().http, {"from_ms": (now - 200) * 1000, "to_ms": now * 1000}
    shown, came = (http.get("/api/v1/tracks/V-3/trajectory", params={**span, "raw": raw}).json() for raw in (False, True))
    off, raw_off = (np.linalg.norm(np.array(told["xyz"]) - at, axis=1).mean() for told in (shown, came))
    assert off < raw_off
    assert (shown["raw"], came["raw"], came["spread_m"]) == (False, True, 2.0)
    assert 0 < shown["spread_m"] < 2.0
    page = open_page(context, f"{park.origin}/?panel=trail&track=V-3", settle_secs=0.5)
    pw.expect(page.locator(".trail-panel .check")).to_contain_text("已平滑")
    steady = page.locator(".plan .way").first.get_attribute("d")
    page.locator(".trail-panel .check input").check()
    pw.expect(page.locator(".trail-panel .check")).to_contain_text("未经平滑，误差约 ±2.0 m")
    assert page.locator(".plan .way").first.get_attribute("d") != steady
    page.locator(".trail-panel .check input").uncheck()
    pw.expect(page.locator(".trail-panel .check")).to_contain_text("已平滑")
    page.close()


def test_a_click_on_somebody_in_the_scene_opens_their_trail(park: Served, context: pw.BrowserContext) -> None:
    x, y, z = -30.0, 0.0, 0.0
    page = open_page(context, f"{park.origin}/", settle_secs=0.5)
    assert page.locator(".trail-panel").count() == 0
    page.evaluate("at => parktwin.scene.setCamera({ ...parktwin.scene.getCamera(), target: at, distance: 60, polar: 0.7 })",
                  [x, y, z])
    box = page.locator(".scene-host canvas").bounding_box()
    assert box

    where = """() => { const sign = parktwin.scene.signs.sprites.placed.find((p) => p.sprite.pick?.kind === "track");
                        return sign ? [sign.x, sign.y] : null; }"""

    def is_drawn() -> bool:
        move(park, time.time(), (x, y, z))
        page.wait_for_timeout(100)
        return page.evaluate("parktwin.scene.stage.isStill") and page.evaluate(where) is not None

    until(is_drawn, 40, "the guest's sign is in the picture")
    at = page.evaluate(where)
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    pw.expect(page.locator(".trail-panel .chosen")).to_contain_text("访客甲")
    assert "track=V-1" in page.url
    page.close()


def test_people_by_the_hour_are_ranked_by_room(park: Served, context: pw.BrowserContext) -> None:
    day = (datetime.now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    room = rooms_of(park, 0)[0]
    times = day.timestamp() + 14 * 3600 + np.arange(60) * 60.0 + 1.0
    park.services.history.put_positions(Positions(np.zeros(60, np.uint32), np.tile(np.array(middle(room)), (60, 1)),
                                                  np.zeros(60, np.float32), times))
    assert park.services.history.flush()
    page = open_page(context, f"{park.origin}/?at={storey_id(park, 0)}&panel=hours&channel=4", settle_secs=0.5)
    page.fill(".when input[type=date]", f"{day:%Y-%m-%d}")
    page.locator("input.hour").evaluate("e => { e.value = '14'; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    pw.expect(page.locator(".when output")).to_contain_text("14:00–15:00")
    pw.expect(page.locator(".ranks li").first).to_contain_text("1.0")
    pw.expect(page.locator(".hours-panel")).to_contain_text("平均人数")
    page.close()


def test_a_viewer_sees_storeys_and_minutes_only(park: Served) -> None:
    park.services.accounts.add("onlooker", "viewer", "river-crane-42-lantern")
    onlooker = park.browser("onlooker", "river-crane-42-lantern")
    http = onlooker.http
    now = time.time() * 1000
    told = http.get("/api/v1/tracks/V-1/trajectory", params={"from_ms": now - 600_000, "to_ms": now}).json()
    assert told["blurred"]
    assert told["reason"]
    assert told["stays"] == []
    anchors = park.services.graph.columns["anchor"]
    assert told["xyz"]
    assert {park.services.graph.columns["kind"][node] for node in told["node"]} == {"storey"}
    assert all(math.dist(at, anchors[node]) < 0.02 for at, node in zip(told["xyz"], told["node"], strict=True))
    assert all(t % 60_000 == 0 for t in told["t"])
    refused = onlooker.post("/api/v1/fences", {"id": "x"})
    assert refused.status_code == 403
    assert "commander" in refused.json()["detail"]


def test_a_commander_draws_a_fence_and_the_next_one_in_raises_its_alarm(park: Served, context: pw.BrowserContext) -> None:
    page = open_page(context, f"{park.origin}/?at={storey_id(park, 0)}&panel=fences", settle_secs=0.5)
    page.click("text=新建围栏")
    page.fill("form input", "测试区")
    page.click("text=圈画区域")
    plan = page.locator("svg.plan.draws")
    box = plan.bounding_box()
    assert box
    for x, y in ((0.03, 0.03), (0.97, 0.03), (0.97, 0.97), (0.03, 0.97)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.click("text=保存并启用")
    pw.expect(page.locator(".draw .why")).to_contain_text("处置人")
    page.locator(".draw .grid2").nth(1).locator("input").first.fill("安保岗")
    page.fill(".draw textarea", "查看画面\n派员到场")
    page.click("text=保存并启用")
    pw.expect(page.locator(".fence-list li")).to_have_count(1)
    x, y, z = middle(rooms_of(park, 0)[0])
    now = time.time()
    move(park, now, (-60.0, y, z))
    move(park, now + 1, (x, y, z))
    row = page.locator(".panel.alarms .alarm").filter(has_text="V-1")
    pw.expect(row).to_contain_text("进入围栏")
    pw.expect(row).to_contain_text("测试区")
    alarm = next(a for a in park.browser().http.get("/api/v1/alarms").json() if a["device"].startswith("fence:"))
    assert (alarm["owner_zh"], alarm["steps"]) == ("安保岗", ["查看画面", "派员到场"])
    page.locator(".fence-list button", has_text=re.compile("删除")).click()
    pw.expect(page.locator(".fence-list li")).to_have_count(0)
    until(lambda: [a["state"] for a in park.browser().http.get("/api/v1/alarms").json() if a["id"] == alarm["id"]]
          == ["returned"], 5, "the alarm of a removed fence returns to normal")
    page.close()


def test_a_planner_of_security_reads_coverage_with_its_method_and_blind_spots(park: Served,
                                                                               context: pw.BrowserContext) -> None:
    page = open_page(context, f"{park.origin}/?at={storey_id(park, 0)}&panel=coverage", settle_secs=0.5)
    pw.expect(page.locator(".share")).to_have_count(4)
    answer = park.browser().http.get("/api/v1/coverage").json()
    row = next(r for r in answer["rows"] if r["scope"] == "storey")
    assert 0 < row["seen_m2"] < row["floor_m2"]
    assert row["answered"] == row["rules"] > 0
    pw.expect(page.locator(".share b").first).to_have_text(f"{round(100 * row['seen_m2'] / row['floor_m2'])}%")
    pw.expect(page.locator(".share em").first).to_contain_text("朝向均已登记")
    pw.expect(page.locator(".plan .blind").first).to_be_attached()
    page.click(".coverage-panel summary")
    pw.expect(page.locator(".coverage-panel details")).to_contain_text("GB 50116")
    page.close()


@pytest.mark.parametrize(("lang", "state"), [("zh", "亮屏"), ("en", "On")])
def test_a_card_shows_a_long_text_whole_and_states_in_the_words_of_their_point(
        park: Served, context: pw.BrowserContext, lang: str, state: str) -> None:
    device = next(d.id for d in park.services.points.devices if d.kind == "screen")
    said = "三号站台电梯停运至18:30，请走东入口楼梯。 " * 5 + "https://example.org/" + "long" * 20
    points, core = park.services.points, park.services.runner.core
    slots = [points.slot(device, key) for key in ("message", "status")]

    def tell() -> None:
        values = np.array([points.texts.code(said), points.spec[slots[1]].number_of("on")], float)
        core.ingest(Readings(np.array(slots, np.uint32), values, np.zeros(2, np.uint8), np.full(2, time.time())))

    park.services.runner.submit(tell).result(5)
    assert context.browser
    own = signed_in(context.browser, park.origin, width=1600, height=900, lang=lang)
    page = open_page(own, f"{park.origin}/?device={device}", settle_secs=0.5)
    text = page.locator(".device .point.text dd")
    pw.expect(text).to_contain_text(said[-30:])
    pw.expect(page.locator(".device .point dd").first).to_contain_text(state)
    card, inner = page.locator(".device").bounding_box(), text.locator("b").bounding_box()
    assert card["x"] <= inner["x"]
    assert inner["x"] + inner["width"] <= card["x"] + card["width"]
    assert inner["height"] > 2 * page.locator(".device .point dd").first.bounding_box()["height"], "in lines of its own"
    own.close()
