"""Light worked out once: how open each vertex is to the sky (AO) and whether the park's fixed sun reaches it.

All rays run in a frame recentred on what is lit, so float32 costs nothing (raw map coordinates flip one ray in six).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from gis.mesh import Mesh

F64 = NDArray[np.float64]
SUN_DAY, SUN_SOLAR_HOUR = 62, 14.1
_LIFT_M = 0.04


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Baked light per vertex, uint8 (n,): ao 255 = open sky, sun = N·L × share of the sun seen."""

    ao: NDArray[np.uint8]
    sun: NDArray[np.uint8]


def sun_vector(latitude_deg: float, day: int = SUN_DAY, solar_hour: float = SUN_SOLAR_HOUR) -> F64:
    """Unit vector to the sun in east, north, up at a true solar hour of a day of the year."""
    declination = np.radians(23.44) * np.sin(2 * np.pi * (284 + day) / 365)
    hour = np.radians(15.0 * (solar_hour - 12.0))
    phi = np.radians(latitude_deg)
    up = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour)
    east = -np.cos(declination) * np.sin(hour)
    north = np.cos(phi) * np.sin(declination) - np.sin(phi) * np.cos(declination) * np.cos(hour)
    vector = np.array([east, north, max(up, 0.12)])
    return vector / np.linalg.norm(vector)


def sky_directions(count: int = 22) -> F64:
    """Cosine-weighted directions over the upper hemisphere (count, 3), z up, a fixed spiral."""
    k = np.arange(count) + 0.5
    radius, angle = np.sqrt(k / count), k * np.pi * (3 - np.sqrt(5))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)])


class Occluders:
    """Everything that can stand in the way of light, ready for rays.

    Args:
        corners: triangles (m, 3, 3) float64 park metres.
    """

    def __init__(self, corners: F64) -> None:
        self.is_empty = len(corners) == 0
        self.centre = corners.reshape(-1, 3).mean(0) if len(corners) else np.zeros(3)
        self._scene = EmbreeScene()
        if not self.is_empty:
            points = np.ascontiguousarray((corners - self.centre).reshape(-1, 3), dtype=np.float32)
            index = np.arange(len(points), dtype=np.int32).reshape(-1, 3)
            self._mesh = TriangleMesh(self._scene, points, index)

    def blocked(self, origin: F64, direction: F64, reach_m: float = 1e4) -> NDArray[np.bool_]:
        """Whether anything lies within reach along rays from origin (n, 3) in direction (n, 3)."""
        return self.distance(origin, direction, reach_m) < reach_m

    def distance(self, origin: F64, direction: F64, reach_m: float = 1e4) -> NDArray[np.float32]:
        """Distance to the first hit (n,), reach_m where there is none within reach."""
        if self.is_empty or not len(origin):
            return np.full(len(origin), reach_m, np.float32)
        start = np.ascontiguousarray(origin - self.centre, dtype=np.float32)
        step = np.ascontiguousarray(direction, dtype=np.float32)
        far = np.asarray(self._scene.run(start, step, query="DISTANCE"), np.float32)
        return np.minimum(np.where(np.isfinite(far) & (far >= 0), far, reach_m), reach_m).astype(np.float32)

    def first_hit(self, origin: F64, direction: F64) -> NDArray[np.int64]:
        """Index of the first triangle each ray meets, -1 for none."""
        start = np.ascontiguousarray(origin - self.centre, dtype=np.float32)
        step = np.ascontiguousarray(direction, dtype=np.float32)
        return np.asarray(self._scene.run(start, step, query="INTERSECT"), np.int64)


def bake(mesh: Mesh, occluders: Occluders, sun: F64, *, ao_reach_m: float = 14.0, directions: int = 22,
         two_sided: bool = False) -> Light:
    """AO and sun of every vertex.

    Vertices are pulled towards the middle of their triangles and off the face, so that a vertex in a corner sees
    what the face beside the corner sees.
    Two-sided faces (IFC has no dependable winding) are lit on the side that is more open.
    """
    if not len(mesh):
        return Light(np.zeros(0, np.uint8), np.zeros(0, np.uint8))
    normal = mesh.normal.astype(np.float64)
    spot = _pulled_in(mesh)
    sides = [normal, -normal] if two_sided else [normal]
    best: tuple[F64, F64] | None = None
    for side in sides:
        ao, sunlit = _openness(spot, side, occluders, ao_reach_m, directions), _sunlit(spot, side, occluders, sun)
        if best is None:
            best = ao, sunlit
        else:
            brighter = ao > best[0]
            best = np.where(brighter, ao, best[0]), np.where(brighter, sunlit, best[1])
    assert best is not None
    return Light(_bytes(0.25 + 0.75 * best[0]), _bytes(best[1]))


def _bytes(share: F64) -> NDArray[np.uint8]:
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


def _pulled_in(mesh: Mesh, inward_m: float = 0.35) -> F64:
    middle = np.zeros_like(mesh.position)
    count = np.zeros(len(mesh))
    centres = mesh.position[mesh.faces].mean(axis=1)
    for k in range(3):
        np.add.at(middle, mesh.faces[:, k], centres)
        np.add.at(count, mesh.faces[:, k], 1)
    inward = middle / np.maximum(count, 1)[:, None] - mesh.position
    length = np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
    return mesh.position + inward / length * np.minimum(inward_m, length * 0.5)


def _openness(spot: F64, normal: F64, occluders: Occluders, reach_m: float, count: int) -> F64:
    """Share of sky directions about each normal that stay clear; the ground below counts as half dark."""
    if occluders.is_empty:
        return np.ones(len(spot))
    local = sky_directions(count)
    helper = np.where(np.abs(normal[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    east = np.cross(helper, normal)
    east /= np.maximum(np.linalg.norm(east, axis=1, keepdims=True), 1e-9)
    north = np.cross(normal, east)
    origin = spot + normal * _LIFT_M
    clear = np.zeros(len(spot))
    for x, y, z in local:
        ray = east * x + north * y + normal * z
        far = occluders.distance(origin, ray, reach_m)
        clear += (far / reach_m) ** 0.5
    return clear / len(local)


def _sunlit(spot: F64, normal: F64, occluders: Occluders, sun: F64) -> F64:
    facing = np.clip(normal @ sun, 0, 1)
    lit = facing.copy()
    rows = np.flatnonzero(facing > 0.01)
    if len(rows) and not occluders.is_empty:
        origin = spot[rows] + normal[rows] * 0.08
        share = np.zeros(len(rows))
        for offset in _sun_disc(sun):
            share += ~occluders.blocked(origin, np.tile(offset, (len(rows), 1)))
        lit[rows] *= share / len(_sun_disc(sun))
    return lit


def _sun_disc(sun: F64, spread: float = 0.012) -> list[F64]:
    side = np.cross(sun, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, sun)
    spots = [sun + spread * (a * side + b * up) for a, b in ((1, 0.3), (-0.3, 1), (-0.7, -0.9))]
    return [spot / np.linalg.norm(spot) for spot in spots]


def crown_corners(position: F64, scale: F64) -> F64:
    """Tree crowns as octahedra (n × 8, 3, 3): enough to throw a shadow."""
    tip = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64)
    faces = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [1, 0, 5], [2, 1, 5], [3, 2, 5], [0, 3, 5]])
    reach = np.column_stack([scale[:, 0] * 0.52, scale[:, 1] * 0.52, scale[:, 2] * 0.36])
    centre = position + np.column_stack([np.zeros((len(scale), 2)), scale[:, 2] * 0.64])
    return (centre[:, None, None] + tip[faces][None] * reach[:, None, None]).reshape(-1, 3, 3)


def ground_light(bounds: tuple[float, float, float, float], size: int, heights: F64, occluders: Occluders, sun: F64,
                 lamps: F64) -> bytes:
    """PNG of the light on the ground: R ambient occlusion, G lamp pools, B sun; row 0 is the north rim.

    Args:
        heights: (size, size) ground heights at the texel middles, row 0 north.
        lamps: (n, 2) park metres.
    """
    xmin, ymin, xmax, ymax = bounds
    xs = xmin + (np.arange(size) + 0.5) / size * (xmax - xmin)
    ys = ymax - (np.arange(size) + 0.5) / size * (ymax - ymin)
    mesh_x, mesh_y = np.meshgrid(xs, ys)
    spot = np.column_stack([mesh_x.ravel(), mesh_y.ravel(), heights.ravel() + 0.06])
    texel_m = max(xmax - xmin, ymax - ymin) / size
    lit = np.zeros(len(spot))
    for offset in _sun_disc(sun):
        lit += ~occluders.blocked(spot, np.tile(offset, (len(spot), 1)))
    sunlit = gaussian_filter((lit / 3).reshape(size, size), 0.6)
    ao = _ground_ao(spot, occluders, size)
    pools = _lamp_pools(lamps, bounds, size, texel_m)
    image = np.stack([_bytes(ao), _bytes(pools), _bytes(sunlit), np.full((size, size), 255, np.uint8)], axis=-1)
    out = io.BytesIO()
    Image.fromarray(image, "RGBA").save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _ground_ao(spot: F64, occluders: Occluders, size: int) -> F64:
    """AO on every second texel (it varies slowly), then spread."""
    half = spot.reshape(size, size, 3)[::2, ::2].reshape(-1, 3)
    up = np.tile([0.0, 0.0, 1.0], (len(half), 1))
    ao = 0.3 + 0.7 * _openness(half, up, occluders, 16.0, 14).reshape(size // 2, size // 2)
    return gaussian_filter(np.kron(ao, np.ones((2, 2))), 1.6)


def _lamp_pools(lamps: F64, bounds: tuple[float, float, float, float], size: int, texel_m: float) -> F64:
    xmin, ymin, xmax, ymax = bounds
    pools = np.zeros((size, size))
    if not len(lamps):
        return pools
    column = ((lamps[:, 0] - xmin) / (xmax - xmin) * size).astype(int)
    row = ((ymax - lamps[:, 1]) / (ymax - ymin) * size).astype(int)
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    np.add.at(pools, (row[inside], column[inside]), 1.0)
    radius = 6.5 / texel_m
    return np.clip(gaussian_filter(pools, radius) * 2 * np.pi * radius**2 * 0.85, 0, 1)
