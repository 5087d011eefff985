"""Who belongs to whom in an IFC file: sites, buildings, storeys, spaces, elements, and each one's container."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import ifcopenshell
import ifcopenshell.util.placement

from models_bim.attributes import attribute
from models_bim.discipline import Row
from models_bim.model import EntityKind
from models_bim.salvage import Salvage

Entity = ifcopenshell.entity_instance
_MAX_DEPTH = 50  # a whole inside a whole inside …: more is a loop in the file


def read_rows(file: ifcopenshell.file, salvage: Salvage | None = None) -> list[Row]:
    """Every site, building, storey, space and element, sorted by STEP id; no openings, ports, grids, annotations.

    Facilities (roads, bridges, railways) and their parts are storeys where they hold things themselves.
    """
    salvage = salvage or Salvage("")
    kinds: list[tuple[EntityKind, Sequence[Entity]]] = [
        ("site", file.by_type("IfcSite")), ("building", file.by_type("IfcBuilding")),
        ("storey", file.by_type("IfcBuildingStorey")), ("storey", [f for f in facilities(file) if _holds_things(f)]),
        ("building", [f for f in facilities(file) if not _holds_things(f)]),
        ("space", file.by_type("IfcSpace")), ("element", elements(file))]
    tried = [salvage.part("things", partial(_row, entity, kind), None) for kind, found in kinds for entity in found]
    rows = [row for row in tried if row is not None]
    known = {row.step for row in rows}
    for row in rows:
        whole = salvage.part("where things are", partial(_container, file.by_id(row.step)), None)
        row.parent = whole.id() if whole is not None and whole.id() in known else 0
    _give_storeys(rows)
    _name_parts(rows)
    return sorted(rows, key=lambda row: row.step)


def facilities(file: ifcopenshell.file) -> list[Entity]:
    """Roads, bridges, railways, marine works and their parts (IFC4X3)."""
    return [e for e in _by_type(file, "IfcFacility") + _by_type(file, "IfcFacilityPart") if not e.is_a("IfcBuilding")]


def _holds_things(entity: Entity) -> bool:
    return any(rel.RelatedElements for rel in getattr(entity, "ContainsElements", None) or ())


def _name_parts(rows: list[Row]) -> None:
    """A part of a facility is called by the way to it: there is a deck in every bridge."""
    by_step = {row.step: row for row in rows}
    names = {
        row.step: " / ".join(r.name for r in [*_above(row, by_step), row] if r.name)
        for row in rows
        if row.kind == "storey" and row.cls != "IfcBuildingStorey"
    }
    for step, name in names.items():
        by_step[step].name = name


def _above(row: Row, by_step: dict[int, Row]) -> list[Row]:
    """Facilities and parts that a part belongs to, outermost first."""
    found: list[Row] = []
    here = by_step.get(row.parent)
    while here is not None and here.cls not in ("IfcSite", "IfcBuilding") and here not in found:
        found.insert(0, here)
        here = by_step.get(here.parent)
    return found


def elements(file: ifcopenshell.file) -> list[Entity]:
    """What is built or placed: elements, proxies and alignments, without the things that only cut or connect."""
    found = _by_type(file, "IfcElement") + _by_type(file, "IfcProxy") + _by_type(file, "IfcAlignment")
    return [e for e in found if not (e.is_a("IfcFeatureElement") or e.is_a("IfcVirtualElement"))]


def _by_type(file: ifcopenshell.file, cls: str) -> list[Entity]:
    try:
        return list(file.by_type(cls))
    except RuntimeError:  # the schema has no such class
        return []


def _row(entity: Entity, kind: EntityKind) -> Row:
    return Row(
        step=entity.id(),
        guid=entity.GlobalId or "",
        cls=entity.is_a(),
        kind=kind,
        name=_clean(entity.Name),
        long_name=_clean(attribute(entity, "LongName")),
        predefined=_clean(attribute(entity, "PredefinedType")),
        type_name=_type_name(entity),
    )


def _clean(text: object) -> str:
    return " ".join(str(text).split()) if text else ""


def _type_name(entity: Entity) -> str:
    for rel in attribute(entity, "IsTypedBy") or attribute(entity, "IsDefinedBy") or ():
        if rel.is_a("IfcRelDefinesByType") and rel.RelatingType is not None:
            return _clean(rel.RelatingType.Name)
    return ""


def _container(entity: Entity) -> Entity | None:
    """The container or whole: containment first, then aggregates and nests, then the wall a door fills."""
    for inverse, relating in (
        ("ContainedInStructure", "RelatingStructure"),
        ("Decomposes", "RelatingObject"),
        ("Nests", "RelatingObject"),
    ):
        for rel in attribute(entity, inverse) or ():
            whole = getattr(rel, relating)
            if whole is not None:
                return whole
    host = _host(entity)
    return _container(host) if host is not None and host.id() != entity.id() else None


def _host(entity: Entity) -> Entity | None:
    """The element whose opening this one fills."""
    for fills in attribute(entity, "FillsVoids") or ():
        opening = fills.RelatingOpeningElement
        for voids in attribute(opening, "VoidsElements") or ():
            return voids.RelatingBuildingElement
    return None


def _give_storeys(rows: list[Row]) -> None:
    by_step = {row.step: row for row in rows}
    for row in rows:
        here: Row | None = row
        for _ in range(_MAX_DEPTH):
            if here is None:
                break
            if here.kind == "storey":
                row.storey = here.step
                break
            here = by_step.get(here.parent)
        else:
            row.parent = 0  # a loop of wholes: cut it here


def placement_z(entity: Entity, metres: float) -> float | None:
    """Height of an entity's own origin in ifc metres; None where it has no local placement, or a damaged one."""
    placement = entity.ObjectPlacement
    if placement is None or not placement.is_a("IfcLocalPlacement"):
        return None
    matrix = Salvage("").part("a placement", lambda: ifcopenshell.util.placement.get_local_placement(placement), None)
    return None if matrix is None else float(matrix[2, 3]) * metres
