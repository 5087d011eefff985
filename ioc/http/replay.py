"""Replay over REST: what is on record, moments worth going to, the hash of a state, marks; the past changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import RequestResponseEndpoint

from ioc.access.person import require
from ioc.http.refusal import Refusal, refused
from ioc.live.replay import cards_at, past_of, scope_of, views_of
from ioc.services import Services
from twin.live.alarms import AlarmEvent
from twin.live.own_faults import OWN
from twin.marks import Mark, Marks
from twin.ports import SAMPLE
from twin.replay import KEPT_SECS, ORDER_SECS, range_of
from twin.wire import TrailEntry

HEADER, PAGE = "x-parktwin-replay", "/replay"
REFUSED = "a replay shows the past; nothing can be changed from it; return to live first"
TRAIL_DAYS = 7


class NewMark(BaseModel):
    """A note at an instant of the past."""

    at_ms: float = Field(gt=0, lt=1e14)
    text: str = Field(min_length=1, max_length=500)


async def refuse_from_replay(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """A change asked for by a page that shows the past is refused, marks and reports apart."""
    is_change = request.method not in ("GET", "HEAD") and request.url.path.startswith("/api/v1/")
    if is_change and is_past(request.headers) and not request.url.path.startswith("/api/v1/replay/"):
        return refused(409, REFUSED, "replay.past", {})
    return await call_next(request)


def is_past(headers: Mapping[str, str]) -> bool:
    """Whether a request says it comes from the past: by its own header, or by the page a browser says it was sent from."""
    return HEADER in headers or urlsplit(headers.get("referer", "")).path.rstrip("/") == PAGE


def router(services: Services) -> APIRouter:
    """Routes of the replay page."""
    routes = APIRouter(tags=["replay"], prefix="/replay")
    core, core_call = services.runner.core, services.runner.call
    marks = Marks(core.events.database)

    @routes.get("/range")
    async def span() -> dict[str, float]:
        """The instants on record; 422 when there is none yet."""
        first, last = await run_in_threadpool(range_of, services.history, core.clock.now())
        return {"first_ms": first, "last_ms": last}

    @routes.get("/state")
    async def state(at_ms: float, node: str = "park") -> dict[str, Any]:
        """The hash of everything as of an instant, counts, and the KPI cards of a node then."""
        first, last = await run_in_threadpool(range_of, services.history, core.clock.now())
        if not first <= at_ms <= last:
            raise Refusal(422, f"that moment is not on record; there is {first} to {last} (ms)", "replay.moment")
        index = scope_of(services, node)
        if not index:
            raise Refusal(404, f"no node '{node}'", "node.unknown", node=node)
        past = past_of(services)
        await run_in_threadpool(past.seek, int(at_ms))
        cards = await run_in_threadpool(cards_at, services, services.painters.board(), views_of(services), past, index)
        return {"at_ms": past.at_ms, "hash": await run_in_threadpool(past.hash), "values": int((past.quality != 4).sum()),
                "tracks": len(past.present()), "alarms": sum(alarm.is_live for alarm in past.alarms.values()),
                "commands": len(past.commands), "cards": msgspec.to_builtins(cards)}

    @routes.get("/moments")
    async def moments() -> list[dict[str, Any]]:
        """Incidents and drills on record, newest first."""
        now = core.clock.now()
        since = now - TRAIL_DAYS * 86_400
        incidents = await run_in_threadpool(core.events.incidents_between, since, now)
        drills = await run_in_threadpool(core.events.trail_between, since, now, 1000, what=("drill.started", "drill.stopped"))
        named = {i.key: i for i in await core_call(services.drills.incidents)} if services.drills else {}
        samples = sample_spans(drills)
        found = [{"kind": "incident", "id": str(i.id), "at_ms": i.opened_ms, "until_ms": i.closed_ms, "title": i.title,
                  "title_zh": i.title_zh, "place": i.place, "place_zh": i.place_zh, "priority": i.priority, "node": i.node,
                  "is_sample": any(a <= i.opened_ms <= b for a, b in samples)} for i in incidents]
        for entry in (t for t in drills if t.what == "drill.started"):
            drill = named.get(entry.subject)
            found.append({"kind": "drill", "id": str(entry.id), "at_ms": entry.time_ms, "until_ms": None,
                          "title": drill.name if drill else entry.text, "title_zh": drill.name_zh if drill else entry.text_zh,
                          "place": "", "place_zh": "", "priority": 0, "node": entry.node, "is_sample": entry.who == SAMPLE})
        return sorted(found, key=lambda row: -float(str(row["at_ms"])))[:100]

    @routes.get("/span")
    async def tracks(from_ms: float, to_ms: float) -> dict[str, Any]:
        """What the tracks of the timeline show: alarms and commands under way in a span, each with all its steps; people."""
        if not 0 < to_ms - from_ms <= 86_400_000:
            raise Refusal(422, "give a span of at most a day", "replay.span")
        views = views_of(services)
        steps = await run_in_threadpool(core.events.alarm_steps, from_ms / 1000 - KEPT_SECS, to_ms / 1000)
        known = set(core.state.rules.keys)
        rows = [{"at_ms": e.time * 1000, "what": e.what, **msgspec.to_builtins(views.alarm(e.alarm))}
                for e in under_way(steps, from_ms / 1000) if e.alarm.key in known or e.alarm.key.startswith(OWN)]
        given = await run_in_threadpool(core.events.commands_between, from_ms / 1000 - ORDER_SECS, to_ms / 1000)
        commands = [msgspec.to_builtins(views.command(c)) for c in given if c.steps[-1][1] >= from_ms / 1000]
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
            raise Refusal(404, f"no mark {number}", "replay.mark", number=number)
        return msgspec.to_builtins(found)

    return routes


def under_way(steps: Sequence[AlarmEvent], since: float) -> list[AlarmEvent]:
    """All steps of the alarms that were live at an instant (seconds) or took a step after it."""
    wanted = {event.alarm.id for event in steps if event.time >= since}
    last = {event.alarm.id: event.alarm for event in steps if event.time < since}
    wanted |= {number for number, alarm in last.items() if alarm.is_live}
    return [event for event in steps if event.alarm.id in wanted]


def sample_spans(drills: Sequence[TrailEntry]) -> list[tuple[float, float]]:
    """From start to stop (ms) of every sample drill among the trail's drill lines, oldest first."""
    spans, begun = [], dict[str, float]()
    for entry in drills:
        if entry.who == SAMPLE and entry.what == "drill.started":
            begun[entry.subject] = entry.time_ms
        elif entry.who == SAMPLE and entry.subject in begun:
            spans.append((begun.pop(entry.subject), entry.time_ms))
    return spans


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
