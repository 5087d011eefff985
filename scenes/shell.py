"""What of a building can be seen from outside: flat faces met by parallel rays from all round and above."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gis.mesh import Mesh, parts_of, take_faces
from scenes.bake import Occluders
from scenes.building_mesh import BuildingMesh

F64 = NDArray[np.float64]
SPACING_M = 0.4
MAX_RAYS_PER_VIEW = 20_000
SMALL_M2, NO_AREA_M2 = 1e-4, 1e-12
MOSTLY = 0.8  # share of a thing's surface that large triangles must hold for its small ones to be let go


def view_directions(count: int = 40) -> F64:
    """Directions rays travel in (count, 3): a steady spiral from straight down to 20° upward."""
    k = np.arange(count) + 0.5
    z = 1 - k / count * 1.34
    angle = k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(np.maximum(1 - z * z, 0))
    return -np.column_stack([flat * np.cos(angle), flat * np.sin(angle), z])


def visible_facets(mesh: Mesh, facet: NDArray[np.int64], occluders: Occluders,
                   ) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Which triangles belong to a flat face that some ray from outside meets first.

    Args:
        mesh: park metres, every vertex of it used; the very triangles `occluders` holds, in order.
        facet: (m,) flat face of each triangle.

    Returns:
        kept (m,), and side (m,): +1 where the rays came from the side the winding calls outside, −1 from behind.
    """
    seen = np.zeros(len(mesh.faces), np.int64)
    outline, middle, radius = _outline(mesh.position)
    for direction in view_directions():
        origin = _grid(direction, middle, radius, outline)
        hit = occluders.first_hit(origin, np.tile(direction, (len(origin), 1)))
        hit = hit[hit >= 0]
        np.add.at(seen, hit, np.where(_cross(mesh, hit) @ direction < 0, 1, -1))
        seen[hit[seen[hit] == 0]] = 1
    count = int(facet.max()) + 1 if len(facet) else 0
    votes = np.zeros(count, np.int64)
    np.add.at(votes, facet, seen)
    met = np.zeros(count, bool)
    met[facet[seen != 0]] = True
    return met[facet], np.where(votes[facet] >= 0, 1, -1).astype(np.int8)


def _cross(mesh: Mesh, rows: NDArray[np.integer] | slice) -> F64:
    """Normals (k, 3) of some triangles, as long as twice their area."""
    a, b, c = (mesh.position[mesh.faces[rows, k]] for k in range(3))
    return np.cross(b - a, c - a)


def _outline(points: F64) -> tuple[F64, F64, float]:
    """The eight corners of the building's box, its middle, and a radius that holds it."""
    low, high = points.min(0), points.max(0)
    box = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    return box, (low + high) / 2, float(np.linalg.norm(high - low) / 2) + 1.0


def _grid(direction: F64, middle: F64, radius: float, outline: F64) -> F64:
    """Origins of parallel rays over the building's outline seen along a direction, a little off the lattice."""
    helper = np.array([0.0, 0.0, 1.0]) if abs(direction[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(direction, helper)
    right /= np.linalg.norm(right)
    up = np.cross(right, direction)
    points = outline - middle
    lo = np.array([(points @ right).min(), (points @ up).min()])
    hi = np.array([(points @ right).max(), (points @ up).max()])
    step = max(SPACING_M, float(np.sqrt(np.prod(hi - lo) / MAX_RAYS_PER_VIEW)))
    xs, ys = np.arange(lo[0] + step * 0.37, hi[0], step), np.arange(lo[1] + step * 0.41, hi[1], step)
    grid = np.array(np.meshgrid(xs, ys)).reshape(2, -1).T
    return middle - direction * radius + grid[:, :1] * right + grid[:, 1:] * up


def outer_shell(whole: BuildingMesh, body: Occluders | None = None) -> Mesh:
    """What of a building is seen from outside, wound outwards; all of it where that would be nothing.

    Args:
        body: the building's own triangles in order, where they are at hand already.
    """
    mesh = whole.mesh
    kept, side = visible_facets(mesh, whole.facet, body or Occluders(mesh.position, mesh.faces))
    seen = take_faces(_turned(mesh, side), kept)
    return drop_small(seen if len(seen.faces) else mesh)


def drop_small(mesh: Mesh) -> Mesh:
    """The mesh without triangles under a square centimetre, but of things mostly made of them: bolts, sprinklers."""
    area = np.empty(len(mesh.faces))
    for part in parts_of(len(mesh.faces)):
        area[part] = np.linalg.norm(_cross(mesh, part), axis=1) / 2
    is_large = area > SMALL_M2
    if is_large.all():
        return mesh
    thing = mesh.node[mesh.faces[:, 0]]
    kept, whole = (np.bincount(thing, weights) for weights in (area * is_large, area))
    return take_faces(mesh, is_large | ((kept < MOSTLY * whole)[thing] & (area > NO_AREA_M2)))


def _turned(mesh: Mesh, side: NDArray[np.int8]) -> Mesh:
    """Faces seen from behind get the opposite winding and normal (vertices belong to one flat face each)."""
    faces = mesh.faces.copy()
    behind = side < 0
    faces[behind] = faces[behind][:, ::-1]
    normal = mesh.normal.copy()
    flip = np.zeros(len(mesh), bool)
    flip[mesh.faces[behind].ravel()] = True
    normal[flip] = -normal[flip]
    return replace(mesh, faces=faces, normal=normal)
