"""A mosquitto of our own, that may be stopped, killed and started again; it keeps sessions and what waits for them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
PUB, SUB = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")
CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
user root
max_queued_messages 0
max_inflight_messages 1000
persistence true
persistence_location {folder}/
"""


@dataclass(slots=True)
class Broker:
    """One broker on one port."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it; returns when it listens."""
        conf = self.folder / "mosquitto.conf"
        conf.write_text(CONFIG.format(port=self.port, folder=self.folder), "utf-8")
        self.process = subprocess.Popen([str(BINARY), "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the broker does not listen")

    def stop(self, *, hard: bool = False) -> None:
        """End it: in order (sessions are saved), or hard."""
        if self.process is not None:
            (self.process.kill if hard else self.process.terminate)()
            self.process.wait(10)
            self.process = None

    def publish(self, topic: str, payload: bytes) -> None:
        """One message, QoS 1, taken by the broker."""
        subprocess.run([str(PUB), "-p", str(self.port), "-q", "1", "-t", topic, "-s"], input=payload, check=True, timeout=10)

    def publish_lines(self, topic: str, lines: list[bytes]) -> None:
        """A message a line, QoS 1, in order, all taken by the broker."""
        for first in range(0, len(lines), 20_000):  # of many more mosquitto_pub silently leaves out the last
            subprocess.run([str(PUB), "-p", str(self.port), "-q", "1", "-t", topic, "-l"], check=True, timeout=600,
                           input=b"\n".join(lines[first:first + 20_000]) + b"\n", stderr=subprocess.DEVNULL)
