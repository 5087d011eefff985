"""Real servers of one park, each a process of its own: one broker, one PostgreSQL; killed, paused, asked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import websockets.sync.client as ws
from faults_park import MQTT, POSTED, TOKEN
from fresh_database import fresh_postgres
from served_park import free_port, until

from ioc.access.secrets import secret_of
from twin.database import Database
from twin.events import EventStore

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
PUB, SUB = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")
#: A process with mounts that nobody else sees.
OWN_MOUNTS = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
SERVE = """
import sys
from pathlib import Path
from server import ServeOptions, serve
serve(Path(sys.argv[1]), ServeOptions(port=int(sys.argv[2]), demo=True), print)
"""


@dataclass(slots=True)
class Server:
    """One server: the park's folder, a folder of its own with its state, its port, its process."""

    park: Path
    own: Path
    port: int
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    http: httpx.Client | None = None
    csrf: str = ""

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self.park), str(self.port)]
        if self.own != self.park:  # as a container's volume is
            command = [*OWN_MOUNTS, "sh", "-c", 'mount --bind "$0" "$1"; shift; exec "$@"', str(self.own / "state"),
                       str(self.park / "state"), *command]
        with (self.own / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        until(lambda: self.ready().get("status") == "ready", 180, f"{self.name} is ready, see {self.own / 'log.txt'}")

    def sign_in(self, cookies: httpx.Cookies | None = None) -> None:
        """As the demo commander, or with a cookie that another server gave."""
        self.http = httpx.Client(base_url=f"http://{self.name}", timeout=20, cookies=cookies)
        if cookies is None:
            assert self.http.post("/demo").status_code == 303
        self.csrf = self.http.get("/api/v1/me").json()["csrf"]

    def ready(self) -> dict[str, Any]:
        try:
            return httpx.get(f"http://{self.name}/readyz", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            return {}

    def get(self, path: str) -> Any:
        assert self.http is not None
        answer = self.http.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None) -> httpx.Response:
        assert self.http is not None
        return self.http.post(f"/api/v1/{path}", json=body, headers={"x-csrf-token": self.csrf})

    def alarms(self) -> dict[str, tuple[int, str]]:
        """Live alarms: key → (number, state)."""
        return {alarm["key"]: (alarm["id"], alarm["state"]) for alarm in self.get("alarms")}

    def value(self, point: str) -> float | None:
        """What a point says now."""
        rows = self.get(f"values?device={point.partition('.')[0]}")["values"]
        return next(row["value"] for row in rows if row["point"] == point)

    def live(self, path: str = "/live") -> ws.ClientConnection:
        """A browser's socket."""
        assert self.http is not None
        return ws.connect(f"ws://{self.name}{path}", origin=f"http://{self.name}", proxy=None, max_size=None,  # type: ignore[arg-type]
                          additional_headers={"Cookie": f"parktwin={self.http.cookies['parktwin']}"}, compression=None)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, *, hard: bool = False) -> None:
        if self.http is not None:
            self.http.close()
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill() if hard else self.process.terminate()
            self.process.wait(30)
            self.process = None

    def log(self) -> str:
        return (self.own / "log.txt").read_text() if (self.own / "log.txt").exists() else ""


@dataclass(slots=True)
class Pair:
    """Two servers and what they share."""

    a: Server
    b: Server
    broker: int
    url: sa.URL
    heard: Path
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def tell(self, device: str, **points: object) -> None:
        """Telemetry of a device, now."""
        body = json.dumps({"ts": time.time() * 1000, "v": points}).encode()
        subprocess.run([str(PUB), "-p", str(self.broker), "-q", "1", "-t", f"parktwin/tiny/{device}/telemetry", "-s"],
                       input=body, check=True, timeout=10)

    def by_role(self) -> tuple[Server, Server]:
        """(the writer, the one that follows)."""
        return (self.a, self.b) if self.a.ready().get("role") == "writer" else (self.b, self.a)

    def orders(self) -> list[str]:
        """Ids of all orders that went to devices, in order."""
        return [json.loads(line)["id"] for line in self.heard.read_text().splitlines() if line.startswith("{")]

    @contextmanager
    def record(self) -> Iterator[EventStore]:
        """What is on record, read past both servers."""
        store = EventStore(Database(self.url), secret_of(self.a.own / "state"))
        try:
            yield store
        finally:
            store.close()

    def steps(self, key: str) -> list[str]:
        """Everything that happened to alarms of a rule."""
        with self.record() as store:
            return [event.what for event in store.alarm_steps(0.0, time.time() + 60) if event.alarm.key == key]


@contextmanager
def two_servers(built: Path, at: Path) -> Iterator[Pair]:
    """Both up on one park folder, each with a state of its own, the secret alike; the first one writes."""
    if subprocess.run([*OWN_MOUNTS, "true"], capture_output=True).returncode:
        pytest.skip("a state of its own in a shared folder takes mounts of its own: unshare -m")
    broker = free_port()
    with fresh_postgres() as url, (at / "orders.txt").open("wb") as heard:
        others = [subprocess.Popen([str(BINARY), "-p", str(broker)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
        time.sleep(0.5)
        others.append(subprocess.Popen([str(SUB), "-p", str(broker), "-q", "1", "-t", "parktwin/tiny/+/command"],
                                       stdout=heard))
        text = POSTED + MQTT.format(port=broker) + f"""[database]
url = "postgresql://{url.username}@{url.host}:{url.port or 5432}/{url.database}"
password = "env:PARK_DATABASE"
"""
        env = {**os.environ, "PARK_DATABASE": str(url.password)}
        servers: list[Server] = []
        park = shutil.copytree(built, at / "park")
        (park / "park.toml").write_text(text, "utf-8")
        (park / "push.token").write_text(TOKEN, "utf-8")
        for folder in (park, at / "a", at / "b"):
            (folder / "state").mkdir(parents=True, exist_ok=True)
        secret_of(at / "a" / "state")
        shutil.copy(at / "a" / "state" / "secret.key", at / "b" / "state" / "secret.key")
        try:
            for name in ("a", "b"):
                servers.append(Server(park, at / name, free_port(), env))
                servers[-1].start()
            pair = Pair(*servers, broker, url, at / "orders.txt", others)
            until(lambda: len(pair.a.ready()["servers"]) == 2, 20, "each knows of the other")
            pair.a.sign_in()
            pair.b.sign_in(pair.a.http.cookies if pair.a.http else None)
            yield pair
        finally:
            for server in servers:
                server.stop(hard=True)
            for other in others:
                other.kill()
                other.wait(10)
