"""A writer of small OSM PBF files from OSM XML, for tests: https://wiki.openstreetmap.org/wiki/PBF_Format, plain nodes."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterable
from pathlib import Path

_KINDS = {"node": 0, "way": 1, "relation": 2}


def pbf_from_xml(source: Path, out: Path) -> Path:
    """The same elements, tags and coordinates (1e-7 degrees) as a PBF file."""
    root = ET.parse(source).getroot()
    words: dict[str, int] = {"": 0}
    groups = b"".join(_field(2, b"".join(
        _field(field, _element(element, words)) for element in root.iter(tag)))
        for tag, field in (("node", 1), ("way", 3), ("relation", 4)))
    table = b"".join(_field(1, word.encode()) for word in words)
    header = b"".join(_field(4, feature) for feature in (b"OsmSchema-V0.6",))
    out.write_bytes(_blob(b"OSMHeader", header) + _blob(b"OSMData", _field(1, table) + groups))
    return out


def _element(element: ET.Element, words: dict[str, int]) -> bytes:
    tags = [(words.setdefault(t.get("k", ""), len(words)), words.setdefault(t.get("v", ""), len(words)))
            for t in element.iter("tag")]
    named = _packed(2, (k for k, _ in tags)) + _packed(3, (v for _, v in tags))
    number = int(element.get("id", "0"))
    if element.tag == "node":
        lat, lon = (round(float(element.get(axis, "0")) * 1e7) for axis in ("lat", "lon"))
        return b"\x08" + _varint(_zigzag(number)) + named + b"\x40" + _varint(_zigzag(lat)) + b"\x48" + _varint(_zigzag(lon))
    plain = b"\x08" + _varint(number) + named
    if element.tag == "way":
        return plain + _packed(8, _steps(int(nd.get("ref", "0")) for nd in element.iter("nd")))
    members = list(element.iter("member"))
    return (plain + _packed(8, (words.setdefault(m.get("role", ""), len(words)) for m in members))
            + _packed(9, _steps(int(m.get("ref", "0")) for m in members))
            + _packed(10, (_KINDS[m.get("type", "node")] for m in members)))


def _blob(kind: bytes, data: bytes) -> bytes:
    blob = b"\x10" + _varint(len(data)) + _field(3, zlib.compress(data))
    head = _field(1, kind) + b"\x18" + _varint(len(blob))
    return struct.pack(">I", len(head)) + head + blob


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _packed(number: int, values: Iterable[int]) -> bytes:
    data = b"".join(_varint(v) for v in values)
    return _field(number, data) if data else b""


def _steps(values: Iterable[int]) -> list[int]:
    """Differences, zigzag."""
    out, last = [], 0
    for value in values:
        out.append(_zigzag(value - last))
        last = value
    return out


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
