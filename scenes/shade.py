"""What can stand in the light of a place: found by where shadows fall, so that a place's light depends on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from scenes.bake import Occluders
from scenes.building_body import BuildingBody
from scenes.kept import part_key
from twin.steps import StepStore

F64 = NDArray[np.float64]
#: Ambient light looks this far round a place, and the sun's disc spreads a little.
REACH_M = 20.0
SQUARE_M = 80.0
RUN = 256  # triangles of the map that are looked up together first: they come feature by feature, so near each other


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """What stands in the light of one place: the map's triangles (m, 3, 3) and whole buildings.

    Args:
        low, high: (k, 3) corners of the boxes the place is made of.
    """

    low: F64
    high: F64
    corners: F64
    bodies: tuple[BuildingBody, ...]
    sun: F64

    @property
    def key(self) -> str:
        """Of everything that is near."""
        return part_key("near", self.corners, [body.key for body in self.bodies])

    def triangles(self) -> F64:
        """All of it, (m, 3, 3); of buildings the triangles that reach the place."""
        return np.concatenate([self.corners, *(part for body in self.bodies for part in self._parts(body))])

    def occluders(self) -> Occluders:
        """The same, ready for rays."""
        return Occluders(self.triangles())

    def _parts(self, body: BuildingBody) -> Iterator[F64]:
        """The triangles of one building that reach any of the boxes, run by run."""
        reaching = np.zeros(len(body.runs[0]), dtype=np.bool_)
        for box in zip(self.low, self.high, strict=True):
            reaching |= _reaches(*body.runs, *box, self.sun)
        for run in np.flatnonzero(reaching):
            corners = body.corners_of_run(int(run))
            low, high = corners.min(axis=1), corners.max(axis=1)
            found = np.zeros(len(corners), dtype=np.bool_)
            for box in zip(self.low, self.high, strict=True):
                found |= _reaches(low, high, *box, self.sun)
            yield corners[found]


class Shade:
    """Everything of a park that throws shadow.

    Args:
        corners: triangles (m, 3, 3) of the map, park metres.
        sun: unit vector to the sun.
    """

    def __init__(self, corners: F64, bodies: Sequence[BuildingBody], sun: F64) -> None:
        self.corners, self.sun = corners, sun
        self.bodies = [body for body in bodies if body.box is not None]
        self._low, self._high = corners.min(axis=1), corners.max(axis=1)
        starts = np.arange(0, len(corners), RUN)
        self._runs = np.minimum.reduceat(self._low, starts), np.maximum.reduceat(self._high, starts)
        boxes = np.array([body.box for body in self.bodies]).reshape(-1, 6)
        self._body_low, self._body_high = boxes[:, :3], boxes[:, 3:]

    def near(self, low: F64, high: F64) -> Near:
        """What can darken anything in some boxes (park metres).

        Args:
            low, high: (k, 3) corners of the boxes.
        """
        reached = [_reaches(self._body_low, self._body_high, *box, self.sun) for box in zip(low, high, strict=True)]
        chosen = np.flatnonzero(np.any(reached, axis=0))
        rows = self._rows_near(low.min(axis=0), high.max(axis=0))
        return Near(low, high, self.corners[rows], tuple(self.bodies[k] for k in chosen), self.sun)

    def _rows_near(self, low: F64, high: F64) -> NDArray[np.intp]:
        """The map's triangles that are near a place or throw their shadow there, ascending."""
        runs = np.flatnonzero(_reaches(*self._runs, low, high, self.sun))
        rows = (runs[:, None] * RUN + np.arange(RUN)).ravel()
        rows = rows[:np.searchsorted(rows, len(self.corners))]
        return rows[_reaches(self._low[rows], self._high[rows], low, high, self.sun)]

    def in_shadow(self, points: F64, store: StepStore) -> NDArray[np.bool_]:
        """Whether something stands between each point (n, 3) and the sun; worked out square by square."""
        found = np.zeros(len(points), dtype=np.bool_)
        square = np.floor(points[:, :2] / SQUARE_M).astype(int)
        for at in np.unique(square, axis=0):
            rows = np.flatnonzero((square == at).all(axis=1))
            own = points[rows]
            near = self.near(own.min(axis=0)[None], own.max(axis=0)[None])
            found[rows] = store.recall(part_key("in shadow", own, near.key, self.sun), partial(_blocked, own, near))
        return found


def _blocked(points: F64, near: Near) -> NDArray[np.bool_]:
    return near.occluders().blocked(points, np.tile(near.sun, (len(points), 1)))


def _reaches(low: F64, high: F64, place_low: F64, place_high: F64, sun: F64) -> NDArray[np.bool_]:
    """Which boxes (n, 3) are near a place or throw their shadow there."""
    fall = -sun[:2] / sun[2] * np.maximum(high[:, 2:] - place_low[2], 0.0)
    swept_low, swept_high = np.minimum(low[:, :2], low[:, :2] + fall), np.maximum(high[:, :2], high[:, :2] + fall)
    is_near = (swept_low <= place_high[:2] + REACH_M) & (swept_high >= place_low[:2] - REACH_M)
    return is_near[:, 0] & is_near[:, 1]
