"""Sending people: who is near on foot, sending one, releasing them; and devices by walking distance."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ioc.access.person import require
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin import access
from twin.live.core import LiveCore
from twin.live.dispatch import DispatchDesk


class Sending(BaseModel):
    """Who is sent where and why: a person by track id, else the nearest of a role."""

    node: str = Field(max_length=300)
    reason: str = Field(min_length=2, max_length=300)
    person: str = Field("", max_length=100)
    role: str = Field("guard", max_length=50)
    incident: int = 0


def _desk(core: LiveCore) -> DispatchDesk:
    if core.dispatches is None:
        raise Refusal(404, "nobody can be sent in this park", "dispatch.none")
    return core.dispatches


def router(services: Services) -> APIRouter:
    """Routes over dispatches."""
    routes = APIRouter(tags=["incidents"])
    runner, core = services.runner, services.runner.core

    def place(node: str) -> int:
        index = services.graph.index(node)
        if not index:
            raise Refusal(404, f"no node '{node}'", "node.unknown", node=node)
        return index

    @routes.get("/dispatches")
    async def dispatches() -> dict[str, Any]:
        """Who is on the way or at their place."""
        require("operator", "reading dispatches")
        return {"dispatches": msgspec.to_builtins(await runner.call(lambda: _desk(core).live()))}

    @routes.get("/dispatches/candidates")
    async def candidates(node: str, role: str = "guard") -> dict[str, Any]:
        """People of a role in the park, the nearest on foot first."""
        require("operator", "reading who is near")
        at = place(node)
        found = await runner.call(lambda: _desk(core).candidates(at, role))
        roles = sorted({t.role for t in services.tracks if t.kind == "person" and t.role})
        return {"roles": roles, "candidates": [
            {"person": c.track.id, "track": c.track.i, "name": c.track.name, "name_zh": c.track.name_zh or c.track.name,
             "metres": round(c.metres, 1), "busy": c.is_busy} for c in found]}

    @routes.post("/dispatches")
    async def send(body: Sending) -> dict[str, Any]:
        """Send a person."""
        who = require("viewer", "sending a person")
        at = place(body.node)
        return msgspec.to_builtins(await runner.call(lambda: core.send(
            person=body.person, role=body.role, node=at, reason=body.reason, incident=body.incident, by=who.user,
            by_role=who.role)))

    @routes.post("/dispatches/{dispatch_id}/release")
    async def release(dispatch_id: str) -> dict[str, Any]:
        """Call a person back."""
        who = require("viewer", "releasing a person")
        access.require(who.role, "dispatch")
        return msgspec.to_builtins(await runner.call(
            lambda: _desk(core).release(dispatch_id, now=core.clock.now(), note=f"by {who.user}")))

    @routes.get("/near")
    async def near(node: str, kind: str, count: int = Query(4, ge=1, le=50)) -> dict[str, Any]:
        """Devices of a kind by metres walked to a node; null where no way is known."""
        require("viewer", "reading what is near")
        at = place(node)
        found = await runner.call(lambda: _desk(core).reach.devices(at, kind, "nearest", count=count, besides=node))
        return {"devices": [{"device": n.device, "metres": round(n.metres, 1) if np.isfinite(n.metres) else None}
                            for n in found]}

    return routes
