"""BACnet/IP: present values of objects polled many at a time, orders as writes with a priority.

Addresses are `object-type,instance[:property]` (`analog-input,3`), with another device's BACnet address in front where it
is not the url's (`10.0.0.7/analog-input,3`, `2001:12/binary-value,1` behind a router). A write address may name its
priority: `analog-value,2@8`. Status flags are quality: in fault is bad, out of service uncertain.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.bindings import Binding, Bindings
from connectors.field import HUNG_SECS, FieldConnector, LineLost
from connectors.orders import CannotWrite
from twin.park import SourceSpec
from twin.registry import PointTable
from twin.wire import Quality

if TYPE_CHECKING:
    from bacpypes3.ipv4.app import NormalApplication

ANSWER_SECS = 3.0
OUR_DEVICE = 4194302
WRITE_PRIORITY = 8
_AT_ONCE = 20
_ADDRESS = re.compile(r"(?:([^/]+)/)?([a-z0-9-]+),(\d+)(?::([a-z0-9-]+))?(?:@(\d+))?")
_IN_FAULT, _OUT_OF_SERVICE = 1, 3


@dataclass(frozen=True, slots=True)
class BacnetObject:
    """A property of an object of a device; `priority` for writes."""

    device: str
    object: str
    property: str
    priority: int


def object_of(address: str, device: str) -> BacnetObject:
    """An address, parsed; `device` where it names none. Raises ValueError."""
    found = _ADDRESS.fullmatch(address.lower())
    priority = int(found[5] or WRITE_PRIORITY) if found else 0
    if not found or not 1 <= priority <= 16:
        raise ValueError(f"address '{address}' is not like analog-input,3 or analog-value,2:present-value@8")
    return BacnetObject(found[1] or device, f"{found[2]},{found[3]}", found[4] or "present-value", priority)


class BacnetConnector(FieldConnector):
    """BACnet devices asked from one UDP port of ours."""

    def __init__(self, source: SourceSpec, points: PointTable, bindings: Bindings) -> None:
        from bacpypes3.apdu import ErrorRejectAbortNack

        super().__init__(source.id, points, bindings)
        self.lost = (OSError, TimeoutError, ErrorRejectAbortNack)
        self._source, self._device = source, device_of(source)
        self._reads: dict[str, list[tuple[Binding, BacnetObject]]] = {}
        for binding, at in self.understood(lambda b: object_of(b.address, self._device)):
            self._reads.setdefault(at.device, []).append((binding, at))
        self._writes = {b.slot: at for b, at in self.understood(lambda b: object_of(b.write, self._device),
                                                                lambda b: bool(b.write))}
        self._one_by_one: set[str] = set()
        self._app: NormalApplication | None = None
        self.hung_secs = max(HUNG_SECS, 3 * source.poll_secs)

    async def talk(self) -> None:
        """Poll every device; the line is lost when none of them answers."""
        app = open_app(self._source)
        try:
            self._app, due = app, time.monotonic()
            while True:
                answered = [await self._poll(app, device, rows) for device, rows in self._reads.items()]
                if answered and not any(answered):
                    raise LineLost(f"{self._device} does not answer")
                self.up(self._device)
                due = max(due + self._source.poll_secs, time.monotonic())
                await asyncio.sleep(due - time.monotonic())
        finally:
            self._app = None
            app.close()

    async def write(self, binding: Binding, value: float | str) -> None:
        """Write a property at its priority."""
        from bacpypes3.apdu import ErrorRejectAbortNack

        at = self._writes.get(binding.slot)
        if self._app is None or at is None:
            raise CannotWrite(f"{binding.write} cannot be written")
        is_discrete = at.object.startswith(("binary", "multi-state"))
        raw = int(float(value)) if is_discrete else float(value)
        try:
            refused = await self._app.write_property(at.device, at.object, at.property, raw, priority=at.priority)
        except ErrorRejectAbortNack as error:
            refused = error
        if refused is not None:
            raise CannotWrite(f"the device refused to write {binding.write} ({refused})")

    async def read_back(self, bindings: Sequence[Binding]) -> None:
        """Ask for the written ones now rather than at their turn."""
        wanted = {binding.slot for binding in bindings}
        for device, rows in self._reads.items():
            if self._app is not None and (some := [row for row in rows if row[0].slot in wanted]):
                await self._poll(self._app, device, some)

    async def _poll(self, app: NormalApplication, device: str, rows: list[tuple[Binding, BacnetObject]]) -> bool:
        """Ask one device for all of its rows; whether it answered."""
        try:
            for begin in range(0, len(rows), _AT_ONCE):
                some = rows[begin:begin + _AT_ONCE]
                async with asyncio.timeout(ANSWER_SECS):
                    told = await self._ask(app, device, some)
                for binding, at in some:
                    self._hear(binding, at, told)
        except TimeoutError:
            self.refuse(f"device {device} does not answer")
            self.lose(binding for binding, _ in rows)
            return False
        return True

    async def _ask(self, app: NormalApplication, device: str,
                   rows: list[tuple[Binding, BacnetObject]]) -> dict[tuple[str, str], Any]:
        """Values by (object, property). A device without ReadPropertyMultiple is asked one by one from then on."""
        from bacpypes3.apdu import AbortPDU, ErrorRejectAbortNack

        wanted = {at.object: {"status-flags"} for _, at in rows}
        for _, at in rows:
            wanted[at.object].add(at.property)
        if device not in self._one_by_one:
            ask: list[Any] = [item for name, properties in wanted.items() for item in (name, sorted(properties))]
            try:
                answer = await app.read_property_multiple(device, ask)
            except ErrorRejectAbortNack as error:
                answer = error
            if isinstance(answer, AbortPDU) and str(answer) == "no-response":
                raise TimeoutError
            if isinstance(answer, list):
                return {(str(name), str(key)): value for name, key, _, value in answer}
            self._one_by_one.add(device)
        return {(name, key): value async for name, key, value in _one_by_one(app, device, wanted)}

    def _hear(self, binding: Binding, at: BacnetObject, told: dict[tuple[str, str], Any]) -> None:
        from bacpypes3.basetypes import ErrorType

        value, flags = told.get((at.object, at.property)), told.get((at.object, "status-flags"))
        if value is None or isinstance(value, ErrorType | BaseException):
            self.refuse(f"{binding.address}: {getattr(value, 'errorCode', 'no such object')}")
            self.hear(binding, None)
            return
        quality = Quality.GOOD
        if isinstance(flags, list) and len(flags) >= 4:
            quality = Quality.BAD if flags[_IN_FAULT] else Quality.UNCERTAIN if flags[_OUT_OF_SERVICE] else Quality.GOOD
        self.hear(binding, _plain(value), quality=quality)


def device_of(source: SourceSpec) -> str:
    """The BACnet address of a bacnet:// url."""
    parts = urlsplit(source.url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def open_app(source: SourceSpec) -> NormalApplication:
    """A BACnet client on `local` (any free port of the machine where it is not named)."""
    from bacpypes3.ipv4.app import NormalApplication
    from bacpypes3.local.device import DeviceObject
    from bacpypes3.pdu import IPv4Address

    us = DeviceObject(objectIdentifier=("device", OUR_DEVICE), objectName="parktwin", vendorIdentifier=999,
                      apduTimeout=1000, numberOfApduRetries=1)
    return NormalApplication(us, IPv4Address(source.local or "0.0.0.0:0"))


async def _one_by_one(app: NormalApplication, device: str,
                      wanted: dict[str, set[str]]) -> AsyncIterator[tuple[str, str, Any]]:
    from bacpypes3.apdu import ErrorRejectAbortNack

    for name, properties in wanted.items():
        for key in properties:
            try:
                value = await app.read_property(device, name, key)
            except ErrorRejectAbortNack as error:
                value = error
            yield name, key, None if isinstance(value, ErrorRejectAbortNack) else value


def _plain(value: Any) -> float | str:
    """A BACnet value as a plain one: enumerations and unsigned as numbers, reals as floats."""
    return float(value) if isinstance(value, int | float) else str(value)
