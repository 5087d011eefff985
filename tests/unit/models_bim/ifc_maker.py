"""Small IFC files made entity by entity, so that a test can be wrong in exactly one way."""

from __future__ import annotations

from pathlib import Path

import ifcopenshell
import ifcopenshell.guid

UNITS = {"m": 1.0, "mm": 0.001, "ft": 0.3048, "inch": 0.0254}
Entity = ifcopenshell.entity_instance
Triple = tuple[float, float, float]


class Maker:
    """A project with one site and one building. Lengths given here are metres; the file is written in `unit`."""

    def __init__(self, schema: str = "IFC4", unit: str = "m", building: str = "Tower") -> None:
        self.file = ifcopenshell.file(schema=schema)
        self.metres = UNITS[unit]
        self._count = 0
        self.model = self.new(
            "IfcGeometricRepresentationContext",
            ContextType="Model",
            CoordinateSpaceDimension=3,
            Precision=1e-5,
            WorldCoordinateSystem=self.frame((0, 0, 0)),
        )
        body = {"ContextIdentifier": "Body", "ContextType": "Model", "ParentContext": self.model, "TargetView": "MODEL_VIEW"}
        self.body = self.new("IfcGeometricRepresentationSubContext", **body)
        self.project = self.root(
            "IfcProject", Name="P", RepresentationContexts=[self.model], UnitsInContext=self._units(unit)
        )
        self.site = self.root("IfcSite", Name="S", ObjectPlacement=self.place((0, 0, 0)))
        self.building = self.root("IfcBuilding", Name=building, ObjectPlacement=self.place((0, 0, 0)))
        self.aggregate(self.project, [self.site])
        self.aggregate(self.site, [self.building])

    def new(self, cls: str, *values: object, **attributes: object) -> Entity:
        given = {k: v for k, v in attributes.items() if v is not None}  # setting a null poisons the kernel's setter
        return self.file.create_entity(cls, *values, **given)

    def root(self, cls: str, guid: str | None = "", **attributes: object) -> Entity:
        """A rooted entity; guid "" makes the next of a fixed series, None leaves it null."""
        self._count += 1
        if guid == "":
            guid = ifcopenshell.guid.compress(f"{self._count:032x}")
        return self.new(cls, GlobalId=guid, **attributes)

    def point(self, at: Triple) -> Entity:
        return self.new("IfcCartesianPoint", Coordinates=[float(v) / self.metres for v in at])

    def frame(self, at: Triple) -> Entity:
        return self.new("IfcAxis2Placement3D", Location=self.point(at))

    def place(self, at: Triple) -> Entity:
        return self.new("IfcLocalPlacement", RelativePlacement=self.frame(at))

    def aggregate(self, whole: Entity, parts: list[Entity]) -> None:
        self.root("IfcRelAggregates", RelatingObject=whole, RelatedObjects=parts)

    def contain(self, container: Entity, elements: list[Entity]) -> None:
        self.root("IfcRelContainedInSpatialStructure", RelatingStructure=container, RelatedElements=elements)

    def storey(self, name: str, elevation: float | None, *, z: float | None = None) -> Entity:
        """A storey; its placement stands at z, by default at its elevation."""
        at = (0.0, 0.0, z if z is not None else elevation or 0.0)
        storey = self.root(
            "IfcBuildingStorey",
            Name=name,
            ObjectPlacement=self.place(at),
            Elevation=None if elevation is None else elevation / self.metres,
        )
        self.aggregate(self.building, [storey])
        return storey

    def shape(self, size: Triple) -> Entity:
        """A box on the xy plane with a corner at the origin."""
        profile = self.new(
            "IfcRectangleProfileDef",
            ProfileType="AREA",
            XDim=size[0] / self.metres,
            YDim=size[1] / self.metres,
            Position=self.new(
                "IfcAxis2Placement2D",
                Location=self.new("IfcCartesianPoint", Coordinates=[size[0] / 2 / self.metres, size[1] / 2 / self.metres]),
            ),
        )
        solid = self.new(
            "IfcExtrudedAreaSolid",
            SweptArea=profile,
            Position=self.frame((0, 0, 0)),
            Depth=size[2] / self.metres,
            ExtrudedDirection=self.new("IfcDirection", DirectionRatios=[0.0, 0.0, 1.0]),
        )
        shape = self.new(
            "IfcShapeRepresentation",
            ContextOfItems=self.body,
            RepresentationIdentifier="Body",
            RepresentationType="SweptSolid",
            Items=[solid],
        )
        return self.new("IfcProductDefinitionShape", Representations=[shape])

    def box(
        self, cls: str, at: Triple, size: Triple, into: Entity | None = None, *, guid: str | None = "", **attributes: object
    ) -> Entity:
        """A product with a box for a body, contained in `into` (a space is aggregated instead)."""
        product = self.root(cls, guid, ObjectPlacement=self.place(at), Representation=self.shape(size), **attributes)
        if into is not None and cls == "IfcSpace":
            self.aggregate(into, [product])
        elif into is not None:
            self.contain(into, [product])
        return product

    def opening(self, host: Entity, at: Triple, size: Triple, filling: Entity | None = None) -> Entity:
        opening = self.box("IfcOpeningElement", at, size)
        self.root("IfcRelVoidsElement", RelatingBuildingElement=host, RelatedOpeningElement=opening)
        if filling is not None:
            self.root("IfcRelFillsElement", RelatingOpeningElement=opening, RelatedBuildingElement=filling)
        return opening

    def properties(self, entity: Entity, name: str, values: dict[str, Entity]) -> None:
        properties = [self.new("IfcPropertySingleValue", Name=k, NominalValue=v) for k, v in values.items()]
        pset = self.root("IfcPropertySet", Name=name, HasProperties=properties)
        self.root("IfcRelDefinesByProperties", RelatedObjects=[entity], RelatingPropertyDefinition=pset)

    def write(self, path: Path) -> Path:
        path.write_text(self.file.to_string(), encoding="ascii")
        return path

    def _units(self, unit: str) -> Entity:
        metre = self.new("IfcSIUnit", UnitType="LENGTHUNIT", Prefix="MILLI" if unit == "mm" else None, Name="METRE")
        if unit not in ("ft", "inch"):
            return self.new("IfcUnitAssignment", Units=[metre])
        own = [
            self._converted(kind, f"{prefix}{name}", self._si(kind), UNITS[unit] ** power, power)
            for kind, prefix, power in (("LENGTHUNIT", "", 1), ("AREAUNIT", "square ", 2), ("VOLUMEUNIT", "cubic ", 3))
            for name in ["FOOT" if unit == "ft" and power == 1 else "foot" if unit == "ft" else "inch"]
        ]
        return self.new("IfcUnitAssignment", Units=own)

    def _si(self, kind: str) -> Entity:
        return self.new("IfcSIUnit", UnitType=kind, Name={"L": "METRE", "A": "SQUARE_METRE", "V": "CUBIC_METRE"}[kind[0]])

    def _converted(self, kind: str, name: str, base: Entity, factor: float, power: int) -> Entity:
        nothing = self.new("IfcDimensionalExponents", power, 0, 0, 0, 0, 0, 0)
        measure = {"L": "IfcLengthMeasure", "A": "IfcAreaMeasure", "V": "IfcVolumeMeasure"}[kind[0]]
        times = self.new("IfcMeasureWithUnit", ValueComponent=self.new(measure, factor), UnitComponent=base)
        return self.new("IfcConversionBasedUnit", Dimensions=nothing, UnitType=kind, Name=name, ConversionFactor=times)


def two_rooms(maker: Maker) -> dict[str, Entity]:
    """Two storeys of 3 m: below, two rooms with a door between and one to the outside; above, one room; a stair."""
    ground, upper = maker.storey("L1", 0.0), maker.storey("L2", 3.0)
    made = {"L1": ground, "L2": upper}
    made["hall"] = maker.box("IfcSpace", (0.2, 0.2, 0), (5.7, 5.6, 2.8), ground, Name="101", LongName="Hall")
    made["office"] = maker.box("IfcSpace", (6.1, 0.2, 0), (3.7, 5.6, 2.8), ground, Name="102", LongName="Office")
    made["loft"] = maker.box("IfcSpace", (0.2, 0.2, 3), (9.6, 5.6, 2.8), upper, Name="201", LongName="Loft")
    made["wall"] = maker.box("IfcWall", (5.9, 0, 0), (0.2, 6, 2.8), ground, Name="Inner wall")
    made["front"] = maker.box("IfcWall", (0, 0, 0), (10, 0.2, 2.8), ground, Name="Front wall")
    made["inner door"] = maker.box("IfcDoor", (5.95, 2.5, 0), (0.1, 0.9, 2.1), ground, Name="Inner door")
    made["front door"] = maker.box("IfcDoor", (1.5, 0.05, 0), (0.9, 0.1, 2.1), ground, Name="Front door")
    made["stair"] = maker.box("IfcStair", (1, 4, 0), (3, 1.2, 3), ground, Name="Stair")
    made["desk"] = maker.box("IfcFurniture", (7, 3, 0), (1.6, 0.8, 0.75), ground, Name="Desk")
    return made
