"""Anybody's JSON over MQTT 5, by a declared mapping.

An address is `topic#/json/pointer` (`zigbee2mqtt/boiler#/temperature`), or `topic` alone where the payload is the value.
A `write` address is published to, with the pointer's object around the value. `time` in the park file points to a
JSON message's own time: seconds or milliseconds since 1970, or ISO 8601.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import msgspec

from connectors.bindings import Binding, Bindings
from connectors.mqtt.line import Broker, OverMqtt
from connectors.orders import CannotWrite
from twin.park import SourceSpec
from twin.registry import PointTable

MAX_DEPTH = 20
_MILLISECONDS_FROM = 1e11


def address_of(address: str) -> tuple[str, tuple[str, ...]]:
    """Topic and JSON pointer (RFC 6901). Raises ValueError."""
    topic, _, pointer = address.partition("#")
    if not topic or "+" in topic or (pointer and not pointer.startswith("/")):
        raise ValueError(f"address '{address}' is not like topic#/key/key (one topic, no wildcard)")
    return topic, pointer_of(pointer)


def pointer_of(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def found_at(message: object, steps: tuple[str, ...]) -> object:
    """What a pointer leads to. Raises KeyError where it leads nowhere."""
    for step in steps:
        if isinstance(message, dict):
            message = message[step]
        elif isinstance(message, list) and step.isdigit() and int(step) < len(message):
            message = message[int(step)]
        else:
            raise KeyError(step)
    return message


def time_of(value: object) -> float:
    """Seconds since 1970 UTC. Raises ValueError for what is no time."""
    if isinstance(value, str):
        told = datetime.fromisoformat(value)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no time")
    return value / 1000 if value >= _MILLISECONDS_FROM else float(value)


class MappedMqttConnector(OverMqtt):
    """A broker whose topics are somebody else's."""

    def __init__(self, source: SourceSpec, broker: Broker, points: PointTable, bindings: Bindings) -> None:
        super().__init__(source.id, broker, points, bindings, f"parktwin-{source.id}")
        self._time = pointer_of(source.time) if source.time else None
        self._by_topic: defaultdict[str, list[tuple[Binding, tuple[str, ...]]]] = defaultdict(list)
        for binding, (topic, steps) in self.understood(lambda b: address_of(b.address)):
            self._by_topic[topic].append((binding, steps))
        self._writes = {b.slot: at for b, at in self.understood(lambda b: address_of(b.write), lambda b: bool(b.write))}

    def topics(self) -> list[str]:
        """Those the mapping names."""
        return list(self._by_topic)

    def on_message(self, topic: str, payload: bytes) -> None:
        """One JSON text (or a bare word) with the values of a topic's bindings."""
        rows = self._by_topic.get(topic, [])
        is_json = any(steps for _, steps in rows)
        message = msgspec.json.decode(payload) if is_json else _bare(payload)
        at = 0.0
        if self._time is not None and is_json:
            try:
                at = time_of(found_at(message, self._time))
            except (KeyError, ValueError, OverflowError) as error:
                self.refuse("no time in the message", f"{topic}: {error}")
                return
        for binding, steps in rows:
            try:
                self.hear(binding, found_at(message, steps), at)
            except KeyError:
                self.refuse(f"{topic} has no /{'/'.join(steps)}")

    async def write(self, binding: Binding, value: float | str) -> None:
        """Publish it; that the device took it only its telemetry can say."""
        at = self._writes.get(binding.slot)
        if at is None:
            raise CannotWrite(f"{binding.write} cannot be written")
        topic, steps = at
        body: object = int(value) if isinstance(value, float) and value.is_integer() else value
        for step in reversed(steps):
            body = {step: body}
        self.publish(topic, msgspec.json.encode(body) if steps else str(body).encode())


def _bare(payload: bytes) -> object:
    """A payload that is the value itself: JSON where it is, else its text."""
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload.decode("utf-8")
