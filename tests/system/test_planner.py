"""`/planner` as a planner uses it: two schemes in a small real park, worked out by the real server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdf
import pytest
import trimesh
from PIL import Image
from playwright.sync_api import Browser as Window
from playwright.sync_api import Page
from served_park import Served, serving, until

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from scenes.schemes.still import scheme_still
from tools.browser import signed_in

RULES = """[rules]
name = "Condition 7"
name_zh = "规划条件 7"
far_max = 1.0
height_max = 30.0
setback_min = 5.0
sunlight_min = 2.0
[site]
name = "Plot"
name_zh = "地块一"
polygon = [[5.0, 5.0], [60.0, 5.0], [60.0, 95.0], [5.0, 95.0]]
"""
LOW = """[scheme]
name = "Low"
name_zh = "低层"
[[building]]
id = "n1"
name = "N1"
use = "residential"
footprint = [[15.0, 65.0], [50.0, 65.0], [50.0, 77.0], [15.0, 77.0]]
storeys = 4
"""
TALL = """[scheme]
name = "Tall"
name_zh = "高层"
remove = ["blocks:1", "nothing"]
[[building]]
id = "s1"
name = "<b>S1</b>"
use = "residential"
footprint = [[7.0, 20.0], [50.0, 20.0], [50.0, 32.0], [7.0, 32.0]]
storeys = 14
[[building]]
id = "n1"
name = "N1"
use = "residential"
footprint = [[15.0, 45.0], [50.0, 45.0], [50.0, 55.0], [15.0, 55.0]]
storeys = 3
[[building]]
id = "over"
footprint = [[66.0, 21.0], [80.0, 21.0], [80.0, 30.0], [66.0, 30.0]]
storeys = 2
"""


MODEL = """[scheme]
name = "Modelled"
name_zh = "模型"
[[building]]
id = "gate"
ifc = "bim/g2.ifc"
placement = { at = [20.0, 70.0, 0.0], rotation = 30.0 }
[[building]]
id = "nowhere"
ifc = "bim/g2.ifc"
[[building]]
id = "broken"
ifc = "bim/broken.ifc"
[[building]]
id = "clash"
name = "Clash"
name_zh = "冲突楼"
footprint = [[10.0, 25.0], [30.0, 25.0], [30.0, 40.0], [10.0, 40.0]]
storeys = 6
"""


@pytest.fixture(scope="module")
def planned(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The small park with a planning condition and two schemes."""
    root = tmp_path_factory.mktemp("planned") / "park"
    with serving(built, root) as running:
        (root / "rules.toml").write_text(RULES, "utf-8")
        (root / "schemes").mkdir()
        (root / "schemes" / "low.toml").write_text(LOW, "utf-8")
        (root / "schemes" / "tall.toml").write_text(TALL, "utf-8")
        (root / "schemes" / "model.toml").write_text(MODEL, "utf-8")
        (root / "bim").mkdir()
        write_building(next(block for block in BLOCKS if block.id == "g2"), root / "bim" / "g2.ifc")
        (root / "bim" / "broken.ifc").write_text("ISO-10303-21; this is not a building")
        yield running


def _result(served: Served, key: str) -> dict:
    http = served.browser().http
    until(lambda: http.get(f"/api/v1/schemes/{key}").status_code == 200, 60, f"{key} is worked out")
    answer = http.get(f"/api/v1/schemes/{key}").json()
    assert answer["state"] == "ready", answer
    return answer["result"]


def test_a_scheme_is_judged_and_what_is_wrong_in_it_is_told(planned: Served) -> None:
    before = {p: p.read_bytes() for p in (planned.services.build_dir / "tiles").rglob("*.glb")}
    low, tall = _result(planned, "low"), _result(planned, "tall")
    verdicts = {row["key"]: row["passes"] for row in tall["indicators"]}
    assert {row["key"] for row in low["indicators"] if row["passes"] is False} == set()
    assert (verdicts["height"], verdicts["setback"], verdicts["far"], verdicts["sun_own"]) == (False, False, False, False)
    assert tall["removed"] == ["blocks:1"]
    assert [b["id"] for b in tall["buildings"]] == ["s1", "n1"]
    faults = {f["what"]: f for f in tall["faults"]}
    assert any("'nothing'" in what and f["line"] == 4 for what, f in faults.items())
    assert any(what.startswith("over overlaps blocks:2") and f["line"] == 17 for what, f in faults.items())
    dark = next(row for row in tall["indicators"] if row["key"] == "sun_own")["breaches"]
    assert [b["subject"] for b in dark] == ["n1"]
    assert before == {p: p.read_bytes() for p in (planned.services.build_dir / "tiles").rglob("*.glb")}


def test_another_day_is_worked_out_and_not_judged(planned: Served) -> None:
    http = planned.browser().http
    until(lambda: http.get("/api/v1/schemes/tall?day=12-22").status_code == 200, 60, "the solstice is worked out")
    winter, rule = http.get("/api/v1/schemes/tall?day=12-22").json()["result"], _result(planned, "tall")
    sun = winter["sunlight"]
    assert (sun["date"], sun["rule_day"], sun["hours"], sun["limit"]) == ("2026-12-22", False, [9.0, 15.0], None)
    assert max(sun["hours_after"]) <= 6.0 < max(rule["sunlight"]["hours_after"])
    own, lost = (next(r for r in winter["indicators"] if r["key"] == key) for key in ("sun_own", "sun_lost"))
    assert (own["passes"], own["breaches"], lost["value"]) == (None, [], None)
    assert own["value"] is not None
    assert http.get("/api/v1/schemes/tall?day=01-20").json()["result"] == rule  # the rule's own day, asked for by name
    assert http.get("/api/v1/schemes/tall?day=02-30").status_code == 422
    report = http.get("/api/v1/schemes/report.pdf?a=low&b=tall&day=12-22&lang=en", timeout=120).content
    assert "Solstice 22 Dec" in pypdf.PdfReader(io.BytesIO(report)).pages[0].extract_text().replace("\n", " ")


def test_a_scheme_has_its_own_small_model(planned: Served) -> None:
    _result(planned, "tall")
    answer = planned.browser().http.get("/api/v1/schemes/tall/scheme.glb")
    scene = trimesh.load(io.BytesIO(answer.content), file_type="glb")
    assert set(scene.geometry) == {"s1", "n1"}
    assert scene.geometry["s1"].extents[1] == pytest.approx(42.0, abs=0.01)  # Y is up inside


def test_an_ifc_looks_like_itself_and_what_cannot_stand_is_told_in_both_languages(planned: Served) -> None:
    result = _result(planned, "model")
    (gate,) = result["buildings"]
    assert (gate["id"], gate["modelled"]) == ("gate", True)
    mesh = trimesh.load(io.BytesIO(planned.browser().http.get("/api/v1/schemes/model/scheme.glb").content),
                        file_type="glb").geometry["gate"]
    assert len(mesh.faces) > 100  # walls with openings, frames and panes; a prism of this outline has a dozen
    assert len(np.unique(mesh.visual.vertex_colors, axis=0)) > 3
    assert mesh.bounds[:, 0] == pytest.approx([min(p[0] for p in gate["parts"][0]["rings"][0]),
                                               max(p[0] for p in gate["parts"][0]["rings"][0])], abs=4.0)  # eaves
    faults = {fault["line"]: fault for fault in result["faults"]}
    assert sorted(faults) == [8, 11, 14]
    assert all(fault["what"] and fault["mend"] and fault["what_zh"] and fault["mend_zh"] for fault in faults.values())
    assert "placement = {" in faults[8]["mend"]
    assert "读不出 broken.ifc" in faults[11]["what_zh"]
    (left,) = result["left_out"]
    assert (left["id"], left["hits"], left["line"]) == ("clash", ["blocks:1"], 14)
    clash = np.array(left["clash"][0])
    assert [*clash.min(0), *clash.max(0)] == pytest.approx([15.0, 25.0, 30.0, 40.0], abs=0.01)


def test_a_still_shows_the_model_and_says_where_breaches_are(planned: Served) -> None:
    build = planned.services.build_dir
    plain = scheme_still(build, {**_result(planned, "model"), "buildings": [], "left_out": []}, size=(600, 400))
    still = scheme_still(build, _result(planned, "model"), size=(600, 400))
    pixels = [np.asarray(Image.open(io.BytesIO(s.png))).astype(int) for s in (plain, still)]
    assert np.mean(np.abs(pixels[0] - pixels[1]).max(-1) > 12) > 0.004
    tall = scheme_still(build, _result(planned, "tall"), size=(600, 400))
    assert tall.spots
    assert all(0 < x < 600 and 0 < y < 400 for _, x, y in tall.spots)


def test_the_report_reads_back(planned: Served) -> None:
    answer = planned.browser().http.get("/api/v1/schemes/report.pdf?a=low&b=tall", timeout=120)
    assert answer.headers["content-type"] == "application/pdf"
    text = "".join(p.extract_text().replace("\n", "") for p in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    for words in ("方案比选报告", "规划条件 7", "容积率", "<b>S1</b>", "日照", "大寒" if "大寒" in text else "01-20"):
        assert words in text, words


def test_the_table_as_csv(planned: Served) -> None:
    lines = planned.browser().http.get("/api/v1/schemes/indicators.csv?a=low&b=tall", timeout=60).text.splitlines()
    assert any(line.startswith("height,m,30.0000,12.0000,yes,42.0000,no") for line in lines)


def test_an_unknown_scheme_is_a_plain_no(planned: Served) -> None:
    answer = planned.browser().http.get("/api/v1/schemes/..%2f..%2fetc")
    assert answer.status_code == 404
    assert planned.browser().http.get("/api/v1/schemes/none").status_code == 404


@pytest.fixture
def page(planned: Served, window: Window) -> Iterator[Page]:
    """The planner page, everything loaded."""
    context = signed_in(window, planned.origin, theme="light", width=1600, height=900)
    page = context.new_page()
    page.faults = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
    page.on("console", lambda said: page.faults.append(said.text) if "WebGL" in said.text else None)  # type: ignore[attr-defined]
    page.goto(f"{planned.origin}/planner?a=low&b=tall")
    page.wait_for_selector(".planner-table td.bad", timeout=60_000)
    page.wait_for_selector(".planner-working", state="detached", timeout=60_000)
    yield page
    assert page.faults == []  # type: ignore[attr-defined]
    context.close()


@pytest.mark.browser
def test_a_planner_compares_two_schemes(page: Page) -> None:
    table = page.locator(".planner-table tbody")
    height = table.locator("tr", has_text="最高建筑")
    assert "42.0" in height.inner_text()
    assert "+30.0" in height.inner_text()
    assert "<b>S1</b>" in height.inner_text()  # a name is text, not markup
    assert page.locator(".planner-faults li").count() == 2
    before = page.evaluate("JSON.stringify(parktwin.planner.orbit.now)")
    height.locator("button.number").click()
    page.wait_for_timeout(1500)
    assert page.evaluate("JSON.stringify(parktwin.planner.orbit.now)") != before
    assert page.locator(".callout.here").count() == 1


@pytest.mark.browser
def test_a_building_that_overlaps_says_so_where_it_would_stand(planned: Served, window: Window) -> None:
    context = signed_in(window, planned.origin, theme="light")
    page = context.new_page()
    page.goto(f"{planned.origin}/planner?a=model&b=low")
    page.wait_for_selector(".planner-working", state="detached", timeout=60_000)
    notice = page.locator(".callout.notice button")
    page.locator(".badge.a .wrong").click()  # wherever the line stands, the side that is wrong is shown
    notice.wait_for(state="visible", timeout=30_000)
    assert "冲突楼 未放入" in notice.inner_text()
    assert "重叠" in notice.inner_text()
    page.wait_for_function("() => [...parktwin.planner.scene.children].some((g) => g.children?.some((o) => o.userData.isBody "
                           "&& o.geometry.attributes.position.count > 300))", timeout=30_000)
    page.locator(".planner-compass button").click()
    before = page.evaluate("JSON.stringify(parktwin.planner.orbit.now)")
    page.locator(".planner-faults button").click()
    page.wait_for_function(f"() => JSON.stringify(parktwin.planner.orbit.now) !== '{before}'", timeout=30_000)
    page.locator(".planner-bar > button").first.click()
    assert "Clash is left out" in notice.inner_text()
    assert "so it is left out" in page.locator(".planner-faults").inner_text()
    context.close()


@pytest.mark.browser
def test_the_line_moves_by_keys_and_shows_the_other_scheme(page: Page) -> None:
    handle = page.locator(".divider .handle")
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert handle.get_attribute("aria-valuenow") == "52"
    page.keyboard.press("Home")
    assert handle.get_attribute("aria-valuenow") == "2"
    page.wait_for_timeout(600)
    assert page.evaluate("parktwin.planner.project([30, 25, 20], 1) !== null")
    assert page.evaluate("parktwin.planner.project([30, 25, 20], 0) === null")
    page.keyboard.press("End")
    page.wait_for_timeout(600)
    assert page.evaluate("parktwin.planner.project([30, 25, 20], 1) === null")
    page.locator(".planner-bar .pair button").nth(1).click()
    assert page.locator(".divider .handle").count() == 0


@pytest.mark.browser
def test_the_hour_moves_the_sun_and_nothing_else(page: Page) -> None:
    table = page.locator(".planner-table tbody").inner_text()
    shown = page.locator(".planner-sun header").inner_text()
    page.locator(".planner-sun input[type=range]").fill("15")
    assert "15:00" in page.locator(".planner-sun output").inner_text()
    assert page.locator(".planner-sun header").inner_text() != shown
    assert page.locator(".planner-table tbody").inner_text() == table


@pytest.mark.browser
def test_another_day_keeps_the_picture_until_it_is_worked_out(page: Page) -> None:
    days = page.locator(".planner-sun .days")
    judged = page.locator(".planner-table tr", has_text="日照 · 新建住宅")
    assert "≥ 2.00 h" in judged.inner_text()
    days.locator("button").nth(1).click()
    page.wait_for_selector(".planner-table tr:has-text('日照 · 新建住宅') td.limit:has-text('—')", timeout=60_000)
    assert "day=12-22" in page.url
    assert "冬至日" in page.locator(".planner-legend").inner_text()
    days.locator("input").fill("2026-04-05")
    page.wait_for_selector(".planner-legend b:has-text('4月5日')", timeout=60_000)
    assert "day=04-05" in page.url
    days.locator("button").first.click()
    page.wait_for_selector(".planner-table tr:has-text('日照 · 新建住宅') td.limit:has-text('2.00 h')", timeout=60_000)
    assert "day=" not in page.url


@pytest.mark.browser
def test_facades_show_the_sun_after_before_and_not_at_all(page: Page) -> None:
    corners = "parktwin.planner.tints.flatMap(g => g.children).reduce((n, m) => n + m.geometry.attributes.position.count, 0)"
    buttons, counts = page.locator(".planner-legend .pair button"), [page.evaluate(corners)]
    for number in (1, 2, 3):
        buttons.nth(number).click()
        page.wait_for_function(f"() => {corners} !== {counts[-1]}", timeout=30_000)
        counts.append(page.evaluate(corners))
    own, after, before, none = counts
    assert after == own + before > own > 0  # the neighbours come in, and they alone are left of the time before
    assert none == 0


@pytest.mark.browser
def test_the_report_is_handed_over(page: Page) -> None:
    with page.expect_download(timeout=120_000) as coming:
        page.locator(".planner-bar .primary").click()
    assert Path(coming.value.path()).read_bytes().startswith(b"%PDF")


@pytest.mark.browser
def test_a_park_without_schemes_says_what_to_put_where(built: Path, tmp_path: Path, window: Window) -> None:
    with serving(built, tmp_path / "park") as bare:
        context = signed_in(window, bare.origin, theme="light")
        page = context.new_page()
        page.goto(f"{bare.origin}/planner")
        page.wait_for_selector(".planner-empty", timeout=30_000)
        assert "schemes/" in page.locator(".planner-empty").inner_text()
        assert page.locator(".planner-bar .primary").is_disabled()
        context.close()


@pytest.mark.browser
def test_a_scheme_that_cannot_be_worked_out_says_why_and_the_other_stands(planned: Served, window: Window) -> None:
    schemes = planned.services.spec.root / "schemes"
    (schemes / "bare.toml").write_text('[scheme]\nname = "Bare"\n', "utf-8")
    rules = planned.services.spec.root / "rules.toml"
    rules.write_text(RULES.split("[site]")[0], "utf-8")
    try:
        context = signed_in(window, planned.origin, theme="light")
        page = context.new_page()
        page.goto(f"{planned.origin}/planner?a=bare&b=tall")
        page.wait_for_selector(".planner-empty.side-0", timeout=60_000)
        assert "地块在哪里" in page.locator(".planner-empty.side-0").inner_text()
        context.close()
    finally:
        (schemes / "bare.toml").unlink()
        rules.write_text(RULES, "utf-8")
