"""The wall over the wire: one state for every window, kept over a restart, driven by those who may."""

from pathlib import Path

import msgspec
import pytest
from served_park import Served, serving, until


def wall_of(browser) -> dict:
    return browser.http.get("/api/v1/wall").json()


def put(browser, stops: list[dict]):
    return browser.http.put("/api/v1/wall/tour", json={"stops": stops}, headers={"x-csrf-token": browser.csrf})


def test_the_wall_is_driven_kept_over_a_restart_and_says_what_is_gone(built: Path, tmp_path: Path):
    at = tmp_path / "park"
    with serving(built, at) as served:
        browser = served.browser()
        assert wall_of(browser)["stops"][0]["node"] == "park"
        stops = [{"name": n, "node": n, "seconds": 600} for n in ("park", "GATE-1", "a9-gone")]
        assert put(browser, stops).json()["missing"] == [2]
        if wall_of(browser)["mode"] == "alarm":
            browser.post("/api/v1/wall/drive", {"verb": "resume"})
        assert browser.post("/api/v1/wall/drive", {"verb": "next"}).json()["at"] == 1
        assert browser.post("/api/v1/wall/drive", {"verb": "pause"}).json()["mode"] == "paused"
        assert any(t["what"] == "wall.pause" for t in browser.http.get("/api/v1/trail").json())
    with serving(built, at) as served:
        again = wall_of(served.browser())
        assert (again["mode"], again["at"]) == ("paused", 1)
        assert [s["node"] for s in again["stops"]] == ["park", "GATE-1", "a9-gone"]


def test_every_window_hears_of_a_change(served: Served):
    browser = served.browser()
    with browser.live() as line:
        browser.post("/api/v1/wall/drive", {"verb": "show", "node": "GATE-2"})
        heard: list[dict] = []

        def shown() -> bool:
            message = line.recv(timeout=10)
            heard.extend([msgspec.json.decode(message)] if isinstance(message, str) else [])
            return any(m["t"] == "wall" and m["node"] == "GATE-2" for m in heard)

        until(shown, 10, "the window hears that another place is shown")
    assert browser.post("/api/v1/wall/drive", {"verb": "resume"}).json()["mode"] == "tour"


@pytest.mark.parametrize(("body", "why"), [({"verb": "show", "node": "nowhere"}, "no node 'nowhere'"),
                                           ({"verb": "alarm", "alarm": 987654}, "alarm 987654 is not active")])
def test_what_is_not_there_is_not_shown(served: Served, body: dict, why: str):
    answer = served.browser().post("/api/v1/wall/drive", body)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]


def test_a_viewer_reads_and_does_not_drive(served: Served):
    served.services.accounts.add("screen", "viewer", "a long password 1")
    screen = served.browser("screen", "a long password 1")
    assert wall_of(screen)["mode"]
    answer = screen.post("/api/v1/wall/drive", {"verb": "next"})
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]
    assert put(screen, []).status_code == 403
