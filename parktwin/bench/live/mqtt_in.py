"""MQTT in, over the real broker: values a second and core of our connector and of aiomqtt, one value or 500 a message."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from parktwin.bench.child import Failed
from parktwin.bench.live.subscriber import DEVICES, batch_message, single_message
from parktwin.bench.rows import Row

HOST, PORT = "127.0.0.1", int(os.environ.get("PARKTWIN_MQTT_PORT", "1883"))
COUNT_OF_OTHERS = 400


@dataclass(frozen=True, slots=True)
class Shape:
    """What a flood's messages are like; its own target in values/s a core, and what a reader must know."""

    what: str
    target: float | None
    note: str


SHAPES = {
    "one": Shape("one value a message", 150e3, ""),
    "batch": Shape("500 values a message", 3e6, "the same devices come again in the same order, as gateways say them"),
    "shuffled": Shape("500 values a message, other devices each time", None, "the wording of none is known"),
}


def measure(scratch: Path, quick: bool) -> list[Row]:
    """A row a shape of message; the two subscribers listen one after the other to the same flood."""
    del scratch
    secs = 2.0 if quick else 6.0
    rows = []
    for name, shape in SHAPES.items():
        rate = {who: _rate(who, name, secs) for who in ("ours", "aiomqtt")}
        ours, peer = rate["ours"], rate["aiomqtt"]
        note = "CPU of the subscriber alone; QoS 0 in, a real broker on loopback"
        rows.append(Row(what=f"MQTT in, {shape.what}", unit="values/s a core", ours=ours, peer=peer,
                        peer_name="aiomqtt and json", target=10.0 if shape.target else None, bound="at least",
                        note="; ".join(filter(None, (note, shape.note)))))
        if shape.target:
            rows.append(Row(what=f"MQTT in, {shape.what}, against its own target", unit="values/s a core", ours=ours,
                            target=shape.target, bound="at least"))
    return rows


def _rate(who: str, shape: str, secs: float) -> float:
    """Values a CPU second of a subscriber in a process of its own, under a flood."""
    park = f"bench-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-m", "parktwin.bench.live.subscriber", who, park, HOST, str(PORT), str(secs)]
    listener = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert listener.stdout is not None
    is_over = threading.Event()
    try:
        if listener.stdout.readline().strip() != "listening":
            raise Failed((listener.communicate()[1].strip().splitlines() or ["the subscriber ended"])[-1])
        flood = threading.Thread(target=_flood, args=(park, shape, is_over), daemon=True)
        flood.start()
        said, complaint = listener.communicate(timeout=secs * 4 + 30)
    finally:
        is_over.set()
        listener.kill()
    if listener.returncode != 0:
        raise Failed((complaint.strip().splitlines() or ["the subscriber ended"])[-1])
    found = json.loads(said)
    return float(found["values"]) / max(float(found["cpu_s"]), 1e-9)


def _flood(park: str, shape: str, is_over: threading.Event) -> None:
    """MQTT 5 PUBLISH packets of QoS 0, as fast as the broker takes them."""
    now = time.time() * 1000
    messages = _messages(park, shape, now)
    packets = b"".join(_publish(topic, payload) for topic, payload in messages)
    with socket.create_connection((HOST, PORT)) as line:
        name = f"{park}-flood".encode()
        body = b"\x00\x04MQTT\x05\x02\x00\x3c\x00" + struct.pack(">H", len(name)) + name
        line.sendall(b"\x10" + _length(len(body)) + body)
        line.recv(256)
        while not is_over.is_set():
            try:
                line.sendall(packets)
            except OSError:
                return


def _messages(park: str, shape: str, now_ms: float) -> list[tuple[str, bytes]]:
    """(topic, payload) of a round of the flood."""
    if shape == "one":
        return [(f"parktwin/{park}/d{n}/telemetry", single_message(n, now_ms)) for n in range(DEVICES)]
    if shape == "batch":
        return [(f"parktwin/{park}/telemetry", batch_message(k, now_ms)) for k in range(8)]
    chance = random.Random(7)  # noqa: S311 - a bench that says the same each time
    return [(f"parktwin/{park}/telemetry", batch_message(k, now_ms, chance)) for k in range(COUNT_OF_OTHERS)]


def _publish(topic: str, payload: bytes) -> bytes:
    body = struct.pack(">H", len(topic)) + topic.encode() + b"\x00" + payload
    return b"\x30" + _length(len(body)) + body


def _length(size: int) -> bytes:
    out = b""
    while True:
        size, low = divmod(size, 128)
        out += bytes([low | (0x80 if size else 0)])
        if not size:
            return out
