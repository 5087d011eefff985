"""Relations of an OpenStreetMap extract that the extract cut through: areas that would be lost without a word."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from twin.finding import Finding
from twin.park import LayerSpec

#: (tag, values) any of which makes a feature one of a kind.
Tags = tuple[tuple[str, tuple[str, ...]], ...]
ANY = ("*",)
_LISTED = 5


class Relation(NamedTuple):
    """A relation: its id, its tags, and the ids of the ways that belong to it."""

    number: str
    tags: tuple[tuple[str, str], ...]
    ways: frozenset[str]


def incomplete(spec: LayerSpec, tags: Tags) -> list[Finding]:
    """What is said about multipolygons with such tags whose ways are not all in the file."""
    if spec.source.suffix.lower() not in (".osm", ".pbf"):
        return []
    about = spec.source.stat()
    cut = [number for number, told in _cut(spec.source, about.st_mtime_ns, about.st_size) if _is_meant(dict(told), tags)]
    if not cut:
        return []
    return [Finding("warning", f"layer '{spec.id}': areas whose outline goes on outside the extract are not drawn whole",
                    f"{spec.source.name}: relations {', '.join(cut[:_LISTED])}{', …' if len(cut) > _LISTED else ''}",
                    "take the extract with whole relations (osmium extract --strategy smart)", len(cut))]


@lru_cache(maxsize=4)
def _cut(path: Path, changed_ns: int, size: int) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """(id, tags) of the areas of a file with ways that are not in it; asked once for all layers of the file."""
    ways: set[str] = set()
    found = []
    try:
        for one in _of_pbf(path) if path.suffix.lower() == ".pbf" else _of_xml(path):
            if isinstance(one, str):
                ways.add(one)
            elif not one.ways <= ways:
                found.append((one.number, one.tags))
    except (ParseError, DefusedXmlException, ValueError, IndexError):
        return ()  # the reader of the layer says what is wrong with the file
    return tuple(found)


def _of_pbf(path: Path) -> Iterator[str | Relation]:
    from gis.osm_pbf import ways_and_relations  # protobuf is loaded by those who need it

    return (one if isinstance(one, str) else Relation(*one) for one in ways_and_relations(path))


def _of_xml(path: Path) -> Iterator[str | Relation]:
    """Ways (their ids) and relations in the order of the file."""
    events = iterparse(path, events=("start", "end"), forbid_dtd=True)
    _, root = next(events)
    for event, element in events:
        if event == "start" or element.tag not in ("node", "way", "relation"):
            continue
        if element.tag == "way":
            yield element.get("id", "")
        elif element.tag == "relation":
            members = (m for m in element.iter("member") if m.get("type") == "way" and m.get("role") != "label")
            yield Relation(element.get("id", ""), tuple((t.get("k", ""), t.get("v", "")) for t in element.iter("tag")),
                           frozenset(m.get("ref", "") for m in members))
        root.clear()


def _is_meant(told: dict[str, str], tags: Tags) -> bool:
    if told.get("type") not in ("multipolygon", "boundary"):
        return False
    return any(told.get(tag, "no") not in ("", "no") and (values == ANY or told[tag] in values) for tag, values in tags)
