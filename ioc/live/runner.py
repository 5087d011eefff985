"""The live core in a thread and loop of its own, so that page builds never hold up a tick."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from twin.live.core import LiveCore
from twin.live.tick import Tick
from twin.ports import Connector

TICK_SECS = 0.1
RESTART_SECS = 3.0
T = TypeVar("T")
log = logging.getLogger(__name__)


class CoreRunner:
    """Owns the core's thread: runs its connector, ticks it, and runs calls from other threads on it.

    Args:
        core: used from this thread only, once started.
        connector: the park's live source.
        on_tick: called in the core's thread after every tick.
    """

    def __init__(self, core: LiveCore, connector: Connector, on_tick: Callable[[Tick], None]) -> None:
        self.core = core
        self.connector = connector
        self.ticks = 0
        self.late_secs = 0.0
        self._ticked = time.monotonic()
        self.faults = 0
        self._on_tick = on_tick
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: set[Future[Any]] = set()

    @property
    def is_alive(self) -> bool:
        """Whether the core's thread runs."""
        return self._thread.is_alive()

    @property
    def still_secs(self) -> float:
        """How long ago the last tick ended: grows while something holds the core's thread."""
        return time.monotonic() - self._ticked

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End connector and ticking; returns when the thread is done."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=15)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Run `work` in the core's thread between two ticks. What is not reached before the end is cancelled.

        Raises:
            RuntimeError: the end was before.
        """
        answer: Future[T] = Future()

        def run() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(work())
                except Exception as error:  # noqa: BLE001 - it is the caller's, whatever it is
                    answer.set_exception(error)

        self._asked.add(answer)
        answer.add_done_callback(self._asked.discard)
        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError:
            answer.cancel()
            raise
        return answer

    async def call(self, work: Callable[[], T]) -> T:
        """As `submit`, awaited from the server's loop."""
        return await asyncio.wrap_future(self.submit(work))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()
        for answer in list(self._asked):
            answer.cancel()

    async def _main(self) -> None:
        source = asyncio.create_task(self._keep_connected())
        due = self._loop.time()
        while not self._stopping.is_set():
            due += TICK_SECS
            self._tick()
            self.ticks += 1
            self._ticked = time.monotonic()
            now = self._loop.time()
            self.late_secs = max(0.0, now - due)
            due = max(due, now - TICK_SECS)
            await asyncio.sleep(max(0.0, due - now))
        source.cancel()
        await asyncio.gather(source, return_exceptions=True)

    def _tick(self) -> None:
        """One tick; a fault in it is told and counted, and the next tick goes on: a frozen screen would say less."""
        try:
            tick = self.core.tick()
            self._on_tick(tick)
            for order in tick.orders:
                self._hand_over(self.connector.send(order))
            for sending in tick.sendings:
                self._hand_over(self.connector.dispatch(sending))
        except Exception:  # whatever it is, alarms and commands of the others must go on
            self.faults += 1
            log.exception("a tick of the live core failed")

    def _hand_over(self, sending: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an order could not be handed over: %s", error)

    async def _keep_connected(self) -> None:
        """A connector that dies restarts alone, and its link says so."""
        while True:
            try:
                await self.connector.run(self.core)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the seam to field code: whatever it raises is a line that is down
                log.exception("connector %s stopped", self.connector.name)
                self.core.link(self.connector.name, False, f"{type(error).__name__}: {error}")
            await asyncio.sleep(RESTART_SECS)
