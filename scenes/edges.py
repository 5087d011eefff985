"""Lines that make a building read at a distance: where two faces meet at an angle, and open rims."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gis.mesh import Mesh, parts_of


def feature_edges(mesh: Mesh, *, angle_deg: float = 30.0, shortest_m: float = 0.5, limit: int = 20_000,
                  ) -> NDArray[np.float64]:
    """Edges (k, 2, 3) in park metres whose faces meet sharper than the angle; the longest `limit` of them.

    Coplanar splits vanish. Vertices are matched by place (5 mm), as faces do not share them across a crease.
    """
    if not len(mesh):
        return np.zeros((0, 2, 3))
    grid = np.rint(mesh.position / 0.005).astype(np.int64)
    grid -= grid.min(0)
    span = grid.max(0) + 1
    place = (grid[:, 0] * span[1] + grid[:, 1]) * span[2] + grid[:, 2]
    _, first, same = np.unique(place, return_index=True, return_inverse=True)
    corner = same.reshape(-1).astype(np.int32)[mesh.faces]
    pair = np.sort(np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [2, 0]]]), axis=1)
    face = np.tile(np.arange(len(corner), dtype=np.int32), 3)
    keep = pair[:, 0] != pair[:, 1]
    pair, face = pair[keep], face[keep]
    order = np.lexsort((face, pair[:, 1], pair[:, 0]))
    pair, face = pair[order], face[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(pair, axis=0) != 0).any(axis=1)])
    lowest = np.minimum.reduceat(_against_first(_normals(mesh), face, starts), starts)
    count = np.diff(np.r_[starts, len(pair)])
    sharp = (lowest < np.cos(np.radians(angle_deg))) | (count == 1)
    ends = mesh.position[first[pair[starts[sharp]]]]
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    rows = np.flatnonzero(length >= shortest_m)
    if len(rows) > limit:
        rows = np.sort(rows[np.argsort(-length[rows], kind="stable")[:limit]])
    return ends[rows]


def _normals(mesh: Mesh) -> NDArray[np.float64]:
    """Unit normals (m, 3) of the triangles; 0 where one has no area."""
    a, b, c = (mesh.position[mesh.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    size = np.linalg.norm(normal, axis=1, keepdims=True)
    return normal / np.where(size > 0, size, 1)


def _against_first(normal: NDArray[np.float64], face: NDArray[np.int32], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """|cosine| (k,) between the normal of each face of every edge and that of the edge's first face."""
    first = np.repeat(face[starts], np.diff(np.r_[starts, len(face)]))
    cosine = np.empty(len(face))
    for part in parts_of(len(face)):
        cosine[part] = np.abs(np.sum(normal[face[part]] * normal[first[part]], axis=1))
    return cosine
