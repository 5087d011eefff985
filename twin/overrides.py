"""Edits of a park beside its sources: what may be overridden, checked, and the file they are kept in.

`overrides.toml` holds one `[[override]]` a thing edited. The compiler applies them after the sources are read; what
matches nothing stays in the file and is reported.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import shapely
import tomlkit
from tomlkit.exceptions import TOMLKitError

from twin.errors import TwinError
from twin.finding import Finding

FILE_NAME = "overrides.toml"
MOST_CORNERS = 400
MOST_MEMBERS = 2_000
FARTHEST_M = 100_000.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
_HEADER = ("Edits made on the editor page, beside the sources and never in them. `parktwin build` applies them;",
           "what matches nothing is kept here and told in the report. docs/how-to/edit-the-park.md")

Name = Annotated[str, msgspec.Meta(max_length=200)]
Xyz = tuple[float, float, float]


class OverrideError(TwinError):
    """An edit cannot be used as it is."""


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which building, storey or room is meant: by id and GUID, else by its shape and place.

    Args:
        building: id in park.toml, or `layer:feature` of a building of the map. guid: IFC GlobalId.
        size: its box along the building's own axes, metres.
        at: the middle of that box in the building's own metres; of a building: where its sources put it, park metres.
        corner: low corner of the building's box in its own metres; tells a file exported again from another origin.
    """

    kind: Literal["building", "storey", "space"]
    building: Name
    guid: Name = ""
    size: Xyz | None = None
    at: Xyz | None = None
    corner: Xyz | None = None


class _Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="what"):
    """What every edit carries: who made it and when (ISO 8601, UTC)."""

    by: Name = ""
    when: Name = ""


class Place(_Edit, frozen=True, kw_only=True, tag="place"):
    """A building stands elsewhere: its `anchor` (own metres) at `at` (park metres).

    Args:
        heading: where its own y axis points, degrees clockwise from grid north.
        was, was_heading: the same as its sources had it when it was moved, None where they did not say; devices that
            the registry gives in park metres are moved along.
    """

    target: Target
    at: Xyz
    anchor: Xyz
    heading: float = 0.0
    was: Xyz | None = None
    was_heading: float = 0.0


class Rename(_Edit, frozen=True, kw_only=True, tag="name"):
    """A building, storey or room is called otherwise."""

    target: Target
    name: Name
    name_zh: Name = ""


class Group(_Edit, frozen=True, kw_only=True, tag="group"):
    """Rooms (or storeys) under a named group, which hangs below what holds them all."""

    id: Name
    name: Name
    members: tuple[Target, ...]
    name_zh: Name = ""


class Nest(_Edit, frozen=True, kw_only=True, tag="nest"):
    """A room lies in another room of its storey."""

    target: Target
    into: Target


class DrawnZone(_Edit, frozen=True, kw_only=True, tag="zone"):
    """A zone by its outline (park metres): buildings whose middle lies in it belong to it.

    With the id of a zone of park.toml it gives that one an outline.
    """

    id: Name
    name: Name
    ring: tuple[tuple[float, float], ...]
    name_zh: Name = ""


class PutDevice(_Edit, frozen=True, kw_only=True, tag="device"):
    """A device put by hand, or one of devices.csv put elsewhere.

    Args:
        at: park metres. building, own, corner: the same place in a building's own metres, so that it goes where that goes; on
            a building of the map `own` is the place in park metres with the building where its layer has it.
        heading: where it looks, degrees clockwise from grid north.
    """

    id: Name
    kind: Name
    at: Xyz
    name: Name = ""
    name_zh: Name = ""
    building: Name = ""
    own: Xyz | None = None
    corner: Xyz | None = None
    heading: float | None = None


Override = Place | Rename | Group | Nest | DrawnZone | PutDevice


def is_of_map(building: str) -> bool:
    """Whether a building's id is that of a map layer's feature (`layer:feature`) and not one of park.toml."""
    return ":" in building


def spot_of(target: Target) -> str:
    """What tells a storey or room from others of its building in keys: its GUID, else its place."""
    return target.guid or "@" + ",".join(f"{v:.2f}" for v in target.at or ())


def key_of(override: Override) -> str:
    """What it overrides: a later edit of the same key takes its place."""
    if isinstance(override, Place):
        return f"place:{override.target.building}"
    if isinstance(override, Rename):
        target = override.target
        return f"name:{target.building}" + ("" if target.kind == "building" else f":{target.kind}:{spot_of(target)}")
    if isinstance(override, Nest):
        return f"nest:{override.target.building}:{spot_of(override.target)}"
    return f"{override.__struct_config__.tag}:{override.id}"


def faults(override: Override) -> Iterator[tuple[str, str, str]]:
    """Everything in an edit that does not hold together, as (what, mend, code)."""
    for name, numbers in _numbers(override):
        if not all(math.isfinite(v) and abs(v) <= FARTHEST_M for v in numbers):
            yield f"its {name} is no place", f"give {name} as metres (degrees) up to {FARTHEST_M:g}", "edit.numbers"
    if isinstance(override, (Group, DrawnZone, PutDevice)) and not _ID.fullmatch(override.id):
        yield f"id '{override.id}' is empty or holds other signs", "use letters, digits, '-' and '_'", "edit.id"
    if isinstance(override, (Rename, Group, DrawnZone)) and not (override.name.strip() or override.name_zh.strip()):
        yield "it has no name", "give a name", "edit.no_name"
    if isinstance(override, Place) and override.target.kind != "building":
        yield "only a building is placed", "name a building", "edit.place"
    if isinstance(override, Nest):
        if (override.target.kind, override.into.kind) != ("space", "space"):
            yield "only a room lies in a room", "name two rooms", "edit.nest"
        elif override.target.building != override.into.building:
            yield "the two rooms are in different buildings", "choose a room of the same storey", "edit.nest"
        elif spot_of(override.target) == spot_of(override.into):
            yield "a room cannot lie in itself", "choose another room", "edit.cycle"
    if isinstance(override, Group):
        if not override.members:
            yield "the group has no members", "choose rooms, or take the group away", "edit.empty"
        if len(override.members) > MOST_MEMBERS:
            yield "the group has too many members", f"use at most {MOST_MEMBERS}", "edit.many"
    if isinstance(override, DrawnZone):
        if not 3 <= len(override.ring) <= MOST_CORNERS:
            yield "the outline has too few or too many corners", f"give 3 to {MOST_CORNERS}", "edit.corners"
        elif not _is_sound(override.ring):
            yield "the outline crosses itself or has no area", "draw it round once, without crossing", "edit.crossed"


def check(override: Override) -> Override:
    """The edit itself, when it holds together.

    Raises:
        OverrideError: its first fault.
    """
    for what, mend, code in faults(override):
        raise OverrideError(f"edit '{key_of(override)}': {what}", mend=mend, code=code, fill={"key": key_of(override)})
    return override


def parse(row: object) -> Override:
    """An edit from plain values, checked.

    Raises:
        OverrideError: it is incomplete or does not hold together.
    """
    try:
        return check(msgspec.convert(row, Override))  # type: ignore[arg-type]
    except msgspec.ValidationError as error:
        raise OverrideError(f"the edit is not complete: {error}", mend="see docs/how-to/edit-the-park.md", code="edit.shape",
                            fill={"why": str(error)}) from error


def read_overrides(root: Path) -> tuple[dict[str, Override], list[Finding]]:
    """The sound edits of a park folder by key, and a finding for every other; nothing where there is no file."""
    path = root / FILE_NAME
    if not path.is_file():
        return {}, []
    try:
        return parse_file(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Finding("error", f"cannot be read ({error})", FILE_NAME, "save it as UTF-8 text")]


def parse_file(text: str) -> tuple[dict[str, Override], list[Finding]]:
    """The sound edits of an overrides.toml by key, and a finding for every other."""
    try:
        rows = _rows(tomlkit.parse(text))
    except TOMLKitError as error:
        return {}, [Finding("error", f"no edit is applied: not TOML ({error})", FILE_NAME, "mend the syntax")]
    kept: dict[str, Override] = {}
    told: list[Finding] = []
    for number, row in enumerate(rows, 1):
        try:
            override = parse(_plain(row))
        except OverrideError as error:
            told.append(Finding("error", f"override {number} is left out: {error.what}", FILE_NAME, error.mend))
            continue
        if key_of(override) in kept:
            told.append(Finding("warning", f"'{key_of(override)}' is overridden twice; the later one holds", FILE_NAME,
                                "take one of the two out"))
        kept[key_of(override)] = override
    return kept, told


def written(text: str, overrides: Mapping[str, Override]) -> str:
    """The text of an overrides.toml brought to these edits.

    Entries that stay as they were keep their words and comments; entries that cannot be read are kept too.

    Raises:
        OverrideError: the text is not TOML at all.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise OverrideError(f"{FILE_NAME} is not TOML ({error})", mend="mend its syntax first", where=FILE_NAME,
                            code="edit.file", fill={"why": str(error)}) from error
    if not text.strip():
        for line in _HEADER:
            document.add(tomlkit.comment(line))
    rows, left = tomlkit.aot(), dict(overrides)
    for row in _rows(document):
        try:
            old = parse(_plain(row))
        except OverrideError:
            rows.append(row)
            continue
        new = left.pop(key_of(old), None)
        if new is not None:
            rows.append(row if new == old else _table(new))
    for override in left.values():
        rows.append(_table(override))
    document.pop("override", None)
    if len(rows):
        document.append("override", rows)
    return tomlkit.dumps(document)


def _rows(document: tomlkit.TOMLDocument) -> list[Any]:
    found = document.get("override", [])
    return list(found) if isinstance(found, list) else [found]


def _plain(row: Any) -> object:
    return row.unwrap() if hasattr(row, "unwrap") else row


def _table(override: Override) -> tomlkit.items.Table:
    table = tomlkit.table()
    for name, value in msgspec.to_builtins(override).items():
        table.add(name, _inline(value))
    return table


def _inline(value: Any) -> Any:
    """Tables within an entry on one line, so that an entry stays a few lines to read."""
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update({name: _inline(v) for name, v in value.items()})
        return table
    if isinstance(value, (list, tuple)):
        array = tomlkit.array()
        array.extend(_inline(v) for v in value)
        return array.multiline(any(isinstance(v, dict) for v in value))
    return value


def _numbers(override: Override) -> Iterable[tuple[str, tuple[float, ...]]]:
    for name in ("at", "anchor", "own", "corner", "was"):
        value = getattr(override, name, None)
        if value is not None:
            yield name, value
    heading = getattr(override, "heading", None)
    if heading is not None:
        yield "heading", (heading,)
    if isinstance(override, DrawnZone):
        yield "ring", tuple(v for corner in override.ring for v in corner)


def _is_sound(ring: tuple[tuple[float, float], ...]) -> bool:
    if not all(math.isfinite(v) for corner in ring for v in corner):
        return False
    polygon = shapely.Polygon(ring)
    return bool(polygon.is_valid and polygon.area > 0.01)
