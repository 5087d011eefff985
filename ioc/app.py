"""The application: routes by subject, Panel's pages, and the guard and headers around all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp

from ioc.access.guard import Guard, sweep_forever
from ioc.access.headers import SecurityHeaders
from ioc.http import (
    API,
    alarms,
    coverage,
    discreet,
    dispatches,
    door,
    edits,
    energy,
    escape,
    fences,
    files,
    graph,
    health,
    incident_reports,
    incidents,
    ingest,
    live,
    park,
    people,
    replay,
    schemes,
    screens,
    spatial,
    trajectories,
    wall,
)
from ioc.http.forward import Forward, doing
from ioc.http.refusal import add_refusals
from ioc.live import replay as replay_socket
from ioc.live import socket
from ioc.live.upkeep import keep_compact, keep_energy, remember_the_day, watch_build
from ioc.panel_pages import PanelPages
from ioc.services import Services


def create_app(services: Services, *, secret: bytes, hosts: list[str], origins: list[str]) -> tuple[ASGIApp, FastAPI]:
    """The guarded application and, for tests and inspection, the FastAPI app inside it.

    Args:
        services: the park being served.
        secret: signs Panel's page sessions.
        hosts: names the server may be asked under, without the port; empty = any.
        origins: hosts with port that Panel's sockets accept.
    """
    app = FastAPI(title="Parktwin", version="1", docs_url=None, redoc_url=None, lifespan=_lifespan(services))
    app.state.services = services
    app.add_middleware(Forward, replica=services.replica)  # within the next: what the past asks for goes nowhere
    app.middleware("http")(replay.refuse_from_replay)
    app.middleware("http")(discreet.without_names(services))
    for part in (park, energy, alarms, live, incidents, dispatches, spatial, trajectories, people, fences, schemes, coverage,
                 replay, wall, incident_reports, screens, escape, graph, edits):
        app.include_router(part.router(services), prefix=API)
    app.include_router(ingest.router(services.ingest, lambda: ingest.kept(services.runner, services.history)), prefix=API)
    app.include_router(door.me_router(services), prefix=API)
    for routes in (door.router(services), screens.door(services), files.router(services), health.router(services),
                   replay_socket.router(services), socket.router(services)):
        app.include_router(routes)
    _add_docs(app)
    add_refusals(app)
    app.state.pages = PanelPages(app, secret, origins)
    guarded = Guard(app, services.accounts, hosts, services.is_https)
    return SecurityHeaders(guarded, services.is_https), app


#: How long a server that starts waits for the key figures' last day before it answers.
DAY_SECS = 3.0


def _lifespan(services: Services):  # type: ignore[no-untyped-def]
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loop, replica = asyncio.get_running_loop(), services.replica
        services.hub.attach(loop)
        if not services.runner.is_alive:
            services.runner.start()
        if replica is not None:
            replica.start(loop, doing(app, services.accounts))
        day = asyncio.create_task(remember_the_day(services))
        chores = [day, *(asyncio.create_task(chore) for chore in (
            sweep_forever(services.accounts),
            keep_compact(services.history, services.runner.core.clock, spec=services.spec.history,
                         publishes=lambda: services.runner.core.leads),
            keep_energy(services), watch_build(services)))]
        try:
            await asyncio.wait([day], timeout=DAY_SECS)  # the first page has it then, and the processor to itself
            yield
        finally:
            for chore in chores:
                chore.cancel()
            services.runner.stop()
            if replica is not None:
                await asyncio.to_thread(replica.stop)
            services.history.close()

    return lifespan


def _add_docs(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        """The API's pages, from our own files."""
        return get_swagger_ui_html(
            openapi_url="/openapi.json", title="Parktwin API", swagger_js_url="/assets/swagger-ui-bundle.js",
            swagger_css_url="/assets/swagger-ui.css", swagger_favicon_url="/assets/icon.svg")
