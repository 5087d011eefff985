"""park.toml in, `ParkSpec` out: every fault found in one go, each with its line and its mend."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pyproj import CRS
from pyproj.exceptions import CRSError

from twin.errors import ParkFileError
from twin.park import BuildingSpec, LayerKind, LayerSpec, LiveSpec, ParkSpec, Placement, ZoneSpec

FILE_NAME = "park.toml"
TABLES = ("park", "live", "zone", "building", "layer")
_KEYS = {
    "park": ("id", "name", "name_zh", "crs", "origin", "packs", "registry", "demo"),
    "live": ("source",),
    "zone": ("id", "name", "name_zh"),
    "building": ("id", "ifc", "name", "name_zh", "zone", "placement"),
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
    ),
}
_ID = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+)\s*=")
_SYNTAX_LINE = re.compile(r"\(at line (\d+)")
#: Ids of the park's own things that a building, zone or layer may not take.
_RESERVED = ("park",)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in park.toml. `line` counts from 1; 0 is the file as a whole.

    An error leaves out what it is about; a warning does not. `is_source` marks a source file that is not there, which
    matters to a build and not to a server of a park already built.
    """

    line: int
    what: str
    mend: str
    severity: Literal["error", "warning"] = "error"
    is_source: bool = False


def load_park(root: Path, *, known_packs: Iterable[str] | None = None, strict: bool = True) -> ParkSpec:
    """The park of a folder, or everything that is wrong with its park.toml at once.

    Args:
        root: the park folder.
        known_packs: ids a pack may have; None to leave packs unchecked.
        strict: False where what can be understood is enough (serving a park that is built).

    Raises:
        ParkFileError: park.toml is missing or has any error; the text lists them all.
    """
    spec, faults = read_park(root, known_packs=known_packs)
    errors = [f for f in faults if f.severity == "error"]
    if spec is None or (strict and errors):
        first = errors[0] if errors else faults[0]
        where = f"{root / FILE_NAME}:{first.line}" if first.line else str(root / FILE_NAME)
        rest = "".join(f"\n  line {f.line}: {f.what}; {f.mend}" for f in errors[1:])
        raise ParkFileError(first.what, mend=first.mend + rest, where=where)
    return spec


def read_park(root: Path, *, known_packs: Iterable[str] | None = None) -> tuple[ParkSpec | None, list[Fault]]:
    """The park of a folder as far as it can be understood, with every fault sorted by line.

    Returns:
        None for the park when its own table cannot be used; buildings, zones and layers with errors are left out, but
        a source that is merely missing keeps its entry.
    """
    path = root / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        return None, [Fault(0, f"{FILE_NAME} cannot be read ({why})", f"write one with `parktwin new {root}`")]
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        return None, [Fault(line, f"not TOML: {error}", "mend the syntax on this line or the one before")]
    reader = _Reader(root.resolve(), document, _lines(text), None if known_packs is None else tuple(known_packs))
    spec = reader.park()
    return spec, sorted(reader.faults, key=lambda f: (f.line, f.what))


def _lines(text: str) -> dict[tuple[str, int, str], int]:
    """Line of every (table, number in its kind, key); key "" is the table's own header."""
    lines: dict[tuple[str, int, str], int] = {}
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


class _Reader:
    """One pass over a parsed park.toml, collecting faults."""

    def __init__(
        self,
        root: Path,
        document: dict[str, Any],
        lines: dict[tuple[str, int, str], int],
        known_packs: tuple[str, ...] | None,
    ) -> None:
        self.root, self.document, self.lines, self.known_packs = root, document, lines, known_packs
        self.faults: list[Fault] = []
        self.taken: dict[str, int] = {}

    def park(self) -> ParkSpec | None:
        """The whole file."""
        self._unknown(self.document, TABLES, "", 0)
        table = self.document.get("park")
        if not isinstance(table, dict):
            self._fault("", 0, "", "there is no [park] table", "begin with [park], its id, name, crs and origin")
            return None
        head = _Table(self, "park", 0, table)
        park_id = head.identity() if "id" in table else None
        name, crs = head.text("name", required=True), head.crs("crs", projected=True)
        origin = head.numbers("origin", required=True)
        usable = None not in (name, crs, origin)
        packs, registry, demo = self._packs(head), head.file("registry"), head.flag("demo")
        zones = tuple(self._zone(t) for t in self._tables("zone"))
        zone_ids = {zone.id for zone in zones if zone is not None}
        buildings = tuple(self._building(t, zone_ids) for t in self._tables("building"))
        layers = tuple(self._layer(t) for t in self._tables("layer"))
        live = self._live()
        if not usable or origin is None:
            return None
        return ParkSpec(
            root=self.root,
            id=park_id or _slug(name or "") or _slug(self.root.name) or "park",
            name=name or "",
            name_zh=head.text("name_zh"),
            crs=crs or "",
            origin=origin,
            zones=tuple(z for z in zones if z),
            buildings=tuple(b for b in buildings if b),
            layers=tuple(x for x in layers if x),
            registry=registry,
            packs=packs,
            live=live,
            demo=demo,
        )

    def fault(self, fault: Fault) -> None:
        """Keep one fault."""
        self.faults.append(fault)

    def line(self, table: str, number: int, key: str) -> int:
        """The line of a key, else of its table's header, else 0."""
        return self.lines.get((table, number, key)) or self.lines.get((table, number, ""), 0)

    def _fault(self, table: str, number: int, key: str, what: str, mend: str) -> None:
        self.fault(Fault(self.line(table, number, key), what, mend))

    def _unknown(self, table: dict[str, Any], known: tuple[str, ...], name: str, number: int) -> None:
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

    def _tables(self, name: str) -> list[_Table]:
        raw = self.document.get(name, [])
        if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
            self._fault(name, 0, "", f"[{name}] is one table", f"write [[{name}]] with two brackets")
            return []
        return [_Table(self, name, number, table) for number, table in enumerate(raw)]

    def _packs(self, head: _Table) -> tuple[str, ...]:
        packs = head.texts("packs")
        for pack in packs:
            if self.known_packs is not None and pack not in self.known_packs:
                close = difflib.get_close_matches(pack, self.known_packs, n=1)
                mend = f"did you mean '{close[0]}'?" if close else f"use some of {', '.join(self.known_packs)}"
                head.fault("packs", f"there is no pack '{pack}'", mend)
        return packs

    def _live(self) -> LiveSpec:
        table = self.document.get("live")
        if table is None:
            return LiveSpec()
        if not isinstance(table, dict):
            self._fault("live", 0, "", "[[live]] is a list", "write [live] with one bracket")
            return LiveSpec()
        live = _Table(self, "live", 0, table)
        source = live.text("source") or "simulator"
        if source != "simulator" and not re.match(r"mqtts?://[^/\s]+", source):
            live.fault(
                "source",
                f"live source '{source}' is not understood",
                "write 'simulator' or a url such as mqtt://127.0.0.1:1883",
            )
        return LiveSpec(source=source, line=live.line("source"))

    def _zone(self, table: _Table) -> ZoneSpec | None:
        zone_id, name = table.identity(), table.text("name", required=True)
        return ZoneSpec(id=zone_id, name=name, name_zh=table.text("name_zh")) if zone_id and name else None

    def _building(self, table: _Table, zones: set[str]) -> BuildingSpec | None:
        building_id = table.identity()
        files = table.files("ifc")
        zone = table.text("zone")
        if zone and zone not in zones:
            close = difflib.get_close_matches(zone, sorted(zones), n=1)
            table.fault(
                "zone",
                f"there is no zone '{zone}'",
                f"did you mean '{close[0]}'?" if close else f'add [[zone]] with id = "{zone}"',
            )
            zone = None
        placement = self._placement(table)
        if not building_id or not files:
            return None
        return BuildingSpec(
            id=building_id,
            ifc=files,
            placement=placement,
            name=table.text("name"),
            name_zh=table.text("name_zh"),
            zone=zone,
            line=table.line(""),
        )

    def _placement(self, table: _Table) -> Placement | None:
        raw = table.raw.get("placement")
        if raw is None:
            return None
        if (
            not isinstance(raw, dict)
            or not set(raw) <= {"at", "rotation"}
            or _triple(raw.get("at")) is None
            or not _is_number(raw.get("rotation", 0.0))
        ):
            table.fault(
                "placement",
                "placement is not a position and a rotation",
                "write placement = { at = [x, y, z], rotation = 0.0 } (park metres, counter-clockwise)",
            )
            return None
        return Placement(
            at=cast(tuple[float, float, float], _triple(raw["at"])), rotation_deg=float(raw.get("rotation", 0.0))
        )

    def _layer(self, table: _Table) -> LayerSpec | None:
        layer_id, source, kind = (
            table.identity(),
            table.file("source", required=True),
            table.text("kind", required=True),
        )
        kinds = get_args(LayerKind)
        if kind and kind not in kinds:
            close = difflib.get_close_matches(kind, kinds, n=1)
            table.fault(
                "kind",
                f"there is no layer kind '{kind}'",
                f"did you mean '{close[0]}'?" if close else f"use one of {', '.join(kinds)}",
            )
            kind = None
        crs = table.crs("crs", projected=False)
        if not (layer_id and source and kind):
            return None
        fields = {key: table.text(key) for key in _KEYS["layer"] if key.endswith("_field")}
        return LayerSpec(
            id=layer_id,
            source=source,
            kind=cast(LayerKind, kind),
            crs=crs,
            name=table.text("name"),
            name_zh=table.text("name_zh"),
            table=table.text("table"),
            line=table.line(""),
            **fields,
        )


class _Table:
    """One table of the file, read key by key; what is wrong becomes a fault with its line."""

    def __init__(self, reader: _Reader, name: str, number: int, raw: dict[str, Any]) -> None:
        self.reader, self.name, self.number, self.raw = reader, name, number, raw
        reader._unknown(raw, _KEYS[name], name, number)
        self._said: set[str] = set()

    def line(self, key: str) -> int:
        """Where a key stands."""
        return self.reader.line(self.name, self.number, key)

    def fault(self, key: str, what: str, mend: str, *, is_source: bool = False) -> None:
        """One fault at a key, said once."""
        if key not in self._said or is_source or key == "packs":
            self.reader.fault(Fault(self.line(key), what, mend, is_source=is_source))
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
        if value in self.reader.taken:
            self.fault(
                "id",
                f"id '{value}' is already used on line {self.reader.taken[value]}",
                "give one of the two another id",
            )
            return None
        self.reader.taken[value] = self.line("id")
        return value

    def flag(self, key: str) -> bool:
        """true or false, false where absent."""
        value = self.raw.get(key, False)
        if not isinstance(value, bool):
            self.fault(key, f"{key} is neither true nor false", f"write {key} = true")
        return value is True

    def numbers(self, key: str, *, required: bool = False) -> tuple[float, float, float] | None:
        """Three finite numbers."""
        value = _triple(self.raw.get(key))
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
        if value is None or (not projected and re.fullmatch(r"(?i)(gcj|bd)[-_ ]?0?[29](ll)?|gcj", value)):
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

    def file(self, key: str, *, required: bool = False) -> Path | None:
        """One path relative to the park folder; a missing file is a fault but keeps the entry."""
        value = self.text(key, required=required)
        return None if value is None else self._there(key, value)

    def files(self, key: str) -> tuple[Path, ...]:
        """One or several paths."""
        values = self.texts(key)
        if not values and key not in self._said:
            self.fault(key, f"{self._called()} names no {key} file", f'add {key} = ["….ifc"]')
        return tuple(self._there(key, value) for value in values)

    def _there(self, key: str, value: str) -> Path:
        path = (self.reader.root / value).resolve()
        if not path.is_file():
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


def _slug(name: str) -> str:
    """A name as an id: lower case, runs of anything but letters and digits become one '-'; '' when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _triple(value: object) -> tuple[float, float, float] | None:
    if not isinstance(value, list) or len(value) != 3 or not all(_is_number(v) for v in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])
