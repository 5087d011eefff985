"""Where and when: overlays of past hours."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from ioc.access.person import require
from ioc.services import Services


def router(services: Services) -> APIRouter:
    """Routes over history by place and hour."""
    routes = APIRouter(tags=["spatial"])
    clock = services.runner.core.clock

    @routes.get("/overlays")
    def channels() -> dict[str, Any]:
        """Every channel there is, and whether it can be asked by the hour."""
        return {"overlays": [{"channel": channel, "name": o.name, "name_zh": o.name_zh, "unit": o.unit,
                              "breaks": list(o.breaks), "by_hour": services.painters.hours.has(channel)}
                             for channel, o in sorted(services.painters.paintings.items())]}

    @routes.get("/overlays/{channel}/at")
    async def at(channel: int, time_ms: float, midnight_ms: float | None = None,
                 estimates: bool = Query(False)) -> dict[str, Any]:
        """A channel over the hour that holds an instant: a value a node, null where nothing is known.

        `midnight_ms` begins the asker's day (default: the server's); a day is read once.
        """
        require("viewer", "reading the history")
        start = time_ms / 1000.0
        midnight = services.painters.midnight(start) if midnight_ms is None else midnight_ms / 1000.0
        found = await run_in_threadpool(services.painters.hours.paint, channel, start, midnight=midnight, now=clock.now(),
                                        estimates=estimates)
        shown = services.painters.paintings[channel]
        return {"channel": channel, "name": shown.name, "name_zh": shown.name_zh, "unit": shown.unit,
                "breaks": list(shown.breaks), "from_ms": found.start * 1000, "to_ms": found.end * 1000,
                "nodes": found.node.tolist(), "values": nullable(found.value, 3),
                "estimated": np.asarray(found.node)[found.is_estimate].tolist(),
                "energy_kwh": None if found.energy is None else nullable(found.energy, 3)}

    return routes


def nullable(values: NDArray[np.float64], digits: int) -> list[float | None]:
    """Numbers for JSON, rounded; null for unknown."""
    return [round(float(v), digits) if np.isfinite(v) else None for v in values]
