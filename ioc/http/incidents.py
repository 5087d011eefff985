"""Incidents: the list, one with its timeline, declaring, linkage, plan, closing; and what answers them."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from ioc.access.person import require
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin.live.core import LiveCore
from twin.live.incidents import IncidentDesk
from twin.wire import IncidentView, TrailEntry

_AROUND_SECS = 60.0


class Declared(BaseModel):
    """An incident a person opens: at a node, or for an alarm that has none."""

    node: str = Field("", max_length=300)
    alarm: int = 0
    title: str = Field("", max_length=200)
    priority: int = Field(2, ge=1, le=4)


class Chosen(BaseModel):
    """Which plan."""

    plan: str = Field(max_length=100)


class Ticked(BaseModel):
    """A step done, or not after all (with a note)."""

    done: bool = True
    note: str = Field("", max_length=500)


class Closed(BaseModel):
    """Why it is over."""

    note: str = Field(max_length=1000)


def plain(value: object) -> Any:
    """Wire structs as JSON-ready values."""
    return msgspec.to_builtins(value)


def desk_of(core: LiveCore) -> IncidentDesk:
    """The incident desk of a running park."""
    if core.incidents is None:
        raise Refusal(404, "this park answers no incidents", "incident.none")
    return core.incidents


def router(services: Services) -> APIRouter:
    """Routes over incidents, linkages and plans."""
    routes = APIRouter(tags=["incidents"])
    runner, core = services.runner, services.runner.core

    @routes.get("/incidents")
    async def incidents(limit: int = Query(100, ge=1, le=1000)) -> dict[str, Any]:
        """The last incidents, newest first."""
        require("viewer", "reading incidents")
        return {"incidents": plain(await run_in_threadpool(core.events.recent_incidents, limit))}

    @routes.get("/incidents/{number}")
    async def incident(number: int) -> dict[str, Any]:
        """One incident with its alarms, commands, people and trail."""
        require("viewer", "reading an incident")
        found = await run_in_threadpool(_find, core, number)
        alarms = [a for a in await runner.call(lambda: core.alarms("all", 2000)) if a.id in found.alarms]
        ordered = {t.command for s in (found.linkage.steps if found.linkage else []) for t in s.targets if t.command}
        commands = [c for c in await runner.call(lambda: core.commands(1000)) if c.id in ordered]
        sent = [d for d in await run_in_threadpool(core.events.recent_dispatches, 500) if d.incident == number]
        subjects = {f"incident:{number}", *(a.key for a in alarms), *(c.device for c in commands)}
        trail = await run_in_threadpool(_trail, core, found, subjects)
        return {"incident": plain(found), "alarms": plain(alarms), "commands": plain(commands), "dispatches": plain(sent),
                "trail": plain(trail)}

    @routes.post("/incidents")
    async def declare(body: Declared) -> dict[str, Any]:
        """Open an incident by hand."""
        who = require("viewer", "declaring an incident")
        node = services.graph.index(body.node)
        alarm = next((a for a in await runner.call(core.alarms) if a.id == body.alarm), None)
        if not node and alarm is None:
            raise Refusal(422, f"no node '{body.node}' and no live alarm {body.alarm}; name one of the two",
                          "incident.nowhere", node=body.node, alarm=body.alarm)
        if alarm is None and not body.title.strip():
            raise Refusal(422, "an incident needs a title; say in 'title' what happened", "incident.no_title")
        return plain(await runner.call(lambda: desk_of(core).declare(
            node=node, title=body.title.strip(), priority=body.priority, alarm=alarm, by=who.user, role=who.role,
            now=core.clock.now())))

    @routes.post("/incidents/{number}/plan")
    async def plan(number: int, body: Chosen) -> dict[str, Any]:
        """Start a plan; 'response' is what the alarm itself asks for."""
        who = require("viewer", "starting a plan")
        return plain(await runner.call(lambda: desk_of(core).start_plan(
            number, body.plan, by=who.user, role=who.role, now=core.clock.now())))

    @routes.post("/incidents/{number}/steps/{key}")
    async def tick(number: int, key: str, body: Ticked) -> dict[str, Any]:
        """Tick a plan step off, or undo that with a note."""
        who = require("viewer", "ticking a step")
        return plain(await runner.call(lambda: desk_of(core).tick_step(
            number, key, is_done=body.done, note=body.note, by=who.user, role=who.role, now=core.clock.now())))

    @routes.post("/incidents/{number}/linkage")
    async def linkage(number: int) -> dict[str, Any]:
        """A commander's word for a linkage that asks."""
        who = require("viewer", "confirming a linkage")
        return plain(await runner.call(lambda: desk_of(core).confirm_linkage(
            number, by=who.user, role=who.role, now=core.clock.now())))

    @routes.post("/incidents/{number}/close")
    async def close(number: int, body: Closed) -> dict[str, Any]:
        """Close it, with a note, once its alarms are cleared."""
        who = require("viewer", "closing an incident")
        return plain(await runner.call(lambda: core.close_incident(number, by=who.user, role=who.role, note=body.note)))

    @routes.get("/plans")
    async def plans() -> dict[str, Any]:
        """Plans and linkages there are, and what was left out and why."""
        require("viewer", "reading plans")
        answers = desk_of(core).answers
        return {"plans": plain(list(answers.plans.values())),
                "linkages": [{"id": s.id, "name": s.name, "name_zh": s.name_zh, "mode": s.mode, "owner": s.owner,
                              "alarms": sorted(s.alarms)} for s in answers.linkages.values()],
                "findings": [{"what": f.what, "where": f.where.rsplit("/", 1)[-1], "mend": f.mend, "code": f.code,
                              "fill": f.fill} for f in answers.findings]}

    return routes


def _find(core: LiveCore, number: int) -> IncidentView:
    found = next((i for i in core.events.recent_incidents(2000) if i.id == number), None)
    if found is None:
        raise Refusal(404, f"no incident {number}", "incident.unknown", number=number)
    return found


def _trail(core: LiveCore, incident: IncidentView, subjects: set[str]) -> list[TrailEntry]:
    end = (incident.closed_ms or core.clock.now() * 1000) / 1000
    entries = core.events.trail_between(incident.opened_ms / 1000 - _AROUND_SECS, end + 1.0, 20_000)
    return [entry for entry in entries if entry.subject in subjects]
