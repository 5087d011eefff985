"""Hours of sun on façades on one day: rays against stacks of storeys, true solar time, the grid's own north.

A façade cell is a storey high and about 3.4 m long; its sample is the window sill in the middle, a hand's breadth off the
wall. The day is scanned every 15 minutes and every change between two samples is bisected to under 15 seconds. Rays run in
float32 relative to the site (raw map coordinates would flip one cell in six). Sun: pvlib (NREL SPA), without refraction.
Source of the method: GB 50180-2018 section 4.0.9 (大寒日 8:00–16:00, true solar time), GB/T 50947-2014.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.mesh import polygons_of, triangulate
from scenes.bake import Occluders
from scenes.schemes.stack import Stack

F64 = NDArray[np.float64]
CELL_M = 3.4
STEP_HOURS = 0.25
BISECTIONS = 6
FRONT_COS = 0.5
_OFF_WALL_M = 0.08
#: The year a day is looked up in (the sun of one date moves by minutes of arc between years).
YEAR = 2026


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Façade cells, one a row.

    Args:
        stack: index into the stacks they were made from. storey: index of the storey.
        a, b: (n, 2) feet of the cell, park metres, the wall's outside on the right going from a to b.
        z0, z1: (n,) levels. normal: (n, 2) outward. sill: (n, 3) where the sun is asked for.
    """

    stack: NDArray[np.int32]
    storey: NDArray[np.int32]
    a: F64
    b: F64
    z0: F64
    z1: F64
    normal: F64
    sill: F64

    def __len__(self) -> int:
        return len(self.z0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The sun over one place on one day.

    Args:
        convergence_deg: from grid north to true north, positive where true north lies west (`gis.crs.convergence_deg`).
    """

    latitude: float
    longitude: float
    month_day: tuple[int, int]
    convergence_deg: float = 0.0

    def noon_utc_hours(self) -> float:
        """UTC hour of true solar noon."""
        import pandas as pd
        from pvlib import solarposition

        noon = dt.datetime(YEAR, *self.month_day, 12, tzinfo=dt.UTC) - dt.timedelta(hours=self.longitude / 15)
        day = pd.DatetimeIndex([noon])
        minutes = float(solarposition.get_solarposition(day, self.latitude, self.longitude)["equation_of_time"].iloc[0])
        return 12.0 - self.longitude / 15.0 - minutes / 60.0

    def sun(self, solar_hours: F64) -> F64:
        """Unit vectors (n, 3) to the sun in the park frame at true solar hours; z ≤ 0 below the horizon."""
        import pandas as pd
        from pvlib import solarposition

        start = dt.datetime(YEAR, *self.month_day, tzinfo=dt.UTC)
        clock = solar_hours + (self.noon_utc_hours() - 12.0)
        times = pd.DatetimeIndex([start + dt.timedelta(hours=float(h)) for h in clock])
        found = solarposition.get_solarposition(times, self.latitude, self.longitude)
        up = np.radians(found["elevation"].to_numpy())
        bearing = np.radians(found["azimuth"].to_numpy() - self.convergence_deg)
        return np.column_stack([np.sin(bearing) * np.cos(up), np.cos(bearing) * np.cos(up), np.sin(up)])


def facade_cells(stacks: Sequence[Stack], sill_m: float = 0.9,
                 wanted: Callable[[Stack], bool] = lambda stack: True) -> Cells:
    """Cells of every storey above ground of the stacks wanted."""
    rows: list[tuple[F64, ...]] = []
    for index, stack in enumerate(stacks):
        if not wanted(stack):
            continue
        for number, storey in enumerate(stack.storeys):
            if (storey.z0 + storey.z1) / 2 <= stack.ground:
                continue
            for ring in _rings(storey.outline):
                part = _ring_cells(ring)
                count = len(part[0])
                rows.append((*part, *(np.full(count, value) for value in (index, number, storey.z0, storey.z1))))
    if not rows:
        none, flat = np.zeros((0, 2)), np.zeros(0)
        return Cells(flat.astype(np.int32), flat.astype(np.int32), none, none, flat, flat, none, np.zeros((0, 3)))
    a, b, stack_of, storey_of, z0, z1 = (np.concatenate(column) for column in zip(*rows, strict=True))
    along = (b - a) / np.linalg.norm(b - a, axis=1)[:, None]
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    level = z0 + np.minimum(sill_m, (z1 - z0) / 2)
    sill = np.column_stack([(a + b) / 2 + normal * _OFF_WALL_M, level])
    return Cells(stack_of.astype(np.int32), storey_of.astype(np.int32), a, b, z0, z1, normal, sill)


def _rings(outline: shapely.Geometry) -> list[F64]:
    return [np.asarray(ring.coords)[:, :2] for polygon in polygons_of(outline)
            for ring in (lambda p: [p.exterior, *p.interiors])(shapely.orient_polygons(polygon))]


def _ring_cells(ring: F64) -> tuple[F64, F64]:
    """Walls of one ring cut into cells of about 3.4 m; walls under a metre carry no window."""
    start, end = ring[:-1], ring[1:]
    length = np.linalg.norm(end - start, axis=1)
    start, end, length = start[length > 1.0], end[length > 1.0], length[length > 1.0]
    pieces = np.maximum(1, np.rint(length / CELL_M)).astype(int)
    row = np.repeat(np.arange(len(start)), pieces)
    k = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (end - start)[row] / pieces[row][:, None]
    return start[row] + step * k[:, None], start[row] + step * (k + 1)[:, None]


def occluders(stacks: Sequence[Stack]) -> Occluders:
    """Walls and roofs of all stacks for rays; storeys of one outline are one prism."""
    parts = [_prism(outline, z0, z1) for stack in stacks for outline, z0, z1 in merged_storeys(stack)]
    return Occluders(np.concatenate(parts) if parts else np.zeros((0, 3, 3)))


def merged_storeys(stack: Stack) -> list[tuple[shapely.Geometry, float, float]]:
    """Runs of equal storeys as one (outline, z0, z1), from below."""
    runs: list[tuple[shapely.Geometry, float, float]] = []
    for storey in sorted(stack.storeys, key=lambda s: s.z0):
        if runs and runs[-1][0] is storey.outline and abs(runs[-1][2] - storey.z0) < 0.01:
            runs[-1] = runs[-1][0], runs[-1][1], storey.z1
        else:
            runs.append((storey.outline, storey.z0, storey.z1))
    return runs


def _prism(outline: shapely.Geometry, z0: float, z1: float) -> F64:
    """Triangles (m, 3, 3) of a prism without its floor."""
    parts: list[F64] = []
    for polygon in polygons_of(outline):
        xy, faces = triangulate(polygon)
        parts.append(np.column_stack([xy, np.full(len(xy), z1)])[faces])
    for ring in _rings(outline):
        a, b = ring[:-1], ring[1:]
        corner = np.empty((len(a), 4, 3))
        corner[:, 0, :2], corner[:, 1, :2], corner[:, 2, :2], corner[:, 3, :2] = a, b, b, a
        corner[:, :2, 2], corner[:, 2:, 2] = z0, z1
        parts.append(corner[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3))
    return np.concatenate(parts)


def sun_hours(cells: Cells, blockers: Occluders, sky: Sky, hours: tuple[float, float] = (8.0, 16.0), *,
              step: float = STEP_HOURS, bisections: int = BISECTIONS) -> F64:
    """Hours of sun (n,) at every sill between two true solar hours."""
    times = np.linspace(*hours, max(2, round((hours[1] - hours[0]) / step) + 1))
    sun = sky.sun(times)
    lit = np.column_stack([_is_lit(cells.sill, cells.normal, blockers, np.broadcast_to(s, (len(cells), 3))) for s in sun]) \
        if len(cells) else np.zeros((0, len(times)), bool)
    total = np.zeros(len(cells))
    for k, (begin, end) in enumerate(itertools.pairwise(times)):
        total += (lit[:, k] & lit[:, k + 1]) * (end - begin)
        changed = np.flatnonzero(lit[:, k] != lit[:, k + 1])
        if not len(changed):
            continue
        low, high = np.full(len(changed), begin), np.full(len(changed), end)
        was_lit = lit[changed, k]
        fine = np.linspace(begin, end, 2**bisections + 1)
        table = sky.sun(fine)
        for _ in range(bisections):
            middle = (low + high) / 2
            sun_then = table[np.rint((middle - begin) / (end - begin) * 2**bisections).astype(int)]
            same = _is_lit(cells.sill[changed], cells.normal[changed], blockers, sun_then) == was_lit
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        at = (low + high) / 2
        total[changed] += np.where(was_lit, at - begin, end - at)
    return total


def _is_lit(sill: F64, normal: F64, blockers: Occluders, sun: F64) -> NDArray[np.bool_]:
    facing = (np.einsum("ij,ij->i", normal, sun[:, :2]) > 1e-6) & (sun[:, 2] > 0)
    lit = facing.copy()
    rows = np.flatnonzero(facing)
    if len(rows):
        lit[rows] = ~blockers.blocked(sill[rows], sun[rows])
    return lit


def is_front(cells: Cells, convergence_deg: float, latitude: float) -> NDArray[np.bool_]:
    """Cells whose wall faces the noon sun within 60°: those the rule of dwellings is read at."""
    turn = np.radians(convergence_deg)
    to_north = np.array([-np.sin(turn), np.cos(turn)])
    return cells.normal @ (-to_north if latitude >= 0 else to_north) > FRONT_COS
