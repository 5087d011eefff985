"""A scheme against its planning condition: each indicator with its limit, its verdict and where it is broken.

Areas are those of the park's projected grid, metres; shares are 0..1. Terms: GB/T 50280 (容积率 FAR, 建筑密度 density,
绿地率 green ratio, 建筑退线 setback, 限高 height limit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely

from gis.mesh import polygons_of
from scenes.schemes.file import Rules
from scenes.schemes.stack import Stack

Kind = Literal["site", "prism", "segment", "cells"]
_NEAR_M = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One place where a rule is broken.

    Args:
        at: point to fly to, park metres.
        rings: outlines (lists of [x, y]) of the offending part; between z0 and z1.
        segment: two points [[x, y, z], [x, y, z]] of a distance that is too short.
        cells: rows of the façade cells that are too dark.
        value, over: the figure there, and by how much it misses the limit (same unit as the indicator).
    """

    subject: str
    name: str
    name_zh: str
    kind: Kind
    at: tuple[float, float, float]
    value: float
    over: float
    z0: float = 0.0
    z1: float = 0.0
    rings: list[list[list[float]]] = field(default_factory=list)
    segment: list[list[float]] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    storeys: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One row of the table. `value` None: the scheme does not say; `limit` None: not ruled."""

    key: str
    unit: str
    value: float | None
    limit: float | None = None
    is_upper: bool = True
    breaches: list[Breach] = field(default_factory=list)
    total: int = 0
    failed: int = 0

    @property
    def passes(self) -> bool | None:
        """The verdict; None where there is nothing to judge."""
        if self.value is None or self.limit is None:
            return None
        return self.value <= self.limit + 1e-9 if self.is_upper else self.value >= self.limit - 1e-9


def indicators(stacks: Sequence[Stack], site: shapely.Polygon, greens: Sequence[shapely.Geometry], parking: int | None,
               rules: Rules) -> list[Indicator]:
    """Every indicator but sunlight, in the order of the table.

    Args:
        stacks: all buildings of the scheme; those that touch the site are judged.
        greens: lawns; what buildings cover does not count. None known: no green ratio.
    """
    here = [s for s in stacks if s.footprint().intersection(site).area > 1.0]
    covered = shapely.union_all([s.footprint().intersection(site) for s in here]) if here else shapely.Polygon()
    floors = sum(float(storey.outline.intersection(site).area) for s in here for storey in s.above())
    green = shapely.union_all([g.intersection(site) for g in greens]).difference(covered) if greens else shapely.Polygon()
    area, limit = site.area, rules.limits
    highest = max(here, key=lambda s: s.height, default=None)
    rows = [
        Indicator(key="site", unit="m²", value=area),
        _whole("gfa", "m²", floors, limit.get("gfa_max"), site),
        _whole("far", "", floors / area, limit.get("far_max"), site),
        _whole("density", "%", covered.area / area, limit.get("density_max"), site),
        _whole("green", "%", green.area / area if greens else None, limit.get("green_min"), site, is_upper=False),
        Indicator(key="height", unit="m", value=highest.height if highest else 0.0, limit=limit.get("height_max"),
                  breaches=_too_high(here, limit.get("height_max"))),
        _setback(here, site, limit.get("setback_min")),
        _spacing(here, stacks, limit.get("spacing_min")),
    ]
    if parking is not None or "parking_min" in limit:
        rows.append(_whole("parking", "", None if parking is None else float(parking), limit.get("parking_min"), site,
                           is_upper=False))
    return rows


def _whole(key: str, unit: str, value: float | None, limit: float | None, site: shapely.Polygon, *,
           is_upper: bool = True) -> Indicator:
    """A figure of the whole plot: where it fails, the plot is what is shown."""
    row = Indicator(key=key, unit=unit, value=value, limit=limit, is_upper=is_upper)
    if row.passes is not False or value is None or limit is None:
        return row
    middle = site.centroid
    row.breaches.append(Breach(subject="site", name="", name_zh="", kind="site", at=(middle.x, middle.y, 0.0), value=value,
                               over=abs(value - limit), rings=rings_of(site)))
    return row


def rings_of(shape: shapely.Geometry) -> list[list[list[float]]]:
    """Outer rings of an area as lists of [x, y], millimetres."""
    return [np.round(np.asarray(p.exterior.coords)[:-1, :2], 3).tolist() for p in polygons_of(shape)]


def _too_high(here: Sequence[Stack], limit: float | None) -> list[Breach]:
    if limit is None:
        return []
    found = []
    for stack in here:
        if stack.height <= limit + 1e-6:
            continue
        cap = stack.ground + limit
        over = [s for s in stack.storeys if s.z1 > cap + 1e-6]
        shape = shapely.union_all([s.outline for s in over])
        middle = shape.representative_point()
        numbers = [k + 1 for k, s in enumerate(stack.above()) if s in over]
        found.append(Breach(
            subject=stack.id, name=stack.name, name_zh=stack.name_zh, kind="prism", at=(middle.x, middle.y, stack.top),
            value=stack.height, over=stack.height - limit, z0=cap, z1=stack.top, rings=rings_of(shape),
            storeys=_span(numbers)))
    return found


def _setback(here: Sequence[Stack], site: shapely.Polygon, limit: float | None) -> Indicator:
    """Smallest distance from a building to the plot's line; 0 where it stands on or over it."""
    distance = {s.id: (site.exterior.distance(s.footprint()) if site.contains(s.footprint()) else 0.0) for s in here}
    found = []
    for stack in here:
        if limit is None or distance[stack.id] >= limit - 1e-6:
            continue
        shape = stack.footprint().difference(site.buffer(-limit, join_style="mitre"))
        foot, line = shapely.shortest_line(stack.footprint(), site.exterior).coords
        found.append(Breach(
            subject=stack.id, name=stack.name, name_zh=stack.name_zh, kind="prism", at=(foot[0], foot[1], stack.ground + 2.0),
            value=distance[stack.id], over=limit - distance[stack.id], z0=stack.ground, z1=stack.top, rings=rings_of(shape),
            segment=[[foot[0], foot[1], stack.ground + 0.4], [line[0], line[1], stack.ground + 0.4]]))
    return Indicator(key="setback", unit="m", value=min(distance.values(), default=None), limit=limit, is_upper=False,
                     breaches=found)


def _spacing(here: Sequence[Stack], stacks: Sequence[Stack], limit: float | None) -> Indicator:
    """Smallest distance between a building of the plot and any other near it."""
    best, found, seen = None, [], set()
    prints = {s.id: s.footprint() for s in stacks}
    plot = shapely.union_all([prints[s.id] for s in here])
    near = [s for s in stacks if prints[s.id].distance(plot) < _NEAR_M]
    for one in here:
        for other in near:
            pair = frozenset((one.id, other.id))
            if one is other or pair in seen or not (one.is_new or other.is_new):
                continue
            seen.add(pair)
            gap = prints[one.id].distance(prints[other.id])
            best = gap if best is None else min(best, gap)
            if limit is not None and gap < limit - 1e-6:
                a, b = shapely.shortest_line(prints[one.id], prints[other.id]).coords
                level = max(one.ground, other.ground) + 0.4
                found.append(Breach(
                    subject=one.id, name=f"{one.name} – {other.name}", name_zh=f"{one.name_zh} – {other.name_zh}",
                    kind="segment", at=((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, level), value=gap, over=limit - gap,
                    segment=[[a[0], a[1], level], [b[0], b[1], level]]))
    return Indicator(key="spacing", unit="m", value=best, limit=limit, is_upper=False, breaches=found)


def _span(numbers: list[int]) -> str:
    """Storeys as words: 27F–29F."""
    if not numbers:
        return ""
    return f"{numbers[0]}F" if len(numbers) == 1 else f"{numbers[0]}F–{numbers[-1]}F"


def dark_cells(stacks: Sequence[Stack], owner: Sequence[int], storey: Sequence[int], hours: Sequence[float],
               limit: float, rows: Sequence[int], at: Sequence[tuple[float, float, float]]) -> list[Breach]:
    """Cells under the limit, grouped by building, the darkest building first.

    Args:
        rows: the cells that are judged dark, indices into the others.
    """
    by_owner: dict[int, list[int]] = {}
    for row in rows:
        by_owner.setdefault(owner[row], []).append(row)
    found = []
    for index, cells in by_owner.items():
        stack, worst = stacks[index], min(cells, key=lambda k: hours[k])
        first = next((k for k, s in enumerate(stack.storeys) if (s.z0 + s.z1) / 2 > stack.ground), 0)
        numbers = sorted({storey[k] - first + 1 for k in cells})
        found.append(Breach(
            subject=stack.id, name=stack.name, name_zh=stack.name_zh, kind="cells", at=at[worst], value=hours[worst],
            over=limit - hours[worst], cells=list(cells), storeys=_span(numbers)))
    return sorted(found, key=lambda b: b.value)
