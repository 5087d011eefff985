"""Where a person or vehicle was: only for whoever may follow people, and every look is on the trail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from ioc.access.person import Person, require
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin.access import decide
from twin.ports import TrackInfo
from twin.trajectory import Trajectory, blurred, storey_of, trajectory

LONGEST_MS = 24 * 3_600_000.0


def router(services: Services) -> APIRouter:
    """The trajectory route."""
    routes = APIRouter(tags=["spatial"])
    runner, graph = services.runner, services.graph
    by_id = {track.id: track for track in services.tracks}

    def middle(node: int) -> tuple[float, float, float] | None:
        if not node or graph.columns["kind"][node] != "storey":
            return None
        x, y, z = graph.columns["anchor"][node]
        return float(x), float(y), float(z)

    def read(track: TrackInfo, from_ms: float, to_ms: float, raw: bool) -> Trajectory:
        fixes = services.history.track_between(track.i, from_ms / 1000, to_ms / 1000, raw=raw)
        return trajectory(fixes, runner.core.tracks.locate)

    @routes.get("/tracks/{track_id}/trajectory")
    async def track(track_id: str, from_ms: float, to_ms: float, raw: bool = False) -> dict[str, Any]:
        """Fixes of a period (at most a day) as legs, storeys, stays and rooms, steadied as they were shown live, or as they
        came (`raw`). A viewer gets storeys by the minute only, and no name; either way the look is written to the trail."""
        who = require("viewer", "looking at where somebody was")
        found = by_id.get(track_id)
        if found is None:
            raise Refusal(404, f"nobody is called '{track_id}'; see /api/v1/tracks", "track.unknown", track=track_id)
        if not 0 < to_ms - from_ms <= LONGEST_MS:
            raise Refusal(422, "the period is empty or longer than a day; ask for less", "track.period")
        told = await run_in_threadpool(read, found, from_ms, to_ms, raw)
        decision = decide(who.role, "track")
        if not decision.allowed:
            told = blurred(told, lambda node: storey_of(graph, node), middle)
        await runner.call(lambda: _note(services, who, found, from_ms, to_ms, decision.allowed))
        return {**_answer(services, told), "track": track_id, "from_ms": from_ms, "to_ms": to_ms,
                "raw": raw, "blurred": not decision.allowed, "reason": "" if decision.allowed else decision.reason}

    return routes


def _note(services: Services, who: Person, track: TrackInfo, from_ms: float, to_ms: float, is_full: bool) -> None:
    mins = round((to_ms - from_ms) / 60_000)
    services.runner.core.note(
        who.user, "track.viewed", track.id,
        text=f"Looked at where {track.id} was, {mins} min{'' if is_full else ', storeys only'}",
        text_zh=f"查看 {track.id} 的轨迹，{mins} 分钟{'' if is_full else '（仅楼层）'}")


def _answer(services: Services, found: Trajectory) -> dict[str, Any]:
    graph = services.graph
    storeys = [storey_of(graph, int(node)) for node in found.node]
    return {"t": np.rint(found.time * 1000).tolist(), "xyz": np.round(found.xyz, 2).tolist(),
            "node": found.node.tolist(), "storey": storeys, "leg": found.leg.tolist(),
            "metres": None if math.isnan(found.metres) else round(found.metres, 1),
            "spread_m": round(found.spread, 2),
            "stays": [{"at": [round(v, 2) for v in s.at], "from_ms": s.start * 1000, "to_ms": s.end * 1000,
                       "node": s.node, "storey": storey_of(graph, s.node)} for s in found.stays],
            "visits": [{"node": v.node, "from_ms": v.start * 1000, "to_ms": v.end * 1000} for v in found.visits]}
