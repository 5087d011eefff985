"""The parts of large textures that one tile shows, packed into one small texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gis.photomesh import Surface

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
LARGEST = 1024
_BORDER = 2
_LEAST_SCALE = 0.04
_MOST_CHART_PIXELS = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """One texture. `uv` holds, for each packed (surface, rows) with a texture, (m, 3, 2) with v down; None for others."""

    image: Image.Image
    uv: tuple[F64 | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Charts:
    """The charts of one piece: `of` (m,) chart of each triangle; low, high (c, 2) pixels of its image, v down."""

    image: Image.Image
    pixel: F64
    of: I64
    low: I64
    high: I64


def pack(pieces: list[tuple[Surface, I64]]) -> Atlas | None:
    """The atlas of triangles (surface, rows), shrunk where it would be too large.

    None where nothing has a texture, or it is in too many scraps to be packed.
    """
    if not any(s.image is not None for s, _ in pieces):
        return None
    scale = 1.0
    while scale > _LEAST_SCALE:
        charts = [_charts(surface, rows, scale) for surface, rows in pieces]
        size = np.concatenate([c.high - c.low for c in charts if c is not None])
        side = _side(size)
        at = _shelves(size, side) if side <= LARGEST else None
        if at is not None:
            return _drawn(charts, at, side)
        scale *= 0.8
    return None


def _charts(surface: Surface, rows: I64, scale: float) -> _Charts | None:
    if surface.uv is None or surface.image is None:
        return None
    image = surface.image
    if scale < 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BOX)
    uv = surface.uv[rows]
    uv = uv - np.floor(uv.min(axis=1, keepdims=True) + 1e-6)  # a texture that repeats: each triangle from its own zero
    pixel = np.stack([uv[..., 0] * image.width, (1.0 - uv[..., 1]) * image.height], axis=-1)
    _, of = np.unique(surface.chart[rows], return_inverse=True)
    count = int(of.max()) + 1
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, of, pixel.min(axis=1))
    np.maximum.at(high, of, pixel.max(axis=1))
    first = np.floor(low).astype(np.int64) - _BORDER
    last = np.minimum(np.ceil(high).astype(np.int64) + _BORDER, first + _MOST_CHART_PIXELS)
    return _Charts(image, pixel, of.astype(np.int64), first, last)


def _side(size: I64) -> int:
    """The smallest power of two that may hold rectangles (n, 2)."""
    need = max(float(np.sqrt((size[:, 0] * size[:, 1]).sum() * 1.08)), float(size.max()), 8.0)
    return 1 << int(np.ceil(np.log2(need)))


def _shelves(size: I64, side: int) -> I64 | None:
    """Corners (n, 2) of rectangles set on shelves, the tallest first; None where they do not fit in a square."""
    at = np.zeros_like(size)
    x = y = shelf = 0
    for k in np.argsort(-size[:, 1], kind="stable").tolist():
        width, height = int(size[k, 0]), int(size[k, 1])
        if x + width > side:
            x, y, shelf = 0, y + shelf, 0
        if y + height > side or width > side:
            return None
        at[k] = x, y
        x, shelf = x + width, max(shelf, height)
    return at


def _drawn(charts: list[_Charts | None], at: I64, side: int) -> Atlas:
    canvas = np.zeros((side, side, 3), np.uint8)
    filled = np.zeros((side, side), bool)
    uvs: list[F64 | None] = []
    start = 0
    for chart in charts:
        if chart is None:
            uvs.append(None)
            continue
        pixels = np.asarray(chart.image)
        height, width = pixels.shape[:2]
        corner = at[start:start + len(chart.low)]
        start += len(chart.low)
        for (x, y), low, high in zip(corner.tolist(), chart.low.tolist(), chart.high.tolist(), strict=True):
            columns, rows = np.arange(low[0], high[0]) % width, np.arange(low[1], high[1]) % height
            canvas[y:y + len(rows), x:x + len(columns)] = pixels[np.ix_(rows, columns)]
            filled[y:y + len(rows), x:x + len(columns)] = True
        moved = chart.pixel - chart.low[chart.of][:, None] + corner[chart.of][:, None]
        uvs.append(np.clip(moved / side, 0.0, 1.0))
    if filled.any():
        canvas[~filled] = canvas[filled].mean(axis=0).astype(np.uint8)
    return Atlas(Image.fromarray(canvas), tuple(uvs))
