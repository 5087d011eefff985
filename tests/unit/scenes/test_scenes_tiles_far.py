"""The coarse body of a building keeps what the eye sees from afar and nothing else."""

import numpy as np
import pytest

import scenes.far
from gis.mesh import Mesh, Surface, box_mesh, join, make_mesh, split_large
from scenes.far import far_mesh

BUILDING = 7


def _wall(parts: int) -> Mesh:
    """A house whose faces are cut into many triangles, as a shell's are."""
    house = box_mesh((0.0, 0.0, 0.0), (20.0, 10.0, 12.0), colour=(200, 200, 200), surface=Surface.PLAIN)
    return split_large(house, np.full(len(house.faces), 20.0 / parts))[0]


def _pane(node: int, x: float) -> Mesh:
    corners = np.array([[x, -5.05, 3.0], [x + 1.5, -5.05, 3.0], [x + 1.5, -5.05, 5.0], [x, -5.05, 5.0]])
    return make_mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), normal=np.array([0, -1.0, 0]), colour=(80, 100, 120),
                     surface=Surface.GLASS, node=node)


def _area(mesh: Mesh) -> float:
    corner = mesh.position[mesh.faces]
    return float(np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1).sum() / 2)


def test_flat_faces_grow_together() -> None:
    shell = _wall(8)
    far = far_mesh(shell, BUILDING)
    assert far is not None
    assert len(far.faces) == 10
    assert abs(_area(far) - _area(shell)) < 1.0
    assert set(far.node) == {BUILDING}


def test_panes_stay_apart_and_keep_their_own_node() -> None:
    far = far_mesh(join([_wall(8), _pane(41, -6.0), _pane(42, 3.0)]), BUILDING)
    assert far is not None
    assert set(far.node[far.surface == Surface.GLASS]) == {41, 42}


def test_small_things_are_left_out() -> None:
    knob = box_mesh((0.0, 0.0, 12.0), (0.4, 0.4, 0.4), colour=(200, 200, 200), surface=Surface.INTERIOR)
    far = far_mesh(join([_wall(8), knob]), BUILDING)
    assert far is not None
    assert Surface.INTERIOR not in set(far.surface)


def test_a_body_that_saves_nothing_is_not_made() -> None:
    house = box_mesh((0.0, 0.0, 0.0), (20.0, 10.0, 12.0), colour=(200, 200, 200), surface=Surface.PLAIN)
    assert far_mesh(house, BUILDING) is None


def test_what_is_told_to_be_too_small_at_once_is_too_small_when_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(5)
    spots = np.concatenate([chance.random((300, 3, 3)) * [size, tall, 0.0] for size, tall in ((0.5, 3), (1, 1.2), (3, 0.4))])
    told = [(k, pane) for k, corners in enumerate(spots) for pane in (False, True)
            if scenes.far._is_small(*np.ptp(corners[:, :2], axis=0).tolist(), pane)]
    assert 200 < len(told) < 2 * len(spots)
    monkeypatch.setattr(scenes.far, "_is_small", lambda wide, tall, is_pane: False)
    assert not [one for one in told if scenes.far._face(spots[one[0]][None], np.array([0.0, 0.0, 1.0]), one[1])]
