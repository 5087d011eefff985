"""Coverage: how much of the floor is seen and reached, what stays blind, who is online, which alarms are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter

from ioc.access.person import require
from ioc.http.refusal import Refusal
from ioc.services import Services
from overlays.coverage import Row
from twin.wire import Quality

SUMMED = ("floor_m2", "seen_m2", "reached_m2", "cameras", "sensors", "assumed")


def router(services: Services) -> APIRouter:
    """Routes over the coverage of the park."""
    routes = APIRouter(tags=["spatial"])
    graph, job, points = services.graph, services.coverage, services.points
    kinds = {kind.id: kind for kind in points.kind}
    above = [graph.path(graph.index(device.id)) for device in points.devices]

    @routes.get("/coverage")
    async def table() -> dict[str, Any]:
        """Rows a storey, a zone and outdoors once computed; until then how far it is."""
        require("viewer", "reading the coverage")
        kept = job.ask()
        if kept is None:
            return {"state": "failed" if job.fault else "running", "done": job.done, "total": job.total, "fault": job.fault}
        heard = _heard(services)
        rows = [*_storeys(kept.rows), *_zones(services, kept.rows)]
        return {"state": "done", "time_ms": kept.time * 1000, "now_ms": services.runner.core.clock.now() * 1000,
                "rows": [{**row, **_counted(services, above, heard, row["node"], row["scope"])} for row in rows],
                "optics": [{"kind": k.id, "name": k.name, "name_zh": k.name_zh, "range_m": k.optics.range_m,
                            "fov_deg": k.optics.fov_deg} for k in kinds.values() if k.optics],
                "sense": [{"kind": k.id, "name": k.name, "name_zh": k.name_zh, "radius_m": k.sense.radius_m,
                           "code": k.sense.code} for k in kinds.values() if k.sense]}

    @routes.get("/coverage/{node}/blind")
    async def blind(node: int) -> dict[str, Any]:
        """What no camera sees of a storey (or of the site, node 1): pieces as outer ring and holes, park metres."""
        require("viewer", "reading the coverage")
        kept = job.ask()
        row = next((row for row in kept.rows if row.node == node), None) if kept else None
        if row is None:
            raise Refusal(404, f"there is no coverage of node {node} yet; ask /api/v1/coverage", "coverage.not_yet",
                          node=node)
        return {"node": node, "z": row.z, "pieces": row.blind}

    return routes


def _heard(services: Services) -> np.ndarray:
    """Per device whether any of its points was heard of in its three periods."""
    heard = np.zeros(len(services.points.devices), np.bool_)
    np.logical_or.at(heard, services.points.device, services.runner.core.state.quality < Quality.STALE)
    return heard


def _storeys(rows: list[Row]) -> list[dict[str, Any]]:
    return [{"node": row.node, "scope": "outdoors" if row.node == 1 else "storey",
             **{key: round(getattr(row, key), 1) for key in SUMMED}, "blind": len(row.blind)} for row in rows]


def _zones(services: Services, rows: list[Row]) -> list[dict[str, Any]]:
    """Zones (or, in a park without, its buildings' whole) as sums of their storeys."""
    graph = services.graph
    sums: dict[int, dict[str, float]] = {}
    for row in rows:
        if row.node == 1:
            continue
        zone = next((i for i in graph.path(row.node) if graph.columns["kind"][i] == "zone"), 0)
        if zone:
            had = sums.setdefault(zone, dict.fromkeys(SUMMED, 0.0) | {"blind": 0})
            for key in SUMMED:
                had[key] += getattr(row, key)
            had["blind"] += len(row.blind)
    return [{"node": zone, "scope": "zone", **{k: round(v, 1) for k, v in had.items()}} for zone, had in sums.items()]


def _counted(services: Services, above: list[list[int]], heard: np.ndarray, node: int, scope: str) -> dict[str, int]:
    """Devices and alarm rules in a place; outdoors: those in no building."""
    kind = services.graph.columns["kind"]

    def is_here(path: list[int]) -> bool:
        if scope == "outdoors":
            return bool(path) and not any(kind[i] == "building" for i in path)
        return node in path

    here = [k for k, path in enumerate(above) if is_here(path)]
    rules = [rule for k in here for rule in services.points.kind[k].alarms]
    return {"devices": len(here), "online": int(heard[here].sum()) if here else 0, "rules": len(rules),
            "answered": sum(bool(rule.response.owner and rule.response.steps) for rule in rules)}
