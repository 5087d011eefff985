"""Triangles before they become tiles: columns per vertex in the park frame, and the pieces every mesher shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray

F64 = NDArray[np.float64]
AT_A_TIME = 65_536  # vertices or triangles: what is worked out for more at once fills memory for nothing


class Surface(IntEnum):
    """Surface classes of the tile format; the viewer draws each in its own way."""

    PLAIN = 0
    GLASS = 1
    PUNCHED = 2
    RIBBON = 3
    CURTAIN = 4
    RIBS = 5
    LAWN = 6
    ROAD = 7
    PAVING = 8
    WATER = 9
    ROOF = 10
    CROWN = 11
    LAMP_HEAD = 12
    SPACE_FLOOR = 13
    PIPE = 14
    INTERIOR = 15
    MARKING = 16
    CONTEXT = 17
    SKIRT = 18


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A triangle mesh; vertices are shared only within one flat face, so a normal per vertex is the face's.

    Args:
        position: (n, 3) float64 park metres.
        normal: (n, 3) float32 unit vectors, for the bake alone (never written).
        colour: (n, 3) uint8 albedo, sRGB.
        surface: (n,) uint8, a `Surface`.
        storey_dm: (n,) uint8 storey height in decimetres (0 where it means nothing).
        uv: (n, 2) float32 façade bays and storeys from the base.
        node: (n,) uint32 dense node index, 0 for nobody.
        faces: (m, 3) uint32, counter-clockwise seen from outside.
    """

    position: F64
    normal: NDArray[np.float32]
    colour: NDArray[np.uint8]
    surface: NDArray[np.uint8]
    storey_dm: NDArray[np.uint8]
    uv: NDArray[np.float32]
    node: NDArray[np.uint32]
    faces: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.position)


_COLUMNS = ("position", "normal", "colour", "surface", "storey_dm", "uv", "node")


def make_mesh(position: F64, faces: NDArray, *, normal: F64 | NDArray[np.float32] | None = None,
              colour: NDArray | tuple[int, int, int], surface: NDArray | int, node: NDArray | int = 0,
              storey_dm: NDArray | int = 0, uv: NDArray | None = None) -> Mesh:
    """A mesh whose scalar columns are spread over its vertices; normals from the faces where none are given."""
    n = len(position)
    faces = np.asarray(faces, dtype=np.uint32).reshape(-1, 3)
    if normal is None:
        normal = vertex_normals(position, faces)
    elif np.ndim(normal) == 1:
        normal = np.tile(np.asarray(normal, np.float32), (n, 1))

    def spread(value: NDArray | int, kind: type) -> NDArray:
        return np.full(n, value, dtype=kind) if np.ndim(value) == 0 else np.asarray(value, dtype=kind)

    rgb = np.asarray(colour, dtype=np.uint8)
    return Mesh(
        position=np.asarray(position, np.float64), normal=np.asarray(normal, np.float32),
        colour=np.tile(rgb, (n, 1)) if rgb.ndim == 1 else rgb, surface=spread(surface, np.uint8),
        storey_dm=spread(storey_dm, np.uint8), uv=np.zeros((n, 2), np.float32) if uv is None else uv.astype(np.float32),
        node=spread(node, np.uint32), faces=faces)


def vertex_normals(position: F64, faces: NDArray) -> NDArray[np.float32]:
    """Area-weighted unit normals (n, 3)."""
    corner = position[faces]
    face_normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(position)
    for k in range(3):
        np.add.at(total, faces[:, k], face_normal)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.where(length > 0, length, 1)).astype(np.float32)


def join(meshes: list[Mesh]) -> Mesh:
    """One mesh of many, in order."""
    if not meshes:
        return empty()
    starts = np.concatenate([[0], np.cumsum([len(m) for m in meshes])[:-1]])
    columns = {name: np.concatenate([getattr(m, name) for m in meshes]) for name in _COLUMNS}
    faces = np.concatenate([m.faces + np.uint32(s) for m, s in zip(meshes, starts, strict=True)])
    return Mesh(**columns, faces=faces.astype(np.uint32))


def empty() -> Mesh:
    """A mesh of nothing."""
    return make_mesh(np.zeros((0, 3)), np.zeros((0, 3)), normal=np.zeros((0, 3)), colour=np.zeros((0, 3)), surface=0)


def blank(vertices: int, faces: int) -> Mesh:
    """A mesh of a size, for others to be `put` into: pieces and the whole need not be there at once."""
    none = empty()
    columns = {name: np.empty((vertices, *getattr(none, name).shape[1:]), getattr(none, name).dtype) for name in _COLUMNS}
    return Mesh(**columns, faces=np.empty((faces, 3), np.uint32))


def put(piece: Mesh, whole: Mesh, vertex: int, face: int) -> None:
    """Write a mesh into a larger one, from a vertex and a face of that one on."""
    for name in _COLUMNS:
        getattr(whole, name)[vertex : vertex + len(piece)] = getattr(piece, name)
    whole.faces[face : face + len(piece.faces)] = piece.faces + np.uint32(vertex)


def parts_of(count: int) -> Iterator[slice]:
    """Rows 0 to count in parts of `AT_A_TIME`."""
    return (slice(start, start + AT_A_TIME) for start in range(0, count, AT_A_TIME))


def take_faces(mesh: Mesh, chosen: NDArray) -> Mesh:
    """Only some triangles (mask or indices), without the vertices nobody uses any more."""
    faces = mesh.faces[chosen]
    used, back = np.unique(faces, return_inverse=True)
    return Mesh(**{name: getattr(mesh, name)[used] for name in _COLUMNS}, faces=back.reshape(-1, 3).astype(np.uint32))


def newell(ring: F64) -> F64:
    """Unit normal (3,) of a ring (k, 3) that need not be quite flat; zero for one without area."""
    after = np.roll(ring, -1, axis=0)
    normal = np.array([((ring[:, 1] - after[:, 1]) * (ring[:, 2] + after[:, 2])).sum(),
                       ((ring[:, 2] - after[:, 2]) * (ring[:, 0] + after[:, 0])).sum(),
                       ((ring[:, 0] - after[:, 0]) * (ring[:, 1] + after[:, 1])).sum()])
    length = float(np.linalg.norm(normal))
    return normal / length if length > 1e-9 else np.zeros(3)


def triangulate(polygon: shapely.Polygon) -> tuple[F64, NDArray[np.uint32]]:
    """Vertices (n, 2) and triangles (m, 3), counter-clockwise, of one polygon with holes."""
    rings = [np.asarray(polygon.exterior.coords)[:-1, :2], *(np.asarray(r.coords)[:-1, :2] for r in polygon.interiors)]
    points = np.concatenate(rings)
    ends = np.cumsum([len(r) for r in rings]).astype(np.uint32)
    faces = mapbox_earcut.triangulate_float64(np.ascontiguousarray(points), ends).reshape(-1, 3)
    a, b, c = (points[faces[:, k]] for k in range(3))
    area2 = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces = faces[np.abs(area2) > 1e-9]
    turned = area2[np.abs(area2) > 1e-9] < 0
    faces[turned] = faces[turned][:, ::-1]
    return points, faces.astype(np.uint32)


def polygons_of(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons in a geometry, slivers under 1 dm² and everything that is not an area dropped."""
    return [p for p in shapely.get_parts(geometry).tolist() if p.geom_type == "Polygon" and p.area > 0.01] \
        if geometry.geom_type != "GeometryCollection" \
        else [q for part in shapely.get_parts(geometry) for q in polygons_of(part)]


def box_mesh(centre: tuple[float, float, float], size: tuple[float, float, float], turn_rad: float = 0.0,
             **columns: Any) -> Mesh:
    """A box standing on its bottom centre, turned counter-clockwise, without its underside."""
    x, y, z = size[0] / 2, size[1] / 2, size[2]
    base = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    base = base @ np.array([[cos, sin], [-sin, cos]])
    quads = [[(i, 0), ((i + 1) % 4, 0), ((i + 1) % 4, z), (i, z)] for i in range(4)] + [[(i, z) for i in range(4)]]
    position = np.array([[*base[i], h] for quad in quads for i, h in quad]) + np.asarray(centre)
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * q for q in range(5)])
    return make_mesh(position, faces, **columns)


def split_large(mesh: Mesh, longest_m: NDArray[np.float64]) -> tuple[Mesh, NDArray[np.intp]]:
    """Triangles with edges longer than they may be are cut at the middle of those edges, until none is left.

    An edge is cut for both faces that share it, so no seam opens. Flat faces stay flat.

    Args:
        longest_m: (m,) longest edge allowed to each triangle; edges shared by triangles take the smaller.

    Returns:
        the mesh and, for each of its triangles, the row of the one it came from.
    """
    source = np.arange(len(mesh.faces))
    for _ in range(7):
        faces = mesh.faces
        pair = np.sort(np.stack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]], axis=1).reshape(-1, 2), axis=1)
        key, of_face = np.unique(pair[:, 0].astype(np.int64) * len(mesh) + pair[:, 1], return_inverse=True)
        edge, of_face = np.column_stack(np.divmod(key, len(mesh))), of_face.reshape(-1, 3)
        limit = np.full(len(edge), np.inf)
        np.minimum.at(limit, of_face.ravel(), np.repeat(longest_m[source], 3))
        length = np.linalg.norm(mesh.position[edge[:, 0]] - mesh.position[edge[:, 1]], axis=1)
        cut = length > limit
        if not cut.any():
            break
        middle = np.full(len(edge), -1)
        middle[cut] = len(mesh) + np.arange(int(cut.sum()))
        mesh, source = _cut(mesh, edge[cut], middle[of_face], source)
    return mesh, source


def _cut(mesh: Mesh, ends: NDArray, middle: NDArray, source: NDArray) -> tuple[Mesh, NDArray]:
    """Insert midpoints of `ends` (k, 2) and re-triangulate; middle (m, 3) is the new vertex on each edge or −1."""
    columns = {name: np.concatenate([getattr(mesh, name), getattr(mesh, name)[ends[:, 0]]]) for name in _COLUMNS}
    for name in ("position", "uv"):
        values = getattr(mesh, name)
        columns[name] = np.concatenate([values, (values[ends[:, 0]] + values[ends[:, 1]]) / 2])
    out: list[NDArray] = []
    owner: list[NDArray] = []

    def keep(rows: NDArray, triangles: tuple[tuple[NDArray, ...], ...]) -> None:
        for corners in triangles:
            out.append(np.stack(corners, axis=1)[rows])
            owner.append(source[rows])

    code = (middle >= 0) @ np.array([1, 2, 4])
    a, b, c = mesh.faces.T
    ab, bc, ca = middle.T
    keep(code == 0, ((a, b, c),))
    keep(code == 7, ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)))
    for turn in range(3):
        a, b, c = (mesh.faces[:, (turn + k) % 3] for k in range(3))
        ab, bc = (middle[:, (turn + k) % 3] for k in range(2))
        keep(code == 1 << turn, ((a, ab, c), (ab, b, c)))
        keep(code == 7 - (1 << (turn + 2) % 3), ((ab, b, bc), (a, ab, bc), (a, bc, c)))
    return Mesh(**columns, faces=np.concatenate(out).astype(np.uint32)), np.concatenate(owner)
