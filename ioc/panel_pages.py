"""Panel's pages on our FastAPI app, with the defects of the pair closed.

Closed here: `add_application` drops its arguments (we use `add_applications`); all cookies and headers went into the page's
token (none do); sessions stayed after the browser left (the receive loop ends and frees them); `GET /components/<module>/`
imported any installed module (only our own component's is served). The guard (`ioc.access.guard`) closes the other two:
WebSockets unguarded and Origin unchecked. One Panel process serves a replica; `parktwin serve` starts exactly one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from typing import Any

import panel as pn
from bokeh.protocol.exceptions import ProtocolError
from bokeh.settings import settings
from bokeh_fastapi.application import BokehFastAPI
from bokeh_fastapi.handler import WSHandler
from fastapi import FastAPI
from fastapi.routing import APIRoute
from panel.io.fastapi import add_applications
from starlette.websockets import WebSocket, WebSocketDisconnect

from ioc.page import find_pages

log = logging.getLogger(__name__)
UNUSED_SECS = 20.0


async def _receive_until_gone(self: WSHandler) -> None:
    """The receive loop, ended by the browser's leaving; the connection is always given back."""
    try:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            fragment = message.get("text") if message.get("text") is not None else message.get("bytes")
            assembled = await self._receive(fragment) if fragment is not None else None
            if assembled and (work := await self._handle(assembled)):
                await self.send_message(work)
    except (WebSocketDisconnect, RuntimeError) as error:
        log.debug("a page's socket ended: %s", error)
    finally:
        if self.connection is not None:
            self.application.client_lost(self.connection)


async def _connect_or_refuse(self: WSHandler, socket: WebSocket) -> None:
    """A page's socket whose token is forged, old or no token at all is refused, without a server error for each."""
    try:
        await _connect(self, socket)
    except (ProtocolError, RuntimeError, ValueError, NameError, zlib.error) as error:
        log.warning("a page's socket was refused: %s", error)
        with contextlib.suppress(RuntimeError):  # it was closed already
            await socket.close(1008)


_connect = WSHandler.ws_connect
WSHandler.ws_connect = _connect_or_refuse
WSHandler._receive_loop = _receive_until_gone  # bokeh-fastapi #19: sessions were never freed


class PanelPages:
    """Panel's part of the application.

    Args:
        app: where the pages are added.
        secret: signs page sessions.
        origins: hosts (with port) that pages may be reached under.
    """

    def __init__(self, app: FastAPI, secret: bytes, origins: list[str]) -> None:
        pn.config.sizing_mode = "stretch_both"
        settings.resources.set_value("server")  # Panel sets and unsets it at every page; in between another names its CDN
        pages: dict[str, Any] = {path: page.build for path, page in find_pages().items()}
        titles = {path: page.title for path, page in find_pages().items()}
        made: list[BokehFastAPI] = []
        keep = BokehFastAPI.__init__

        def remember(self: BokehFastAPI, *args: Any, **kwargs: Any) -> None:
            keep(self, *args, **kwargs)
            made.append(self)

        BokehFastAPI.__init__ = remember  # type: ignore[method-assign]
        try:
            add_applications(
                pages, app=app, title=titles, location=False, secret_key=secret, sign_sessions=True, include_cookies=[],
                include_headers=[], websocket_origin=origins, check_unused_sessions_milliseconds=5_000,
                unused_session_lifetime_milliseconds=int(UNUSED_SECS * 1000))
        finally:
            BokehFastAPI.__init__ = keep  # type: ignore[method-assign]
        (self._bokeh,) = made
        _only_own_components(app)

    @property
    def session_count(self) -> int:
        """Page sessions alive now."""
        return sum(len(context._sessions) for context in self._bokeh._applications.values())

    async def free_unused(self) -> None:
        """Free what no browser holds, now instead of at the next sweep."""
        for context in self._bokeh._applications.values():
            await context._cleanup_sessions(0)
        await asyncio.sleep(0)


def _only_own_components(app: FastAPI) -> None:
    """Takes Panel's component route out: our one component carries its module in the page."""
    app.router.routes[:] = [route for route in app.router.routes
                            if not (isinstance(route, APIRoute) and route.path.startswith("/components"))]
