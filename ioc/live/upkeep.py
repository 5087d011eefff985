"""What a running server does for itself now and then: closed days of history become day files, old ones thin."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import BrokenExecutor

import pyarrow as pa

from ioc.services import Services
from twin.errors import TwinError
from twin.history.keeping import Keeping, Kept
from twin.history.lake import publish
from twin.history.store import History
from twin.memory import give_back
from twin.park import HistorySpec
from twin.ports import Clock

EVERY_SECS = 3600.0
log = logging.getLogger(__name__)


async def keep_compact(history: History, clock: Clock, every_secs: float = EVERY_SECS,
                       spec: HistorySpec | None = None, publishes: Callable[[], bool] = lambda: True) -> None:
    """Compact, thin, delete and (where it `publishes`) publish at start and every hour, beside the loop.

    A fault is told and tried again.
    """
    spec = spec or HistorySpec()
    while True:
        try:
            await asyncio.to_thread(_one_round, history, clock.now(), spec, publishes())
        except (OSError, pa.ArrowException, TwinError) as error:
            log.error("history could not be looked after: %s", error)
        await asyncio.sleep(every_secs)


def _one_round(history: History, now: float, spec: HistorySpec, publishes: bool) -> None:
    if written := history.compact(now):
        log.info("history: %s day files written", written)
    if spec.publish and publishes and (days := publish(history.root, spec.publish, until_ms=int(now * 1000))):
        log.info("history: %s days published to %s", days, spec.publish)
    kept = history.keep(Keeping(thin=spec.thin, days=spec.days, positions_days=spec.positions_days), now)
    if kept != Kept():
        log.info("history: %s days thinned, %s deleted", kept.thinned, kept.deleted)


async def watch_build(services: Services, every_secs: float = 5.0) -> None:
    """Where several servers share the park's folder: a build that another of them published is served here too."""
    manifest = services.build_dir / "manifest.json"
    while services.replica is not None:
        await asyncio.sleep(every_secs)
        try:
            build = json.loads(await asyncio.to_thread(manifest.read_bytes)).get("build")
        except (OSError, ValueError):  # between two builds
            continue
        if build != services.manifest.get("build"):
            services.edits.on_published()
            return


async def remember_the_day(services: Services) -> None:
    """Read the key figures' last day from history beside the core, then hand it over between two ticks."""
    try:
        past = await asyncio.to_thread(services.painters.remembered, services.runner.core.clock.now())
        await services.runner.call(lambda: services.painters.prepend(past))
    except (OSError, pa.ArrowException) as error:
        log.error("the cards begin without their day: %s", error)


async def keep_energy(services: Services, every_secs: float = 300.0) -> None:
    """Tell the energy points every few minutes and forecast once a day, beside the loop; a fault is told and tried again."""
    core, desk = services.runner.core, services.energy
    while True:
        try:
            await asyncio.to_thread(desk.foretell, core.clock.now())
            readings = await asyncio.to_thread(desk.readings, core.clock.now())
            await services.runner.call(lambda told=readings: core.ingest(told))  # type: ignore[misc]
            await asyncio.to_thread(give_back)
        except (OSError, pa.ArrowException, BrokenExecutor) as error:
            log.error("energy could not be worked out: %s", error)
        await asyncio.sleep(every_secs)
