"""A small GLB writer: quantised positions, baked colours, feature ids with their property table, instances, edges.

Everything is stored Y-up as glTF asks (x, z, −y of the park frame), relative to the tile's own middle.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.mesh import Mesh
from scenes.bake import Light

_FLOAT, _U8, _U16, _U32 = 5126, 5121, 5123, 5125
_ARRAY, _ELEMENT = 34962, 34963
MAX_FEATURES = 65_535


@dataclass(frozen=True, slots=True)
class FeatureNames:
    """What the property table says of each dense node index: id, name, class (park-wide columns, row 0 nobody)."""

    id: NDArray[np.object_]
    name: NDArray[np.object_]
    cls: NDArray[np.object_]


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


class _Buffer:
    """The binary chunk under construction: 8-byte aligned views."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, raw: bytes, *, stride: int | None = None, target: int | None = None) -> int:
        self.data.extend(b"\0" * (-len(self.data) % 8))
        entry: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw)}
        if stride:
            entry["byteStride"] = stride
        if target:
            entry["target"] = target
        self.data.extend(raw)
        self.views.append(entry)
        return len(self.views) - 1

    def accessor(self, array: NDArray, kind: str, component: int, *, target: int | None = None,
                 stride: int | None = None, normalized: bool = False, has_bounds: bool = False) -> int:
        entry: dict[str, Any] = {"bufferView": self.view(_padded(array, stride), stride=stride, target=target),
                                 "componentType": component, "count": len(array), "type": kind}
        if normalized:
            entry["normalized"] = True
        if has_bounds:
            entry["min"], entry["max"] = array.min(0).tolist(), array.max(0).tolist()
        self.accessors.append(entry)
        return len(self.accessors) - 1


def _padded(array: NDArray, stride: int | None) -> bytes:
    flat = np.ascontiguousarray(array).reshape(len(array), -1)
    raw = flat.view(np.uint8).reshape(len(array), -1)
    if stride and raw.shape[1] < stride:
        raw = np.hstack([raw, np.zeros((len(array), stride - raw.shape[1]), np.uint8)])
    return raw.tobytes()


def yup(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Park-frame points (…, 3) in glTF axes: (x, z, −y)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def write_glb(content: TileContent, names: FeatureNames) -> bytes:
    """The bytes of one tile.

    Raises:
        ValueError: more than 65,535 features; split the tile before.
    """
    buffer = _Buffer()
    nodes = _features_of(content)
    if len(nodes) > MAX_FEATURES:
        raise ValueError(f"{len(nodes)} features in one tile; at most {MAX_FEATURES}")
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "parktwin"}, "scene": 0, "scenes": [{"nodes": []}], "nodes": [],
        "meshes": [], "materials": [{"doubleSided": True, "pbrMetallicRoughness": {"metallicFactor": 0.0,
                                                                                  "roughnessFactor": 1.0}}],
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
        gltf["extensions"] = {"EXT_structural_metadata": _property_table(buffer, nodes, names)}
    gltf["extensionsUsed"] = sorted(used)
    gltf["extensionsRequired"] = ["KHR_mesh_quantization"] + (
        ["EXT_mesh_gpu_instancing"] if "EXT_mesh_gpu_instancing" in used else [])
    return _assemble(gltf, buffer)


def _features_of(content: TileContent) -> NDArray[np.uint32]:
    """Dense node indices of a tile in order; row 0 is nobody, always."""
    seen = [np.zeros(1, np.uint32), content.mesh.node, *(g.node for g in content.instances)]
    return np.unique(np.concatenate(seen))


def _quantised(points: NDArray[np.float64]) -> tuple[NDArray[np.uint16], list[float], list[float]]:
    """u16 positions with the node's translation and scale that bring them back (Y-up metres)."""
    low, high = points.min(0), points.max(0)
    span = np.maximum(high - low, 1e-3)
    return np.rint((points - low) / span * 65535).astype(np.uint16), low.tolist(), span.tolist()


def _add_mesh(gltf: dict[str, Any], buffer: _Buffer, mesh: Mesh, light: Light, nodes: NDArray[np.uint32],
              used: set[str]) -> None:
    quantised, translation, scale = _quantised(yup(mesh.position))
    has_uv = np.abs(mesh.uv).sum(axis=1) > 0
    face_uv = has_uv[mesh.faces].any(axis=1)
    primitives = []
    for chosen, with_uv in ((~face_uv, False), (face_uv, True)):
        if chosen.any():
            primitives.append(_primitive(buffer, mesh, light, quantised, nodes, np.flatnonzero(chosen), with_uv))
    used.add("EXT_mesh_features")
    _place(gltf, {"name": "surfaces", "primitives": primitives}, {"translation": translation, "scale": scale})


def _place(gltf: dict[str, Any], mesh: dict[str, Any], node: dict[str, Any]) -> None:
    gltf["meshes"].append(mesh)
    gltf["nodes"].append({"name": mesh["name"], "mesh": len(gltf["meshes"]) - 1, **node})
    gltf["scenes"][0]["nodes"].append(len(gltf["nodes"]) - 1)


def _primitive(buffer: _Buffer, mesh: Mesh, light: Light, quantised: NDArray[np.uint16], nodes: NDArray[np.uint32],
               faces: NDArray, with_uv: bool, has_features: bool = True) -> dict[str, Any]:
    rows, index = np.unique(mesh.faces[faces], return_inverse=True)
    attributes = {
        "POSITION": buffer.accessor(quantised[rows], "VEC3", _U16, stride=8, target=_ARRAY, normalized=True,
                                    has_bounds=True),
        "COLOR_0": buffer.accessor(np.column_stack([mesh.colour[rows], light.ao[rows]]), "VEC4", _U8, stride=4,
                                   target=_ARRAY, normalized=True),
        "_SHADE": buffer.accessor(_shade(mesh, light, rows), "VEC4", _U8, stride=4, target=_ARRAY),
    }
    if with_uv:
        attributes["TEXCOORD_0"] = buffer.accessor(mesh.uv[rows], "VEC2", _FLOAT, stride=8, target=_ARRAY)
    out: dict[str, Any] = {"attributes": attributes, "material": 0, "mode": 4}
    if has_features:
        local = np.searchsorted(nodes, mesh.node[rows]).astype(np.uint16)
        attributes["_FEATURE_ID_0"] = buffer.accessor(local, "SCALAR", _U16, stride=4, target=_ARRAY)
        out["extensions"] = {"EXT_mesh_features": {"featureIds": [
            {"featureCount": len(nodes), "attribute": 0, "propertyTable": 0}]}}
    index = index.reshape(-1)
    wide = len(rows) > 65534
    out["indices"] = buffer.accessor(index.astype(np.uint32 if wide else np.uint16), "SCALAR", _U32 if wide else _U16,
                                     target=_ELEMENT)
    return out


def _shade(mesh: Mesh, light: Light, rows: NDArray) -> NDArray[np.uint8]:
    up = np.clip((mesh.normal[rows, 2] * 0.5 + 0.5) * 255, 0, 255).astype(np.uint8)
    return np.column_stack([light.sun[rows], up, mesh.surface[rows], mesh.storey_dm[rows]])


def _add_instances(gltf: dict[str, Any], buffer: _Buffer, group: InstanceSet, nodes: NDArray[np.uint32],
                   used: set[str]) -> None:
    """The mesh's own quantisation would sit on the node the instances hang from, so its positions stay float."""
    mesh = group.mesh
    primitive = _primitive(buffer, mesh, group.light, np.zeros((len(mesh), 3), np.uint16), nodes,
                           np.arange(len(mesh.faces)), False, has_features=False)
    rows = np.unique(mesh.faces)
    primitive["attributes"]["POSITION"] = buffer.accessor(
        yup(mesh.position[rows]).astype(np.float32), "VEC3", _FLOAT, stride=12, target=_ARRAY, has_bounds=True)
    middle = group.position.mean(0)
    half = group.turn_rad / 2
    turn = np.column_stack([np.zeros_like(half), np.sin(half), np.zeros_like(half), np.cos(half)])
    scale = np.abs(yup(group.scale))
    local = np.searchsorted(nodes, group.node).astype(np.uint16)
    tint = np.column_stack([group.tint, group.sun])
    attributes = {
        "TRANSLATION": buffer.accessor((yup(group.position - middle)).astype(np.float32), "VEC3", _FLOAT),
        "ROTATION": buffer.accessor(turn.astype(np.float32), "VEC4", _FLOAT),
        "SCALE": buffer.accessor(scale.astype(np.float32), "VEC3", _FLOAT),
        "_TINT": buffer.accessor(tint, "VEC4", _U8, normalized=True),
        "_FEATURE_ID_0": buffer.accessor(local, "SCALAR", _U16),
    }
    used.update(("EXT_mesh_gpu_instancing", "EXT_instance_features"))
    _place(gltf, {"name": group.name, "primitives": [primitive]}, {
        "translation": yup(middle).tolist(),
        "extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes},
                       "EXT_instance_features": {"featureIds": [
                           {"featureCount": len(nodes), "attribute": 0, "propertyTable": 0}]}}})


def _add_edges(gltf: dict[str, Any], buffer: _Buffer, edges: NDArray[np.float64]) -> None:
    quantised, translation, scale = _quantised(yup(edges.reshape(-1, 3)))
    wide_key = quantised.astype(np.int64) @ np.array([1 << 32, 1 << 16, 1])
    _, first, index = np.unique(wide_key, return_index=True, return_inverse=True)
    points = quantised[first]
    position = buffer.accessor(points, "VEC3", _U16, stride=8, target=_ARRAY, normalized=True, has_bounds=True)
    wide = len(points) > 65534
    indices = buffer.accessor(index.reshape(-1).astype(np.uint32 if wide else np.uint16), "SCALAR",
                              _U32 if wide else _U16, target=_ELEMENT)
    primitive = {"attributes": {"POSITION": position}, "indices": indices, "mode": 1, "material": 0}
    _place(gltf, {"name": "edges", "primitives": [primitive]}, {"translation": translation, "scale": scale})


def _property_table(buffer: _Buffer, nodes: NDArray[np.uint32], names: FeatureNames) -> dict[str, Any]:
    properties: dict[str, Any] = {"node": {"values": buffer.view(nodes.astype("<u4").tobytes())}}
    for key, column in (("id", names.id), ("name", names.name), ("cls", names.cls)):
        texts = [str(column[n]).encode() for n in nodes]
        offsets = np.concatenate([[0], np.cumsum([len(t) for t in texts])]).astype("<u4")
        blob = b"".join(texts) or b"\0"
        properties[key] = {"values": buffer.view(blob), "stringOffsets": buffer.view(offsets.tobytes()),
                           "stringOffsetType": "UINT32"}
    texts_of = {key: {"type": "STRING", "required": True} for key in ("id", "name", "cls")}
    return {
        "schema": {"id": "parktwin", "classes": {"node": {"properties": {
            "node": {"type": "SCALAR", "componentType": "UINT32", "required": True}, **texts_of}}}},
        "propertyTables": [{"name": "nodes", "class": "node", "count": len(nodes), "properties": properties}],
    }


def _assemble(gltf: dict[str, Any], buffer: _Buffer) -> bytes:
    buffer.data.extend(b"\0" * (-len(buffer.data) % 8))
    gltf["buffers"] = [{"byteLength": len(buffer.data)}]
    gltf["bufferViews"], gltf["accessors"] = buffer.views, buffer.accessors
    text = json.dumps(gltf, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-(len(text) + 20) % 8)
    total = 12 + 8 + len(text) + 8 + len(buffer.data)
    return b"".join([struct.pack("<4sII", b"glTF", 2, total), struct.pack("<I4s", len(text), b"JSON"), text,
                     struct.pack("<I4s", len(buffer.data), b"BIN\0"), bytes(buffer.data)])
