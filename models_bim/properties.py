"""Property sets, quantities, types and materials as flat rows, read from the relations (never element by element)."""

from __future__ import annotations

from collections.abc import Iterator

import ifcopenshell
import ifcopenshell.util.unit

from models_bim.model import ATTRIBUTES

Entity = ifcopenshell.entity_instance
#: (STEP id, property set, name, value, unit)
PropertyRow = tuple[int, str, str, str, str]
_QUANTITIES = {
    "LengthValue": "LENGTHUNIT",
    "AreaValue": "AREAUNIT",
    "VolumeValue": "VOLUMEUNIT",
    "WeightValue": "MASSUNIT",
    "TimeValue": "TIMEUNIT",
    "CountValue": "",
    "NumberValue": "",
}


def read_properties(file: ifcopenshell.file, steps: set[int]) -> list[PropertyRow]:
    """Rows for the entities named by STEP id, sorted; an entity's own value beats its type's.

    Values are as written in the file, with the unit they are written in.
    """
    sets = _Sets(file)
    own: dict[tuple[int, str, str], tuple[str, str]] = {}
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
        for name in ("Description", "ObjectType", "Tag"):
            value = getattr(entity, name, None)
            if value:
                own[step, ATTRIBUTES, name] = (str(value), "")
    return sorted((*key, *value) for key, value in own.items())


def _assign(
    own: dict[tuple[int, str, str], tuple[str, str]],
    values: list[tuple[str, str, str, str]],
    related: tuple[Entity, ...],
    steps: set[int],
) -> None:
    for entity in related or ():
        if entity is not None and entity.id() in steps:
            for pset, name, value, unit in values:
                own[entity.id(), pset, name] = (value, unit)


def _definitions(definition: Entity) -> Iterator[Entity]:
    if definition.is_a("IfcPropertySetDefinitionSet"):
        yield from definition.wrappedValue
    else:
        yield definition


class _Sets:
    """Property sets of one file, each turned to text once however many elements share it."""

    def __init__(self, file: ifcopenshell.file) -> None:
        self._file = file
        self._done: dict[int, list[tuple[str, str, str, str]]] = {}
        self._units: dict[str, str] = {}

    def values(self, pset: Entity) -> list[tuple[str, str, str, str]]:
        """(set, name, value, unit) of one set or quantity set; empty for predefined sets."""
        if pset.id() not in self._done:
            name = pset.Name or pset.is_a()
            items = getattr(pset, "HasProperties", None) or getattr(pset, "Quantities", None) or ()
            self._done[pset.id()] = [(name, *row) for item in items for row in self._flatten(item, "")]
        return self._done[pset.id()]

    def _flatten(self, item: Entity, prefix: str) -> Iterator[tuple[str, str, str]]:
        name = f"{prefix}{item.Name or ''}"
        if item.is_a("IfcComplexProperty") or item.is_a("IfcPhysicalComplexQuantity"):
            for part in getattr(item, "HasProperties", None) or getattr(item, "HasQuantities", None) or ():
                yield from self._flatten(part, f"{name}.")
        elif item.is_a("IfcPropertySingleValue"):
            if item.NominalValue is not None:
                yield name, _text(item.NominalValue.wrappedValue), self._unit(item, item.NominalValue.is_a())
        elif item.is_a("IfcPhysicalSimpleQuantity"):
            for attribute, unit_type in _QUANTITIES.items():
                value = getattr(item, attribute, None)
                if value is not None:
                    yield name, _text(value), _symbol(item.Unit) if item.Unit else self._project_unit(unit_type)
        elif item.is_a("IfcPropertyEnumeratedValue"):
            yield name, ", ".join(_text(v.wrappedValue) for v in item.EnumerationValues or ()), ""
        elif item.is_a("IfcPropertyListValue"):
            yield name, ", ".join(_text(v.wrappedValue) for v in item.ListValues or ()), ""
        elif item.is_a("IfcPropertyBoundedValue"):
            low, high = (v.wrappedValue if v is not None else "" for v in (item.LowerBoundValue, item.UpperBoundValue))
            yield name, f"{_text(low)} … {_text(high)}", self._unit(item, "")

    def _unit(self, item: Entity, measure: str) -> str:
        if getattr(item, "Unit", None) is not None:
            return _symbol(item.Unit)
        if not measure.endswith("Measure"):
            return ""
        return self._project_unit(ifcopenshell.util.unit.get_measure_unit_type(measure))  # type: ignore[arg-type]

    def _project_unit(self, unit_type: str) -> str:
        if unit_type not in self._units:
            unit = ifcopenshell.util.unit.get_project_unit(self._file, unit_type) if unit_type else None
            self._units[unit_type] = _symbol(unit) if unit is not None else ""
        return self._units[unit_type]


def _symbol(unit: Entity) -> str:
    if unit.is_a("IfcMonetaryUnit"):
        return str(unit.Currency)
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
    for attribute in ("ForLayerSet", "ForProfileSet"):
        if getattr(material, attribute, None) is not None:
            return _material(getattr(material, attribute))
    for attribute in ("MaterialLayers", "MaterialProfiles", "MaterialConstituents", "Materials"):
        parts = getattr(material, attribute, None)
        if parts:
            names = [_material(part if part.is_a("IfcMaterial") else part.Material) for part in parts]
            return ", ".join(dict.fromkeys(n for n in names if n))
    inner = getattr(material, "Material", None)
    return _material(inner) if inner is not None else ""
