"""A building as tiles: a coarse body from afar, the shell near by, one file a storey for when it opens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.mesh import Mesh, Surface, join, split_large, take_faces
from models_bim.model import BimModel
from scenes.bake import Light, Occluders, bake, lights
from scenes.building_mesh import BuildingMesh, building_mesh, space_floors
from scenes.edges import feature_edges
from scenes.far import far_mesh
from scenes.glb import TileContent, write_glb
from scenes.massing import boxes
from scenes.shell import drop_small, outer_shell
from scenes.things import plot_of
from scenes.tileset import Tile, Write, around

FAR_ERROR_M = 2.4
SHELL_ERROR_M = 0.7
FAR_EDGES = 1_200
FAR_EDGE_M = 36.0
MAX_EDGES = 6_000
SHELL_EDGE_M = 9.0
STOREY_EDGE_M = 7.0
NEAR_AO_M = 6.0
FLOOR_SUN = 0.6  # floors carry data: their shadows stay faint


@dataclass(frozen=True, slots=True, eq=False)
class BuildingInput:
    """A building ready to be drawn, in numbers and a frame of its own, so that it is drawn again only when it changed.

    Its things are numbered from 1; its frame is its plot (`scenes.things.plot_of`).

    Args:
        at: park metres of the plot's origin, east and north.
        nodes: (entities,) number of every entity row.
        node: number of the building itself; storey_nodes: of each storey, in order.
        dense: (k,) ascending, the park-wide dense node index of every number; 0 for 0.
    """

    id: str
    model: BimModel
    plot_from_ifc: NDArray[np.float64]
    at: tuple[float, float]
    nodes: NDArray[np.uint32]
    node: int
    storey_nodes: tuple[int, ...]
    dense: NDArray[np.uint32]

    @classmethod
    def of(cls, building_id: str, model: BimModel, park_from_ifc: NDArray[np.float64], nodes: NDArray[np.uint32], node: int,
           storey_nodes: tuple[int, ...]) -> BuildingInput:
        """A building by dense node indices."""
        dense = np.unique(np.concatenate([[0, node, *storey_nodes], nodes])).astype(np.uint32)
        own = np.searchsorted(dense, nodes).astype(np.uint32)
        first, *rest = np.searchsorted(dense, [node, *storey_nodes]).tolist()
        plot_from_ifc, at = plot_of(model, park_from_ifc)
        return cls(building_id, model, plot_from_ifc, at, own, first, tuple(rest), dense)


@dataclass(frozen=True, slots=True, eq=False)
class BuildingOutput:
    """The building's tile (shell with storeys below it) and its manifest entry, its files named from its own folder.

    Args:
        triangles: of its coarsest tile; mass: the box that stands for it where even that is too much.
    """

    tile: Tile
    manifest: dict[str, Any]
    triangles: int
    mass: Mesh


def tile_building(source: BuildingInput, whole: BuildingMesh, around_it: NDArray[np.float64], sun: NDArray[np.float64],
                  write: Write) -> BuildingOutput | None:
    """Write shell and storeys of one building in its plot; None when nothing of it has a surface.

    Args:
        whole: `building_mesh` of the source.
        around_it: triangles (m, 3, 3) of the neighbourhood that throws shadow on it.
    """
    if not len(whole.mesh.faces):
        return None
    near, whole_body = Occluders(around_it), Occluders(whole.mesh.position, whole.mesh.faces)
    shell = outer_shell(whole, whole_body)
    if not len(shell.faces):
        return None
    shell_box = _write_shell(source, shell, whole_body, near, sun, write)
    far = _write_far(source, shell, whole_body, near, sun, write)
    storeys, children = [], []
    for index, storey in enumerate(source.model.storeys):
        uri = f"{index}.glb"
        box = _write_storey(source, whole, index, uri, whole_body, near, sun, write)
        if box is not None:
            children.append(Tile(uri, "storey", box, 0.0, extras={"storey": index}))
        node = source.storey_nodes[index]
        rise = float(source.plot_from_ifc[2, 3])
        storeys.append({"node": node, "index": index, "name": storey.name,
                        "elevation": round(storey.elevation + rise, 4), "height": round(storey.height, 4),
                        "tile": uri if box is not None else ""})
    box = around([shell_box, *(child.box for child in children)])
    tile = Tile("shell.glb", "building", box, SHELL_ERROR_M, tuple(children), replace=True)
    if far is not None:
        tile = Tile("far.glb", "building", box, FAR_ERROR_M, (tile,), replace=True)
    mass = boxes([replace(shell, node=np.full(len(shell), source.node, np.uint32))])
    return BuildingOutput(tile, {"node": source.node, "shell": "shell.glb", "storeys": storeys},
                          len((shell if far is None else far).faces), mass)


def _write_shell(source: BuildingInput, shell: Mesh, whole_body: Occluders, near: Occluders,
                 sun: NDArray[np.float64], write: Write) -> tuple[float, ...]:
    mesh, _ = split_large(shell, np.where(shell.surface[shell.faces[:, 0]] == Surface.GLASS, 1e9, SHELL_EDGE_M))
    light = bake(mesh, whole_body, sun, far=near)
    edges = feature_edges(mesh, shortest_m=0.8, limit=MAX_EDGES)
    write("shell.glb", write_glb(TileContent(mesh, light, edges)))
    return _box(mesh)


def _write_far(source: BuildingInput, shell: Mesh, whole_body: Occluders, near: Occluders,
               sun: NDArray[np.float64], write: Write) -> Mesh | None:
    """The coarse body, written; None where the shell has to do from any distance."""
    mesh = far_mesh(shell, source.node)
    if mesh is None:
        return None
    mesh, _ = split_large(mesh, np.where(mesh.surface[mesh.faces[:, 0]] == Surface.GLASS, 1e9, FAR_EDGE_M))
    light = bake(mesh, whole_body, sun, far=near)
    write("far.glb", write_glb(TileContent(mesh, light, feature_edges(mesh, shortest_m=2.5, limit=FAR_EDGES))))
    return mesh


def _write_storey(source: BuildingInput, whole: BuildingMesh, index: int, uri: str, whole_body: Occluders, near: Occluders,
                  sun: NDArray[np.float64], write: Write) -> tuple[float, ...] | None:
    chosen = whole.storey == index
    entities = source.model.entities
    spaces = [s for s in source.model.spaces if entities.storey[s.entity] == index]
    floors, rim = space_floors(spaces, source.plot_from_ifc, source.nodes)
    if not chosen.any() and not len(floors):
        return None
    body, fittings, blockers = _opened(whole, chosen)
    floor_light = bake(floors, blockers, sun, directions=1)
    light = lights([bake(body, blockers, sun, far=near, ao_reach_m=NEAR_AO_M, directions=10, two_sided=True),
                    fitting_light(fittings, whole_body, sun),
                    Light(rim, np.maximum(floor_light.sun, np.uint8(FLOOR_SUN * max(sun[2], 0) * 255)))])
    content = TileContent(join([body, fittings, floors]), light, feature_edges(body, shortest_m=0.4, limit=MAX_EDGES))
    if not len(content.mesh.faces):
        return None
    write(uri, write_glb(content))
    return _box(content.mesh)


def _opened(whole: BuildingMesh, chosen: NDArray[np.bool_]) -> tuple[Mesh, Mesh, Occluders]:
    """A storey's body, its fittings, and what darkens them once it is opened: all but the ceiling."""
    mesh = take_faces(whole.mesh, chosen)
    blockers = Occluders(mesh.position, mesh.faces[~whole.is_ceiling[chosen]])
    mesh = drop_small(mesh)
    is_fitting = mesh.surface[mesh.faces[:, 0]] == Surface.INTERIOR
    body, fittings = take_faces(mesh, ~is_fitting), take_faces(mesh, is_fitting)
    del mesh
    body, _ = split_large(body, np.where(body.surface[body.faces[:, 0]] == Surface.GLASS, 1e9, STOREY_EDGE_M))
    return body, fittings, blockers


def fitting_light(mesh: Mesh, whole_body: Occluders, sun: NDArray[np.float64]) -> Light:
    """Furniture and equipment by their facing alone: there is too much of it for many rays, and it is small.

    One ray straight up tells what stands in the open (on a roof) and so gets the full sun.
    """
    up = np.abs(mesh.normal[:, 2])
    facing = np.clip(mesh.normal.astype(np.float64) @ sun, 0, 1)
    start = mesh.position + mesh.normal * 0.05 + np.array([0.0, 0.0, 0.05])
    is_open = ~whole_body.blocked(start, np.tile([0.0, 0.0, 1.0], (len(mesh), 1)))
    return Light(np.rint(168 + 70 * up).astype(np.uint8), np.rint(np.where(is_open, 255, 90) * facing).astype(np.uint8))


def _box(mesh: Mesh) -> tuple[float, ...]:
    return tuple(float(v) for v in (*mesh.position.min(0), *mesh.position.max(0)))


def mesh_of(source: BuildingInput) -> BuildingMesh:
    """The whole building's triangles in its plot."""
    return building_mesh(source.model, source.plot_from_ifc, source.nodes)
