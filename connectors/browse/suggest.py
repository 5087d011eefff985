"""Which offer is probably which point of which device: by the words of their names and their units. A guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from connectors.browse.offer import Offer
from twin.packs import DeviceKind, PointSpec
from twin.registry import Device

LEAST = 0.5
_SAME_UNIT = 0.2
#: what the field writes for what a pack says
_WORDS = {
    "temperature": "temp", "tmp": "temp", "t": "temp", "sp": "setpoint", "set": "setpoint", "stpt": "setpoint",
    "mode": "status", "sts": "status", "run": "status", "running": "status", "pwr": "power", "kw": "power", "hum": "humidity",
    "rh": "humidity", "spd": "speed", "freq": "speed", "hz": "speed", "sup": "supply", "sa": "supply", "ra": "return",
    "ret": "return", "rtn": "return", "flw": "flow", "press": "pressure", "dp": "dp", "lvl": "level", "vlv": "valve",
    "occ": "occupied", "lux": "illuminance", "volt": "voltage", "amp": "current", "kwh": "energy",
}
_UNITS = {"degreescelsius": "°c", "degrees-celsius": "°c", "percent": "%", "kilowatts": "kw", "hertz": "hz", "pascals": "pa",
          "kilowatt-hours": "kwh", "parts-per-million": "ppm", "luxes": "lx", "volts": "v", "amperes": "a"}


@dataclass(frozen=True, slots=True)
class Guess:
    """An offer and what it probably is; device and point are '' where nothing fits."""

    offer: Offer
    device: str
    point: str


@dataclass(frozen=True, slots=True)
class Guesses:
    """A guess an offer, and the devices (id, kind, name) no registry row stands for yet."""

    rows: tuple[Guess, ...]
    new: tuple[tuple[str, str, str], ...]


def suggest(offers: Iterable[Offer], devices: Sequence[Device], kinds: dict[str, DeviceKind]) -> Guesses:
    """Guesses for every offer.

    Args:
        offers: of one server.
        devices: of the registry.
        kinds: device kinds by id.
    """
    rows: list[Guess] = []
    new: list[tuple[str, str, str]] = []
    for group, some in groupby(sorted(offers, key=lambda o: o.group), key=lambda o: o.group):
        members = list(some)
        device = _device(group, devices)
        kind = kinds.get(device.kind) if device else _kind(group, members, kinds)
        called = device.id if device else _id_of(group)
        if kind is None:
            rows += [Guess(offer, device.id if device else "", "") for offer in members]
            continue
        points = matched(members, kind)
        if device is None:
            new.append((called, kind.id, group))
        rows += [Guess(offer, called, points.get(offer.address, "")) for offer in members]
    return Guesses(tuple(rows), tuple(new))


def _device(group: str, devices: Sequence[Device]) -> Device | None:
    """The device a group is called like; the last part of a path counts too."""
    wanted = {plain_name(group), plain_name(re.split(r"[/.]", group)[-1])} - {""}
    return next((device for device in devices
                 if wanted & {plain_name(device.id), plain_name(device.name), plain_name(device.name_zh)} - {""}), None)


def _kind(group: str, members: list[Offer], kinds: dict[str, DeviceKind]) -> DeviceKind | None:
    """The kind whose points fit best, its name in the group's helping; None when less than two things speak for it."""
    def weight(kind: DeviceKind) -> float:
        words = tokens(group)
        plain = plain_name(group)
        is_named = kind.id in words or kind.id.replace("_", "") in plain or (kind.name_zh and kind.name_zh in group)
        return len(matched(members, kind)) + (1.5 if is_named else 0.0)

    best = max(kinds.values(), key=weight, default=None)
    return best if best is not None and weight(best) >= 2.0 else None


def matched(members: list[Offer], kind: DeviceKind) -> dict[str, str]:
    """Point key by address: the best pairs first, each point and each offer once."""
    pairs = sorted(((_likeness(offer, point), offer.address, point.key) for offer in members for point in kind.points),
                   key=lambda pair: (-pair[0], pair[1], pair[2]))
    found: dict[str, str] = {}
    for likeness, address, key in pairs:
        if likeness >= LEAST and address not in found and key not in found.values():
            found[address] = key
    return found


def _likeness(offer: Offer, point: PointSpec) -> float:
    """0 to about 1: the share of words in common, and the unit."""
    said = tokens(offer.name)
    if point.name_zh and point.name_zh in offer.name:
        return 1.0
    shared = max(len(said & words) / len(said | words) for words in (tokens(point.key), tokens(point.name)) if words)
    unit = _UNITS.get(offer.unit.casefold(), offer.unit.casefold())
    return shared + (_SAME_UNIT if shared and unit and unit == point.unit.casefold() else 0.0)


def tokens(text: str) -> frozenset[str]:
    """Words of a name, cut at signs, figures and capitals, in the pack's spelling: 'SupplyTemp_SP' → supply temp setpoint."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\u4e00-\u9fff]+", text)
    return frozenset(_WORDS.get(part.casefold(), part.casefold()) for part in parts)


def plain_name(text: str) -> str:
    """Letters and figures alone, small."""
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", text.casefold())


def _id_of(group: str) -> str:
    """A group's name as a device id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", group).strip("-") or "device"
