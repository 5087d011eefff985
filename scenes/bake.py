"""Light worked out once: how open each vertex is to the sky (AO) and whether the park's fixed sun reaches it.

All rays run in a frame recentred on what is lit, so float32 costs nothing (raw map coordinates flip one ray in six).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from gis.mesh import Mesh, parts_of

F64 = NDArray[np.float64]
SUN_DAY, SUN_SOLAR_HOUR = 62, 14.1
_LIFT_M = 0.04
BURIED_M = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Baked light per vertex, uint8 (n,): ao 255 = open sky, sun = N·L × share of the sun seen."""

    ao: NDArray[np.uint8]
    sun: NDArray[np.uint8]


def lights(parts: list[Light]) -> Light:
    """One light of many, in order."""
    return Light(np.concatenate([p.ao for p in parts]), np.concatenate([p.sun for p in parts]))


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
        position: corners (n, 3) float64 park metres that `faces` (m, 3) share; without faces triangles (m, 3, 3).
    """

    def __init__(self, position: F64, faces: NDArray[np.integer] | None = None) -> None:
        if faces is None:
            position, faces = position.reshape(-1, 3), np.arange(position.size // 3).reshape(-1, 3)
        self.is_empty = len(faces) == 0
        self.centre = _middle(position, faces)
        self._scene = EmbreeScene()
        if not self.is_empty:
            points = np.empty(position.shape, np.float32)
            np.subtract(position, self.centre, out=points)
            self._mesh = TriangleMesh(self._scene, points, faces.astype(np.int32))

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


def _middle(position: F64, faces: NDArray[np.integer]) -> F64:
    """The mean (3,) of all corners of all faces."""
    total = np.zeros(3)
    for part in parts_of(len(faces)):
        total += position[faces[part]].reshape(-1, 3).sum(axis=0)
    return total / max(3 * len(faces), 1)


def bake(mesh: Mesh, occluders: Occluders, sun: F64, *, far: Occluders | None = None, ao_reach_m: float = 14.0,
         directions: int = 22, two_sided: bool = False) -> Light:
    """AO and sun of every vertex.

    Vertices are pulled towards the middle of their triangles and off the face, so that a vertex in a corner sees
    what the face beside the corner sees; one buried in another body takes the light of its neighbours. Two-sided faces
    (IFC has no dependable winding) are lit on the side that is more open.

    Args:
        far: what throws shadow but is too far to darken corners.
    """
    if not len(mesh):
        return Light(np.zeros(0, np.uint8), np.zeros(0, np.uint8))
    all_spots = _pulled_in(mesh)
    ao, sunlit, is_buried = np.empty(len(mesh)), np.empty(len(mesh)), np.empty(len(mesh), np.bool_)
    for part in parts_of(len(mesh)):
        spot, normal = all_spots[part], mesh.normal[part].astype(np.float64)
        if two_sided:
            ahead, behind = (openness(spot, side, occluders, ao_reach_m, 3)[0] for side in (normal, -normal))
            normal = np.where((behind > ahead * 1.05)[:, None], -normal, normal)
        ao[part], is_buried[part] = openness(spot, normal, occluders, ao_reach_m, directions)
        sunlit[part] = _sunlit(spot, normal, occluders, far, sun)
    del all_spots
    ao, sunlit = _lent(ao, sunlit, is_buried, mesh)
    return Light(as_bytes(0.25 + 0.75 * ao), as_bytes(sunlit))


def _lent(ao: F64, sunlit: F64, is_buried: NDArray[np.bool_], mesh: Mesh) -> tuple[F64, F64]:
    """Buried vertices get the mean light of the free corners of their triangles."""
    for _ in range(2):
        if not is_buried.any() or is_buried.all():
            break
        free = ~is_buried
        total, count = np.zeros((len(mesh), 2)), np.zeros(len(mesh))
        for k in range(3):
            for other in ((k + 1) % 3, (k + 2) % 3):
                giver, taker = mesh.faces[:, other], mesh.faces[:, k]
                use = free[giver] & is_buried[taker]
                np.add.at(total, taker[use], np.column_stack([ao[giver[use]], sunlit[giver[use]]]))
                np.add.at(count, taker[use], 1)
        got = count > 0
        ao[got], sunlit[got] = (total[got] / count[got][:, None]).T
        is_buried = is_buried & ~got
    return ao, sunlit


def as_bytes(share: F64) -> NDArray[np.uint8]:
    """Shares of 1 as bytes."""
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


def _pulled_in(mesh: Mesh, inward_m: float = 0.35) -> F64:
    middle = np.zeros_like(mesh.position)
    count = np.bincount(mesh.faces.ravel(), minlength=len(mesh))
    for k in range(3):
        for part in parts_of(len(mesh.faces)):
            np.add.at(middle, mesh.faces[part, k], mesh.position[mesh.faces[part]].mean(axis=1))
    for part in parts_of(len(mesh)):
        inward = middle[part] / np.maximum(count[part], 1)[:, None] - mesh.position[part]
        length = np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
        middle[part] = mesh.position[part] + inward / length * np.minimum(inward_m, length * 0.5)
    return middle


def openness(spot: F64, normal: F64, occluders: Occluders, reach_m: float, count: int,
             ) -> tuple[F64, NDArray[np.bool_]]:
    """How open (n,) the half-space before each normal is within reach, and which spots lie inside some body."""
    if occluders.is_empty:
        return np.ones(len(spot)), np.zeros(len(spot), bool)
    helper = np.where(np.abs(normal[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    east = np.cross(helper, normal)
    east /= np.maximum(np.linalg.norm(east, axis=1, keepdims=True), 1e-9)
    north = np.cross(normal, east)
    origin = spot + normal * _LIFT_M
    clear, farthest = np.zeros(len(spot)), np.zeros(len(spot))
    for x, y, z in sky_directions(count):
        reached = occluders.distance(origin, east * x + north * y + normal * z, reach_m)
        clear += np.sqrt(reached / reach_m)
        farthest = np.maximum(farthest, reached)
    return clear / count, farthest < BURIED_M


def _sunlit(spot: F64, normal: F64, occluders: Occluders, far: Occluders | None, sun: F64) -> F64:
    facing = np.clip(normal @ sun, 0, 1)
    lit = facing.copy()
    rows = np.flatnonzero(facing > 0.01)
    if len(rows):
        origin = spot[rows] + normal[rows] * 0.08
        share = np.zeros(len(rows))
        for offset in _sun_disc(sun):
            ray = np.tile(offset, (len(rows), 1))
            free = ~occluders.blocked(origin, ray)
            if far is not None:
                free &= ~far.blocked(origin, ray)
            share += free
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
