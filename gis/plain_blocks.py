"""Footprints by the ten thousand: walls and flat roofs of all of them at once, as `gis.blocks` draws one."""

from __future__ import annotations

from dataclasses import dataclass

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.blocks import BAY_M, LONGEST_WALL_M, SPLIT_HEIGHTS_M, BlockForm
from gis.corners import tidy
from gis.mesh import Mesh, Surface, empty
from gis.model import Ground

F64 = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Outlines:
    """Rings of many polygons as one column of points.

    Args:
        xy: (k, 2) points, every ring closed. ring: (k,) ring of each. polygon: (r,) polygon of each ring, ascending;
            a polygon's first ring is its outline. owner: (p,) footprint of each polygon.
    """

    xy: F64
    ring: Rows
    polygon: Rows
    owner: Rows

    @staticmethod
    def of(geometry: NDArray[np.object_]) -> _Outlines:
        parts, owner = shapely.get_parts(geometry, return_index=True)
        fits = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (shapely.area(parts) > 0.01)
        polygons = tidy(parts[fits])
        rings, polygon = shapely.get_rings(polygons, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        return _Outlines(xy, ring, polygon, owner[fits])

    def is_outline(self) -> NDArray[np.bool_]:
        """(r,) whether a ring is its polygon's outline."""
        return np.concatenate([[True], np.diff(self.polygon) != 0])

    def inner(self) -> tuple[F64, Rows]:
        """Points (k − r, 2) without each ring's closing one, and their rings."""
        keep = np.append(self.ring[1:] == self.ring[:-1], False)
        return self.xy[keep], self.ring[keep]


def plain_blocks(geometry: NDArray[np.object_], forms: list[BlockForm], nodes: NDArray[np.uint32], ground: Ground) -> Mesh:
    """Walls and flat roofs of footprints (n,) of the surroundings, in one mesh that names each by its node.

    Args:
        forms: (n,) what each is drawn as.
        nodes: (n,) dense node indices.
    """
    if not len(geometry):
        return empty()
    outlines = _Outlines.of(geometry)
    if not len(outlines.owner):
        return empty()
    base, top = _heights(outlines, np.array([f.height_m for f in forms]), ground)
    walls, (roof, faces) = _walls(outlines, base, top), _roofs(outlines, top)
    mesh = _blank(4 * len(walls.start) + len(roof), 2 * len(walls.start) + len(faces))
    _fill_walls(mesh, walls, outlines.owner, base, top - base, forms, nodes)
    _fill_roofs(mesh, roof, faces, nodes[outlines.owner[outlines.polygon[outlines.inner()[1]]]])
    return mesh


def _blank(vertices: int, faces: int) -> Mesh:
    """A mesh to be filled in: with so many vertices every copy of it costs as much as making it."""
    return Mesh(position=np.empty((vertices, 3)), normal=np.empty((vertices, 3), np.float32),
                colour=np.empty((vertices, 3), np.uint8), surface=np.empty(vertices, np.uint8),
                storey_dm=np.empty(vertices, np.uint8), uv=np.empty((vertices, 2), np.float32),
                node=np.empty(vertices, np.uint32), faces=np.empty((faces, 3), np.uint32))


def _heights(outlines: _Outlines, height_m: F64, ground: Ground) -> tuple[F64, F64]:
    """Base and top (p,) of each polygon: its lowest ground, and its own height over the ground's mean."""
    is_rim = outlines.is_outline()[outlines.ring]
    z = ground.height_at(outlines.xy[is_rim])
    starts = np.flatnonzero(np.diff(outlines.ring[is_rim], prepend=-1))
    count = np.diff(np.append(starts, len(z)))
    return np.minimum.reduceat(z, starts), np.add.reduceat(z, starts) / count + height_m[outlines.owner]


def _walls(outlines: _Outlines, base: F64, top: F64) -> _Pieces:
    row = np.flatnonzero(outlines.ring[:-1] == outlines.ring[1:])
    start, end, polygon = outlines.xy[row], outlines.xy[row + 1], outlines.polygon[outlines.ring[row]]
    pieces = np.maximum(1, np.ceil(_length(end - start) / LONGEST_WALL_M)).astype(int)
    row = np.repeat(np.arange(len(start)), pieces)
    k = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (end - start)[row] / pieces[row][:, None]
    start, end, polygon = start[row] + step * k[:, None], start[row] + step * (k + 1)[:, None], polygon[row]
    length = _length(end - start)
    keep = length > 0.02
    start, end, polygon, length = start[keep], end[keep], polygon[keep], length[keep]
    rise, low = top - base, np.zeros(len(base))
    bands = []
    for limit in (*SPLIT_HEIGHTS_M, np.inf):
        high = np.where(limit < rise - 1.0, limit, rise)
        here = np.flatnonzero((high > low)[polygon])
        bands.append((here, low[polygon[here]], high[polygon[here]]))
        low = high
    here, below, above = (np.concatenate(column) for column in zip(*bands, strict=True))
    return _Pieces(start[here], end[here], polygon[here], length[here], below, above)


def _length(along: F64) -> F64:
    return np.sqrt(along[:, 0] ** 2 + along[:, 1] ** 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Pieces of wall (w,): ends (w, 2), polygon, length, and the heights over its base it stands between."""

    start: F64
    end: F64
    polygon: Rows
    length: F64
    low: F64
    high: F64


def _fill_walls(mesh: Mesh, wall: _Pieces, owner: Rows, base: F64, rise: F64, forms: list[BlockForm],
                nodes: NDArray[np.uint32]) -> None:
    """Four vertices and two triangles a piece, from the mesh's beginning."""
    n, of = len(wall.start), wall.polygon
    who = owner[of]
    position = mesh.position[: 4 * n].reshape(n, 4, 3)
    for corner, place in enumerate((wall.start, wall.end, wall.end, wall.start)):
        position[:, corner, :2] = place
    position[:, :2, 2] = (base[of] + wall.low)[:, None]
    position[:, 2:, 2] = (base[of] + wall.high)[:, None]
    along = wall.end - wall.start
    outward = np.column_stack([along[:, 1] / wall.length, -along[:, 0] / wall.length, np.zeros(n)])
    facade = np.array([f.facade for f in forms], np.uint8)
    storey_m = (rise / np.array([f.storeys for f in forms], np.float64)[owner])[of]
    uv = mesh.uv[: 4 * n].reshape(n, 4, 2)
    uv[:, [0, 3], 0] = 0.0
    uv[:, 1:3, 0] = np.rint(wall.length / _BAYS[facade[who]])[:, None]
    uv[:, :2, 1], uv[:, 2:, 1] = (wall.low / storey_m)[:, None], (wall.high / storey_m)[:, None]
    mesh.faces[: 2 * n] = (_QUAD + 4 * np.arange(n, dtype=np.uint32)[:, None, None]).reshape(-1, 3)
    paint = np.array([f.wall for f in forms], np.uint8)
    for column, values in ((mesh.normal, outward), (mesh.colour, paint[who]), (mesh.surface, facade[who]), (
            mesh.node, nodes[who]), (mesh.storey_dm, np.clip(storey_m * 10, 0, 255))):
        column[: 4 * n].reshape(n, 4, *column.shape[1:])[:] = values[:, None]


_QUAD = np.array([[0, 1, 2], [0, 2, 3]], np.uint32)
_BAYS = np.array([BAY_M.get(surface, 1e9) for surface in sorted(Surface)])


def _roofs(outlines: _Outlines, top: F64) -> tuple[F64, NDArray[np.uint32]]:
    """Caps: points (k, 3) and triangles (m, 3), counter-clockwise seen from above, without slivers."""
    xy, ring = outlines.inner()
    ring_end = np.cumsum(np.bincount(ring, minlength=len(outlines.polygon))).astype(np.uint32)
    first_ring = np.flatnonzero(outlines.is_outline())
    starts = np.concatenate([[0], ring_end])[first_ring]
    begin, end = starts.tolist(), [*starts[1:].tolist(), len(xy)]
    ends = ring_end - np.repeat(starts, np.diff(np.append(first_ring, len(ring_end)))).astype(np.uint32)
    rings = [*first_ring.tolist(), len(ring_end)]
    is_quad = _convex_quads(xy, starts, ends, first_ring)
    rest = np.flatnonzero(~is_quad).tolist()
    cuts = [mapbox_earcut.triangulate_float64(xy[begin[k]:end[k]], ends[rings[k]:rings[k + 1]]) + np.uint32(begin[k])
            for k in rest]
    quads = starts[is_quad].astype(np.uint32)[:, None, None] + _QUAD
    faces = np.concatenate([quads.reshape(-1), *cuts]).reshape(-1, 3)
    a, b, c = (xy[faces[:, k]] for k in range(3))
    area2 = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces[area2 < 0] = faces[area2 < 0][:, ::-1]
    return np.column_stack([xy, top[outlines.polygon[ring]]]), faces[np.abs(area2) > 1e-9]


def _convex_quads(xy: F64, starts: Rows, ends: NDArray[np.uint32], first_ring: Rows) -> NDArray[np.bool_]:
    """(p,) which polygons are convex and of four corners, as most houses are: their caps need no ear cut."""
    is_quad = (np.diff(np.append(first_ring, len(ends))) == 1) & (ends[first_ring] == 4)
    corner = xy[starts[is_quad][:, None] + np.arange(4)]
    edge = np.roll(corner, -1, axis=1) - corner
    after = np.roll(edge, -1, axis=1)
    turn = edge[..., 0] * after[..., 1] - edge[..., 1] * after[..., 0]
    is_quad[is_quad] = (turn > 0).all(axis=1) | (turn < 0).all(axis=1)
    return is_quad


def _fill_roofs(mesh: Mesh, roof: F64, faces: NDArray[np.uint32], node: NDArray[np.uint32]) -> None:
    """Caps at the mesh's end."""
    at = len(mesh) - len(roof)
    mesh.position[at:], mesh.normal[at:], mesh.colour[at:] = roof, (0.0, 0.0, 1.0), palette.CITY_ROOF
    mesh.surface[at:], mesh.storey_dm[at:], mesh.uv[at:], mesh.node[at:] = Surface.CONTEXT, 0, 0.0, node
    mesh.faces[len(mesh.faces) - len(faces):] = faces + np.uint32(at)
