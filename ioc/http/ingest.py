"""HTTP in: batches of values posted by machines, let in by a source's own token instead of a session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from connectors.http_in import Full, HttpInConnector
from ioc.live.runner import TICK_SECS, CoreRunner
from twin.history.store import History

PATH = "/api/v1/ingest"
MAX_BYTES = 8_000_000
TAKEN_WITHIN_SECS = 10.0


def router(doors: Sequence[HttpInConnector], is_kept: Callable[[], Awaitable[bool]]) -> APIRouter:
    """`POST /ingest`.

    Args:
        doors: the park's `http-in` sources; without one nobody is let in.
        is_kept: waits until what was handed over before is on disk; whether it is.
    """
    routes = APIRouter(tags=["live"])

    @routes.post("/ingest")
    async def ingest(request: Request) -> dict[str, Any]:
        """Values in: `{"ts": ms, "d": {device: {point: value}}}`, or `"a": {address: value}` by the source's points file.

        One batch or a list of them, with `Authorization: Bearer <token>`. 200 says they are live and on disk; 503 with
        Retry-After: the core is behind, or the disk is full. Post the same again later; what is there already is not doubled.
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
        if taken and not await is_kept():
            raise HTTPException(503, "live, but history cannot write it; post the same again later", {"Retry-After": "10"})
        return {"taken": taken, "refused": refused}

    return routes


async def kept(runner: CoreRunner, history: History) -> bool:
    """Whether what the core was handed before is on disk, after the tick that works it through."""
    end = time.monotonic() + TAKEN_WITHIN_SECS
    before, ticket = await runner.call(lambda: runner.ticks), -1
    while ticket < 0 or history.durable < ticket:
        if history.fault is not None or time.monotonic() > end:
            return False
        await asyncio.sleep(TICK_SECS / 4)
        if ticket < 0 and runner.ticks > before:
            ticket = history.ticket
    return True


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
