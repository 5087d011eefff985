"""The simulated field on an MQTT broker: telemetry, positions and acknowledgements out, commands in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import numpy as np
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50

from connectors.simulator.engine import Simulator, Step
from twin.ports import CommandOrder, DispatchOrder, Positions, Readings
from twin.wire import Quality

log = logging.getLogger(__name__)


class _Order(msgspec.Struct):
    id: str
    key: str
    expires: float
    args: dict[str, float | str] = {}


class _Sent(msgspec.Struct):
    id: str
    node: str = ""
    reason: str = ""
    route: tuple[tuple[float, float, float], ...] = ()
    expires: float = 0.0


_sent = msgspec.json.Decoder(_Sent)
_order = msgspec.json.Decoder(_Order)


def telemetry_of(simulator: Simulator, readings: Readings) -> dict[str, dict[str, float | str | None]]:
    """Readings as the contract's batch: device → point → value; states by name, bad values as null."""
    points, out = simulator.points, {}  # type: ignore[var-annotated]
    for slot, value, quality in zip(readings.slot.tolist(), readings.value.tolist(), readings.quality.tolist(), strict=True):
        spec = points.spec[slot]
        shown: float | str | None = round(value, 4)
        if quality == Quality.BAD or not np.isfinite(value):
            shown = None
        elif spec.type == "text":
            shown = points.texts.text(value)
        elif spec.states:
            shown = spec.states[min(max(int(value), 0), len(spec.states) - 1)]
        out.setdefault(points.devices[points.device[slot]].id, {})[spec.key] = shown
    return out


class Publisher:
    """Runs a simulator against a broker.

    Args:
        simulator: the field.
        url: mqtt://[user:password@]host[:port] or mqtts://.
        park: the park's id, second part of every topic.
    """

    def __init__(self, simulator: Simulator, url: str, park: str, told: Callable[[str], None] = log.info) -> None:
        self._simulator, self._url, self._park, self._told = simulator, urlsplit(url), park, told

    async def run(self) -> None:
        """Publish until cancelled; comes back by itself when the broker goes away."""
        while True:
            client = self._client()
            try:
                await client.connect(
                    self._url.hostname or "127.0.0.1",
                    self._url.port or 1883,
                    version=MQTTv50,
                    ssl=self._url.scheme == "mqtts",
                    keepalive=10,
                )
            except (OSError, TimeoutError) as error:
                self._told(f"{self._url.hostname}: {error}; trying again")
                await asyncio.sleep(3.0)
                continue
            client.subscribe(f"parktwin/{self._park}/+/command", qos=1)
            client.subscribe(f"parktwin/{self._park}/+/dispatch", qos=1)
            self._told(f"publishing parktwin/{self._park}/# to {self._url.hostname}:{self._url.port or 1883}")
            try:
                while client.is_connected:
                    self._publish(client, self._simulator.step(self._simulator.clock.now()))
                    await asyncio.sleep(0.5)
            finally:
                await client.disconnect()

    def _client(self) -> Client:
        client = Client(f"parktwin-simulator-{self._park}", clean_session=True)
        client.set_config({"reconnect_retries": 0})
        if self._url.username:
            client.set_auth_credentials(self._url.username, self._url.password)
        client.on_message = self._on_message
        return client

    def _publish(self, client: Client, step: Step) -> None:
        root = f"parktwin/{self._park}"
        if len(step.readings.slot):
            values = telemetry_of(self._simulator, step.readings)
            payload = {"ts": float(step.readings.source_time[0]) * 1000, "d": values}
            client.publish(f"{root}/telemetry", msgspec.json.encode(payload), qos=0)
        if step.positions is not None and len(step.positions.track):
            client.publish(f"{root}/positions", msgspec.json.encode(self._fixes(step.positions)), qos=0)
        for ack in step.acks:
            payload = {"id": ack.id, "accepted": ack.accepted, "note": ack.note}
            client.publish(f"{root}/{ack.device}/ack", msgspec.json.encode(payload), qos=1)

    def _fixes(self, fixes: Positions) -> dict[str, object]:
        names = self._simulator.tracks()
        rows = [
            [names[track].id, *(round(v, 3) for v in place), round(turn, 3)]
            for track, place, turn in zip(fixes.track.tolist(), fixes.xyz.tolist(), fixes.heading.tolist(), strict=True)
        ]
        return {"ts": float(fixes.source_time[0]) * 1000, "p": rows}

    def _on_message(self, _client: Client, topic: str, payload: bytes, _qos: int, _properties: object) -> int:
        if topic.endswith("/dispatch"):
            return self._on_dispatch(topic, bytes(payload))
        try:
            order = _order.decode(bytes(payload))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._told(f"{topic}: not an order ({error})")
            return 0
        self._simulator.orders.take(
            CommandOrder(
                id=order.id, device=topic.split("/")[2], key=order.key, args=order.args, expires=order.expires / 1000
            ),
            self._simulator.clock.now(),
        )
        return 0

    def _on_dispatch(self, topic: str, payload: bytes) -> int:
        try:
            sent = _sent.decode(payload)
        except msgspec.MsgspecError as error:
            self._told(f"{topic}: not a dispatch ({error})")
            return 0
        person = topic.split("/")[2]
        track = next((t.i for t in self._simulator.tracks() if t.id == person), None)
        if track is not None:
            self._simulator.go(DispatchOrder(id=sent.id, track=track, person=person, node=sent.node, reason=sent.reason,
                                             route=sent.route, expires=sent.expires / 1000))
        return 0
