"""Who was near somebody: from the fixes of a period, within so many metres on the same level and not through a wall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.indoors import Indoors
from twin.ports import Positions

#: Between fixes further apart in time nobody knows where somebody was.
GAP_SECS = 15.0
#: A break in being near that is no longer than this does not end a contact.
BREAK_SECS = 10.0
STEP_SECS = 1.0
LEVEL_M = 2.0


@dataclass(frozen=True, slots=True)
class Contact:
    """Time near another track: from and to (s), how long of that, nearest (m), and where the one asked for was then."""

    track: int
    start: float
    end: float
    secs: float
    closest_m: float
    at: tuple[float, float, float]


def contacts(fixes: Positions, track: int, *, metres: float, secs: float, indoors: Indoors | None = None) -> list[Contact]:
    """Contacts of one track with every other, longest first.

    Args:
        fixes: of everybody over the period asked for.
        track: whose contacts.
        metres: how near.
        secs: how long together at least, breaks of up to ten seconds aside.
        indoors: walls; None: none are known.
    """
    mine = fixes.track == track
    order = np.argsort(fixes.source_time[mine], kind="stable")
    time, xyz = fixes.source_time[mine][order], fixes.xyz[mine][order].astype(np.float64)
    if not len(time):
        return []
    grid = np.arange(np.floor(time[0]), np.ceil(time[-1]) + STEP_SECS, STEP_SECS)
    here = placed(grid, time, xyz)
    found: list[Contact] = []
    by_track = np.argsort(fixes.track, kind="stable")
    cuts = np.flatnonzero(np.diff(fixes.track[by_track])) + 1
    for rows in np.split(by_track, cuts):
        other = int(fixes.track[rows[0]])
        if other != track:
            rows = rows[np.argsort(fixes.source_time[rows], kind="stable")]
            there = placed(grid, fixes.source_time[rows], fixes.xyz[rows].astype(np.float64))
            near = _near(here, there, metres, indoors)
            found += [c for c in _runs(other, grid, near, here, there) if c.secs >= secs]
    return sorted(found, key=lambda contact: (-contact.secs, contact.start, contact.track))


def placed(grid: NDArray[np.float64], time: NDArray[np.float64], xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """f64 (n, 3) where somebody was at instants, on the straight line between fixes; NaN where nobody knows."""
    after = np.searchsorted(time, grid, side="left")
    before = np.maximum(np.searchsorted(time, grid, side="right") - 1, 0)
    known = (after < len(time)) & (time[before] <= grid)
    after = np.minimum(after, len(time) - 1)
    span = time[after] - time[before]
    known &= span <= GAP_SECS
    share = np.divide(grid - time[before], span, out=np.zeros(len(grid)), where=span > 0)
    out = xyz[before] + (xyz[after] - xyz[before]) * share[:, None]
    out[~known] = np.nan
    return out


def _near(here: NDArray[np.float64], there: NDArray[np.float64], metres: float,
          indoors: Indoors | None) -> NDArray[np.bool_]:
    """Which instants two are near one another at, on a level, with no wall between."""
    with np.errstate(invalid="ignore"):
        near = (np.linalg.norm((here - there)[:, :2], axis=1) <= metres) & (np.abs(here - there)[:, 2] < LEVEL_M)
    rows = np.flatnonzero(near)
    if indoors is None or not len(rows):
        return np.asarray(near, np.bool_)
    near[rows[~indoors.sees(here[rows], there[rows])]] = False
    return np.asarray(near, np.bool_)


def _runs(other: int, grid: NDArray[np.float64], near: NDArray[np.bool_], here: NDArray[np.float64],
          there: NDArray[np.float64]) -> Iterator[Contact]:
    rows = np.flatnonzero(near)
    if not len(rows):
        return
    for run in np.split(rows, np.flatnonzero(np.diff(grid[rows]) > BREAK_SECS) + 1):
        apart = np.linalg.norm((here[run] - there[run])[:, :2], axis=1)
        x, y, z = here[run[int(apart.argmin())]]
        yield Contact(other, float(grid[run[0]]), float(grid[run[-1]]), (len(run) - 1) * STEP_SECS, float(apart.min()),
                      (float(x), float(y), float(z)))
