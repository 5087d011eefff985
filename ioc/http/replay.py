"""Replay over REST: what is on record, moments worth going to, the hash of a state, marks; the past changes nothing."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import RequestResponseEndpoint

from ioc.access.person import require
from ioc.live.replay import past_of, views_of
from ioc.services import Services
from twin.marks import Mark, Marks
from twin.replay import range_of

HEADER = "x-parktwin-replay"
REFUSED = "a replay shows the past; nothing can be changed from it; return to live first"
TRAIL_DAYS = 7


class NewMark(BaseModel):
    """A note at an instant of the past."""

    at_ms: float = Field(gt=0, lt=1e14)
    text: str = Field(min_length=1, max_length=500)


async def refuse_from_replay(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """A change asked for by a page that shows the past is refused, marks apart."""
    is_change = request.method not in ("GET", "HEAD") and request.url.path.startswith("/api/v1/")
    if is_change and HEADER in request.headers and not request.url.path.startswith("/api/v1/replay/"):
        return JSONResponse({"detail": REFUSED}, 409)
    return await call_next(request)


def router(services: Services) -> APIRouter:
    """Routes of the replay page."""
    routes = APIRouter(tags=["replay"], prefix="/replay")
    core = services.runner.core
    marks = Marks(core.events.engine)

    @routes.get("/range")
    async def span() -> dict[str, float]:
        """The instants on record; 422 when there is none yet."""
        first, last = await run_in_threadpool(range_of, services.history, core.clock.now())
        return {"first_ms": first, "last_ms": last}

    @routes.get("/state")
    async def state(at_ms: float) -> dict[str, Any]:
        """The hash of everything as of an instant, and counts."""
        first, last = await run_in_threadpool(range_of, services.history, core.clock.now())
        if not first <= at_ms <= last:
            raise HTTPException(422, f"that moment is not on record; there is {first} to {last} (ms)")
        past = past_of(services)
        await run_in_threadpool(past.seek, int(at_ms))
        return {"at_ms": past.at_ms, "hash": await run_in_threadpool(past.hash), "values": int((past.quality != 4).sum()),
                "tracks": len(past.present()), "alarms": sum(alarm.is_live for alarm in past.alarms.values()),
                "commands": len(past.commands)}

    @routes.get("/moments")
    async def moments() -> list[dict[str, Any]]:
        """Incidents and drills on record, newest first."""
        since = core.clock.now() - TRAIL_DAYS * 86_400
        incidents = await run_in_threadpool(core.events.recent_incidents, 100)
        trail = await run_in_threadpool(core.events.trail_between, since, core.clock.now(), 20_000)
        found = [{"kind": "incident", "id": str(i.id), "at_ms": i.opened_ms, "until_ms": i.closed_ms, "title": i.title,
                  "title_zh": i.title_zh, "place": i.place, "place_zh": i.place_zh, "priority": i.priority, "node": i.node}
                 for i in incidents]
        found += [{"kind": "drill", "id": str(t.id), "at_ms": t.time_ms, "until_ms": None, "title": t.text,
                   "title_zh": t.text_zh, "place": "", "place_zh": "", "priority": 0, "node": t.node}
                  for t in trail if t.what == "drill.started"]
        return sorted(found, key=lambda row: -float(str(row["at_ms"])))[:100]

    @routes.get("/span")
    async def tracks(from_ms: float, to_ms: float) -> dict[str, Any]:
        """What the tracks of the timeline show: alarm transitions and commands of a span."""
        if not 0 < to_ms - from_ms <= 86_400_000:
            raise HTTPException(422, "give a span of at most a day")
        views = views_of(services)
        steps = await run_in_threadpool(core.events.alarm_steps, from_ms / 1000, to_ms / 1000)
        known = set(core.state.rules.keys)
        rows = [{"at_ms": e.time * 1000, "what": e.what, **msgspec.to_builtins(views.alarm(e.alarm))}
                for e in steps if e.alarm.key in known or e.alarm.key.startswith("fence:")]
        commands = [msgspec.to_builtins(views.command(c)) for c in await run_in_threadpool(core.events.recent_commands, 1000)
                    if from_ms <= c.steps[0][1] * 1000 <= to_ms]
        people = await run_in_threadpool(_people, services, int(from_ms), int(to_ms))
        return {"alarms": rows, "commands": commands, "people": people}

    @routes.get("/marks")
    async def marks_list() -> list[dict[str, Any]]:
        """Marks of everyone, by time; taken back ones left out."""
        return [msgspec.to_builtins(mark) for mark in await run_in_threadpool(marks.all)]

    @routes.post("/marks")
    async def mark(new: NewMark) -> dict[str, Any]:
        """Note something at an instant (operator and up)."""
        who = require("operator", "noting")
        made = await run_in_threadpool(marks.add, new.at_ms, new.text.strip(), who.user, time.time() * 1000)
        return msgspec.to_builtins(made)

    @routes.delete("/marks/{number}")
    async def remove(number: int) -> dict[str, Any]:
        """Take a mark back; asked again, it is put back."""
        require("operator", "deleting a mark")
        found: Mark | None = await run_in_threadpool(marks.toggle, number)
        if found is None:
            raise HTTPException(404, f"no mark {number}")
        return msgspec.to_builtins(found)

    return routes


def _people(services: Services, from_ms: int, to_ms: int, buckets: int = 60) -> dict[str, Any]:
    """How many different persons sent a fix in each of equal buckets; null where nobody was heard at all."""
    fixes = services.history.fixes_in(from_ms, to_ms)
    persons = [track.i for track in services.tracks if track.kind == "person"]
    counts: list[int | None] = [None] * buckets
    width = (to_ms - from_ms) / buckets
    seen: list[set[int]] = [set() for _ in range(buckets)]
    allowed = set(persons)
    for track, at in zip(fixes.track.tolist(), fixes.source_time.tolist(), strict=True):
        if track in allowed:
            seen[min(buckets - 1, int((at * 1000 - from_ms) / width))].add(track)
    for k, who in enumerate(seen):
        counts[k] = len(who) or None
    return {"n": counts, "width_ms": width}
