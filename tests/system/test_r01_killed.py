"""R1: the server killed in the middle of writing, again and again: what it acknowledged is there, once, and it comes back."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
from faults_park import POSTED, TOKEN, batch
from full_size import measured, size
from served_park import free_port, serving, until

KILLS = size(20, 2)
POSTS = 15
ROOT = Path(__file__).parents[2]


class Server:
    """`parktwin serve` in a process of its own."""

    def __init__(self, at: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        begun = time.monotonic()
        with (at.parent / "serve.log").open("ab") as log:
            command = [sys.executable, "-m", "parktwin", "serve", str(at), "--demo", "--port", str(port)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT,
                                            env=os.environ | {"PYTHONPATH": str(ROOT)})
        until(self.is_ready, 180, f"it is ready; see {at.parent / 'serve.log'}")
        self.took_secs = time.monotonic() - begun
        self.http = httpx.Client(base_url=self.url, timeout=20)
        assert self.http.post("/demo").status_code == 303
        self.csrf = self.http.get("/api/v1/me").json()["csrf"]

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "the server ended"
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.http.close()

    def say(self, *batches: dict) -> bool:
        """Post; whether it was acknowledged."""
        answer = httpx.post(f"{self.url}/api/v1/ingest", json=list(batches), timeout=20,
                            headers={"authorization": f"Bearer {TOKEN}"})
        return answer.status_code == 200

    def stream(self, said: dict[int, float]) -> None:
        """Post until the server is gone; `said` grows by what was acknowledged."""
        with contextlib.suppress(httpx.TransportError):
            while True:
                now = round(time.time() * 1000)
                value = 10.0 + len(said) % 2 * 9 + len(said) / 1000
                if self.say(batch(now / 1000, "ENV-1", temp=value)):
                    said[now] = value

    def fires(self) -> list[dict]:
        """The fire alarms that are live."""
        return [row for row in self.http.get("/api/v1/alarms").json() if row["key"] == "SMK-1.fire"]

    def change(self, path: str, body: object = None) -> httpx.Response:
        return self.http.post(f"/api/v1{path}", json=body, headers={"x-csrf-token": self.csrf})


def test_r01_what_was_acknowledged_survives_every_kill_once(built: Path, tmp_path: Path) -> None:
    """R1: killed in the middle of a stream of posts."""
    at = shutil.copytree(built, tmp_path / "park")
    (at / "park.toml").write_text(POSTED, "utf-8")
    (at / "push.token").write_text(TOKEN, "utf-8")
    port, begin = free_port(), time.time()
    said: dict[int, float] = {}
    order = {"device": "AHU-2", "key": "set_supply", "args": {"value": 18.5}, "idempotency_key": "before-the-kill"}
    given, back_secs = "", []
    for life in range(KILLS):
        server = Server(at, port)
        back_secs += [server.took_secs] if life else []
        try:
            if life == 0:
                given = server.change("/commands", order).json()["id"]
                assert server.say(batch(time.time(), "SMK-1", state="alarm"))
                until(server.fires, 10, "the fire is an alarm")
            listed = [row["id"] for row in server.http.get("/api/v1/commands").json()]
            assert listed.count(given) == 1, "a command that was taken is on record, once"
            assert server.change("/commands", order).json()["id"] == given, "asked for again it is the same"
            (fire,) = server.fires()
            assert fire["acked_by"] == (None if life < 2 else "demo"), "what a person acknowledged stays so"
            if life == 1:
                assert server.change(f"/alarms/{fire['id']}/acknowledge").status_code == 200
            stream = threading.Thread(target=server.stream, args=(said,))
            wanted = len(said) + POSTS
            stream.start()
            until(lambda wanted=wanted: len(said) >= wanted, 60, "posts are acknowledged")
        finally:
            server.kill()
        stream.join(20)
    with serving(at, at) as again:
        core, slot = again.services.runner.core, np.array([again.slot("ENV-1.temp")])
        (alarm,) = [alarm for alarm in core.alarms("all") if alarm.key == "SMK-1.fire"]
        assert alarm.acked_by == "demo", "what a person acknowledged stays so"
        assert core.events.verify() == []
        found = again.services.history.readings_of(slot, round(begin * 1000), round(time.time() * 1000) + 1)
    times = np.rint(found.source_time * 1000).astype(int).tolist()
    assert len(times) == len(set(times)), "none twice"
    assert len(said) >= KILLS * POSTS
    assert said.items() <= dict(zip(times, found.value.tolist(), strict=True)).items(), "none lost"
    measured(f"R1 ready again after kill -9, the slowest of {len(back_secs)}", max(back_secs), "s", 15,
             note=f"{len(said):,} posts acknowledged, each on record once; mean {sum(back_secs) / len(back_secs):.1f} s")
