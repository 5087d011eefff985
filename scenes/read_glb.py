"""Reads our own tiles back: for stills, notebooks and tests, without a browser."""

from __future__ import annotations

import itertools
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.colour import from_gltf
from scenes.glb_buffer import MESHOPT
from scenes.meshopt import decompressor

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """Triangles of a tile in the park frame; colour is albedo (sRGB bytes) and AO, shade as in the tile format."""

    position: NDArray[np.float64]
    colour: NDArray[np.uint8]
    shade: NDArray[np.uint8]
    uv: NDArray[np.float32]
    node: NDArray[np.uint32]
    faces: NDArray[np.uint32]


class Glb:
    """One parsed GLB: its JSON and its arrays."""

    def __init__(self, data: bytes) -> None:
        magic, version, total = struct.unpack_from("<4sII", data)
        if magic != b"glTF" or version != 2 or total != len(data):
            raise ValueError("not a GLB of version 2")
        size = struct.unpack_from("<I", data, 12)[0]
        self.json: dict[str, Any] = json.loads(data[20:20 + size])
        self.binary = memoryview(data)[20 + size + 8:]
        self._unpacked: dict[int, memoryview] = {}

    def view(self, index: int) -> memoryview:
        """The bytes of a buffer view.

        Raises:
            TwinError: it is compressed and no viewer was built that holds the decoder.
        """
        view = self.json["bufferViews"][index]
        packed = view.get("extensions", {}).get(MESHOPT)
        if packed is None:
            return self.binary[view.get("byteOffset", 0): view.get("byteOffset", 0) + view["byteLength"]]
        if index not in self._unpacked:
            raw = bytes(self.binary[packed["byteOffset"]: packed["byteOffset"] + packed["byteLength"]])
            self._unpacked[index] = memoryview(
                decompressor().decode(raw, packed["count"], packed["byteStride"], packed["mode"]))
        return self._unpacked[index]

    def array(self, index: int) -> NDArray:
        """An accessor as (n, width)."""
        accessor = self.json["accessors"][index]
        view = self.json["bufferViews"][accessor["bufferView"]]
        kind, width = np.dtype(_DTYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        stride = view.get("byteStride", kind.itemsize * width)
        raw = np.frombuffer(self.view(accessor["bufferView"]), np.uint8).reshape(-1, stride)[:, :kind.itemsize * width]
        return np.ascontiguousarray(raw).view(kind).reshape(-1, width)[:accessor["count"]]

    def nodes_of_features(self) -> NDArray[np.uint32]:
        """Dense node index of every feature id of the tile (f,)."""
        table = self.json["extensions"]["EXT_structural_metadata"]["propertyTables"][0]
        return np.frombuffer(self.view(table["properties"]["node"]["values"]), "<u4")

    def texts(self, name: str) -> list[str]:
        """A STRING property of every feature."""
        entry = self.json["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["properties"][name]
        offsets = np.frombuffer(self.view(entry["stringOffsets"]), "<u4")
        raw = bytes(self.view(entry["values"]))
        return [raw[a:b].decode() for a, b in itertools.pairwise(offsets)]

    def surfaces(self) -> list[Surfaces]:
        """Every triangle primitive in the park frame; instances are laid out one by one."""
        out = []
        for node in self.json["nodes"]:
            for primitive in self.json["meshes"][node["mesh"]]["primitives"]:
                if primitive["mode"] == 4:
                    out.extend(self._primitive(node, primitive))
        return out

    def edges(self) -> NDArray[np.float64]:
        """Feature edges (k, 2, 3), park metres."""
        for node in self.json["nodes"]:
            if node["name"] == "edges":
                primitive = self.json["meshes"][node["mesh"]]["primitives"][0]
                points = self._placed(node, primitive)
                return points[self.array(primitive["indices"]).ravel()].reshape(-1, 2, 3)
        return np.zeros((0, 2, 3))

    def _placed(self, node: dict[str, Any], primitive: dict[str, Any]) -> NDArray[np.float64]:
        accessor = self.json["accessors"][primitive["attributes"]["POSITION"]]
        points = self.array(primitive["attributes"]["POSITION"]).astype(np.float64)
        if accessor.get("normalized"):
            points /= 65535
        return zup(points * node.get("scale", [1, 1, 1]) + node.get("translation", [0, 0, 0]))

    def _primitive(self, node: dict[str, Any], primitive: dict[str, Any]) -> list[Surfaces]:
        attributes = primitive["attributes"]
        colour, shade = from_gltf(self.array(attributes["COLOR_0"])), self.array(attributes["_SHADE"])
        faces = self.array(primitive["indices"]).reshape(-1, 3).astype(np.uint32)
        has_uv = "TEXCOORD_0" in attributes
        uv = self.array(attributes["TEXCOORD_0"]) if has_uv else np.zeros((len(colour), 2), np.float32)
        instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
        if instancing is None:
            owner = self.nodes_of_features()[self.array(attributes["_FEATURE_ID_0"]).ravel()]
            return [Surfaces(self._placed(node, primitive), colour, shade, uv, owner, faces)]
        local = self.array(attributes["POSITION"])
        return [self._instances(node, instancing["attributes"], local, colour, shade, faces)]

    def _instances(self, node: dict[str, Any], placed: dict[str, int], local: NDArray, colour: NDArray, shade: NDArray,
                   faces: NDArray[np.uint32]) -> Surfaces:
        at, turn, scale = (self.array(placed[name]).astype(np.float64) for name in ("TRANSLATION", "ROTATION", "SCALE"))
        sin, cos = 2 * turn[:, 1] * turn[:, 3], 1 - 2 * turn[:, 1] ** 2
        points = local[None] * scale[:, None]
        x = points[..., 0] * cos[:, None] + points[..., 2] * sin[:, None]
        z = -points[..., 0] * sin[:, None] + points[..., 2] * cos[:, None]
        world = np.stack([x, points[..., 1], z], axis=-1) + at[:, None] + node["translation"]
        n, k = len(at), len(local)
        tint = self.array(placed["_TINT"])
        tinted = np.tile(colour, (n, 1)).astype(np.uint16)
        is_crown = np.tile(shade[:, 2] == 11, n)
        tinted[is_crown, :3] = tinted[is_crown, :3] * np.repeat(tint[:, :3], k, axis=0)[is_crown] // 255
        lit = np.tile(shade, (n, 1))
        lit[:, 0] = lit[:, 0].astype(np.uint16) * np.repeat(tint[:, 3], k) // 255
        owner = self.nodes_of_features()[self.array(placed["_FEATURE_ID_0"]).ravel()]
        index = (faces[None] + (np.arange(n, dtype=np.uint32) * k)[:, None, None]).reshape(-1, 3)
        return Surfaces(zup(world.reshape(-1, 3)), tinted.astype(np.uint8), lit, np.zeros((n * k, 2), np.float32),
                        np.repeat(owner, k), index)


def zup(points: NDArray) -> NDArray[np.float64]:
    """glTF axes (…, 3) back to the park frame."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1).astype(np.float64)


def read_glb(path: Path) -> Glb:
    """Parse one tile file."""
    return Glb(path.read_bytes())
