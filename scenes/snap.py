"""A building's outline brought onto a footprint of the map: the turn and shift that fit best, and what is left over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import least_squares
from shapely.affinity import rotate, translate

REACH_M = 150.0
SPACING_M = 0.5
MOST_POINTS = 400
AREA_RATIO = 2.5  # footprints larger or smaller than this many times are another building's
ROBUST_M = 1.0  # what is farther off than this (porches, canopies) pulls less


@dataclass(frozen=True, slots=True, kw_only=True)
class Snap:
    """A footprint and how to lie on it.

    Args:
        footprint: id of the feature. at: (x, y) of the anchor, park metres. heading: degrees clockwise from grid north.
        residual_m: root mean square distance between the two outlines, both ways.
    """

    footprint: str
    at: tuple[float, float]
    heading: float
    residual_m: float


def snap(outline: shapely.Geometry, anchor: tuple[float, float], near: tuple[float, float], heading: float,
         ids: Sequence[str], footprints: NDArray[np.object_]) -> Snap | None:
    """The footprint that a building fits best, of those about a place; None where there is none of its size.

    Args:
        outline: the building's ground in its own metres. anchor: what it is held by, own metres.
        near: where it is held now, park metres. heading: how it is turned now (told apart by it are turns as good).
        footprints: polygons (n,), park metres, with their ids.
    """
    if not len(footprints) or outline.is_empty:
        return None
    here = shapely.Point(near)
    distance = shapely.distance(footprints, here)
    share = shapely.area(footprints) / outline.area
    likely = np.flatnonzero((distance <= REACH_M) & (share < AREA_RATIO) & (share > 1 / AREA_RATIO))
    fits = [_fit(outline, anchor, heading, footprints[k], str(ids[k])) for k in likely.tolist()]
    if not fits:
        return None
    away = np.array([math.dist(fit.at, near) for fit in fits])
    residual = np.array([fit.residual_m for fit in fits])
    return fits[int(np.argmin(residual + 0.01 * away))]  # of fits as good the nearest


def _fit(outline: shapely.Geometry, anchor: tuple[float, float], heading: float, footprint: shapely.Geometry,
         key: str) -> Snap:
    own = translate(outline, -anchor[0], -anchor[1])
    mine, theirs = _along(own), _along(footprint)
    edge_own, edge_theirs = shapely.boundary(own), shapely.boundary(footprint)
    shapely.prepare(edge_theirs)
    shapely.prepare(edge_own)

    def residuals(pose: NDArray[np.float64]) -> NDArray[np.float64]:
        c, s = math.cos(pose[2]), math.sin(pose[2])
        there = mine @ np.array([[c, s], [-s, c]]) + pose[:2]
        back = (theirs - pose[:2]) @ np.array([[c, -s], [s, c]])
        return np.concatenate([shapely.distance(shapely.points(there), edge_theirs),
                               shapely.distance(shapely.points(back), edge_own)])

    best: tuple[float, NDArray[np.float64]] | None = None
    for turn in _turns(own, footprint, -math.radians(heading)):
        turned = rotate(own, turn, origin=(0, 0), use_radians=True)
        start = np.array([footprint.centroid.x - turned.centroid.x, footprint.centroid.y - turned.centroid.y, turn])
        found = least_squares(residuals, start, loss="soft_l1", f_scale=ROBUST_M, x_scale=(1.0, 1.0, 0.05), max_nfev=60)
        rms = float(np.sqrt(np.mean(residuals(found.x) ** 2)))
        if best is None or rms < best[0] - 1e-3:
            best = rms, found.x
    assert best is not None
    rms, pose = best
    return Snap(footprint=key, at=(float(pose[0]), float(pose[1])), heading=-math.degrees(pose[2]) % 360.0, residual_m=rms)


def _turns(own: shapely.Geometry, footprint: shapely.Geometry, now: float) -> list[float]:
    """Turns (radians) that lay the long side of one along a side of the other, the one nearest to now first."""
    base = _direction(footprint) - _direction(own)
    turns = [base + quarter * math.pi / 2 for quarter in range(4)]
    return sorted(turns, key=lambda turn: abs(math.atan2(math.sin(turn - now), math.cos(turn - now))))


def _direction(shape: shapely.Geometry) -> float:
    """Of the long side of the smallest rectangle around a shape, radians from the x axis."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))[:3]
    if len(corners) < 3:
        return 0.0
    sides = np.diff(corners, axis=0)
    long = sides[int(np.argmax(np.hypot(*sides.T)))]
    return math.atan2(long[1], long[0])


def _along(shape: shapely.Geometry) -> NDArray[np.float64]:
    """Points (n, 2) along an outline, half a metre apart."""
    edge = shapely.boundary(shape)
    count = int(min(MOST_POINTS, max(24, edge.length / SPACING_M)))
    shares = np.linspace(0, 1, count, endpoint=False)
    return shapely.get_coordinates(shapely.line_interpolate_point(edge, shares, normalized=True))
