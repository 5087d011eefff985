"""A command from the click to the proof, against the simulated field; who may not, what repeats, what is away."""

from __future__ import annotations

import httpx
import numpy as np
from served_park import Browser, Served, until


def order(device: str, key: str, once: str) -> dict[str, object]:
    return {"device": device, "key": key, "args": {}, "idempotency_key": once}


def state_of(browser: Browser, command_id: str) -> dict:
    return next(row for row in browser.http.get("/api/v1/commands").json() if row["id"] == command_id)


def steps_of(browser: Browser, command_id: str) -> list[str]:
    return [step[0] for step in state_of(browser, command_id)["steps"]]


def test_a_gate_opens_and_every_step_is_on_the_trail(served: Served) -> None:
    browser = served.browser()
    given = browser.post("/api/v1/commands", order("GATE-1", "open", "open-gate-1-once"))
    assert given.status_code == 200, given.text
    command = given.json()["id"]
    until(lambda: state_of(browser, command)["state"] == "confirmed", 20, "the gate is seen open")
    assert steps_of(browser, command)[-4:] == ["approved", "sent", "acknowledged", "confirmed"]
    trail = [row["what"] for row in browser.http.get("/api/v1/trail").json() if row["subject"] in ("GATE-1", command)]
    for step in ("approved", "sent", "acknowledged", "confirmed"):
        assert any(step in what for what in trail), (step, trail)


def test_a_click_sent_twice_is_one_command(served: Served) -> None:
    browser = served.browser()
    first, second = (browser.post("/api/v1/commands", order("GATE-2", "open", "open-gate-2-once")) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json()["id"] == second.json()["id"]
    rows = browser.http.get("/api/v1/commands").json()
    assert [row["id"] for row in rows].count(first.json()["id"]) == 1
    assert sum(row["device"] == "GATE-2" for row in rows) == 1


def test_a_viewer_may_not_command_and_is_told_why(served: Served) -> None:
    served.services.accounts.add("onlooker", "viewer", "river-crane-42-lantern")
    browser = served.browser("onlooker", "river-crane-42-lantern")
    answer = browser.post("/api/v1/commands", order("GATE-1", "close", "viewer-may-not-1"))
    assert answer.status_code == 403
    assert len(answer.json()["detail"]) > 10
    refused = [row for row in browser.http.get("/api/v1/commands").json() if row["by"] == "onlooker"]
    assert [row["state"] for row in refused] == ["refused"], "the refusal is on record"


def test_nobody_commands_without_signing_in(served: Served) -> None:
    answer = httpx.post(served.origin + "/api/v1/commands", json=order("GATE-1", "close", "nobody-at-all-1"))
    assert answer.status_code == 401


def test_an_unknown_device_or_command_is_refused_with_words(served: Served) -> None:
    browser = served.browser()
    for body in (order("GHOST", "open", "no-device-1"), order("GATE-1", "explode", "no-command-1")):
        answer = browser.post("/api/v1/commands", body)
        assert answer.status_code == 422
        assert ";" in answer.json()["detail"], "what is wrong; what to do"
    assert np.isfinite(served.services.runner.late_secs)
