"""R5, R17 and R23: a browser that stalls, a replay at full speed, a plant and a core that freeze."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from faults_park import POSTED, TOKEN, batch, kept, post
from full_size import resident_mb
from served_park import Served, build_park, first_frame, free_port, serving, until, values
from test_sources import POINTS, Plant

from ioc.live.hub import Outgoing
from twin.live.frames import decode
from twin.wire import FrameKind, Quality

PLANT = """
[[source]]
id = "plant"
url = "modbus://127.0.0.1:{port}"
points = "plant.csv"
poll_secs = 0.2
"""


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    made = Plant(free_port())
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory, plant: Plant) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("flooded") / "park"
    at.mkdir()
    build_park(at)
    (at / "push.token").write_text(TOKEN, "utf-8")
    (at / "plant.csv").write_text(POINTS, "utf-8")
    (at / "park.toml").write_text(POSTED + PLANT.format(port=plant.port), "utf-8")
    with serving(at, at) as served:
        yield served


def link(served: Served, source: str) -> str:
    found = served.services.runner.core.links.get(source)
    return found.state if found else "unknown"


def stalled_page(port: int, cookie: str) -> sockets.socket:
    """A live socket that is opened and never read."""
    line = sockets.socket()
    line.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 2048)
    line.connect(("127.0.0.1", port))
    line.sendall((f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
                  f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  f"Sec-WebSocket-Version: 13\r\nCookie: {cookie}\r\n\r\n").encode())
    return line


def test_r05_a_stalled_browser_costs_bounded_memory_and_the_others_nothing(park: Served) -> None:
    """R5: 200 MB of frames past a stalled page; ten minutes of stalling are in `test_r03_r17_under_load`."""
    browser, hub = park.browser(), park.services.hub
    line = stalled_page(park.port, browser.cookie)
    try:
        until(lambda: len(hub.clients) == 1, 10, "the stalled page has joined")
        with browser.live() as page:
            first_frame(page)
            before, seq, lagged = resident_mb(), park.services.runner.core.state.seq, hub.dropped
            frame = park.services.runner.core.values_frame(np.zeros(60_000, np.int64))
            for k in range(200):
                hub.publish(Outgoing(seq, (), (frame,), since=seq))
                while page.recv(timeout=10) != frame:  # who reads gets every one
                    pass
                if k % 50 == 0:
                    post(park, batch(time.time(), "ENV-2", temp=15.0 + k / 10))
                    values(page, park.slot("ENV-2.temp"), lambda v, _, k=k: v == 15.0 + k / 10, 10)
            grown = resident_mb() - before
            assert len(frame) * 200 > 150e6
            assert grown < 40, f"{grown:.0f} MB, and this process holds both ends"
            assert hub.dropped > lagged, "the stalled page lags: what waits for it is one union of values"
            assert all(len(client.frames) <= 4 for client in hub.clients)
    finally:
        line.close()


def test_r23_a_frozen_plant_is_seen_and_comes_back_alone(park: Served, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """R23: a plant that holds its line and answers no more; the building system posts on meanwhile."""
    state = park.services.runner.core.state
    slot = park.slot("AHU-1.supply_temp")
    until(lambda: state.quality[slot] == Quality.GOOD, 20, "the plant is polled")
    plant.frozen.set()
    until(lambda: state.quality[slot] == Quality.STALE, 10, "its points are stale")
    until(lambda: link(park, "plant") == "down", 15, "its line is told to be down")
    assert post(park, batch(time.time(), "ENV-1", temp=19.5)).status_code == 200
    assert (link(park, "push"), int(state.quality[park.slot("ENV-1.temp")])) == ("live", Quality.GOOD)
    plant.frozen.clear()
    until(lambda: link(park, "plant") == "live" and state.quality[slot] == Quality.GOOD, 30, "it is begun anew")


def test_r23_a_connector_that_hangs_is_begun_anew_and_a_frozen_core_is_not_ready(park: Served,
                                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    """R23: a library that never comes back, and something that holds the core's thread (shorter than in life)."""
    plant = next(c for c in park.services.runner.connector.connectors if c.name == "plant")  # type: ignore[attr-defined]
    until(lambda: link(park, "plant") == "live", 30, "the plant is polled")
    begun, held = [], threading.Event()

    async def hangs() -> None:
        begun.append(time.monotonic())
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(plant, "talk", hangs)
        patched.setattr(plant, "hung_secs", 0.5)
        patched.setattr(plant, "longest_wait_secs", 0.5)
        patched.setattr(plant, "_poll", lambda *_: (_ for _ in ()).throw(OSError("the line is cut")))
        until(lambda: len(begun) >= 2, 20, "it is begun anew, more than once")
        assert link(park, "plant") == "down"
        assert "no sign of life" in park.services.runner.core.links["plant"].text
        assert link(park, "push") == "live"
    until(lambda: link(park, "plant") == "live", 30, "and is back when it answers")
    http = park.browser().http
    assert http.get("/readyz").status_code == 200
    monkeypatch.setattr("ioc.http.health.STILL_SECS", 1.0)
    blocked = park.services.runner.submit(lambda: held.wait(30))
    try:
        until(lambda: http.get("/readyz").json()["wrong"] == ["the live core does not tick"], 10, "a frozen core is seen")
    finally:
        held.set()
        blocked.result(30)
    until(lambda: http.get("/readyz").status_code == 200, 10, "ready again")


def test_r17_a_replay_at_sixty_times_leaves_no_row_in_the_live_tables(park: Served) -> None:
    """R17: some seconds of replay at 60× while posts come; live says what was posted, nothing of the past."""
    browser, point = park.browser(), "ENV-2.humidity"
    begin = time.time()
    past = [batch(begin - 900 + k, "ENV-2", humidity=30.0 + k % 2 * 9) for k in range(600)]
    assert post(park, past).status_code == 200
    steps_before = len(park.services.runner.core.events.alarm_steps(0.0, time.time() + 10))
    said: dict[int, float] = {}
    with browser.live() as live, browser.live("/live/replay") as replay:
        first_frame(live)
        seen = set()
        replay.send(json.dumps({"t": "replay", "at_ms": (begin - 895) * 1000, "speed": 60.0, "is_playing": True}))
        for k in range(12):
            at, value = round(time.time() * 1000), 50.0 + k % 2 * 9 + k / 100
            assert post(park, batch(at / 1000, "ENV-2", humidity=value)).status_code == 200
            said[at] = value
            assert values(live, park.slot(point), lambda v, _: v > 45, 5)[0] == value, "live says live alone"
            while True:
                message = replay.recv(timeout=10)
                if isinstance(message, bytes) and (frame := decode(message)).kind is FrameKind.VALUES:
                    seen |= set(frame.columns["value"][frame.columns["slot"] == park.slot(point)].tolist())
                    break
        refused = browser.http.post("/api/v1/dispatches", json={}, headers={"x-csrf-token": browser.csrf,
                                                                           "x-parktwin-replay": "1"})
        assert (refused.status_code, refused.json()["code"]) == (409, "replay.past")
    assert seen & {30.0, 39.0}, "the past was played"
    assert dict(kept(park, point, begin - 1, time.time() + 1)) == said
    assert len(kept(park, point, begin - 1000, begin - 1)) == 600, "the past is as it was"
    assert len(park.services.runner.core.events.alarm_steps(0.0, time.time() + 10)) == steps_before
