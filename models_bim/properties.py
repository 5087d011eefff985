"""Property sets, quantities, types and materials as flat rows, read from the relations (never element by element)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import ifcopenshell
import ifcopenshell.util.unit

from models_bim.attributes import attribute
from models_bim.discipline import RawProperties
from models_bim.forks import in_forks
from models_bim.model import ATTRIBUTES
from models_bim.salvage import Salvage

Entity = ifcopenshell.entity_instance
#: (STEP id, property set, name, value, unit)
PropertyRow = tuple[int, str, str, str, str]
SETS_AT_A_TIME = 2000  # by all forks together
_QUANTITIES = {
    "IfcQuantityLength": "LENGTHUNIT",
    "IfcQuantityArea": "AREAUNIT",
    "IfcQuantityVolume": "VOLUMEUNIT",
    "IfcQuantityWeight": "MASSUNIT",
    "IfcQuantityTime": "TIMEUNIT",
    "IfcQuantityCount": "",
    "IfcQuantityNumber": "",
}


_CUSTOMARY = {
    f"{prefix}{name}": f"{sign}{power}"
    for name, sign in (("inch", "in"), ("foot", "ft"), ("yard", "yd"), ("mile", "mi"))
    for prefix, power in (("", ""), ("square ", "²"), ("cubic ", "³"))
}


def read_properties(file: ifcopenshell.file, steps: set[int], salvage: Salvage, *, forks: int = 1) -> RawProperties:
    """What is said of the entities named by STEP id; an entity's own value beats its type's.

    Values are as written in the file, with the unit they are written in.

    Args:
        forks: processes at a time that share the work where there is much of it (see `in_forks`).
    """
    told = _told(file, steps)
    materials = _materials(file, steps)

    def work(share: Sequence[int]) -> Iterator[tuple[RawProperties, Salvage]]:
        lost = Salvage("")
        sets = _Sets(file, lost, Counter(pset for step in share for pset in told.get(step, ())))
        rows = (row for step in share for row in _rows(sets, step, told.get(step, ()), materials))
        yield RawProperties.of(lost.each("its properties", rows)), lost

    shares = _shares(sorted(steps), told, SETS_AT_A_TIME // forks)
    done = list(in_forks(shares, forks, work))
    for _, lost in done:
        salvage.join(lost)
    return RawProperties.joined([part for part, _ in done])


def _told(file: ifcopenshell.file, steps: set[int]) -> dict[int, list[int]]:
    """STEP ids of the sets said of each entity; what is said later beats what is said before."""
    told: dict[int, list[int]] = {}
    for rel in file.by_type("IfcRelDefinesByType"):
        if rel.RelatingType is not None:
            _tell(told, rel.RelatingType.HasPropertySets or (), rel.RelatedObjects, steps)
    for rel in file.by_type("IfcRelDefinesByProperties"):
        if rel.RelatingPropertyDefinition is not None:
            _tell(told, _definitions(rel.RelatingPropertyDefinition), rel.RelatedObjects, steps)
    return told


def _tell(told: dict[int, list[int]], sets: Iterable[Entity], related: tuple[Entity, ...], steps: set[int]) -> None:
    said = [pset.id() for pset in sets if pset is not None]
    for entity in related or ():
        step = entity.id() if entity is not None else 0
        if step in steps:
            told.setdefault(step, []).extend(said)


def _materials(file: ifcopenshell.file, steps: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for rel in file.by_type("IfcRelAssociatesMaterial"):
        material = _material(rel.RelatingMaterial)
        for entity in (rel.RelatedObjects or ()) if material else ():
            if entity is not None and entity.id() in steps:
                found[entity.id()] = material
    return found


def _shares(steps: list[int], told: dict[int, list[int]], most_sets: int) -> list[list[int]]:
    """Steps in their order, cut where `most_sets` sets have been told of them: what is read of a file stays in memory
    until the process ends that asked for it."""
    shares: list[list[int]] = [[]]
    room = most_sets
    for step in steps:
        if room <= 0:
            shares.append([])
            room = most_sets
        shares[-1].append(step)
        room -= len(told.get(step, ()))
    return shares


def _rows(sets: _Sets, step: int, told: Sequence[int], materials: dict[int, str]) -> Iterator[PropertyRow]:
    said: dict[tuple[str, str], tuple[str, str]] = {}  # (set, name) → (value, unit)
    for pset in told:
        for name, key, value, unit in sets.values(pset):
            said[name, key] = (value, unit)
    if step in materials:
        said[ATTRIBUTES, "Material"] = (materials[step], "")
    entity = sets.file.by_id(step)
    if entity.is_a("IfcAlignment"):
        said["Alignment", "Length"] = (_text(_alignment_length(entity)), sets.project_unit("LENGTHUNIT"))
    for name in ("Description", "ObjectType", "Tag"):
        value = attribute(entity, name)
        if value:
            said[ATTRIBUTES, name] = (str(value), "")
    return ((step, *key, *said[key]) for key in sorted(said))


def _alignment_length(alignment: Entity) -> float:
    """Length along its horizontal segments, in the file's unit."""
    return sum(
        float(getattr(segment.DesignParameters, "SegmentLength", None) or 0.0)
        for nests in alignment.IsNestedBy or ()
        for layout in nests.RelatedObjects or ()
        if layout.is_a("IfcAlignmentHorizontal")
        for inner in layout.IsNestedBy or ()
        for segment in inner.RelatedObjects or ()
        if segment.is_a("IfcAlignmentSegment")
    )


def _definitions(definition: Entity) -> Iterator[Entity]:
    if definition.is_a("IfcPropertySetDefinitionSet"):
        yield from definition.wrappedValue
    else:
        yield definition


class _Sets:
    """Property sets of one file turned to text; the same text is kept once."""

    def __init__(self, file: ifcopenshell.file, salvage: Salvage, uses: Counter[int]) -> None:
        self.file, self._salvage, self._uses = file, salvage, uses
        self._shared: dict[int, list[tuple[str, str, str, str]]] = {}
        self._units: dict[str, str] = {}
        self._measures: dict[str, str] = {}
        self._symbols: dict[int, str] = {}

    def values(self, pset: int) -> list[tuple[str, str, str, str]]:
        """(set, name, value, unit) of one set or quantity set by its STEP id; empty for predefined sets."""
        if pset in self._shared:
            return self._shared[pset]
        entity = self.file.by_id(pset)
        name = entity.Name or entity.is_a()
        items = attribute(entity, "HasProperties") or attribute(entity, "Quantities") or ()
        found = [(name, *row) for item in items for row in self._salvage.each("properties", self._flatten(item, ""))]
        if self._uses[pset] > 1:
            self._shared[pset] = found
        return found

    def _flatten(self, item: Entity, prefix: str) -> Iterator[tuple[str, str, str]]:
        """Rows (name, value, unit) of a property; a file has so many that attributes are taken by their place."""
        cls, name = item.is_a(), f"{prefix}{item.get_argument(0) or ''}"
        if cls == "IfcPropertySingleValue":
            value = item.get_argument(2)
            if value is not None:
                yield name, _text(value.get_argument(0)), self._unit_of(item.get_argument(3), value.is_a())
        elif cls in _QUANTITIES:
            value, unit = item.get_argument(3), item.get_argument(2)
            if value is not None:
                yield name, _text(value), self._symbol_of(unit) if unit else self.project_unit(_QUANTITIES[cls])
        elif item.is_a("IfcComplexProperty") or item.is_a("IfcPhysicalComplexQuantity"):
            for part in attribute(item, "HasProperties") or attribute(item, "HasQuantities") or ():
                yield from self._flatten(part, f"{name}.")
        elif item.is_a("IfcPropertyEnumeratedValue"):
            yield name, ", ".join(_text(v.wrappedValue) for v in item.EnumerationValues or ()), ""
        elif item.is_a("IfcPropertyListValue"):
            yield name, ", ".join(_text(v.wrappedValue) for v in item.ListValues or ()), ""
        elif item.is_a("IfcPropertyBoundedValue"):
            low, high = (v.wrappedValue if v is not None else "" for v in (item.LowerBoundValue, item.UpperBoundValue))
            yield name, f"{_text(low)} … {_text(high)}", self._unit_of(attribute(item, "Unit"), "")

    def _unit_of(self, unit: Entity | None, measure: str) -> str:
        if unit is not None:
            return self._symbol_of(unit)
        if measure not in self._measures:
            kind = ifcopenshell.util.unit.get_measure_unit_type(measure) if measure.endswith("Measure") else ""  # type: ignore[arg-type]
            self._measures[measure] = self.project_unit(kind)
        return self._measures[measure]

    def _symbol_of(self, unit: Entity) -> str:
        if unit.id() not in self._symbols:
            self._symbols[unit.id()] = _symbol(unit)
        return self._symbols[unit.id()]

    def project_unit(self, unit_type: str) -> str:
        """Symbol of the file's own unit of a kind; "" where it names none."""
        if unit_type not in self._units:
            unit = ifcopenshell.util.unit.get_project_unit(self.file, unit_type) if unit_type else None
            self._units[unit_type] = _symbol(unit) if unit is not None else ""
        return self._units[unit_type]


def _symbol(unit: Entity) -> str:
    if unit.is_a("IfcMonetaryUnit"):
        return str(unit.Currency)
    if unit.is_a("IfcConversionBasedUnit"):  # exporters shout it (FOOT), and square feet have no sign in the library
        name = " ".join((unit.Name or "").replace("_", " ").casefold().split())
        return _CUSTOMARY.get(name) or ifcopenshell.util.unit.unit_symbols.get(name) or name
    return str(ifcopenshell.util.unit.get_unit_symbol(unit) or "")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value)


def _material(material: Entity | None) -> str:
    if material is None:
        return ""
    if material.is_a("IfcMaterial"):
        return material.Name or ""
    for usage in ("ForLayerSet", "ForProfileSet"):
        if attribute(material, usage) is not None:
            return _material(attribute(material, usage))
    for several in ("MaterialLayers", "MaterialProfiles", "MaterialConstituents", "Materials"):
        parts = attribute(material, several)
        if parts:
            names = [_material(part if part.is_a("IfcMaterial") else part.Material) for part in parts]
            return ", ".join(dict.fromkeys(n for n in names if n))
    inner = attribute(material, "Material")
    return _material(inner) if inner is not None else ""
