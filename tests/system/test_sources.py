"""A served park with two sources at once: a Modbus plant that is polled, and a building system that posts."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pyproj import Transformer
from served_park import PARK, X0, Y0, Served, first_frame, free_port, serving, until, values

from connectors import http_in
from gis.crs import gcj02_from_wgs84
from twin.wire import Quality

TOKEN = "a-token-of-the-building-system"
SOURCES = """
[[source]]
id = "plant"
url = "modbus://127.0.0.1:{port}"
points = "plant.csv"
poll_secs = 0.2

[[source]]
id = "bms"
url = "http-in"
password = "file:bms.token"
positions = "GCJ-02"
"""
POINTS = """device,point,address,type,scale,states,write
AHU-1,supply_temp,input:0,int16,0.1,,
AHU-1,status,input:1,uint16,,0=off 1=run 2=fault,
AHU-1,supply_setpoint,holding:0,int16,0.1,,=
"""


@dataclass(slots=True)
class Plant:
    """A pymodbus server in a thread of its own: two input registers, one holding register."""

    port: int
    inputs: list[int] = field(default_factory=lambda: [165, 1])
    holding: list[int] = field(default_factory=lambda: [160])
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    server: ModbusTcpServer | None = None
    frozen: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def start(self) -> None:
        asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(20)

    def stop(self) -> None:
        assert self.server is not None
        asyncio.run_coroutine_threadsafe(self.server.shutdown(), self.loop).result(20)

    def close(self) -> None:
        """Stop it, and its loop for good."""
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        until(lambda: not self.loop.is_running(), 10, "its loop ends")
        self.loop.close()

    async def _start(self) -> None:
        def registers() -> list[SimData]:
            return [SimData(0, values=[0, 0], datatype=DataType.REGISTERS)]

        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        device = SimDevice(1, simdata=(bits, bits, registers(), registers()), action=self._act)
        self.server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)

    async def _act(self, code: int, start: int, address: int, count: int, registers: list[int],
                   written: list[int] | list[bool] | None) -> ExcCodes | None:
        while self.frozen.is_set():  # the line stands, nobody answers
            await asyncio.sleep(0.05)
        if written is not None and code in (6, 16):
            self.holding[address:address + count] = [int(value) for value in written]
        source = self.inputs if code == 4 else self.holding
        registers[address - start:address - start + count] = source[address:address + count]
        return None


@dataclass(slots=True)
class Field:
    """The park, its plant, and the building system's way in."""

    served: Served
    plant: Plant

    def post(self, body: object, token: str = TOKEN, **more: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.post(f"{self.served.origin}/api/v1/ingest", json=body, headers=headers, timeout=30, **more)  # type: ignore[arg-type]

    def quality(self, point: str) -> int:
        return int(self.served.services.runner.core.state.quality[self.served.slot(point)])

    def link(self, source: str) -> str:
        link = self.served.services.runner.core.links.get(source)
        return link.state if link else "unknown"


@pytest.fixture(scope="module")
def park(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    at = tmp_path_factory.mktemp("sources") / "park"
    shutil.copytree(built, at)
    plant = Plant(free_port())
    plant.start()
    text = PARK.replace('[live]\nsource = "{source}"\n', "") + SOURCES.format(port=plant.port)
    (at / "park.toml").write_text(text, "utf-8")
    (at / "plant.csv").write_text(POINTS, "utf-8")
    (at / "tracks.json").write_text('[{"id": "G-1", "kind": "person", "name": "Guard", "role": "guard"}]', "utf-8")
    (at / "bms.token").write_text(TOKEN + "\n", "utf-8")
    try:
        with serving(built, at) as served:
            made = Field(served, plant)
            until(lambda: made.link("plant") == "live", 20, "the plant is polled")
            yield made
    finally:
        plant.close()


def test_what_the_plant_says_is_on_the_live_socket(park: Field) -> None:
    with park.served.browser().live() as socket:
        first_frame(socket)
        park.plant.inputs[0] = 213
        slot = park.served.slot("AHU-1.supply_temp")
        value, quality = values(socket, slot, lambda v, q: abs(v - 21.3) < 1e-4, 10.0)
        assert (round(value, 3), quality) == (21.3, Quality.GOOD)


def test_a_phone_that_says_where_it_is_in_gcj02_stands_in_the_park_and_one_far_away_is_told(park: Field) -> None:
    lon, lat = Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True).transform(X0 + 40.0, Y0 + 60.0)
    gcj = gcj02_from_wgs84(np.array([lon]), np.array([lat]))
    here = ["G-1", float(gcj[0][0]), float(gcj[1][0]), 1.0]
    assert park.post({"ts": time.time() * 1000, "p": [here]}).json() == {"taken": 1, "refused": {}}
    core = park.served.services.runner.core
    until(lambda: bool(core.tracks.source[0]), 5, "the fix is taken")
    assert core.tracks.xyz[0] == pytest.approx((40.0, 60.0, 1.0), abs=0.01)
    refused = park.post({"ts": time.time() * 1000, "p": [["G-1", X0 + 40.0, Y0 + 60.0, 1.0]]}).json()
    assert refused == {"taken": 0, "refused": {"out of place": 1}}
    until(lambda: 'positions = "EPSG:4549"' in core.links["bms"].text, 5, "pages are told what to write")


def test_an_order_is_written_to_the_plant_and_confirmed_by_its_own_register(park: Field) -> None:
    browser = park.served.browser()
    order = {"device": "AHU-1", "key": "set_supply", "args": {"value": 18.5}, "idempotency_key": "plant-set-once"}
    given = browser.post("/api/v1/commands", order)
    assert given.status_code == 200, given.text

    def row() -> dict:
        return next(r for r in browser.http.get("/api/v1/commands").json() if r["id"] == given.json()["id"])

    until(lambda: row()["state"] == "confirmed", 20, "the command is confirmed")
    assert [step[0] for step in row()["steps"]] == ["requested", "approved", "sent", "acknowledged", "confirmed"]
    assert park.plant.holding == [185]


def test_an_order_the_plant_cannot_take_fails_at_once_with_the_reason(park: Field) -> None:
    browser = park.served.browser()
    given = browser.post("/api/v1/commands", {"device": "AHU-1", "key": "stop", "args": {}, "idempotency_key": "plant-stop"})

    def row() -> dict:
        return next(r for r in browser.http.get("/api/v1/commands").json() if r["id"] == given.json()["id"])

    until(lambda: row()["state"] == "failed", 10, "the command fails")
    assert "AHU-1.status cannot be written" in row()["steps"][-1][2]


def test_a_post_is_taken_with_its_token_only(park: Field) -> None:
    body = {"ts": time.time() * 1000, "d": {"ENV-1": {"temp": 22.5, "warmth": 1}, "NOBODY": {"temp": 1}}}
    for token in ("", "wrong", TOKEN + "x", "令牌"):
        headers = {"authorization": f"Bearer {token}".encode()} if token else {}
        answer = httpx.post(f"{park.served.origin}/api/v1/ingest", json=body, headers=headers)
        assert answer.status_code == 401, token
    browser = park.served.browser()
    assert browser.post("/api/v1/ingest", body).status_code == 401, "a session is no token"
    answer = park.post(body)
    assert (answer.status_code, answer.json()) == (200, {"taken": 1, "refused": {"unknown point": 2}})

    def shown() -> list[float]:
        rows = browser.http.get("/api/v1/values", params={"device": "ENV-1"}).json()["values"]
        return [row["value"] for row in rows if row["point"] == "ENV-1.temp"]

    until(lambda: shown() == [22.5], 5, "what was posted is shown")
    assert TOKEN not in browser.http.get("/metrics").text
    assert 'parktwin_refused_total{reason="unknown point"}' in browser.http.get("/metrics").text
    assert 'parktwin_source_up{source="plant"} 1.0' in browser.http.get("/metrics").text


@pytest.mark.parametrize(("content", "status"), [
    (b"", 422), (b"{", 422), (b'{"ts": "now"}', 422), (b"[" * 100_000, 422), (b'{"d": {"ENV-1": {"temp": {"a": 1}}}}', 422),
    (b"\xff\xfe", 422), (b" " * 8_000_001, 413), (b'{"d": {"ENV-1": {"temp": 1e999}}}', 422), (b"[]", 200)])
def test_a_body_that_cannot_be_used_is_refused_and_breaks_nothing(park: Field, content: bytes, status: int) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(f"{park.served.origin}/api/v1/ingest", content=content, headers=headers, timeout=30)
    assert answer.status_code == status, answer.text
    assert park.post({"d": {"ENV-2": {"temp": 20.0}}}).json() == {"taken": 1, "refused": {}}


def test_a_poster_that_is_too_quick_is_told_to_come_again(park: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_in, "MAX_WAITING", 3)
    held, body = threading.Event(), {"d": {"ENV-1": {"temp": 19.0, "humidity": 40.0}}}
    door = park.served.services.ingest[0]
    first: list[httpx.Response] = []
    blocked = park.served.services.runner.submit(lambda: held.wait(30))
    poster = threading.Thread(target=lambda: first.append(park.post(body)))
    poster.start()
    try:
        until(lambda: door.waiting == 2, 10, "the first batch waits for the core")
        second = park.post(body)
        assert (second.status_code, second.headers["retry-after"]) == (503, "2")
    finally:
        held.set()
        blocked.result(30)
        poster.join(30)
    assert first[0].json() == {"taken": 2, "refused": {}}, "what was let in is taken, not lost"


def test_a_lost_plant_turns_only_its_own_points_stale(park: Field) -> None:
    keep_posting = threading.Event()

    def post() -> None:
        while not keep_posting.wait(0.2):
            park.post({"d": {"ENV-1": {"temp": 22.0}}})

    poster = threading.Thread(target=post)
    poster.start()
    try:
        until(lambda: park.quality("ENV-1.temp") == Quality.GOOD, 10, "the building system posts")
        park.plant.stop()
        until(lambda: park.link("plant") == "down", 20, "the plant's line is down")
        until(lambda: park.quality("AHU-1.supply_temp") == Quality.STALE, 10, "its points are stale")
        assert park.quality("ENV-1.temp") == Quality.GOOD
        assert park.link("bms") == "live"
        park.plant.start()
        until(lambda: park.link("plant") == "live", 40, "it is found again")
        until(lambda: park.quality("AHU-1.supply_temp") == Quality.GOOD, 10, "its points are good again")
    finally:
        keep_posting.set()
        poster.join(30)


