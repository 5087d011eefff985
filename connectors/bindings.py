"""A source's points file (CSV): which address of a server is which point of which device, and how to read it.

Columns: `device, point, address, type, order, scale, offset, states, write`. A row is read as value = raw · scale + offset,
in the point's unit. `states` names raw values (`0=off 1=run`). `write` is the address that sets the point; '=' where it
is the one it is read at. A device `*` stands for every device that has the point, `{device}` in an address for its id.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twin.finding import Finding
from twin.packs import PointSpec
from twin.registry import PointTable
from twin.texts import Texts
from twin.wire import Quality

COLUMNS = ("device", "point", "address", "type", "order", "scale", "offset", "states", "write")
Raw = float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One row: the point of a slot and where it lives. `states` are raw values by name; `write` is '' for read-only."""

    slot: int
    device: str
    spec: PointSpec
    address: str
    type: str = ""
    order: str = ""
    scale: float = 1.0
    offset: float = 0.0
    states: dict[str, str] = field(default_factory=dict)
    write: str = ""
    line: int = 0
    texts: Texts | None = None

    def reading_of(self, raw: object) -> tuple[float, int]:
        """A raw value as the live core holds it, with its quality; what the point cannot be is NaN and bad."""
        number = self._number(raw)
        return (number, int(Quality.GOOD)) if math.isfinite(number) else (math.nan, int(Quality.BAD))

    def raw_of(self, value: float | str) -> float | str:
        """A value (or a state's name) as the server takes it.

        Raises:
            ValueError: the point has no such state.
        """
        if isinstance(value, str):
            if value in self.states:
                return _as_number(self.states[value])
            if value not in self.spec.states:
                raise ValueError(f"{self.device}.{self.spec.key} has no state '{value}'")
            return value if self.type == "string" else float(self.spec.states.index(value))
        return (float(value) - self.offset) / self.scale

    def _number(self, raw: object) -> float:
        if self.states:
            raw = next((name for name, given in self.states.items() if _is_same(given, raw)), math.nan)
        if self.spec.type == "text":
            return self.texts.code(raw) if self.texts is not None else math.nan
        if not isinstance(raw, float | int | str | bool):
            return math.nan
        try:
            if isinstance(raw, str) and not self.spec.states:
                raw = float(raw)
            number = self.spec.number_of(raw)
        except (ValueError, OverflowError):
            return math.nan
        if self.spec.states:
            return number if number in range(len(self.spec.states)) else math.nan
        return number * self.scale + self.offset


@dataclass(frozen=True, slots=True)
class Bindings:
    """A points file read: its rows in file order, and everything wrong with the rest."""

    rows: tuple[Binding, ...]
    findings: tuple[Finding, ...] = ()
    file: str = ""


def read_bindings(path: Path, points: PointTable) -> Bindings:
    """A points file (UTF-8, header line); a row that cannot be used becomes a finding, the others count."""
    findings: list[Finding] = []
    rows: dict[int, Binding] = {}

    def fault(line: int, what: str, mend: str) -> None:
        findings.append(Finding("error", what, f"{path.name}:{line}" if line else path.name, mend))

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fault(0, f"cannot be read ({error})", "give a UTF-8 CSV file, or write one with `parktwin discover`")
        return Bindings((), tuple(findings), path.name)
    reader = csv.DictReader(text.splitlines())
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    if missing := [name for name in COLUMNS[:3] if name not in header]:
        fault(1, f"columns are missing: {', '.join(missing)}", f"name the columns {', '.join(COLUMNS)}")
        return Bindings((), tuple(findings), path.name)
    if unknown := [name for name in header if name not in COLUMNS]:
        fault(1, f"columns are unknown: {', '.join(unknown)}", f"use only {', '.join(COLUMNS)}")
    for cells in reader:
        row = {name: (cells.get(name) or "").strip() for name in COLUMNS}
        if not row["device"] or not row["address"]:
            continue  # an address found and not yet bound
        try:
            for binding in _bind(row, reader.line_num, points):
                if binding.slot in rows:
                    raise ValueError(f"{points.ids[binding.slot]} is already bound on line {rows[binding.slot].line}")
                rows[binding.slot] = binding
        except ValueError as error:
            fault(reader.line_num, str(error), "correct the row")
    return Bindings(tuple(rows.values()), tuple(findings), path.name)


def _bind(row: dict[str, str], line: int, points: PointTable) -> Iterator[Binding]:
    """The binding of a row, or one a device for `*`. Raises ValueError with what is wrong."""
    given = row["device"]
    if given == "*":
        if "{device}" not in row["address"]:
            raise ValueError("device '*' needs {device} in its address")
        devices = [device.id for device in points.devices if points.slot(device.id, row["point"]) is not None]
    else:
        devices = [given]
    if not devices or points.slot(devices[0], row["point"]) is None:
        raise ValueError(f"there is no point '{row['point']}' of a device '{given}'")
    scale, offset = _factor(row["scale"], "scale", 1.0), _factor(row["offset"], "offset", 0.0)
    if scale == 0.0:
        raise ValueError("scale is 0")
    for device in devices:
        slot = points.slot(device, row["point"])
        assert slot is not None
        address = row["address"].replace("{device}", device)
        write = address if row["write"] == "=" else row["write"].replace("{device}", device)
        spec = points.spec[slot]
        yield Binding(slot=slot, device=device, spec=spec, address=address, type=row["type"].lower(),
                      order=row["order"].upper(), scale=scale, offset=offset, states=_states(row["states"], spec),
                      write=write, line=line, texts=points.texts)


def _factor(text: str, name: str, default: float) -> float:
    try:
        number = float(text) if text else default
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} '{text}' is not a number")
    return number


def _states(text: str, spec: PointSpec) -> dict[str, str]:
    """`0=off 1=run` as raw values by state name."""
    found = dict(reversed(pair.split("=", 1)) for pair in re.split(r"[\s;,]+", text) if "=" in pair)  # type: ignore[misc]
    if text and (not found or not set(found) <= set(spec.states)):
        raise ValueError(f"states '{text}' do not name states of '{spec.key}' ({', '.join(spec.states) or 'it has none'})")
    return found


def _is_same(given: str, raw: object) -> bool:
    if isinstance(raw, bool) or isinstance(_as_number(given), str):
        return given.casefold() == str(raw).casefold() or given == str(int(raw) if isinstance(raw, bool) else raw)
    return _as_number(given) == (_as_number(raw) if isinstance(raw, str) else raw)


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
