"""Incident reports over REST: asked for, waited for, fetched."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from ioc.access.discreet import sees_people
from ioc.access.person import require
from ioc.http.refusal import Refusal
from ioc.incident_reports import ReportDesk
from ioc.services import Services
from twin.replay import range_of


class Asked(BaseModel):
    """Which incident, in which language."""

    incident: int
    lang: Literal["zh", "en"] = "zh"


def router(services: Services) -> APIRouter:
    """Routes under `/replay/reports`; nothing in the park changes by them."""
    routes = APIRouter(tags=["replay"], prefix="/replay/reports")
    desk = ReportDesk(services)

    @routes.post("")
    def ask(wanted: Asked) -> JSONResponse:
        """Begin a report; 202 with its key."""
        who = require("viewer", "reading a report")
        return JSONResponse({"key": desk.ask(wanted.incident, wanted.lang, who.user, sees_people=sees_people(who))}, 202)

    @routes.get("/still.jpg")
    def still(at_ms: float, node: str = "park") -> Response:
        """A place as it was at an instant, from the south-west: the storey opened, rooms by temperature, alarms, people."""
        who = require("viewer", "looking at the past")
        index = services.graph.index(node)
        if not index:
            raise Refusal(404, f"no node '{node}'", "node.unknown", node=node)
        first, last = range_of(services.history, services.runner.core.clock.now())
        if not first <= at_ms <= last:
            raise Refusal(422, f"that moment is not on record; there is {first} to {last} (ms)", "replay.moment")
        body = desk.stills.still(int(at_ms), index, sees_people(who))
        return Response(body, media_type="image/jpeg", headers={"cache-control": "private, max-age=600"})

    @routes.get("/{key}")
    def state(key: str) -> dict[str, Any]:
        """How far it is: working with step and share, ready, or failed with the reason."""
        found = desk.state(key, require("viewer", "reading a report").user)
        if found is None:
            raise Refusal(404, "there is no such report any more; ask for it again", "report.gone")
        return found

    @routes.get("/{key}/report.pdf")
    def document(key: str) -> Response:
        """The document."""
        found = desk.document(key, require("viewer", "reading a report").user)
        if found is None:
            raise Refusal(404, "there is no such report, or it is not ready; ask for it again", "report.gone")
        body, name = found
        return Response(body, media_type="application/pdf", headers={
            "content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"})

    return routes
