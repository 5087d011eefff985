"""Light on the ground as one picture, worked out cell by cell: a cell depends on what can darken it and on nothing else."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from scenes.bake import as_bytes, openness
from scenes.kept import part_key
from scenes.shade import Near, Shade
from twin.steps import StepStore

F64 = NDArray[np.float64]
CELL_M, MOST_ACROSS = 80.0, 12
COARSE = 3  # ambient light varies slowly: every third texel is enough
AO_REACH_M = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class GroundLight:
    """The ground whose light is wanted.

    Args:
        heights: (size, size) ground heights at the texel middles, row 0 north; `ground_key` names what they come from.
    """

    bounds: tuple[float, float, float, float]
    heights: F64
    ground_key: str
    shade: Shade
    store: StepStore

    def png(self, lamps: F64) -> bytes:
        """R ambient occlusion, G lamp pools, B sun; row 0 is the north rim.

        Args:
            lamps: (n, 2) park metres.
        """
        size = len(self.heights)
        xmin, ymin, xmax, ymax = self.bounds
        xs = xmin + (np.arange(size) + 0.5) / size * (xmax - xmin)
        ys = ymax - (np.arange(size) + 0.5) / size * (ymax - ymin)
        lit, ao = np.empty((size, size)), np.empty((-(-size // COARSE),) * 2)
        across = min(max(1, round((xmax - xmin) / CELL_M)), MOST_ACROSS)
        edges = np.linspace(0, size, across + 1).astype(int)
        for top, bottom in itertools.pairwise(edges.tolist()):
            for left, right in itertools.pairwise(edges.tolist()):
                z = self.heights[top:bottom, left:right] + 0.06
                near = self.shade.near(np.array([[xs[left], ys[bottom - 1], z.min()]]),
                                       np.array([[xs[right - 1], ys[top], z.max()]]))
                key = part_key("light on the ground", self.bounds, size, top, left, self.ground_key, self.shade.sun, near.key)
                cell = self.store.recall(key, partial(
                    _cell, xs[left:right], ys[top:bottom], z, (-top % COARSE, -left % COARSE), near))
                lit[top:bottom, left:right], ao[_within(top, bottom), _within(left, right)] = cell
        texel_m = max(self.bounds[2] - self.bounds[0], self.bounds[3] - self.bounds[1]) / size
        key = part_key("lamp pools", lamps, self.bounds, size)
        pools = self.store.recall(key, lambda: as_bytes(_lamp_pools(lamps, self.bounds, size, texel_m)))
        fine = np.repeat(np.repeat(as_bytes(0.3 + 0.7 * ao), COARSE, axis=0), COARSE, axis=1)[:size, :size]
        open_sky, sunlit = _softened(fine, 0.8 * COARSE), _softened(as_bytes(lit), min(0.9, 0.6 / texel_m))
        out = io.BytesIO()
        Image.merge("RGB", (open_sky, Image.fromarray(pools), sunlit)).save(out, "PNG", optimize=False, compress_level=6)
        return out.getvalue()


def _softened(picture: NDArray[np.uint8], texels: float) -> Image.Image:
    return Image.fromarray(picture).filter(ImageFilter.GaussianBlur(texels))


def _within(first: int, last: int) -> slice:
    """Rows of the coarse picture between rows of the fine one."""
    return slice(-(-first // COARSE), -(-last // COARSE))


def _cell(xs: F64, ys: F64, z: F64, first: tuple[int, int], near: Near) -> tuple[NDArray[np.bool_], F64]:
    """Whether the sun reaches each spot of a cell, and how open the sky is over every third one from `first` on."""
    occluders = near.occluders()
    mesh_x, mesh_y = np.meshgrid(xs, ys)
    spot = np.stack([mesh_x, mesh_y, z], axis=-1)
    some = spot[first[0]::COARSE, first[1]::COARSE]
    flat, few = spot.reshape(-1, 3), some.reshape(-1, 3)
    lit = ~occluders.blocked(flat, np.tile(near.sun, (len(flat), 1)))
    ao = openness(few, np.tile([0.0, 0.0, 1.0], (len(few), 1)), occluders, AO_REACH_M, 16)[0]
    return lit.reshape(spot.shape[:2]), ao.reshape(some.shape[:2])


def _lamp_pools(lamps: F64, bounds: tuple[float, float, float, float], size: int, texel_m: float) -> F64:
    xmin, ymin, xmax, ymax = bounds
    pools = np.zeros((size, size))
    if not len(lamps):
        return pools
    column = ((lamps[:, 0] - xmin) / (xmax - xmin) * size).astype(int)
    row = ((ymax - lamps[:, 1]) / (ymax - ymin) * size).astype(int)
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    np.add.at(pools, (row[inside], column[inside]), 1.0)
    from scipy.ndimage import gaussian_filter  # slow to load, and the pools of lamps that stand are kept

    radius = 6.5 / texel_m
    return np.clip(gaussian_filter(pools, radius) * 2 * np.pi * radius**2 * 0.85, 0, 1)
