"""A small live view of part of a compiled park in a notebook: pythreejs, for people who analyse, not for operators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pythreejs as three

from scenes.read_glb import Surfaces, read_glb
from scenes.stills import finest_tiles, lit_colours
from scenes.store import open_graph
from twin.errors import TwinError

MAX_TRIANGLES = 400_000


class NotInPark(TwinError):
    """A node id that the compiled park does not have, or one that no tile shows."""


def view(build: Path, node_id: str = "park", *, width: int = 900, height: int = 540) -> three.Renderer:
    """A renderer of the node and everything below it, with orbit controls.

    Args:
        build: the park's build folder.
        node_id: any node of the scene graph; "park" shows everything but pipes.

    Raises:
        NotInPark: no such node, or nothing drawn for it.
    """
    graph = open_graph(build)
    index = graph.index(node_id)
    if not index:
        raise NotInPark(f"'{node_id}' is no node of this park", mend="take an id from nodes.parquet", where=str(build))
    wanted = np.zeros(graph.size, bool)
    wanted[list(graph.subtree(index))] = True
    parts = [part for path in _tiles(build, node_id, graph.columns["tile"][wanted])
             for part in read_glb(path).surfaces()]
    chosen = [only(part, wanted) for part in parts] if node_id != "park" else parts
    triangles = [part for part in chosen if len(part.faces)]
    if not triangles:
        raise NotInPark(f"nothing is drawn for '{node_id}'", mend="choose a building, storey, space or element")
    if sum(len(p.faces) for p in triangles) > MAX_TRIANGLES:
        raise NotInPark(f"'{node_id}' has over {MAX_TRIANGLES:,} triangles", mend="choose a part of it")
    return _renderer(triangles, width, height)


def _tiles(build: Path, node_id: str, named: np.ndarray) -> list[Path]:
    if node_id == "park":
        return finest_tiles(build, lambda extras: extras["layer"] != "pipes")
    storeys = sorted({str(t) for t in named if t and not str(t).endswith("shell.glb")})
    return [build / "tiles" / name for name in storeys] if storeys else finest_tiles(build)


def only(part: Surfaces, wanted: np.ndarray) -> Surfaces:
    """The triangles of a part whose node is wanted (bool by dense index)."""
    faces = part.faces[wanted[part.node[part.faces[:, 0]]]]
    used, back = np.unique(faces, return_inverse=True)
    return Surfaces(part.position[used], part.colour[used], part.shade[used], part.uv[used], part.node[used],
                    back.reshape(-1, 3).astype(np.uint32))


def _renderer(parts: list[Surfaces], width: int, height: int) -> three.Renderer:
    points = np.concatenate([p.position for p in parts])
    low, high = points.min(0), points.max(0)
    middle, span = (low + high) / 2, float(np.linalg.norm(high - low))
    meshes = [_mesh(part, middle) for part in parts]
    camera = three.PerspectiveCamera(position=(span * np.array([-0.6, -1.0, 0.7])).tolist(), up=[0, 0, 1], fov=35,
                                     aspect=width / height, near=0.1, far=span * 10)
    scene = three.Scene(children=[*meshes, camera], background="#dce5ee")
    controls = three.OrbitControls(controlling=camera)
    return three.Renderer(camera=camera, scene=scene, controls=[controls], width=width, height=height)


def _mesh(part: Surfaces, middle: np.ndarray) -> three.Mesh:
    colours = lit_colours(part, None, None).astype(np.float32) / 255
    geometry = three.BufferGeometry(attributes={
        "position": three.BufferAttribute((part.position - middle).astype(np.float32)),
        "color": three.BufferAttribute(colours),
        "index": three.BufferAttribute(part.faces.astype(np.uint32).ravel(), normalized=False)})
    return three.Mesh(geometry, three.MeshBasicMaterial(vertexColors="VertexColors", side="DoubleSide"))
