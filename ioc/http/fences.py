"""Geofences: the list, who is inside, drawing one and removing one."""

from __future__ import annotations

from typing import Any

import msgspec
import shapely
from fastapi import APIRouter, Body

from ioc.access.person import Person, require
from ioc.services import Services
from twin import access
from twin.fences import Fence, FenceError, Placed, check, placed
from twin.finding import Finding
from twin.live.views import FENCE_WORDS


def router(services: Services) -> APIRouter:
    """Routes over the park's fences."""
    routes = APIRouter(tags=["spatial"])
    runner, core, files = services.runner, services.runner.core, services.fences

    @routes.get("/fences")
    async def fences() -> dict[str, Any]:
        """Every fence where it stands, who is inside, and what is wrong with those left out."""
        require("viewer", "reading the fences")
        inside, stand, here = await runner.call(lambda: (core.watch.inside(), core.watch.fences,
                                                         set(core.tracks.present().tolist())))
        drawn = {fence.id for fence in files.drawn}
        roles = sorted({track.role for track in services.tracks if track.role})
        return {"fences": [{**msgspec.to_builtins(p.fence), "outline": _outline(p.shape), "drawn": p.fence.id in drawn,
                            "band": None if p.z0 == -float("inf") else [p.z0, p.z1],
                            "middle": [round(v, 2) for v in _middle(p.shape)],
                            "inside": len(here.intersection(inside.get(p.fence.id, ())))}
                           for p in stand],
                "roles": roles, "rules": {key: {"name": en, "name_zh": zh} for key, (en, zh) in FENCE_WORDS.items()},
                "findings": [{"what": f.what, "where": f.where, "mend": f.mend} for f in services.fence_findings]}

    @routes.post("/fences")
    async def add(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008 - FastAPI's way
        """Draw a fence; it is watched from the next fix on. 422 with the fault when it does not hold together."""
        who = _may("drawing a fence")
        try:
            fence = msgspec.convert(body, Fence)
        except msgspec.ValidationError as error:
            raise FenceError(f"the fence is not complete: {error}", mend="give id, name, rule, place and response",
                             code="fence.shape", fill={"why": str(error)}) from error
        placed(check(fence), services.outline)
        files.add(fence)
        await runner.call(lambda: _replace(services, who.user, fence, "fence.added", "added", "新建"))
        return {"id": fence.id}

    @routes.delete("/fences/{fence_id}")
    async def remove(fence_id: str) -> dict[str, Any]:
        """Remove a drawn fence; its alarms return to normal."""
        who = _may("removing a fence")
        fence = files.remove(fence_id)
        await runner.call(lambda: _replace(services, who.user, fence, "fence.removed", "removed", "删除"))
        return {"id": fence.id}

    return routes


def _may(doing: str) -> Person:
    who = require("viewer", doing)
    access.require(who.role, "fence")
    return who


def _replace(services: Services, user: str, fence: Fence, what: str, word: str, word_zh: str) -> None:
    core = services.runner.core
    core.place_fences(stand(services))
    core.note(user, what, fence.id, text=f"Fence '{fence.name}' {word}",
              text_zh=f"围栏「{fence.name_zh or fence.name}」已{word_zh}")


def redraw(services: Services) -> None:
    """Another server of this park keeps the drawn fences: watch them as they are now."""
    services.fences.reread()
    services.runner.core.place_fences(stand(services))


def stand(services: Services) -> list[Placed]:
    """Every fence with its geometry; one whose place is gone is left out and told."""
    found = []
    services.fence_findings[:] = services.fences.findings
    for fence in services.fences.all():
        try:
            found.append(placed(fence, services.outline))
        except FenceError as error:
            services.fence_findings.append(Finding("warning", error.what, "fences", error.mend))
    return found


def _outline(shape: shapely.Geometry) -> list[list[list[float]]]:
    """Rings (or the line) of a shape, park metres."""
    parts = getattr(shape, "geoms", [shape])
    rings = [part.exterior.coords if part.geom_type == "Polygon" else part.coords for part in parts]
    return [[[round(x, 2), round(y, 2)] for x, y, *_ in ring] for ring in rings]


def _middle(shape: shapely.Geometry) -> tuple[float, float]:
    at = shape.representative_point()
    return float(at.x), float(at.y)
