"""A compiled park, or a part of it, as IFC4: the spatial tree with our ids in a property set on everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.guid
import numpy as np

from scenes.bodies import bodies
from scenes.export import below, read_manifest, told
from scenes.store import open_graph
from twin.graph import SceneGraph

PSET = "Parktwin"
_HOLDERS = {"building": "IfcBuilding", "storey": "IfcBuildingStorey", "space": "IfcSpace"}


def write_ifc(build: Path, target: Path, node_id: str = "park") -> int:
    """Write IFC4 with bodies as triangles, georeferenced by IfcMapConversion. Returns how many products.

    Raises:
        NothingToExport: the park has no such node.
    """
    manifest, graph = read_manifest(build), open_graph(build)
    wanted = below(graph, node_id)
    writer = _Writer(manifest, graph)
    for body in bodies(build, wanted):
        holder = writer.holder_of(int(graph.parent[body.node]))
        kind = str(graph.columns["kind"][body.node])
        product = writer.holder_of(body.node) if kind in _HOLDERS else writer.element(body.node, holder)
        writer.shape(product, body.vertices, body.faces, body.colour)
    writer.close()
    writer.file.write(str(target))
    return len(writer.file.by_type("IfcProduct"))


class _Writer:
    """An IFC file under way."""

    def __init__(self, manifest: dict[str, Any], graph: SceneGraph) -> None:
        self.file, self.graph = ifcopenshell.file(schema="IFC4"), graph
        f = self.file
        metre = f.createIfcSIUnit(None, "LENGTHUNIT", None, "METRE")
        units = f.createIfcUnitAssignment([metre, f.createIfcSIUnit(None, "AREAUNIT", None, "SQUARE_METRE"),
                                           f.createIfcSIUnit(None, "PLANEANGLEUNIT", None, "RADIAN")])
        self.axes = f.createIfcAxis2Placement3D(f.createIfcCartesianPoint((0.0, 0.0, 0.0)))
        whole = f.createIfcGeometricRepresentationContext(None, "Model", 3, 1e-5, self.axes)
        self.body = f.createIfcGeometricRepresentationSubContext("Body", "Model", None, None, None, None, whole, None,
                                                                 "MODEL_VIEW")
        origin = manifest["origin"]
        f.createIfcMapConversion(whole, f.createIfcProjectedCRS(manifest["crs"], MapUnit=metre), *(float(v) for v in origin),
                                 1.0, 0.0, 1.0)
        name = manifest["name"]
        self.project = f.createIfcProject(_guid(), Name=name, RepresentationContexts=[whole], UnitsInContext=units)
        self.site = f.createIfcSite(_guid(), Name=name, ObjectPlacement=f.createIfcLocalPlacement(None, self.axes),
                                    CompositionType="ELEMENT")
        f.createIfcRelAggregates(_guid(), RelatingObject=self.project, RelatedObjects=[self.site])
        self.holders: dict[int, Any] = {}
        self.parts: dict[Any, list[Any]] = {}
        self.contents: dict[Any, list[Any]] = {}
        self._say(self.site, graph.index("park"))

    def holder_of(self, index: int) -> Any:
        """The building, storey or room of a node or above it, made when first asked for; the site at the top."""
        while index and str(self.graph.columns["kind"][index]) not in _HOLDERS:
            index = int(self.graph.parent[index])
        if not index:
            return self.site
        if index not in self.holders:
            above = self.holder_of(int(self.graph.parent[index]))
            made = self.file.create_entity(
                _HOLDERS[str(self.graph.columns["kind"][index])], self._global_id(index), None,
                str(self.graph.columns["name"][index]), ObjectPlacement=self.file.createIfcLocalPlacement(None, self.axes))
            made.CompositionType = "ELEMENT"
            self.holders[index] = made
            self.parts.setdefault(above, []).append(made)
            self._say(made, index)
        return self.holders[index]

    def element(self, index: int, holder: Any) -> Any:
        """A product for a node in what holds it, of its own IFC class where that is one of IFC4's."""
        cls = str(self.graph.columns["cls"][index])
        kind = str(self.graph.columns["kind"][index])
        usual = "IfcGeographicElement" if kind == "feature" else "IfcBuildingElementProxy"
        made = self._create(cls, index) if cls.startswith("Ifc") else None
        made = made or self._create(usual, index)
        self.contents.setdefault(holder, []).append(made)
        self._say(made, index)
        return made

    def _create(self, cls: str, index: int) -> Any:
        try:
            made = self.file.create_entity(cls)
        except RuntimeError:
            return None
        if not made.is_a("IfcElement"):
            self.file.remove(made)
            return None
        made.GlobalId, made.Name = self._global_id(index), str(self.graph.columns["name"][index])
        made.ObjectPlacement = self.file.createIfcLocalPlacement(None, self.axes)
        return made

    def shape(self, product: Any, vertices: np.ndarray, faces: np.ndarray, colour: np.ndarray) -> None:
        """Give a product its triangles and its mean colour."""
        f = self.file
        points = f.createIfcCartesianPointList3D(np.round(vertices, 4).tolist())
        mesh = f.createIfcTriangulatedFaceSet(points, None, None, (faces + 1).tolist(), None)
        shade = f.createIfcSurfaceStyleShading(f.createIfcColourRgb(None, *(float(v) for v in colour.mean(axis=0) / 255)))
        f.createIfcStyledItem(mesh, [f.createIfcSurfaceStyle(None, "BOTH", [shade])])
        product.Representation = f.createIfcProductDefinitionShape(
            None, None, [f.createIfcShapeRepresentation(self.body, "Body", "Tessellation", [mesh])])

    def close(self) -> None:
        """Tie everything to what holds it."""
        for above, parts in self.parts.items():
            self.file.createIfcRelAggregates(_guid(), RelatingObject=above, RelatedObjects=parts)
        for holder, contents in self.contents.items():
            self.file.createIfcRelContainedInSpatialStructure(_guid(), RelatedElements=contents, RelatingStructure=holder)

    def _say(self, product: Any, index: int) -> None:
        f = self.file
        values = [f.createIfcPropertySingleValue(name, None, f.createIfcLabel(str(value)))
                  for name, value in told(self.graph, index).items() if value != ""]
        pset = f.createIfcPropertySet(_guid(), None, PSET, None, values)
        f.createIfcRelDefinesByProperties(_guid(), RelatedObjects=[product], RelatingPropertyDefinition=pset)

    def _global_id(self, index: int) -> str:
        """The thing's own GlobalId where it has a sound one."""
        own = str(self.graph.columns["guid"][index])
        return own if len(own) == 22 else _guid()


def _guid() -> str:
    return str(ifcopenshell.guid.new())
