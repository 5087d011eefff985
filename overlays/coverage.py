"""What cameras see and sensors reach, by area: per storey and outdoors, with what stays blind. Park frame, metres.

Method, said on every figure: seen from above; a camera sees its own room (doors count as shut, furniture and height are
left out) or, outdoors, the site between buildings; out to its pack's range, within its field of view about the registry's
`heading` (degrees clockwise from grid north), or, where that is empty, about its longest line of sight. A sensor reaches
its own room out to the radius its pack names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

METHOD = "2"
#: Blind pieces smaller than this (m²) are corners of the drawing, not places.
LEAST_BLIND_M2 = 1.0
STEP_DEG = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A room, or the site outdoors (`storey` 0): its node, floor and height."""

    node: int
    storey: int
    polygon: shapely.Geometry
    z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """A camera: the area (node) it hangs in, where (m), how far (m) and wide (degrees) it sees, and its heading or NaN."""

    area: int
    at: tuple[float, float]
    range_m: float
    fov_deg: float
    heading_deg: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor that answers for floor: its area (node), where and out to which radius (m)."""

    area: int
    at: tuple[float, float]
    radius_m: float


@dataclass(slots=True)
class Row:
    """A storey (or the site outdoors): floor, seen and reached (m²), devices counted, headings that were assumed."""

    node: int
    floor_m2: float = 0.0
    seen_m2: float = 0.0
    reached_m2: float = 0.0
    cameras: int = 0
    sensors: int = 0
    assumed: int = 0
    z: float = 0.0
    blind: list[list[list[tuple[float, float]]]] = field(default_factory=list)


def coverage(areas: Sequence[Area], eyes: Sequence[Eye], sensors: Sequence[Sensor],
             progress: Callable[[int, int], None] = lambda done, total: None) -> list[Row]:
    """A row for every storey of the areas, in order of first appearance; the site outdoors is the row of its own node."""
    rows: dict[int, Row] = {}
    by_area: dict[int, list[Eye]] = {}
    reach: dict[int, list[Sensor]] = {}
    for eye in eyes:
        by_area.setdefault(eye.area, []).append(eye)
    for sensor in sensors:
        reach.setdefault(sensor.area, []).append(sensor)
    for done, area in enumerate(areas):
        row = rows.setdefault(area.storey or area.node, Row(area.storey or area.node, z=area.z))
        here = by_area.get(area.node, [])
        seen = shapely.union_all([sight(area.polygon, eye) for eye in here]) if here else shapely.Polygon()
        row.floor_m2 += area.polygon.area
        row.seen_m2 += seen.area
        row.cameras += len(here)
        row.assumed += sum(math.isnan(eye.heading_deg) and eye.fov_deg < 360 for eye in here)
        answered = reach.get(area.node, [])
        circles = [shapely.Point(s.at).buffer(s.radius_m, quad_segs=16) for s in answered]
        row.reached_m2 += shapely.union_all(circles).intersection(area.polygon).area if circles else 0.0
        row.sensors += len(answered)
        row.blind += _rings(area.polygon.difference(seen))
        progress(done + 1, len(areas))
    return list(rows.values())


def sight(floor: shapely.Geometry, eye: Eye) -> shapely.Geometry:
    """What a camera sees of a floor: rays to the first edge, at every degree and past every corner."""
    at = np.array(eye.at)
    if not shapely.intersects_xy(floor, *at):
        near = shapely.get_coordinates(shapely.shortest_line(floor, shapely.Point(at)))[0]
        inner = floor.representative_point()
        at = near + (np.array([inner.x, inner.y]) - near) * 1e-3
    window = shapely.box(at[0] - eye.range_m, at[1] - eye.range_m, at[0] + eye.range_m, at[1] + eye.range_m)
    near_floor = floor.intersection(window)
    angles = _angles(near_floor, at)
    reach = _distances(near_floor, at, angles, eye.range_m)
    if eye.fov_deg >= 360:
        ring = at + np.column_stack([np.cos(angles), np.sin(angles)]) * reach[:, None]
        return _sound(shapely.Polygon(ring)).intersection(near_floor)
    middle = math.radians(90.0 - eye.heading_deg) if math.isfinite(eye.heading_deg) else float(angles[np.argmax(reach)])
    half = math.radians(eye.fov_deg) / 2
    turn = (angles - middle + math.pi) % (2 * math.pi) - math.pi
    turn = np.sort(np.concatenate([turn[np.abs(turn) < half], [-half, half]]))
    directions = middle + turn
    reach = _distances(near_floor, at, directions, eye.range_m)
    ring = at + np.column_stack([np.cos(directions), np.sin(directions)]) * reach[:, None]
    return _sound(shapely.Polygon(np.vstack([at, ring]))).intersection(near_floor)


def _angles(floor: shapely.Geometry, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions (radians, rising): every degree, and just beside every corner."""
    corners = np.unique(shapely.get_coordinates(floor), axis=0) - at
    to_corner = np.arctan2(corners[:, 1], corners[:, 0])
    even = np.radians(np.arange(-180.0, 180.0, STEP_DEG))
    return np.unique(np.concatenate([even, to_corner - 1e-5, to_corner, to_corner + 1e-5]))


def _distances(floor: shapely.Geometry, at: NDArray[np.float64], angles: NDArray[np.float64],
               farthest: float) -> NDArray[np.float64]:
    """How far each ray runs before the first edge of the floor, at most `farthest` (m)."""
    edges = _edges(floor)
    if not len(edges):
        return np.zeros(len(angles))
    start, along = edges[:, 0] - at, edges[:, 1] - edges[:, 0]
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    cross = cos * along[:, 1] - sin * along[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (start[:, 0] * along[:, 1] - start[:, 1] * along[:, 0]) / cross
        u = (start[:, 0] * sin - start[:, 1] * cos) / cross
    hit = (np.abs(cross) > 1e-12) & (t > 1e-6) & (u >= -1e-9) & (u <= 1 + 1e-9)
    return np.minimum(np.where(hit, t, np.inf).min(axis=1), farthest)


def _edges(floor: shapely.Geometry) -> NDArray[np.float64]:
    """f64 (n, 2, 2): every edge of every ring."""
    found = []
    for part in _parts(floor):
        for ring in (part.exterior, *part.interiors):
            xy = shapely.get_coordinates(ring)
            found.append(np.stack([xy[:-1], xy[1:]], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 2, 2))


def _parts(shape: shapely.Geometry) -> list[shapely.Polygon]:
    return [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon" and not part.is_empty]


def _sound(polygon: shapely.Geometry) -> shapely.Geometry:
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def _rings(blind: shapely.Geometry) -> list[list[list[tuple[float, float]]]]:
    """Outer ring and holes of every piece worth showing, to the centimetre."""
    tidy = blind.buffer(-0.05).buffer(0.05, join_style="mitre").simplify(0.05)
    return [[[(round(x, 2), round(y, 2)) for x, y in ring.coords[:-1]] for ring in (part.exterior, *part.interiors)]
            for part in _parts(tidy) if part.area >= LEAST_BLIND_M2]
