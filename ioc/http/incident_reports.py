"""Incident reports over REST: asked for, waited for, fetched."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from ioc.access.person import require
from ioc.incident_reports import ReportDesk
from ioc.services import Services


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
        return JSONResponse({"key": desk.ask(wanted.incident, wanted.lang, who.user)}, 202)

    @routes.get("/{key}")
    def state(key: str) -> dict[str, Any]:
        """How far it is: working with step and share, ready, or failed with the reason."""
        found = desk.state(key, require("viewer", "reading a report").user)
        if found is None:
            raise HTTPException(404, "there is no such report any more; ask for it again")
        return found

    @routes.get("/{key}/report.pdf")
    def document(key: str) -> Response:
        """The document."""
        found = desk.document(key, require("viewer", "reading a report").user)
        if found is None:
            raise HTTPException(404, "there is no such report, or it is not ready; ask for it again")
        body, name = found
        return Response(body, media_type="application/pdf", headers={
            "content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"})

    return routes
