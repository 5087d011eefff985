"""The video wall: what it shows, its tour, and driving it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from ioc.access.person import require
from ioc.services import Services
from twin.wire import WallStop


class Drive(BaseModel):
    """A hand on the wall; `node` for show, `alarm` for alarm."""

    verb: Literal["next", "previous", "pause", "resume", "show", "alarm"]
    node: str = Field("", max_length=300)
    alarm: int = 0


class StopBody(BaseModel):
    """One view of the tour."""

    name: str = Field(min_length=1, max_length=80)
    name_zh: str = Field("", max_length=80)
    node: str = Field(min_length=1, max_length=300)
    seconds: float = Field(20, ge=5, le=3600)
    camera: list[float] = Field(default_factory=list, max_length=6)
    channel: int = Field(0, ge=0, le=255)
    layers: list[Literal["people", "vehicles", "devices", "labels", "trees", "pipes"]] = Field(
        default=["people", "vehicles", "devices", "labels", "trees"], max_length=6)


class Tour(BaseModel):
    """The whole tour, in order."""

    stops: list[StopBody] = Field(max_length=40)


def router(services: Services) -> APIRouter:
    """Routes of the wall."""
    routes = APIRouter(tags=["wall"])
    runner, desk = services.runner, services.wall

    @routes.get("/wall")
    async def wall() -> dict[str, Any]:
        """What the wall shows now."""
        require("viewer", "reading the wall")
        return msgspec.to_builtins(await runner.call(desk.view))

    @routes.put("/wall/tour")
    async def tour(body: Tour) -> dict[str, Any]:
        """Replace the tour."""
        who = require("viewer", "editing the tour")
        stops = [WallStop(**stop.model_dump()) for stop in body.stops]
        return msgspec.to_builtins(await runner.call(lambda: desk.edit(stops, by=who.user, role=who.role)))

    @routes.post("/wall/drive")
    async def drive(body: Drive) -> dict[str, Any]:
        """Next, previous, pause, resume, show a place, show an alarm."""
        who = require("viewer", "driving the wall")
        return msgspec.to_builtins(await runner.call(lambda: desk.drive(
            body.verb, node=body.node, alarm=body.alarm, by=who.user, role=who.role)))

    return routes
