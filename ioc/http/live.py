"""What is happening and what was: values, history, commands, KPIs, overlays, trail, drills."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from ioc.access.person import Person, require
from ioc.http.alarms import plain
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin import access
from twin.history.exchange import point_ids, tables, write_table
from twin.wire import Quality


class Order(BaseModel):
    """A command a person gives; the same idempotency key never executes twice."""

    device: str = Field(max_length=200)
    key: str = Field(max_length=100)
    args: dict[str, float | str] = Field(default_factory=dict, max_length=20)
    idempotency_key: str = Field(default_factory=lambda: uuid.uuid4().hex, min_length=8, max_length=100)


class Denied(BaseModel):
    """Why a command is not approved."""

    note: str = Field("", max_length=500)


def _asker(doing: str) -> Person:
    return require("viewer", doing)


def router(services: Services) -> APIRouter:
    """Routes over the live core and the history."""
    routes = APIRouter(tags=["live"])
    runner, core = services.runner, services.runner.core

    @routes.get("/values")
    async def values(device: str) -> dict[str, Any]:
        """A device's points now."""
        index = services.points.device_index(device)
        if index is None:
            raise Refusal(404, f"no device '{device}'; see /api/v1/devices", "command.no_device", device=device)
        state = core.state
        return {"values": [{"point": services.points.ids[s], "unit": services.points.unit[s],
                            "value": None if np.isnan(state.value[s]) else float(state.value[s]),
                            "text": services.points.texts.text(state.value[s]) if services.points.spec[s].type == "text"
                            else None,
                            "quality": Quality(int(state.quality[s])).name.lower(),
                            "source_ms": None if state.quality[s] == Quality.NEVER else float(state.source[s] * 1000)}
                           for s in services.points.slots_of(index)]}

    @routes.get("/history")
    async def history(point: str, from_ms: float, to_ms: float, buckets: int = Query(200, ge=1, le=5000)) -> dict[str, Any]:
        """A point over time: mean, low and high of equal buckets; null where nothing was heard. Of a text what it said, the
        last `buckets` times."""
        series = await run_in_threadpool(services.history.query, point, from_ms, to_ms, buckets)
        slot = services.points.slot_of(point)
        if slot is not None and services.points.spec[slot].type == "text":
            said = await run_in_threadpool(services.history.readings_of, np.array([slot]), int(from_ms), int(to_ms))
            words = [services.points.texts.text(value) for value in said.value[-buckets:]]
            return {"t": np.rint(said.source_time[-buckets:] * 1000).tolist(), "text": words}
        return {"t": series.t.tolist(), **{name: _nullable(getattr(series, name)) for name in ("mean", "low", "high")}}

    @routes.get("/history/export", response_class=FileResponse)
    async def history_export(from_ms: float, to_ms: float, points: Annotated[list[str] | None, Query()] = None,
                             form: Literal["csv", "parquet"] = "csv") -> FileResponse:
        """Every reading of a span as a table: time (UTC), point, value, quality; of points that match a pattern."""
        root, made = services.history.root, Path(tempfile.mkdtemp(prefix="parktwin-")) / f"history.{form}"

        def write() -> None:
            found = tables(root, point_ids(root), from_ms=int(from_ms), to_ms=int(to_ms), points=tuple(points or ("*",)))
            with made.open("wb") as out:
                write_table(found, out, form)

        await run_in_threadpool(write)
        return FileResponse(made, filename=made.name, background=BackgroundTask(shutil.rmtree, made.parent))

    @routes.get("/commands")
    async def commands() -> list[dict[str, Any]]:
        """The last commands, newest first."""
        return plain(await runner.call(core.commands))

    @routes.post("/commands")
    async def command(order: Order) -> dict[str, Any]:
        """Give a command; the answer says how far it is, the live socket how it goes on."""
        who = _asker("commanding")
        return plain(await runner.call(lambda: core.request(
            device=order.device, key=order.key, args=order.args, by=who.user, role=who.role,
            idempotency_key=order.idempotency_key)))

    @routes.post("/commands/{command_id}/approve")
    async def approve(command_id: str) -> dict[str, Any]:
        """The second person's word for a dangerous command."""
        who = _asker("approving a command")
        return plain(await runner.call(lambda: core.approve(command_id, by=who.user, role=who.role)))

    @routes.post("/commands/{command_id}/refuse")
    async def refuse(command_id: str, body: Denied) -> dict[str, Any]:
        """The second person refuses a dangerous command, or the one who asked withdraws it."""
        who = _asker("refusing a command")
        return plain(await runner.call(lambda: core.deny(command_id, by=who.user, role=who.role, note=body.note)))

    @routes.get("/kpis")
    async def kpis(node: str = "park") -> dict[str, Any]:
        """The KPI cards of the park, a building or a storey."""
        index = services.graph.index(node)
        if not index:
            raise Refusal(404, f"no node '{node}'", "node.unknown", node=node)
        return {"node": node, "cards": plain(await runner.call(lambda: services.painters.cards(index)))}

    @routes.get("/overlays/{channel}")
    async def overlay(channel: int) -> dict[str, Any]:
        """What a channel paints: name, unit, class breaks."""
        found = services.painters.paintings.get(channel)
        if found is None:
            raise Refusal(404, f"no overlay channel {channel}; there are {sorted(services.painters.paintings)}",
                          "overlay.unknown", channel=channel)
        return {"channel": channel, "name": found.name, "name_zh": found.name_zh, "unit": found.unit,
                "breaks": list(found.breaks), "time_ms": core.clock.now() * 1000}

    @routes.get("/trail")
    async def trail(limit: int = Query(200, ge=1, le=2000)) -> list[dict[str, Any]]:
        """What was done, newest first."""
        return plain(await run_in_threadpool(core.events.trail, limit))

    @routes.get("/drills")
    async def drills_list() -> list[dict[str, Any]]:
        """Drills (scripted incidents) the live source can play; none where it cannot."""
        drills = services.drills
        if drills is None:
            return []
        return [{"key": i.key, "name": i.name, "name_zh": i.name_zh, "running": i.running}
                for i in await runner.call(drills.incidents)]

    @routes.post("/drills/{key}/start")
    async def start(key: str) -> dict[str, Any]:
        """Start a drill."""
        return await _drill(key, "start")

    @routes.post("/drills/{key}/stop")
    async def stop(key: str) -> dict[str, Any]:
        """End a drill."""
        return await _drill(key, "stop")

    async def _drill(key: str, verb: str) -> dict[str, Any]:
        who, drills = _asker("starting a drill"), services.drills
        access.require(who.role, "incident")
        drill = next((i for i in drills.incidents() if i.key == key), None) if drills else None
        if drills is None or drill is None:
            raise Refusal(404, f"no drill '{key}' can be played here", "drill.unknown", key=key)

        def work() -> None:
            (drills.start_incident if verb == "start" else drills.stop_incident)(key)
            core.note(who.user, f"drill.{verb}ed" if verb == "start" else "drill.stopped", key,
                      text=f"Drill '{drill.name}' {'started' if verb == 'start' else 'stopped'}",
                      text_zh=f"演练「{drill.name_zh}」已{'启动' if verb == 'start' else '停止'}")

        await runner.call(work)
        return {"key": key, "running": verb == "start"}

    return routes


def _nullable(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]
