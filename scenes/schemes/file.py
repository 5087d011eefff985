"""A planning scheme and its rules as TOML files of the park folder: parsed once, every fault with its line and mend.

`schemes/<id>.toml`: `[scheme]` (name, name_zh, site, remove, parking), `[[building]]` (footprint and storeys, or ifc and
placement), `[[footprints]]` (a GIS file of footprints with storeys), `[[green]]`. `rules.toml`: `[rules]` limits, `[site]`
the plot, `[sunlight]`.
Coordinates are metres in the park frame (x east, y north).
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from twin.park import Placement
from twin.parkfile import Fault, table_lines

STOREY_M = 3.0
DWELLINGS = ("residential", "dwelling", "apartment", "dormitory", "hospital", "school")
#: English and Chinese.
Both = tuple[str, str]
GREAT_COLD, SOLSTICES = (1, 20), ((12, 21), (12, 22))
#: True solar hours that count (GB 50180-2018, table 4.0.9): 大寒日 8–16, 冬至日 9–15.
DAY_HOURS, SOLSTICE_HOURS = (8.0, 16.0), (9.0, 15.0)
_ID = re.compile(r"[A-Za-z0-9_-]+")
_SYNTAX_LINE = re.compile(r"\(at line (\d+)")
_LIMITS = ("gfa_max", "far_max", "density_max", "green_min", "height_max", "setback_min", "spacing_min", "parking_min",
           "sunlight_min")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeBuilding:
    """One building a scheme adds: a footprint with storeys, or an IFC file with its placement."""

    id: str
    name: str
    name_zh: str
    footprint: shapely.Polygon | None = None
    storeys: int = 0
    storey_m: float = STOREY_M
    base_m: float | None = None
    ifc: Path | None = None
    placement: Placement | None = None
    is_dwelling: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FootprintFile:
    """A GIS file of footprints to add; `storeys_field` holds the number of storeys, `height_field` metres."""

    source: Path
    storeys_field: str
    height_field: str | None
    crs: str | None
    is_dwelling: bool
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What a scheme takes away and puts there."""

    id: str
    path: Path
    name: str
    name_zh: str
    site: shapely.Polygon | None = None
    remove: tuple[str, ...] = ()
    buildings: tuple[SchemeBuilding, ...] = ()
    footprints: tuple[FootprintFile, ...] = ()
    greens: tuple[shapely.Polygon, ...] = ()
    parking: int | None = None
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The planning condition: limits (None = not ruled) and the plot they hold for.

    Ratios are shares (0.28), lengths metres, areas m², sunlight hours a day.
    """

    name: str = ""
    name_zh: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    site: shapely.Polygon | None = None
    site_name: str = ""
    site_name_zh: str = ""
    month_day: tuple[int, int] = GREAT_COLD
    hours: tuple[float, float] = DAY_HOURS
    sill_m: float = 0.9

    def hours_on(self, month_day: tuple[int, int]) -> tuple[float, float]:
        """The true solar hours that count on a day: the rule's own on its day, the standard's on any other."""
        return self.hours if month_day == self.month_day else standard_hours(month_day)


def both_fault(line: int, what: Both, mend: Both, *, is_warning: bool = False) -> Fault:
    """A fault in both languages."""
    return Fault(line, what[0], mend[0], "warning" if is_warning else "error", what_zh=what[1], mend_zh=mend[1])


class _Table:
    """One TOML table with its lines: wrong values become faults, never exceptions."""

    def __init__(self, name: str, number: int, values: Any, lines: dict[tuple[str, int, str], int],
                 faults: list[Fault]) -> None:
        self.name, self.number, self.lines, self.faults = name, number, lines, faults
        self.values: dict[str, Any] = values if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            self.fault("", (f"[{name}] is not a table", f"[{name}] 不是一个表"),
                       (f"write [{name}] on a line of its own", f"把 [{name}] 单独写一行"))

    def line(self, key: str = "") -> int:
        return self.lines.get((self.name, self.number, key)) or self.lines.get((self.name, self.number, ""), 0)

    def fault(self, key: str, what: Both, mend: Both, *, is_warning: bool = False) -> None:
        self.faults.append(both_fault(self.line(key), what, mend, is_warning=is_warning))

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if isinstance(value, str):
            return value
        self.fault(key, (f"{key} is not text", f"{key} 不是文字"), (f'write {key} = "…"', f'写成 {key} = "…"'))
        return default

    def number_of(self, key: str, *, low: float = 0.0) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < low:
            self.fault(key, (f"{key} = {value!r} is not a number of at least {low:g}",
                             f"{key} = {value!r} 不是不小于 {low:g} 的数"),
                       (f"write {key} as a number", f"把 {key} 写成数字"))
            return None
        return float(value)

    def polygon(self, key: str) -> shapely.Polygon | None:
        """A ring of [x, y] pairs in park metres."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            ring = [(float(x), float(y)) for x, y in value]
            shape = shapely.Polygon(ring)
        except (TypeError, ValueError):
            self.fault(key, (f"{key} is not a ring of points", f"{key} 不是一圈坐标点"),
                       (f"write {key} = [[x, y], [x, y], [x, y]] in park metres",
                        f"写成 {key} = [[x, y], [x, y], [x, y]]，园区坐标，米"))
            return None
        if not shape.is_valid or shape.area < 1.0:
            why = shapely.is_valid_reason(shape) if not shape.is_valid else "it has no area"
            self.fault(key, (f"{key} is not an area: {why}", f"{key} 围不成面（自交或没有面积）"),
                       ("give its corners in order, without crossing itself", "按顺序给出角点，边线不要相交"))
            return None
        return shapely.orient_polygons(shape)


def _document(path: Path) -> tuple[dict[str, Any], dict[tuple[str, int, str], int], list[Fault]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text), table_lines(text), []
    except (OSError, UnicodeDecodeError) as error:
        return {}, {}, [both_fault(0, (f"{path.name} cannot be read ({type(error).__name__})", f"读不出 {path.name}"),
                                   ("check that it is UTF-8 text", "请存成 UTF-8 文本"))]
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        return {}, {}, [both_fault(int(found[1]) if found else 0, (f"not TOML: {error}", f"不是合法的 TOML：{error}"),
                                   ("mend this line or the one before", "改正这一行或上一行"))]


def read_scheme(path: Path) -> tuple[Scheme, list[Fault]]:
    """The scheme of a file as far as it can be understood, with every fault by line.

    Args:
        path: `schemes/<id>.toml` inside the park folder; sources are relative to the park folder.
    """
    document, lines, faults = _document(path)
    head = _Table("scheme", 0, document.get("scheme", {}), lines, faults)
    if not faults and "scheme" not in document:
        head.fault("", ("there is no [scheme]", "没有 [scheme]"),
                   ("start the file with [scheme] and a name", "在文件开头写 [scheme] 和 name"))
    name = head.text("name", path.stem) or path.stem
    remove = head.values.get("remove", [])
    if not isinstance(remove, list) or not all(isinstance(item, str) for item in remove):
        head.fault("remove", ("remove is not a list of ids", "remove 不是一列编号"),
                   ('write remove = ["d1", "city:14"]', '写成 remove = ["d1", "city:14"]'))
        remove = []
    parking = head.number_of("parking")
    scheme = Scheme(
        id=path.stem, path=path, name=name, name_zh=head.text("name_zh", name) or name, site=head.polygon("site"),
        remove=tuple(remove), parking=None if parking is None else int(parking),
        buildings=_buildings(document, lines, faults, path.parent.parent),
        footprints=_footprints(document, lines, faults, path.parent.parent),
        greens=tuple(shape for k, row in enumerate(_rows(document, "green", faults))
                     if (shape := _Table("green", k, row, lines, faults).polygon("polygon")) is not None),
        lines={"remove": head.line("remove"), "site": head.line("site"), "": head.line()})
    return scheme, sorted(faults, key=lambda f: f.line)


def _rows(document: dict[str, Any], name: str, faults: list[Fault]) -> list[Any]:
    rows = document.get(name, [])
    if isinstance(rows, list):
        return rows
    faults.append(both_fault(0, (f"{name} is not a list of tables", f"{name} 不是一列表"),
                             (f"write [[{name}]] in two brackets", f"用双括号写 [[{name}]]")))
    return []


def _buildings(document: dict[str, Any], lines: dict[tuple[str, int, str], int], faults: list[Fault],
               root: Path) -> tuple[SchemeBuilding, ...]:
    found: dict[str, SchemeBuilding] = {}
    for number, row in enumerate(_rows(document, "building", faults)):
        table = _Table("building", number, row, lines, faults)
        key = table.text("id", f"n{number + 1}")
        if not _ID.fullmatch(key) or key in found:
            is_taken = key in found
            table.fault("id", (f"the building id {key!r} is {'taken' if is_taken else 'not a word'}",
                               f"楼栋编号 {key!r} {'重复' if is_taken else '只能用字母、数字、- 和 _'}"),
                        ("give it another id", "换一个编号"))
            continue
        building = _building(table, key, root)
        if building is not None:
            found[key] = building
    return tuple(found.values())


def _building(table: _Table, key: str, root: Path) -> SchemeBuilding | None:
    name = table.text("name", key.upper())
    common: dict[str, Any] = {"id": key, "name": name, "name_zh": table.text("name_zh", name), "line": table.line(),
                              "is_dwelling": table.text("use") in DWELLINGS}
    if "ifc" in table.values:
        path = (root / table.text("ifc")).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            name = table.text("ifc")
            table.fault("ifc", (f"{key}: there is no file {name!r} in the park folder",
                                f"{key}：园区文件夹里没有文件 {name!r}"),
                        ("copy the IFC there", "把 IFC 文件放进去，路径从园区文件夹写起"))
            return None
        return SchemeBuilding(**common, ifc=path, placement=_placement(table, key))
    shape = table.polygon("footprint")
    if shape is None:
        if "footprint" not in table.values:
            table.fault("", (f"{key} has neither footprint nor ifc", f"{key} 既没有 footprint 也没有 ifc"),
                        ("give it a footprint = [[x, y], …] with storeys, or an ifc",
                         "写上 footprint = [[x, y], …] 和 storeys，或写 ifc"))
        return None
    storey, height = table.number_of("storey_height", low=2.0) or STOREY_M, table.number_of("height", low=2.0)
    storeys = table.number_of("storeys", low=1)
    if storeys is None and height is None:
        table.fault("", (f"{key} has neither storeys nor height", f"{key} 没有 storeys 也没有 height"),
                    ("give it storeys = 6, or height = 24.0", "写上 storeys = 6 或 height = 24.0"))
        return None
    floors = max(1, round(storeys if storeys is not None else (height or storey) / storey))
    return SchemeBuilding(**common, footprint=shape, storeys=floors, storey_m=height / floors if height else storey,
                          base_m=table.number_of("base", low=-1e4))


def _placement(table: _Table, key: str) -> Placement | None:
    value = table.values.get("placement")
    if value is None:
        return None
    try:
        x, y, z = (float(v) for v in value["at"])
        return Placement(at=(x, y, z), rotation_deg=float(value.get("rotation", 0.0)))
    except (KeyError, TypeError, ValueError):
        table.fault("placement", (f"{key}: the placement cannot be read", f"{key}：placement 读不懂"),
                    ("write placement = { at = [x, y, z], rotation = 0.0 }",
                     "写成 placement = { at = [x, y, z], rotation = 0.0 }"))
        return None


def _footprints(document: dict[str, Any], lines: dict[tuple[str, int, str], int], faults: list[Fault],
                root: Path) -> tuple[FootprintFile, ...]:
    found = []
    for number, row in enumerate(_rows(document, "footprints", faults)):
        table = _Table("footprints", number, row, lines, faults)
        path = (root / table.text("source")).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            name = table.text("source")
            table.fault("source", (f"there is no file {name!r} in the park folder", f"园区文件夹里没有文件 {name!r}"),
                        ("copy it there", "把文件放进去，路径从园区文件夹写起"))
            continue
        found.append(FootprintFile(source=path, storeys_field=table.text("storeys_field", "storeys"),
                                   height_field=table.text("height_field") or None, crs=table.text("crs") or None,
                                   is_dwelling=table.text("use") in DWELLINGS, line=table.line()))
    return tuple(found)


def read_rules(path: Path) -> tuple[Rules, list[Fault]]:
    """The planning condition of a park; one without limits where there is no such file."""
    if not path.is_file():
        return Rules(), [both_fault(0, ("the park has no rules.toml, so nothing can pass or fail",
                                        "园区没有 rules.toml，指标无从判定"),
                                    ("write rules.toml with [rules] far_max, density_max, …",
                                     "写一个 rules.toml，在 [rules] 下给出 far_max、density_max 等"), is_warning=True)]
    document, lines, faults = _document(path)
    rules = _Table("rules", 0, document.get("rules", {}), lines, faults)
    site = _Table("site", 0, document.get("site", {}), lines, faults)
    sun = _Table("sunlight", 0, document.get("sunlight", {}), lines, faults)
    for key in sorted(set(rules.values) - set(_LIMITS) - {"name", "name_zh"}):
        known = ", ".join(_LIMITS)
        rules.fault(key, (f"no rule is called {key!r}", f"没有叫 {key!r} 的限值"),
                    (f"rules are {known}", f"可用的限值：{known}"), is_warning=True)
    limits = {key: value for key in _LIMITS if (value := rules.number_of(key)) is not None}
    begin, end = _hours(sun, standard_hours(on := _rule_day(sun)))
    sill = sun.number_of("sill")
    return Rules(name=rules.text("name"), name_zh=rules.text("name_zh", rules.text("name")), limits=limits,
                 site=site.polygon("polygon"), site_name=site.text("name"),
                 site_name_zh=site.text("name_zh", site.text("name")),
                 month_day=on, hours=(begin, end),
                 sill_m=0.9 if sill is None else sill), sorted(faults, key=lambda f: f.line)


def standard_hours(month_day: tuple[int, int]) -> tuple[float, float]:
    """True solar hours that count on a day where nothing else is written."""
    return SOLSTICE_HOURS if month_day in SOLSTICES else DAY_HOURS


def month_day_of(text: str) -> tuple[int, int] | None:
    """(month, day) of "01-20"; None when it is no day of a common year."""
    try:
        day = dt.datetime.strptime(f"2026-{text}", "%Y-%m-%d")
    except ValueError:
        return None
    return day.month, day.day


def _rule_day(table: _Table) -> tuple[int, int]:
    text = table.text("day", "01-20")
    found = month_day_of(text)
    if found is None:
        table.fault("day", (f"the day {text!r} is not a month and a day", f"{text!r} 不是月和日"),
                    ('write day = "01-20"', '写成 day = "01-20"'))
    return found or GREAT_COLD


def _hours(table: _Table, usual: tuple[float, float]) -> tuple[float, float]:
    """From and to; the usual ones where they are not the hours of a day in order."""
    begin, end = table.number_of("from_hour"), table.number_of("to_hour")
    hours = (usual[0] if begin is None else begin, usual[1] if end is None else end)
    if hours[0] < hours[1] <= 24.0:
        return hours
    table.fault("to_hour", (f"sunlight from {hours[0]:g} to {hours[1]:g} is no part of a day",
                            f"日照时段 {hours[0]:g} 至 {hours[1]:g} 不成一段"),
                (f"write from_hour = {usual[0]:g} and to_hour = {usual[1]:g}",
                 f"写成 from_hour = {usual[0]:g}、to_hour = {usual[1]:g}"))
    return usual
