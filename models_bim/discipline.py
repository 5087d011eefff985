"""One IFC file read on its own: what travels from the reading process to the federation."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from models_bim.model import EntityKind, Georeading, Group
from models_bim.shape import Shape
from twin.finding import Finding


@dataclass(slots=True, kw_only=True)
class Row:
    """One entity of one file. `parent` is the STEP id of another row, `storey` that of a storey; 0 for none."""

    step: int
    guid: str
    cls: str
    kind: EntityKind
    name: str
    long_name: str = ""
    predefined: str = ""
    type_name: str = ""
    parent: int = 0
    storey: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStorey:
    """A storey as one file has it: elevation in ifc metres; None where nothing says. `is_part`: of a road or bridge."""

    step: int
    name: str
    elevation: float | None
    assumed: bool
    is_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSpace:
    """A room's floor outline and height band, ifc metres."""

    step: int
    polygon: shapely.Polygon
    z0: float
    z1: float


#: (relation, STEP id a, STEP id b, group key, value); 0 and "" where a relation has no such side.
RawRow = tuple[str, int, int, str, str]


@dataclass(frozen=True, slots=True)
class RawRelations:
    """Groups of one file and how its things relate to them and to each other (`models_bim.relations`)."""

    groups: tuple[Group, ...] = ()
    rows: tuple[RawRow, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawProperties:
    """What is said of things, a value a row, sorted by STEP id, set and name; each text is kept once.

    Args:
        step: int32 (n,), STEP id of the thing.
        pset, name, value, unit: int32 (n,), rows of `texts`.
        texts: every text that occurs.
    """

    step: NDArray[np.int32]
    pset: NDArray[np.int32]
    name: NDArray[np.int32]
    value: NDArray[np.int32]
    unit: NDArray[np.int32]
    texts: list[str]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, str, str, str, str]]) -> RawProperties:
        """Columns of (STEP id, set, name, value, unit) rows."""
        texts: dict[str, int] = {}
        codes = array("i")
        for step, *said in rows:
            codes.append(step)
            codes.extend(texts.setdefault(text, len(texts)) for text in said)
        columns = np.frombuffer(codes, dtype=np.int32).reshape(-1, 5).T if codes else np.zeros((5, 0), np.int32)
        steps, pset, name, value, unit = (np.ascontiguousarray(column) for column in columns)
        return cls(step=steps, pset=pset, name=name, value=value, unit=unit, texts=list(texts))

    @classmethod
    def joined(cls, parts: Sequence[RawProperties]) -> RawProperties:
        """One table of several, each behind the one before."""
        texts: dict[str, int] = {}
        columns: list[list[NDArray[np.int32]]] = [[np.zeros(0, np.int32)] for _ in range(5)]
        for part in parts:
            code = np.array([texts.setdefault(text, len(texts)) for text in part.texts], dtype=np.int32)
            columns[0].append(part.step)
            for rows, column in zip(columns[1:], (part.pset, part.name, part.value, part.unit), strict=True):
                rows.append(code[column] if len(column) else column)
        step, pset, name, value, unit = (np.concatenate(rows) for rows in columns)
        return cls(step=step, pset=pset, name=name, value=value, unit=unit, texts=list(texts))


@dataclass(slots=True, kw_only=True, eq=False)
class Discipline:
    """Everything read of one file. `shapes` holds elements only; boxes (xmin … zmax, ifc metres) spaces too."""

    name: str
    schema: str
    rows: list[Row]
    storeys: list[RawStorey]
    spaces: list[RawSpace]
    shapes: dict[int, list[Shape]]
    boxes: dict[int, tuple[float, ...]]
    properties: RawProperties
    relations: RawRelations
    georeadings: tuple[Georeading, ...]
    findings: list[Finding] = field(default_factory=list)
    application: str = ""
