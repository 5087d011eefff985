"""A reality mesh cut into tiles: the finest keep their texture, the coarser ones are simplified and coloured by vertex.

Simplified by joining the vertices of one cell of a grid (Rossignac and Borrel 1993): unlike edge collapse it needs no
closed or clean mesh, averages the texture on the way, and neighbouring tiles of a level meet, as the grid is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.atlas import Atlas, pack
from gis.photomesh import Surface

F64 = NDArray[np.float64]
MOST_TRIANGLES = 40_000
MOST_TEXELS = 820_000
CELLS_ACROSS = 160  # of a coarse tile
DEEPEST = 14


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Triangles of one surface that fall into one tile."""

    surface: Surface
    rows: NDArray[np.int64]

    @property
    def corners(self) -> F64:
        """(m, 3, 3) park metres."""
        return self.surface.corners[self.rows]


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """A simplified tile: (n, 3) park metres, (n, 3) sRGB, (m, 3) faces."""

    position: F64
    colour: NDArray[np.uint8]
    faces: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class MeshNode:
    """One tile. `cell_m` is 0 for the finest, else the grid its triangles were simplified on."""

    name: str
    box: tuple[float, ...]
    triangles: int
    cell_m: float
    children: tuple[MeshNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Emit:
    """Where tiles go as they are done."""

    fine: Callable[[str, list[Piece], Atlas | None], None]
    coarse: Callable[[str, Coarse], None]


def build_mesh_tree(surfaces: list[Surface], emit: Emit, name: str = "r") -> MeshNode:
    """Tiles of a mesh as a quadtree over the plan, their names beginning with `name`; children replace coarser ones."""
    pieces = [Piece(s, np.arange(len(s.corners))) for s in surfaces]
    low = np.min([s.corners.reshape(-1, 3).min(0) for s in surfaces], axis=0)
    high = np.max([s.corners.reshape(-1, 3).max(0) for s in surfaces], axis=0)
    side = float(max(high[0] - low[0], high[1] - low[1], 1.0))
    node = _visit(pieces, name, low, side, 0, emit)
    assert node is not None
    return node


def _visit(pieces: list[Piece], name: str, low: F64, side: float, level: int, emit: Emit) -> MeshNode | None:
    pieces = [p for p in pieces if len(p.rows)]
    if not pieces:
        return None
    total = sum(len(p.rows) for p in pieces)
    if level >= DEEPEST or (total <= MOST_TRIANGLES and sum(_texels(p) for p in pieces) <= MOST_TEXELS) or total < 64:
        atlas = pack([(p.surface, p.rows) for p in pieces])
        emit.fine(name, pieces, atlas)
        return MeshNode(name, _box(pieces), total, 0.0)
    half = side / 2
    children = []
    for quarter in range(4):
        corner = low + np.array([half * (quarter & 1), half * (quarter >> 1), 0.0])
        child = _visit([_within(p, low, half, quarter) for p in pieces], f"{name}{quarter}", corner, half, level + 1, emit)
        if child is not None:
            children.append(child)
    if len(children) == 1:
        return children[0]
    cell = side / CELLS_ACROSS
    coarse = simplified(pieces, cell, low)
    emit.coarse(name, coarse)
    return MeshNode(name, _box(pieces), len(coarse.faces), cell, tuple(children))


def _within(piece: Piece, low: F64, half: float, quarter: int) -> Piece:
    middle = piece.corners.mean(axis=1)
    of = (middle[:, 0] >= low[0] + half).astype(int) + 2 * (middle[:, 1] >= low[1] + half)
    return Piece(piece.surface, piece.rows[of == quarter])


def _texels(piece: Piece) -> float:
    s = piece.surface
    if s.uv is None or s.image is None:
        return 0.0
    return float(_uv_area(s.uv[piece.rows]).sum()) * s.image.width * s.image.height


def _uv_area(uv: F64) -> F64:
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


def _area(corners: F64) -> F64:
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


def _box(pieces: list[Piece]) -> tuple[float, ...]:
    low = np.min([p.corners.reshape(-1, 3).min(0) for p in pieces], axis=0)
    high = np.max([p.corners.reshape(-1, 3).max(0) for p in pieces], axis=0)
    return (*low.tolist(), *high.tolist())


def simplified(pieces: list[Piece], cell_m: float, low: F64) -> Coarse:
    """Triangles with the vertices of each grid cell joined at their middle, coloured by their average."""
    corners, colours = [], []
    for piece in pieces:
        for soup, rgb in _coloured(piece, cell_m):
            corners.append(soup.reshape(-1, 3))
            colours.append(rgb.reshape(-1, 3))
    position, colour = np.concatenate(corners), np.concatenate(colours).astype(np.float64)
    cell = np.floor((position - low) / cell_m).astype(np.int64)
    cell -= cell.min(0)
    span = cell.max(0) + 1
    _, of = np.unique((cell[:, 0] * span[1] + cell[:, 1]) * span[2] + cell[:, 2], return_inverse=True)
    count = np.bincount(of).astype(np.float64)
    middle = np.column_stack([np.bincount(of, position[:, k]) / count for k in range(3)])
    rgb = np.column_stack([np.bincount(of, colour[:, k]) / count for k in range(3)])
    faces = of.reshape(-1, 3)
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    if len(faces):
        _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
        faces = faces[np.sort(first)]
    used, faces = np.unique(faces, return_inverse=True)
    return Coarse(middle[used], np.rint(rgb[used]).astype(np.uint8), faces.reshape(-1, 3))


def corner_colours(piece: Piece) -> NDArray[np.uint8]:
    """(m, 3, 3) sRGB at the corners of a piece that is drawn without its texture."""
    s = piece.surface
    if s.uv is None or s.image is None:
        return s.colour[piece.rows]
    edge = float(np.sqrt(2 * np.median(_area(piece.corners))))
    return _Texture(s, piece.rows, max(edge, 1e-3)).at(s.uv[piece.rows])


def _coloured(piece: Piece, cell_m: float, most: int = 200_000) -> Iterator[tuple[F64, NDArray[np.uint8]]]:
    """Triangles cut until they are about a cell large, with the texture's colour at their corners; a part at a time."""
    s = piece.surface
    texture = _Texture(s, piece.rows, cell_m) if s.uv is not None and s.image is not None else None
    for start in range(0, len(piece.rows), most):
        rows = piece.rows[start:start + most]
        carried = s.uv[rows] if texture and s.uv is not None else s.colour[rows].astype(np.float64)
        corners, carried = _cut(s.corners[rows], carried, cell_m * 1.5)
        yield corners, texture.at(carried) if texture else np.rint(carried).astype(np.uint8)


def _cut(corners: F64, carried: F64, longest_m: float) -> tuple[F64, F64]:
    """Triangles in four until no edge is longer, with what they carry at the corners."""
    done_c, done_v = [], []
    for _ in range(10):
        edge = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2).max(axis=1)
        big = edge > longest_m
        done_c.append(corners[~big])
        done_v.append(carried[~big])
        if not big.any():
            return np.concatenate(done_c), np.concatenate(done_v)
        corners, carried = _in_four(corners[big]), _in_four(carried[big])
    return np.concatenate([*done_c, corners]), np.concatenate([*done_v, carried])


def _in_four(t: F64) -> F64:
    a, b, c = t[:, 0], t[:, 1], t[:, 2]
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    return np.concatenate([np.stack(part, axis=1) for part in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])


class _Texture:
    """A texture shrunk to about a texel a cell, so that a look-up is an average."""

    def __init__(self, surface: Surface, rows: NDArray[np.int64], cell_m: float) -> None:
        assert surface.uv is not None
        assert surface.image is not None
        image = surface.image
        texels = float(_uv_area(surface.uv[rows]).sum()) * image.width * image.height
        texel_m = np.sqrt(max(float(_area(surface.corners[rows]).sum()), 1e-9) / max(texels, 1e-9))
        factor = int(np.clip(cell_m / texel_m / 2, 1, max(1, min(image.width, image.height) // 8)))
        self.pixels = np.asarray(image.reduce(factor) if factor > 1 else image)

    def at(self, uv: F64) -> NDArray[np.uint8]:
        """(…, 3) sRGB at (…, 2)."""
        height, width = self.pixels.shape[:2]
        x = np.floor((uv[..., 0] % 1.0) * width).astype(np.int64) % width
        y = np.floor(((1.0 - uv[..., 1]) % 1.0) * height).astype(np.int64) % height
        return self.pixels[y, x]
