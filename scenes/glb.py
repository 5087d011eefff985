"""A small GLB writer: quantised positions, baked colours, feature ids with their property table, instances, edges.

Everything is stored Y-up as glTF asks (x, z, −y of the park frame), relative to the tile's own middle.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.mesh import Mesh
from scenes.bake import Light
from scenes.colour import linear, to_gltf
from scenes.glb_buffer import FLOAT, MESHOPT, U8, U16, GlbBuffer
from scenes.meshopt import Compressor, compressor

MAX_FEATURES = 65_535
EDGE, EDGE_ALPHA = (70, 84, 95), 0.34
REQUIRED = {"KHR_mesh_quantization", "EXT_mesh_gpu_instancing", MESHOPT}


@dataclass(frozen=True, slots=True)
class FeatureNames:
    """What the property table says of each dense node index: id, name, class (park-wide columns, row 0 nobody)."""

    id: NDArray[np.object_]
    name: NDArray[np.object_]
    cls: NDArray[np.object_]

    def take(self, nodes: NDArray) -> FeatureNames:
        """Those of some nodes, in their order."""
        return FeatureNames(self.id[nodes], self.name[nodes], self.cls[nodes])


@dataclass(frozen=True, slots=True, eq=False)
class InstanceSet:
    """One mesh placed many times in a tile: see gis.planting.Placed; `sun` (n,) uint8 is the share of sun at each."""

    name: str
    mesh: Mesh
    light: Light
    position: NDArray[np.float64]
    turn_rad: NDArray[np.float64]
    scale: NDArray[np.float64]
    tint: NDArray[np.uint8]
    sun: NDArray[np.uint8]
    node: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class TileContent:
    """What goes into one GLB. `edges` is (k, 2, 3) park metres."""

    mesh: Mesh
    light: Light
    edges: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2, 3)))
    instances: tuple[InstanceSet, ...] = ()


def yup(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Park-frame points (…, 3) in glTF axes: (x, z, −y)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def write_glb(content: TileContent, names: FeatureNames | None = None) -> bytes:
    """The bytes of one tile, packed where a compressor is at hand.

    Args:
        names: what the property table says of each node; the nodes alone where None (see scenes.settle).

    Raises:
        ValueError: more than 65,535 features; split the tile before.
    """
    buffer = GlbBuffer(compressor())
    nodes = _features_of(content)
    if len(nodes) > MAX_FEATURES:
        raise ValueError(f"{len(nodes)} features in one tile; at most {MAX_FEATURES}")
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "parktwin"}, "scene": 0, "scenes": [{"nodes": []}], "nodes": [],
        "meshes": [], "materials": [_matt()],
    }
    used = {"KHR_mesh_quantization"}
    if len(content.mesh):
        _add_mesh(gltf, buffer, content.mesh, content.light, nodes, used)
    for group in content.instances:
        _add_instances(gltf, buffer, group, nodes, used)
    if len(content.edges):
        _add_edges(gltf, buffer, content.edges)
    if len(nodes):
        used.add("EXT_structural_metadata")
        gltf["extensions"] = {"EXT_structural_metadata": property_table(buffer, nodes, names)}
    if buffer.is_packed:
        used.add(MESHOPT)
    gltf["extensionsUsed"] = sorted(used)
    gltf["extensionsRequired"] = sorted(used & REQUIRED)
    return assemble(gltf, buffer)


def _matt(colour: Sequence[float] = (255, 255, 255), alpha: float = 1.0) -> dict[str, Any]:
    """A material without a shine; `colour` (sRGB 0..255) multiplies that of the vertices."""
    factor = [*(round(float(c), 4) for c in linear(np.array(colour))), alpha]
    tone = {} if factor == [1.0] * 4 else {"baseColorFactor": factor}
    return {"doubleSided": True, "pbrMetallicRoughness": {**tone, "metallicFactor": 0.0, "roughnessFactor": 1.0}}


def _features_of(content: TileContent) -> NDArray[np.uint32]:
    """Dense node indices of a tile in order; row 0 is nobody, always."""
    seen = [np.zeros(1, np.uint32), content.mesh.node, *(g.node for g in content.instances)]
    return np.unique(np.concatenate(seen))


def quantised(points: NDArray[np.float64]) -> tuple[NDArray[np.uint16], list[float], list[float]]:
    """u16 positions with the node's translation and scale that bring them back (Y-up metres)."""
    low, high = points.min(0), points.max(0)
    span = np.maximum(high - low, 1e-3)
    return np.rint((points - low) / span * 65535).astype(np.uint16), low.tolist(), span.tolist()


def _add_mesh(gltf: dict[str, Any], buffer: GlbBuffer, mesh: Mesh, light: Light, nodes: NDArray[np.uint32],
              used: set[str]) -> None:
    cells, translation, scale = quantised(yup(mesh.position))
    has_uv = np.abs(mesh.uv).sum(axis=1) > 0
    face_uv = has_uv[mesh.faces].any(axis=1)
    primitives = []
    for chosen, with_uv in ((~face_uv, False), (face_uv, True)):
        if chosen.any():
            rows, index = _corners(mesh.faces[chosen], buffer.compressor)
            position = buffer.vertices(cells[rows], "VEC3", U16, stride=8, normalized=True, has_bounds=True)
            primitive = _primitive(buffer, mesh, light, rows, index, position)
            if with_uv:
                primitive["attributes"]["TEXCOORD_0"] = buffer.vertices(mesh.uv[rows], "VEC2", FLOAT, stride=8)
            local = np.searchsorted(nodes, mesh.node[rows]).astype(np.uint16)
            primitive["attributes"]["_FEATURE_ID_0"] = buffer.vertices(local, "SCALAR", U16, stride=4)
            primitive["extensions"] = {"EXT_mesh_features": _feature_ids(nodes)}
            primitives.append(primitive)
    used.add("EXT_mesh_features")
    _place(gltf, {"name": "surfaces", "primitives": primitives}, {"translation": translation, "scale": scale})


def _place(gltf: dict[str, Any], mesh: dict[str, Any], node: dict[str, Any]) -> None:
    gltf["meshes"].append(mesh)
    gltf["nodes"].append({"name": mesh["name"], "mesh": len(gltf["meshes"]) - 1, **node})
    gltf["scenes"][0]["nodes"].append(len(gltf["nodes"]) - 1)


def _material(gltf: dict[str, Any], material: dict[str, Any]) -> int:
    """The row of a material, added where it is new."""
    materials: list[dict[str, Any]] = gltf["materials"]
    if material not in materials:
        materials.append(material)
    return materials.index(material)


def _primitive(buffer: GlbBuffer, mesh: Mesh, light: Light, rows: NDArray, index: NDArray, position: int) -> dict[str, Any]:
    """What every primitive carries: vertices `rows` of the mesh, corners `index` into them."""
    colour = buffer.vertices(to_gltf(mesh.colour[rows], light.ao[rows]), "VEC4", U16, stride=8, normalized=True)
    shade = buffer.vertices(_shade(mesh, light, rows), "VEC4", U8, stride=4)
    return {"attributes": {"POSITION": position, "COLOR_0": colour, "_SHADE": shade}, "material": 0, "mode": 4,
            "indices": buffer.indices(index, len(rows), "TRIANGLES")}


def _feature_ids(nodes: NDArray[np.uint32]) -> dict[str, Any]:
    return {"featureIds": [{"featureCount": len(nodes), "attribute": 0, "propertyTable": 0}]}


def _corners(faces: NDArray, packer: Compressor | None) -> tuple[NDArray[np.intp], NDArray[np.integer]]:
    """The mesh's vertices that faces use, and the faces' corners (3m,) as indices into them; in a good order to pack."""
    rows, index = np.unique(faces, return_inverse=True)
    if packer is None:
        return rows, index.reshape(-1)
    ordered, order = packer.ordered(index.reshape(-1), len(rows))
    return rows[order], ordered


def _shade(mesh: Mesh, light: Light, rows: NDArray) -> NDArray[np.uint8]:
    up = np.clip((mesh.normal[rows, 2] * 0.5 + 0.5) * 255, 0, 255).astype(np.uint8)
    return np.column_stack([light.sun[rows], up, mesh.surface[rows], mesh.storey_dm[rows]])


def _add_instances(gltf: dict[str, Any], buffer: GlbBuffer, group: InstanceSet, nodes: NDArray[np.uint32],
                   used: set[str]) -> None:
    """The mesh's own quantisation would sit on the node the instances hang from, so its positions stay float."""
    mesh = group.mesh
    rows, index = _corners(mesh.faces, buffer.compressor)
    position = buffer.vertices(yup(mesh.position[rows]).astype(np.float32), "VEC3", FLOAT, stride=12, has_bounds=True)
    primitive = _primitive(buffer, mesh, group.light, rows, index, position)
    primitive["material"] = _material(gltf, _matt(group.tint.mean(axis=0)))  # strangers do not know _TINT
    middle = group.position.mean(0)
    half = group.turn_rad / 2
    turn = np.column_stack([np.zeros_like(half), np.sin(half), np.zeros_like(half), np.cos(half)])
    scale = np.abs(yup(group.scale))
    local = np.searchsorted(nodes, group.node).astype(np.uint16)
    tint = np.column_stack([group.tint, group.sun])
    attributes = {
        "TRANSLATION": buffer.vertices((yup(group.position - middle)).astype(np.float32), "VEC3", FLOAT, target=None),
        "ROTATION": buffer.vertices(turn.astype(np.float32), "VEC4", FLOAT, target=None),
        "SCALE": buffer.vertices(scale.astype(np.float32), "VEC3", FLOAT, target=None),
        "_TINT": buffer.vertices(tint, "VEC4", U8, target=None, normalized=True),
        "_FEATURE_ID_0": buffer.vertices(local, "SCALAR", U16, target=None),
    }
    used.update(("EXT_mesh_gpu_instancing", "EXT_instance_features"))
    _place(gltf, {"name": group.name, "primitives": [primitive]}, {
        "translation": yup(middle).tolist(),
        "extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes},
                       "EXT_instance_features": _feature_ids(nodes)}})


def _add_edges(gltf: dict[str, Any], buffer: GlbBuffer, edges: NDArray[np.float64]) -> None:
    cells, translation, scale = quantised(yup(edges.reshape(-1, 3)))
    wide_key = cells.astype(np.int64) @ np.array([1 << 32, 1 << 16, 1])
    _, first, index = np.unique(wide_key, return_index=True, return_inverse=True)
    points = cells[first]
    position = buffer.vertices(points, "VEC3", U16, stride=8, normalized=True, has_bounds=True)
    indices = buffer.indices(index.reshape(-1), len(points), "INDICES")
    primitive = {"attributes": {"POSITION": position}, "indices": indices, "mode": 1,
                 "material": _material(gltf, {**_matt(EDGE, EDGE_ALPHA), "alphaMode": "BLEND"})}
    _place(gltf, {"name": "edges", "primitives": [primitive]}, {"translation": translation, "scale": scale})


def property_table(buffer: GlbBuffer, nodes: NDArray[np.uint32], names: FeatureNames | None) -> dict[str, Any]:
    """`EXT_structural_metadata`: a row a feature; its views are the last of the buffer."""
    properties: dict[str, Any] = {"node": {"values": buffer.view(nodes.astype("<u4").tobytes())}}
    columns = (("id", names.id), ("name", names.name), ("cls", names.cls)) if names else ()
    for key, column in columns:
        texts = [str(column[n]).encode() for n in nodes]
        offsets = np.concatenate([[0], np.cumsum([len(t) for t in texts])]).astype("<u4")
        blob = b"".join(texts) or b"\0"
        properties[key] = {"values": buffer.view(blob), "stringOffsets": buffer.view(offsets.tobytes()),
                           "stringOffsetType": "UINT32"}
    texts_of = {key: {"type": "STRING", "required": True} for key, _ in columns}
    return {
        "schema": {"id": "parktwin", "classes": {"node": {"properties": {
            "node": {"type": "SCALAR", "componentType": "UINT32", "required": True}, **texts_of}}}},
        "propertyTables": [{"name": "nodes", "class": "node", "count": len(nodes), "properties": properties}],
    }


def assemble(gltf: dict[str, Any], buffer: GlbBuffer) -> bytes:
    gltf["buffers"] = buffer.buffers()
    gltf["bufferViews"], gltf["accessors"] = buffer.views, buffer.accessors
    text = json.dumps(gltf, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-(len(text) + 20) % 8)
    total = 12 + 8 + len(text) + 8 + len(buffer.data)
    return b"".join([struct.pack("<4sII", b"glTF", 2, total), struct.pack("<I4s", len(text), b"JSON"), text,
                     struct.pack("<I4s", len(buffer.data), b"BIN\0"), bytes(buffer.data)])
