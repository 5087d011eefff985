"""Every object of a BACnet device that has a present value."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.bacnet import ANSWER_SECS, device_of, open_app
from connectors.browse.offer import Offer, shown
from connectors.field import LineLost
from twin.park import SourceSpec

if TYPE_CHECKING:
    from bacpypes3.ipv4.app import NormalApplication

_ANY_DEVICE = "device,4194303"
_VALUES = re.compile(r"(analog|binary|multi-state)-(input|output|value)|.*-value")


async def offers(source: SourceSpec, root: Path, secs: float) -> list[Offer]:
    """Objects with a value. Their names up to the last dot, slash or dash are taken for the device."""
    from bacpypes3.apdu import ErrorRejectAbortNack

    app, device = open_app(source), device_of(source)
    try:
        objects = await _read(app, device, await _device_object(app, device), "object-list")
        told = []
        for name in (str(one) for one in objects or ()):
            if not _VALUES.fullmatch(name.split(",")[0]):
                continue
            called = str(await _read(app, device, name, "object-name") or name)
            value, unit = await _read(app, device, name, "present-value"), await _read(app, device, name, "units")
            group, _, short = called.rpartition(next((sign for sign in "./-_ " if sign in called), "."))
            told.append(Offer(address=name, group=group, name=short or called, value=shown(value), unit=str(unit or ""),
                              can_write="output" in name or "-value" in name))
        return told
    except (TimeoutError, ErrorRejectAbortNack) as error:
        raise LineLost(f"{device} does not answer") from error
    finally:
        app.close()


async def _device_object(app: NormalApplication, device: str) -> str:
    """The device's own object, by the instance that stands for any, else by asking who it is."""
    from bacpypes3.pdu import Address

    if (found := await _read(app, device, _ANY_DEVICE, "object-identifier")) is not None:
        return str(found)
    answers = await app.who_is(address=Address(device), timeout=ANSWER_SECS)
    if not answers:
        raise LineLost(f"{device} does not say which device it is")
    return str(answers[0].iAmDeviceIdentifier)


async def _read(app: NormalApplication, device: str, name: str, key: str) -> Any:
    """A property; None where the device has none such."""
    from bacpypes3.apdu import AbortPDU, ErrorRejectAbortNack

    try:
        async with asyncio.timeout(ANSWER_SECS):
            value = await app.read_property(device, name, key)
    except AbortPDU:
        raise
    except ErrorRejectAbortNack:
        return None
    return None if isinstance(value, ErrorRejectAbortNack) else value
