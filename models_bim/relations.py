"""What belongs to what and what flows where: systems, zones, types, materials, classifications, ports, served places.

Every relation is read once from its relationship entity, never element by element. Ports are no nodes: what two
connected ports say is said of the two elements that own them, with the direction of the flow.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import ifcopenshell

from models_bim.associations import Associations
from models_bim.discipline import RawRelations, RawRow, Row
from models_bim.model import Group
from models_bim.salvage import Salvage
from twin.finding import Finding

Entity = ifcopenshell.entity_instance
_OUT, _IN = "SOURCE", "SINK"
#: Groups that are neither systems nor zones but still say what belongs together.
_NO_GROUP = ("IfcStructuralLoadGroup", "IfcStructuralResultGroup", "IfcStructuralAnalysisModel", "IfcCondition")


def read_relations(file: ifcopenshell.file, name: str, rows: list[Row], salvage: Salvage | None = None) -> RawRelations:
    """Groups and relations of one file, sorted; things are named by STEP id, groups by key.

    Args:
        rows: what the file is known to hold (`read_rows`); relations to anything else are left out.
    """
    salvage = salvage or Salvage(name)
    known, findings = {row.step for row in rows}, list[Finding]()
    owner = salvage.part("ports", lambda: _port_owners(file, known), {})
    groups: dict[str, Group] = {}
    found: set[RawRow] = set()
    found.update(salvage.each("systems and zones", _members(file, name, known, owner, groups)))
    found.update(salvage.each("served places", _served(file, name, known, groups)))
    found.update(salvage.each("flow", _flow(file, name, owner, _systems_of(found), findings)))
    found.update(salvage.each("what bounds, fills and controls", _between(file, known)))
    found.update(Associations(file, name, known, groups).rows(salvage))
    return RawRelations(tuple(groups[key] for key in sorted(groups)), tuple(sorted(found)), tuple(findings))


def key_of(entity: Entity, file_name: str) -> str:
    """The GlobalId, or file and STEP id where there is none."""
    return str(entity.GlobalId or f"{file_name}#{entity.id()}")


def by_type(file: ifcopenshell.file, cls: str) -> list[Entity]:
    """Entities of a class in file order; none where the schema has no such class."""
    try:
        return sorted(file.by_type(cls), key=lambda e: int(e.id()))
    except RuntimeError:
        return []


def clean(text: object) -> str:
    """One line of text, its blanks single; "" for nothing."""
    return " ".join(str(text).split()) if text else ""


def _members(file: ifcopenshell.file, name: str, known: set[int], owner: dict[int, int],
             groups: dict[str, Group]) -> Iterator[RawRow]:
    for rel in by_type(file, "IfcRelAssignsToGroup"):
        group = rel.RelatingGroup
        if group is None or group.is_a().startswith(_NO_GROUP):
            continue
        kind = _kind(group)
        key = _add(groups, group, name, kind)
        for member in rel.RelatedObjects or ():
            if member is None:
                continue
            step = owner.get(member.id(), member.id())
            if step in known:
                yield (kind, step, 0, key, "")
            elif member.is_a("IfcGroup") and member.id() != group.id():
                inner = _add(groups, member, name, _kind(member))
                if not groups[inner].parent and not _is_below(groups, key, inner):
                    groups[inner].parent = key
    yield from _spatial_zones(file, name, known, groups)


def _is_below(groups: dict[str, Group], key: str, above: str) -> bool:
    """Whether a group is somewhere inside another, so that the other cannot be put into it."""
    while key and key != above:
        key = groups[key].parent
    return bool(key)


def _spatial_zones(file: ifcopenshell.file, name: str, known: set[int], groups: dict[str, Group]) -> Iterator[RawRow]:
    """IFC4's zones that are places of their own: what they hold, refer to or are made of is theirs."""
    for zone in by_type(file, "IfcSpatialZone"):
        key = _add(groups, zone, name, "zone")
        for inverse, attribute in (("ContainsElements", "RelatedElements"), ("ReferencesElements", "RelatedElements"),
                                   ("IsDecomposedBy", "RelatedObjects")):
            for rel in getattr(zone, inverse, None) or ():
                for member in getattr(rel, attribute) or ():
                    if member is not None and member.id() in known:
                        yield ("zone", member.id(), 0, key, "")


def _kind(group: Entity) -> str:
    return "system" if group.is_a("IfcSystem") and not group.is_a("IfcZone") else "zone" if group.is_a("IfcZone") else "group"


def _add(groups: dict[str, Group], entity: Entity, name: str, kind: str) -> str:
    key = key_of(entity, name)
    if key not in groups:
        groups[key] = Group(
            key=key, kind=kind, cls=entity.is_a(), name=clean(entity.Name), label=clean(getattr(entity, "LongName", None)),
            predefined=predefined(entity),
        )
    return key


def predefined(entity: Entity) -> str:
    """PredefinedType, or the object type where that is user-defined."""
    value = clean(getattr(entity, "PredefinedType", None))
    if value in ("", "USERDEFINED", "NOTDEFINED"):
        return clean(getattr(entity, "ObjectType", None) or getattr(entity, "ElementType", None)) or value
    return value


def _served(file: ifcopenshell.file, name: str, known: set[int], groups: dict[str, Group]) -> Iterator[RawRow]:
    """Places that a system serves; IFC4X3 says it by reference, the others by a relation of its own."""
    for rel in by_type(file, "IfcRelServicesBuildings"):
        if rel.RelatingSystem is not None:
            key = _add(groups, rel.RelatingSystem, name, _kind(rel.RelatingSystem))
            yield from (("serves", 0, place.id(), key, "") for place in rel.RelatedBuildings or ()
                        if place is not None and place.id() in known)
    for rel in by_type(file, "IfcRelReferencedInSpatialStructure"):
        place = rel.RelatingStructure
        if place is None or place.id() not in known:
            continue
        for thing in rel.RelatedElements or ():
            if thing is not None and thing.is_a("IfcSystem"):
                yield ("serves", 0, place.id(), _add(groups, thing, name, _kind(thing)), "")
            elif thing is not None and thing.id() in known:
                yield ("also in", thing.id(), place.id(), "", "")


def _between(file: ifcopenshell.file, known: set[int]) -> Iterator[RawRow]:
    """Element to element and element to room: what controls, fills, bounds, is joined."""
    for rel in by_type(file, "IfcRelFlowControlElements"):
        flow = rel.RelatingFlowElement
        yield from (("controls", c.id(), flow.id(), "", "") for c in rel.RelatedControlElements or ()
                    if c is not None and flow is not None and {c.id(), flow.id()} <= known)
    for rel in by_type(file, "IfcRelSpaceBoundary"):
        room, element = rel.RelatingSpace, rel.RelatedBuildingElement
        if room is not None and element is not None and {room.id(), element.id()} <= known:
            yield ("bounds", element.id(), room.id(), "", clean(rel.InternalOrExternalBoundary))
    for rel in by_type(file, "IfcRelFillsElement"):
        opening, element = rel.RelatingOpeningElement, rel.RelatedBuildingElement
        for voids in getattr(opening, "VoidsElements", None) or ():
            host = voids.RelatingBuildingElement
            if host is not None and element is not None and {host.id(), element.id()} <= known:
                yield ("fills", element.id(), host.id(), "", "")
    for rel in by_type(file, "IfcRelConnectsElements"):
        ends = (rel.RelatingElement, rel.RelatedElement)
        if all(e is not None and e.is_a("IfcDistributionElement") and e.id() in known for e in ends):
            yield ("connects", *sorted(e.id() for e in ends), "", "")


def _port_owners(file: ifcopenshell.file, known: set[int]) -> dict[int, int]:
    """The element that each port belongs to, by STEP id; nested in it (IFC4) or tied to it (IFC2X3)."""
    owner: dict[int, int] = {}
    for rel in by_type(file, "IfcRelConnectsPortToElement"):
        if rel.RelatingPort is not None and rel.RelatedElement is not None and rel.RelatedElement.id() in known:
            owner[rel.RelatingPort.id()] = rel.RelatedElement.id()
    for cls in ("IfcRelNests", "IfcRelAggregates"):
        for rel in by_type(file, cls):
            if rel.RelatingObject is not None and rel.RelatingObject.id() in known:
                for part in rel.RelatedObjects or ():
                    if part is not None and part.is_a("IfcPort"):
                        owner.setdefault(part.id(), rel.RelatingObject.id())
    return owner


def _systems_of(rows: set[RawRow]) -> dict[int, set[str]]:
    systems: dict[int, set[str]] = {}
    for kind, step, _, key, _ in rows:
        if kind == "system":
            systems.setdefault(step, set()).add(key)
    return systems


def _flow(file: ifcopenshell.file, name: str, owner: dict[int, int], systems: dict[int, set[str]],
          findings: list[Finding]) -> Iterator[RawRow]:
    """`feeds` where the ports say which way it flows, else `connects` (the lower STEP id first)."""
    connected: set[int] = set()
    against = 0
    for rel in by_type(file, "IfcRelConnectsPorts"):
        ports = rel.RelatingPort, rel.RelatedPort
        if any(p is None or p.id() not in owner for p in ports):
            continue
        connected.update(p.id() for p in ports)
        one, other = (owner[p.id()] for p in ports)
        if one == other:
            continue
        way = _way(*(p.FlowDirection for p in ports))
        against += way is None
        between = getattr(rel, "RealizingElement", None)
        chain = [one, between.id(), other] if between is not None and between.id() in owner.values() else [one, other]
        for a, b in itertools.pairwise(chain):
            if a != b:
                yield _link(a, b, way or 0, _shared(systems, a, b), _medium(ports))
    if against:
        findings.append(Finding(
            "warning", "connected ports both give or both take; which way it flows is left open", name,
            "set the flow direction of the connectors", against, code="ports.against"))
    loose = sum(p not in connected for p in owner)
    if loose and owner:
        findings.append(Finding("note", f"ports of {len(owner)} are connected to nothing", name,
                                "connect the ends of pipes and ducts, or cap them", loose, "ports.loose",
                                {"ports": str(len(owner))}))


def _link(a: int, b: int, way: int, system: str, medium: str) -> RawRow:
    if way == 0:
        return ("connects", min(a, b), max(a, b), system, medium)
    return ("feeds", a, b, system, medium) if way > 0 else ("feeds", b, a, system, medium)


def _way(one: str | None, other: str | None) -> int | None:
    """1 from one to the other, -1 back, 0 unsaid; None where the two contradict each other."""
    if one == other and one in (_OUT, _IN):
        return None
    if one == _OUT or other == _IN:
        return 1
    return -1 if one == _IN or other == _OUT else 0


def _shared(systems: dict[int, set[str]], a: int, b: int) -> str:
    both = systems.get(a, set()) & systems.get(b, set())
    return next(iter(both)) if len(both) == 1 else ""


def _medium(ports: tuple[Entity, ...]) -> str:
    for port in ports:
        value = clean(getattr(port, "SystemType", None))
        if value and value not in ("NOTDEFINED", "USERDEFINED"):
            return value
    return ""
