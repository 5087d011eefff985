"""The guard: one pure ASGI layer over HTTP and WebSocket in front of every route, Panel's own included.

Order of the checks: Host, Origin, allow-list, session, CSRF token. Sockets opened under a session are closed when it ends.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ioc.access import person
from ioc.access.accounts import Accounts, Session

COOKIE = "parktwin"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Everything that answers without a session. The set-up and sign-in pages carry their style inside; machines that post
#: to ingest show a token of their own.
OPEN_PATHS = frozenset({
    "/signin", "/setup", "/demo", "/screen", "/livez", "/readyz", "/api/v1/ingest", "/favicon.ico",
    "/assets/signin.css", "/assets/icon.svg"})
#: What a wall's screen may ask for: its own page, what that page reads, nothing about where a person went.
SCREEN_MAY = ("/wall", "/live", "/api/v1/", "/tiles/", "/assets/", "/static/", "/components/", "/signout")
SCREEN_MAY_NOT = ("/live/replay", "/api/v1/tracks/", "/api/v1/wall/screens")
CLOSED_BY_SIGN_OUT = 4401
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SWEEP_SECS = 2.0


class Guard:
    """Lets a request or socket through only when it is allowed to be asked at all.

    Args:
        app: what is guarded.
        accounts: where sessions are found.
        hosts: names the server may be asked under (Host header without the port); empty = any.
        is_https: whether browsers reach it by https (directly or through a proxy).
    """

    def __init__(self, app: ASGIApp, accounts: Accounts, hosts: Iterable[str], is_https: bool) -> None:
        self._app = app
        self._accounts = accounts
        self._hosts = frozenset(hosts)
        self._is_https = is_https
        self._sockets: dict[str, set[asyncio.Event]] = {}
        accounts.on_end.append(self._close_sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        refusal = self._refuse_place(scope, headers)
        session = self._accounts.find(cookie_of(headers))
        is_open = scope["type"] == "http" and scope["path"] in OPEN_PATHS
        if refusal is None and session is None and not is_open:
            refusal = (401, "sign in first")
        if refusal is None and session is not None and not is_open and not _has_token(scope, headers, session):
            refusal = (403, "the X-CSRF-Token header is missing or wrong")
        if refusal is None and session is not None and not is_open and session.person.is_screen:
            refusal = _refuse_screen(scope)
        if refusal is not None:
            await _refuse(scope, send, *refusal, wants_page="text/html" in headers.get("accept", ""))
            return
        person.set_current(session.person if session else None)
        scope.setdefault("state", {})["session"] = session
        if session is not None:
            self._accounts.touch(session.key)
        if scope["type"] == "websocket" and session is not None:
            await self._run_socket(session, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refuse_place(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._hosts and _without_port(host) not in self._hosts:
            return 403, "this server is not reached under that name"
        origin = headers.get("origin")
        is_change = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if scope["type"] == "websocket" and origin is None:
            return 403, "a socket must say its Origin"
        if origin is not None and (is_change or scope["type"] == "websocket"):
            parts = urlsplit(origin)
            scheme_is_right = parts.scheme == "https" if self._is_https else parts.scheme in ("http", "https")
            if not scheme_is_right or parts.netloc.lower() != host.lower():
                return 403, "the Origin is another site"
        return None

    async def _run_socket(self, session: Session, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs a socket and ends it within a moment of its session's end."""
        ended = asyncio.Event()
        self._sockets.setdefault(session.key, set()).add(ended)
        is_closed = False

        async def receive_or_end() -> Message:
            nonlocal is_closed
            if is_closed:
                return {"type": "websocket.disconnect", "code": CLOSED_BY_SIGN_OUT}
            incoming, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(ended.wait())
            try:
                await asyncio.wait((incoming, ending), return_when=asyncio.FIRST_COMPLETED)
                if not ended.is_set():
                    message = incoming.result()
                    if message["type"] == "websocket.receive":
                        self._accounts.touch(session.key)
                    return message
            finally:
                for task in (incoming, ending):
                    task.cancel()
            is_closed = True
            await send({"type": "websocket.close", "code": CLOSED_BY_SIGN_OUT, "reason": "signed out"})
            return {"type": "websocket.disconnect", "code": CLOSED_BY_SIGN_OUT}

        async def send_while_open(message: Message) -> None:
            if not is_closed:
                await send(message)

        try:
            await self._app(scope, receive_or_end, send_while_open)
        finally:
            mine = self._sockets.get(session.key, set())
            mine.discard(ended)
            if not mine:
                self._sockets.pop(session.key, None)

    def _close_sockets(self, key: str) -> None:
        for ended in self._sockets.get(key, set()):
            ended.set()

    @property
    def open_sockets(self) -> int:
        """How many sockets are open under sessions now."""
        return sum(len(events) for events in self._sockets.values())


async def sweep_forever(accounts: Accounts) -> None:
    """Ends idle, old and elsewhere ended sessions (and so their sockets) soon after their time; runs until cancelled."""
    while True:
        await asyncio.sleep(SWEEP_SECS)
        accounts.sweep(await asyncio.to_thread(accounts.elsewhere))


def cookie_of(headers: dict[str, str]) -> str | None:
    """The session cookie of a request; None when there is none or it is not a cookie header at all."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel and re.fullmatch(r"[\w-]{20,128}", morsel.value, re.ASCII) else None


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}; {value}" if name == "cookie" and name in found else value
    return found


def _without_port(host: str) -> str:
    return re.sub(r":\d+$", "", host.lower())


def _has_token(scope: Scope, headers: dict[str, str], session: Session) -> bool:
    if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
        return True
    return secrets.compare_digest(headers.get("x-csrf-token", "").encode("latin-1"), session.csrf.encode())


def _refuse_screen(scope: Scope) -> tuple[int, str] | None:
    path = scope["path"]
    if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and path != "/signout":
        return 403, "this is a screen of the wall: it only reads"
    if not path.startswith(SCREEN_MAY) or path.startswith(SCREEN_MAY_NOT):
        return 403, "this is a screen of the wall: it shows /wall alone"
    return None


async def _refuse(scope: Scope, send: Send, status: int, why: str, *, wants_page: bool) -> None:
    if scope["type"] == "websocket":
        if "websocket.http.response" in scope.get("extensions", {}):
            await send({"type": "websocket.http.response.start", "status": status,
                        "headers": [(b"content-type", b"text/plain; charset=utf-8")]})
            await send({"type": "websocket.http.response.body", "body": why.encode()})
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    if status == 401 and wants_page and scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/signin")]})
        await send({"type": "http.response.body", "body": b""})
        return
    body = why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
