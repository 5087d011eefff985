"""A scheme's own buildings as one GLB: a mesh a building, named by its id; Y up inside, park metres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gis.mesh import polygons_of, triangulate
from scenes.scheme_mass import Stack
from scenes.sunlight import merged_storeys

_Y_UP = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)


def scheme_glb(stacks: Sequence[Stack]) -> bytes:
    """The scheme's buildings as GLB: one mesh a building, named by its id; Y up, park frame."""
    import trimesh

    scene = trimesh.Scene()
    for stack in stacks:
        parts = []
        for outline, z0, z1 in merged_storeys(stack):
            for polygon in polygons_of(outline):
                xy, faces = triangulate(polygon)
                parts.append(trimesh.creation.extrude_triangulation(xy, faces, z1 - z0, transform=_lift(z0)))
        if parts:
            mesh = trimesh.util.concatenate(parts)
            mesh.apply_transform(_Y_UP)
            scene.add_geometry(mesh, node_name=stack.id, geom_name=stack.id)
    if not scene.geometry:
        return b""
    return bytes(scene.export(file_type="glb"))


def _lift(z: float) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[2, 3] = z
    return matrix
