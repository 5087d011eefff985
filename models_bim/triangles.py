"""The same triangles from every run: flat faces are cut the Delaunay way, whatever way the kernel cut them.

A kernel that orders its work by memory address cuts some faces differently from run to run. Lawson's flips take every
cut of a flat face to the one whose triangles are best shaped; where four corners lie on one circle (every rectangle,
every cap of a pipe) both ways are as good, and the diagonal from the first corner is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TIE = 1e-5  # how far the cotangents of opposite angles may miss cancelling
_FLAT = 1e-5  # how far, as a share of the shared edge, the fourth corner may lie off the plane
_PASSES = 200  # a cap of n corners takes at most n; beyond this a mesh is left as it is


def steady_triangles(
    vertices: NDArray[np.float64], triangles: NDArray[np.int32], group: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Triangles whose flat parts are Delaunay; free diagonals start from the first corner (by x, then y, then z).

    Args:
        vertices: (V, 3) metres, any frame.
        triangles: (T, 3) corner numbers.
        group: (T,) what each triangle is made of; a diagonal never changes across two groups.

    Returns:
        (T, 3) triangles: the same surface, the same way round and, row by row, the same group as given; among the rows
        of one group they stand in the order of their corners.
    """
    return _steadied(vertices, triangles, group, np.zeros(len(triangles), dtype=np.int64))


def _steadied(
    vertices: NDArray[np.float64], triangles: NDArray[np.int32], group: NDArray[np.int32], shape: NDArray[np.int64]
) -> NDArray[np.int32]:
    """`steady_triangles` of many shapes; one takes part (shape: its number, (T,)) until nothing of it turns any more."""
    rank = np.empty(len(vertices), dtype=np.int64)
    rank[np.lexsort(vertices.T[::-1])] = np.arange(len(vertices))
    triangles = triangles.copy()
    going = np.arange(len(triangles))
    for _ in range(_PASSES):
        part = triangles[going]
        turned = _flip(vertices, part, group[going], rank)
        if not len(turned):
            break
        triangles[going] = part
        is_going = np.zeros(int(shape[-1]) + 1, dtype=np.bool_)
        is_going[shape[going[turned]]] = True
        going = going[is_going[shape[going]]]
    return _in_order(triangles, group, rank)


def steady_together(
    shapes: Sequence[tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]],
) -> list[NDArray[np.int32]]:
    """`steady_triangles` of each (vertices, triangles, group), in one pass over all: no flip reaches from one to another."""
    if not shapes:
        return []
    first = np.cumsum([0, *(len(vertices) for vertices, _, _ in shapes)])
    ends = np.cumsum([len(triangles) for _, triangles, _ in shapes])[:-1]
    triangles = np.concatenate([t + np.int32(start) for (_, t, _), start in zip(shapes, first, strict=False)])
    spans = [int(np.ptp(group)) + 1 for _, _, group in shapes]
    lowest = np.cumsum([0, *spans])
    group = np.concatenate([g - g.min() + low for (_, _, g), low in zip(shapes, lowest, strict=False)])
    shape = np.repeat(np.arange(len(shapes)), [len(t) for _, t, _ in shapes])
    done = _steadied(np.concatenate([v for v, _, _ in shapes]), triangles, group, shape)
    return [part - np.int32(start) for part, start in zip(np.split(done, ends), first, strict=False)]


def _in_order(
    triangles: NDArray[np.int32], group: NDArray[np.int32], rank: NDArray[np.int64]
) -> NDArray[np.int32]:
    turn = (np.argmin(rank[triangles], axis=1)[:, None] + np.arange(3)) % 3
    triangles = np.take_along_axis(triangles, turn, axis=1)
    order = np.lexsort((*rank[triangles].T[::-1], group))
    placed = np.empty_like(triangles)
    placed[np.argsort(group, kind="stable")] = triangles[order]
    return placed


def _flip(
    vertices: NDArray[np.float64], triangles: NDArray[np.int32], group: NDArray[np.int32], rank: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Turn the diagonals that are not the chosen ones; returns the triangles that may turn, none when all is well."""
    first, second, a, b, c, d = _quads(triangles, group, len(vertices))
    gain = _gain(*(vertices[corner] for corner in (a, b, c, d)))
    sooner = np.minimum(rank[c], rank[d]) < np.minimum(rank[a], rank[b])
    wanted = (gain > _TIE) | ((gain >= -_TIE) & sooner)
    first, second, a, b, c, d = (column[wanted] for column in (first, second, a, b, c, d))
    if not len(first):
        return first
    order = np.lexsort((np.maximum(rank[c], rank[d]), np.minimum(rank[c], rank[d])))
    turn = np.full(len(triangles), len(first))  # whose turn it is: a triangle takes part in one flip at a time
    for side in (first, second):
        np.minimum.at(turn, side[order], np.arange(len(first)))
    mine = order[(turn[first[order]] == np.arange(len(order))) & (turn[second[order]] == np.arange(len(order)))]
    triangles[first[mine]] = np.stack([a[mine], d[mine], c[mine]], axis=1)
    triangles[second[mine]] = np.stack([d[mine], b[mine], c[mine]], axis=1)
    return first


def _quads(triangles: NDArray[np.int32], group: NDArray[np.int32], corners: int) -> tuple[NDArray, ...]:
    """Pairs of triangles (first, second) over an edge a→b of the first, c and d being the corners across it."""
    rows = np.arange(len(triangles))
    begin = triangles.T.ravel().astype(np.int64)
    end = np.roll(triangles, -1, axis=1).T.ravel().astype(np.int64)
    across = np.roll(triangles, -2, axis=1).T.ravel().astype(np.int64)
    owner = np.tile(rows, 3)
    key = np.minimum(begin, end) * corners + np.maximum(begin, end)
    order = np.argsort(key, kind="stable")
    run = np.flatnonzero(np.concatenate([[True], np.diff(key[order]) != 0, [True]]))
    pair = run[:-1][np.diff(run) == 2]
    one, two = order[pair], order[pair + 1]
    fits = (begin[one] == end[two]) & (group[owner[one]] == group[owner[two]])
    fits &= ~np.isin(
        np.minimum(across[one], across[two]) * corners + np.maximum(across[one], across[two]), key
    )  # that edge is there already
    one, two = one[fits], two[fits]
    return owner[one], owner[two], begin[one], end[one], across[one], across[two]


def _gain(a: NDArray, b: NDArray, c: NDArray, d: NDArray) -> NDArray[np.float64]:
    """How much better c→d cuts a quadrilateral than a→b (over 0), as well (0), or worse; -inf where it is not flat."""
    normal, other = np.cross(a - c, b - c), np.cross(b - d, a - d)
    size, far = np.linalg.norm(normal, axis=1), np.linalg.norm(other, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(_dot(d - a, normal)) / size / np.linalg.norm(b - a, axis=1)
        gain = -_dot(a - c, b - c) / size - _dot(a - d, b - d) / far  # the angles at c and d make more than half a turn
        flat = (off < _FLAT) & (_dot(normal, other) > 0) & np.isfinite(gain)
    return np.where(flat, gain, -np.inf)


def _dot(one: NDArray, other: NDArray) -> NDArray[np.float64]:
    return np.einsum("ij,ij->i", one, other)
