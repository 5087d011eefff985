"""A scheme's own buildings as one GLB: a mesh a building, named by its id; Y up inside, park metres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from gis.mesh import Mesh, make_mesh, polygons_of, triangulate
from scenes.schemes.stack import Stack
from scenes.schemes.sunlight import merged_storeys

_Y_UP = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)


def scheme_glb(stacks: Sequence[Stack]) -> bytes:
    """The scheme's buildings as GLB: an IFC's as it looks from outside in its own colours, others as prisms."""
    scene = trimesh.Scene()
    for stack in stacks:
        if stack.model is not None:
            scene.add_geometry(_coloured(stack.model), node_name=stack.id, geom_name=stack.id)
            continue
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


def model_meshes(path: Path) -> dict[str, Mesh]:
    """Models in a `scheme_glb` by building id, back in the park frame; empty where there is no such file."""
    if not path.is_file() or not path.stat().st_size:
        return {}
    scene = trimesh.load_scene(path, process=False)
    found = {}
    for key, part in scene.geometry.items():
        part.apply_transform(np.linalg.inv(_Y_UP))
        if part.visual.kind != "vertex":
            continue  # a prism
        colour = np.asarray(part.visual.vertex_colors)[:, :3]
        found[str(key)] = make_mesh(np.asarray(part.vertices), np.asarray(part.faces), colour=colour, surface=0)
    return found


def _coloured(model: Mesh) -> trimesh.Trimesh:
    """Y up, colours per vertex (sRGB bytes, as planner and stills read them)."""
    colour = np.column_stack([model.colour, np.full(len(model), 255, np.uint8)])
    mesh = trimesh.Trimesh(model.position, model.faces, vertex_colors=colour, process=False)
    mesh.apply_transform(_Y_UP)
    return mesh


def _lift(z: float) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[2, 3] = z
    return matrix
