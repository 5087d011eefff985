"""A shape as it travels from the process that reads a file to the build, which has no need of the library that reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_bim.model import Mesh

#: Geometry libraries by the names IfcOpenShell knows them by.
FAST = "hybrid-cgal-simple-opencascade"
SURE = "opencascade"
NO_SHAPES = "none"  # where every kernel dies of a file, what it says is still worth reading


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One representation of one product: mesh in its own frame, and where that stands (ifc metres)."""

    product: int
    context: str
    mesh: Mesh
    ifc_from_local: NDArray[np.float64]


def mesh_digest(mesh: Mesh) -> bytes:
    """What makes two meshes the same: vertices to 0.01 mm, triangles and colours."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.round(mesh.vertices.astype(np.float64) * 1e5).astype(np.int64).tobytes())
    for column in (mesh.triangles, mesh.run_start, mesh.run_rgba, mesh.is_default):
        digest.update(column.tobytes())
    return digest.digest()
