"""What a refused request is answered with: English for API users, a code and its filling for pages to say it themselves.

    {"detail": "<what is wrong>; <what to do>", "code": "incident.alarms_live", "fill": {"n": 2}}

The words of each code are `assets/i18n/refusals.{zh,en}.json`. A request of the wrong shape keeps FastAPI's list in `detail`
and has the code `request.shape`.
"""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from twin.commands import CommandConflict
from twin.database import StoreDown
from twin.errors import AccessDenied, TwinError

CONFLICTS = frozenset({"edit.late", "edit.publishing", "approval.late", "approval.not_waiting"})


class Refusal(HTTPException):
    """A refusal of a route's own.

    Args:
        status: of the answer.
        detail: what is wrong, in English.
        code: names it for pages.
        fill: what the page's words are filled with.
    """

    def __init__(self, status: int, detail: str, code: str, **fill: str | float) -> None:
        super().__init__(status, detail)
        self.code = code
        self.fill = fill


def refused(status: int, detail: str, code: str, fill: dict[str, str | float]) -> Response:
    """The answer itself."""
    return JSONResponse({"detail": detail, "code": code, "fill": fill}, status)


def add_refusals(app: FastAPI) -> None:
    """Answer every error a person can mend, in one shape."""

    @app.exception_handler(Refusal)
    def own(_: Request, error: Refusal) -> Response:
        return refused(error.status_code, error.detail, error.code, error.fill)

    @app.exception_handler(TwinError)
    def wrong(_: Request, error: TwinError) -> Response:
        status = 403 if isinstance(error, AccessDenied) else 422
        if isinstance(error, CommandConflict) or error.code in CONFLICTS:
            status = 409
        if isinstance(error, StoreDown):
            status = 503
        return refused(status, f"{error.what}; {error.mend}", error.code, error.fill)

    @app.exception_handler(RequestValidationError)
    def shape(_: Request, error: RequestValidationError) -> Response:
        told = jsonable_encoder(error.errors())
        first = told[0] if told else {"loc": ["body"], "msg": ""}
        fill = {"where": str(first["loc"][-1]) if first["loc"] else "", "why": first["msg"]}
        return JSONResponse({"detail": told, "code": "request.shape", "fill": fill}, 422)
