"""Answers of REST to whoever may not follow people: without their names, whatever route they come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from ioc.access.discreet import sees_people
from ioc.access.person import current
from ioc.http import API
from ioc.services import Services

#: Figures and what was built: nobody is named there.
NAMELESS = tuple(f"{API}/{part}" for part in (
    "history", "tree", "devices", "spaces", "schemes", "overlays", "coverage", "energy", "graph", "nodes", "properties",
    "values", "kpis", "park", "ingest"))


def without_names(services: Services) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """The middleware; only JSON of people's routes is touched, and only for those it is meant for."""

    async def middleware(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call_next(request)
        path = request.url.path
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        if not path.startswith(f"{API}/") or path.startswith(NAMELESS) or not is_json or sees_people(current()):
            return answer
        body = b"".join([part async for part in answer.body_iterator])  # type: ignore[attr-defined]
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return Response(services.discretion.json(body) if body else body, answer.status_code, headers)

    return middleware
