"""A long list shared out among forks of the process that holds the parsed file: none of them has to read it again."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")
DIED, NO_MEMORY = 70, 3
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def in_forks(items: Sequence[Item], forks: int, work: Callable[[Sequence[Item]], Iterable[Found]]) -> Iterator[Found]:
    """What `work` finds in every item, each process taking every so many-th; this process takes a share itself.

    Only for a process of its own whose other threads do nothing but sleep. Where a fork dies, this process dies as well:
    whoever started it knows what to do about a kernel that crashed. Forks end with this process.

    Args:
        forks: processes in all; with 1 nothing is forked.
        work: done on a share; what it finds must be picklable.

    Raises:
        MemoryError: a fork ran out of memory.
    """
    started = [_start(items[k::forks], work) for k in range(1, forks)]
    yield from work(items[::forks] if forks > 1 else items)
    for process, told in started:
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == NO_MEMORY:
            raise MemoryError
        if code != 0:
            os._exit(DIED)  # an exception would be taken for a damaged part of the file
        with told:
            told.seek(0)
            yield from pickle.load(told)  # noqa: S301 - written by our own fork a moment ago


def _start(share: Sequence[Item], work: Callable[[Sequence[Item]], Iterable[Found]]) -> tuple[int, IO[bytes]]:
    told = tempfile.TemporaryFile()  # noqa: SIM115 - read by the parent after the fork has ended
    process = os.fork()
    if process:
        return process, told
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        pickle.dump(list(work(share)), told, protocol=5)
        told.flush()
    except MemoryError:
        os._exit(NO_MEMORY)
    except BaseException:  # noqa: BLE001 - nothing of the parent's may run in here
        os._exit(DIED)
    os._exit(0)
