"""HTTP in: batches of values posted by machines, let in by a source's own token instead of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from connectors.http_in import Full, HttpInConnector

PATH = "/api/v1/ingest"
MAX_BYTES = 8_000_000
TAKEN_WITHIN_SECS = 10.0


def router(doors: Sequence[HttpInConnector]) -> APIRouter:
    """`POST /ingest`. Doors are the park's `http-in` sources; without one nobody is let in."""
    routes = APIRouter(tags=["live"])

    @routes.post("/ingest")
    async def ingest(request: Request) -> dict[str, Any]:
        """Values in: `{"ts": ms, "d": {device: {point: value}}}`, or `"a": {address: value}` by the source's points file.

        One batch or a list of them, with `Authorization: Bearer <token>`. 200 says the live core has them; 503 with
        Retry-After: it is behind, post again later.
        """
        door = _door(doors, request.headers.get("authorization", ""))
        body = await _body(request)
        try:
            taken, refused = await asyncio.wait_for(asyncio.wrap_future(door.put(body)), TAKEN_WITHIN_SECS)
        except (Full, TimeoutError) as error:
            raise HTTPException(503, "the live core is behind; post again later", {"Retry-After": "2"}) from error
        except (ValueError, RecursionError) as error:
            door.refuse("no batch", error)
            raise HTTPException(422, f"not a batch: {error}") from error
        return {"taken": taken, "refused": refused}

    return routes


def _door(doors: Sequence[HttpInConnector], authorization: str) -> HttpInConnector:
    kind, _, token = authorization.partition(" ")
    found = next((door for door in doors if kind.lower() == "bearer" and door.lets_in(token.strip().encode())), None)
    if found is None:
        raise HTTPException(401, "the Authorization header names no source's token", {"WWW-Authenticate": "Bearer"})
    return found


async def _body(request: Request) -> bytes:
    """The whole body, refused as soon as it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise HTTPException(413, f"a batch is at most {MAX_BYTES} bytes; post several")
        parts.append(part)
    return b"".join(parts)
