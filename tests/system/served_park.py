"""A small real park, compiled once, and the real server around it: uvicorn in a thread, on a free loopback port."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import httpx
import uvicorn
import websockets.sync.client as ws
from fastapi import FastAPI
from shapely.geometry import LineString, box
from websockets.exceptions import ConnectionClosed

from ioc.access.secrets import secret_of
from ioc.app import create_app
from ioc.services import Services
from scenes.compile import compile_park
from server import ServeOptions, open_services
from twin.live.frames import Frame, decode
from twin.parkfile import load_park
from twin.wire import FrameKind

CRS, X0, Y0 = "EPSG:4549", 519200.0, 3342600.0
PORTS = range(first := int(os.environ.get("PARKTWIN_TEST_PORTS", "7600")), first + 30)
DEVICES = """id,kind,name,name_zh,building,storey,space,guid,x,y,z,feeds
GATE-1,gate,South gate,南门道闸,,,,,20,5,1,
GATE-2,gate,North gate,北门道闸,,,,,20,95,1,
AHU-1,ahu,Air handler 1,空调机组 1,,,,,25,30,4,
AHU-2,ahu,Air handler 2,空调机组 2,,,,,75,30,4,
MTR-0,meter,Park meter,园区总表,,,,,50,50,1,park
SMK-1,smoke,<img src=x onerror=alert(1)>,烟感 1,,,,,25,32,3,
SMK-2,smoke,Smoke 2,烟感 2,,,,,75,32,3,
ENV-1,env_sensor,Climate 1,环境 1,,,,,26,31,2,
ENV-2,env_sensor,Climate 2,环境 2,,,,,74,31,2,
WX-1,weather,Weather,气象站,,,,,50,60,6,
"""
PARK = """[park]
id = "tiny"
name = "Tiny"
name_zh = "小园"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
registry = "devices.csv"
[live]
source = "{source}"
[[layer]]
id = "blocks"
source = "blocks.geojson"
kind = "buildings"
height_field = "height"
[[layer]]
id = "roads"
source = "roads.geojson"
kind = "roads"
"""


def build_park(root: Path, more: str = "") -> Path:
    """Two blocks, one road, ten devices and `more` rows: written, compiled, ready to be copied and served."""
    blocks = gpd.GeoDataFrame({"height": [9.0, 14.0]}, crs=CRS,
                              geometry=[box(X0 + x, Y0 + 20, X0 + x + 20, Y0 + 45) for x in (15, 65)])
    blocks.to_crs(4326).to_file(root / "blocks.geojson", driver="GeoJSON")
    road = gpd.GeoDataFrame({"width": [6.0]}, geometry=[LineString([(X0 + 20, Y0), (X0 + 20, Y0 + 100)])], crs=CRS)
    road.to_crs(4326).to_file(root / "roads.geojson", driver="GeoJSON")
    (root / "devices.csv").write_text(DEVICES + more, "utf-8")
    (root / "park.toml").write_text(PARK.format(source="simulator"), "utf-8")
    compile_park(load_park(root), jobs=1)
    return root


def free_port() -> int:
    """A port of this suite's range that nobody listens on; suites that run at the same time begin at different ones."""
    first = os.getpid() % len(PORTS)
    for port in (*PORTS[first:], *PORTS[:first]):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port of the suite is taken")


def until(condition: Callable[[], object], secs: float, what: str) -> None:
    """Wait until something is so; fail with `what` when it never is."""
    end = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < end, f"not within {secs} s: {what}"
        time.sleep(0.05)


@dataclass(slots=True)
class Served:
    """A server that runs: where, and what is inside."""

    port: int
    services: Services
    app: FastAPI
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """As a browser names it."""
        return f"http://127.0.0.1:{self.port}"

    def browser(self, user: str = "", password: str = "", *, second: bool = False) -> Browser:
        """A signed-in browser: the demo account (or the second one), or a named one."""
        http = httpx.Client(base_url=self.origin, timeout=20)
        self.clients.append(http)
        answer = http.post("/signin", data={"user": user, "password": password}) if user else http.post(
            "/demo", data={"second": "true"} if second else None)
        assert answer.status_code == 303, answer.text
        return Browser(self, http, http.get("/api/v1/me").json()["csrf"], f"parktwin={http.cookies['parktwin']}")

    def slot(self, point: str) -> int:
        """The slot of a point."""
        slot = self.services.points.slot_of(point)
        assert slot is not None, point
        return int(slot)


@dataclass(slots=True)
class Browser:
    """A session: its cookie and its CSRF token."""

    served: Served
    http: httpx.Client
    csrf: str
    cookie: str

    def post(self, path: str, body: object = None) -> httpx.Response:
        """A change, with the token."""
        return self.http.post(path, json=body, headers={"x-csrf-token": self.csrf})

    def live(self, path: str = "/live", **more: object) -> ws.ClientConnection:
        """A socket as the browser opens it."""
        return open_socket(self.served, path, cookie=self.cookie, **more)


def open_socket(served: Served, path: str, *, cookie: str = "", origin: str = "", **more: object) -> ws.ClientConnection:
    """A socket with any cookie and any Origin."""
    return ws.connect(f"ws://127.0.0.1:{served.port}{path}", origin=origin or served.origin, proxy=None, max_size=None,
                      additional_headers={"Cookie": cookie} if cookie else {}, compression=None, **more)


def handshake_status(served: Served, path: str, *, cookie: str = "", origin: str = "", protocols: str = "") -> int:
    """The status a WebSocket handshake is answered with; 101 = let in."""
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
               "Sec-WebSocket-Version": "13", "Origin": origin or served.origin} | ({"Cookie": cookie} if cookie else {})
    headers |= {"Sec-WebSocket-Protocol": protocols} if protocols else {}
    try:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        answer.close()
        return answer.status
    finally:
        line.close()


def values(socket_: ws.ClientConnection, slot: int, wanted: Callable[[float, int], bool], secs: float) -> tuple[float, int]:
    """(value, quality) of a slot from the frames on the wire, as soon as they are what is wanted."""
    end, last = time.monotonic() + secs, None
    while (left := end - time.monotonic()) > 0:
        with contextlib.suppress(TimeoutError):
            message = socket_.recv(timeout=left)
            frame = decode(message) if isinstance(message, bytes) else None
            if frame is not None and frame.kind is FrameKind.VALUES:
                for row in (frame.columns["slot"] == slot).nonzero()[0]:
                    last = float(frame.columns["value"][row]), int(frame.columns["quality"][row])
                    if wanted(*last):
                        return last
    raise AssertionError(f"slot {slot} did not come as wanted within {secs} s; last {last}")


def closing_of(socket_: ws.ClientConnection, secs: float) -> tuple[list[str | bytes], int]:
    """What still came until the server closed, and its close code."""
    came: list[str | bytes] = []
    end = time.monotonic() + secs
    while time.monotonic() < end:
        try:
            came.append(socket_.recv(timeout=secs))
        except ConnectionClosed as closed:
            return came, closed.rcvd.code if closed.rcvd else 1006
    raise AssertionError(f"still open after {secs} s")


def first_frame(socket_: ws.ClientConnection) -> Frame:
    """The first binary frame: the state on joining."""
    while True:
        message = socket_.recv(timeout=10)
        if isinstance(message, bytes):
            return decode(message)


@contextlib.contextmanager
def serving(built: Path, at: Path, *, source: str = "simulator", demo: bool = True, text: str | None = None,
            port: int = 0, with_sample: bool = False) -> Iterator[Served]:
    """A copy of the built park, served until the block ends; a folder that is there already is served as it is."""
    if not at.exists():
        shutil.copytree(built, at)
        (at / "park.toml").write_text(PARK.format(source=source) if text is None else text, "utf-8")
    port = port or free_port()
    services = open_services(load_park(at), ServeOptions(port=port, demo=demo, with_sample=with_sample))
    guarded, app = create_app(services, secret=secret_of(services.spec.state_dir), hosts=["127.0.0.1", "localhost"],
                              origins=[f"127.0.0.1:{port}"])
    running = uvicorn.Server(uvicorn.Config(guarded, host="127.0.0.1", port=port, log_level="warning",
                                            ws_per_message_deflate=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    served = Served(port, services, app)
    try:
        until(lambda: running.started, 20, "the server starts")
        yield served
    finally:
        for client in served.clients:
            client.close()
        running.should_exit = True
        thread.join(15)
