"""Writes IFC4 entities with little ceremony: one `Model` a file, every geometry once and placed by map."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import ifcopenshell
import ifcopenshell.guid

from assets.demo.catalogue import STYLES
from assets.demo.meshes import Mesh

Entity = ifcopenshell.entity_instance
_NAMESPACE = uuid.UUID("6f1d5a52-8c0b-5e0e-9d0c-7a9b1f3c2e11")
TIME_STAMP = "2026-01-05T09:00:00"


def guid_of(building: str, key: str) -> str:
    """The IFC GlobalId that a key has in a building, the same in every generation."""
    return ifcopenshell.guid.compress(uuid.uuid5(_NAMESPACE, f"{building}/{key}").hex)


class Model:
    """One IFC4 file under construction, in metres, for one building of the sample park."""

    def __init__(self, building: str) -> None:
        self.building = building
        self.file = ifcopenshell.file(schema="IFC4")
        self._new = self.file.create_entity
        self._points: dict[tuple[float, ...], Entity] = {}
        self._directions: dict[tuple[float, ...], Entity] = {}
        self._axes: dict[tuple, Entity] = {}
        self._styles: dict[str, Entity] = {}
        self._maps: dict[object, Entity] = {}
        self._types: dict[str, tuple[Entity, list[Entity]]] = {}
        self._contained: dict[int, tuple[Entity, list[Entity]]] = {}
        self._psets: dict[tuple, tuple[Entity, list[Entity]]] = {}
        self.storey_heights: dict[str, float] = {}
        self._context()

    # -- once a file ---------------------------------------------------------------------------------------------

    def _context(self) -> None:
        new = self._new
        self.origin = self.axes((0.0, 0.0, 0.0))
        self.model = new("IfcGeometricRepresentationContext", None, "Model", 3, 1e-5, self.origin, None)
        self.body = new(
            "IfcGeometricRepresentationSubContext",
            "Body",
            "Model",
            None,
            None,
            None,
            None,
            self.model,
            None,
            "MODEL_VIEW",
            None,
        )
        units = [
            new("IfcSIUnit", None, kind, None, name)
            for kind, name in (
                ("LENGTHUNIT", "METRE"),
                ("AREAUNIT", "SQUARE_METRE"),
                ("VOLUMEUNIT", "CUBIC_METRE"),
                ("PLANEANGLEUNIT", "RADIAN"),
            )
        ]
        self.units = new("IfcUnitAssignment", units)

    # -- shared small things -------------------------------------------------------------------------------------

    def point(self, *xyz: float) -> Entity:
        """A shared cartesian point."""
        key = tuple(round(float(v), 4) for v in xyz)
        if key not in self._points:
            self._points[key] = self._new("IfcCartesianPoint", key)
        return self._points[key]

    def direction(self, *xyz: float) -> Entity:
        """A shared direction."""
        key = tuple(round(float(v), 9) for v in xyz)
        if key not in self._directions:
            self._directions[key] = self._new("IfcDirection", key)
        return self._directions[key]

    def axes(
        self, at: Sequence[float], x_axis: Sequence[float] | None = None, z_axis: Sequence[float] = (0.0, 0.0, 1.0)
    ) -> Entity:
        """A shared placement frame: origin, its x axis and its z axis."""
        key = (
            tuple(round(float(v), 4) for v in at),
            None if x_axis is None else tuple(round(float(v), 9) for v in x_axis),
            tuple(z_axis),
        )
        if key not in self._axes:
            place = self.point(*at)
            turned = x_axis is not None
            self._axes[key] = self._new(
                "IfcAxis2Placement3D",
                place,
                self.direction(*z_axis) if turned else None,
                self.direction(*x_axis) if x_axis is not None else None,
            )
        return self._axes[key]

    def style(self, key: str) -> Entity:
        """The surface style of a palette key."""
        if key not in self._styles:
            red, green, blue, opacity = STYLES[key]
            colour = self._new("IfcColourRgb", None, red / 255, green / 255, blue / 255)
            shading = self._new(
                "IfcSurfaceStyleRendering",
                colour,
                round(1.0 - opacity, 3),
                None,
                None,
                None,
                None,
                None,
                None,
                "NOTDEFINED",
            )
            self._styles[key] = self._new("IfcSurfaceStyle", key, "BOTH", [shading])
        return self._styles[key]

    # -- geometry ------------------------------------------------------------------------------------------------

    def mesh(self, mesh: Mesh) -> Entity:
        """A triangulated face set."""
        points = self._new("IfcCartesianPointList3D", mesh.points)
        return self._new(
            "IfcTriangulatedFaceSet", points, None, None, [tuple(i + 1 for i in t) for t in mesh.triangles], None
        )

    def _curve(self, ring: Iterable[tuple[float, float]]) -> Entity:
        points = [(round(x, 4), round(y, 4)) for x, y in ring]
        return self._new("IfcIndexedPolyCurve", self._new("IfcCartesianPointList2D", [*points, points[0]]), None, None)

    def extrusion(
        self,
        outline: Sequence[tuple[float, float]],
        voids: Sequence[Sequence[tuple[float, float]]],
        axes: Entity,
        depth: float,
    ) -> Entity:
        """A profile with holes drawn along its frame's z axis."""
        outer = self._curve(outline)
        if voids:
            profile = self._new("IfcArbitraryProfileDefWithVoids", "AREA", None, outer, [self._curve(v) for v in voids])
        else:
            profile = self._new("IfcArbitraryClosedProfileDef", "AREA", None, outer)
        return self._new("IfcExtrudedAreaSolid", profile, axes, self.direction(0.0, 0.0, 1.0), depth)

    def shape_map(self, key: object, items: Sequence[tuple[str | None, Entity]], kind: str) -> Entity:
        """A representation map under a key; call only when `has_map(key)` is False."""
        for style, item in items:
            if style:
                self._new("IfcStyledItem", item, [self.style(style)], None)
        shape = self._new("IfcShapeRepresentation", self.body, "Body", kind, [item for _, item in items])
        self._maps[key] = self._new("IfcRepresentationMap", self.origin, shape)
        return self._maps[key]

    def map_of(self, key: object) -> Entity | None:
        """The map made earlier under this key."""
        return self._maps.get(key)

    def mesh_map(self, key: object, parts: Sequence[tuple[str, Mesh]]) -> Entity:
        """The map of coloured meshes, made once."""
        return self._maps.get(key) or self.shape_map(key, [(s, self.mesh(m)) for s, m in parts if m.points], "Tessellation")

    def _mapped_shape(self, source: Entity) -> Entity:
        if not hasattr(self, "_identity"):
            self._identity = self._new(
                "IfcCartesianTransformationOperator3D", None, None, self.point(0.0, 0.0, 0.0), None, None
            )
        item = self._new("IfcMappedItem", source, self._identity)
        shape = self._new("IfcShapeRepresentation", self.body, "Body", "MappedRepresentation", [item])
        return self._new("IfcProductDefinitionShape", None, None, [shape])

    # -- things --------------------------------------------------------------------------------------------------

    def placement(self, parent: Entity | None, at: Sequence[float], turn: tuple[float, float] | None = None) -> Entity:
        """A local placement: metres in the parent's frame, x axis along `turn`."""
        return self._new("IfcLocalPlacement", parent, self.axes(at, None if turn is None else (turn[0], turn[1], 0.0)))

    def product(
        self,
        cls: str,
        key: str,
        name: str | None,
        place: Entity,
        source: Entity | None,
        *rest: object,
        description: str | None = None,
        object_type: str | None = None,
    ) -> Entity:
        """A product whose geometry is a map; `rest` are the attributes after Representation."""
        shape = self._mapped_shape(source) if source is not None else None
        return self._new(cls, guid_of(self.building, key), None, name, description, object_type, place, shape, *rest)

    def contain(self, storey: Entity, product: Entity) -> Entity:
        """Remember that a product stands in a storey (or space); written by `finish`."""
        self._contained.setdefault(storey.id(), (storey, []))[1].append(product)
        return product

    def aggregate(self, whole: Entity, parts: Sequence[Entity], key: str) -> None:
        """Whole and its parts."""
        self._new("IfcRelAggregates", guid_of(self.building, f"agg/{key}"), None, None, None, whole, list(parts))

    def typed(self, key: str, cls: str, name: str, source: Entity | None, predefined: str | None, product: Entity) -> None:
        """Remember that a product is of a type; the type is made at its first use."""
        if key not in self._types:
            self._types[key] = (self._make_type(key, cls, name, source, predefined), [])
        self._types[key][1].append(product)

    def _make_type(self, key: str, cls: str, name: str, source: Entity | None, predefined: str | None) -> Entity:
        base = (guid_of(self.building, f"type/{key}"), None, name, None, None, None, [source] if source else None, key)
        if cls == "IfcWindowType":
            return self._new(cls, *base, None, "WINDOW", "SINGLE_PANEL", None, None)
        if cls == "IfcDoorType":
            return self._new(cls, *base, None, "DOOR", "SINGLE_SWING_RIGHT", None, None)
        if cls == "IfcFurnitureType":
            return self._new(cls, *base, None, "NOTDEFINED", predefined or "NOTDEFINED")
        if cls == "IfcBuildingElementProxyType":
            return self._new(cls, *base, "Production cell", "USERDEFINED")
        return self._new(cls, *base, "FCU" if predefined == "USERDEFINED" else None, predefined or "NOTDEFINED")

    def properties(self, pset: str, values: dict[str, object], thing: Entity) -> None:
        """A property set; things with the same values share one."""
        key = (pset, tuple(values.items()))
        if key not in self._psets:
            kinds = {bool: "IfcBoolean", float: "IfcReal", int: "IfcInteger", str: "IfcLabel"}
            props = [
                self._new("IfcPropertySingleValue", n, None, self._new(kinds[type(v)], v), None) for n, v in values.items()
            ]
            body = self._new("IfcPropertySet", guid_of(self.building, f"pset/{key}"), None, pset, None, props)
            self._psets[key] = (body, [])
        self._psets[key][1].append(thing)

    def quantities(self, qto: str, areas: dict[str, float], lengths: dict[str, float], thing: Entity, key: str) -> None:
        """A quantity set of one thing: square metres and metres."""
        parts = [self._new("IfcQuantityArea", n, None, None, round(v, 3), None) for n, v in areas.items()]
        parts += [self._new("IfcQuantityLength", n, None, None, round(v, 3), None) for n, v in lengths.items()]
        body = self._new("IfcElementQuantity", guid_of(self.building, f"qto/{key}"), None, qto, None, None, parts)
        self._new("IfcRelDefinesByProperties", guid_of(self.building, f"qtorel/{key}"), None, None, None, [thing], body)

    def finish(self, path: Path) -> None:
        """Write the relations that were collected, and the file."""
        for storey, products in self._contained.values():
            self._new(
                "IfcRelContainedInSpatialStructure",
                guid_of(self.building, f"in/{storey.GlobalId}"),
                None,
                None,
                None,
                products,
                storey,
            )
        for key, (kind, products) in self._types.items():
            self._new("IfcRelDefinesByType", guid_of(self.building, f"typerel/{key}"), None, None, None, products, kind)
        for number, (body, things) in enumerate(self._psets.values()):
            self._new(
                "IfcRelDefinesByProperties", guid_of(self.building, f"psetrel/{number}"), None, None, None, things, body
            )
        self.file.header.file_description.description = ("ViewDefinition [ReferenceView_V1.2]",)
        self.file.header.file_name.name = path.name
        self.file.header.file_name.time_stamp = TIME_STAMP
        self.file.header.file_name.author = ("Parktwin",)
        self.file.header.file_name.organization = ("Parktwin",)
        self.file.header.file_name.originating_system = "Parktwin sample park"
        self.file.header.file_name.preprocessor_version = "Parktwin sample park"
        self.file.header.file_name.authorization = "none"
        self.file.write(str(path))
