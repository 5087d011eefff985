"""GLB of a reality mesh: surfaces with a texture, or with a colour at every vertex."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.atlas import Atlas
from gis.meshtiles import Coarse, Piece, corner_colours
from scenes.background_glb import background_glb, colours, positions
from scenes.glb import quantised, yup
from scenes.glb_buffer import U16, GlbBuffer
from scenes.meshopt import compressor

F64 = NDArray[np.float64]
TRIANGLES = 4


def coarse_glb(mesh: Coarse) -> bytes:
    """A simplified surface, coloured by vertex."""
    buffer = GlbBuffer(compressor())
    cells, translation, scale = quantised(yup(mesh.position))
    return background_glb(buffer, [_coloured(buffer, cells, mesh.colour, mesh.faces.reshape(-1))], translation, scale,
                {"background": "surface"})


def fine_glb(pieces: list[Piece], atlas: Atlas | None) -> bytes:
    """The surfaces of one tile as they were photographed; its parts without a texture are coloured by vertex."""
    buffer = GlbBuffer(compressor())
    corners = [p.corners.reshape(-1, 3) for p in pieces]
    cells, translation, scale = quantised(yup(np.concatenate(corners)))
    parts = np.split(cells, np.cumsum([len(c) for c in corners])[:-1])
    uvs = atlas.uv if atlas else (None,) * len(pieces)
    primitives = []
    painted = [(part, uv) for part, uv in zip(parts, uvs, strict=True) if uv is not None]
    if painted:
        primitives.append(_textured(buffer, np.concatenate([p for p, _ in painted]),
                                    np.concatenate([uv.reshape(-1, 2) for _, uv in painted])))
    plain = [(part, piece) for part, piece, uv in zip(parts, pieces, uvs, strict=True) if uv is None]
    if plain:
        rows, index = _joined(np.column_stack([np.concatenate([p for p, _ in plain]).astype(np.int64),
                                               np.concatenate([corner_colours(q).reshape(-1, 3) for _, q in plain])]))
        primitives.append(_coloured(buffer, rows[:, :3].astype(np.uint16), rows[:, 3:].astype(np.uint8), index))
    picture = atlas.image if atlas and painted else None
    return background_glb(buffer, primitives, translation, scale, {"background": "surface"}, picture)


def _textured(buffer: GlbBuffer, cells: NDArray[np.uint16], uv: F64) -> dict[str, Any]:
    rows, index = _joined(np.column_stack([cells.astype(np.int64), np.rint(uv * 65535).astype(np.int64)]))
    attributes = {"POSITION": positions(buffer, rows[:, :3].astype(np.uint16)),
                  "TEXCOORD_0": buffer.vertices(rows[:, 3:].astype(np.uint16), "VEC2", U16, stride=4, normalized=True)}
    return {"attributes": attributes, "indices": buffer.indices(index, len(rows), "TRIANGLES"), "material": 1,
            "mode": TRIANGLES}


def _coloured(buffer: GlbBuffer, cells: NDArray[np.uint16], colour: NDArray[np.uint8], index: NDArray) -> dict[str, Any]:
    return {"attributes": {"POSITION": positions(buffer, cells), "COLOR_0": colours(buffer, colour)},
            "indices": buffer.indices(index, len(cells), "TRIANGLES"), "material": 0, "mode": TRIANGLES}


def _joined(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different rows of corners in the order they are first used, and the index of every corner."""
    rows, first, index = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(rows), np.int64)
    order = np.argsort(first)
    rank[order] = np.arange(len(rows))
    return rows[order], rank[index.reshape(-1)]
