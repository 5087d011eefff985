"""The field over MQTT: our JSON topics in, commands out, acknowledgements back (see docs/architecture.md, Live).

Bytes become typed values here and nowhere else. What cannot be understood is counted by reason and dropped; the rest
of the same message counts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from urllib.parse import urlsplit

import msgspec
import numpy as np
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50

from twin.packs import PointSpec
from twin.ports import CommandAck, CommandOrder, DispatchOrder, Positions, Readings, Sink, TrackInfo
from twin.registry import PointTable
from twin.wire import Quality

BATCH_SECS = 0.02
QUIET_SECS = 10.0
MAX_BYTES = 4_000_000
log = logging.getLogger(__name__)
Value = float | str | bool | None


class _Telemetry(msgspec.Struct):
    ts: float
    d: dict[str, dict[str, Value]] = {}
    v: dict[str, Value] = {}


class _Fixes(msgspec.Struct):
    ts: float
    p: list[tuple[str, float, float, float, float]]


class _Ack(msgspec.Struct):
    id: str
    accepted: bool
    note: str = ""


_telemetry = msgspec.json.Decoder(_Telemetry)
_fixes = msgspec.json.Decoder(_Fixes)
_ack = msgspec.json.Decoder(_Ack)


class MqttConnector:
    """One broker. `run` connects, reconnects with back-off, and tells the sink when the line comes and goes.

    Args:
        url: mqtt://[user:password@]host[:port], or mqtts:// for TLS.
        park: the park's id, second part of every topic.
        points: names of devices and points → slots.
        tracks: names of people and vehicles → track numbers.
    """

    name = "mqtt"

    def __init__(self, url: str, park: str, points: PointTable, tracks: tuple[TrackInfo, ...] = ()) -> None:
        self._url = urlsplit(url)
        self._park = park
        self._points = points
        self._track = {track.id: track.i for track in tracks}
        self._heard: list[tuple[int, float, int, float]] = []
        self._client: Client | None = None
        self._sink: Sink | None = None
        self.refused: Counter[str] = Counter()

    async def run(self, sink: Sink) -> None:
        """Stay connected until cancelled."""
        self._sink, wait = sink, 0.5
        while True:
            client = self._make_client()
            try:
                await client.connect(self._url.hostname or "127.0.0.1", self._url.port or 1883, version=MQTTv50,
                                     ssl=self._url.scheme == "mqtts", keepalive=10)
            except (OSError, TimeoutError) as error:
                sink.link(self.name, False, f"{self._url.hostname}:{self._url.port or 1883}: {error}")
                await asyncio.sleep(wait)
                wait = min(wait * 2, 10.0)
                continue
            wait = 0.5
            try:
                await self._stay(client, sink)
            finally:
                self._client = None
                await _leave(client)

    async def send(self, order: CommandOrder) -> None:
        """Publish an order; without a line it is not sent, and its command runs out by itself."""
        if self._client is None or not self._client.is_connected:
            log.warning("order %s not sent: no line to the broker", order.id)
            return
        payload = {"id": order.id, "key": order.key, "args": order.args, "expires": order.expires * 1000}
        self._client.publish(f"parktwin/{self._park}/{order.device}/command", msgspec.json.encode(payload), qos=1)

    async def dispatch(self, order: DispatchOrder) -> None:
        """Publish where a person is sent; without a line it is not sent, and the dispatch runs out by itself."""
        if self._client is None:
            return
        payload = {"id": order.id, "node": order.node, "reason": order.reason, "route": order.route,
                   "expires": order.expires * 1000}
        self._client.publish(f"parktwin/{self._park}/{order.person}/dispatch", msgspec.json.encode(payload), qos=1)

    async def _stay(self, client: Client, sink: Sink) -> None:
        client.subscribe(f"parktwin/{self._park}/#", qos=1)
        self._client = client
        sink.link(self.name, True, f"{self._url.hostname}:{self._url.port or 1883}")
        while client.is_connected and not client.gone.is_set():  # type: ignore[attr-defined]
            await asyncio.sleep(BATCH_SECS)
            self._hand_over(sink)
        sink.link(self.name, False, f"the broker at {self._url.hostname} went away")

    def _make_client(self) -> Client:
        client = Client(f"parktwin-{self._park}-{time.time_ns():x}", clean_session=True)
        client.set_config({"reconnect_retries": 0})
        if self._url.username:
            client.set_auth_credentials(self._url.username, self._url.password)
        client.gone = asyncio.Event()  # type: ignore[attr-defined]
        client.on_message = self._on_message
        client.on_disconnect = lambda c, *_: c.gone.set()
        return client

    def _on_message(self, _client: Client, topic: str, payload: bytes, _qos: int, _properties: object) -> int:
        parts, data = topic.split("/")[2:], bytes(payload)
        if len(data) > MAX_BYTES:
            self.refused["too large"] += 1
            return 0
        try:
            if parts == ["telemetry"]:
                message = _telemetry.decode(data)
                for device, values in message.d.items():
                    self._take(device, values, message.ts / 1000)
            elif parts == ["positions"]:
                self._move(_fixes.decode(data))
            elif len(parts) == 2 and parts[1] == "telemetry":
                message = _telemetry.decode(data)
                self._take(parts[0], message.v, message.ts / 1000)
            elif len(parts) == 2 and parts[1] == "ack":
                ack = _ack.decode(data)
                if self._sink:
                    self._sink.acknowledge(CommandAck(id=ack.id, device=parts[0], accepted=ack.accepted, note=ack.note))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.refused[type(error).__name__] += 1
        return 0

    def _take(self, device: str, values: dict[str, Value], source_time: float) -> None:
        for key, value in values.items():
            slot = self._points.slot(device, key)
            if slot is None:
                self.refused["unknown point"] += 1
                continue
            number, quality = number_of(self._points.spec[slot], value)
            self._heard.append((slot, number, quality, source_time))

    def _move(self, fixes: _Fixes) -> None:
        known = [(self._track[p[0]], *p[1:]) for p in fixes.p if p[0] in self._track and np.isfinite(p[1:]).all()]
        self.refused["unknown track or place"] += len(fixes.p) - len(known)
        if known and self._sink:
            rows = np.array(known, np.float64)
            self._sink.move(Positions(rows[:, 0].astype(np.uint32), rows[:, 1:4], rows[:, 4].astype(np.float32),
                                      np.full(len(rows), fixes.ts / 1000)))

    def _hand_over(self, sink: Sink) -> None:
        if self._heard:
            slot, value, quality, at = (list(column) for column in zip(*self._heard, strict=True))
            self._heard.clear()
            sink.ingest(Readings(np.array(slot, np.uint32), np.array(value, np.float64), np.array(quality, np.uint8),
                                 np.array(at, np.float64)))


def number_of(spec: PointSpec, value: Value) -> tuple[float, int]:
    """A value as the column holds it, with its quality; what the point cannot be is NaN and bad."""
    if value is None:
        return float("nan"), Quality.BAD
    try:
        number = spec.number_of(value)
    except (ValueError, KeyError, TypeError):
        number = float("nan")
    return (number, Quality.GOOD) if np.isfinite(number) else (float("nan"), Quality.BAD)


async def _leave(client: Client) -> None:
    try:
        await asyncio.wait_for(client.disconnect(), 2.0)
    except (OSError, TimeoutError):
        log.debug("the broker did not say goodbye")
