"""Alarms: the list, a person's word on each, what is put aside, and the load they make."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from ioc.access.person import Person, require
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin.alarm_kpis import AVERAGE_TARGET, FLOOD_LIMIT, alarm_kpis
from twin.live.core import LiveCore

LOAD_BUCKET_SECS = 600.0
LOAD_BUCKETS = 24
LONGEST_SHELF_MINS = 480


class Shelf(BaseModel):
    """How long an alarm is put aside, and why."""

    mins: float = Field(gt=0, le=LONGEST_SHELF_MINS)
    reason: str = Field(min_length=3, max_length=500)


class Away(BaseModel):
    """A rule (`<device>.<rule>`) put aside: shelved for `mins`, or out of service until it is put back."""

    key: str = Field(max_length=300)
    kind: Literal["shelved", "out_of_service"]
    reason: str = Field(min_length=3, max_length=500)
    mins: float = Field(30, gt=0, le=LONGEST_SHELF_MINS)


class Several(BaseModel):
    """Alarms by their numbers."""

    ids: list[int] = Field(min_length=1, max_length=2000)


class Back(BaseModel):
    """A rule put back; one that was out of service needs a reason."""

    key: str = Field(max_length=300)
    kind: Literal["shelved", "out_of_service"]
    reason: str = Field("", max_length=500)


def plain(value: object) -> Any:
    """Wire structs as JSON-ready values."""
    return msgspec.to_builtins(value)


def _asker(doing: str) -> Person:
    return require("viewer", doing)


def router(services: Services) -> APIRouter:
    """Routes over the alarms of the live core."""
    routes = APIRouter(tags=["alarms"])
    runner, core = services.runner, services.runner.core

    @routes.get("/alarms")
    async def alarms(state: str = Query("active", pattern="^(active|all)$")) -> list[dict[str, Any]]:
        """Alarms as they stand."""
        return plain(await runner.call(lambda: core.alarms(state)))

    @routes.get("/alarms/load")
    async def load() -> list[dict[str, float]]:
        """Alarms raised per ten minutes over the last four hours, oldest first; silent ones do not count."""
        now = core.clock.now()
        first = int(now // LOAD_BUCKET_SECS) - LOAD_BUCKETS + 1
        found = await run_in_threadpool(core.events.alarm_load, first * LOAD_BUCKET_SECS, LOAD_BUCKET_SECS)
        return [{"t": k * LOAD_BUCKET_SECS * 1000, "n": found.get(k, 0)} for k in range(first, first + LOAD_BUCKETS)]

    @routes.get("/alarms/groups")
    async def groups() -> dict[str, Any]:
        """The floods among the live alarms: under their cause, or by sort and place; what is in none stands alone."""
        return plain(await runner.call(lambda: core.floods.now))

    @routes.get("/alarms/kpis")
    async def kpis(hours: float = Query(24.0, gt=0, le=24 * 92), operators: int = Query(1, ge=1, le=100)) -> dict[str, Any]:
        """The load of the last hours after EEMUA 191, and what stands now. `operators`: how many share it."""
        now = core.clock.now()
        standing = await runner.call(lambda: core.alarm_desk.standing(now))
        return {**await run_in_threadpool(_figures, core, now - hours * 3600, now, operators), "now": plain(standing),
                "targets": {"average": AVERAGE_TARGET, "flood": FLOOD_LIMIT, "by_priority": [None, 0.05, 0.15, 0.8]}}

    @routes.post("/alarms/acknowledge")
    async def acknowledge_all(several: Several) -> dict[str, int]:
        """Take note of several alarms at once; each is recorded by itself."""
        who = _asker("acknowledging")
        done = await runner.call(lambda: core.alarm_desk.acknowledge_all(
            several.ids, by=who.user, role=who.role, now=core.clock.now()))
        return {"acknowledged": len(done)}

    @routes.get("/alarms/aside")
    async def aside() -> dict[str, Any]:
        """Every rule people put aside, whether its alarm is on or not, and how many are suppressed by design."""
        held, designed = await runner.call(lambda: (core.alarm_desk.aside(), len(core.book.designed())))
        return {"aside": plain(held), "designed": designed}

    @routes.post("/alarms/aside")
    async def put_aside(away: Away) -> dict[str, Any]:
        """Shelve a rule for a while, or take it out of service."""
        who = _asker("putting an alarm aside")
        if away.kind == "shelved":
            return plain(await runner.call(lambda: core.shelve_rule(
                away.key, by=who.user, role=who.role, mins=away.mins, reason=away.reason)))
        return plain(await runner.call(lambda: core.take_out(away.key, by=who.user, role=who.role, reason=away.reason)))

    @routes.post("/alarms/back")
    async def put_back(back: Back) -> dict[str, Any]:
        """End a shelf early, or put a rule back into service."""
        who = _asker("putting an alarm back")
        return plain(await runner.call(lambda: core.put_back(
            back.key, back.kind, by=who.user, role=who.role, reason=back.reason)))

    @routes.get("/alarms/rules")
    async def rules(device: str) -> dict[str, Any]:
        """A device's alarm rules: limits, priority, and what holds each aside."""
        if services.points.device_index(device) is None:
            raise Refusal(404, f"no device '{device}'; see /api/v1/devices", "command.no_device", device=device)
        return {"rules": await runner.call(lambda: core.alarm_desk.rules_of(device))}

    @routes.post("/alarms/{alarm_id}/acknowledge")
    async def acknowledge(alarm_id: int) -> dict[str, Any]:
        """Take note of an alarm."""
        who = _asker("acknowledging")
        return plain(await runner.call(lambda: core.acknowledge_alarm(alarm_id, by=who.user, role=who.role)))

    @routes.post("/alarms/{alarm_id}/reset")
    async def reset(alarm_id: int) -> dict[str, Any]:
        """Let a latched alarm go, once its condition is gone and it is acknowledged."""
        who = _asker("resetting")
        return plain(await runner.call(lambda: core.reset_alarm(alarm_id, by=who.user, role=who.role)))

    @routes.post("/alarms/{alarm_id}/shelve")
    async def shelve(alarm_id: int, shelf: Shelf) -> dict[str, Any]:
        """Put an alarm aside for a while, with a reason."""
        who = _asker("shelving")
        return plain(await runner.call(lambda: core.shelve_alarm(
            alarm_id, by=who.user, role=who.role, mins=shelf.mins, reason=shelf.reason)))

    return routes


def _figures(core: LiveCore, since: float, until: float, operators: int) -> dict[str, Any]:
    """The figures with rules named in both languages; reads the store, so never on the core's thread."""
    found = alarm_kpis(core.events.kpi_steps(since, until), core.views.priority, since, until, operators)

    def named(rows: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
        titles = [core.views.title(key) for key, _ in rows]
        return [{"key": key, "n": n, "title": title, "title_zh": title_zh, "place": place, "place_zh": place_zh,
                 "priority": core.views.priority(key)}
                for (key, n), (title, title_zh, place, place_zh) in zip(rows, titles, strict=True)]

    return {**asdict(found), "top": named(found.top), "chattering": named(found.chattering[:10])}
