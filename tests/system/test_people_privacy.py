"""Whoever may not follow people sees no name and no exact place, on any route and on either socket; others are the control.

The cases are made from the API itself: every GET there is, asked by every role.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from served_park import PARK, Browser, Served, build_park, serving, until

from ioc.access.discreet import GRID_M
from twin.live.frames import decode
from twin.ports import Positions, Readings
from twin.wire import FrameKind

NAME, NAME_ZH = "Quentin Weatherby", "欧阳若愚"
TRACKS = [{"id": "G-77", "kind": "person", "name": NAME, "name_zh": NAME_ZH, "role": "guard"},
          {"id": "G-78", "kind": "person", "name": "Beatrix Lonsdale", "name_zh": "司马青衫", "role": "guard"}]
NAMES = [track[key] for track in TRACKS for key in ("name", "name_zh")]
AT = np.array([[23.17, 11.43, 1.0], [22.31, 12.07, 1.0]])
FENCE = {"id": "gate", "name": "Gate", "rule": "enter", "priority": 2, "ring": [[10, 0], [40, 0], [40, 30], [10, 30]],
         "response": {"owner": "Guard", "owner_zh": "安保", "steps": ["Look"], "steps_zh": ["查看"], "deadline_mins": 5}}
PASSWORD = "river-crane-42-lantern"
ROLES = ("viewer", "operator", "commander", "admin")


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    built = build_park(tmp_path_factory.mktemp("privacy"))
    (built / "tracks.json").write_text(json.dumps(TRACKS), "utf-8")
    with serving(built, tmp_path_factory.mktemp("served") / "p", text=PARK.format(source="mqtt://127.0.0.1:9")) as served:
        for role in ROLES:
            served.services.accounts.add(role, role, PASSWORD)
        commander = served.browser("commander", PASSWORD)
        assert commander.post("/api/v1/fences", FENCE).status_code == 200
        begin = time.time() - 100
        slots = np.arange(5, dtype=np.uint32)
        for k in range(20):
            served.services.history.put(Readings(slots, np.full(5, 20.0), np.zeros(5, np.uint8), np.full(5, begin + 5 * k)))
        for k in range(100):
            move(served, begin + k, AT - np.array([0.0, 20.0 * (k == 0), 0.0]))
        until(lambda: len(served.services.runner.core.tracks.present()) == 2, 10, "both are there")
        made = commander.post("/api/v1/incidents", {"node": "GATE-1", "title": f"Ask {NAME}", "priority": 2})
        assert made.status_code == 200, made.text
        sent = commander.post("/api/v1/dispatches", {"node": "GATE-2", "reason": f"Relieve {NAME}", "person": "G-77",
                                                     "incident": made.json()["id"]})
        assert sent.status_code == 200, sent.text
        until(lambda: NAME in commander.http.get("/api/v1/trail").text, 10, "the dispatch is on the trail")
        until(lambda: len(served.services.history.track_between(0, begin - 1, time.time()).track) >= 90, 10, "kept")
        yield served


def move(served: Served, secs: float, at: np.ndarray) -> None:
    fix = Positions(np.arange(2, dtype=np.uint32), at.astype(float), np.full(2, 1.25, np.float32), np.full(2, secs))
    served.services.runner.submit(lambda: served.services.runner.core.move(fix)).result(5)


def asked(served: Served, http: httpx.Client) -> dict[str, httpx.Response]:
    """Every GET of the API with something sensible in it."""
    now = time.time() * 1000
    values = {"track_id": "G-77", "node_id": "GATE-1", "channel": 4, "node": "GATE-2", "key": "x", "from_ms": now - 300_000,
              "to_ms": now, "at_ms": now - 5000, "time_ms": now - 5000, "point": "WX-1.temp", "q": "gate", "device": "GATE-1",
              "kind": "gate", "medium": "electricity", "place": "park", "scope": "building", "metres": 5, "start": "GATE-1",
              "end": "GATE-2", "camera": "x", "system": "x", "building": "x", "scheme_id": "present", "fence_id": "gate"}
    found = {}
    for path, methods in served.app.openapi()["paths"].items():
        if "get" not in methods or path.endswith("/export"):
            continue
        where, params = path, {}
        for parameter in methods["get"].get("parameters", []):
            name = parameter["name"]
            if parameter["in"] == "path":
                where = where.replace("{" + name + "}", str(values.get(name, 1)))
            elif parameter.get("required") or name in ("metres", "secs", "node"):
                params[name] = values.get(name, 1)
        found[path] = http.get(where, params=params, timeout=60)
    return found


def screen_of(served: Served) -> httpx.Client:
    made = served.browser("admin", PASSWORD).post("/api/v1/wall/screens", {"name": "Hall"}).json()
    secret = made["path"].rpartition("#")[2]
    http = httpx.Client(base_url=served.origin, timeout=20)
    served.clients.append(http)
    assert http.post("/screen", data={"secret": secret}).status_code in (200, 204, 303)
    return http


@pytest.mark.parametrize("role", [*ROLES, "screen"])
def test_no_route_names_anybody_to_whoever_may_not_follow_people(park: Served, role: str) -> None:
    answers = asked(park, screen_of(park) if role == "screen" else park.browser(role, PASSWORD).http)
    assert len(answers) > 50
    assert not [path for path, answer in answers.items() if answer.status_code >= 500]
    naming = {path for path, answer in answers.items() if any(name in answer.text for name in NAMES)}
    placing = {path for path, answer in answers.items() if any(f"{v:.2f}" in answer.text for v in (AT[0, 0], AT[1, 1]))}
    if role in ("viewer", "screen"):
        assert naming == set()
        assert placing == set()
        assert answers["/api/v1/tracks/{track_id}/contacts"].status_code == 403
        assert answers["/api/v1/tracks/{track_id}/search"].status_code == 403
    else:
        assert naming > {"/api/v1/tracks", "/api/v1/trail", "/api/v1/tracks/{track_id}/contacts"}, "the control"
        assert placing >= {"/api/v1/tracks/{track_id}/trajectory", "/api/v1/tracks/{track_id}/search"}


def heard(browser: Browser, path: str, wanted: int, ask: object = None) -> tuple[list[np.ndarray], str]:
    """Places in so many frames of positions, and all that was said meanwhile."""
    places, said, end = [], [], time.monotonic() + 12
    with browser.live(path) as socket:
        if ask is not None:
            socket.send(json.dumps(ask))
        while len(places) < wanted and time.monotonic() < end:
            move(browser.served, time.time(), AT)
            message = socket.recv(timeout=10)
            if isinstance(message, str):
                said.append(message)
            elif (frame := decode(message)).kind is FrameKind.POSITIONS and len(frame.columns["xyz"]):
                places.append(frame.columns["xyz"][:, :2].astype(float))
                assert np.all(frame.columns["heading"] == 0) or not places_are_blurred(places[-1:])
    return places, "".join(said)


def places_are_blurred(places: list[np.ndarray]) -> bool:
    return all(np.allclose(xy % GRID_M, GRID_M / 2) for xy in places)


@pytest.mark.parametrize("path", ["/live", "/live/replay"])
def test_sockets_show_a_viewer_ten_metre_squares_and_roles(park: Served, path: str) -> None:
    ask = {"t": "replay", "at_ms": time.time() * 1000 - 4000} if path == "/live/replay" else None
    wanted = 1 if ask else 3
    places, said = heard(park.browser("viewer", PASSWORD), path, wanted, ask)
    assert places
    assert places_are_blurred(places)
    assert not [name for name in NAMES if name in said]
    full, words = heard(park.browser("operator", PASSWORD), path, wanted, ask)
    assert any(np.allclose(xy, AT[:, :2], atol=1e-3) for xy in full), "the control: an operator sees where they are"
    assert NAME_ZH in words


def test_every_look_at_somebody_is_on_the_trail_with_who_looked(park: Served) -> None:
    http = park.browser("operator", PASSWORD).http
    now = time.time() * 1000
    before = {row["id"] for row in http.get("/api/v1/trail").json()}
    for what, params in (("trajectory", {"from_ms": now - 60_000, "to_ms": now}), ("search", {}),
                         ("contacts", {"from_ms": now - 60_000, "to_ms": now, "metres": 3, "secs": 10})):
        answer = http.get(f"/api/v1/tracks/G-77/{what}", params=params)
        assert answer.status_code == 200, answer.text
    assert [c["track"]["id"] for c in answer.json()["contacts"]] == ["G-78"], "they stood a metre apart"
    rows = [row for row in http.get("/api/v1/trail").json() if row["id"] not in before]
    assert {(row["who"], row["what"], row["subject"]) for row in rows} == {
        ("operator", what, "G-77") for what in ("track.viewed", "track.search", "track.contacts")}


def test_a_report_for_a_viewer_has_roles_for_names(park: Served, tmp_path: Path) -> None:
    from ioc.incident_facts import gather

    number = park.services.runner.core.incidents.open()[0].id  # type: ignore[union-attr]
    until(lambda: _ready(park, number), 20, "there is a record of it")
    full = gather(park.services, number, lambda step, share: None, sees_people=True)
    blurred = gather(park.services, number, lambda step, share: None, sees_people=False)
    assert NAME in repr(full)
    assert not [name for name in NAMES if name in repr(blurred)]
    assert [d.route for d in blurred.dispatches] == [[]] * len(full.dispatches)
    assert full.dispatches


def _ready(park: Served, number: int) -> bool:
    opened = next(i.opened_ms for i in park.services.runner.core.events.recent_incidents(50) if i.id == number)
    move(park, time.time(), AT)
    return time.time() * 1000 > opened + 4000


def test_what_retention_deletes_is_not_told_from_memory(park: Served) -> None:
    http, history = park.browser("operator", PASSWORD).http, park.services.spec.history
    core = park.services.runner.core
    move(park, time.time(), AT)
    assert http.get("/api/v1/tracks/G-78/search").status_code == 200
    was = core.tracks.source[1]
    core.tracks.source[1] = time.time() - 2 * 86_400
    object.__setattr__(history, "positions_days", 1)
    try:
        found = http.get("/api/v1/tracks/G-78/search").json()
        assert found["silent_secs"] < 86_400, "the history's own last fix, not the old one in memory"
    finally:
        object.__setattr__(history, "positions_days", 0)
        core.tracks.source[1] = was
