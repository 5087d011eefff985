"""What every connector to a real server has in common: one line that is kept up, values in, orders out.

A protocol is a `FieldConnector` with two methods. `talk` connects, calls `up`, and puts in what it hears with `hear`
until the line is lost, which it says by raising. `write` sets one point. Back-off, batching, counting of what cannot be
used, signs of life and answers to orders are done here, the same for all.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import logging
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from connectors.bindings import Binding, Bindings
from connectors.heard import Heard
from connectors.orders import CannotWrite, writes_of
from connectors.places import OUT_OF_PLACE
from twin.finding import Finding
from twin.ports import CommandAck, CommandOrder, DispatchOrder, Sink
from twin.registry import PointTable
from twin.wire import Quality

BATCH_SECS = 0.02
LIFE_SECS = 1.0
WRITE_SECS = 5.0
SAY_AGAIN_SECS = 60.0
END_TRIES, END_SECS = 3, 5.0
HUNG_SECS = 10.0
T = TypeVar("T")
log = logging.getLogger(__name__)


class LineLost(OSError):
    """The server cannot be reached or went away; the text says which and why."""


class FieldConnector(abc.ABC):
    """One server of the field. A subclass gives `talk` and `write`.

    Args:
        name: the source's id, shown to people.
        points: every point of the park.
        bindings: this source's addresses.
    """

    #: what `talk` and `write` may raise when the line or the device does not do as asked
    lost: tuple[type[Exception], ...] = (OSError, TimeoutError)
    #: the server speaks when something changes; a value then holds while the line is up
    speaks_on_change = False
    first_wait_secs, longest_wait_secs = 0.5, 30.0
    #: seconds without a word from `talk` after which it is taken for hung and begun anew; None where silence is no sign
    hung_secs: float | None = None

    def __init__(self, name: str, points: PointTable, bindings: Bindings) -> None:
        self.name, self.points, self.bindings = name, points, bindings
        self.refused: Counter[str] = Counter()
        self.findings: list[Finding] = list(bindings.findings)
        self._by_slot = {row.slot: row for row in bindings.rows}
        self._devices = {row.device for row in bindings.rows}
        self._sink: Sink | None = None
        self._is_up = False
        self._alive_at = time.monotonic()
        self._wait = self.first_wait_secs
        self._said_at: dict[str, float] = {}
        self._doubted = ""
        self._heard = Heard()
        self._held = _Held(len(points), points.period) if self.speaks_on_change else None

    # ---- what a protocol does ---------------------------------------------------------------------------------------
    @abc.abstractmethod
    async def talk(self) -> None:
        """Connect, call `up`, hear until the line is lost, then raise one of `lost`."""

    async def write(self, binding: Binding, value: float | str) -> None:
        """Set the raw value of a point at `binding.write`; returns when the server took it.

        Raises:
            CannotWrite: the server refused; TimeoutError: nobody knows whether it did.
        """
        raise CannotWrite(f"nothing can be written over {self.name}")

    async def read_back(self, bindings: Sequence[Binding]) -> None:  # noqa: B027 - most servers need nothing
        """Hear these points again, soon after a write; servers that tell of changes by themselves need nothing."""

    # ---- what a protocol calls --------------------------------------------------------------------------------------
    def up(self, text: str) -> None:
        """The line is up; `text` says to whom."""
        self._is_up, self._wait = True, self.first_wait_secs
        self._alive_at = time.monotonic()
        if self._sink is not None:
            self._sink.link(self.name, True, text)

    def hear(self, binding: Binding, raw: object, source_time: float = 0.0, quality: int = Quality.GOOD) -> None:
        """A raw value of a point. Source time in seconds since 1970 UTC; 0 where the server does not tell."""
        value, grade = binding.reading_of(raw)
        if raw is not None and grade and quality != Quality.BAD:
            self.refuse("not a value of its point", f"{binding.address} says {raw!r} for {self.points.ids[binding.slot]}")
        at = source_time or time.time()
        if self._held is not None:
            at = self._held.keep(binding.slot, value, max(grade, int(quality)), at)
        self._heard.add(binding.slot, value, max(grade, int(quality)), at)

    def lose(self, bindings: Iterable[Binding]) -> None:
        """A part of the server went away: its points turn stale, the line stays up."""
        slots = np.array([row.slot for row in bindings], np.int64)
        self._hand_over()
        if self._held is not None:
            self._held.drop(slots)
        if self._sink is not None and len(slots):
            self._sink.lose(slots)

    def refuse(self, reason: str, example: object = "") -> None:
        """Something cannot be used: counted, and said once a minute a reason."""
        self.refused[reason] += 1
        now = self._alive_at = time.monotonic()
        if now - self._said_at.get(reason, -math.inf) >= SAY_AGAIN_SECS:
            self._said_at[reason] = now
            log.warning("%s: %s (%d so far): %.200s", self.name, reason, self.refused[reason], example)

    def misplaced(self, reason: str, example: object) -> None:
        """A fix cannot be used. One that lies outside the park is also told on pages, with what to change."""
        if reason == OUT_OF_PLACE and not self.refused[reason] and self._sink is not None:
            self._sink.link(self.name, True, f"positions lie outside the park: {example}")
        self.refuse(reason, example)

    def doubted(self, what: str) -> None:
        """What is taken all the same, but speaks against what the park file says of this source: told on pages once."""
        if what and what != self._doubted and self._sink is not None:
            self._doubted = what
            log.warning("%s: %s", self.name, what)
            self._sink.link(self.name, True, what)

    def understood(self, parse: Callable[[Binding], T], which: Callable[[Binding], bool] = bool) -> list[tuple[Binding, T]]:
        """Every binding with its address parsed; one that cannot be (ValueError) becomes a finding."""
        found: list[tuple[Binding, T]] = []
        for row in filter(which, self.bindings.rows):
            try:
                found.append((row, parse(row)))
            except ValueError as error:
                self.findings.append(Finding("error", str(error), f"{self.bindings.file}:{row.line}", "correct the row"))
        return found

    # ---- the seam (twin.ports.Connector) ----------------------------------------------------------------------------
    async def run(self, sink: Sink) -> None:
        """Stay connected until cancelled; waits longer after every failure, up to `longest_wait_secs`."""
        self._sink, self._wait = sink, self.first_wait_secs
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deliver())
            while True:
                try:
                    await self._talk_apart()
                    why = "the line ended"
                except self.lost as error:
                    why = f"{error}" or type(error).__name__
                except ExceptionGroup as several:
                    matched, rest = several.split(self.lost)
                    if rest is not None:
                        raise rest from several
                    why = "; ".join(str(error) or type(error).__name__ for error in _leaves(matched))
                self._down(sink, why)
                await asyncio.sleep(self._wait * random.uniform(0.8, 1.2))  # noqa: S311 - spread, not secrecy
                self._wait = min(self._wait * 2, self.longest_wait_secs)

    def reaches(self, device: str) -> bool:
        """Whether any point of the device is bound here."""
        return device in self._devices

    async def send(self, order: CommandOrder) -> None:
        """Write an order's points, answer it, and hear them again. What is not known to have been done gets no answer."""
        done: list[Binding] = []
        try:
            if not self._is_up:
                raise CannotWrite(f"no line to {self.name}")
            for binding, value in writes_of(order, self.points, self._by_slot):
                if time.time() >= order.expires:
                    raise CannotWrite("it came too late")
                async with asyncio.timeout(WRITE_SECS):
                    await self.write(binding, value)
                done.append(binding)
        except (CannotWrite, ValueError) as error:
            partly = f"{', '.join(b.spec.key for b in done)} written, then " if done else ""
            self._answer(order, False, f"{partly}{error}")
            return
        except self.lost as error:
            log.warning("%s: nobody knows whether order %s was carried out: %s", self.name, order.id, error)
            return
        self._answer(order, True, f"written by {self.name}")
        with contextlib.suppress(*self.lost):
            await self.read_back(done)

    async def dispatch(self, order: DispatchOrder) -> None:  # noqa: B027 - most servers reach nobody
        """People are not reached this way."""

    # ---- inside -----------------------------------------------------------------------------------------------------
    async def _talk_apart(self) -> None:
        """`talk` in a task of its own, ended for sure: libraries have lost a cancellation that came with an answer."""
        talking = asyncio.ensure_future(self.talk())
        try:
            self._alive_at = time.monotonic()
            while not talking.done():
                await asyncio.wait((talking,), timeout=None if self.hung_secs is None else self.hung_secs / 4)
                if not talking.done() and self.hung_secs and time.monotonic() - self._alive_at > self.hung_secs:
                    raise LineLost(f"no sign of life for {self.hung_secs:g} s; begun anew")
            talking.result()
        finally:
            for _ in range(END_TRIES):
                if talking.done():
                    break
                talking.cancel()
                await asyncio.wait((talking,), timeout=END_SECS)

    def _answer(self, order: CommandOrder, accepted: bool, note: str) -> None:
        if self._sink is not None:
            self._sink.acknowledge(CommandAck(id=order.id, device=order.device, accepted=accepted, note=note))

    def _down(self, sink: Sink, why: str) -> None:
        self._hand_over()
        self._is_up = False
        if self._held is not None:
            self._held.drop(np.arange(len(self.points)))
        sink.link(self.name, False, why)

    async def _deliver(self) -> None:
        """Hand over what was heard, many values at a time; say again what still holds."""
        due = time.monotonic()
        while True:
            await asyncio.sleep(BATCH_SECS)
            if self._held is not None and self._is_up and time.monotonic() >= due:
                due = time.monotonic() + LIFE_SECS
                for row in self._held.again():
                    self._heard.add(*row)
            self._hand_over()

    def _hand_over(self) -> None:
        if self._heard and self._sink is not None:
            self._sink.ingest(self._heard.taken())


class _Held:
    """What a server that speaks on change said last. It is said again every period, so that silence stays a fault.

    Times said again follow the server's clock, a second behind, and never go back.
    """

    def __init__(self, count: int, period: NDArray[np.float64]) -> None:
        self._value, self._quality = np.full(count, np.nan), np.zeros(count, np.uint8)
        self._source, self._told, self._heard = np.zeros(count), np.zeros(count), np.zeros(count)
        self._due = np.full(count, np.inf)
        self._period = np.maximum(period, LIFE_SECS)

    def keep(self, slot: int, value: float, quality: int, source_time: float) -> float:
        """Remember; gives the time to tell it with."""
        now = time.monotonic()
        if source_time > self._source[slot]:
            told = max(source_time, self._told[slot] + 0.001)
            self._value[slot], self._quality[slot], self._source[slot] = value, quality, source_time
            self._told[slot], self._heard[slot], self._due[slot] = told, now, now + self._period[slot]
            return told
        return source_time

    def again(self) -> list[tuple[int, float, int, float]]:
        """What has not been said for a period, with its time now."""
        now = time.monotonic()
        slots = np.flatnonzero(self._due <= now)
        at = self._source[slots] + (now - self._heard[slots]) - LIFE_SECS
        at = np.maximum(at, self._told[slots] + 0.001)
        self._told[slots], self._due[slots] = at, now + self._period[slots]
        return list(zip(slots.tolist(), self._value[slots].tolist(), self._quality[slots].tolist(), at.tolist(), strict=True))

    def drop(self, slots: NDArray[np.integer]) -> None:
        """These are no longer known to hold."""
        self._due[slots] = np.inf


def _leaves(group: BaseException | None) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for inner in group.exceptions for leaf in _leaves(inner)]
    return [] if group is None else [group]
