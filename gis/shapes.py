"""The few small things a park has thousands of, each as one low-poly mesh that is placed many times."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis import palette
from gis.mesh import Mesh, Surface, box_mesh, join, make_mesh

# Crowns are unit shapes: height 1 and crown width 1, standing on the origin; instances scale them to their metres.
WHITE = (255, 255, 255)


def prism(sides: int, rings: list[tuple[float, float]], colour: palette.RGB, surface: Surface) -> Mesh:
    """A turned shape: rings of (radius, z); a ring of radius 0 closes to a point."""
    angle = np.arange(sides) * 2 * np.pi / sides
    position: list[NDArray] = []
    for (r0, z0), (r1, z1) in itertools.pairwise(rings):
        for k in range(sides):
            a, b = angle[k], angle[(k + 1) % sides]
            quad = [(r0, a, z0), (r0, b, z0), (r1, b, z1), (r1, a, z1)]
            corner = [np.array([r * np.cos(t), r * np.sin(t), z]) for r, t, z in quad]
            triangles = [corner[:3]] if r1 == 0 else [[corner[0], corner[2], corner[3]]] if r0 == 0 \
                else [corner[:3], [corner[0], corner[2], corner[3]]]
            position.extend(np.array(t) for t in triangles)
    points = np.concatenate(position)
    faces = np.arange(len(points)).reshape(-1, 3)
    return make_mesh(points, faces, colour=colour, surface=surface)


def _ball(subdivisions: int, squash: float, bottom: float) -> Mesh:
    """A crown: a slightly uneven icosphere from `bottom` to 1, half a unit in radius."""
    import trimesh  # slow to load, and only crowns need it

    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=0.5)
    points = np.asarray(ball.vertices, np.float64)
    wobble = 1.0 + 0.07 * np.sin(points[:, 0] * 9.0 + 1.3) * np.cos(points[:, 1] * 8.0 + points[:, 2] * 5.0)
    points = points * wobble[:, None]
    points[:, 2] = bottom + (points[:, 2] + 0.5) * (1.0 - bottom) * squash
    return make_mesh(points, np.asarray(ball.faces), colour=WHITE, surface=Surface.CROWN)


def _trunk(top: float, radius: float = 0.035, is_low: bool = False) -> Mesh:
    """A trunk; the low one is three-sided and shares its corners, for there are thousands and each is a pixel wide."""
    if not is_low:
        return prism(4, [(radius * 1.3, 0.0), (radius, top)], palette.TRUNK, Surface.PLAIN)
    angle = np.arange(3) * 2 * np.pi / 3
    ring = np.column_stack([radius * 1.3 * np.cos(angle), radius * 1.3 * np.sin(angle)])
    points = np.concatenate([np.column_stack([ring, np.zeros(3)]), np.column_stack([ring, np.full(3, top)])])
    faces = [face for k in range(3) for face in ((k, (k + 1) % 3, 3 + (k + 1) % 3), (k, 3 + (k + 1) % 3, 3 + k))]
    return make_mesh(points, np.array(faces), colour=palette.TRUNK, surface=Surface.PLAIN)


@lru_cache(maxsize=16)
def tree(shape: str, is_low: bool = False) -> Mesh:
    """A unit tree: 'round', 'cone' or 'column'; white crowns take their instance's tint. Low ones cost a quarter."""
    if shape == "cone":
        tiers = [(0.16, 0.58, 0.5), (0.38, 0.78, 0.38), (0.6, 1.0, 0.26)]
        if is_low:
            tiers = [(0.14, 1.0, 0.46)]
        sides = 5 if is_low else 8
        crown = [prism(sides, [(0.0, z0), (r, z0), (0.0, z1)], WHITE, Surface.CROWN) for z0, z1, r in tiers]
        return join([*crown, *([] if is_low else [_trunk(0.2)])])
    bottom, squash = (0.3, 1.0) if shape == "round" else (0.16, 1.0)
    return join([_ball(0 if is_low else 1, squash, bottom), _trunk(bottom + 0.12, is_low=is_low)])


@lru_cache(maxsize=4)
def lamp() -> Mesh:
    """A street lamp 6 m tall with its head over local +x."""
    head: dict[str, Any] = {"colour": palette.LAMP_HEAD, "surface": Surface.LAMP_HEAD}
    metal: dict[str, Any] = {"colour": palette.METAL, "surface": Surface.PLAIN}
    return join([prism(4, [(0.09, 0.0), (0.06, 6.0)], palette.METAL, Surface.PLAIN),
                 box_mesh((0.55, 0.0, 5.95), (1.2, 0.07, 0.07), **metal),
                 box_mesh((1.05, 0.0, 5.82), (0.62, 0.26, 0.12), **head)])


@lru_cache(maxsize=4)
def bollard() -> Mesh:
    """A bollard 0.9 m tall."""
    return prism(6, [(0.09, 0.0), (0.09, 0.85), (0.0, 0.92)], palette.METAL, Surface.PLAIN)


@lru_cache(maxsize=4)
def fence_post() -> Mesh:
    """A fence post 2 m tall."""
    return box_mesh((0.0, 0.0, 0.0), (0.09, 0.09, 2.05), colour=palette.FENCE, surface=Surface.PLAIN)


@lru_cache(maxsize=4)
def gate() -> Mesh:
    """Two pillars and a barrier across local x, 7 m between the pillars."""
    white: dict[str, Any] = {"colour": palette.rgb("#e9e7e1"), "surface": Surface.PLAIN}
    return join([box_mesh((-3.9, 0.0, 0.0), (0.8, 0.8, 3.2), **white),
                 box_mesh((3.9, 0.0, 0.0), (0.8, 0.8, 3.2), **white),
                 box_mesh((0.2, 0.0, 1.0), (7.0, 0.12, 0.16), colour=palette.rgb("#d8604a"), surface=Surface.PLAIN),
                 box_mesh((-3.2, 0.9, 0.0), (0.5, 0.5, 1.15), colour=palette.rgb("#d8a03c"), surface=Surface.PLAIN)])
