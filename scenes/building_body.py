"""A building's body as the rest of the park needs it: box and footprint at once, triangles when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray

from gis.model import FlatGround, Ground
from gis.terrain import Terrain
from scenes.building_mesh import BuildingMesh
from scenes.building_tiles import BuildingInput, mesh_of
from scenes.kept import part_key
from twin.steps import StepStore

F64 = NDArray[np.float64]
RUN = 4096
LEVEL_M = 0.05  # a triangle that rises no further lies flat


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A body that was sent to another process."""

    mesh: BuildingMesh


class Shelf:
    """The triangles of the buildings asked for last: copies share them, and a large park's are never all at hand at once."""

    def __init__(self, most: int = 8) -> None:
        self.most, self._held = most, dict[str, BuildingMesh]()

    def take(self, key: str, make: Callable[[], BuildingMesh]) -> BuildingMesh:
        """What is kept under a key, made if it is not there."""
        mesh = self._held.pop(key, None) or make()
        self._held[key] = mesh
        while len(self._held) > self.most:
            del self._held[next(iter(self._held))]
        return mesh


class BuildingBody:
    """The body of one building; what was worked out before comes from the store.

    Args:
        ground: what it stands on; `ground_key` names it.
        shelf: of triangles at hand, one for all buildings of a park.
    """

    def __init__(self, source: BuildingInput, ground: Ground, ground_key: str, store: StepStore, shelf: Shelf) -> None:
        self.source, self.ground, self.ground_key, self.store, self.shelf = source, ground, ground_key, store, shelf

    def __reduce__(self) -> tuple[type[Whole], tuple[BuildingMesh]]:
        return Whole, (self.mesh,)

    @cached_property
    def key(self) -> str:
        """Of its triangles where they stand."""
        return part_key("body here", self.plot_key, self.source.at)

    @cached_property
    def plot_key(self) -> str:
        """Of its triangles in its plot."""
        if self.source.model.digest:
            return part_key("body", self.source.model.digest, self.source.plot_from_ifc, self.source.nodes)
        return part_key("body", self.mesh.mesh)

    @property
    def mesh(self) -> BuildingMesh:
        """The whole building's triangles in its plot."""
        if not self.source.model.digest:
            return self._meshed
        return self.shelf.take(self.plot_key, lambda: self.store.recall(self.plot_key, lambda: mesh_of(self.source)))

    @cached_property
    def box(self) -> F64 | None:
        """xmin, ymin, zmin, xmax, ymax, zmax in park metres; None where it has no body."""
        return self._facts[0]

    @property
    def hole(self) -> shapely.Geometry:
        """Where its own slabs lie at ground level."""
        return self._facts[1]

    @cached_property
    def seen_from_above(self) -> shapely.Geometry:
        """The outline of its roofs and slabs on the plan."""
        return self.store.recall(part_key("from above", self.key), lambda: seen_from_above(self.corners()))

    def corners(self) -> F64:
        """Its triangles (m, 3, 3)."""
        mesh = self.mesh.mesh
        return mesh.position[mesh.faces] + np.array([*self.source.at, 0.0])

    def corners_of_run(self, run: int) -> F64:
        """The triangles (k, 3, 3) of one of its `runs`."""
        return self._run(run, self.source.at)

    @cached_property
    def runs(self) -> tuple[F64, F64]:
        """Low and high corners (k, 3) of the boxes round every `RUN` of its triangles: those of a thing stand together."""
        found = [self.corners_of_run(run).reshape(-1, 3) for run in range(self._run_count)]
        return np.array([c.min(0) for c in found]).reshape(-1, 3), np.array([c.max(0) for c in found]).reshape(-1, 3)

    @property
    def _run_count(self) -> int:
        return -(-len(self.mesh.mesh.faces) // RUN)

    def _run(self, run: int, at: tuple[float, float]) -> F64:
        mesh = self.mesh.mesh
        return mesh.position[mesh.faces[run * RUN : (run + 1) * RUN]] + np.array([*at, 0.0])

    @cached_property
    def _facts(self) -> tuple[F64 | None, shapely.Geometry]:
        """As `box` and `hole`; on flat ground worked out once for all copies."""
        is_flat, (east, north) = isinstance(self.ground, FlatGround), self.source.at
        key = part_key("box and footprint", self.plot_key if is_flat else self.key, self.ground_key)
        box, hole = self.store.recall(key, lambda: self._worked_out((0.0, 0.0) if is_flat else (east, north)))
        if not is_flat or box is None:
            return box, hole
        return box + np.array([east, north, 0.0] * 2), shapely.affinity.translate(hole, east, north)

    def _worked_out(self, at: tuple[float, float]) -> tuple[F64 | None, shapely.Geometry]:
        points = self.mesh.mesh.position + np.array([*at, 0.0])
        box = np.concatenate([points.min(0), points.max(0)]) if len(points) else None
        level = (c[np.ptp(c[:, :, 2], axis=1) < LEVEL_M] for c in (self._run(run, at) for run in range(self._run_count)))
        return box, footprint(np.concatenate([np.zeros((0, 3, 3)), *level]), self.ground)

    @cached_property
    def _meshed(self) -> BuildingMesh:
        return mesh_of(self.source)


def footprint(corners: F64, ground: Ground, reach_m: float = 0.7) -> shapely.Geometry:
    """Where a building's own slabs lie at ground level, so that no lawn flickers through its floor.

    Args:
        corners: its triangles (m, 3, 3), park metres.
    """
    if not len(corners):
        return shapely.Polygon()
    level = corners[:, :, 2]
    middle = corners.mean(axis=1)
    z = ground.height_at(middle[:, :2]) if isinstance(ground, Terrain) else np.full(len(middle), _flat_z(ground))
    flat = np.ptp(level, axis=1) < LEVEL_M
    area = np.abs(_cross_z(corners)) / 2
    chosen = flat & (np.abs(middle[:, 2] - z) < reach_m) & (area > 0.05)
    if not chosen.any():
        return shapely.Polygon()
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(-area[rows], kind="stable")[:3000]]
    joined = shapely.union_all(shapely.polygons(corners[rows][:, :, :2]), grid_size=0.005)
    return shapely.buffer(shapely.buffer(joined, 0.15, join_style="mitre"), -0.15, join_style="mitre")


def seen_from_above(corners: F64) -> shapely.Geometry:
    """The outline of roofs and slabs (m, 3, 3) on the plan."""
    area = np.abs(_cross_z(corners)) / 2
    rows = np.flatnonzero(area > 0.5)
    rows = rows[np.argsort(-area[rows], kind="stable")[:6000]]
    if not len(rows):
        return shapely.Polygon()
    return shapely.union_all(shapely.polygons(corners[rows][:, :, :2]), grid_size=0.01)


def _flat_z(ground: Ground) -> float:
    return ground.z if isinstance(ground, FlatGround) else float(ground.height_at(np.zeros((1, 2)))[0])


def _cross_z(corners: F64) -> F64:
    a, b = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
