"""Every cut of a flat face becomes one cut; folds and changes of material stay."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models_bim.triangles import steady_together, steady_triangles


def disc(corners: int) -> NDArray[np.float64]:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn), np.zeros(corners)], axis=1)


def cut_at_random(corners: int, draw: np.random.Generator) -> NDArray[np.int32]:
    """Any triangulation of a convex polygon: ears are cut in random order."""
    ring, found = list(range(corners)), []
    while len(ring) > 3:
        at = int(draw.integers(len(ring)))
        found.append([ring[at - 1], ring[at], ring[(at + 1) % len(ring)]])
        del ring[at]
    return np.array([*found, ring], dtype=np.int32)


def as_set(triangles: NDArray[np.int32]) -> set[tuple[int, ...]]:
    """Each triangle from its smallest corner, the same way round."""
    return {tuple(np.roll(row, -int(np.argmin(row))).tolist()) for row in triangles}


@given(corners=st.integers(4, 24), one=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_two_cuts_of_one_disc_become_one(corners: int, one: int, other: int) -> None:
    points = disc(corners) @ np.linalg.qr(np.random.default_rng(corners).normal(size=(3, 3)))[0]
    group = np.zeros(corners - 2, dtype=np.int32)
    cuts = [cut_at_random(corners, np.random.default_rng(seed)) for seed in (one, other)]
    steady = [steady_triangles(points, cut, group) for cut in cuts]
    assert (steady[0] == steady[1]).all(), "row by row"
    assert len(as_set(steady[0])) == corners - 2
    for cut, found in zip(cuts, steady, strict=True):
        assert np.allclose(area(points, found), area(points, cut)), "the same surface, the same way round"


def area(points: NDArray[np.float64], triangles: NDArray[np.int32]) -> NDArray[np.float64]:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a).sum(axis=0) / 2


def test_the_better_shaped_cut_is_taken_from_either() -> None:
    kite = np.array([[0, 0, 0], [1, -0.2, 0], [2, 0, 0], [1, 0.2, 0]], dtype=float)
    for cut in ([[0, 1, 3], [1, 2, 3]], [[0, 1, 2], [0, 2, 3]]):
        triangles = np.array(cut, dtype=np.int32)
        assert as_set(steady_triangles(kite, triangles, np.zeros(2, dtype=np.int32))) == {(0, 1, 3), (1, 2, 3)}


@given(seed=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_two_cuts_of_any_convex_face_become_one(seed: int, other: int) -> None:
    points = disc(12) * [1.0, 0.37, 1.0] + [5.0, 2.0, 1.0]
    group = np.zeros(10, dtype=np.int32)
    cuts = [cut_at_random(12, np.random.default_rng(n)) for n in (seed, other)]
    assert len({frozenset(as_set(steady_triangles(points, cut, group))) for cut in cuts}) == 1


def test_a_fold_and_a_change_of_material_stay() -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)
    triangles = np.array([[1, 2, 3], [1, 3, 0]], dtype=np.int32)  # the diagonal misses the first corner
    assert as_set(steady_triangles(square, triangles, np.zeros(2, dtype=np.int32))) == {(0, 1, 2), (0, 2, 3)}
    assert as_set(steady_triangles(square, triangles, np.array([0, 1], dtype=np.int32))) == as_set(triangles)
    folded = square.copy()
    folded[0, 2] = 0.01
    assert as_set(steady_triangles(folded, triangles, np.zeros(2, dtype=np.int32))) == as_set(triangles)


@given(seed=st.integers(0, 10_000), corners=st.lists(st.integers(4, 20), min_size=1, max_size=5))
def test_shapes_steadied_together_come_out_as_alone(seed: int, corners: list[int]) -> None:
    draw = np.random.default_rng(seed)
    shapes = [
        (disc(n) * [1.0, 0.5, 1.0], cut_at_random(n, draw), draw.integers(-1, 2, n - 2).astype(np.int32)) for n in corners
    ]
    for together, shape in zip(steady_together(shapes), shapes, strict=True):
        assert (together == steady_triangles(*shape)).all()


def test_no_shapes_are_no_triangles() -> None:
    assert steady_together([]) == []
