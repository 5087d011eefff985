"""What a running server does for itself now and then: closed days of history become day files."""

from __future__ import annotations

import asyncio
import logging

import pyarrow as pa

from ioc.services import Services
from twin.history.store import History
from twin.ports import Clock

EVERY_SECS = 3600.0
log = logging.getLogger(__name__)


async def keep_compact(history: History, clock: Clock, every_secs: float = EVERY_SECS) -> None:
    """Compact at start and every hour, beside the loop; a fault is told and tried again the next time."""
    while True:
        try:
            written = await asyncio.to_thread(history.compact, clock.now())
            if written:
                log.info("history: %s day files written", written)
        except (OSError, pa.ArrowException) as error:
            log.error("history could not be compacted: %s", error)
        await asyncio.sleep(every_secs)


async def remember_the_day(services: Services) -> None:
    """Read the key figures' last day from history beside the core, then hand it over between two ticks."""
    try:
        past = await asyncio.to_thread(services.painters.remembered, services.runner.core.clock.now())
        await services.runner.call(lambda: services.painters.prepend(past))
    except (OSError, pa.ArrowException) as error:
        log.error("the cards begin without their day: %s", error)
