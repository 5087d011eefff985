"""park.toml in, `ParkSpec` out: every fault found in one go, each with its line and its mend."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, cast, get_args
from zoneinfo import available_timezones

from twin.errors import ParkFileError
from twin.park import (
    BACKGROUNDS,
    BackgroundSpec,
    BuildingSpec,
    HistorySpec,
    LayerKind,
    LayerSpec,
    LiveSpec,
    ParkSpec,
    Placement,
    ZoneSpec,
)
from twin.parksource import read_database, read_history, read_source
from twin.parktable import KEYS, TABLES, Fault, Ledger, Lines, Table, is_number, table_lines, triple

FILE_NAME = "park.toml"
_SYNTAX_LINE = re.compile(r"\(at line (\d+)")


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
        if isinstance(error, UnicodeDecodeError):
            return None, [Fault(0, f"{FILE_NAME} is not UTF-8 text", "save it again as UTF-8")]
        return None, [Fault(0, f"{FILE_NAME} cannot be read ({error.strerror})", f"write one with `parktwin new {root}`")]
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        return None, [Fault(line, f"not TOML: {error}", "mend the syntax on this line or the one before")]
    reader = _Reader(root.resolve(), document, table_lines(text), None if known_packs is None else tuple(known_packs))
    spec = reader.park()
    return spec, sorted(reader.faults, key=lambda f: (f.line, f.what))


class _Reader(Ledger):
    """One pass over a parsed park.toml, collecting faults."""

    def __init__(
        self,
        root: Path,
        document: dict[str, Any],
        lines: Lines,
        known_packs: tuple[str, ...] | None,
    ) -> None:
        super().__init__(root, lines)
        self.document, self.known_packs = document, known_packs

    def park(self) -> ParkSpec | None:
        """The whole file."""
        self.unknown(self.document, TABLES, "", 0)
        table = self.document.get("park")
        if not isinstance(table, dict):
            self.fault_at("", 0, "", "there is no [park] table", "begin with [park], its id, name, crs and origin")
            return None
        head = Table(self, "park", 0, table)
        park_id = head.identity() if "id" in table else None
        name, crs = head.text("name", required=True), head.crs("crs", projected=True)
        origin = head.numbers("origin", required=True)
        usable = None not in (name, crs, origin)
        packs, registry, demo = self._packs(head), head.file("registry"), head.flag("demo")
        zone = self._timezone(head)
        zones = tuple(self._zone(t) for t in self._tables("zone"))
        zone_ids = {zone.id for zone in zones if zone is not None}
        buildings = tuple(self._building(t, zone_ids) for t in self._tables("building"))
        layers = tuple(self._layer(t) for t in self._tables("layer"))
        sources = tuple(read_source(t) for t in self._tables("source"))
        live = self._live(has_sources="source" in self.document)
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
            sources=tuple(s for s in sources if s),
            database=read_database(database) if (database := self._one("database")) else None,
            history=read_history(history) if (history := self._one("history")) else HistorySpec(),
            demo=demo,
            timezone=zone,
        )

    def _timezone(self, head: Table) -> str:
        """An IANA name; empty where the park lies decides."""
        zone = head.text("timezone") or ""
        if zone and zone not in available_timezones():
            self.fault_at("park", 0, "timezone", f"timezone '{zone}' is not known", "use an IANA name such as Asia/Shanghai")
            return ""
        return zone

    def _tables(self, name: str) -> list[Table]:
        raw = self.document.get(name, [])
        if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
            self.fault_at(name, 0, "", f"[{name}] is one table", f"write [[{name}]] with two brackets")
            return []
        return [Table(self, name, number, table) for number, table in enumerate(raw)]

    def _packs(self, head: Table) -> tuple[str, ...]:
        packs = head.texts("packs")
        for pack in packs:
            if self.known_packs is not None and pack not in self.known_packs:
                close = difflib.get_close_matches(pack, self.known_packs, n=1)
                mend = f"did you mean '{close[0]}'?" if close else f"use some of {', '.join(self.known_packs)}"
                head.fault("packs", f"there is no pack '{pack}'", mend)
        return packs

    def _live(self, has_sources: bool) -> LiveSpec:
        live = self._one("live")
        if live is None:
            return LiveSpec(source="") if has_sources and "live" not in self.document else LiveSpec()
        source = live.text("source") or "simulator"
        if source != "simulator" and not re.match(r"mqtts?://[^/\s]+", source):
            live.fault(
                "source",
                f"live source '{source}' is not understood",
                "write 'simulator' or a url such as mqtt://127.0.0.1:1883; everything else is a [[source]]",
            )
        return LiveSpec(source=source, line=live.line("source"))

    def _one(self, name: str) -> Table | None:
        """A table there is at most one of."""
        table = self.document.get(name)
        if table is not None and not isinstance(table, dict):
            self.fault_at(name, 0, "", f"[[{name}]] is a list", f"write [{name}] with one bracket")
            return None
        return None if table is None else Table(self, name, 0, table)

    def _zone(self, table: Table) -> ZoneSpec | None:
        zone_id, name = table.identity(), table.text("name", required=True)
        return ZoneSpec(id=zone_id, name=name, name_zh=table.text("name_zh")) if zone_id and name else None

    def _building(self, table: Table, zones: set[str]) -> BuildingSpec | None:
        building_id = table.identity()
        plans = table.plans("plans")
        files = table.files("ifc") if "ifc" in table.raw or "plans" not in table.raw else ()
        if files and plans:
            table.fault("plans", f"building '{building_id}' has both ifc and plans", "keep one of the two; ifc is taken")
            plans = ()
        zone = table.text("zone")
        if zone and zone not in zones:
            close = difflib.get_close_matches(zone, sorted(zones), n=1)
            table.fault(
                "zone",
                f"there is no zone '{zone}'",
                f"did you mean '{close[0]}'?" if close else f'add [[zone]] with id = "{zone}"',
            )
            zone = None
        placement, footprint = self._placement(table), table.texts("footprint")
        for declared in (f for f in footprint if not re.fullmatch(r"[A-Za-z0-9_-]+:.+", f)):
            table.fault("footprint", f"footprint '{declared}' of building '{building_id}' names no feature of a layer",
                        'write footprint = "<layer>:<feature id>"')
        if not building_id or not (files or plans):
            return None
        return BuildingSpec(
            id=building_id,
            ifc=files,
            placement=placement,
            plans=plans,
            georeference=table.text("georeference"),
            footprint=tuple(f for f in footprint if ":" in f),
            name=table.text("name"),
            name_zh=table.text("name_zh"),
            zone=zone,
            line=table.line(""),
        )

    def _placement(self, table: Table) -> Placement | None:
        raw = table.raw.get("placement")
        if raw is None:
            return None
        if (
            not isinstance(raw, dict)
            or not set(raw) <= {"at", "rotation"}
            or triple(raw.get("at")) is None
            or not is_number(raw.get("rotation", 0.0))
        ):
            table.fault(
                "placement",
                "placement is not a position and a rotation",
                "write placement = { at = [x, y, z], rotation = 0.0 } (park metres, counter-clockwise)",
            )
            return None
        return Placement(
            at=cast(tuple[float, float, float], triple(raw["at"])), rotation_deg=float(raw.get("rotation", 0.0))
        )

    def _layer(self, table: Table) -> LayerSpec | None:
        layer_id, kind = table.identity(), table.text("kind", required=True)
        source = table.file("source", required=True, may_be_folder=kind in BACKGROUNDS)
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
        if "shown" in table.raw and kind not in BACKGROUNDS:
            table.fault("shown", f"shown is for scans and reality meshes; layer '{layer_id}' is always shown", "leave it out")
        fields = {key: table.text(key) for key in KEYS["layer"] if key.endswith("_field")}
        axes = table.text("axes") or "xy"
        if axes not in ("xy", "yx"):
            table.fault("axes", f"axes '{axes}' is not known", 'write axes = "yx" where northing comes first')
        return LayerSpec(
            id=layer_id,
            source=source,
            kind=cast(LayerKind, kind),
            crs=crs,
            name=table.text("name"),
            name_zh=table.text("name_zh"),
            table=table.text("table"),
            only=table.choices("only"),
            unit_m=table.unit("unit"),
            placement=self._placement(table),
            is_north_first=axes == "yx",
            background=self._background(table),
            is_shown=table.flag("shown", default=True),
            line=table.line(""),
            **fields,
        )

    def _background(self, table: Table) -> BackgroundSpec:
        up = table.text("up")
        if up not in (None, "y", "z"):
            table.fault("up", f"up '{up}' is not known", 'write up = "y" where the second coordinate is the height')
        return BackgroundSpec(is_under=table.flag("under", default=True), heights=table.span("heights"),
                              spacing_m=table.between("spacing", BackgroundSpec().spacing_m, 0.001, 100.0),
                              offset=table.numbers("offset"), up=cast(Literal["y", "z"], up) if up in ("y", "z") else None)


def _slug(name: str) -> str:
    """A name as an id: lower case, runs of anything but letters and digits become one '-'; '' when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
