"""Energy and water: the meter tree with its losses, use of any place or tenant, ranking a m², what was to be expected."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from ioc.access.person import require
from ioc.energy_desk import EnergyDesk
from ioc.http.refusal import Refusal
from ioc.http.spatial import nullable
from ioc.services import Services
from twin.energy.hours import HOUR_SECS
from twin.energy.spec import NAMES, UNIT
from twin.pack_spec import Medium

Time = Annotated[float, Query(ge=0)]
LONGEST_DAYS = 400


def router(services: Services) -> APIRouter:
    """Routes over the meters of the park."""
    routes = APIRouter(prefix="/energy", tags=["energy"])
    desk, clock = services.energy, services.runner.core.clock

    @routes.get("")
    async def overview() -> dict[str, Any]:
        """Media that are metered, tenants, limits, and what of the declarations does not hold together."""
        require("viewer", "reading the meters")
        had, needed = await run_in_threadpool(desk.learned_days, clock.now())
        return {"media": [{"key": m, "name": NAMES[m][0], "name_zh": NAMES[m][1], "unit": UNIT[m]}
                          for m in desk.accounts.media()],
                "tenants": [{"id": t.id, "name": t.name, "name_zh": t.name_zh, "places": list(t.places)}
                            for t, _ in desk.accounts.tenants.values()],
                "limits": [{"id": x.id, "place": x.place, "medium": x.medium, "demand": x.demand, "day": x.day,
                            "month": x.month} for x in desk.spec.limits],
                "days": had, "days_needed": needed,
                "findings": [{"level": f.level, "what": f.what, "where": f.where, "mend": f.mend} for f in desk.findings]}

    @routes.get("/tree")
    async def tree(medium: Medium, from_ms: Time, to_ms: Time) -> dict[str, Any]:
        """Every supply of a medium, parents first, with what it used, what is below it, and the difference."""
        require("viewer", "reading the meters")
        start, end = _span(from_ms, to_ms)
        rows = await run_in_threadpool(desk.losses, medium, start, end, clock.now())
        return {"medium": medium, "unit": UNIT[medium], "from_ms": start * 1000, "to_ms": end * 1000, "supplies": rows}

    @routes.get("/use")
    async def use(place: str, medium: Medium, from_ms: Time, to_ms: Time,
                  step: Literal["hour", "day"] = "hour") -> dict[str, Any]:
        """A place's (or tenant's) use by the hour or by 24 hours from `from_ms`; `whole`: every meter was heard;
        `made`: what was made there (PV)."""
        require("viewer", "reading the meters")
        start, end = _span(from_ms, to_ms)
        return await run_in_threadpool(_use, desk, place, medium, start, end, clock.now(), step)

    @routes.get("/ranking")
    async def ranking(medium: Medium, from_ms: Time, to_ms: Time,
                      scope: Literal["building", "storey", "space", "zone", "tenant"] = "building") -> dict[str, Any]:
        """Places by use a m²."""
        require("viewer", "reading the meters")
        start, end = _span(from_ms, to_ms)
        rows = await run_in_threadpool(desk.ranking, medium, scope, start, end, clock.now())
        return {"medium": medium, "unit": UNIT[medium], "from_ms": start * 1000, "to_ms": end * 1000, "rows": rows}

    @routes.get("/expected")
    async def expected(place: str, medium: Medium, time_ms: Time) -> dict[str, Any]:
        """What was expected from that day's midnight on, a week; `expected` null while too little is on record."""
        require("viewer", "reading the meters")
        found = await run_in_threadpool(desk.expected, place, medium, time_ms / 1000)
        if found is None:
            return {"place": place, "medium": medium, "unit": UNIT[medium], "expected": None}
        return {"place": place, "medium": medium, "unit": UNIT[medium], "start_ms": found.start * 1000, "usual": found.usual,
                "expected": found.expected, "low": found.low, "high": found.high, "error": found.error,
                "naive_error": found.naive_error, "learned_hours": found.learned_hours, "method": found.method}

    return routes


def _span(from_ms: float, to_ms: float) -> tuple[float, float]:
    """Whole hours around a span, in seconds."""
    start, end = from_ms / 1000 // HOUR_SECS * HOUR_SECS, -(-to_ms / 1000 // HOUR_SECS) * HOUR_SECS
    if not start < end <= start + LONGEST_DAYS * 86_400:
        raise Refusal(422, f"the span is empty or longer than {LONGEST_DAYS} days", "energy.span", n=LONGEST_DAYS)
    return start, end


def _use(desk: EnergyDesk, place: str, medium: str, start: float, end: float, now: float, step: str) -> dict[str, Any]:
    account = desk.account(place, medium)
    used, whole = desk.use(account, start, end, now)
    made, _ = desk.use(desk.sources(place, medium), start, end, now)
    edges = np.arange(0, len(used), 1 if step == "hour" else 24)
    return {"place": place, "medium": medium, "unit": UNIT[medium], "how": account.how,
            "area": account.area if account.area > 0 else None, "t": ((start + edges * HOUR_SECS) * 1000).tolist(),
            "use": _stepped(used, edges), "made": _stepped(made, edges),
            "whole": np.minimum.reduceat(whole, edges).tolist()}


def _stepped(hours: NDArray[np.float64], edges: NDArray[np.int64]) -> list[float | None]:
    """Sums from edge to edge of what is known; null where nothing is."""
    known = np.isfinite(hours)
    total = np.add.reduceat(np.where(known, hours, 0.0), edges)
    return nullable(np.where(np.logical_or.reduceat(known, edges), total, np.nan), 3)
