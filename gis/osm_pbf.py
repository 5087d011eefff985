"""What an OSM PBF file has of ways and relations (https://wiki.openstreetmap.org/wiki/PBF_Format)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from twin.protobufs import KIND as _KIND
from twin.protobufs import message_classes

#: A relation: its id, its tags, and the ids of the ways that belong to it.
Members = tuple[str, tuple[tuple[str, str], ...], frozenset[str]]
_MESSAGES = message_classes("parktwin.osm", {
    "BlobHeader": [(1, "type", _KIND.TYPE_STRING, False), (3, "size", _KIND.TYPE_INT32, False)],
    "Blob": [(1, "raw", _KIND.TYPE_BYTES, False), (3, "zlib", _KIND.TYPE_BYTES, False)],
    "Strings": [(1, "s", _KIND.TYPE_BYTES, True)],
    "Way": [(1, "id", _KIND.TYPE_INT64, False)],
    "Relation": [(1, "id", _KIND.TYPE_INT64, False), (2, "keys", _KIND.TYPE_UINT32, True),
                 (3, "values", _KIND.TYPE_UINT32, True), (8, "roles", _KIND.TYPE_INT32, True),
                 (9, "steps", _KIND.TYPE_SINT64, True), (10, "types", _KIND.TYPE_INT32, True)],
    "Group": [(3, "ways", "Way", True), (4, "relations", "Relation", True)],
    "Block": [(1, "strings", "Strings", False), (2, "groups", "Group", True)],
})
_MOST_HEADER, _MOST_BLOB = 64 * 1024, 32 * 2**20  # as the format has it
_WAY = 1


def ways_and_relations(path: Path) -> Iterator[str | Members]:
    """Ways (their ids) and relations in the order of the file.

    Raises:
        ValueError: the file is damaged, or its blobs are packed in another way than zlib.
    """
    for block in _blocks(path):
        words = [word.decode("utf-8", "replace") for word in block.strings.s]
        for group in block.groups:
            yield from (str(way.id) for way in group.ways)
            for one in group.relations:
                rows = zip(accumulate(one.steps), one.types, one.roles, strict=True)
                yield (str(one.id), tuple((words[k], words[v]) for k, v in zip(one.keys, one.values, strict=True)),
                       frozenset(str(ref) for ref, kind, role in rows if kind == _WAY and words[role] != "label"))


def _blocks(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        while head := file.read(4):
            size = int.from_bytes(head, "big")
            header = _parsed("BlobHeader", file.read(size) if size <= _MOST_HEADER else b"")
            blob = _parsed("Blob", file.read(header.size) if header.size <= _MOST_BLOB else b"")
            if header.type == "OSMData":
                yield _parsed("Block", blob.raw or _unpacked(blob.zlib))


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_BLOB)
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _parsed(name: str, data: bytes) -> Any:
    try:
        return _MESSAGES[name].FromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from error
