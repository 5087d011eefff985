"""A read building as one mesh in the park frame, flat face by flat face, with class and colour for every vertex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.mesh import Mesh, Surface, blank, join, make_mesh, polygons_of, put, triangulate
from models_bim.model import BimModel, Space
from models_bim.model import Mesh as BimMesh

FLOOR_LIFT_M = 0.02
FLOOR_RIM_M = 0.9
_INTERIOR = ("IfcFurni", "IfcSystemFurniture", "IfcFlow", "IfcDuct", "IfcPipe", "IfcCable", "IfcSanitary", "IfcLight",
             "IfcElectric", "IfcSensor", "IfcActuator", "IfcController", "IfcAlarm", "IfcFan", "IfcPump", "IfcBoiler",
             "IfcChiller", "IfcUnitary", "IfcAir", "IfcValve", "IfcOutlet", "IfcSwitching", "IfcDistribution",
             "IfcTransport", "IfcAudioVisual", "IfcCommunications", "IfcFireSuppression", "IfcDamper", "IfcCoil",
             "IfcTank", "IfcEnergyConversion", "IfcSpaceHeater", "IfcTransformer", "IfcProtectiveDevice", "IfcMedical")
_CEILINGS = ("IfcSlab", "IfcRoof", "IfcCovering")
_USUAL = (
    ("IfcWall", palette.rgb("#e9e6df")), ("IfcSlab", palette.rgb("#d3d3cf")), ("IfcRoof", palette.ROOF),
    ("IfcDoor", palette.rgb("#a98b6a")), ("IfcWindow", palette.rgb("#5f7f97")), ("IfcPlate", palette.rgb("#5f7f97")),
    ("IfcCurtainWall", palette.rgb("#8c979f")), ("IfcMember", palette.rgb("#9aa3a9")),
    ("IfcColumn", palette.rgb("#d2d4d6")), ("IfcBeam", palette.rgb("#c4c8cb")), ("IfcStair", palette.rgb("#cfcdc6")),
    ("IfcRailing", palette.rgb("#7d868d")), ("IfcCovering", palette.rgb("#e4e1da")),
    ("IfcFurni", palette.rgb("#c9b596")),
    ("IfcSystemFurniture", palette.rgb("#c9b596")), ("IfcSanitary", palette.rgb("#f1f1ee")),
    ("IfcDuct", palette.rgb("#b4bec6")), ("IfcPipe", palette.rgb("#7fa6c4")), ("IfcTransport", palette.rgb("#9aa7b1")),
)
_OTHER = palette.rgb("#ccccc6")
GLASS = palette.rgb("#56758c")


@dataclass(frozen=True, slots=True, eq=False)
class BuildingMesh:
    """Triangles of a whole building with, per triangle, whose they are.

    Args:
        mesh: park frame; node = the entity's dense index.
        storey: (m,) int32 index into the model's storeys.
        facet: (m,) int64, the same for triangles of one flat face of one instance.
        is_ceiling: (m,) bool, slabs and roofs hanging over their storey (left out when it is lit from above).
    """

    mesh: Mesh
    storey: NDArray[np.int32]
    facet: NDArray[np.int64]
    is_ceiling: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Flat:
    """One distinct shape with vertices shared only within flat faces."""

    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    run: NDArray[np.int32]
    faces: NDArray[np.uint32]
    facet: NDArray[np.int64]


Paint = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def building_mesh(model: BimModel, park_from_ifc: NDArray[np.float64], nodes: NDArray[np.uint32]) -> BuildingMesh:
    """Everything with a body but spaces, in the park frame.

    Args:
        park_from_ifc: (4, 4), metres.
        nodes: (entities,) dense node index of every entity row.
    """
    flats: dict[int, _Flat] = {}
    paints: dict[tuple[int, str, str], Paint] = {}
    drawn = [row for row, (entity, index) in enumerate(zip(model.instances.entity, model.instances.mesh, strict=True))
             if model.entities.kind[entity] != "space" and model.entities.cls[entity] not in ("IfcSpace", "IfcOpeningElement")
             and len(_flat_of(model, int(index), flats).faces)]
    each = [flats[int(index)] for index in model.instances.mesh[drawn]]
    whole = blank(sum(len(flat.vertices) for flat in each), sum(len(flat.faces) for flat in each))
    storeys, facets = np.empty(len(whole.faces), np.int32), np.empty(len(whole.faces), np.int64)
    ceilings = np.empty(len(whole.faces), np.bool_)
    vertex = face = first_facet = 0
    for row, flat in zip(drawn, each, strict=True):
        entity, index = int(model.instances.entity[row]), int(model.instances.mesh[row])
        look = index, str(model.entities.cls[entity]), str(model.entities.predefined[entity])
        if look not in paints:
            paints[look] = _paint(model.meshes[index], *look[1:])
        mesh = _placed(flat, paints[look], park_from_ifc @ model.instances.ifc_from_local[row], int(nodes[entity]))
        put(mesh, whole, vertex, face)
        faces = slice(face, face + len(mesh.faces))
        storeys[faces], ceilings[faces] = _where(model, entity, mesh, park_from_ifc)
        facets[faces] = flat.facet + first_facet
        vertex, face, first_facet = vertex + len(mesh), faces.stop, first_facet + int(flat.facet.max()) + 1
    return BuildingMesh(whole, storeys, facets, ceilings)


def _flat_of(model: BimModel, index: int, flats: dict[int, _Flat]) -> _Flat:
    if index not in flats:
        flats[index] = _flatten(model.meshes[index])
    return flats[index]


def _flatten(source: BimMesh) -> _Flat:
    corners = source.vertices[source.triangles].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1)
    keep = length > 1e-9
    corners, normal = corners[keep], normal[keep] / length[keep][:, None]
    run = (np.searchsorted(source.run_start, np.flatnonzero(keep), side="right") - 1).astype(np.int32)
    offset = np.sum(normal * corners[:, 0], axis=1)
    plane = np.column_stack([np.rint(normal * 50), np.rint(offset * 50), run]).astype(np.int64)
    _, facet = np.unique(plane, axis=0, return_inverse=True)
    facet = facet.reshape(-1)
    place = np.rint(corners.reshape(-1, 3) * 2000).astype(np.int64)
    key = np.column_stack([place, np.repeat(facet, 3)])
    _, first, back = np.unique(key, axis=0, return_index=True, return_inverse=True)
    of_face = first // 3
    return _Flat(corners.reshape(-1, 3)[first], normal[of_face], run[of_face],
                 back.reshape(-1, 3).astype(np.uint32), facet.astype(np.int64))


def _placed(flat: _Flat, paint: Paint, park_from_local: NDArray[np.float64], node: int) -> Mesh:
    colour, surface = paint
    turn = park_from_local[:3, :3]
    position = flat.vertices @ turn.T + park_from_local[:3, 3]
    normal = flat.normals @ turn.T
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    faces = flat.faces[:, ::-1] if np.linalg.det(turn) < 0 else flat.faces
    return make_mesh(position, faces, normal=normal, colour=colour[flat.run], surface=surface[flat.run], node=node)


def _paint(source: BimMesh, cls: str, predefined: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colour (r, 3) and surface class (r,) of each colour run of a shape."""
    usual = np.array(next((c for start, c in _USUAL if cls.startswith(start)), _OTHER), np.uint8)
    colour = np.where(source.is_default[:, None], usual, calm(source.run_rgba[:, :3]))
    clear = source.run_rgba[:, 3] < 230
    if cls.startswith(("IfcWindow", "IfcPlate")) and not clear.any():
        clear = np.ones(len(clear), bool)
    if cls.startswith(_INTERIOR):
        base = Surface.INTERIOR
    elif cls.startswith("IfcRoof") or (cls.startswith("IfcSlab") and predefined.upper() == "ROOF"):
        base = Surface.ROOF
    else:
        base = Surface.PLAIN
    surface = np.where(clear & (base is not Surface.INTERIOR), Surface.GLASS, base).astype(np.uint8)
    colour = np.where((surface == Surface.GLASS)[:, None], np.array(GLASS, np.uint8), colour)
    return colour.astype(np.uint8), surface


def calm(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """File colours brought into the park's family: strong ones tamed, none black, none glaring."""
    value = rgb.astype(np.float64)
    grey = value @ [0.3, 0.59, 0.11]
    chroma = np.maximum(np.ptp(value, axis=1), 1.0)
    soft = grey[:, None] + (value - grey[:, None]) * np.minimum(0.75, 48.0 / chroma)[:, None]
    return np.clip(46 + soft * (238 - 46) / 255, 0, 255).astype(np.uint8)


def _where(model: BimModel, entity: int, mesh: Mesh, park_from_ifc: NDArray[np.float64]) -> tuple[int, bool]:
    """Storey index of an element, and whether it hangs over that storey."""
    rise = float(park_from_ifc[2, 3])
    low = float(mesh.position[:, 2].min()) - rise
    storey = int(model.entities.storey[entity])
    if storey < 0:
        levels = np.array([s.elevation for s in model.storeys])
        storey = max(0, int(np.searchsorted(levels, low + 0.3)) - 1) if len(levels) else 0
    level = model.storeys[storey] if model.storeys else None
    hangs = level is not None and low > level.elevation + 0.55 * level.height
    return storey, bool(hangs and model.entities.cls[entity].startswith(_CEILINGS))


def space_floors(spaces: list[Space], park_from_ifc: NDArray[np.float64], nodes: NDArray[np.uint32],
                 ) -> tuple[Mesh, NDArray[np.uint8]]:
    """Floor panels 2 cm above the rooms' floors, with their rim's AO (n,): darker towards the walls."""
    meshes, shade = [], []
    for space in spaces:
        inner = shapely.buffer(space.polygon, -FLOOR_RIM_M, join_style="mitre")
        for polygon in [*polygons_of(shapely.difference(space.polygon, inner)), *polygons_of(inner)]:
            xy, faces = triangulate(polygon)
            at_rim = shapely.distance(space.polygon.boundary, shapely.points(xy)) < 0.05
            local = np.column_stack([xy, np.full(len(xy), space.z0 + FLOOR_LIFT_M)])
            position = local @ park_from_ifc[:3, :3].T + park_from_ifc[:3, 3]
            meshes.append(make_mesh(position, faces, normal=np.array([0, 0, 1.0]), colour=palette.rgb("#dcdad3"),
                                    surface=Surface.SPACE_FLOOR, node=int(nodes[space.entity])))
            shade.append(np.where(at_rim, 168, 255).astype(np.uint8))
    return join(meshes), np.concatenate(shade) if shade else np.zeros(0, np.uint8)
