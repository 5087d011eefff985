"""The field over MQTT: our JSON topics in, commands out, acknowledgements back (see docs/architecture.md, Live).

Bytes become typed values here and nowhere else. What cannot be understood is counted by reason and dropped; the rest
of the same message counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from connectors.bindings import Bindings
from connectors.field import LineLost
from connectors.mqtt.line import Broker, OverMqtt
from twin.packs import PointSpec
from twin.ports import CommandAck, CommandOrder, DispatchOrder, Positions, TrackInfo
from twin.registry import PointTable
from twin.wire import Quality

Value = float | str | bool | None


class Telemetry(msgspec.Struct):
    """Values of one instant: of many devices (`d`), or of the device the topic names (`v`)."""

    ts: float
    d: dict[str, dict[str, Value]] = {}
    v: dict[str, Value] = {}


class _Numbers(msgspec.Struct):
    """Telemetry whose values are all numbers, as nearly all is."""

    ts: float
    d: dict[str, dict[str, float]] = {}
    v: dict[str, float] = {}


class _Fixes(msgspec.Struct):
    ts: float
    p: list[tuple[str, float, float, float, float]]


class _Ack(msgspec.Struct):
    id: str
    accepted: bool
    note: str = ""


_numbers = msgspec.json.Decoder(_Numbers)
_telemetry = msgspec.json.Decoder(Telemetry)
_fixes = msgspec.json.Decoder(_Fixes)
_ack = msgspec.json.Decoder(_Ack)


class MqttConnector(OverMqtt):
    """One broker that carries Parktwin's own topics; every device may be behind it.

    Args:
        broker: where, or its url.
        park: the park's id, second part of every topic.
        points: names of devices and points → slots.
        tracks: names of people and vehicles → track numbers.
    """

    def __init__(self, broker: str | Broker, park: str, points: PointTable, tracks: tuple[TrackInfo, ...] = (),
                 name: str = "mqtt") -> None:
        broker = Broker.at(broker) if isinstance(broker, str) else broker
        super().__init__(name, broker, points, Bindings(()), f"parktwin-{park}")
        self._park = park
        self._shapes: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._track = {track.id: track.i for track in tracks}

    def topics(self) -> list[str]:
        """All of the park's."""
        return [f"parktwin/{self._park}/#"]

    def reaches(self, device: str) -> bool:
        """Whoever it is, it may listen."""
        return True

    async def send(self, order: CommandOrder) -> None:
        """Publish an order; the device answers. Without a line it is refused at once."""
        payload = {"id": order.id, "key": order.key, "args": order.args, "expires": order.expires * 1000}
        try:
            self.publish(f"parktwin/{self._park}/{order.device}/command", msgspec.json.encode(payload))
        except LineLost as error:
            self._answer(order, False, str(error))

    async def dispatch(self, order: DispatchOrder) -> None:
        """Publish where a person is sent; without a line it is not sent, and the dispatch runs out by itself."""
        payload = {"id": order.id, "node": order.node, "reason": order.reason, "route": order.route,
                   "expires": order.expires * 1000}
        try:
            self.publish(f"parktwin/{self._park}/{order.person}/dispatch", msgspec.json.encode(payload))
        except LineLost as error:
            self.refuse("dispatch not sent", error)

    def on_message(self, topic: str, payload: bytes) -> None:
        """Telemetry, positions, answers; our own commands come past too."""
        parts = topic.split("/")[2:]
        if parts == ["telemetry"]:
            self._hear_telemetry(payload, None)
        elif parts == ["positions"]:
            self._move(_fixes.decode(payload))
        elif len(parts) == 2 and parts[1] == "telemetry":
            self._hear_telemetry(payload, parts[0])
        elif len(parts) == 2 and parts[1] == "ack":
            ack = _ack.decode(payload)
            if self._sink:
                self._sink.acknowledge(CommandAck(id=ack.id, device=parts[0], accepted=ack.accepted, note=ack.note))

    def _hear_telemetry(self, payload: bytes, device: str | None) -> None:
        """A message of the device its topic names, or of many."""
        try:
            numbers = _numbers.decode(payload)
        except msgspec.ValidationError:
            message = _telemetry.decode(payload)
            for name, values in message.d.items() if device is None else [(device, message.v)]:
                self.take(name, values, message.ts / 1000)
            return
        at = numbers.ts / 1000
        for name, found in numbers.d.items() if device is None else [(device, numbers.v)]:
            keys = tuple(found)
            shape = self._shapes.get(name)
            if shape is None or shape[0] != keys:
                slots = [self.points.slot(name, key) for key in keys]
                if None in slots:
                    self.take(name, found, at)
                    continue
                shape = self._shapes[name] = keys, tuple(slot for slot in slots if slot is not None)
            self._heard.add_good(shape[1], found.values(), at)

    def take(self, device: str, values: Mapping[str, Value], source_time: float) -> None:
        """A device's values of one instant, seconds since 1970 UTC."""
        for key, value in values.items():
            slot = self.points.slot(device, key)
            if slot is None:
                self.refuse("unknown point", f"{device}.{key}")
                continue
            self._heard.add(slot, *number_of(self.points.spec[slot], value), source_time)

    def _move(self, fixes: _Fixes) -> None:
        known = [(self._track[p[0]], *p[1:]) for p in fixes.p if p[0] in self._track and np.isfinite(p[1:]).all()]
        if len(known) < len(fixes.p):
            self.refused["unknown track or place"] += len(fixes.p) - len(known)
        if known and self._sink:
            rows = np.array(known, np.float64)
            self._sink.move(Positions(rows[:, 0].astype(np.uint32), rows[:, 1:4], rows[:, 4].astype(np.float32),
                                      np.full(len(rows), fixes.ts / 1000)))


def number_of(spec: PointSpec, value: Value) -> tuple[float, int]:
    """A value as the column holds it, with its quality; what the point cannot be is NaN and bad."""
    if value is None:
        return float("nan"), Quality.BAD
    try:
        number = spec.number_of(value)
    except (ValueError, KeyError, TypeError):
        number = float("nan")
    return (number, Quality.GOOD) if np.isfinite(number) else (float("nan"), Quality.BAD)
