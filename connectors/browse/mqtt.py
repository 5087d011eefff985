"""What is said on a broker while we listen: every single value of every JSON message, or every Sparkplug metric born."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from connectors.bindings import Bindings
from connectors.browse.offer import Offer, shown
from connectors.field import LineLost
from connectors.mqtt.line import Broker, OverMqtt
from connectors.mqtt.mapped import MAX_DEPTH
from twin.park import SourceSpec
from twin.registry import PointTable

MOST = 20_000


async def offers(source: SourceSpec, root: Path, secs: float) -> list[Offer]:
    """What was heard in `secs` seconds."""
    broker = Broker.of(source, root)
    listener = (_Metrics if source.scheme.startswith("sparkplug") else _Topics)(source, broker)
    try:
        async with asyncio.timeout(secs):
            await listener.talk()
    except TimeoutError:
        if not listener.was_up:
            raise LineLost(f"{broker.host}:{broker.port} does not answer") from None
    return list(listener.found.values())


class _Topics(OverMqtt):
    """Remembers every value it hears."""

    def __init__(self, source: SourceSpec, broker: Broker) -> None:
        super().__init__(source.id, broker, PointTable([], {}), Bindings(()), "parktwin-discover")
        self.source, self.was_up = source, False
        self.found: dict[str, Offer] = {}

    def topics(self) -> list[str]:
        return ["#"]

    def greet(self) -> None:
        self.was_up = True

    def on_message(self, topic: str, payload: bytes) -> None:
        try:
            message = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            message = payload.decode("utf-8", "replace")
        for pointer, value in _leaves(message):
            if len(self.found) < MOST:
                address = f"{topic}#{pointer}" if pointer else topic
                path = f"{topic}{pointer}".split("/")
                group = topic if pointer else "/".join(path[:-1])
                self.found[address] = Offer(address=address, group=group, name=path[-1], value=shown(value))


class _Metrics(_Topics):
    """Remembers every metric that is born."""

    def __init__(self, source: SourceSpec, broker: Broker) -> None:
        super().__init__(source, broker)
        self._root = f"spBv1.0/{urlsplit(source.url).path.strip('/')}"
        self._asked: set[str] = set()

    def topics(self) -> list[str]:
        return [f"{self._root}/#"]

    def on_message(self, topic: str, payload: bytes) -> None:
        from connectors.mqtt.sparkplug import REBIRTH, place_of
        from connectors.mqtt.sparkplug_payload import Payload, set_value, value_of

        verb, edge, device = place_of(topic)
        if verb in ("NBIRTH", "DBIRTH"):
            for metric in Payload.FromString(payload).metrics:
                place = f"{edge}/{device}" if device else edge
                address = f"{place}:{metric.name}"
                self.found[address] = Offer(address=address, group=device or edge, name=metric.name, can_write=bool(device),
                                            value=shown(value_of(metric, metric.datatype)))
        elif verb in ("NDATA", "DDATA") and edge not in self._asked:
            self._asked.add(edge)
            ask = Payload()
            set_value(ask.metrics.add(name=REBIRTH), 11, 1.0)
            self.publish(f"{self._root}/NCMD/{edge}", ask.SerializeToString())


def _leaves(message: object, pointer: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """(JSON pointer, value) of every single value."""
    if depth > MAX_DEPTH:
        return
    if isinstance(message, dict):
        for key, value in message.items():
            yield from _leaves(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}", depth + 1)
    elif isinstance(message, list):
        for number, value in enumerate(message):
            yield from _leaves(value, f"{pointer}/{number}", depth + 1)
    else:
        yield pointer, message
