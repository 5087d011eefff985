"""The field over MQTT: our JSON topics in, commands out, acknowledgements back (see docs/architecture.md, Live).

Bytes become typed values here and nowhere else. What cannot be understood is counted by reason and dropped; the rest
of the same message counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.bindings import Bindings
from connectors.field import LineLost
from connectors.mqtt.line import Broker, OverMqtt
from connectors.mqtt.wording import Wordings
from connectors.places import Fix, Places
from twin.ports import CommandAck, CommandOrder, DispatchOrder, TrackInfo
from twin.registry import PointTable
from twin.wire import Quality

Value = float | str | bool | list[float | None] | None
#: From so many devices on, a message is looked up as a whole.
MANY = 8
#: So many values are not kept for the end of their batch: what lies in the processor's cache is copied sooner.
ENOUGH = 16_384
#: A message worded otherwise each time is decoded each time.
MAX_LESSONS = 3


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
    p: list[Fix]


class _Ack(msgspec.Struct):
    id: str
    accepted: bool
    note: str = ""


@dataclass(slots=True, eq=False)
class _Shape:
    """Which points a message of many devices tells of, in its order; how often its wording was learned."""

    names: list[str]
    counts: list[int]
    keys: list[str]
    slots: NDArray[np.uint32]
    lessons: int = 0


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
        places: how its positions are read; park metres where left out.
    """

    def __init__(self, broker: str | Broker, park: str, points: PointTable, tracks: tuple[TrackInfo, ...] = (),
                 name: str = "mqtt", places: Places | None = None) -> None:
        broker = Broker.at(broker) if isinstance(broker, str) else broker
        super().__init__(name, broker, points, Bindings(()), f"parktwin-{park}")
        self._park = park
        self._of_many = f"parktwin/{park}/telemetry"
        self._shapes: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._messages: dict[str, _Shape] = {}
        self._wordings = Wordings()
        self._told_by: dict[str, str] = {}
        self._places = places or Places(tracks)
        self.findings += self._places.findings

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
        if topic == self._of_many:
            self._hear_telemetry(payload, None)
            return
        device = self._told_by.get(topic)
        if device is not None:
            self._hear_telemetry(payload, device)
            return
        parts = topic.split("/")[2:]
        if parts == ["positions"]:
            self._move(_fixes.decode(payload))
        elif len(parts) == 2 and parts[1] == "telemetry":
            self._hear_telemetry(payload, parts[0])
            if parts[0] in self._shapes:  # a device there is: names nobody knows are not kept
                self._told_by[topic] = parts[0]
        elif len(parts) == 2 and parts[1] == "ack":
            ack = _ack.decode(payload)
            if self._sink:
                self._sink.acknowledge(CommandAck(id=ack.id, device=parts[0], accepted=ack.accepted, note=ack.note))

    def _hear_telemetry(self, payload: bytes, device: str | None) -> None:
        """A message of the device its topic names, or of many."""
        if device is None and (read := self._wordings.read(payload)) is not None:
            self._heard.add_block(read[0], read[1], read[2] / 1000)
            if len(self._heard) >= ENOUGH:
                self._hand_over()
            return
        try:
            numbers = _numbers.decode(payload)
        except msgspec.ValidationError:
            message = _telemetry.decode(payload)
            for name, values in message.d.items() if device is None else [(device, message.v)]:
                self.take(name, values, message.ts / 1000)
            return
        at = numbers.ts / 1000
        if len(numbers.d) >= MANY and device is None and self._hear_alike(payload, numbers.d, at):
            return
        for name, found in numbers.d.items() if device is None else [(device, numbers.v)]:
            slots = self._slots_of(name, tuple(found))
            if slots is None:
                self.take(name, found, at)
            else:
                self._heard.add_good(slots, found.values(), at)

    def _hear_alike(self, payload: bytes, found: dict[str, dict[str, float]], at: float) -> bool:
        """A message of the same points as the last that began with the same device, in one go; whether it was one.

        When such a message comes again, its wording is learned.
        """
        first = next(iter(found))
        names, counts = list(found), list(map(len, found.values()))
        keys = list(chain.from_iterable(found.values()))
        shape = self._messages.get(first)
        if shape is None or shape.keys != keys or shape.names != names or shape.counts != counts:
            slots: list[int] = []
            for name, values in found.items():
                of_device = self._slots_of(name, tuple(values))
                if of_device is None:
                    return False
                slots += of_device
            shape = self._messages[first] = _Shape(names, counts, keys, np.array(slots, np.uint32))
        elif shape.lessons < MAX_LESSONS:
            shape.lessons += 1
            self._wordings.learn(payload, shape.slots)
        numbers = np.fromiter(chain.from_iterable(map(dict.values, found.values())), np.float64, len(shape.slots))
        self._heard.add_block(shape.slots, numbers, at)
        return True

    def _slots_of(self, device: str, keys: tuple[str, ...]) -> tuple[int, ...] | None:
        """The slots of a device's points; None where one is not known or takes no number (a text)."""
        if not keys:
            return ()
        shape = self._shapes.get(device)
        if shape is None or shape[0] != keys:
            slots = [slot for key in keys if (slot := self.points.slot(device, key)) is not None]
            if len(slots) < len(keys) or any(self.points.spec[slot].type == "text" for slot in slots):
                return None
            shape = self._shapes[device] = keys, tuple(slots)
        return shape[1]

    def take(self, device: str, values: Mapping[str, Value], source_time: float) -> None:
        """A device's values of one instant, seconds since 1970 UTC."""
        for key, value in values.items():
            heard = self.points.heard(device, key, value)
            if not heard:
                self.refuse("unknown point", f"{device}.{key}")
            for slot, part in heard:
                number = self.points.number(slot, part)
                is_good = bool(np.isfinite(number))
                if not is_good and part is not None:
                    self.refuse("not a value of its point", f"{device}.{key}: {part!r:.60}")
                self._heard.add(slot, number, Quality.GOOD if is_good else Quality.BAD, source_time)

    def _move(self, fixes: _Fixes) -> None:
        positions = self._places.take(fixes.p, fixes.ts / 1000, self.misplaced)
        self.doubted(self._places.doubt)
        if positions is not None and self._sink:
            self._sink.move(positions)
