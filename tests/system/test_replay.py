"""Replay over the real server: the past through the socket of a page, its hash, and that it cannot be acted from."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from served_park import Served, build_park, serving, until

from ioc.live.replay import past_of
from twin.live.frames import decode
from twin.ports import Positions, Readings
from twin.wire import FrameKind, Quality


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("replayed")
    (root / "made").mkdir()
    with serving(build_park(root / "made"), root / "park") as running:
        yield running


def put(served: Served, point: str, value: float, at: float) -> None:
    """A reading on record, older than the present."""
    history = served.services.history
    history.put(Readings(np.array([served.slot(point)], np.uint32), np.array([value]), np.array([Quality.GOOD], np.uint8),
                         np.array([at])))
    assert history.flush()


def test_playing_through_and_jumping_come_to_the_same_moment(served: Served) -> None:
    began = time.time()
    until(lambda: time.time() - began > 6, 20, "some seconds of life are on record")
    put(served, "ENV-1.humidity", 33.25, began + 2.0)  # a small park may be silent for a while: this it says for certain
    assert served.services.history.flush()
    start, end = int(began * 1000), int(began * 1000) + 4000
    played, jumped = past_of(served.services), past_of(served.services)
    played.seek(start, end)
    before = played.hash()
    for at in range(start + 170, end, 170):
        played.step(at)
    played.step(end)
    jumped.seek(end)
    assert played.hash() == jumped.hash()
    assert played.hash() != before
    jumped.value[served.slot("ENV-1.temp")] += 0.25
    assert played.hash() != jumped.hash()


def test_the_rest_hash_is_the_same_twice_and_says_what_it_counts(served: Served) -> None:
    browser, at = served.browser(), int(time.time() * 1000) - 60_000
    first, again = (browser.http.get(f"/api/v1/replay/state?at_ms={at}").json() for _ in range(2))
    assert first == again
    assert len(first["hash"]) == 64
    assert first["values"] > 10


def test_the_socket_shows_a_value_as_it_was_then_and_not_as_it_is(served: Served) -> None:
    at = time.time() - 300
    put(served, "ENV-1.temp", 47.5, at)
    slot = served.slot("ENV-1.temp")
    with served.browser().live("/live/replay") as socket:
        socket.send(json.dumps({"t": "replay", "at_ms": at * 1000 + 10}))
        reset, shown = None, None
        while shown is None:
            message = socket.recv(timeout=10)
            if isinstance(message, str):
                said = json.loads(message)
                if said["t"] == "replay" and said["is_reset"] and abs(said["at_ms"] - at * 1000) < 100:
                    reset = said
            elif reset and (frame := decode(message)).kind is FrameKind.VALUES:
                shown = frame.columns["value"][frame.columns["slot"] == slot]
    assert shown.tolist() == [47.5]
    assert reset is not None
    assert len(reset["hash"]) == 64


def test_who_has_left_is_told_to_be_gone(served: Served) -> None:
    at = time.time() - 500
    put(served, "ENV-1.temp", 20.0, at - 10)
    served.services.history.put_positions(Positions(np.zeros(1, np.uint32), np.array([[1.0, 2.0, 0.0]]),
                                                    np.zeros(1, np.float32), np.array([at])))
    assert served.services.history.flush()
    places = []
    with served.browser().live("/live/replay") as socket:
        socket.send(json.dumps({"t": "replay", "at_ms": at * 1000 + 10, "is_playing": True, "speed": 60}))
        while not places or not np.isnan(places[-1]).all():
            message = socket.recv(timeout=10)
            if isinstance(message, bytes) and (frame := decode(message)).kind is FrameKind.POSITIONS:
                places += frame.columns["xyz"][frame.columns["track"] == 0].tolist()
    assert [1.0, 2.0, 0.0] in places, "it was there for two minutes"


@pytest.mark.parametrize(("at_ms", "word"), [(1000.0, "before the first record"), (9e12, "in the future")])
def test_a_moment_without_a_record_is_told_with_the_range(served: Served, at_ms: float, word: str) -> None:
    with served.browser().live("/live/replay") as socket:
        socket.send(json.dumps({"t": "replay", "at_ms": at_ms}))
        while True:
            message = socket.recv(timeout=10)
            if isinstance(message, str) and (said := json.loads(message)).get("fault"):
                break
    assert word in said["fault"]
    assert said["first_ms"] <= said["at_ms"] <= said["last_ms"]
    answer = served.browser().http.get(f"/api/v1/replay/state?at_ms={at_ms}")
    assert answer.status_code == 422
    assert "not on record" in answer.json()["detail"]


def test_no_command_leaves_a_replay(served: Served) -> None:
    browser = served.browser()
    before = len(browser.http.get("/api/v1/commands").json())
    answer = browser.http.post("/api/v1/commands", json={"device": "GATE-1", "key": "open", "args": {}},
                               headers={"x-csrf-token": browser.csrf, "x-parktwin-replay": "1"})
    assert answer.status_code == 409
    assert "return to live" in answer.json()["detail"]
    assert len(browser.http.get("/api/v1/commands").json()) == before


@pytest.mark.parametrize("said", [{"x-parktwin-replay": "1"}, {"referer": "{origin}/replay?t=1"}])
@pytest.mark.parametrize("path", ["/commands", "/alarms/1/acknowledge", "/dispatches", "/incidents/1/close",
                                  "/drills/fire/start"])
def test_whoever_says_it_is_in_the_past_changes_nothing(served: Served, path: str, said: dict[str, str]) -> None:
    browser = served.browser()
    headers = {key: text.format(origin=served.origin) for key, text in said.items()}
    answer = browser.http.post(f"/api/v1{path}", json={}, headers={"x-csrf-token": browser.csrf, **headers})
    assert answer.status_code == 409
    assert answer.json()["code"] == "replay.past"


def test_a_page_of_the_present_is_not_taken_for_the_past(served: Served) -> None:
    browser = served.browser()
    answer = browser.http.post("/api/v1/commands", json={"device": "GATE-1", "key": "open", "args": {}},
                               headers={"x-csrf-token": browser.csrf, "referer": f"{served.origin}/console?at=replay"})
    assert answer.status_code == 200


def test_key_figures_are_as_they_were_and_made_as_those_of_now(served: Served) -> None:
    browser, at = served.browser(), time.time() - 400
    put(served, "MTR-0.power", 4321.0, at)
    then = {card["key"]: card for card in browser.http.get(f"/api/v1/replay/state?at_ms={at * 1000 + 5}").json()["cards"]}
    now = {card["key"]: card for card in browser.http.get("/api/v1/kpis").json()["cards"]}
    assert then["power"]["value"] == 4321.0
    assert now["power"]["value"] != 4321.0
    assert then.keys() == now.keys()
    assert [(c["name_zh"], c["unit"], c["digits"]) for c in then.values()] == [
        (c["name_zh"], c["unit"], c["digits"]) for c in now.values()]
    with browser.live("/live/replay") as socket:
        socket.send(json.dumps({"t": "look", "node": "park", "channels": []}))
        socket.send(json.dumps({"t": "replay", "at_ms": at * 1000 + 5}))
        is_there = False
        while True:
            said = json.loads(message) if isinstance(message := socket.recv(timeout=20), str) else {"t": ""}
            is_there = is_there or (said["t"] == "replay" and said["is_reset"] and abs(said["at_ms"] - at * 1000) < 100)
            if said["t"] == "kpis" and is_there:
                break
    assert {card["key"]: card["value"] for card in said["cards"]}["power"] == 4321.0


def test_a_picture_of_a_moment_is_drawn_and_a_moment_without_record_refused(served: Served) -> None:
    browser, at = served.browser(), time.time() * 1000 - 60_000
    answer = browser.http.get(f"/api/v1/replay/reports/still.jpg?at_ms={at}&node=park", timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert np.asarray(Image.open(io.BytesIO(answer.content))).std() > 2, "a picture of something"
    assert browser.http.get("/api/v1/replay/reports/still.jpg?at_ms=1000").json()["code"] == "replay.moment"
    assert browser.http.get(f"/api/v1/replay/reports/still.jpg?at_ms={at}&node=nowhere").status_code == 404


def test_a_mark_is_kept_with_its_author_and_can_be_taken_back_and_put_back(served: Served) -> None:
    browser = served.browser()
    made = browser.http.post("/api/v1/replay/marks", json={"at_ms": 1.7e12, "text": "first report"},
                             headers={"x-csrf-token": browser.csrf, "x-parktwin-replay": "1"}).json()
    assert made["by"] == "demo"
    for there in (False, True):
        browser.http.delete(f"/api/v1/replay/marks/{made['id']}", headers={"x-csrf-token": browser.csrf})
        kept = [mark["id"] for mark in browser.http.get("/api/v1/replay/marks").json()]
        assert (made["id"] in kept) is there
