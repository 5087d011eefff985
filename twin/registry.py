"""The device registry (devices.csv) parsed at the door, and the table of every point those devices have."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.packs import DeviceKind, PackSet, PointSpec
from twin.texts import Texts

COLUMNS = ("id", "kind", "name", "name_zh", "building", "storey", "space", "guid", "x", "y", "z", "feeds", "heading")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One row of devices.csv; `at` is park-frame metres, None where only names or a guid bind it. No text is empty.

    `heading`: where it looks, degrees clockwise from grid north; NaN where the registry does not say.
    """

    id: str
    kind: str
    name: str
    name_zh: str = ""
    building: str = ""
    storey: str = ""
    space: str = ""
    guid: str = ""
    at: tuple[float, float, float] | None = None
    feeds: str = ""
    heading: float = float("nan")
    line: int = 0


@dataclass(frozen=True, slots=True)
class RegistryFault:
    """One thing wrong in the registry: the line of the file, what, and the mend."""

    line: int
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The devices that can be used, in file order, and everything that was wrong with the rest."""

    devices: tuple[Device, ...]
    faults: tuple[RegistryFault, ...]


def read_registry(path: Path, packs: PackSet) -> Registry:
    """Every usable row of a devices.csv (UTF-8, header line) and a fault for every other; never stops at the first."""
    devices: dict[str, Device] = {}
    faults: list[RegistryFault] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return Registry((), (RegistryFault(0, f"cannot be read ({error})", "give a UTF-8 CSV file"),))
    reader = csv.DictReader(text.splitlines())
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    for name in [name for name in ("id", "kind") if name not in header]:
        faults.append(RegistryFault(1, f"column '{name}' is missing", f"name the columns {', '.join(COLUMNS)}"))
    for name in [name for name in header if name not in COLUMNS]:
        faults.append(RegistryFault(1, f"column '{name}' is unknown", f"use only {', '.join(COLUMNS)}"))
    if faults and not {"id", "kind"} <= set(header):
        return Registry((), tuple(faults))
    for row in reader:
        device = _device(row, reader.line_num, packs, faults)
        if device is None:
            continue
        if device.id in devices:
            faults.append(RegistryFault(
                device.line, f"device '{device.id}' is already on line {devices[device.id].line}",
                "give one of the two another id"))
            continue
        devices[device.id] = device
    faults.extend(_dangling(devices))
    return Registry(tuple(devices.values()), tuple(faults))


def _device(row: dict[str | None, str | list[str] | None], line: int, packs: PackSet,
            faults: list[RegistryFault]) -> Device | None:
    """One row parsed, or None with its faults added."""
    text = {name: value.strip() for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
    before = len(faults)
    if None in row:
        faults.append(RegistryFault(line, "has more cells than the header", "quote cells that hold a comma"))
    device_id = text.get("id", "")
    if not device_id or any(sign in device_id for sign in "/+#. \t") or not device_id.isprintable():
        faults.append(RegistryFault(line, f"id '{device_id}' is empty or holds one of / + # . or a blank",
                                    "use letters, digits, '-' and '_'"))
    if text.get("kind", "") not in packs.kinds:
        faults.append(RegistryFault(line, f"kind '{text.get('kind', '')}' of device '{device_id}' is in no pack",
                                    f"use one of {', '.join(sorted(packs.kinds))}"))
    at = _place(text, device_id, line, faults)
    heading = _heading(text, device_id, line, faults)
    if len(faults) > before:
        return None
    return Device(id=device_id, kind=text["kind"], name=text.get("name") or device_id, name_zh=text.get("name_zh", ""),
                  building=text.get("building", ""), storey=text.get("storey", ""), space=text.get("space", ""),
                  guid=text.get("guid", ""), at=at, feeds=text.get("feeds", ""), heading=heading,
                  line=line)


def _place(text: dict[str, str], device_id: str, line: int,
           faults: list[RegistryFault]) -> tuple[float, float, float] | None:
    given = [text.get(axis, "") for axis in "xyz"]
    if not any(given):
        return None
    try:
        x, y, z = (float(value) for value in (given[0], given[1], given[2] or "0"))
    except ValueError:
        x = float("nan")
        y = z = 0.0
    if not np.isfinite([x, y, z]).all():
        faults.append(RegistryFault(line, f"x, y, z of device '{device_id}' are {given}",
                                    "give all as numbers (park metres), or none"))
        return None
    return (x, y, z)


def _heading(text: dict[str, str], device_id: str, line: int, faults: list[RegistryFault]) -> float:
    given = text.get("heading", "")
    try:
        return float(given) % 360.0 if given else float("nan")
    except ValueError:
        faults.append(RegistryFault(line, f"heading of device '{device_id}' is '{given}'",
                                    "give degrees clockwise from grid north, or leave it empty"))
        return float("nan")


def _dangling(devices: dict[str, Device]) -> list[RegistryFault]:
    """Devices that feed themselves; what else `feeds` names may be a node, which only the compiler can tell."""
    return [RegistryFault(device.line, f"device '{device.id}' feeds itself", "name what it supplies in 'feeds'")
            for device in devices.values() if device.feeds == device.id]


@dataclass(frozen=True, slots=True)
class Total:
    """A slot that joins others (slot, what each of its states counts as; empty: its value) in the way `how` says."""

    slot: int
    how: str
    members: tuple[tuple[int, tuple[float, ...]], ...]


class PointTable:
    """Every point of every device, in slot order: device order of the registry × point order of the kind.

    Args:
        devices: in registry order.
        kinds: device kinds by id (see `twin.packs.PackSet.kinds`).
        own: kinds of devices that have rules of their own.

    `home` says which node a point of the park's own stands for, by device id; `totals` what each of them joins.

    Columns (index = slot): `device` u32 index into `devices`, `period` s, `deadband`, and the
    lists `spec`, `unit`, `ids`. `first` is the first slot of each device, with one more entry at the end.
    """

    def __init__(self, devices: Sequence[Device], kinds: Mapping[str, DeviceKind],
                 own: Mapping[str, DeviceKind] | None = None) -> None:
        own = own or {}
        self.home: dict[str, str] = {}
        self.totals: tuple[Total, ...] = ()
        self.devices = tuple(devices)
        self.kind = tuple(own.get(device.id) or kinds[device.kind] for device in self.devices)
        counts = [len(kind.points) for kind in self.kind]
        self.first: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.device: NDArray[np.uint32] = np.repeat(np.arange(len(self.devices), dtype=np.uint32), counts)
        self.spec: list[PointSpec] = [point for kind in self.kind for point in kind.points]
        self.unit: list[str] = [point.unit for point in self.spec]
        self.period: NDArray[np.float64] = np.array([point.period_secs for point in self.spec], np.float64)
        self.deadband: NDArray[np.float64] = np.array([point.deadband for point in self.spec], np.float64)
        self.ids: list[str] = [f"{device.id}.{point.key}" for device, kind in zip(self.devices, self.kind, strict=True)
                               for point in kind.points]
        #: What text points say, by number.
        self.texts = Texts()
        self._slot = {point_id: slot for slot, point_id in enumerate(self.ids)}
        self._device = {device.id: index for index, device in enumerate(self.devices)}
        #: Slots of text points.
        self.text_slots: NDArray[np.int64] = np.flatnonzero(np.array([spec.type == "text" for spec in self.spec], np.bool_))
        self._parts = {point_id.removesuffix("_x"): (slot, slot + 1, slot + 2) for slot, point_id in enumerate(self.ids)
                       if self.spec[slot].axis == "x"}

    def __len__(self) -> int:
        return len(self.ids)

    def slot_of(self, point_id: str) -> int | None:
        """Slot of `<device>.<key>`; None when there is no such point."""
        return self._slot.get(point_id)

    def slot(self, device_id: str, key: str) -> int | None:
        """Slot of a device's point; None when there is no such device or point."""
        return self._slot.get(f"{device_id}.{key}")

    def number(self, slot: int, value: object) -> float:
        """A value told of a point as its column holds it; NaN for what it cannot be."""
        spec = self.spec[slot]
        if spec.type == "text":
            return self.texts.code(value)
        try:
            return spec.number_of(value)  # type: ignore[arg-type]
        except (ValueError, TypeError, OverflowError):
            return float("nan")

    def heard(self, device_id: str, key: str, value: object) -> tuple[tuple[int, object], ...]:
        """The slots a value told of a point goes to, with the part each gets: one, or three of a position; none unknown."""
        slot = self._slot.get(f"{device_id}.{key}")
        if slot is not None:
            return ((slot, value),)
        parts = self._parts.get(f"{device_id}.{key}", ())
        told = value if isinstance(value, list) and len(value) == len(parts) else [None if value is None else ""] * len(parts)
        return tuple(zip(parts, told, strict=True))

    def device_index(self, device_id: str) -> int | None:
        """Position of a device in `devices`; None when unknown."""
        return self._device.get(device_id)

    def slots_of(self, device_index: int) -> range:
        """The slots of one device, in point order."""
        return range(int(self.first[device_index]), int(self.first[device_index + 1]))

    def slots_of_key(self, key: str, kinds: set[str] | None = None) -> NDArray[np.int64]:
        """Slots of every point with a key, of some kinds (None = all), in slot order."""
        return np.array([slot for slot, spec in enumerate(self.spec)
                         if spec.key == key and (kinds is None or self.kind[self.device[slot]].id in kinds)], np.int64)
