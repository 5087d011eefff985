"""The park's `energy.toml`: how meters hang together, tenants, limits, the calendar. Checked at the door."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec

from twin.finding import Finding
from twin.pack_spec import Medium, Response

FILE = "energy.toml"
MEDIA: tuple[Medium, ...] = get_args(Medium)
#: Unit of each medium's figures.
UNIT: dict[str, str] = {"electricity": "kWh", "water": "m³", "heat": "kWh", "cooling": "kWh", "gas": "m³"}
NAMES = {"electricity": ("Electricity", "电"), "water": ("Water", "水"), "heat": ("Heat", "热"), "cooling": ("Cooling", "冷"),
         "gas": ("Gas", "燃气")}
#: What one of a counter's units is in the medium's.
SCALE: dict[str, float] = {"kWh": 1.0, "MWh": 1000.0, "Wh": 0.001, "MJ": 1 / 3.6, "GJ": 1000 / 3.6, "m³": 1.0, "L": 0.001}
_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
MANAGER = Response(
    owner="Energy manager", owner_zh="能源管理员", deadline_mins=240,
    steps=("See which meter below is out of its usual range", "Ask whether something was switched or changed today",
           "Check the meter if nothing explains it"),
    steps_zh=("查看下级哪块表偏离正常范围", "确认今日有无设备投切或变更", "无法解释时检查表计"))


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of what the file says."""


class MeterEntry(_Entry, frozen=True, kw_only=True):
    """What the registry cannot say of a meter: the meter it is `under`, the node it `supplies`, where it rolls over."""

    id: str
    under: str = ""
    supplies: str = ""
    rolls_at: float | None = None


class Tenant(_Entry, frozen=True, kw_only=True):
    """An enterprise: the places (node ids: buildings, storeys, rooms) it uses."""

    id: str
    name: str
    name_zh: str = ""
    places: tuple[str, ...] = ()


class Limit(_Entry, frozen=True, kw_only=True):
    """How much a place (node id, or tenant id) may use: `demand` (kW or m³/h, mean of 15 minutes), a `day`, a `month`."""

    id: str
    place: str = "park"
    medium: Medium = "electricity"
    demand: float | None = None
    day: float | None = None
    month: float | None = None
    priority: Literal[1, 2, 3, 4] = 3
    response: Response = MANAGER


class Anomaly(_Entry, frozen=True, kw_only=True):
    """When use outside what was to be expected is an alarm: after `hours` in a row; `off` names places without."""

    hours: int = 3
    priority: Literal[1, 2, 3, 4] = 4
    off: tuple[str, ...] = ()
    response: Response = MANAGER


class Calendar(_Entry, frozen=True, kw_only=True):
    """Days that are not what their weekday says: `2026-10-01` or `2026-10-01/2026-10-07`."""

    holidays: tuple[str, ...] = ()
    workdays: tuple[str, ...] = ()


USUAL = Anomaly()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergySpec:
    """The file as far as it holds together; `holidays` and `workdays` are proleptic ordinals of days."""

    meters: dict[str, MeterEntry]
    tenants: tuple[Tenant, ...] = ()
    limits: tuple[Limit, ...] = ()
    anomaly: Anomaly = USUAL
    holidays: frozenset[int] = frozenset()
    workdays: frozenset[int] = frozenset()
    findings: tuple[Finding, ...] = ()


def read_energy(root: Path) -> EnergySpec:
    """`energy.toml` of a park; a park without one has no tenants and limits. Never raises: what is wrong is a finding."""
    path, found = root / FILE, list[Finding]()
    if not path.is_file():
        return EnergySpec(meters={})
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return EnergySpec(meters={}, findings=(
            Finding("error", f"cannot be read ({error})", FILE, "make it valid TOML in UTF-8"),))
    for name in [name for name in raw if name not in ("meter", "tenant", "limit", "anomaly", "calendar")]:
        found.append(Finding("error", f"'{name}' is not known here", f"{FILE}:{_line(text, name)}",
                             "use [[meter]], [[tenant]], [[limit]], [anomaly] and [calendar]"))
    meters = _entries(raw, text, "meter", MeterEntry, found)
    calendar = _one(raw, text, "calendar", Calendar, found)
    anomaly = _one(raw, text, "anomaly", Anomaly, found)
    if anomaly.hours < 1:
        found.append(Finding("error", f"[anomaly] hours = {anomaly.hours}", f"{FILE}:{_line(text, 'anomaly')}",
                             "give 1 or more hours"))
        anomaly = USUAL
    limits = tuple(limit for limit in _entries(raw, text, "limit", Limit, found)
                   if _is_limit(limit, found, text))
    return EnergySpec(meters={entry.id: entry for entry in meters},
                      tenants=tuple(_entries(raw, text, "tenant", Tenant, found)), limits=limits, anomaly=anomaly,
                      holidays=_days(calendar.holidays, text, found), workdays=_days(calendar.workdays, text, found),
                      findings=tuple(found))


_Many = TypeVar("_Many", MeterEntry, Tenant, Limit)
_Single = TypeVar("_Single", Anomaly, Calendar)


def _entries(raw: dict[str, Any], text: str, name: str, kind: type[_Many], found: list[Finding]) -> list[_Many]:
    rows = raw.get(name, [])
    lines = [k for k, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{name}\s*\]\]", line)]
    out: dict[str, _Many] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [rows]):
        where = f"{FILE}:{lines[number] if number < len(lines) else 1}"
        try:
            entry = msgspec.convert(row, kind)
        except msgspec.ValidationError as error:
            found.append(Finding("error", f"a [[{name}]] is left out: {error}", where, "correct that entry"))
            continue
        if entry.id in out or (name != "meter" and not _ID.fullmatch(entry.id)):
            found.append(Finding("error", f"{name} '{entry.id}' is left out: its id is taken, empty or holds other signs",
                                 where, "use letters, digits, '-' and '_', each id once"))
            continue
        out[entry.id] = entry
    return list(out.values())


def _one(raw: dict[str, Any], text: str, name: str, kind: type[_Single], found: list[Finding]) -> _Single:
    try:
        return msgspec.convert(raw.get(name, {}), kind)
    except msgspec.ValidationError as error:
        found.append(Finding("error", f"[{name}] is left out: {error}", f"{FILE}:{_line(text, name)}", "correct it"))
        return kind()


def _is_limit(limit: Limit, found: list[Finding], text: str) -> bool:
    given = [one for one in (limit.demand, limit.day, limit.month) if one is not None]
    answer = limit.response
    if len(given) == 1 and given[0] > 0 and answer.owner and answer.steps and answer.deadline_mins > 0:
        return True
    found.append(Finding("error", f"limit '{limit.id}' is left out: it limits {len(given)} things, or nobody answers it",
                         f"{FILE}:{_line(text, limit.id)}",
                         "give one of demand, day and month above zero, and a response with owner, steps and deadline"))
    return False


def _days(spans: tuple[str, ...], text: str, found: list[Finding]) -> frozenset[int]:
    days: set[int] = set()
    for span in spans:
        first, _, last = span.partition("/")
        try:
            begin, end = dt.date.fromisoformat(first).toordinal(), dt.date.fromisoformat(last or first).toordinal()
        except ValueError:
            begin, end = 1, 0
        if not 0 <= end - begin <= 366:
            found.append(Finding("error", f"'{span}' is no day", f"{FILE}:{_line(text, span)}",
                                 "write 2026-10-01 or 2026-10-01/2026-10-07"))
            continue
        days.update(range(begin, end + 1))
    return frozenset(days)


def _line(text: str, name: str) -> int:
    return next((k for k, line in enumerate(text.splitlines(), 1) if name in line), 1)
