"""Ways out on foot from a storey, round what burns now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from ioc.access.person import require
from ioc.services import Services
from twin.escape import escape

FIRE_PACK = "fire"
ACTIVE = ("unacknowledged", "acknowledged")


def router(services: Services) -> APIRouter:
    """The route of the ways out."""
    routes = APIRouter(tags=["spatial"])
    core, graph = services.runner.core, services.graph
    is_fire = {device.id: services.points.kind[row].pack == FIRE_PACK for row, device in enumerate(services.points.devices)}

    def burning() -> set[int]:
        """Rooms with an urgent fire alarm that is active now."""
        return {graph.ancestor(alarm.node, "space") for alarm in core.alarms()
                if alarm.priority == 1 and alarm.state in ACTIVE and is_fire.get(alarm.device)} - {0}

    @routes.get("/escape")
    async def ways_out(node: str) -> dict[str, Any]:
        """From every room of the storey a node is in to an entrance of its building: by stairs, never by lift.

        Not through rooms on fire; `shut` are rooms without any way. Nothing is said of a storey the walking graph has not.
        """
        require("viewer", "reading the ways out")
        storey = graph.ancestor(graph.index(node), "storey")
        if not storey or core.incidents is None:
            return {"storey": "", "ways": [], "shut": [], "burning": []}
        walk, on_fire = core.incidents.answers.reach.walk, await services.runner.call(burning)
        found = await run_in_threadpool(escape, walk, graph, storey, on_fire)
        ids = graph.columns["id"]
        return {"storey": str(ids[storey]), "burning": sorted(str(ids[room]) for room in on_fire),
                "shut": [str(ids[room]) for room in found.shut],
                "ways": [{"room": str(ids[way.room]), "exit": str(ids[way.exit]), "metres": round(way.metres, 1),
                          "points": way.xyz.round(2).tolist()} for way in found.ways]}

    return routes
