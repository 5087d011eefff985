"""Large IFC files out of small ones: a real file's products copied with new GlobalIds, set side by side.

Such a file is synthetic: its shapes repeat, so whoever recognises alike shapes has an easier time than on a real one of
that size. Text in, text out; what is shared (project, units, contexts, site, building, storeys) stays single.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ifcopenshell.guid

GAP_M = 60.0
ACROSS = 12
_STATEMENT = re.compile(r"#(\d+)\s*=\s*([A-Za-z0-9_]+)\s*(\((?:[^';]|'(?:[^']|'')*')*\))\s*;")
_PIECE = re.compile(r"'(?:[^']|'')*'|#(\d+)")
_GUID = re.compile(r"\('([0-3][0-9A-Za-z_$]{21})'")
_SINGLE = ("IFCPROJECT", "IFCSITE", "IFCBUILDING", "IFCBUILDINGSTOREY")
_GROUND = ("IFCSITE", "IFCBUILDING", "IFCBUILDINGSTOREY")


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the data section: its number, its type and its arguments in brackets."""

    number: int
    cls: str
    arguments: str

    def references(self) -> list[int]:
        """Numbers it points to, in order."""
        return [int(m[1]) for m in _PIECE.finditer(self.arguments) if m[1]]


def replicate(source: Path, target: Path, least_bytes: int) -> int:
    """Write `source` with as many copies of its products as fill `least_bytes`; how many times they stand in it.

    Args:
        source: an IFC file in STEP text.
        least_bytes: the target is the first whole number of copies not smaller than this.
    """
    text = source.read_text(encoding="utf-8", errors="surrogateescape")
    begin = re.search(r"\bDATA\s*;", text)
    end = text.rfind("ENDSEC;")
    assert begin is not None, f"{source} has no DATA section"
    statements = [Statement(int(m[1]), m[2].upper(), m[3]) for m in _STATEMENT.finditer(text, begin.end(), end)]
    shared = _shared(statements)
    unit = _units_per_metre(statements)
    copied = [s for s in statements if s.number not in shared]
    size = sum(len(s.arguments) + len(s.cls) + 12 for s in copied)
    copies = max(1, -(-(least_bytes - len(text)) // max(size, 1)) + 1)
    stride = max(s.number for s in statements) + 1
    with target.open("w", encoding="utf-8", errors="surrogateescape") as out:
        out.write(text[:end])
        for copy in range(1, copies):
            out.writelines(_copy(copied, shared, copy, stride, unit, statements))
        out.write(text[end:])
    return copies


def _shared(statements: list[Statement]) -> set[int]:
    """Numbers that stay single: the spatial tree down to the storeys, what it is placed by, contexts, units."""
    by_number = {s.number: s for s in statements}
    tree = {s.number for s in statements if s.cls in _SINGLE}
    start = [s.number for s in statements if s.cls in (
        *_SINGLE, "IFCOWNERHISTORY", "IFCUNITASSIGNMENT", "IFCGEOMETRICREPRESENTATIONCONTEXT",
        "IFCGEOMETRICREPRESENTATIONSUBCONTEXT", "IFCMAPCONVERSION", "IFCPROJECTEDCRS")]
    start += [s.number for s in statements if s.cls == "IFCRELAGGREGATES" and set(_related(s)) <= tree]
    found: set[int] = set()
    while start:
        number = start.pop()
        if number not in found and number in by_number:
            found.add(number)
            start += by_number[number].references()
    return found


def _related(rel: Statement) -> list[int]:
    """What an aggregation joins, its whole and its parts; its owner history left out."""
    return rel.references()[1:] if re.match(r"\('[^']*',#", rel.arguments) else rel.references()


def _units_per_metre(statements: list[Statement]) -> float:
    """File units in a metre; millimetres unless the file says plain metres."""
    for s in statements:
        if s.cls == "IFCSIUNIT" and ".LENGTHUNIT." in s.arguments:
            return {"MILLI": 1000.0, "CENTI": 100.0}.get(s.arguments.split(",")[2].strip().strip("."), 1.0)
    return 1000.0


def _copy(copied: list[Statement], shared: set[int], copy: int, stride: int, unit: float,
          statements: list[Statement]) -> Iterator[str]:
    """The statements of one copy, moved `copy` places along a grid of rows."""
    shift = stride * copy * 2
    placements = {s.number for s in statements if s.cls == "IFCLOCALPLACEMENT"}
    grounds = {n for s in statements if s.cls in _GROUND for n in s.references()} & placements
    x, y = (GAP_M * unit * (copy % ACROSS), GAP_M * unit * (copy // ACROSS))
    point, axis = shift + stride, shift + stride + 1
    yield f"#{point}=IFCCARTESIANPOINT(({x!r},{y!r},0.));\n#{axis}=IFCAXIS2PLACEMENT3D(#{point},$,$);\n"
    moved: dict[str, int] = {}
    free = axis + 1

    def renumber(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        number = int(found[1])
        return found[0] if number in shared else f"#{number + shift}"

    for s in copied:
        arguments = s.arguments
        if s.cls == "IFCLOCALPLACEMENT":
            base = arguments[1:].split(",", 1)[0].strip()
            if base == "$" or int(base[1:]) in grounds:
                if base not in moved:
                    moved[base] = free
                    yield f"#{free}=IFCLOCALPLACEMENT({base},#{axis});\n"
                    free += 1
                rest = _PIECE.sub(renumber, arguments[1:].split(",", 1)[1])
                yield f"#{s.number + shift}=IFCLOCALPLACEMENT(#{moved[base]},{rest};\n"
                continue
        guid = _GUID.match(arguments)
        if guid:
            arguments = f"('{_guid(guid[1], copy)}'{arguments[guid.end():]}"
        yield f"#{s.number + shift}={s.cls}{_PIECE.sub(renumber, arguments)};\n"


def _guid(guid: str, copy: int) -> str:
    digest = hashlib.blake2b(f"{guid}/{copy}".encode(), digest_size=16).digest()
    return str(ifcopenshell.guid.compress(uuid.UUID(bytes=digest).hex))
