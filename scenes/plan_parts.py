"""What a building lifted from plans is put together of: rows of entities, bodies over areas, and the model they make."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.mesh import polygons_of, triangulate
from models_bim.model import BimModel, Entities, Instances, Mesh, Properties, Space, Storey
from scenes.plans import PlanStorey
from twin.finding import Finding

F64 = NDArray[np.float64]


@dataclass(slots=True)
class PlanRows:
    """Entities and shapes as they are added; row k of every list is one entity."""

    cls: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    storey: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    file: list[int] = field(default_factory=list)
    properties: list[tuple[int, str, str, str]] = field(default_factory=list)
    meshes: list[Mesh] = field(default_factory=list)
    placed: list[tuple[int, F64]] = field(default_factory=list)
    boxes: list[F64] = field(default_factory=list)

    def add(self, cls: str, kind: str, key: str, name: str, *, storey: int = -1, parent: int = -1, file: int = 0) -> int:
        """A new entity; its row."""
        for column, value in ((self.cls, cls), (self.kind, kind), (self.key, key), (self.name, name)):
            column.append(value)
        self.storey.append(storey)
        self.parent.append(parent)
        self.file.append(file)
        self.boxes.append(np.full(6, np.nan))
        return len(self.cls) - 1

    def element(self, cls: str, key: str, name: str, storey: int, parent: int) -> int:
        """A new element of a storey; its row."""
        return self.add(cls, "element", key, name, storey=storey, parent=parent, file=storey)

    def shape(self, row: int, vertices: F64, triangles: NDArray) -> None:
        """Give an entity its body (v, 3) in the building's metres."""
        if not len(triangles):
            return
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        middle = (low + high) / 2
        self.meshes.append(Mesh(vertices=(vertices - middle).astype(np.float32), triangles=triangles.astype(np.uint32),
                                run_start=np.array([0, len(triangles)], np.int32),
                                run_rgba=np.array([[178, 178, 178, 255]], np.uint8), is_default=np.array([True])))
        self.placed.append((row, middle))
        self.boxes[row] = np.concatenate([low, high])


def extrude(area: shapely.Geometry, low: float, high: float) -> tuple[F64, NDArray]:
    """Bodies over an area from low to high: vertices (v, 3) and triangles (t, 3), wound outwards."""
    vertices: list[F64] = []
    faces: list[NDArray] = []
    start = 0
    for polygon in polygons_of(area):
        polygon = shapely.orient_polygons(polygon)
        xy, flat = triangulate(polygon)
        n = len(xy)
        bottom, top = np.column_stack([xy, np.full(n, low)]), np.column_stack([xy, np.full(n, high)])
        sides, at = [], 0
        for ring in (polygon.exterior, *polygon.interiors):
            k = len(ring.coords) - 1
            here = at + np.arange(k)
            there = at + (np.arange(k) + 1) % k
            sides += [np.column_stack([here, there, there + n]), np.column_stack([here, there + n, here + n])]
            at += k
        vertices += [bottom, top]
        faces.append(np.concatenate([flat[:, ::-1], flat + n, *sides]) + start)
        start += 2 * n
    if not vertices:
        return np.zeros((0, 3)), np.zeros((0, 3), np.uint32)
    return np.concatenate(vertices), np.concatenate(faces).astype(np.uint32)


def model_of(rows: PlanRows, levels: list[Storey], spaces: list[Space], storeys: list[PlanStorey], findings: list[Finding],
           ) -> BimModel:
    """The rows as a model, in the order its columns are promised."""
    n = len(rows.cls)

    def text(values: list[str]) -> NDArray[np.object_]:
        return np.array(values, dtype=object)

    blank = text([""] * n)
    order = sorted(range(len(rows.placed)), key=lambda k: rows.placed[k][0])
    matrices = np.tile(np.eye(4), (len(order), 1, 1))
    matrices[:, :3, 3] = np.array([rows.placed[k][1] for k in order]).reshape(-1, 3)
    told = sorted(rows.properties)
    columns: list[tuple] = list(zip(*told, strict=True)) or [()] * 4
    return BimModel(
        files=tuple(s.source for s in storeys), schemas=("plan",) * len(storeys),
        entities=Entities(key=text(rows.key), guid=text([_guid(key) for key in rows.key]), cls=text(rows.cls),
                          kind=text(rows.kind), name=text(rows.name), long_name=blank, predefined=blank, type_name=blank,
                          parent=np.array(rows.parent, np.int32), storey=np.array(rows.storey, np.int32),
                          file=np.array(rows.file, np.int32), step=np.arange(n, dtype=np.int32)),
        storeys=tuple(levels), spaces=tuple(sorted(spaces, key=lambda s: s.entity)),
        properties=Properties(entity=np.array(columns[0], np.int32), pset=text(list(columns[1])),
                              name=text(list(columns[2])), value=text(list(columns[3])), unit=text([""] * len(told))),
        meshes=tuple(rows.meshes),
        instances=Instances(entity=np.array([rows.placed[k][0] for k in order], np.int32),
                            mesh=np.array(order, np.int32), ifc_from_local=matrices),
        findings=tuple(findings), boxes=np.array(rows.boxes).reshape(-1, 6))


def _guid(key: str) -> str:
    """A steady 22-sign GlobalId of a key, so that devices can be bound to what plans show."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"
    return "".join(signs[(number >> shift) & 63] for shift in range(126, -6, -6))
