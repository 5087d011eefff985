"""What a camera sees of the floor it looks at, from above: rays to the first wall. Park frame, metres.

A camera sees its own room (doors count as shut, furniture and height are left out) or, outdoors, the site between buildings;
out to its range, within its field of view about its heading, or, where that is unknown, about its longest line of sight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.fences import Outline
from twin.graph import SceneGraph
from twin.registry import PointTable

STEP_DEG = 1.0
OUTDOORS = 1  # the park's own node stands for the site between buildings


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
    for part in parts_of(floor):
        for ring in (part.exterior, *part.interiors):
            xy = shapely.get_coordinates(ring)
            found.append(np.stack([xy[:-1], xy[1:]], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 2, 2))


def parts_of(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons of a shape, empty ones aside."""
    return [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon" and not part.is_empty]


def _sound(polygon: shapely.Geometry) -> shapely.Geometry:
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def areas_of(graph: SceneGraph, spaces: Sequence[dict[str, Any]], site: shapely.Geometry, outline: Outline) -> list[Area]:
    """Every room (`spaces`: i, parent, z0, ring), and last the site without its buildings."""
    kind, node_id = graph.columns["kind"], graph.columns["id"]
    areas = [Area(node=s["i"], storey=s["parent"], polygon=_valid(shapely.Polygon(s["ring"])), z=s["z0"]) for s in spaces]
    blocks = [found[0] for i in np.flatnonzero(kind == "building") if (found := outline(str(node_id[i]))) is not None]
    outdoors = site.difference(shapely.union_all(blocks)) if blocks else site
    return [*areas, Area(node=OUTDOORS, storey=0, polygon=outdoors, z=0.0)]


def eyes_of(graph: SceneGraph, points: PointTable, known: set[int]) -> dict[int, Eye]:
    """Node → eye of every camera (kinds with optics) that hangs in one of the areas known, in registry order."""
    eyes: dict[int, Eye] = {}
    for k, device in enumerate(points.devices):
        optics, index = points.kind[k].optics, graph.index(device.id)
        if optics is None or not index:
            continue
        area, at = area_of(graph, index, known), graph.columns["anchor"][index][:2]
        if area and np.isfinite(at).all():
            eyes[index] = Eye(area=area, at=(float(at[0]), float(at[1])), range_m=optics.range_m, fov_deg=optics.fov_deg,
                              heading_deg=device.heading)
    return eyes


def area_of(graph: SceneGraph, index: int, known: set[int]) -> int:
    """The room a thing is in; the site outdoors; 0 for one that is on a storey but in no room known."""
    here = index
    while here:
        if here in known and graph.columns["kind"][here] == "space":
            return here
        if graph.columns["kind"][here] in ("storey", "building"):
            return 0
        here = int(graph.parent[here])
    return OUTDOORS


def _valid(polygon: shapely.Geometry) -> shapely.Geometry:
    return polygon if polygon.is_valid else polygon.buffer(0)
