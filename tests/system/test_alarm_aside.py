"""A rule is put aside and back over HTTP, by whom it may, and stays aside when the server comes again."""

from __future__ import annotations

from pathlib import Path

from served_park import Served, serving


def test_a_rule_is_shelved_taken_out_and_put_back_by_those_who_may(served: Served) -> None:
    commander = served.browser()
    served.services.accounts.add("aside-op", "operator", "slow-heron-88-bridge")
    operator = served.browser("aside-op", "slow-heron-88-bridge")
    away = {"key": "AHU-1.fault", "kind": "shelved", "mins": 20, "reason": "belt is changed"}
    assert operator.post("/api/v1/alarms/aside", away).json()["who"] == "aside-op"
    refused = operator.post("/api/v1/alarms/aside", {**away, "kind": "out_of_service"})
    assert (refused.status_code, refused.json()["code"]) == (403, "access.role")
    assert commander.post("/api/v1/alarms/aside", {**away, "kind": "out_of_service"}).status_code == 200
    held = commander.http.get("/api/v1/alarms/aside").json()["aside"]
    assert {(h["kind"], h["who"], h["until_ms"] is None) for h in held if h["key"] == "AHU-1.fault"} == {
        ("shelved", "aside-op", False), ("out_of_service", "demo", True)}
    rows = commander.http.get("/api/v1/alarms/rules?device=AHU-1").json()["rules"]
    assert next(r for r in rows if r["key"] == "AHU-1.fault")["aside"] == "out_of_service"
    assert operator.post("/api/v1/alarms/back", {"key": "AHU-1.fault", "kind": "shelved"}).json()["is_over"]
    assert commander.post("/api/v1/alarms/back", {"key": "AHU-1.fault", "kind": "out_of_service"}).json()["code"] == \
        "alarm.no_reason"
    assert commander.post("/api/v1/alarms/back", {"key": "AHU-1.fault", "kind": "out_of_service",
                                                  "reason": "belt is new"}).status_code == 200
    assert commander.post("/api/v1/alarms/aside", {**away, "key": "AHU-9.none"}).json()["code"] == "alarm.no_rule"
    assert commander.post("/api/v1/alarms/aside", {**away, "reason": ""}).status_code == 422


def test_a_rule_out_of_service_stays_so_when_the_server_comes_again(built: Path, tmp_path: Path) -> None:
    at = tmp_path / "park"
    with serving(built, at) as first:
        away = {"key": "SMK-2.fire", "kind": "out_of_service", "reason": "hood under repair"}
        assert first.browser().post("/api/v1/alarms/aside", away).status_code == 200
    with serving(built, at) as second:
        held = second.browser().http.get("/api/v1/alarms/aside").json()["aside"]
        assert [(h["key"], h["reason"]) for h in held] == [("SMK-2.fire", "hood under repair")]
