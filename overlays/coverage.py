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

import shapely

from twin.sight import Area, Eye, parts_of, sight

METHOD = "2"
#: Blind pieces smaller than this (m²) are corners of the drawing, not places.
LEAST_BLIND_M2 = 1.0


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


def _rings(blind: shapely.Geometry) -> list[list[list[tuple[float, float]]]]:
    """Outer ring and holes of every piece worth showing, to the centimetre."""
    tidy = blind.buffer(-0.05).buffer(0.05, join_style="mitre").simplify(0.05)
    return [[[(round(x, 2), round(y, 2)) for x, y in ring.coords[:-1]] for ring in (part.exterior, *part.interiors)]
            for part in parts_of(tidy) if part.area >= LEAST_BLIND_M2]
