"""Sunlight of a scheme on one day: hours at every façade cell before and after, and the two rows it is judged by.

The condition's limit holds on the day it names; on any other day the hours are shown and not judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.bake import Occluders
from scenes.schemes.file import Rules
from scenes.schemes.rules import Breach, Indicator, dark_cells
from scenes.schemes.stack import Stack
from scenes.schemes.sunlight import YEAR, Cells, Sky, facade_cells, is_front, occluders, sun_hours

NEIGHBOURS_M = 150.0
OCCLUDERS_M = 900.0
#: How far outside its rooms a wall is looked for.
WALL_REACH_M = 1.2
F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SunStudy:
    """One day over one scheme.

    Args:
        after, before: (n,) hours of sun; before is NaN at buildings that were not there.
        front: (n,) cells the rule is read at.
        limit: hours the rule asks for; None on a day it does not speak of.
    """

    stacks: Sequence[Stack]
    cells: Cells
    after: F64
    before: F64
    front: Bools
    sky: Sky
    hours: tuple[float, float]
    sill_m: float
    limit: float | None
    is_rule_day: bool


def study(stacks: Sequence[Stack], before: Sequence[Stack], site: shapely.Polygon, rules: Rules, sky: Sky,
          progress: Callable[[str, float], None]) -> SunStudy:
    """Hours of sun at the scheme's own façades and at those within 150 m of the plot.

    Args:
        stacks, before: every building with the scheme and without it.
        sky: its day is the day of the study.
    """
    hours = rules.hours_on(sky.month_day)

    def is_near(stack: Stack) -> bool:
        return stack.is_new or site.distance(stack.storeys[0].outline) < NEIGHBOURS_M

    cells = _on_walls(facade_cells(stacks, rules.sill_m, is_near), stacks)
    after = sun_hours(cells, occluders(_within(stacks, site)), sky, hours)
    progress("sunlight", 0.75)
    old = ~_of(cells, stacks, lambda s: s.is_new)
    was = np.full(len(cells), np.nan)
    was[old] = sun_hours(_take(cells, old), occluders(_within(before, site)), sky, hours)
    is_rule_day = sky.month_day == rules.month_day
    return SunStudy(stacks=stacks, cells=cells, after=after, before=was, sky=sky, hours=hours, sill_m=rules.sill_m,
                    front=is_front(cells, sky.convergence_deg, sky.latitude), is_rule_day=is_rule_day,
                    limit=rules.limits.get("sunlight_min") if is_rule_day else None)


def sun_rows(found: SunStudy) -> list[Indicator]:
    """Two rows: the scheme's own dwellings, and neighbours that lose the rule because of it."""
    is_new = _of(found.cells, found.stacks, lambda s: s.is_new)
    own = found.front & is_new & _of(found.cells, found.stacks, lambda s: s.is_dwelling)
    others, limit = found.front & ~is_new, found.limit
    dark = own & (found.after < (limit or 0.0) - 1e-6)
    lost = others & (found.before >= (limit or 0.0) - 1e-6) & (found.after < (limit or 0.0) - 1e-6)
    least = float(found.after[own].min()) if own.any() else None
    return [Indicator(key="sun_own", unit="h", value=least, limit=limit, is_upper=False, breaches=_breaches(found, dark),
                      total=int(own.sum()), failed=int(dark.sum())),
            Indicator(key="sun_lost", unit="cells", value=None if limit is None else float(lost.sum()),
                      limit=None if limit is None else 0.0, breaches=_breaches(found, lost), total=int(others.sum()),
                      failed=int(lost.sum()))]


def _breaches(found: SunStudy, rows: Bools) -> list[Breach]:
    if found.limit is None:
        return []
    spots = [(float(x), float(y), float(z)) for x, y, z in found.cells.sill]
    return dark_cells(found.stacks, found.cells.stack.tolist(), found.cells.storey.tolist(), found.after.tolist(),
                      found.limit, np.flatnonzero(rows).tolist(), spots)


def sun_document(found: SunStudy) -> dict[str, Any]:
    """The study as JSON: day, path of the sun every quarter of an hour, and the cells column by column."""
    sky, cells = found.sky, found.cells
    times = np.linspace(*found.hours, round((found.hours[1] - found.hours[0]) * 4) + 1)
    return {
        "date": f"{YEAR}-{sky.month_day[0]:02d}-{sky.month_day[1]:02d}", "rule_day": found.is_rule_day,
        "hours": list(found.hours), "sill": found.sill_m,
        "noon_utc": round(sky.noon_utc_hours(), 5), "limit": found.limit,
        "latitude": sky.latitude, "longitude": sky.longitude, "convergence": round(sky.convergence_deg, 4),
        "path": [[round(float(t), 4), *np.round(s, 5).tolist()] for t, s in zip(times, sky.sun(times), strict=True)],
        "stacks": [s.id for s in found.stacks], "names": [s.name for s in found.stacks],
        "names_zh": [s.name_zh for s in found.stacks], "stack": cells.stack.tolist(),
        "a": np.round(cells.a, 2).ravel().tolist(), "b": np.round(cells.b, 2).ravel().tolist(),
        "z0": np.round(cells.z0, 2).tolist(), "z1": np.round(cells.z1, 2).tolist(),
        "front": found.front.astype(int).tolist(), "hours_after": np.round(found.after, 3).tolist(),
        "hours_before": [None if np.isnan(h) else round(float(h), 3) for h in found.before]}


def _on_walls(cells: Cells, stacks: Sequence[Stack]) -> Cells:
    """Cells of modelled buildings moved out to the wall that is really there (rooms end inside of it)."""
    out = np.zeros(len(cells))
    for index, stack in enumerate(stacks):
        rows = np.flatnonzero(cells.stack == index)
        if stack.model is None or not len(rows):
            continue
        body = Occluders(stack.model.position, stack.model.faces)
        outward = np.column_stack([cells.normal[rows], np.zeros(len(rows))])
        for along in (0.15, 0.5, 0.85):
            for high in (0.25, 0.5):
                foot = cells.a[rows] + along * (cells.b - cells.a)[rows]
                spot = np.column_stack([foot, (cells.z0 + high * (cells.z1 - cells.z0))[rows]])
                near = body.distance(spot + WALL_REACH_M * outward, -outward, 2 * WALL_REACH_M)
                out[rows] = np.maximum(out[rows], np.where(near < WALL_REACH_M, WALL_REACH_M - near, 0.0))
    move = cells.normal * out[:, None]
    sill = cells.sill + np.column_stack([move, np.zeros(len(cells))])
    return dataclasses.replace(cells, a=cells.a + move, b=cells.b + move, sill=sill)


def _of(cells: Cells, stacks: Sequence[Stack], wanted: Callable[[Stack], bool]) -> Bools:
    """Per cell whether its building is wanted."""
    return np.array([wanted(s) for s in stacks], bool)[cells.stack] if len(cells) else np.zeros(0, bool)


def _within(stacks: Sequence[Stack], site: shapely.Polygon) -> list[Stack]:
    return [s for s in stacks if site.distance(s.storeys[0].outline) < OCCLUDERS_M]


def _take(cells: Cells, rows: Bools) -> Cells:
    return Cells(*(getattr(cells, field.name)[rows] for field in dataclasses.fields(Cells)))
