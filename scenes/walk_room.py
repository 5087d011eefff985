"""Points to walk on inside one room's outline."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

_SPACING_M = 2.5
_MOST_POINTS = 120
_RECTANGULAR = 0.7  # a room filling less of its tightest rectangle is walked by triangles instead of a grid
_CLEAR_M = 0.25  # how far points keep from walls


def room_points(outline: shapely.Polygon) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """A grid along the room's longer side, all of it connected.

    Returns:
        float64 (n, 2) points inside the outline (n >= 1), and pairs of rows that see each other.
    """
    spacing = max(_SPACING_M, float(np.sqrt(outline.area / _MOST_POINTS)))
    if outline.area < _RECTANGULAR * shapely.oriented_envelope(outline).area:
        return _triangle_points(outline, spacing)
    grid, cells = _grid(outline, spacing)
    inside = outline.buffer(-_CLEAR_M)
    kept = shapely.contains_xy(inside, grid[:, 0], grid[:, 1]) if not inside.is_empty else np.zeros(len(grid), dtype=bool)
    points, cells = grid[kept], cells[kept]
    if not len(points):
        return shapely.get_coordinates(shapely.maximum_inscribed_circle(outline, tolerance=0.05))[:1], []
    pairs = _neighbours(points, cells, outline)
    return points, _connected(points, pairs, outline)


def _triangle_points(outline: shapely.Polygon, spacing: float) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """Middles of the triangles of a crooked room, which follow its bends as no grid does; neighbours share an edge."""
    fine = shapely.segmentize(outline.simplify(_CLEAR_M / 2), spacing)
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(fine))
    points = shapely.get_coordinates(shapely.centroid(triangles))
    side: dict[tuple[tuple[float, float], ...], int] = {}
    pairs = []
    for k, triangle in enumerate(triangles):
        corners = [tuple(c) for c in np.round(shapely.get_coordinates(triangle), 6).tolist()]
        for a, b in pairwise(corners):
            other = side.setdefault(tuple(sorted((a, b))), k)
            if other != k:
                pairs.append((other, k))
    return points, _connected(points, pairs, outline)


def _grid(outline: shapely.Polygon, spacing: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Middles of the cells of the outline's tightest rectangle."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(outline))
    origin, u, v = corners[0], corners[1] - corners[0], corners[3] - corners[0]
    n, m = (max(1, int(np.hypot(*side) // spacing)) for side in (u, v))
    i, j = (index.ravel() for index in np.meshgrid(np.arange(n), np.arange(m), indexing="ij"))
    points = origin + ((i + 0.5) / n)[:, None] * u + ((j + 0.5) / m)[:, None] * v
    return points, np.column_stack([i, j])


def _neighbours(points: NDArray[np.float64], cells: NDArray[np.int64], outline: shapely.Polygon) -> list[tuple[int, int]]:
    row = {(int(i), int(j)): k for k, (i, j) in enumerate(cells)}
    pairs = [
        (k, row[i + di, j + dj])
        for (i, j), k in row.items()
        for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1))
        if (i + di, j + dj) in row
    ]
    if not pairs:
        return []
    index = np.array(pairs)
    shapely.prepare(outline)
    clear = shapely.covers(outline, shapely.linestrings(points[index]))
    return [pair for pair, is_clear in zip(pairs, clear, strict=True) if is_clear]


def _connected(
    points: NDArray[np.float64],
    pairs: list[tuple[int, int]],
    outline: shapely.Polygon,
) -> list[tuple[int, int]]:
    """Join what is still apart by the shortest line, one inside the outline where there is any."""
    from scipy.sparse import coo_matrix  # slow to load, and rooms laid out before are kept
    from scipy.sparse.csgraph import connected_components

    pairs = list(pairs)
    while True:
        edge = np.array(pairs, dtype=int).reshape(-1, 2)
        matrix = coo_matrix((np.ones(len(edge)), (edge[:, 0], edge[:, 1])), shape=(len(points), len(points)))
        count, part = connected_components(matrix, directed=False)
        if count == 1:
            return pairs
        own, rest = np.flatnonzero(part == part[0]), np.flatnonzero(part != part[0])
        distance = np.linalg.norm(points[own][:, None] - points[rest][None], axis=2)
        order = np.argsort(distance, axis=None, kind="stable")[:40]
        ends = [(int(own[k // len(rest)]), int(rest[k % len(rest)])) for k in order]
        clear = [e for e in ends if outline.covers(shapely.LineString(points[list(e)]))]
        pairs.append(clear[0] if clear else ends[0])
