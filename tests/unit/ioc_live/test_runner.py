"""The core's thread outlives a fault in one of its ticks."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest

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


def test_an_answer_and_a_fault_of_what_was_asked_are_the_askers() -> None:
    runner = CoreRunner(Core(), Silent(), lambda tick: None)  # type: ignore[arg-type]
    runner.start()
    assert runner.submit(threading.get_ident).result(5) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        runner.submit(lambda: 1 / 0).result(5)
    runner.stop()
    assert runner.faults <= 1, "the second tick's own"


def test_nobody_waits_for_a_core_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, asked = CoreRunner(Core(), Silent(), lambda tick: None), []  # type: ignore[arg-type]
    close = runner._loop.close

    def ask_too_late() -> None:
        asked.append(runner.submit(lambda: 1))
        close()

    monkeypatch.setattr(runner._loop, "close", ask_too_late)
    runner.start()
    runner.stop()
    assert asked[0].cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        runner.submit(lambda: 1)
