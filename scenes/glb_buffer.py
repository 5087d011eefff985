"""The binary half of a GLB under construction: aligned buffer views, their accessors, `EXT_meshopt_compression`."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scenes.meshopt import Compressor

FLOAT, U8, U16, U32 = 5126, 5121, 5123, 5125
ARRAY, ELEMENT = 34962, 34963
MESHOPT = "EXT_meshopt_compression"
IndexMode = Literal["TRIANGLES", "INDICES"]


class GlbBuffer:
    """The binary chunk: 8-byte aligned views.

    Args:
        compressor: packs vertices and indices; without one everything is written plain. A packed view points into a
            second buffer that has no bytes, as the extension asks: readers who do not know it have nothing to read.
    """

    def __init__(self, compressor: Compressor | None) -> None:
        self.compressor = compressor
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self._unpacked = 0

    @classmethod
    def before(cls, gltf: dict[str, Any], binary: bytes | memoryview, view: int) -> GlbBuffer:
        """The buffer of a written GLB as it was before a view was added; nothing more is packed."""
        buffer = cls(None)
        buffer.views, buffer.accessors = gltf["bufferViews"][:view], gltf["accessors"]
        buffer.data = bytearray(binary[:gltf["bufferViews"][view]["byteOffset"]])
        buffer._unpacked = gltf["buffers"][1]["byteLength"] if len(gltf["buffers"]) > 1 else 0
        return buffer

    @property
    def is_packed(self) -> bool:
        """Whether any view is compressed."""
        return self._unpacked > 0

    def buffers(self) -> list[dict[str, Any]]:
        """What glTF's `buffers` says, after the last view."""
        self.data.extend(b"\0" * (-len(self.data) % 8))
        out: list[dict[str, Any]] = [{"byteLength": len(self.data)}]
        if self.is_packed:
            out.append({"byteLength": self._unpacked, "extensions": {MESHOPT: {"fallback": True}}})
        return out

    def view(self, raw: bytes) -> int:
        """A plain view of its own."""
        entry: dict[str, Any] = {"buffer": 0, **self._append(raw)}
        self.views.append(entry)
        return len(self.views) - 1

    def vertices(self, array: NDArray, kind: str, component: int, *, stride: int | None = None, target: int | None = ARRAY,
                 normalized: bool = False, has_bounds: bool = False) -> int:
        """An accessor of one attribute (n, width), its records padded to `stride` bytes."""
        raw, size = _padded(array, stride)
        packed = self.compressor.vertices(raw, len(array), size) if self.compressor and size % 4 == 0 else None
        view = self._view(raw, packed, {"byteStride": size, "count": len(array), "mode": "ATTRIBUTES"})
        if stride:
            self.views[view]["byteStride"] = stride
        if target:
            self.views[view]["target"] = target
        entry: dict[str, Any] = {"bufferView": view, "componentType": component, "count": len(array), "type": kind}
        if normalized:
            entry["normalized"] = True
        if has_bounds:
            entry["min"], entry["max"] = array.min(0).tolist(), array.max(0).tolist()
        return self._accessor(entry)

    def indices(self, index: NDArray[np.integer], vertices: int, mode: IndexMode) -> int:
        """An accessor of corner indices (k,) into `vertices` vertices, as narrow as they allow."""
        wide = vertices > 65534
        raw = index.astype("<u4" if wide else "<u2").tobytes()
        packed = None
        if self.compressor:
            packed = (self.compressor.triangles if mode == "TRIANGLES" else self.compressor.sequence)(index)
        view = self._view(raw, packed, {"byteStride": 4 if wide else 2, "count": len(index), "mode": mode})
        self.views[view]["target"] = ELEMENT
        return self._accessor({"bufferView": view, "componentType": U32 if wide else U16, "count": len(index),
                               "type": "SCALAR"})

    def _accessor(self, entry: dict[str, Any]) -> int:
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def _view(self, raw: bytes, packed: bytes | None, how: dict[str, Any]) -> int:
        if packed is None or len(packed) >= len(raw):
            return self.view(raw)
        self._unpacked += -self._unpacked % 8
        self.views.append({"buffer": 1, "byteOffset": self._unpacked, "byteLength": len(raw),
                           "extensions": {MESHOPT: {"buffer": 0, **self._append(packed), **how}}})
        self._unpacked += len(raw)
        return len(self.views) - 1

    def _append(self, raw: bytes) -> dict[str, int]:
        self.data.extend(b"\0" * (-len(self.data) % 8))
        place = {"byteOffset": len(self.data), "byteLength": len(raw)}
        self.data.extend(raw)
        return place


def _padded(array: NDArray, stride: int | None) -> tuple[bytes, int]:
    """The records of an array and the bytes each takes."""
    flat = np.ascontiguousarray(array).reshape(len(array), -1)
    raw = flat.view(np.uint8).reshape(len(array), -1)
    if stride and raw.shape[1] < stride:
        raw = np.hstack([raw, np.zeros((len(array), stride - raw.shape[1]), np.uint8)])
    return raw.tobytes(), raw.shape[1]
