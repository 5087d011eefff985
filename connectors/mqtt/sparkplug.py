"""Sparkplug B as a host application: births name what there is, data changes it, deaths take it away.

Addresses are `edge:metric` for an edge node's own metric and `edge/device:metric` for a device's; the group is the url's
path (`sparkplug://broker/GROUP`). Sequence numbers are watched: after a gap, or data from a node whose birth was not
heard, the node is asked for a rebirth and its points turn stale until it comes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gmqtt
import msgspec
from google.protobuf.message import DecodeError

from connectors.bindings import Binding, Bindings
from connectors.mqtt.line import Broker, OverMqtt
from connectors.mqtt.sparkplug_payload import Payload, quality_code, set_value, value_of
from connectors.orders import CannotWrite
from twin.park import SourceSpec
from twin.registry import PointTable
from twin.wire import Quality

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
_HEARD = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
_ASK_AGAIN_SECS = 10.0
_BOOLEAN_TYPE = 11
_GOOD_CODE, _STALE_CODE = 192, 500


@dataclass(slots=True)
class Node:
    """What is known of one edge node: the birth it lives by, and its metrics by (device, alias or name)."""

    birth: int = -1
    seq: int = 0
    is_alive: bool = False
    asked: float = 0.0
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    types: dict[tuple[str, str], int] = field(default_factory=dict)


def address_of(address: str) -> tuple[str, str, str]:
    """(edge node, device or '', metric). Raises ValueError."""
    place, colon, metric = address.partition(":")
    edge, _, device = place.partition("/")
    if not colon or not edge or not metric or "/" in device:
        raise ValueError(f"address '{address}' is not like edge/device:metric or edge:metric")
    return edge, device, metric


def place_of(topic: str) -> tuple[str, str, str]:
    """(verb, edge node, device or '') of `spBv1.0/group/VERB/edge[/device]`; no verb where it is none such."""
    parts = topic.split("/")
    if len(parts) not in (4, 5):
        return "", "", ""
    return parts[2], parts[3], parts[4] if len(parts) == 5 else ""


class SparkplugConnector(OverMqtt):
    """One group of edge nodes on a broker."""

    speaks_on_change = True

    def __init__(self, source: SourceSpec, broker: Broker, points: PointTable, bindings: Bindings) -> None:
        super().__init__(source.id, broker, points, bindings, f"parktwin-{source.id}")
        self._group = urlsplit(source.url).path.strip("/")
        self._state = f"{NAMESPACE}/STATE/parktwin-{source.id}"
        self.will = gmqtt.Message(self._state, _online(False), qos=1, retain=True)
        self._bound = {at: binding for binding, at in self.understood(lambda b: address_of(b.address))}
        self._writes = {b.slot: at for b, at in self.understood(lambda b: address_of(b.write), lambda b: bool(b.write))}
        self.nodes: dict[str, Node] = {}

    def topics(self) -> list[str]:
        """Everything of the group."""
        return [f"{NAMESPACE}/{self._group}/#"]

    def greet(self) -> None:
        """Say that the host is there; nodes that were born before it are asked to say again what they are."""
        self.nodes.clear()
        self.publish(self._state, _online(True), retain=True)
        for edge in sorted({edge for edge, _, _ in self._bound}):
            self._ask_rebirth(edge)

    def on_message(self, topic: str, payload: bytes) -> None:
        """`spBv1.0/group/TYPE/edge[/device]`."""
        verb, edge, device = place_of(topic)
        if verb not in _HEARD:
            return
        message = Payload()
        try:
            message.ParseFromString(payload)
        except DecodeError as error:
            raise ValueError(f"no Sparkplug payload ({error})") from error
        node = self.nodes.setdefault(edge, Node())
        if verb == "NDEATH":
            self._die(edge, node, message)
        elif verb == "NBIRTH":
            node.birth, node.seq, node.is_alive = _birth_of(message), message.seq & 255, True
            node.names.clear()
            node.types.clear()
            self._take_birth(edge, "", node, message)
        elif self._is_next(edge, node, message):
            if verb == "DBIRTH":
                self._take_birth(edge, device, node, message)
            elif verb == "DDEATH":
                self.lose(row for at, row in self._bound.items() if at[:2] == (edge, device))
            elif verb in ("NDATA", "DDATA"):
                self._take(edge, device, node, message)

    async def write(self, binding: Binding, value: float | str) -> None:
        """NCMD or DCMD; that the device did it only its data can say."""
        edge, device, metric = self._writes.get(binding.slot, ("", "", ""))
        node = self.nodes.get(edge)
        if node is None or not node.is_alive:
            raise CannotWrite(f"edge node '{edge}' is not online")
        if (device, metric) not in node.types:
            raise CannotWrite(f"{binding.write} is not in the birth of its node")
        self._command(edge, device, metric, node.types[device, metric], value)

    # ---- inside -----------------------------------------------------------------------------------------------------
    def _take_birth(self, edge: str, device: str, node: Node, message: Any) -> None:
        for metric in message.metrics:
            if metric.HasField("alias"):
                node.names[device, metric.alias] = metric.name
            node.types[device, metric.name] = metric.datatype
        born = {metric.name for metric in message.metrics}
        for at, binding in self._bound.items():
            if at[:2] == (edge, device) and at[2] not in born:
                self.refuse(f"the birth of {edge}/{device} has no metric '{at[2]}'", binding.address)
        self._take(edge, device, node, message)

    def _take(self, edge: str, device: str, node: Node, message: Any) -> None:
        for metric in message.metrics:
            name = metric.name or node.names.get((device, metric.alias), "")
            binding = self._bound.get((edge, device, name))
            if binding is None:
                continue
            code = quality_code(metric)
            if code == _STALE_CODE:
                self.lose([binding])
                continue
            at = (metric.timestamp or message.timestamp) / 1000
            self.hear(binding, value_of(metric, node.types.get((device, name), metric.datatype)), at,
                      Quality.GOOD if code == _GOOD_CODE else Quality.BAD)

    def _is_next(self, edge: str, node: Node, message: Any) -> bool:
        """Whether a message follows its node's last one; else the node is asked to begin anew."""
        if not node.is_alive:
            self._ask_rebirth(edge)
            return False
        expected, node.seq = (node.seq + 1) & 255, message.seq & 255
        if node.seq == expected:
            return True
        self.refuse(f"sequence of {edge} is broken", f"{node.seq} after {(expected - 1) & 255}")
        self._lose_node(edge, node)
        self._ask_rebirth(edge)
        return False

    def _die(self, edge: str, node: Node, message: Any) -> None:
        """A death of an older birth comes late and means nothing."""
        if not node.is_alive or _birth_of(message) in (node.birth, -1):
            self._lose_node(edge, node)

    def _lose_node(self, edge: str, node: Node) -> None:
        node.is_alive = False
        self.lose(row for at, row in self._bound.items() if at[0] == edge)

    def _ask_rebirth(self, edge: str) -> None:
        node, now = self.nodes.setdefault(edge, Node()), time.monotonic()
        if now - node.asked >= _ASK_AGAIN_SECS or not node.asked:
            node.asked = now
            self._command(edge, "", REBIRTH, _BOOLEAN_TYPE, 1.0)

    def _command(self, edge: str, device: str, metric: str, datatype: int, value: float | str) -> None:
        message = Payload(timestamp=round(time.time() * 1000))
        set_value(message.metrics.add(name=metric, timestamp=message.timestamp), datatype, value)
        place = f"DCMD/{edge}/{device}" if device else f"NCMD/{edge}"
        self.publish(f"{NAMESPACE}/{self._group}/{place}", message.SerializeToString())


def _birth_of(message: Any) -> int:
    """The bdSeq that ties a death to its birth; -1 where none is told."""
    metric = next((metric for metric in message.metrics if metric.name == "bdSeq"), None)
    return -1 if metric is None else int(metric.long_value or metric.int_value)


def _online(is_online: bool) -> bytes:
    return msgspec.json.encode({"online": is_online, "timestamp": round(time.time() * 1000)})
