"""Types, materials and classifications of one file as groups, and which things have them."""

from __future__ import annotations

from collections.abc import Iterator

import ifcopenshell
import ifcopenshell.util.unit

from models_bim.discipline import RawRow
from models_bim.model import Group
from models_bim.salvage import Salvage

Entity = ifcopenshell.entity_instance
_PARTS = ("MaterialLayers", "MaterialProfiles", "MaterialConstituents", "Materials")
_MOST_DEPTH = 20  # references inside references: more is a loop in the file


class Associations:
    """Reads the three kinds of association; what a type says holds for things that say nothing themselves.

    Args:
        known: STEP ids of what the file is known to hold.
        groups: filled by key: types by GlobalId, `material:<name>`, `class:<system>:<code>`.
    """

    def __init__(self, file: ifcopenshell.file, name: str, known: set[int], groups: dict[str, Group]) -> None:
        self._file, self._name, self._known, self._groups = file, name, known, groups
        self._of_type: dict[int, list[int]] = {}
        self._length = ""

    def rows(self, salvage: Salvage) -> Iterator[RawRow]:
        """Relations `type`, `material` and `classification`."""
        yield from salvage.each("types", self._types())
        yield from salvage.each("materials", self._inherited(
            "IfcRelAssociatesMaterial", "RelatingMaterial", self._materials, "material"))
        yield from salvage.each("classes", self._inherited(
            "IfcRelAssociatesClassification", "RelatingClassification", self._codes, "classification"))

    def _types(self) -> Iterator[RawRow]:
        for rel in sorted(self._file.by_type("IfcRelDefinesByType"), key=lambda r: int(r.id())):
            kind = rel.RelatingType
            if kind is None:
                continue
            key = str(kind.GlobalId or f"{self._name}#{kind.id()}")
            self._groups.setdefault(key, Group(
                key=key, kind="type", cls=kind.is_a(), name=_clean(kind.Name), label=_clean(kind.Description),
                predefined=_clean(getattr(kind, "PredefinedType", None))))
            for thing in rel.RelatedObjects or ():
                if thing is not None and thing.id() in self._known:
                    self._of_type.setdefault(kind.id(), []).append(thing.id())
                    yield ("type", thing.id(), 0, key, "")

    def _inherited(self, cls: str, attribute: str, keys: object, relation: str) -> Iterator[RawRow]:
        own: dict[int, list[tuple[str, str]]] = {}
        by_type: dict[int, list[tuple[str, str]]] = {}
        for rel in sorted(self._file.by_type(cls), key=lambda r: int(r.id())):
            told = list(keys(getattr(rel, attribute)))  # type: ignore[operator]
            for thing in rel.RelatedObjects or ():
                if thing is None:
                    continue
                if thing.id() in self._known:
                    own.setdefault(thing.id(), []).extend(told)
                elif thing.id() in self._of_type:
                    by_type.setdefault(thing.id(), []).extend(told)
        for kind, told in by_type.items():
            for thing in self._of_type[kind]:
                own.setdefault(thing, told)
        for thing, pairs in own.items():
            yield from ((relation, thing, 0, key, value) for key, value in pairs)

    def _materials(self, material: Entity | None, value: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
        """(group key, thickness or part) of every material in a set, list or usage."""
        if material is None or depth > _MOST_DEPTH:
            return
        if material.is_a("IfcMaterial"):
            name = _clean(material.Name)
            if name:
                key = f"material:{name}"
                self._groups.setdefault(key, Group(key=key, kind="material", cls="IfcMaterial", name=name,
                                                   label=_clean(getattr(material, "Category", None))))
                yield key, value
            return
        for attribute in ("ForLayerSet", "ForProfileSet", *_PARTS, "Material"):
            inner = getattr(material, attribute, None)
            for part in inner if isinstance(inner, tuple) else (inner,):
                if part is not None:
                    yield from self._materials(part, self._part(part) or value, depth + 1)

    def _part(self, part: Entity) -> str:
        thickness = getattr(part, "LayerThickness", None)
        if thickness is not None:
            return f"{thickness:.6g} {self._unit()}".strip()
        return _clean(getattr(part, "Name", None)) if part.is_a("IfcMaterialConstituent") else ""

    def _unit(self) -> str:
        if not self._length:
            unit = ifcopenshell.util.unit.get_project_unit(self._file, "LENGTHUNIT")
            self._length = str(ifcopenshell.util.unit.get_unit_symbol(unit) or "") if unit is not None else " "
        return self._length

    def _codes(self, reference: Entity | None) -> Iterator[tuple[str, str]]:
        if reference is None:
            return
        key = self._code(reference, 0)
        if key:
            yield key, ""

    def _code(self, reference: Entity, depth: int) -> str:
        """The group of a classification reference, its ancestors added; "" where it says nothing."""
        if depth > _MOST_DEPTH:
            return ""
        if reference.is_a("IfcClassification"):
            name = _clean(reference.Name)
            return self._add_code(f"class:{name}", name, _clean(reference.Source), "", reference.is_a()) if name else ""
        if reference.is_a("IfcClassificationNotation"):
            code = ".".join(_clean(f.NotationValue) for f in reference.NotationFacets or ())
            return self._add_code(f"class::{code}", code, "", "", reference.is_a()) if code else ""
        code = _clean(getattr(reference, "Identification", None) or getattr(reference, "ItemReference", None))
        label = _clean(reference.Name)
        above = self._code(reference.ReferencedSource, depth + 1) if reference.ReferencedSource is not None else ""
        if not (code or label):
            return above
        system = self._system(reference, 0)
        name = code or label
        return self._add_code(f"class:{system}:{name}", name, label if code else "", above, reference.is_a())

    def _system(self, reference: Entity, depth: int) -> str:
        source = getattr(reference, "ReferencedSource", None)
        if source is None or depth > _MOST_DEPTH:
            return ""
        return _clean(source.Name) if source.is_a("IfcClassification") else self._system(source, depth + 1)

    def _add_code(self, key: str, name: str, label: str, parent: str, cls: str) -> str:
        self._groups.setdefault(key, Group(key=key, kind="classification", cls=cls, name=name, label=label, parent=parent))
        return key


def _clean(text: object) -> str:
    return " ".join(str(text).split()) if text else ""
