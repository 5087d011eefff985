"""Who was near somebody, and where somebody may be who is no longer heard of: for whoever may follow people, on the trail."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from ioc.access.person import Person, require
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin import access
from twin.contacts import contacts
from twin.missing import Reached, search
from twin.ports import TrackInfo
from twin.trajectory import storey_of

LONGEST_MS = 24 * 3_600_000.0
#: How far back the last fix of somebody is looked for.
LOOK_BACK_DAYS = 30
DAY_SECS = 86_400.0


def router(services: Services) -> APIRouter:
    """Contacts and the search for a missing person."""
    routes = APIRouter(tags=["spatial"])
    runner, core, graph = services.runner, services.runner.core, services.graph
    by_id, by_number = {track.id: track for track in services.tracks}, {track.i: track for track in services.tracks}

    def asked(track_id: str, doing: str) -> tuple[Person, TrackInfo]:
        who = require("viewer", doing)
        access.require(who.role, "track")
        if track_id not in by_id:
            raise Refusal(404, f"nobody is called '{track_id}'; see /api/v1/tracks", "track.unknown", track=track_id)
        return who, by_id[track_id]

    def place(xyz: NDArray[np.float64] | tuple[float, float, float]) -> dict[str, Any]:
        at = np.asarray(xyz, np.float64)
        node = int(core.tracks.locate(at[None])[0])
        return {"at": [round(float(v), 2) for v in at], "node": node, "storey": storey_of(graph, node)}

    @routes.get("/tracks/{track_id}/contacts")
    async def near(track_id: str, from_ms: float, to_ms: float, metres: float = Query(2.0, gt=0, le=50),
                   secs: float = Query(60.0, ge=0, le=86_400)) -> dict[str, Any]:
        """Who was within `metres` on the same level, no wall between, for `secs` and more; longest first, a day at most.
        Operators and up; every look is on the trail."""
        who, track = asked(track_id, "looking for contacts")
        if not 0 < to_ms - from_ms <= LONGEST_MS:
            raise Refusal(422, "the period is empty or longer than a day; ask for less", "track.period")

        def read() -> list[dict[str, Any]]:
            fixes = services.history.fixes_in(int(from_ms), int(to_ms))
            found = contacts(fixes, track.i, metres=metres, secs=secs, indoors=services.indoors)
            return [{"track": _named(by_number.get(c.track), c.track), "from_ms": c.start * 1000, "to_ms": c.end * 1000,
                     "secs": c.secs, "closest_m": round(c.closest_m, 2), **place(c.at)} for c in found]

        mins = round((to_ms - from_ms) / 60_000)
        await runner.call(lambda: core.note(who.user, "track.contacts", track.id,
                                            text=f"Looked for contacts of {track.id}, {mins} min",
                                            text_zh=f"查看 {track.id} 的接触者，{mins} 分钟"))
        return {"track": track_id, "from_ms": from_ms, "to_ms": to_ms, "metres": metres, "secs": secs,
                "contacts": await run_in_threadpool(read)}

    @routes.get("/tracks/{track_id}/search")
    async def missing(track_id: str, at_ms: float | None = None, speed: float = Query(1.4, gt=0, le=5)) -> dict[str, Any]:
        """Where somebody was last heard of, and what they can have reached on foot since at `speed` (m/s); as of `at_ms`.
        Operators and up; every look is on the trail."""
        who, track = asked(track_id, "searching for somebody")
        now = core.clock.now() if at_ms is None else min(at_ms / 1000, core.clock.now())
        last = await run_in_threadpool(_last, services, track, now)
        await runner.call(lambda: core.note(who.user, "track.search", track.id, text=f"Searched for {track.id}",
                                            text_zh=f"查找 {track.id}"))
        if last is None:
            raise Refusal(404, f"'{track_id}' was not heard of in {LOOK_BACK_DAYS} days", "track.silent", track=track_id)
        seen, at = last
        metres = speed * max(0.0, now - seen)
        found = await run_in_threadpool(lambda: search(at, metres, indoors=services.indoors, graph=graph,
                                                       seeing=services.park_graph.seeing))

        def rows(reached: tuple[Reached, ...], most: int) -> list[dict[str, Any]]:
            c = graph.columns
            return [{"node": r.node, "storey": storey_of(graph, r.node), "name": str(c["name"][r.node]),
                     "name_zh": str(c["name_zh"][r.node] or c["name"][r.node]), "metres": round(r.metres, 1),
                     "secs": round(r.metres / speed)} for r in reached[:most]]

        return {"track": track_id, "at_ms": now * 1000, "seen_ms": seen * 1000, "silent_secs": round(now - seen, 1),
                "speed": speed, "metres": round(found.metres, 1), "last": place(at),
                "levels": [{"storey": level.storey, "z": round(level.z, 2), "area_m2": round(level.shape.area, 1),
                            "parts": _parts(level.shape)} for level in found.levels],
                "rooms": rows(found.rooms, 500), "doors": rows(found.doors, 200), "exits": rows(found.exits, 100),
                "cameras": _cameras(services, found.cameras),
                "counts": {"rooms": len(found.rooms), "doors": len(found.doors), "exits": len(found.exits),
                           "cameras": len(found.cameras)}}

    return routes


def _last(services: Services, track: TrackInfo, now: float) -> tuple[float, NDArray[np.float64]] | None:
    """Time (s) and place of the last fix at or before an instant: of the live core, else of the history, day by day.

    What the park deletes after so many days is not told from memory either.
    """
    live, days = services.runner.core.tracks, services.spec.history.positions_days or LOOK_BACK_DAYS
    oldest = services.runner.core.clock.now() - days * DAY_SECS
    if track.i < len(live.source) and oldest < live.source[track.i] <= now:
        return float(live.source[track.i]), live.xyz[track.i].copy()
    for day in range(min(days, LOOK_BACK_DAYS)):
        fixes = services.history.track_between(track.i, now - (day + 1) * DAY_SECS, now - day * DAY_SECS + 1e-3)
        sound = np.flatnonzero(np.isfinite(fixes.xyz).all(axis=1))
        if len(sound):
            return float(fixes.source_time[sound[-1]]), fixes.xyz[sound[-1]].astype(np.float64)
    return None


def _named(track: TrackInfo | None, number: int) -> dict[str, Any]:
    if track is None:
        return {"i": number, "id": str(number), "kind": "person", "name": str(number), "name_zh": str(number), "role": ""}
    return {"i": track.i, "id": track.id, "kind": track.kind, "name": track.name, "name_zh": track.name_zh or track.name,
            "role": track.role}


def _cameras(services: Services, nodes: tuple[int, ...]) -> list[dict[str, Any]]:
    c = services.graph.columns
    return [{"node": n, "id": str(c["id"][n]), "name": str(c["name"][n]), "name_zh": str(c["name_zh"][n] or c["name"][n]),
             "storey": storey_of(services.graph, n)} for n in nodes[:100]]


def _parts(shape: shapely.Geometry) -> list[list[list[list[float]]]]:
    """Polygons as rings, the outer one first; park metres."""
    polygons = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon" and not part.is_empty]
    return [[[[round(x, 2), round(y, 2)] for x, y in ring.coords[:-1]] for ring in (polygon.exterior, *polygon.interiors)]
            for polygon in polygons]
