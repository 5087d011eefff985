"""One subscriber of `mqtt_in`, in a process of its own: `python -m … ours|aiomqtt PARK HOST PORT SECS`."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

import msgspec
import numpy as np

DEVICES = 2000
VALUES_A_BATCH = 500
KEYS = ("temp", "humidity", "co2", "pm25", "noise")


def single_message(number: int, now_ms: float) -> bytes:
    """One value of one device."""
    return msgspec.json.encode({"ts": now_ms, "v": {"temp": 20.0 + number % 10}})


def batch_message(number: int, now_ms: float, chance: random.Random | None = None) -> bytes:
    """500 values of 100 devices that follow each other; or of the same first one and others drawn by chance."""
    count = VALUES_A_BATCH // len(KEYS)
    devices = [0, *chance.sample(range(1, DEVICES), count - 1)] if chance else [
        (number * 100 + d) % DEVICES for d in range(count)]
    return msgspec.json.encode({"ts": now_ms, "d": {
        f"d{device}": {key: 20.0 + (number + d + k) % 10 for k, key in enumerate(KEYS)} for d, device in enumerate(devices)}})


class Count:
    """Counts values for some seconds after the first, and the CPU they took."""

    def __init__(self, secs: float) -> None:
        self.secs, self.values = secs, 0
        self.until, self.cpu = 0.0, 0.0

    def add(self, values: int) -> bool:
        """Whether it goes on."""
        if not self.until:
            self.until, self.cpu = time.monotonic() + self.secs, time.process_time()
            return True
        self.values += values
        return time.monotonic() < self.until

    def told(self) -> str:
        """What was found, as JSON."""
        return json.dumps({"values": self.values, "cpu_s": time.process_time() - self.cpu})


async def ours(park: str, host: str, port: int, count: Count) -> None:
    """Our connector with a sink that only counts, and the state behind it."""
    from connectors.mqtt.own_topics import MqttConnector
    from twin.live.state import StateStore
    from twin.packs import load_packs
    from twin.registry import Device, PointTable

    table = PointTable([Device(id=f"d{n}", kind="env_sensor", name="") for n in range(DEVICES)], load_packs().kinds)
    store = StateStore(table)
    assert {point.key for kind in table.kind for point in kind.points} >= set(KEYS), "the messages fit the kind"
    over = asyncio.Event()

    class Sink:
        def ingest(self, readings) -> None:  # type: ignore[no-untyped-def]
            store.apply(readings, time.time())
            if not count.add(len(readings.slot)):
                over.set()

        def link(self, name: str, is_live: bool, text: str) -> None:
            if is_live:
                print("listening", flush=True)

        def lose(self, slots: np.ndarray) -> None:
            pass

    connector = MqttConnector(f"mqtt://{host}:{port}", park, table)
    running = asyncio.create_task(connector.run(Sink()))  # type: ignore[arg-type]
    await over.wait()
    print(count.told(), flush=True)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def aiomqtt(park: str, host: str, port: int, count: Count) -> None:
    """aiomqtt's own loop, the standard library's JSON, the last value in a dict."""
    from aiomqtt import Client

    last: dict[str, float] = {}
    async with Client(host, port) as client:
        await client.subscribe(f"parktwin/{park}/#", qos=1)
        print("listening", flush=True)
        async for message in client.messages:
            body = json.loads(message.payload)
            device = str(message.topic).split("/")[2]
            parts = body["d"] if "d" in body else {device: body["v"]}
            for name, values in parts.items():
                for key, value in values.items():
                    last[f"{name}.{key}"] = value
            if not count.add(sum(map(len, parts.values()))):
                break
        print(count.told(), flush=True)


if __name__ == "__main__":
    import uvloop

    who, park_id, at, port_text, secs_text = sys.argv[1:]
    uvloop.run({"ours": ours, "aiomqtt": aiomqtt}[who](park_id, at, int(port_text), Count(float(secs_text))))
