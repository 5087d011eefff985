"""Compression of vertex and index buffers for `EXT_meshopt_compression`, by meshoptimizer's own WebAssembly.

Source: npm `meshoptimizer` (MIT); the viewer's build puts its modules beside the bundle (`assets/viewer/dist/*.wasm`).
Where no viewer was built there is no compressor, and tiles are written plain.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import wasmtime
from numpy.typing import NDArray

import assets
from twin.errors import TwinError
from twin.steps import digest_of_file

DIST = Path(assets.__file__).parent / "viewer" / "dist"
ENCODER, DECODER = DIST / "meshopt_encoder.wasm", DIST / "meshopt_decoder.wasm"
VERTEX_VERSION = 0  # the extension knows no later one
INDEX_VERSION = 1
LEVEL = 2
PLAIN = "plain"
DECODERS = {"ATTRIBUTES": "meshopt_decodeVertexBuffer", "TRIANGLES": "meshopt_decodeIndexBuffer",
            "INDICES": "meshopt_decodeIndexSequence"}


class _Module:
    """One WebAssembly instance; its memory is a stack that every call leaves as it found it."""

    def __init__(self, wasm: bytes) -> None:
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        exports = wasmtime.Instance(self.store, wasmtime.Module(engine, wasm), []).exports(self.store)
        self._exports: dict[str, Any] = {name: exports[name] for name in exports}
        self.lock = Lock()
        self.call("__wasm_call_ctors")

    def call(self, name: str, *args: int) -> int:
        return int(self._exports[name](self.store, *args) or 0)

    def put(self, raw: bytes) -> int:
        """Address of a copy of `raw`."""
        at = self.call("sbrk", len(raw) + -len(raw) % 16)
        self._exports["memory"].write(self.store, raw, at)
        return at

    def room(self, size: int) -> int:
        """Address of `size` free bytes."""
        return self.call("sbrk", size + -size % 16)

    def get(self, at: int, size: int) -> bytes:
        return bytes(self._exports["memory"].read(self.store, at, at + size))

    def free_to(self, at: int) -> None:
        self.call("sbrk", at - self.call("sbrk", 0))


class Compressor:
    """Encodes the buffers of a tile; same input, same bytes."""

    def __init__(self, wasm: bytes) -> None:
        self._module = _Module(wasm)
        self._module.call("meshopt_encodeVertexVersion", VERTEX_VERSION)
        self._module.call("meshopt_encodeIndexVersion", INDEX_VERSION)

    def vertices(self, raw: bytes, count: int, stride: int) -> bytes:
        """`count` records of `stride` bytes (a multiple of 4, at most 256), mode ATTRIBUTES."""
        bound = self._module.call("meshopt_encodeVertexBufferBound", count, stride)
        return self._encode("meshopt_encodeVertexBufferLevel", bound, raw, count, stride, LEVEL, VERTEX_VERSION)

    def triangles(self, index: NDArray[np.integer]) -> bytes:
        """(3m,) corner indices, mode TRIANGLES; the triangle order is kept, the first corner of each may not be."""
        bound = self._module.call("meshopt_encodeIndexBufferBound", len(index), int(index.max()) + 1)
        return self._encode("meshopt_encodeIndexBuffer", bound, index.astype("<u4").tobytes(), len(index))

    def sequence(self, index: NDArray[np.integer]) -> bytes:
        """(n,) indices of lines or points, mode INDICES."""
        bound = self._module.call("meshopt_encodeIndexSequenceBound", len(index), int(index.max()) + 1)
        return self._encode("meshopt_encodeIndexSequence", bound, index.astype("<u4").tobytes(), len(index))

    def ordered(self, index: NDArray[np.integer], vertices: int) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
        """Triangles in an order that suits the vertex cache, vertices in order of first use.

        Returns:
            index (3m,) into the new order, and rows: the old vertex at every new place. Every vertex must be in use.
        """
        module = self._module
        with module.lock:
            at = module.put(index.astype("<u4").tobytes())
            remap_at = module.room(vertices * 4)
            module.call("meshopt_optimizeVertexCache", at, at, len(index), vertices)
            unique = module.call("meshopt_optimizeVertexFetchRemap", remap_at, at, len(index), vertices)
            moved = np.frombuffer(module.get(at, len(index) * 4), "<u4")
            remap = np.frombuffer(module.get(remap_at, vertices * 4), "<u4")
            module.free_to(at)
        if unique != vertices:
            raise ValueError(f"{vertices - unique} vertices belong to no triangle")
        rows = np.empty(vertices, np.intp)
        rows[remap] = np.arange(vertices)
        return remap[moved], rows

    def _encode(self, name: str, bound: int, raw: bytes, *args: int) -> bytes:
        module = self._module
        with module.lock:
            target = module.room(bound)
            size = module.call(name, target, bound, module.put(raw), *args)
            out = module.get(target, size)
            module.free_to(target)
        if not size:
            raise ValueError("a buffer could not be compressed")
        return out


class Decompressor:
    """Decodes what `Compressor` made, or any other writer of the extension that uses no filter."""

    def __init__(self, wasm: bytes) -> None:
        self._module = _Module(wasm)

    def decode(self, raw: bytes, count: int, stride: int, mode: str) -> bytes:
        """The `count` × `stride` bytes of a buffer view.

        Raises:
            ValueError: the bytes are not what the mode says.
        """
        module = self._module
        with module.lock:
            target = module.room((count + 3) // 4 * 4 * stride)
            failed = module.call(DECODERS[mode], target, count, stride, module.put(raw), len(raw))
            out = module.get(target, count * stride)
            module.free_to(target)
        if failed:
            raise ValueError(f"a buffer of a tile is damaged ({mode}, code {failed})")
        return out


@lru_cache
def compressor() -> Compressor | None:
    """This process's compressor; None where no viewer was built."""
    return Compressor(ENCODER.read_bytes()) if ENCODER.is_file() else None


@lru_cache
def packing() -> str:
    """How this installation packs tiles, as a build's key has to know it: "plain", or a digest of the compressor."""
    return digest_of_file(ENCODER) if ENCODER.is_file() else PLAIN


@lru_cache
def decompressor() -> Decompressor:
    """This process's decompressor.

    Raises:
        TwinError: no viewer was built.
    """
    if not DECODER.is_file():
        raise TwinError("compressed tiles cannot be read: the viewer has not been built", where=str(DECODER),
                        mend="run tools/setup, or install the wheel, which carries the built viewer")
    return Decompressor(DECODER.read_bytes())
