"""The octree of a point cloud: nothing lost, nothing twice, evenly spaced, the same from every order of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_scans import square_points

from gis import octree
from gis.octree import GRID_BITS, Node, Spool, build_octree

Tiles = dict[str, tuple[np.ndarray, np.ndarray, float]]


def _build(folder: Path, points: np.ndarray, rgb: np.ndarray, finest_m: float = 0.001) -> tuple[Node, int, Tiles]:
    folder.mkdir(parents=True, exist_ok=True)
    spool, tiles = Spool(folder), {}
    for start in range(0, len(points), 7_000):
        spool.add(points[start:start + 7_000], rgb[start:start + 7_000])

    def emit(name: str, position: np.ndarray, colour: np.ndarray, spacing_m: float) -> None:
        assert name not in tiles
        tiles[name] = position, colour, spacing_m

    root, thinned = build_octree(spool, finest_m, emit)
    assert list(folder.iterdir()) == []
    return root, thinned, tiles


def _walk(node: Node) -> list[Node]:
    return [node, *(n for child in node.children for n in _walk(child))]


@pytest.fixture(params=[10_000_000, 9_000])
def small_buckets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(octree, "BUCKET", request.param)
    monkeypatch.setattr(octree, "MOST_IN_TILE", 4_000)
    monkeypatch.setattr(octree, "FEW", 100)
    return int(request.param)


def test_every_point_is_in_one_tile_in_its_colour(tmp_path: Path, small_buckets: int) -> None:
    points, rgb, _ = square_points(60_000)
    points = np.unique(np.rint(points * 1000).astype(np.int64), axis=0) / 1000.0 + [3000.0, -200.0, 5.0]
    rgb = np.arange(len(points) * 3).reshape(-1, 3).astype(np.uint8)
    root, thinned, tiles = _build(tmp_path / "a", points, rgb, 0.0001)
    position = np.concatenate([t[0] for t in tiles.values()])
    colour = np.concatenate([t[1] for t in tiles.values()])
    got, want = (np.lexsort(np.rint(p * 1000).T) for p in (position, points))
    assert thinned == 0
    assert np.abs(position[got] - points[want]).max() < 0.0006
    assert np.array_equal(colour[got], rgb[want])
    assert sum(n.count for n in _walk(root)) == len(points)


def test_boxes_hold_what_is_below_and_spacing_halves(tmp_path: Path, small_buckets: int) -> None:
    points, rgb, _ = square_points(60_000)
    root, _, tiles = _build(tmp_path / "a", points, rgb)
    for node in _walk(root):
        for below in _walk(node):
            position = tiles[below.name][0] if below.name in tiles else np.zeros((0, 3))
            assert (position >= np.array(node.box[:3]) - 1e-6).all()
            assert (position <= np.array(node.box[3:]) + 1e-6).all()
        for child in node.children:
            assert child.name.startswith(node.name)
            assert child.spacing_m == pytest.approx(node.spacing_m / 2)


def test_an_inner_tile_has_one_point_a_cell(tmp_path: Path, small_buckets: int) -> None:
    points, rgb, _ = square_points(80_000)
    root, _, tiles = _build(tmp_path / "a", points, rgb)
    assert root.children
    position, _, spacing = tiles["r"]
    low = np.floor(points.min(0) * 1000) / 1000 - 0.001
    cells = np.floor((position - low) / spacing)
    distinct = len(np.unique(cells, axis=0))
    assert distinct > 0.93 * len(position)  # but for the few points of children too small to be tiles
    assert spacing * (1 << GRID_BITS) >= np.ptp(points, axis=0).max()


def test_the_size_of_buckets_changes_little_of_what_is_drawn_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points, rgb, _ = square_points(60_000)
    monkeypatch.setattr(octree, "MOST_IN_TILE", 4_000)
    _, _, whole = _build(tmp_path / "a", points, rgb)
    monkeypatch.setattr(octree, "BUCKET", 9_000)
    _, _, parts = _build(tmp_path / "b", points, rgb)
    assert abs(len(whole["r"][0]) - len(parts["r"][0])) < 0.1 * len(whole["r"][0])


def test_points_closer_than_the_finest_spacing_are_one(tmp_path: Path) -> None:
    points, rgb, _ = square_points(60_000, side_m=10.0)
    _, thinned, tiles = _build(tmp_path / "a", points, rgb, 0.25)
    left = sum(len(t[0]) for t in tiles.values())
    assert thinned + left == len(points)
    low = np.floor(points.min(0) * 1000) / 1000
    assert left <= 1.05 * len(np.unique(np.floor((points - low) / 0.125), axis=0))


def test_all_points_in_one_place_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octree, "BUCKET", 1_000)
    points = np.tile([[5.0, 5.0, 5.0]], (30_000, 1))
    root, thinned, _ = _build(tmp_path / "a", points, np.zeros((len(points), 3), np.uint8))
    assert root.count == 1
    assert thinned == len(points) - 1
