"""`/livez`, `/readyz` for whoever restarts us; `/metrics` for whoever watches."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ioc.services import Services

#: A core that has not ticked for so long is frozen.
STILL_SECS = 5.0


class ParkMetrics(Collector):
    """Figures read off the running park when asked."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self):  # type: ignore[no-untyped-def]
        """One family a figure."""
        s, core = self._services, self._services.runner.core
        yield GaugeMetricFamily("parktwin_browsers", "Browsers on the live socket", value=len(s.hub.clients))
        yield GaugeMetricFamily("parktwin_points", "Points known", value=len(s.points))
        yield GaugeMetricFamily("parktwin_writes", "Whether this server writes alarms and commands", value=core.leads)
        yield CounterMetricFamily("parktwin_tick_faults", "Ticks of the live core that failed", value=s.runner.faults)
        yield GaugeMetricFamily("parktwin_tick_late_seconds", "How late the last tick ended", value=s.runner.late_secs)
        yield CounterMetricFamily("parktwin_ticks", "Ticks of the core", value=s.runner.ticks)
        yield CounterMetricFamily("parktwin_lagged", "Times a browser lagged and got a union", value=s.hub.dropped)
        yield CounterMetricFamily("parktwin_history_dropped", "Rows history could not take", value=s.history.dropped)
        links = GaugeMetricFamily("parktwin_source_up", "Whether the line of a source is up", labels=["source"])
        for link in list(core.links.values()):
            links.add_metric([link.connector], link.state == "live")
        yield links
        refused = CounterMetricFamily("parktwin_refused", "What sources said that could not be used", labels=["reason"])
        for reason, count in s.runner.connector.refused.items():
            refused.add_metric([reason], count)
        yield refused
        family = CounterMetricFamily("parktwin_readings", "Readings by what became of them", labels=["outcome"])
        for outcome, count in core.state.counts.items():
            family.add_metric([outcome], count)
        yield family


def router(services: Services) -> APIRouter:
    """Probes (open) and metrics (signed-in)."""
    routes = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    registry.register(ParkMetrics(services))

    @routes.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @routes.get("/readyz")
    def readyz() -> JSONResponse:
        """The core ticks, history can write, the database answers; of several servers, whether this one writes."""
        wrong = []
        if not services.runner.is_alive or max(services.runner.late_secs, services.runner.still_secs) > STILL_SECS:
            wrong.append("the live core does not tick")
        if services.history.fault:
            wrong.append(f"history cannot write: {services.history.fault}")
        if services.runner.core.events.database.is_down:
            wrong.append("the database does not answer")
        return JSONResponse({"status": "ready" if not wrong else "not ready", "wrong": wrong, **_part(services)},
                            200 if not wrong else 503)

    @routes.get("/metrics")
    def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


def _part(services: Services) -> dict[str, object]:
    """This server's part among several."""
    if services.replica is None:
        return {"role": "alone"}
    told = services.replica.servers()
    return {"role": "writer" if services.replica.leads else "follower", "here": told.here, "writer": told.writer,
            "servers": told.servers}
