"""Property sets, quantities, types and materials as flat rows, read from the relations (never element by element)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import ifcopenshell
import ifcopenshell.util.unit

from models_bim.attributes import attribute
from models_bim.model import ATTRIBUTES
from models_bim.salvage import Salvage

Entity = ifcopenshell.entity_instance
#: (STEP id, property set, name, value, unit)
PropertyRow = tuple[int, str, str, str, str]
_Own = dict[tuple[str, str], tuple[str, str]]  # (set, name) → (value, unit)
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


def read_properties(file: ifcopenshell.file, steps: set[int], salvage: Salvage | None = None) -> list[PropertyRow]:
    """Rows for the entities named by STEP id, sorted; an entity's own value beats its type's.

    Values are as written in the file, with the unit they are written in.
    """
    sets = _Sets(file, salvage or Salvage(""))
    own: dict[int, _Own] = {}
    for rel in file.by_type("IfcRelDefinesByType"):
        if rel.RelatingType is not None:
            for pset in rel.RelatingType.HasPropertySets or ():
                _assign(own, sets.values(pset), rel.RelatedObjects, steps)
    for rel in file.by_type("IfcRelDefinesByProperties"):
        if rel.RelatingPropertyDefinition is not None:
            for pset in _definitions(rel.RelatingPropertyDefinition):
                _assign(own, sets.values(pset), rel.RelatedObjects or (), steps)
    for rel in file.by_type("IfcRelAssociatesMaterial"):
        material = _material(rel.RelatingMaterial)
        if material:
            _assign(own, [(ATTRIBUTES, "Material", material, "")], rel.RelatedObjects or (), steps)
    for step in steps:
        entity = file.by_id(step)
        if entity.is_a("IfcAlignment"):
            length = (_text(_alignment_length(entity)), sets.project_unit("LENGTHUNIT"))
            own.setdefault(step, {})["Alignment", "Length"] = length
        for name in ("Description", "ObjectType", "Tag"):
            value = attribute(entity, name)
            if value:
                own.setdefault(step, {})[ATTRIBUTES, name] = (str(value), "")
    # what is told already is let go: there are half a million of these in 60 MB of some files
    return [(step, *key, *said[key]) for step in sorted(own) for said in [own.pop(step)] for key in sorted(said)]


def _assign(
    own: dict[int, _Own],
    values: list[tuple[str, str, str, str]],
    related: tuple[Entity, ...],
    steps: set[int],
) -> None:
    for entity in related or ():
        step = entity.id() if entity is not None else 0
        if step in steps:
            said = own.setdefault(step, {})
            for pset, name, value, unit in values:
                said[sys.intern(pset), sys.intern(name)] = (value, unit)


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

    def __init__(self, file: ifcopenshell.file, salvage: Salvage) -> None:
        self._file, self._salvage = file, salvage
        self._texts: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._measures: dict[str, str] = {}
        self._symbols: dict[int, str] = {}

    def values(self, pset: Entity) -> list[tuple[str, str, str, str]]:
        """(set, name, value, unit) of one set or quantity set; empty for predefined sets."""
        name = pset.Name or pset.is_a()
        items = attribute(pset, "HasProperties") or attribute(pset, "Quantities") or ()
        return [(name, key, self._texts.setdefault(value, value), unit) for item in items
                for key, value, unit in self._salvage.each("properties", self._flatten(item, ""))]

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
            unit = ifcopenshell.util.unit.get_project_unit(self._file, unit_type) if unit_type else None
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
