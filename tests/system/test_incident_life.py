"""A drill through the real server: incident, linkage to proof, plan, joining, closing; and what is refused on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_park import Served, build_park, serving, until

CHILLERS = "CH-1,chiller,Chiller 1,冷机 1,,,,,20,40,1,\nCH-2,chiller,Chiller 2,冷机 2,,,,,22,40,1,\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    built = build_park(tmp_path_factory.mktemp("built"), CHILLERS)
    (built / "linkages").mkdir()
    (built / "linkages" / "loop.toml").write_text(
        'id = "loop"\nname = "Loop"\nowner = "Duty"\n[trigger]\nalarms = ["fire_pump.running"]\n[[steps]]\nkey = "p"\n'
        'name = "P"\nkind = "fire_pump"\nwhere = "park"\ncommand = "start"\n', "utf-8")
    (built / "linkages" / "chiller.toml").write_text(
        'id = "chiller"\nname = "Standby"\nowner = "Duty"\nmode = "ask"\n[trigger]\nalarms = ["chiller.fault"]\n[[steps]]\n'
        'key = "standby"\nname = "S"\nkind = "chiller"\nwhere = "park"\ncommand = "start"\n', "utf-8")
    (built / "plans").mkdir()
    (built / "plans" / "nobody.toml").write_text('id = "nobody"\nname = "N"\nroles = []\nsteps = []\n', "utf-8")
    with serving(built, tmp_path_factory.mktemp("at") / "park") as running:
        yield running


def test_a_fire_drill_from_the_alarm_to_the_closed_incident(served: Served) -> None:
    browser = served.browser()

    def get(path: str) -> Any:
        return browser.http.get(f"/api/v1{path}").json()

    def only() -> dict[str, Any]:
        return next((i for i in get("/incidents")["incidents"] if i["state"] == "open"), {})

    assert get("/incidents") == {"incidents": []}
    assert browser.post("/api/v1/drills/fire/start").status_code == 200
    until(only, 40, "an incident opens")
    number = only()["id"]
    assert only()["device"] in ("SMK-1", "SMK-2")
    assert only()["plans"] == ["fire", "response"]

    def gate() -> dict[str, Any]:
        return next(s for s in only()["linkage"]["steps"] if s["key"] == "gate")

    until(lambda: gate()["state"] == "confirmed", 60, "the gate is open, by its own telemetry")
    commands = {c["id"]: c for c in get("/commands")}
    given = commands[gate()["targets"][0]["command"]]
    assert given["by"] == "linkage:fire"
    assert [state for state, _, _ in given["steps"]] == ["requested", "approved", "sent", "acknowledged", "confirmed"]
    doors = next(s for s in only()["linkage"]["steps"] if s["key"] == "doors")
    assert doors["state"] == "none", "no doors here, and it says so"

    assert browser.post(f"/api/v1/incidents/{number}/plan", {"plan": "fire"}).status_code == 200
    assert browser.post(f"/api/v1/incidents/{number}/plan", {"plan": "fire"}).status_code == 422
    done = browser.post(f"/api/v1/incidents/{number}/steps/verify", {}).json()
    assert next(s for s in done["plan"]["steps"] if s["key"] == "verify")["done_by"] == "demo"
    assert "note" in browser.post(f"/api/v1/incidents/{number}/steps/verify", {"done": False}).json()["detail"]

    refused = browser.post(f"/api/v1/incidents/{number}/close", {"note": "test over"})
    assert (refused.status_code, "not cleared" in refused.json()["detail"]) == (422, True)
    browser.post("/api/v1/drills/fire/stop")

    def closed() -> bool:
        for alarm in get("/alarms"):
            if alarm["state"] in ("unacknowledged", "returned"):
                browser.post(f"/api/v1/alarms/{alarm['id']}/acknowledge")
        return browser.post(f"/api/v1/incidents/{number}/close", {"note": "test over"}).status_code == 200

    until(closed, 90, "its alarms clear and it closes")
    whole = get(f"/incidents/{number}")
    assert whole["incident"]["note"] == "test over"
    told = [entry["what"] for entry in whole["trail"] if entry["subject"] == f"incident:{number}"]
    assert [w for w in told if w in ("incident.opened", "plan.started", "plan.done", "incident.closed")] == [
        "incident.opened", "plan.started", "plan.done", "incident.closed"]
    assert served.services.runner.core.events.open_incidents() == []


def test_what_is_left_out_is_told_and_the_rest_is_there(served: Served) -> None:
    answer = served.browser().http.get("/api/v1/plans").json()
    told = {finding["where"]: finding["what"] for finding in answer["findings"]}
    assert "loops" in told["loop.toml"]
    assert "owner" in told["nobody.toml"]
    assert {"fire", "intrusion", "chiller"} == {spec["id"] for spec in answer["linkages"]}


def test_bad_requests_get_one_sentence_each(served: Served, tmp_path: Path) -> None:
    browser = served.browser()
    for path, body, status, words in (
            ("/incidents", {"node": "nowhere"}, 422, "no node 'nowhere'"),
            ("/incidents", {"node": "GATE-1"}, 422, "needs a title"),
            ("/incidents/99/plan", {"plan": "fire"}, 422, "no open incident"),
            ("/incidents/99/linkage", None, 422, "no open incident"),
            ("/dispatches", {"node": "nowhere", "reason": "go"}, 404, "no node"),
            ("/dispatches", {"node": "GATE-1", "reason": "go"}, 422, "no guard is free")):
        answer = browser.post(f"/api/v1{path}", body)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), (path, answer.text)


def test_an_operator_declares_one_by_hand_and_it_survives(served: Served) -> None:
    browser = served.browser()
    made = browser.post("/api/v1/incidents", {"node": "GATE-1", "title": "Tree on the road", "priority": 3}).json()
    assert (made["state"], made["by"], made["device"], made["alarms"]) == ("open", "demo", "GATE-1", [])
    assert [i.id for i in served.services.runner.core.events.open_incidents()] == [made["id"]]
    assert browser.post(f"/api/v1/incidents/{made['id']}/close", {"note": "cleared away"}).json()["state"] == "closed"


def test_a_dangerous_command_is_sent_only_after_a_second_person_s_word(served: Served) -> None:
    """S4: the same account refused in any session, a viewer refused, approved by another, sent, proved; all on the trail."""
    served.services.accounts.add("desk", "operator", "river-crane-42-lantern")
    served.services.accounts.add("onlooker", "viewer", "slow-heron-88-bridge")
    desk, demo = served.browser("desk", "river-crane-42-lantern"), served.browser()
    order = {"device": "CH-2", "key": "stop", "args": {}, "idempotency_key": "stop-chiller-2-once"}
    asked = desk.post("/api/v1/commands", order).json()
    assert (asked["state"], asked["second"]) == ("requested", "")
    way = f"/api/v1/commands/{asked['id']}/approve"
    for who, code in ((served.browser("desk", "river-crane-42-lantern"), "access.role"), (served.browser(
            "onlooker", "slow-heron-88-bridge"), "access.role")):
        refused = who.post(way)
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    own = demo.post("/api/v1/commands", {**order, "device": "CH-1", "idempotency_key": "stop-chiller-1-once"}).json()
    refused = served.browser().post(f"/api/v1/commands/{own['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "approval.same_person"), "one account, two sessions"
    assert demo.post(f"/api/v1/commands/{own['id']}/refuse", {}).json()["state"] == "refused"
    assert demo.post(way).json()["second"] == "demo"

    def life() -> dict[str, Any]:
        return next(c for c in demo.http.get("/api/v1/commands").json() if c["id"] == asked["id"])

    until(lambda: life()["state"] == "confirmed", 120, "the chiller is seen stopped")
    assert [state for state, _, _ in life()["steps"]] == ["requested", "approved", "sent", "acknowledged", "confirmed"]
    assert demo.post(way).status_code == 409, "nothing waits any more"
    told = {(t["what"], t["who"]) for t in demo.http.get("/api/v1/trail").json() if t["subject"] in ("CH-1", "CH-2")}
    assert {("command.requested", "desk"), ("command.approved", "demo"), ("command.not_approved", "onlooker"),
            ("command.not_approved", "demo")} <= told


def test_a_linkage_with_a_dangerous_step_waits_for_two_people(served: Served) -> None:
    demo, second = served.browser(), served.browser(second=True)
    demo.post("/api/v1/drills/chiller/start")

    def asking() -> dict[str, Any]:
        rows = demo.http.get("/api/v1/incidents").json()["incidents"]
        return next((i for i in rows if i["state"] == "open" and i["device"] == "CH-1"), {})

    until(asking, 60, "the failed chiller opens an incident")
    way = f"/api/v1/incidents/{asking()['id']}/linkage"
    assert asking()["linkage"]["needs_two"]
    assert demo.post(way).json()["linkage"]["state"] == "asked"
    assert demo.post(way).json()["code"] == "approval.same_person"
    assert second.post(way).json()["linkage"] | {"steps": []} == asking()["linkage"] | {"steps": []}
    assert (asking()["linkage"]["state"], asking()["linkage"]["by"]) == ("running", "demo, demo-2")
    until(lambda: any(c["by"] == "linkage:chiller" and c["device"] == "CH-2" and c["key"] == "start"
                      for c in demo.http.get("/api/v1/commands").json()), 30, "the standby is told to start")
    demo.post("/api/v1/drills/chiller/stop")
