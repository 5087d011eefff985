"""One server of several over one PostgreSQL: who writes, what the others put on record, what people ask of the writer.

A thread of its own, so that a database that is slow or away never holds up a tick. Without `[database]` there is none of it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from ioc.live.hub import Hub
from ioc.live.runner import CoreRunner
from twin.database import StoreDown
from twin.shared.asks import ANSWERED, ASKED, Answer, Ask, Asks
from twin.shared.changes import KEPT_SECS, forget_changes
from twin.shared.lease import Lease, Standing
from twin.shared.news import Reader, is_news
from twin.shared.papers import Paper
from twin.wire import Servers

ROUND_SECS = 0.5
FORGET_EVERY_SECS = 60.0
CORE_SECS = 30.0
Do = Callable[[Ask], Coroutine[Any, Any, Answer]]
log = logging.getLogger(__name__)


class Replica:
    """Keeps one server in step with the others.

    Args:
        lease: this server's part in who writes.
        reader: begun before the core was made, so that nothing falls between the two.
        runner, hub: of this server.
        papers: files all servers share.
    """

    def __init__(self, lease: Lease, reader: Reader, runner: CoreRunner, hub: Hub, papers: Sequence[Paper]) -> None:
        self.lease, self._reader, self._runner, self._hub, self._papers = lease, reader, runner, hub, papers
        self.asks = Asks(reader.events.database)
        self._do: Do | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered: dict[str, asyncio.Event] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replica", daemon=True)
        self._is_settled = runner.core.leads == (lease.token is not None)
        self._told: Standing | None = None
        self._read_at = time.monotonic()
        self._forget_due = 0.0

    @property
    def leads(self) -> bool:
        """Whether this server writes."""
        return self._runner.core.leads

    def start(self, loop: asyncio.AbstractEventLoop, do: Do) -> None:
        """Begin; `do` answers what another server asks, on the server's loop."""
        self._loop, self._do = loop, do
        self._thread.start()

    def stop(self) -> None:
        """End, and give the lease back; called when the core no longer ticks."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=CORE_SECS)
        self.lease.close()

    def servers(self) -> Servers:
        """Who is there, for pages."""
        standing = self.lease.standing
        return Servers(here=self.lease.name, writer=standing.writer, servers=list(standing.servers))

    async def answer_to(self, number: str, secs: float) -> Answer | None:
        """The writer's answer to an ask; None when there was none in time."""
        event = self._answered.setdefault(number, asyncio.Event())
        end = time.monotonic() + secs
        try:
            while True:
                said = await asyncio.to_thread(self.asks.read, number)
                if said is not None or time.monotonic() >= end:
                    return said
                event.clear()
                try:
                    await asyncio.wait_for(event.wait(), min(ROUND_SECS, max(0.01, end - time.monotonic())))
                except TimeoutError:
                    continue
        finally:
            self._answered.pop(number, None)

    # ---- inside: the thread -------------------------------------------------------------------------------------
    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except StoreDown as error:
                log.debug("this server waits for the database: %s", error)
            except Exception:  # whatever it is, the next round goes on: a server that is out of step would say less
                if not self._stopping.is_set():
                    log.exception("a round with the other servers failed")
            if not self._reader.is_behind:
                self.lease.wait(ROUND_SECS, self._wakes)

    def _round(self) -> None:
        core, lease = self._runner.core, self.lease
        lease.step(may_take=self._is_settled)
        if lease.token is None and core.leads:
            self._is_settled = False
        if not core.leads and time.monotonic() - self._read_at > KEPT_SECS / 2:
            self._is_settled = False  # it stood still so long that it cannot tell any more what changed
        if not self._is_settled:
            self._let_go()
        self._take_news()
        if lease.token is not None and not core.leads:
            self._runner.submit(core.lead).result(CORE_SECS)
            log.warning("%s has taken over", lease.name)
        if lease.token is not None and core.leads:
            self._serve(lease.token)
        if lease.standing != self._told:
            self._told = lease.standing
            self._hub.tell(self.servers())

    def _let_go(self) -> None:
        """What was evaluated here counts no more; everything is read anew, and browsers join again."""
        self._reader.begin()
        self._runner.submit(self._runner.core.follow).result(CORE_SECS)
        self._reread([paper.name for paper in self._papers])
        self._hub.rejoin()
        self._is_settled, self._read_at = True, time.monotonic()
        log.warning("%s follows %s", self.lease.name, self.lease.standing.writer or "whoever writes next")

    def _take_news(self) -> None:
        news, papers = self._reader.read()
        self._read_at = time.monotonic()
        if is_news(news):
            self._runner.submit(lambda: self._runner.core.mirror(news)).result(CORE_SECS)
        if not self.leads:
            self._reread(papers)

    def _reread(self, names: Collection[str]) -> None:
        for changed in [changed for paper in self._papers if paper.name in names for changed in paper.on_change]:
            self._runner.submit(changed).result(CORE_SECS)

    def _serve(self, token: int) -> None:
        for ask in self.asks.take(token):
            if self._do is not None and self._loop is not None:
                asyncio.run_coroutine_threadsafe(self._done(ask, self._do), self._loop)
        if time.monotonic() >= self._forget_due:
            self._forget_due = time.monotonic() + FORGET_EVERY_SECS
            self.asks.forget()
            with self._reader.events.database.begin() as connection:
                forget_changes(connection, time.time())

    async def _done(self, ask: Ask, do: Do) -> None:
        try:
            said = await do(ask)
        except Exception as error:  # who asked is told, whatever it was
            log.exception("what another server asked could not be done")
            said = Answer(status=500, body=f'{{"detail": "{type(error).__name__}"}}', media="application/json")
        try:
            await asyncio.to_thread(self.asks.answer, ask.id, said)
        except StoreDown as error:
            log.debug("an answer could not be given: %s", error)

    def _wakes(self, payload: str) -> bool:
        """Whether a word on the channel is for this thread; answers go to who waits for them."""
        if payload.startswith(ANSWERED):
            event = self._answered.get(payload.removeprefix(ANSWERED).strip())
            if event is not None and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(event.set)
            return False
        if payload == ASKED:
            return self.leads
        return payload != self.lease.name
