"""Changes asked of a server that follows are done by the one that writes, with the same person and the same answer.

The request goes by the database (`twin.shared.asks`), so that servers need not reach one another. It is done at most once:
when the writer goes away half-way, whoever asked is told that it may have been done, and looks.
"""

from __future__ import annotations

import asyncio
import logging

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ioc.access import person
from ioc.access.accounts import Accounts
from ioc.access.guard import SAFE_METHODS
from ioc.http import API
from ioc.http.refusal import refused
from ioc.live.replica import Do, Replica
from twin.database import StoreDown
from twin.shared.asks import Answer, Ask

#: Done where it is asked: it changes nothing the writer keeps, its answer is a secret, or a file made here is fetched here.
HERE = (f"{API}/ingest", f"{API}/replay/", f"{API}/wall/screens", f"{API}/drills")
#: Known to the writer alone, to read as well.
THERE = (f"{API}/edits",)
ANSWER_SECS = 10.0
MAX_BYTES = 2_000_000
log = logging.getLogger(__name__)


class Forward:
    """Around the routes.

    Args:
        app: the routes.
        replica: tells whether this server writes; None: there is one server alone.
    """

    def __init__(self, app: ASGIApp, replica: Replica | None) -> None:
        self._app, self._replica = app, replica

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replica = self._replica
        if replica is None or replica.leads or scope["type"] != "http" or not _is_for_writer(scope):
            await self._app(scope, receive, send)
            return
        await (await _ask(replica, Request(scope, receive)))(scope, receive, send)


def _is_for_writer(scope: Scope) -> bool:
    path: str = scope["path"]
    if "ask" in scope.get("state", {}):
        return False
    return path.startswith(THERE) or (scope["method"] not in SAFE_METHODS and path.startswith(f"{API}/")
                                      and not path.startswith(HERE))


async def _ask(replica: Replica, request: Request) -> Response:
    body = await request.body()
    session = request.scope.get("state", {}).get("session")
    if len(body) > MAX_BYTES or session is None:
        return refused(413, f"at most {MAX_BYTES} bytes", code="request.large", fill={})
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    try:
        number = await asyncio.to_thread(lambda: replica.asks.put(
            session=session.key, method=request.method, path=path, body=body.decode("utf-8", "replace")))
        said = await replica.answer_to(number, ANSWER_SECS)
        if said is not None:
            return Response(said.body, said.status, media_type=said.media)
        was_taken = await asyncio.to_thread(replica.asks.give_up, number)
    except StoreDown as error:
        return refused(503, f"{error.what}; {error.mend}", error.code, {})
    if was_taken:
        return refused(503, "the server that writes did not answer, it may have been done; look, then try again",
                       code="replica.unsure", fill={})
    return refused(503, "no server writes at the moment, nothing was done; try again", code="replica.nobody", fill={})


def doing(app: FastAPI, accounts: Accounts) -> Do:
    """What answers an ask: the routes, for the person whose session it names."""
    async def do(ask: Ask) -> Answer:
        session = await asyncio.to_thread(accounts.of_key, ask.session)
        if session is None:
            return Answer(status=401, body="sign in first", media="text/plain")
        person.set_current(session.person)
        path, _, query = ask.path.partition("?")
        sent, status, media = bytearray(), 500, ""

        async def receive() -> Message:
            return {"type": "http.request", "body": ask.body.encode(), "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, media
            if message["type"] == "http.response.start":
                status = message["status"]
                media = next((v.decode("latin-1") for name, v in message["headers"] if name.lower() == b"content-type"), "")
            elif message["type"] == "http.response.body":
                sent.extend(message.get("body", b""))

        await app({"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": ask.method, "path": path,
                   "raw_path": path.encode(), "root_path": "", "scheme": "http", "query_string": query.encode(),
                   "headers": [(b"content-type", b"application/json"), (b"host", b"replica")],
                   "client": ("replica", 0), "server": ("replica", 0), "state": {"session": session, "ask": ask.id}},
                  receive, send)
        return Answer(status=status, body=sent.decode("utf-8", "replace"), media=media)

    return do
