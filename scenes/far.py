"""A building as it reads from afar: its flat faces grown together, its panes kept one by one, everything small left out.

The picture from a park's home view is made of this: a hundredth of the shell's triangles for what the eye still sees.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.mesh import Mesh, Surface, join, make_mesh, polygons_of, triangulate

F64 = NDArray[np.float64]
PLANE_GAP_M = 0.06
CLOSE_M = 0.15
WIDEN_PANE_M = 0.1
PANE_AHEAD_M = 0.35
HOLE_M2 = 9.0
SMALL_M2, NARROW_M, NARROW_M2 = 1.0, 0.3, 3.0
PANE_M2 = 0.3
STEADY_M = 0.08
WORTH = 0.7
FAITHFUL = 0.7


def far_mesh(shell: Mesh, building: int) -> Mesh | None:
    """The coarse twin of a shell; None where it would not look like the building or save little.

    Args:
        shell: what is visible from outside, wound so that normals point out; park metres.
        building: dense node index of the building; everything but panes belongs to it.
    """
    corners = shell.position[shell.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(twice, 1e-12)[:, None]
    first = shell.faces[:, 0]
    is_pane = shell.surface[first] == Surface.GLASS
    owner = np.where(is_pane, shell.node[first], 0).astype(np.int64)
    plane = _planes(normal, np.sum(normal * corners[:, 0], axis=1), np.column_stack(
        [is_pane, owner, shell.surface[first], shell.colour[first] // 24]).astype(np.int64))
    order = np.argsort(plane, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(plane[order]) != 0])
    parts, kept_area = [], 0.0
    for rows in np.split(order, starts[1:]):
        whole = twice[rows].sum()
        if whole < 2e-12:
            continue
        share = twice[rows] / whole
        made = _face(corners[rows], share @ normal[rows], bool(is_pane[rows[0]]))
        if made is None:
            continue
        position, faces, area, out = made
        kept_area += min(area, whole / 2)
        parts.append(make_mesh(
            position, faces, normal=out, colour=tuple(np.rint(share @ shell.colour[first[rows]]).astype(int)),
            surface=int(shell.surface[first[rows[0]]]), node=int(owner[rows[0]]) or building))
    far = join(parts)
    if len(far.faces) > WORTH * len(shell.faces) or kept_area < FAITHFUL * twice.sum() / 2:
        return None
    return far


def _planes(normal: F64, offset: F64, kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for triangles of one kind in one plane; planes end where the next lies PLANE_GAP_M further."""
    key = np.column_stack([kind, np.rint(normal * 20).astype(np.int64)])
    _, group = np.unique(key, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.lexsort((offset, group))
    is_new = np.r_[True, (np.diff(group[order]) != 0) | (np.diff(offset[order]) > PLANE_GAP_M)]
    plane = np.empty(len(order), np.int64)
    plane[order] = np.cumsum(is_new)
    return plane


def _face(corners: F64, out: F64, is_pane: bool) -> tuple[F64, NDArray[np.uint32], float, F64] | None:
    """Triangles of one plane as few: vertices (n, 3), faces, area m², unit normal; None when it is all small."""
    out = out / max(float(np.linalg.norm(out)), 1e-12)
    helper = np.array([0.0, 0.0, 1.0]) if abs(out[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, out)
    right /= np.linalg.norm(right)
    up = np.cross(out, right)
    flat = np.stack([corners @ right, corners @ up], axis=-1)
    wide, tall = np.ptp(flat.reshape(-1, 2), axis=0).tolist()
    if _is_small(wide, tall, is_pane):
        return None
    depth = float(np.median(corners @ out)) + (PANE_AHEAD_M if is_pane else 0.0)
    triangles_flat = shapely.polygons(np.concatenate([flat, flat[:, :1]], axis=1))
    grown = _buffered(shapely.disjoint_subset_union_all(triangles_flat), CLOSE_M)
    closed = _buffered(grown, (WIDEN_PANE_M if is_pane else 0.0) - CLOSE_M)
    chosen = [p for p in (_steady(q, is_pane) for q in polygons_of(closed)) if p is not None]
    if not chosen:
        return None
    positions, faces, count = [], [], 0
    for polygon in chosen:
        points, triangles = triangulate(polygon)
        positions.append(points[:, :1] * right + points[:, 1:] * up + depth * out)
        faces.append(triangles + np.uint32(count))
        count += len(points)
    return np.concatenate(positions), np.concatenate(faces), sum(p.area for p in chosen), out


def _is_small(wide: float, tall: float, is_pane: bool) -> bool:
    """Whether nothing that fits a box of this size would be kept (`_steady`): told before the work of joining it."""
    if is_pane:
        wide, tall = wide + 2 * WIDEN_PANE_M, tall + 2 * WIDEN_PANE_M
    if is_pane:
        return wide * tall < PANE_M2
    return wide * tall < SMALL_M2 or (min(wide, tall) < NARROW_M and wide * tall < NARROW_M2)


def _buffered(shape: shapely.Geometry, metres: float) -> shapely.Geometry:
    return shapely.buffer(shape, metres, join_style="mitre", mitre_limit=2.0)


def _steady(polygon: shapely.Polygon, is_pane: bool) -> shapely.Polygon | None:
    """The polygon without what is too small to see: window holes, notches; None when it is itself."""
    holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area > HOLE_M2]
    whole = shapely.Polygon(polygon.exterior, holes).simplify(STEADY_M)
    if whole.is_empty or whole.geom_type != "Polygon":
        return None
    if is_pane:
        return whole if whole.area > PANE_M2 else None
    is_narrow = whole.area < NARROW_M2 and whole.buffer(-NARROW_M / 2).is_empty
    return None if whole.area < SMALL_M2 or is_narrow else whole
