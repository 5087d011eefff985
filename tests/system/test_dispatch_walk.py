"""A guard is sent, walks and arrives: in the fire drill, across a restart of the server, and over a real broker."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_park import TEXT, build_page_park
from served_park import Browser, Served, serving, until

from connectors.simulator.cast import cast

BROKER = "mqtt://127.0.0.1:1883"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled park with one whole building, and ways through it."""
    return build_page_park(tmp_path_factory.mktemp("house"))


def get(browser: Browser, path: str) -> Any:
    return browser.http.get(f"/api/v1{path}").json()


def sent(browser: Browser, node: str, **more: object) -> dict[str, Any]:
    """The nearest guard, sent as soon as there is one who has a way."""
    until(lambda: get(browser, f"/dispatches/candidates?node={node}")["candidates"], 60, "a guard is about")
    made = browser.post("/api/v1/dispatches", {"node": node, "reason": "Look", **more})
    assert made.status_code == 200, made.text
    return made.json()


def dispatch(browser: Browser, number: str) -> dict[str, Any]:
    return next((d for d in get(browser, "/dispatches")["dispatches"] if d["id"] == number), {"state": "over"})


def states(steps: list[list[Any]]) -> list[str]:
    return [step[0] for step in steps]


def incident_of(browser: Browser) -> dict[str, Any]:
    return next((i for i in get(browser, "/incidents")["incidents"] if i["state"] == "open"), {})


def test_in_a_fire_drill_a_guard_arrives_through_a_restart_and_the_timeline_says_so(house: Path, tmp_path: Path) -> None:
    at = tmp_path / "park"
    with serving(house, at, text=TEXT) as served:
        browser = served.browser()
        browser.post("/api/v1/drills/fire/start")
        until(lambda: incident_of(browser), 60, "the drill opens an incident")
        number = incident_of(browser)["id"]
        assert browser.post(f"/api/v1/incidents/{number}/plan", {"plan": "fire"}).status_code == 200
        # one who is still on the way when the server goes down
        until(lambda: get(browser, "/dispatches/candidates?node=SMK-201")["candidates"], 60, "a guard is about")
        near = get(browser, "/dispatches/candidates?node=SMK-201")["candidates"]
        far = next((c for c in near if c["metres"] > 30.0), near[-1])
        made = sent(browser, "SMK-201", person=far["person"], incident=number)
        assert made["metres"] > 15.0, "through the door and up the stair"
        until(lambda: dispatch(browser, made["id"])["state"] == "accepted", 30, "the guard accepts")
        assert browser.post("/api/v1/dispatches", {"node": "GATE-1", "reason": "go", "person": far["person"]}).json()[
            "code"] == "dispatch.busy"
    with serving(house, at, text=TEXT) as served:
        browser = served.browser()
        until(lambda: states(dispatch(browser, made["id"])["steps"])[2:4] == ["accepted", "sent"], 40, "sent again")
        until(lambda: dispatch(browser, made["id"])["state"] == "arrived", 300, "a fix says the guard is there")
        whole = get(browser, f"/incidents/{number}")
        told = [t["what"] for t in whole["trail"] if t["what"].startswith("dispatch.")]
        assert told == [f"dispatch.{s}" for s in ("requested", "sent", "accepted", "sent", "accepted", "arrived")]
        steps = {s["key"]: s for s in whole["incident"]["plan"]["steps"]}
        assert steps["guard"]["done_by"] == steps["onsite"]["done_by"] == "dispatch", "the plan's steps tick themselves"
        assert whole["dispatches"][0]["state"] == "arrived"
        assert browser.post(f"/api/v1/dispatches/{made['id']}/release").json()["state"] == "released"


@pytest.fixture
def on_broker(house: Path, tmp_path: Path) -> Iterator[Served]:
    """The park on the broker of this machine, and the simulated field in a process of its own, as people run it."""
    text = TEXT.replace('id = "paged"', 'id = "walkers"', 1).replace('source = "simulator"', f'source = "{BROKER}"')
    assert BROKER in text
    at = tmp_path / "park"
    shutil.copytree(house, at)
    (at / "park.toml").write_text(text, "utf-8")
    people = [{"id": t.id, "kind": t.kind, "name": t.name, "name_zh": t.name_zh, "role": t.role} for t in cast(7)]
    (at / "tracks.json").write_text(json.dumps(people), "utf-8")
    field = subprocess.Popen([sys.executable, "-m", "parktwin", "simulate", str(at), "--broker", BROKER])
    try:
        with serving(house, at) as served:
            yield served
    finally:
        field.terminate()
        field.wait(20)


@pytest.mark.broker
def test_over_a_real_broker_a_guard_is_told_the_way_answers_walks_and_is_released(on_broker: Served) -> None:
    browser = on_broker.browser()
    made = sent(browser, "SMK-101")
    until(lambda: dispatch(browser, made["id"])["state"] in ("accepted", "arrived"), 30, "the terminal answers")
    until(lambda: dispatch(browser, made["id"])["state"] == "arrived", 300, "a fix over the broker says the guard is there")
    assert states(dispatch(browser, made["id"])["steps"]) == ["requested", "sent", "accepted", "arrived"]
    core = on_broker.services.runner.core
    there = core.tracks.xyz[made["track"]].copy()
    browser.post(f"/api/v1/dispatches/{made['id']}/release")
    until(lambda: abs(core.tracks.xyz[made["track"]] - there).max() > 1.0, 120, "released, the guard walks off")
