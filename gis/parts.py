"""Buildings drawn part by part (`building:part`, Simple 3D Buildings), each part with its own heights and roof."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.corners import tidy
from gis.lengths import number_of
from gis.mesh import polygons_of
from gis.model import Layer, Shell
from twin.finding import Finding

F64 = NDArray[np.float64]
Face = tuple[tuple[F64, ...], str]
#: A number (k,) for points (k, 2).
Of = Callable[[F64], F64]
LEVEL_M = 3.0  # what the scheme says a level is where nothing else does
_ROOF_M = {"flat": 0.0, "skillion": 2.0, "gabled": 3.0, "pyramidal": 3.0}
_ALIKE = {"cone": "pyramidal", "hipped": "pyramidal", "dome": "pyramidal", "saltbox": "gabled",
          "gambrel": "gabled", "round": "gabled"}


def with_parts(layer: Layer) -> Layer:
    """A layer of buildings whose parts have become the faces of the buildings they stand in.

    A part in no building is a building of its own. A building keeps its id, names and tags; where it has no height
    it gets that of its highest part.
    """
    is_part = _said(layer, "building:part") & ~_said(layer, "building")
    if not is_part.any():
        return layer
    inside = np.flatnonzero(is_part)
    outlines = layer.geometry.copy()
    outlines[inside] = None
    home = _homes(layer.geometry[inside], outlines)
    alone = inside[home < 0]
    findings = [*layer.findings]
    if len(alone):
        findings.append(Finding("note", f"layer '{layer.id}': building parts that stand in no building are buildings "
                                        "of their own", layer.source, "map the building's outline round them", len(alone)))
    shells = list(layer.shells or (None,) * len(layer))
    height = layer.height_m.copy()
    for row in np.unique(home[home >= 0]).tolist():
        mine = inside[home == row].tolist()
        extents = [_extent(layer, k) for k in mine]
        faces: list[Face] = [((_ring(p.exterior, 0.0),), "ground") for p in polygons_of(layer.geometry[row])]
        faces += [face for k, extent in zip(mine, extents, strict=True) for face in _faces(layer, k, *extent)]
        shells[row] = Shell(tuple(rings for rings, _ in faces), tuple(role for _, role in faces), is_above_ground=True)
        height[row] = np.fmax(height[row], max(top for _, top in extents))
    whole = replace(layer, shells=tuple(shells), height_m=height, findings=tuple(findings))
    return whole.take(np.setdiff1d(np.arange(len(layer)), inside[home >= 0]))


def _said(layer: Layer, tag: str) -> NDArray[np.bool_]:
    """(n,) whether a tag says yes, or what."""
    values = layer.properties.get(tag)
    return np.zeros(len(layer), bool) if values is None else ~np.isin(values.astype(str), ("", "no"))


def _homes(parts: NDArray[np.object_], buildings: NDArray[np.object_]) -> NDArray[np.intp]:
    """(p,) the building (of n, None for what is none) that covers most of each part, −1 where none covers half."""
    home = np.full(len(parts), -1)
    part, building = shapely.STRtree(buildings).query(parts, predicate="intersects")
    shared = shapely.area(shapely.intersection(parts[part], buildings[building]))
    for k in np.argsort(shared, kind="stable").tolist():
        if shared[k] > 0.5 * shapely.area(parts[part[k]]):
            home[part[k]] = building[k]
    return home


def _tag(layer: Layer, row: int, *names: str) -> float:
    """The first number (metres) of several tags, NaN where there is none."""
    values = (number_of(str(layer.properties[n][row])) for n in names if n in layer.properties)
    return next((v for v in values if np.isfinite(v)), float("nan"))


def _extent(parts: Layer, row: int) -> tuple[float, float]:
    """Heights over the ground between which a part stands, metres."""
    low = _tag(parts, row, "min_height", "building:min_height")
    low = low if np.isfinite(low) else LEVEL_M * float(np.nan_to_num(_tag(parts, row, "building:min_level")))
    top = float(parts.height_m[row])
    if not np.isfinite(top):
        levels = _tag(parts, row, "building:levels", "levels")
        top = LEVEL_M * (levels if np.isfinite(levels) else 1.0) + float(np.nan_to_num(_tag(parts, row, "roof:height")))
        top = top if top > low else low + LEVEL_M
    return (low, top) if top > low else (max(top - LEVEL_M, 0.0), top)


def _faces(parts: Layer, row: int, low: float, top: float) -> list[Face]:
    """Walls, floor and roof of one part."""
    said = str(parts.properties["roof:shape"][row]).lower() if "roof:shape" in parts.properties else ""
    shape = _ALIKE.get(said, said if said in _ROOF_M else "flat")
    rise = _tag(parts, row, "roof:height")
    rise = min(rise if np.isfinite(rise) else _ROOF_M[shape], top - low)
    faces: list[Face] = []
    for polygon in tidy(np.array(polygons_of(parts.geometry[row]), dtype=object)):
        if low > 0.0:
            faces.append(((_ring(polygon.exterior, low)[::-1], *(_ring(r, low)[::-1] for r in polygon.interiors)), "under"))
        if shape == "pyramidal" and rise > 0.0 and not polygon.interiors and polygon.area > 0.9 * polygon.convex_hull.area:
            faces += _pyramid(polygon, low, top - rise, top)
        else:
            faces += _sloped(polygon, low, top, rise, shape)
    return faces


def _pyramid(polygon: shapely.Polygon, low: float, eaves: float, top: float) -> list[Face]:
    ring, middle = _ring(polygon.exterior, eaves), polygon.centroid
    tip = np.array([middle.x, middle.y, top])
    roof: list[Face] = [((np.array([a, b, tip]),), "roof") for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True)]
    return [*_walls(polygon.exterior, low, _level(eaves)), *roof]


def _sloped(polygon: shapely.Polygon, low: float, top: float, rise: float, shape: str) -> list[Face]:
    """A flat roof, one that leans, or two that lean on a ridge along the longer side."""
    box = np.asarray(shapely.get_coordinates(polygon.minimum_rotated_rectangle)) if rise > 0.0 else np.zeros((0, 2))
    if shape not in ("gabled", "skillion") or len(box) < 5:
        return [*(f for r in (polygon.exterior, *polygon.interiors) for f in _walls(r, low, _level(top))),
                _cap(polygon, _level(top))]
    sides = box[1:3] - box[:2]
    long = int(np.argmax(np.hypot(sides[:, 0], sides[:, 1])))
    across = sides[1 - long] / max(float(np.hypot(*sides[1 - long])), 1e-9)
    half, middle = float(np.hypot(*sides[1 - long])) / 2, box[:4].mean(axis=0)

    def off(xy: F64) -> F64:
        """Signed distance from the ridge."""
        return (xy - middle) @ across

    def height(xy: F64) -> F64:
        share = np.abs(off(xy)) / half if shape == "gabled" else (off(xy) + half) / (2 * half)
        return top - rise * np.clip(share, 0.0, 1.0)

    ring_cut = off if shape == "gabled" else None
    walls = [f for r in (polygon.exterior, *polygon.interiors) for f in _walls(r, low, height, ring_cut)]
    if shape == "skillion":
        return [*walls, _cap(polygon, height)]
    along, reach = np.array([-across[1], across[0]]), 4.0 * float(np.hypot(*sides[long])) + 4.0 * half
    halves = [shapely.Polygon([middle - along * reach, middle + along * reach, middle + along * reach + side * across * reach,
                               middle - along * reach + side * across * reach]) for side in (1.0, -1.0)]
    caps = [_cap(p, height) for side in halves for p in polygons_of(shapely.intersection(polygon, side)) if p.area > 0.01]
    return [*walls, *caps]


def _walls(ring: shapely.LinearRing, low: float, height: Of, cut: Of | None = None) -> list[Face]:
    """A wall an edge of a ring, up to `height(xy)`; broken where `cut(xy)` changes its sign."""
    xy = np.asarray(ring.coords)[:, :2]
    faces: list[Face] = []
    for a, b in itertools.pairwise(xy):
        line = np.array([a, b])
        if cut is not None:
            da, db = cut(line)
            if da * db < 0.0 and min(abs(da), abs(db)) > 0.01:
                line = np.array([a, a + (b - a) * da / (da - db), b])
        rim = np.column_stack([line, height(line)])[::-1]
        rim = rim[rim[:, 2] > low + 0.01]
        foot = np.array([[*a, low], [*b, low]])
        if len(rim):
            faces.append(((np.concatenate([foot, rim]),), "wall"))
    return faces


def _cap(polygon: shapely.Polygon, height: Of) -> Face:
    polygon = shapely.orient_polygons(polygon)
    rings = [np.asarray(r.coords)[:-1, :2] for r in (polygon.exterior, *polygon.interiors)]
    return tuple(np.column_stack([xy, height(xy)]) for xy in rings), "roof"


def _level(z: float) -> Of:
    return lambda xy: np.full(len(xy), z)


def _ring(ring: shapely.LinearRing, z: float) -> F64:
    xy = np.asarray(ring.coords)[:-1, :2]
    return np.column_stack([xy, np.full(len(xy), z)])
