"""GLB of a background: what all have in common, and scanned points.

Nothing in them is a feature: there is no property table, and `extras.background` of the node tells readers what it is.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scenes.colour import to_gltf
from scenes.glb import REQUIRED, assemble, quantised, yup
from scenes.glb_buffer import MESHOPT, U16, GlbBuffer
from scenes.meshopt import compressor

F64 = NDArray[np.float64]
_JPEG_QUALITY = 84
_POINTS = 0


def points_glb(position: F64, colour: NDArray[np.uint8], spacing_m: float) -> bytes:
    """Points (n, 3) park metres with their sRGB (n, 3) as one glTF primitive POINTS."""
    buffer = GlbBuffer(compressor())
    cells, translation, scale = quantised(yup(position))
    primitive = {"attributes": {"POSITION": positions(buffer, cells), "COLOR_0": colours(buffer, colour)},
                 "material": 0, "mode": _POINTS}
    return background_glb(buffer, [primitive], translation, scale, {"background": "points", "spacing": round(spacing_m, 4)})


def positions(buffer: GlbBuffer, cells: NDArray[np.uint16]) -> int:
    """The accessor of quantised positions (n, 3)."""
    return buffer.vertices(cells, "VEC3", U16, stride=8, normalized=True, has_bounds=True)


def colours(buffer: GlbBuffer, colour: NDArray[np.uint8]) -> int:
    """The accessor of colours (n, 3), sRGB."""
    return buffer.vertices(to_gltf(colour), "VEC4", U16, stride=8, normalized=True)


def background_glb(buffer: GlbBuffer, primitives: list[dict[str, Any]], translation: list[float], scale: list[float],
         extras: dict[str, Any], picture: Image.Image | None = None) -> bytes:
    """The bytes of one background tile; `picture` is the texture of material 1."""
    used = {"KHR_mesh_quantization", "KHR_materials_unlit"} | ({MESHOPT} if buffer.is_packed else set())
    material: dict[str, Any] = {"doubleSided": True, "extensions": {"KHR_materials_unlit": {}},
                                "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0}}
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "parktwin"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": translation, "scale": scale, "extras": extras}],
        "meshes": [{"name": str(extras["background"]), "primitives": primitives}], "materials": [material],
    }
    if picture is not None:
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=_JPEG_QUALITY, optimize=True)
        gltf["images"] = [{"bufferView": buffer.view(data.getvalue()), "mimeType": "image/jpeg"}]
        gltf["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}]
        gltf["textures"] = [{"source": 0, "sampler": 0}]
        painted = {**material, "pbrMetallicRoughness": {**material["pbrMetallicRoughness"],
                                                        "baseColorTexture": {"index": 0}}}
        gltf["materials"] = [material, painted] if any(p["material"] == 0 for p in primitives) else [painted]
        for primitive in primitives:
            primitive["material"] = min(primitive["material"], len(gltf["materials"]) - 1)
    gltf["extensionsUsed"], gltf["extensionsRequired"] = sorted(used), sorted(used & REQUIRED)
    return assemble(gltf, buffer)
