"""A table of park.toml read key by key: what is wrong becomes a fault with its line and its mend."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pyproj import CRS
from pyproj.exceptions import CRSError

from twin.park import PlanSpec

TABLES = ("park", "live", "source", "database", "history", "zone", "building", "layer")
KEYS = {
    "park": ("id", "name", "name_zh", "crs", "origin", "packs", "registry", "demo", "timezone"),
    "live": ("source",),
    "database": ("url", "password"),
    "history": ("days", "positions_days", "thin", "publish"),
    "source": ("id", "url", "points", "user", "password", "ca", "cert", "key", "poll_secs", "security", "unit", "order",
               "local", "time", "positions", "accuracy"),
    "zone": ("id", "name", "name_zh"),
    "building": ("id", "ifc", "plans", "name", "name_zh", "zone", "placement", "georeference", "footprint"),
    "plan": ("source", "storey", "elevation", "height", "crs", "table", "name_field", "name_zh", "size", "voids"),
    "layer": (
        "id",
        "source",
        "kind",
        "crs",
        "name",
        "name_zh",
        "id_field",
        "name_field",
        "height_field",
        "width_field",
        "depth_field",
        "medium_field",
        "x_field",
        "y_field",
        "table",
        "only",
        "unit",
        "placement",
        "axes",
        "under",
        "heights",
        "spacing",
        "offset",
        "up",
        "shown",
    ),
}
#: Names a drawing's unit may have, in metres.
UNITS_M = {"m": 1.0, "mm": 0.001, "cm": 0.01, "ft": 0.3048, "in": 0.0254}
_ID = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+)\s*=")
#: Ids of the park's own things that a building, zone or layer may not take.
_RESERVED = ("park",)
#: (table, number in its kind, key) → line
Lines = dict[tuple[str, int, str], int]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in park.toml, or in a file like it. `line` counts from 1; 0 is the file as a whole.

    An error leaves out what it is about; a warning does not. `is_source` marks a source file that is not there, which
    matters to a build and not to a server of a park already built.
    """

    line: int
    what: str
    mend: str
    severity: Literal["error", "warning"] = "error"
    is_source: bool = False
    what_zh: str = ""
    mend_zh: str = ""


def table_lines(text: str) -> Lines:
    """Line of every (table, number in its kind, key); key "" is the table's own header."""
    lines: Lines = {}
    count: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table, _, inner = header.group(1).partition(".")
            if inner:
                lines.setdefault((table, count.get(table, 0), inner), number)
                continue
            count[table] = count.get(table, -1) + 1
            lines[table, count[table], ""] = number
        elif key := _KEY.match(line):
            lines.setdefault((table, count.get(table, 0), key.group(1)), number)
    return lines


class Ledger:
    """What is known of the file while it is read: its folder, the line of every key, ids taken, faults found.

    Args:
        root: the park folder, absolute.
        lines: see `table_lines`.
    """

    def __init__(self, root: Path, lines: Lines) -> None:
        self.root, self.lines = root, lines
        self.faults: list[Fault] = []
        self.taken: dict[str, int] = {}

    def fault(self, fault: Fault) -> None:
        """Keep one fault."""
        self.faults.append(fault)

    def line(self, table: str, number: int, key: str) -> int:
        """The line of a key, else of its table's header, else 0."""
        return self.lines.get((table, number, key)) or self.lines.get((table, number, ""), 0)

    def fault_at(self, table: str, number: int, key: str, what: str, mend: str) -> None:
        """Keep one fault at a key."""
        self.fault(Fault(self.line(table, number, key), what, mend))

    def unknown(self, table: dict[str, Any], known: tuple[str, ...], name: str, number: int) -> None:
        """A fault for every key that is not known here, with the nearest one that is."""
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                mend = f"did you mean '{close[0]}'?" if close else f"use one of {', '.join(known)}"
                line = (
                    self.lines.get((key, 0, ""), 0)
                    or self.lines.get((name, number, key), 0)
                    or self.line(name, number, "")
                )
                self.fault(Fault(line, f"'{key}' is not known here", mend))


class Table:
    """One table of the file, read key by key; what is wrong becomes a fault with its line."""

    def __init__(self, ledger: Ledger, name: str, number: int, raw: dict[str, Any]) -> None:
        self.ledger, self.name, self.number, self.raw = ledger, name, number, raw
        ledger.unknown(raw, KEYS[name], name, number)
        self._said: set[str] = set()

    def line(self, key: str) -> int:
        """Where a key stands."""
        return self.ledger.line(self.name, self.number, key)

    def fault(self, key: str, what: str, mend: str, *, is_source: bool = False) -> None:
        """One fault at a key, said once."""
        if key not in self._said or is_source or key == "packs":
            self.ledger.fault(Fault(self.line(key), what, mend, is_source=is_source))
            self._said.add(key)

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A non-empty text, or None."""
        value = self.raw.get(key)
        if value is None:
            if required:
                self.fault(key, f"{self._called()} has no {key}", f'add {key} = "…"')
            return None
        if not isinstance(value, str) or not value.strip():
            self.fault(key, f"{key} of {self._called()} is not a text", f'write {key} = "…"')
            return None
        return value.strip()

    def identity(self) -> str | None:
        """The id, which must be new in the whole file."""
        value = self.text("id", required=True)
        if value is None:
            return None
        if not _ID.fullmatch(value) or (value in _RESERVED and self.name != "park"):
            self.fault("id", f"id '{value}' cannot be used", "use letters, digits, '-' and '_', and not 'park'")
            return None
        if self.name == "park":
            return value
        if value in self.ledger.taken:
            self.fault(
                "id",
                f"id '{value}' is already used on line {self.ledger.taken[value]}",
                "give one of the two another id",
            )
            return None
        self.ledger.taken[value] = self.line("id")
        return value

    def between(self, key: str, default: float, low: float, high: float) -> float:
        """A number within low..high; `default` where absent or wrong."""
        value = self.raw.get(key, default)
        if not is_number(value) or not low <= value <= high:
            self.fault(key, f"{key} of {self._called()} is not a number from {low:g} to {high:g}",
                       f"write {key} = {default:g}")
            return default
        return float(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """true or false, `default` where absent or wrong."""
        value = self.raw.get(key, default)
        if not isinstance(value, bool):
            self.fault(key, f"{key} is neither true nor false", f"write {key} = true")
            return default
        return value

    def span(self, key: str) -> tuple[float, float] | None:
        """Two numbers, the lower first; None where absent or wrong."""
        value = self.raw.get(key)
        if value is None:
            return None
        if not (isinstance(value, list) and len(value) == 2 and all(is_number(v) for v in value) and value[0] < value[1]):
            self.fault(key, f"{key} of {self._called()} is not two numbers, the lower first", f"write {key} = [-5.0, 60.0]")
            return None
        return float(value[0]), float(value[1])

    def numbers(self, key: str, *, required: bool = False) -> tuple[float, float, float] | None:
        """Three finite numbers."""
        value = triple(self.raw.get(key))
        if value is None and (required or key in self.raw):
            self.fault(
                key, f"{key} of {self._called()} is not three numbers", f"write {key} = [east, north, height] in metres"
            )
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        value = self.raw.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
            self.fault(key, f"{key} of {self._called()} is not a list of texts", f'write {key} = ["…"]')
            return ()
        return tuple(values)

    def crs(self, key: str, *, projected: bool) -> str | None:
        """A CRS pyproj knows; for the park it must be projected in metres. Layers may name a Chinese web-map datum."""
        value = self.text(key, required=projected)
        if value is None or (not projected and re.fullmatch(r"(?i)(gcj|bd)[-_ ]?0?[29](ll)?|gcj|park", value)):
            return value
        try:
            crs = CRS.from_user_input(value)
        except CRSError:
            self.fault(key, f"crs '{value}' is not known", 'write an EPSG code such as "EPSG:4549"')
            return None
        if projected and not (crs.is_projected and abs(crs.axis_info[0].unit_conversion_factor - 1.0) < 1e-9):
            self.fault(
                key,
                f"crs '{value}' ({crs.name}) is not projected in metres",
                'use a projected CRS of the place, such as "EPSG:4549"',
            )
            return None
        return value

    def file(self, key: str, *, required: bool = False, may_be_folder: bool = False) -> Path | None:
        """One path relative to the park folder; a missing file is a fault but keeps the entry."""
        value = self.text(key, required=required)
        return None if value is None else self._there(key, value, may_be_folder=may_be_folder)

    def choices(self, key: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """A table of columns with the values wanted in each; empty where absent or wrong."""
        value = self.raw.get(key, {})
        wanted = {k: [v] if isinstance(v, str | int) else v for k, v in value.items()} if isinstance(value, dict) else None
        if wanted is None or not all(isinstance(v, list) and v and all(isinstance(t, str | int) for t in v)
                                     for v in wanted.values()):
            self.fault(key, f"{key} of {self._called()} is no table of columns and values",
                       f'write {key} = {{ column = ["value", "…"] }}')
            return ()
        return tuple((k, tuple(str(t) for t in v)) for k, v in wanted.items())

    def unit(self, key: str) -> float | None:
        """Metres in a named unit; None where absent."""
        value = self.raw.get(key)
        if value is not None and value not in UNITS_M:
            self.fault(key, f"{key} of {self._called()} is not known", f"use one of {', '.join(UNITS_M)}")
        return UNITS_M.get(value) if isinstance(value, str) else None

    def files(self, key: str) -> tuple[Path, ...]:
        """One or several paths."""
        values = self.texts(key)
        if not values and key not in self._said:
            self.fault(key, f"{self._called()} names no {key} file", f'add {key} = ["….ifc"]')
        return tuple(self._there(key, value) for value in values)

    def plans(self, key: str) -> tuple[PlanSpec, ...]:
        """A list of floor plans, each a table; what is wrong with one leaves that one out."""
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.fault(key, f"{key} of {self._called()} is no list of tables",
                       f'write {key} = [{{ source = "f1.geojson", storey = "F1", elevation = 0.0 }}]')
            return ()
        return tuple(plan for v in value if (plan := self._plan(key, v)) is not None)

    def _plan(self, key: str, raw: dict[str, Any]) -> PlanSpec | None:
        line = self.line(key)
        for name in sorted(set(raw) - set(KEYS["plan"])):
            close = difflib.get_close_matches(name, KEYS["plan"], n=1, cutoff=0.5)
            self.ledger.fault(Fault(line, f"'{name}' is not known in a plan of {self._called()}",
                                    f"did you mean '{close[0]}'?" if close else f"use one of {', '.join(KEYS['plan'])}"))
        texts = {k: raw.get(k) for k in ("source", "storey", "crs", "table", "name_field", "name_zh")}
        wrong = next((k for k, v in texts.items() if v is not None and not (isinstance(v, str) and v.strip())), "")
        wrong = wrong or next((k for k in ("source", "storey") if not texts[k]), "")
        wrong = wrong or next((k for k in ("elevation", "height") if not is_number(raw.get(k, 0.0))), "")
        size, voids = raw.get("size"), raw.get("voids", [])
        if not wrong and size is not None and not (
                isinstance(size, list) and len(size) == 2 and all(is_number(v) and v > 0 for v in size)):
            wrong = "size"
        if not wrong and not (isinstance(voids, list) and all(isinstance(v, str) for v in voids)):
            wrong = "voids"
        if wrong or "elevation" not in raw:
            self.ledger.fault(Fault(line, f"a plan of {self._called()} has no usable {wrong or 'elevation'}",
                                    'write { source = "f1.geojson", storey = "F1", elevation = 0.0, size = [80.0, 60.0] }'))
            return None
        return PlanSpec(source=self._there(key, str(texts["source"])), storey=str(texts["storey"]).strip(),
                        elevation=float(raw["elevation"]), height=float(raw["height"]) if "height" in raw else None,
                        crs=texts["crs"], table=texts["table"], name_field=texts["name_field"], name_zh=texts["name_zh"],
                        size=(float(size[0]), float(size[1])) if size else None, voids=tuple(voids))

    def _there(self, key: str, value: str, *, may_be_folder: bool = False) -> Path:
        path = (self.ledger.root / value).resolve()
        if not path.is_file() and not (may_be_folder and path.is_dir()):
            beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            close = difflib.get_close_matches(path.name, beside, n=1)
            mend = (
                f"did you mean '{close[0]}'?"
                if close
                else "put it there or correct the path (relative to the park folder)"
            )
            self.fault(key, f"there is no file '{value}'", mend, is_source=True)
        return path

    def _called(self) -> str:
        given = self.raw.get("id")
        return f"{self.name} '{given}'" if isinstance(given, str) else f"this {self.name}"


def is_number(value: object) -> bool:
    """A number that is no truth value and no infinity."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def triple(value: object) -> tuple[float, float, float] | None:
    """Three numbers, or None."""
    if not isinstance(value, list) or len(value) != 3 or not all(is_number(v) for v in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])
