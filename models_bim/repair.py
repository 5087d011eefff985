"""Faults of a file that would hang or stop the geometry kernel, mended in memory before it sees them."""

from __future__ import annotations

from collections.abc import Iterator

import ifcopenshell
import ifcopenshell.guid
from ifcopenshell.util.element import replace_element

from twin.finding import Finding

Entity = ifcopenshell.entity_instance
#: Relation, its whole, its parts: what the kernel follows upwards from a product.
_UPWARDS = (
    ("IfcRelAggregates", "RelatingObject", "RelatedObjects"),
    ("IfcRelNests", "RelatingObject", "RelatedObjects"),
    ("IfcRelContainedInSpatialStructure", "RelatingStructure", "RelatedElements"),
    ("IfcRelVoidsElement", "RelatingBuildingElement", "RelatedOpeningElement"),
    ("IfcRelFillsElement", "RelatingOpeningElement", "RelatedBuildingElement"),
)


def repair(file: ifcopenshell.file, name: str) -> list[Finding]:
    """Mend a file in memory; says what had to be cut."""
    fill_null_guids(file)
    findings = []
    for code, what, mend, cut in (
        ("rings.wholes", "things are parts of themselves, by way of other things; the ring is cut",
         "take the assembly apart and put it together again", _cut_whole_rings(file)),
        ("rings.placements", "placements are relative to themselves; the ring is cut", "export the model again",
         _cut_placement_rings(file)),
    ):
        if cut:
            findings.append(Finding("warning", what, name, mend, cut, code=code))
    return findings


def one_project(file: ifcopenshell.file, name: str) -> list[Finding]:
    """Leave one IfcProject in memory and no library beside it: given two, the kernel takes every unit for a metre."""
    projects = file.by_type("IfcProject")
    libraries = () if file.schema == "IFC2X3" else file.by_type("IfcProjectLibrary")
    if not projects or len(projects) + len(libraries) == 1:
        return []
    kept = next((one for one in projects if one.UnitsInContext is not None), projects[0])
    spare = [one for one in projects if one != kept]
    for one in spare:
        replace_element(one, kept)
    for one in (*libraries, *spare):
        file.remove(one)
    if not spare:
        return []
    return [Finding("warning", "more than one IfcProject in one file; all is read as one project's, in its units", name,
                    "export every project to a file of its own", len(spare), code="ifc.projects")]


def fill_null_guids(file: ifcopenshell.file) -> None:
    """Give products without a GlobalId one for the kernel's sake, which throws at a null; rows keep theirs empty."""
    for product in file.by_type("IfcObjectDefinition"):
        if not product.GlobalId:
            product.GlobalId = ifcopenshell.guid.compress(f"{product.id():032x}")


def _cut_whole_rings(file: ifcopenshell.file) -> int:
    above: dict[int, list[tuple[int, int]]] = {}
    for cls, whole, parts in _UPWARDS:
        for rel in file.by_type(cls):
            top, below = getattr(rel, whole), getattr(rel, parts)
            for part in below if isinstance(below, tuple) else (below,):
                if top is not None and part is not None:
                    above.setdefault(part.id(), []).append((top.id(), rel.id()))
    cut = set(_ring_edges(above))
    for step in sorted(cut):
        file.remove(file.by_id(step))
    return len(cut)


def _cut_placement_rings(file: ifcopenshell.file) -> int:
    placements = file.by_type("IfcLocalPlacement")
    above = {p.id(): [(p.PlacementRelTo.id(), p.id())] for p in placements if p.PlacementRelTo is not None}
    cut = set(_ring_edges(above))
    for step in sorted(cut):
        file.by_id(step).PlacementRelTo = None
    return len(cut)


def _ring_edges(above: dict[int, list[tuple[int, int]]]) -> Iterator[int]:
    """Labels of the edges that close a ring, found depth first without recursion.

    Args:
        above: node → (next node, label of the edge) pairs.
    """
    done: set[int] = set()
    for start in sorted(above):
        if start in done:
            continue
        path, trail = {start}, [(start, iter(above[start]))]
        while trail:
            here, edges = trail[-1]
            edge = next(edges, None)
            if edge is None:
                done.add(here)
                path.discard(here)
                trail.pop()
            elif edge[0] in path:
                yield edge[1]
            elif edge[0] not in done:
                path.add(edge[0])
                trail.append((edge[0], iter(above.get(edge[0], ()))))
