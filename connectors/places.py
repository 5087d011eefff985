"""Positions of people and vehicles in whatever coordinates a source speaks, to fixes in the park frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.misread import Misread
from gis.crs import PARK, map_from_park_xy, park_from_map_xy
from twin.finding import Finding
from twin.ports import Positions, TrackInfo

Matrix = NDArray[np.float64]
#: A fix so far outside what the park shows is in other coordinates than the source says, metres.
FAR_M = 500.0
#: What coordinates may be that are not what was declared, as a source would name them.
LIKELY = ("EPSG:4326", "GCJ-02", "BD-09", PARK)
UNKNOWN, NO_FLOOR, OUT_OF_PLACE = "unknown track or place", "unknown storey", "out of place"
NO_FRAME = "coordinates of positions not known"


class Fix(msgspec.Struct, array_like=True):
    """One row as it is sent: `[track id, x, y, z, heading_rad, accuracy_m, storey]`; what follows y may be left out.

    x is easting or longitude. z is a height of the source's coordinates, or above the floor of the storey where one is
    named. `heading` is counter-clockwise from the source's x axis. `accuracy` is one standard deviation.
    """

    id: str
    x: float
    y: float
    z: float | None = None
    heading: float | None = None
    accuracy: float | None = None
    storey: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a park and its buildings stand.

    `bounds` xmin, ymin, xmax, ymax (park metres); `buildings` (4, 4) park from the building's own metres; `floors`
    (building, storey name) → floor (park metres); `ways` (n, 2) points on its ways and in its rooms (park metres).
    """

    crs: str
    origin: tuple[float, float, float]
    bounds: tuple[float, float, float, float]
    buildings: Mapping[str, Matrix] = field(default_factory=dict)
    floors: Mapping[tuple[str, str], float] = field(default_factory=dict)
    ways: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))


class Places:
    """What one source says of places. Not safe from several threads.

    Args:
        tracks: who may send fixes.
        declared: `positions` of the source: "park" (or ""), anything PROJ knows, GCJ-02, BD-09, or `building:<id>` or
            `building:<id>:<storey>` for a building's own metres.
        standing: of the park; None: park metres that are not looked at.
        accuracy_m: one standard deviation of fixes that say none themselves; 0 for exact ones.
        where: of the declaration, for findings.
    """

    def __init__(self, tracks: Iterable[TrackInfo], declared: str = "", standing: Standing | None = None,
                 accuracy_m: float = 0.0, where: str = "park.toml") -> None:
        self.findings: list[Finding] = []
        self.hint = ""
        self._track = {track.id: track.i for track in tracks}
        self._declared, self._standing, self._accuracy = declared or PARK, standing, accuracy_m
        self._building, self._storey = "", ""
        if self._declared.startswith("building:"):
            _, self._building, self._storey = (self._declared + ":").split(":")[:3]
        self._is_usable = self._check(where)
        self._turn = self._turn_of() if self._is_usable else 0.0
        self._misread = Misread(self._declared, standing.crs, standing.origin, standing.ways) if standing else None

    def take(self, rows: Sequence[Fix], time: float, refuse: Callable[[str, object], None]) -> Positions | None:
        """Fixes of one instant (s) in the park frame; None where none can be used. `refuse` hears (reason, example)."""
        known: list[tuple[float, ...]] = []
        for row in rows:
            floor = self._floor(row)
            if not self._is_usable:
                refuse(NO_FRAME, self._declared)
            elif row.id not in self._track or not _is_sound(row):
                refuse(UNKNOWN, row.id)
            elif floor is None:
                refuse(NO_FLOOR, row.storey)
            else:
                known.append((self._track[row.id], row.x, row.y, row.z or 0.0, floor, row.heading or 0.0,
                              self._accuracy if row.accuracy is None else max(row.accuracy, 0.0)))
        if not known:
            return None
        table = np.array(known, np.float64)
        xyz = self.to_park(table[:, 1:4])
        has_floor = np.isfinite(table[:, 4])
        xyz[has_floor, 2] = table[has_floor, 4] + table[has_floor, 3]
        here = self._in_place(xyz)
        for k in np.flatnonzero(~here).tolist():
            self.hint = self.hint or self._guess(table[~here, 1:3])
            refuse(OUT_OF_PLACE, f"{table[k, 1]:g}, {table[k, 2]:g} read as {self._declared}; {self.hint}")
        if not here.any():
            return None
        table, xyz = table[here], xyz[here]
        if self._misread is not None:
            self._misread.hear(table[:, 1:3], xyz[:, :2])
        return Positions(table[:, 0].astype(np.uint32), xyz, (table[:, 5] + self._turn).astype(np.float32),
                         np.full(len(xyz), time), table[:, 6].astype(np.float32))

    def to_park(self, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Park metres (n, 3) of the source's coordinates (n, 3)."""
        if self._standing is None or self._declared.lower() == PARK:
            return np.array(xyz, np.float64)
        if self._building:
            matrix = self._standing.buildings[self._building]
            return np.asarray(xyz @ matrix[:3, :3].T + matrix[:3, 3])
        xy = park_from_map_xy(xyz[:, :2], self._declared, self._standing.crs, self._standing.origin)
        return np.column_stack([xy, xyz[:, 2] - self._standing.origin[2]])

    @property
    def doubt(self) -> str:
        """What speaks against the declared coordinates although places in them lie in the park; "" for nothing."""
        return self._misread.noticed if self._misread else ""

    # ---- inside -------------------------------------------------------------------------------------------------
    def _check(self, where: str) -> bool:
        if not self._building:
            return True
        buildings = self._standing.buildings if self._standing else {}
        floors = {name for building, name in (self._standing.floors if self._standing else ()) if building == self._building}
        what = mend = ""
        if self._building not in buildings:
            what = f"there is no building '{self._building}' with a model"
            mend = f"use one of {', '.join(buildings) or 'none, there is no model'}"
        elif self._storey and self._storey not in floors:
            what = f"'{self._building}' has no storey '{self._storey}'"
            mend = f"use one of {', '.join(sorted(floors))}"
        if what:
            self.findings.append(Finding("error", f"positions = '{self._declared}': {what}", where, mend))
        return not what

    def _floor(self, row: Fix) -> float | None:
        """Park height of the floor a row's z counts from; NaN where it counts from the coordinates; None: no such storey."""
        storey = row.storey or self._storey
        if not storey:
            return math.nan
        return self._standing.floors.get((self._building, storey)) if self._standing else None

    def _turn_of(self) -> float:
        """Radians from the park's x axis to the source's, at the middle of the park."""
        if self._standing is None or self._declared.lower() == PARK:
            return 0.0
        if self._building:
            matrix = self._standing.buildings[self._building]
            return math.atan2(matrix[1, 0], matrix[0, 0])
        x0, y0, x1, y1 = self._standing.bounds
        at = map_from_park_xy(np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]), self._declared, self._standing.crs,
                              self._standing.origin)
        step = 1e-4 if np.abs(at).max() <= 360.0 else 10.0  # degrees or metres
        two = self.to_park(np.column_stack([np.vstack([at, at + np.array([step, 0.0])]), np.zeros(2)]))
        return math.atan2(two[1, 1] - two[0, 1], two[1, 0] - two[0, 0])

    def _in_place(self, xyz: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points (n, 3) lie in or near the park."""
        if self._standing is None:
            return np.logical_and.reduce(np.isfinite(xyz), axis=1)
        x0, y0, x1, y1 = self._standing.bounds
        with np.errstate(invalid="ignore"):
            inside = (xyz[:, :2] >= (x0 - FAR_M, y0 - FAR_M)) & (xyz[:, :2] <= (x1 + FAR_M, y1 + FAR_M))
        return np.logical_and(inside.all(axis=1), np.isfinite(xyz[:, 2]))

    def _guess(self, xy: NDArray[np.float64]) -> str:
        """What to change, told by trying what else such coordinates may be."""
        assert self._standing is not None
        for crs in (self._declared, *LIKELY, self._standing.crs):
            for is_swapped in (False, True):
                if crs.startswith("building:") or (crs == self._declared and not is_swapped):
                    continue
                there = park_from_map_xy(xy[:, ::-1] if is_swapped else xy, crs, self._standing.crs, self._standing.origin)
                if self._in_place(np.column_stack([there, np.zeros(len(there))])).mean() > 0.5:
                    name = "send easting (longitude) first" if is_swapped else "the numbers fit"
                    return f'{name}: positions = "{crs}" would put them in the park'
        return "no coordinate system tried puts them in the park: write the source's own as positions"


def _is_sound(row: Fix) -> bool:
    return all(number is None or math.isfinite(number) for number in (row.x, row.y, row.z, row.heading, row.accuracy))
