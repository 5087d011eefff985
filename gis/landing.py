"""A layer in the wrong coordinate system is known by where it lands: away from the rest of the park.

Everything a park is made of votes for a place with where it lies. What lies elsewhere is tried in every coordinate
system it may have been meant in; one that brings it among the rest is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Proj
from pyproj.exceptions import ProjError

from gis.crs import PARK, datum_name, lonlat_of, map_from_park_xy, park_from_map_xy
from gis.ground import strips
from gis.model import Layer
from twin.finding import Finding

F64 = NDArray[np.float64]
REACH_M = 2_000.0  # things this near to one another are one park
FAR_ORIGIN_M = 20_000.0
WIDEST_PARK_M, CROWD_M = 200_000.0, 10_000.0  # what is wider holds several places: the park is where most of it is
AMONG = 0.8  # a coordinate system that brings this share of a layer among the rest may be the one meant
BETTER = 0.25  # how much more of a layer another web-map datum must bring in before the declared one is doubted
_SAMPLE = 400
_CHINA = (72.0, 17.0, 138.0, 55.0)
_WEB_DATUMS = ("EPSG:4326", "GCJ-02", "BD-09")
_ORDER = ("", ' and axes = "yx"')


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The park's own frame: projected CRS and the map metres taken off it."""

    crs: str
    origin: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One thing that votes.

    Args:
        points: (n, 2) park metres. weight: of its vote. crs: what it was read in.
        raw: (k, 2) points as its source has them.
    """

    id: str
    points: F64
    weight: float
    crs: str = ""
    raw: F64 = field(default_factory=lambda: np.zeros((0, 2)))

    def box(self) -> F64:
        """(4,) where most of it lies, single points far away left aside."""
        low, high = (np.percentile(self.points, q, axis=0, method="nearest") for q in (8, 92))
        if (high - low).max() > WIDEST_PARK_M:
            crowd = _crowd(self.points)
            low, high = crowd.min(0), crowd.max(0)
        more = (high - low) * 0.2
        return np.concatenate([low - more, high + more])


@dataclass(frozen=True, slots=True, eq=False)
class Landed:
    """The layers that lie in the park, what was said of the rest, and whether the terrain lies under it.

    `away`: ids of backgrounds that lie elsewhere.
    """

    layers: tuple[Layer, ...]
    findings: tuple[Finding, ...]
    is_ground_here: bool = True
    away: frozenset[str] = frozenset()


def land(layers: Sequence[Layer], frame: Frame, buildings: Sequence[tuple[str, F64]] = (),
         terrain: tuple[str, F64, str] | None = None, backgrounds: Sequence[Item] = ()) -> Landed:
    """Leave out what lies outside the park and say why.

    Args:
        backgrounds: scans and reality meshes, by points of theirs.
        buildings: id and points (n, 2) in park metres of every building that has its place.
        terrain: id, corner points (n, 2) in park metres and the crs of the height raster, where there is one.
    """
    items = [Item(i, points, 2.0) for i, points in buildings if len(points)]
    items += [item for layer in layers if len(layer) and np.isfinite((item := _item(layer)).points).all()]
    items += backgrounds
    if not items:
        return Landed(tuple(layers), ())
    core, main = _core(items)
    findings = list(_about_the_frame(core, frame))
    kept = []
    for layer in layers:
        if not len(layer) or layer.id in main:
            kept.append(_without_strays(layer, core, findings))
        else:
            findings.append(_stray(_item(layer), core, frame))
    away = frozenset(item.id for item in backgrounds if item.id not in main)
    findings += [_stray(item, core, frame) for item in backgrounds if item.id in away]
    is_ground_here = True
    if terrain is not None and not _touch(_box_of(terrain[1]), _grown(core, REACH_M)):
        is_ground_here = False
        findings.append(_stray(Item(terrain[0], terrain[1], 0.0, terrain[2]), core, frame))
    findings += [f for layer in kept for f in _shifted(layer, kept, buildings, frame)]
    return Landed(tuple(kept), tuple(findings), is_ground_here, away)


def likely_crs(sample: F64, layers: Sequence[Layer], frame: Frame, buildings: Sequence[tuple[str, F64]] = ()) -> str:
    """What to write in park.toml for a source without a coordinate system, from where the rest lies; "" for no idea."""
    items = [Item(i, points, 2.0) for i, points in buildings if len(points)]
    items += [_item(layer) for layer in layers if len(layer)]
    if not items or not len(sample):
        return ""
    found = _candidates(_thin(sample), _core(items)[0], frame)
    return _or([f'crs = "{name}"{order}' for name, order, _ in found])


def _item(layer: Layer) -> Item:
    return Item(layer.id, _thin(shapely.get_coordinates(shapely.centroid(layer.geometry))),
                2.0 if layer.kind == "boundary" else 1.0, layer.crs, layer.raw)


def _thin(points: F64) -> F64:
    return points[np.linspace(0, len(points) - 1, min(len(points), _SAMPLE)).astype(int)]


def _crowd(points: F64) -> F64:
    """Those in the square of `CROWD_M` that holds most of them, and in the squares round it."""
    square = np.floor(points / CROWD_M)
    places, count = np.unique(square, axis=0, return_counts=True)
    return points[(np.abs(square - places[count.argmax()]) <= 1).all(axis=1)]


def _core(items: list[Item]) -> tuple[F64, set[str]]:
    """The box (4,) of the heaviest group of things that lie together, and who is in it; the origin breaks a tie."""
    boxes = np.array([item.box() for item in items])
    grown = np.array([_grown(box, REACH_M / 2) for box in boxes])
    group = list(range(len(items)))
    for a in range(len(items)):
        for b in range(a):
            if group[a] != group[b] and _touch(grown[a], grown[b]):
                old = group[a]
                group = [group[b] if g == old else g for g in group]
    weight: dict[int, float] = {}
    for k, item in enumerate(items):
        weight[group[k]] = weight.get(group[k], 0.0) + item.weight + (0.1 if _touch(grown[k], np.zeros(4)) else 0.0)
    best = max(weight, key=lambda g: weight[g])
    rows = [k for k, g in enumerate(group) if g == best]
    return np.concatenate([boxes[rows, :2].min(0), boxes[rows, 2:].max(0)]), {items[k].id for k in rows}


def _box_of(points: F64) -> F64:
    return np.concatenate([points.min(0), points.max(0)])


def _grown(box: F64, by_m: float) -> F64:
    return box + np.array([-by_m, -by_m, by_m, by_m])


def _touch(one: F64, other: F64) -> bool:
    return bool((one[:2] <= other[2:]).all() and (other[:2] <= one[2:]).all())


def _share_in(points: F64, box: F64) -> float:
    inside = (points >= box[:2]).all(axis=1) & (points <= box[2:]).all(axis=1)
    return float(inside.mean())


def _stray(item: Item, core: F64, frame: Frame) -> Finding:
    middle, here = (core[:2] + core[2:]) / 2, np.median(item.points, axis=0)
    away = float(np.hypot(*(here - middle)))
    distance = "nowhere near" if not np.isfinite(away) else f"{away / 1000:,.0f} km" if away >= 2_000 else f"{away:,.0f} m"
    what = f"layer '{item.id}' lands {distance} from the rest of the park and is left out".replace("near from", "near")
    with np.errstate(all="ignore"):
        raw = item.raw if len(item.raw) else map_from_park_xy(item.points, item.crs, frame.crs, frame.origin)
    found = _candidates(raw, core, frame, without=item.crs) if np.isfinite(raw).all() else []
    if not found:
        return Finding("error", what, item.crs, "correct its crs, or the park's crs and origin; "
                                                "no usual coordinate system brings it here")
    return Finding("error", f"{what}; read as {_or([n + o.replace(' and ', ' with ') for n, o, _ in found])} "
                            f"{found[0][2]:.0%} of it lies among the rest", item.crs,
                   f"write {_or([f'crs = {chr(34)}{n}{chr(34)}{o}' for n, o, _ in found])} in the layer")


def _or(names: list[str]) -> str:
    return " or ".join(names[:3])


def _candidates(raw: F64, core: F64, frame: Frame, without: str = "") -> list[tuple[str, str, float]]:
    """(crs, order of axes, share among the rest) of every reading that brings raw coordinates in, best first."""
    span = float(np.hypot(*(core[2:] - core[:2])))
    around = _grown(core, max(200.0, 0.2 * span))
    found = []
    for rank, (name, is_swapped) in enumerate(_readings(raw, core, frame)):
        if name == without and not is_swapped:
            continue
        try:
            with np.errstate(all="ignore"):
                there = park_from_map_xy(raw[:, ::-1] if is_swapped else raw, name, frame.crs, frame.origin)
        except ProjError:
            continue
        share = _share_in(there, around) if np.isfinite(there).all() else 0.0
        if share >= AMONG:
            found.append((-round(share, 1), rank, name, _ORDER[is_swapped], share))
    found.sort()
    return [(name, order, share) for _, _, name, order, share in found if share >= found[0][4] - 0.1][:3]


def _readings(raw: F64, core: F64, frame: Frame) -> Iterator[tuple[str, bool]]:
    """Coordinate systems that raw coordinates may be in, the likelier first, and whether their axes are swapped."""
    x, y = (float(v) for v in np.median(raw, axis=0))
    if abs(x) <= 180 and abs(y) <= 180:
        names = list(_WEB_DATUMS)
        if abs(x) < 20_000 and abs(y) < 20_000:
            names.append(PARK)
    else:
        lon, lat = lonlat_of(np.array([(core[:2] + core[2:]) / 2]), frame.crs, frame.origin)[0]
        names = list(dict.fromkeys([frame.crs, PARK, *_chinese_grids(lon), *_utm(lon, lat), "EPSG:3857"]))
    yield from ((name, False) for name in names)
    yield from ((name, True) for name in names)


def _chinese_grids(lon: float) -> list[str]:
    """CGCS2000 grids whose strip lies near a longitude: three and six degrees wide, without and with zone number."""
    if not _CHINA[0] <= lon <= _CHINA[2]:
        return []
    narrow = round((lon - 75) / 3)
    wide = round((lon - 75) / 6)
    near = [k for k in (narrow, narrow - 1, narrow + 1) if 0 <= k <= 20]
    wider = [k for k in (wide, wide - 1, wide + 1) if 0 <= k <= 10]
    return [f"EPSG:{base + k}" for base in (4534, 4513) for k in near] + [
        f"EPSG:{base + k}" for base in (4502, 4491) for k in wider]


def _utm(lon: float, lat: float) -> list[str]:
    zone = int((lon + 180) // 6) + 1
    return [f"EPSG:{(32600 if lat >= 0 else 32700) + (z - 1) % 60 + 1}" for z in (zone, zone - 1, zone + 1)]


def _without_strays(layer: Layer, core: F64, findings: list[Finding]) -> Layer:
    """A layer without single features far outside the park (forgotten zeros, mistyped digits)."""
    if not len(layer):
        return layer
    reach = max(5_000.0, 3.0 * float(np.hypot(*(core[2:] - core[:2]))))
    box, bounds = _grown(core, reach), shapely.bounds(layer.geometry)
    stray = (bounds[:, :2] > box[2:]).any(axis=1) | (bounds[:, 2:] < box[:2]).any(axis=1)
    if stray.any():
        ids = ", ".join(str(i) for i in layer.ids[stray][:5]) + (", …" if stray.sum() > 5 else "")
        findings.append(Finding("warning", f"layer '{layer.id}': features more than {reach / 1000:.0f} km outside the park "
                                           "left out", f"{layer.source}: {ids}", "correct their coordinates",
                                int(stray.sum())))
    return layer.take(~stray)


def _shifted(layer: Layer, layers: Sequence[Layer], buildings: Sequence[tuple[str, F64]], frame: Frame,
             ) -> Iterator[Finding]:
    """A layer of degrees that fits the rest better as another web-map datum: some hundred metres off in China."""
    name = datum_name(layer.crs) or layer.crs
    if len(layer) < 3 or name not in (*_WEB_DATUMS, "EPSG:4490") or layer.kind == "terrain":
        return
    lon, lat = lonlat_of(np.median(_item(layer).points, axis=0)[None], frame.crs, frame.origin)[0]
    others = [other for other in layers if other.id != layer.id and other.crs != layer.crs and len(other)]
    if not (_CHINA[0] <= lon <= _CHINA[2] and _CHINA[1] <= lat <= _CHINA[3]) or not (others or buildings):
        return
    fit = _Fit(others, buildings)
    raw = map_from_park_xy(_item(layer).points, layer.crs, frame.crs, frame.origin)
    score = {other: fit.of(layer, park_from_map_xy(raw, other, frame.crs, frame.origin)) for other in _WEB_DATUMS}
    now = score["EPSG:4326" if name == "EPSG:4490" else name]
    best = max(score, key=lambda k: score[k])
    if score[best] > now + BETTER:
        off = np.median(park_from_map_xy(raw, best, frame.crs, frame.origin) - _item(layer).points, axis=0)
        yield Finding("warning", f"layer '{layer.id}' lies {np.hypot(*off):,.0f} m off: as {best} it would fit the rest of "
                                 f"the park, as {layer.crs} it does not", layer.source, f'write crs = "{best}" in the layer')


class _Fit:
    """How well points lie among things that are placed already: within their reach, and not on their roads."""

    def __init__(self, others: Sequence[Layer], buildings: Sequence[tuple[str, F64]]) -> None:
        site = [g for other in others if other.kind == "boundary" for g in other.geometry]
        boxes = [np.array(other.bounds()) for other in others]
        boxes += [_box_of(points) for _, points in buildings if len(points)]
        table = np.array(boxes)
        whole = _grown(np.concatenate([table[:, :2].min(0), table[:, 2:].max(0)]), 20.0)
        self.site = shapely.union_all(site) if site else shapely.box(*whole)
        shapely.prepare(self.site)
        roads = [strips(other) for other in others if other.kind in ("roads", "water")]
        self.roads = shapely.STRtree(np.concatenate(roads)) if roads else None

    def of(self, layer: Layer, points: F64) -> float:
        """Share of points inside, less the share on roads and water for what cannot stand there."""
        spots = shapely.points(points)
        inside = float(shapely.intersects(self.site, spots).mean())
        if self.roads is None or layer.kind not in ("buildings", "trees", "lamps"):
            return inside
        hit = np.unique(self.roads.query(spots, predicate="intersects")[0])
        return inside - len(hit) / len(spots)


def _about_the_frame(core: F64, frame: Frame) -> Iterator[Finding]:
    """Whether the park's own origin and CRS belong to the place everything lies in."""
    middle = (core[:2] + core[2:]) / 2
    away = float(np.hypot(*middle))
    if away > FAR_ORIGIN_M:
        x, y = (round(float(v), -1) for v in middle + np.array(frame.origin[:2]))
        yield Finding("warning", f"everything lies {away / 1000:,.0f} km from the park's origin", "park.toml",
                      f"write origin = [{x:.1f}, {y:.1f}, {frame.origin[2]:.1f}]")
    crs = CRS.from_user_input(frame.crs)
    lon, lat = (float(v) for v in lonlat_of(middle[None], frame.crs, frame.origin)[0])
    area = crs.area_of_use
    if area is None or not np.isfinite([lon, lat]).all() or (
            area.west - 0.5 <= lon <= area.east + 0.5 and area.south - 0.5 <= lat <= area.north + 0.5):
        return
    is_chinese = _CHINA[0] <= lon <= _CHINA[2] and _CHINA[1] <= lat <= _CHINA[3]
    better = (_chinese_grids(lon) if is_chinese else _utm(lon, lat))[0]
    stretch_m = abs(float(Proj(crs).get_factors(lon, lat).meridional_scale) - 1.0) * 1000.0
    yield Finding("warning", f"the park's crs {frame.crs} ({crs.name}) is made for {area.west:.1f}° to {area.east:.1f}° "
                             f"east, the park lies at {lon:.2f}°: lengths are off by {stretch_m:.1f} m a km",
                  "park.toml", f'use crs = "{better}" and the origin in it, unless the models were drawn in this one')


def with_likely_crs(finding: Finding, likely: str) -> Finding:
    """A finding about a missing coordinate system whose mend names the likely one."""
    return replace(finding, mend=f"write {likely} in the layer: read so, it lies among the rest") if likely else finding
