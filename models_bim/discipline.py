"""One IFC file read on its own: what travels from the reading process to the federation."""

from __future__ import annotations

from dataclasses import dataclass, field

import shapely

from models_bim.geometry import Shape
from models_bim.model import EntityKind, Georeading, Group
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
    properties: list[tuple[int, str, str, str, str]]
    relations: RawRelations
    georeadings: tuple[Georeading, ...]
    findings: list[Finding] = field(default_factory=list)
    application: str = ""
