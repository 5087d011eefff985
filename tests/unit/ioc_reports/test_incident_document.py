"""The incident report: which moments get a picture, what the timeline says, and the document in both languages."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from zoneinfo import ZoneInfo

import pypdf
import pytest
from msgspec.structs import replace
from PIL import Image

from ioc.incident_facts import IncidentFacts, KeyMoment, Line, Still, key_moments, timeline
from ioc.pages.view import DIST
from ioc.reports.incident import IncidentReport, incident_report
from twin.marks import Mark
from twin.wire import CommandView, DispatchView, IncidentView, LinkageRun, PlanRun, PlanStep, TrailEntry

T0 = 1_795_000_000_000.0
SEC = 1000.0


def incident(**more: object) -> IncidentView:
    run = LinkageRun(linkage="fire", name="Fire linkage", name_zh="火灾联动", state="done", by="linkage:fire", started_ms=T0,
                     ended_ms=T0 + 30 * SEC)
    plan = PlanRun(plan="fire", name="Fire plan", name_zh="火警预案", owner="x", owner_zh="x", by="li", started_ms=T0, steps=[
        PlanStep(key="a", what="Call", what_zh="拨打 119", role="Commander", role_zh="值班长", limit_mins=1,
                 done_ms=T0 + 30 * SEC, done_by="li"),
        PlanStep(key="b", what="Count", what_zh="清点人数", role="Commander", role_zh="值班长", limit_mins=1)])
    made = IncidentView(
        id=7, title="Fire alarm", title_zh="火警", priority=1, state="closed", opened_ms=T0, closed_ms=T0 + 300 * SEC,
        alarms=[1], node=3, device="SMK-1", place="A3 · 312", place_zh="A3 · 三层 · 312", plan=plan, linkage=run,
        closed_by="li", note="false alarm")
    return replace(made, **more)


def dispatch(arrived: float) -> DispatchView:
    return DispatchView(
        id="d", incident=7, track=1, person="P-1", name="Wang", name_zh="王磊", role="guard", node=3, place="A3",
        place_zh="A3", reason="look", by="li", state="arrived", metres=151.0, route=[], expires_ms=T0,
        steps=[("requested", T0, ""), ("accepted", T0 + 3 * SEC, ""), ("arrived", arrived, "")])


def mark(at: float, text: str) -> Mark:
    return Mark(id=1, at_ms=at, text=text, by="li", made_ms=at, is_removed=False)


def trail(what: str, subject: str, text: str = "x", who: str = "") -> TrailEntry:
    return TrailEntry(id=1, time_ms=T0, who=who, what=what, subject=subject, node=0, text=text, text_zh=text)


def test_begin_and_end_come_first_and_close_moments_are_one() -> None:
    found = key_moments(incident(), returned_ms=T0 + 298 * SEC, peak_ms=T0 + 60 * SEC, dispatches=[dispatch(T0 + 100 * SEC)],
                        marks=[mark(T0 + 62 * SEC, "near the peak"), mark(T0 + 200 * SEC, "turn")], end_ms=T0 + 330 * SEC)
    assert [(m.why, (m.at_ms - T0) / SEC) for m in found] == [
        ("opened", 0), ("linkage", 30), ("peak", 60), ("arrived", 100), ("mark", 200), ("closed", 300)]


def test_an_open_incident_ends_with_the_record_and_nothing_after_it_is_shown() -> None:
    found = key_moments(incident(closed_ms=None, state="open"), returned_ms=None, peak_ms=None, dispatches=[],
                        marks=[mark(T0 + 90 * SEC, "later")], end_ms=T0 + 20 * SEC)
    assert [m.why for m in found] == ["opened", "end"]


def test_never_more_pictures_than_asked_for() -> None:
    marks = [mark(T0 + k * 20 * SEC, str(k)) for k in range(12)]
    found = key_moments(incident(), returned_ms=None, peak_ms=None, dispatches=[], marks=marks, end_ms=T0 + 400 * SEC, most=4)
    assert len(found) == 4


def test_the_timeline_keeps_what_concerns_the_incident_and_says_it_once() -> None:
    lines = timeline(incident(), [
        trail("alarm.raised", "SMK-1.fire", "Fire alarm, A3 · 312: alarm raised"), trail("alarm.raised", "OTHER.fire"),
        trail("incident.opened", "incident:7", "Fire alarm, A3 · 312: incident opened"),
        trail("incident.joined", "incident:7"),
        trail("command.confirmed", "DOOR-1", who="linkage:fire"), trail("command.confirmed", "DOOR-1", "by hand", who="li"),
        trail("drill.started", "fire")], {"incident:7", "SMK-1.fire", "DOOR-1"}, [mark(T0 - SEC, "before")])
    assert [(line.kind, line.text) for line in lines] == [
        ("mark", "before"), ("alarm", "alarm raised"),
        ("incident", "incident opened"), ("command", "by hand"), ("drill", "x")]


def facts(**more: object) -> IncidentFacts:
    out = io.BytesIO()
    Image.new("RGB", (320, 180), "#8899aa").save(out, "JPEG")
    command = CommandView(
        id="c", device="DOOR-1", node=1, key="unlock", title="Unlock", title_zh="释放", args={}, by="linkage:fire",
        state="failed", steps=[("requested", T0, ""), ("failed", T0 + 4 * SEC, "")], expires_ms=T0, confirm=None)
    moment = KeyMoment(at_ms=int(T0), why="opened", about="Fire alarm", about_zh="火警")
    made = IncidentFacts(
        incident=incident(), from_ms=int(T0) - 60_000, to_ms=int(T0) + 330_000, is_over=True, is_sample=False, alarms=[],
        acknowledged=(T0 + 12 * SEC, "li"), commands=[command], dispatches=[dispatch(T0 + 100 * SEC)],
                lines=[Line(at_ms=T0 + 61 * SEC, kind="mark", text="first report", text_zh="首报", who="li")],
                stills=[Still(moment=moment, picture=out.getvalue(), alarms=2, people=5, temperature=23.5, hash="ab" * 32)],
                breaks=(16, 18, 20, 22, 24, 26, 28, 32), counts=[(T0, 4, 1), (T0 + 9 * SEC, 3, 2)],
                curve=[(T0, 1.0), (T0 + 9 * SEC, 2.0)], curve_name=("Obscuration", "减光率", "%/m"))
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def read(lang: str, **more: object) -> tuple[str, int]:
    body = incident_report(IncidentReport(facts=facts(**more), park="河湾园", author="li", zone=ZoneInfo("Asia/Shanghai"),
                                          made=dt.datetime(2026, 11, 21, 16, 0, tzinfo=ZoneInfo("Asia/Shanghai")), lang=lang))  # type: ignore[arg-type]
    pages = pypdf.PdfReader(io.BytesIO(body)).pages
    return "".join(page.extract_text().replace("\n", "") for page in pages), sum(len(page.images) for page in pages)


@pytest.mark.skipif(not (DIST / "parktwin.css").is_file(), reason="the viewer is not built")
@pytest.mark.parametrize(("lang", "words"), [
    ("zh", ("事件报告 · 火警", "A3 · 三层 · 312", "首报", "+1:01", "王磊", "拨打 119", "未完成", "失败 4.0 s", "活动报警 2",
            "减光率", "ab" * 32)),
    ("en", ("Incident report · Fire alarm", "A3 · 312", "first report", "+1:01", "Wang", "Call", "not done", "failed 4.0 s",
            "2 live alarms", "Obscuration", "ab" * 32))])
def test_the_document_says_everything_in_its_language(lang: str, words: tuple[str, ...]) -> None:
    text, pictures = read(lang)
    for word in words:
        assert word.replace(" ", "") in text.replace(" ", ""), word
    assert pictures == 1
    assert "示例" not in text
    assert "Sample" not in text
    assert "replay.report" not in text


@pytest.mark.skipif(not (DIST / "parktwin.css").is_file(), reason="the viewer is not built")
def test_a_sample_and_an_open_incident_are_called_so() -> None:
    text, _ = read("en", is_sample=True, is_over=False, incident=incident(closed_ms=None, state="open"))
    assert "did not happen" in text
    assert "still open" in text
