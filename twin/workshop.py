"""Where the steps of a build are done: kept ones come from the store, the others from a pool.

A pool is a port with two implementations: `LocalPool` here, and one that sends steps to a Dask cluster (`scenes.cluster`).
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar, cast

from twin.errors import TwinError
from twin.steps import ABSENT, StepStore

Result = TypeVar("Result", covariant=True)
Made = TypeVar("Made")
Here = Callable[[Path], Path]
WORTH_PROCESSES = 4
#: Set when the build that asked for the steps under way was stopped (Ctrl-C): steps that wait for a process end it.
GIVEN_UP = Event()


class Step(Protocol[Result]):
    """Work that is whole in itself, so that any process with the same code may do it.

    Args:
        name: for messages, as "reading tower.ifc".
        key: digest of everything that goes in; "" where the result may not be kept.
        files: what it reads from disk.
    """

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def files(self) -> tuple[Path, ...]: ...

    def do(self, here: Here) -> Result:
        """The result. What is wrong with its input is returned as a `TwinError`, not raised, and never kept.

        Args:
            here: where one of `files` lies on the machine that does the step.
        """
        ...


class Bench(Protocol):
    """Steps under way at one pool; results come as they are finished."""

    def __len__(self) -> int: ...
    def has_room(self) -> bool: ...
    def begin(self, place: int, step: Step[Any]) -> None: ...
    def take(self) -> tuple[int, Any]:
        """Place and result of a finished step; waits for one.

        Raises:
            TwinError: the pool itself is lost.
        """
        ...


class Pool(Protocol):
    """Somewhere steps can be done."""

    def bench(self, *, is_light: bool) -> AbstractContextManager[Bench]:
        """A place to work at; leaving it gives up what is still under way.

        Args:
            is_light: the steps mostly wait, for a disk or a process of their own.
        """
        ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """A pool and the store of what was done before."""

    pool: Pool
    store: StepStore

    def finish(self, steps: Iterable[Step[Made]], *, is_light: bool = False) -> Iterator[tuple[int, Made]]:
        """Place and result of every step, in the order they come; each is kept the moment it is there."""
        keys: dict[int, str] = {}
        with self.pool.bench(is_light=is_light) as bench:
            for place, step in enumerate(steps):
                keys[place] = step.key
                kept = self.store.find(keys[place])
                if kept is not ABSENT:
                    yield place, cast(Made, kept)
                    continue
                while not bench.has_room():
                    yield self._taken(bench, keys)
                bench.begin(place, step)
            while len(bench):
                yield self._taken(bench, keys)

    def _taken(self, bench: Bench, keys: dict[int, str]) -> tuple[int, Any]:
        place, made = bench.take()
        if not isinstance(made, TwinError):
            self.store.keep(keys[place], made)
        return place, made


@dataclass(frozen=True, slots=True)
class LocalPool:
    """This machine, `jobs` steps at a time: light ones in threads, others in processes where there are enough of them."""

    jobs: int = 1

    @contextmanager
    def bench(self, *, is_light: bool) -> Iterator[Bench]:
        """A place to work at."""
        bench = _LocalBench(self.jobs, is_light=is_light)
        GIVEN_UP.clear()
        try:
            yield bench
        except BaseException:
            GIVEN_UP.set()
            raise
        finally:
            bench.close()


class _LocalBench:
    """Steps wait until there are enough to start processes for; fewer are done here one by one."""

    def __init__(self, jobs: int, *, is_light: bool) -> None:
        self.jobs = jobs
        self.executor: Executor | None = ThreadPoolExecutor(jobs) if is_light else None
        self.waiting: deque[tuple[int, Step[Any]]] = deque()
        self.processes: list[BaseProcess] = []
        self.under_way: dict[Future[Any], tuple[int, Step[Any]]] = {}

    def __len__(self) -> int:
        return len(self.waiting) + len(self.under_way)

    def has_room(self) -> bool:
        return len(self) < (self.jobs + WORTH_PROCESSES if self.jobs > 1 else 1)

    def begin(self, place: int, step: Step[Any]) -> None:
        self.waiting.append((place, step))
        if self.executor is None and self.jobs > 1 and len(self.waiting) >= WORTH_PROCESSES:
            self.executor = ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn"), initializer=_leave_stopping)
        while self.executor is not None and self.waiting:
            place, step = self.waiting.popleft()
            before = active_children()
            try:
                self.under_way[self.executor.submit(_do, step)] = place, step
            except BrokenProcessPool as broken:
                raise _ended(step) from broken
            self.processes += [process for process in active_children() if process not in before]

    def take(self) -> tuple[int, Any]:
        if not self.under_way:
            place, step = self.waiting.popleft()
            return place, _do(step)
        done = wait(self.under_way, return_when=FIRST_COMPLETED).done
        future = min(done, key=lambda f: self.under_way[f][0])
        place, step = self.under_way.pop(future)
        try:
            return place, future.result()
        except BrokenProcessPool as broken:
            raise _ended(step) from broken

    def close(self) -> None:
        if self.executor is not None:
            for process in self.processes if GIVEN_UP.is_set() else ():
                process.terminate()  # a building being drawn is not waited for
            self.executor.shutdown(cancel_futures=True)


def _ended(step: Step[Any]) -> TwinError:
    return TwinError(f"a process was ended from outside while {step.name}, most likely for want of memory",
                     mend="build again, with --jobs 1 where memory is short; what was done is kept")


def _leave_stopping() -> None:
    """Ctrl-C reaches the processes of the pool as well; what becomes of them is for the build that asked to say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(step: Step[Any]) -> Any:
    return step.do(lambda path: path)
