"""R3: the database is away for a while: pages stay live, nobody is told a lie, what happened meanwhile is written after."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from contract_proxy import Proxy
from fresh_database import fresh_postgres
from served_park import PARK, Served, first_frame, serving, until, values

from twin.ports import Readings

Line = tuple[sa.URL, Proxy]
AWAY_SECS = 6.0
OPEN = {"device": "GATE-1", "key": "open", "args": {}}


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with fresh_postgres() as url, Proxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        yield url, proxy


@pytest.fixture
def served(built: Path, tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("PARK_DATABASE", str(line[0].password))
    url, proxy = line
    text = PARK.format(source="http-in") + f"""[database]
url = "postgresql://{url.username}@127.0.0.1:{proxy.port}/{url.database}"
password = "env:PARK_DATABASE"
"""
    text = text.replace('[live]\nsource = "http-in"\n', '[[source]]\nid = "push"\nurl = "http-in"\n')
    with serving(built, tmp_path / "park", text=text) as running:
        yield running


def say(served: Served, point: str, value: float) -> None:
    """A reading of the field, now."""
    core, slot = served.services.runner.core, served.slot(point)
    readings = Readings(np.array([slot], np.uint32), np.array([value]), np.zeros(1, np.uint8), np.array([time.time()]))
    served.services.runner.submit(lambda: core.ingest(readings)).result(10)


@pytest.mark.postgres
def test_r3_database_down(served: Served, line: Line) -> None:
    browser = served.browser()
    say(served, "SMK-1.state", 0.0)
    say(served, "GATE-1.state", 0.0)
    before = {row["id"] for row in browser.http.get("/api/v1/trail").json()}
    with browser.live() as page:
        first_frame(page)
        line[1].cut()
        say(served, "SMK-1.state", 1.0)
        values(page, served.slot("SMK-1.state"), lambda value, _: value == 1.0, 8)
        until(lambda: served.services.runner.core.alarms(), 8, "the alarm is shown though it is not yet written")
        refused = browser.post("/api/v1/commands", OPEN | {"idempotency_key": "k-away-01"})
        assert (refused.status_code, refused.json()["code"]) == (503, "store.down")
        for number in range(int(AWAY_SECS * 4)):
            say(served, "ENV-1.temp", 20.0 + number / 10)
            time.sleep(0.25)
        say(served, "ENV-1.temp", 35.0)
        values(page, served.slot("ENV-1.temp"), lambda value, _: value == 35.0, 5)
        ready = browser.http.get("/readyz")
        assert (ready.status_code, ready.json()["wrong"]) == (503, ["the database does not answer"])
        line[1].mend()
        until(lambda: not served.services.runner.core.events.database.is_down, 15, "the database is back")
        until(lambda: any(row["what"] == "alarm.raised" for row in browser.http.get("/api/v1/trail").json()), 10,
              "the alarm is on record")
    after = [row for row in browser.http.get("/api/v1/trail").json() if row["id"] not in before]
    assert [row["what"] for row in after].count("alarm.raised") == 1, "once"
    assert served.services.runner.core.events.verify() == []
    commands = browser.http.get("/api/v1/commands").json()
    assert not [command for command in commands if command["by"] == "demo"], "what was refused was not kept for later"
    assert {c["by"] for c in commands if c["device"] == "GATE-1"} == {"linkage:fire"}, "the fire was answered"
    assert [alarm.key for alarm in served.services.runner.core.events.live_alarms()] == ["SMK-1.fire"]
