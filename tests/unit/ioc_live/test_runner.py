"""The core's thread outlives a fault in one of its ticks."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

from ioc.live.runner import CoreRunner


class Core:
    """Fails at its second tick."""

    ticks = 0

    def tick(self) -> SimpleNamespace:
        self.ticks += 1
        if self.ticks == 2:
            raise TypeError("a number nobody can store")
        return SimpleNamespace(orders=[], sendings=[])


class Silent:
    """A connector that says nothing."""

    name = "silent"

    async def run(self, core: object) -> None:
        await asyncio.sleep(3600)


def test_a_fault_in_a_tick_is_counted_and_the_next_tick_runs() -> None:
    core, seen = Core(), []
    runner = CoreRunner(core, Silent(), seen.append)  # type: ignore[arg-type]
    runner.start()
    end = time.monotonic() + 10
    while core.ticks < 4 and time.monotonic() < end:
        time.sleep(0.02)
    alive = runner.is_alive
    runner.stop()
    assert alive
    assert core.ticks >= 4
    assert runner.faults == 1
    assert len(seen) >= 2, "the others went out"
