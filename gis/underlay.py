"""What lies under the ground: a coarse sheet, so that hairline seams of the ground show soil and not sky."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.mesh import Mesh, Surface, make_mesh
from gis.model import Ground
from gis.terrain import Terrain

UNDER_M = 0.8
ACROSS = 24
F64 = NDArray[np.float64]


def underlay(bounds: tuple[float, float, float, float], ground: Ground) -> Mesh:
    """A sheet at least `UNDER_M` under the ground everywhere, in `ACROSS` × `ACROSS` squares over a terrain, else in one.

    Args:
        bounds: (xmin, ymin, xmax, ymax) the sheet covers, park metres; a terrain's own where there is one.
    """
    if not isinstance(ground, Terrain):
        x, y = np.array(bounds)[[0, 2]], np.array(bounds)[[1, 3]]
        corner = np.array([[a, b] for b in y for a in x])
        return _sheet(x, y, ground.height_at(corner).reshape(2, 2) - UNDER_M)
    low, high = ground.vertices[:, :2].min(0), ground.vertices[:, :2].max(0)
    x, y = (np.linspace(low[k], high[k], ACROSS + 1) for k in range(2))
    lowest = _lowest(ground, x, y)
    around = np.full((ACROSS + 2, ACROSS + 2), np.inf)
    around[1:-1, 1:-1] = lowest
    corner = np.minimum.reduce([around[:-1, :-1], around[1:, :-1], around[:-1, 1:], around[1:, 1:]])
    return _sheet(x, y, corner - UNDER_M)


def _lowest(ground: Terrain, x: F64, y: F64) -> F64:
    """Lowest corner of the triangles over each square (rows along y, columns along x)."""
    column, row = np.meshgrid(np.arange(len(x) - 1), np.arange(len(y) - 1))
    squares = shapely.box(x[column], y[row], x[column + 1], y[row + 1]).ravel()
    square, triangle = shapely.STRtree(ground.polygons()).query(squares, predicate="intersects")
    lowest = np.full(len(squares), np.inf)
    np.minimum.at(lowest, square, ground.vertices[ground.triangles[triangle], 2].min(axis=1))
    return np.where(np.isfinite(lowest), lowest, float(ground.vertices[:, 2].min())).reshape(column.shape)


def _sheet(x: F64, y: F64, z: F64) -> Mesh:
    """Points x × y at heights z (y, x) as two triangles a square."""
    east, north = np.meshgrid(x, y)
    k = np.arange(z.size).reshape(z.shape)
    a, b, c, d = k[:-1, :-1].ravel(), k[:-1, 1:].ravel(), k[1:, 1:].ravel(), k[1:, :-1].ravel()
    faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return make_mesh(np.column_stack([east.ravel(), north.ravel(), z.ravel()]), faces, normal=np.array([0.0, 0.0, 1.0]),
                     colour=palette.SKIRT, surface=Surface.SKIRT)
