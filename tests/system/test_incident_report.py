"""An incident's report from the running server: waited for, fetched, read back; and a still of a real storey."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pypdf
import pytest
from PIL import Image
from served_park import Browser, Served, build_park, serving, until

from ioc.pages.view import DIST
from scenes.compile import BuildResult
from scenes.moment_still import RAMP, AlarmMark, MomentStudio, Seen
from scenes.open_park import open_compiled
from twin.parkfile import load_park

NOBODY = np.zeros((0, 3))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("reported")
    (root / "made").mkdir()
    with serving(build_park(root / "made"), root / "park") as running:
        yield running


def written(browser: Browser, incident: int, lang: str) -> dict[str, object]:
    """The end state of a report, with its key."""
    key = browser.post("/api/v1/replay/reports", {"incident": incident, "lang": lang}).json()["key"]
    address = f"/api/v1/replay/reports/{key}"
    until(lambda: browser.http.get(address).json()["state"] != "working", 120, "the report is written")
    return {"key": key, **browser.http.get(address).json()}


@pytest.mark.skipif(not (DIST / "parktwin.css").is_file(), reason="the viewer is not built")
def test_a_report_reads_back_with_its_timeline_and_pictures_and_is_its_askers_alone(served: Served) -> None:
    browser = served.browser()
    assert browser.post("/api/v1/drills/fire/start").status_code == 200
    until(lambda: browser.http.get("/api/v1/incidents").json()["incidents"], 60, "the fire opens an incident")
    number = browser.http.get("/api/v1/incidents").json()["incidents"][0]["id"]
    alarm = browser.http.get(f"/api/v1/incidents/{number}").json()["incident"]["alarms"][0]
    assert browser.post(f"/api/v1/alarms/{alarm}/acknowledge").status_code == 200
    opened = browser.http.get(f"/api/v1/incidents/{number}").json()["incident"]["opened_ms"]
    assert browser.post("/api/v1/replay/marks", {"at_ms": opened, "text": "东门首报"}).status_code == 200
    until(lambda: browser.http.get("/api/v1/replay/range").json()["last_ms"] > opened + 6500, 60, "it is on record")
    for lang, words in (("zh", ("事件报告", "东门首报", "已确认", "关键时刻", "演练")),
                        ("en", ("Incident report", "东门首报", "acknowledged", "Key moments", "Fire in A3"))):
        done = written(browser, number, lang)
        assert done["state"] == "ready", done
        answer = browser.http.get(f"/api/v1/replay/reports/{done['key']}/report.pdf")
        assert answer.headers["content-type"] == "application/pdf"
        assert f"incident-{number}-{lang}.pdf" in answer.headers["content-disposition"]
        pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages
        text = "".join(page.extract_text().replace("\n", "") for page in pages)
        for word in words:
            assert word in text, word
        pictures = [image for page in pages for image in page.images]
        assert len(pictures) >= 2
        assert np.asarray(Image.open(io.BytesIO(pictures[0].data))).std() > 2, "a picture of something"
    after = opened + 1500
    span = browser.http.get(f"/api/v1/replay/span?from_ms={after}&to_ms={after + 1000}").json()
    raised = [row for row in span["alarms"] if row["id"] == alarm and row["what"] == "raised"]
    assert raised[0]["at_ms"] < after, "an alarm that began before the window is in it"
    served.services.accounts.add("guest", "viewer", "slow-heron-88-bridge")
    guest = served.browser("guest", "slow-heron-88-bridge")
    assert guest.http.get(f"/api/v1/replay/reports/{done['key']}").status_code == 404


def test_a_report_of_no_incident_says_why(served: Served) -> None:
    done = written(served.browser(), 9999, "en")
    assert done["state"] == "failed"
    assert "there is no incident 9999" in str(done["detail"])
    assert served.browser().http.get(f"/api/v1/replay/reports/{done['key']}/report.pdf").status_code == 404


@pytest.mark.shared
def test_a_storey_is_opened_with_rooms_painted_and_the_alarm_where_it_is(campus: BuildResult) -> None:
    park = open_compiled(load_park(campus.folder.parent, strict=False))
    room = next(r for r in park.spaces if park.graph.columns["name"][r["i"]] == "A203 Bedroom 2")
    studio = MomentStudio(campus.folder, park.graph, park.spaces, room["i"], size=(640, 360))
    at = tuple(float(v) for v in park.graph.columns["anchor"][room["i"]])
    mark = AlarmMark(at=at, priority=1, room=room["i"])  # type: ignore[arg-type]
    moments = [Seen(rooms={}, alarms=(), people=NOBODY, sent=NOBODY),
               Seen(rooms={room["i"]: RAMP[6]}, alarms=(), people=NOBODY, sent=NOBODY),
               Seen(rooms={}, alarms=[mark], people=NOBODY, sent=NOBODY)]
    try:
        calm, painted, alarmed = (np.asarray(Image.open(io.BytesIO(studio.shoot(seen))).convert("RGB")).astype(int)
                                  for seen in moments)
    finally:
        studio.close()

    def near(picture: np.ndarray, colour: str) -> int:
        wanted = np.array([int(colour[k:k + 2], 16) for k in (1, 3, 5)])
        return int((np.abs(picture - wanted).sum(axis=2) < 60).sum())

    assert near(painted, RAMP[6]) > 200 + near(calm, RAMP[6])
    assert near(alarmed, "#b50d2b") > 80 + near(calm, "#b50d2b")
