"""A room's floor outline from its body."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from models_bim.shape import Shape

_SNAP_M = 0.001
_SLIVER_M2 = 0.05


def floor_outline(shapes: list[Shape]) -> tuple[shapely.Polygon, float, float] | None:
    """(outline, z0, z1) in ifc metres; None when nothing of the body covers any ground.

    The outline is the body's shadow from above: a room with a sloping ceiling or a stepped floor keeps its whole plan.
    """
    corners = np.concatenate([_corners(shape) for shape in shapes])
    z0, z1 = float(corners[..., 2].min()), float(corners[..., 2].max())
    flat = corners[..., :2]
    area = _areas(flat)
    facing = flat[area > 1e-6]
    if not len(facing):
        return None
    shadow = shapely.union_all(shapely.polygons(facing), grid_size=_SNAP_M)
    parts = [p for p in shapely.get_parts(shadow) if isinstance(p, shapely.Polygon)]
    if not parts:
        return None
    outline = shapely.normalize(max(parts, key=lambda p: p.area).simplify(_SNAP_M * 2))
    return (outline, z0, z1) if outline.is_valid and outline.area > _SLIVER_M2 else None


def _areas(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


def _corners(shape: Shape) -> NDArray[np.float64]:
    points = shape.mesh.vertices.astype(np.float64) @ shape.ifc_from_local[:3, :3].T + shape.ifc_from_local[:3, 3]
    return points[shape.mesh.triangles]
