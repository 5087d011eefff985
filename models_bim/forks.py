"""Work shared out among forks of the process that holds the opened file: none of them has to read it again, and what a
kernel took to do a share is given back with the fork that did it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pickle
import signal
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import IO, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")
DIED, NO_MEMORY = 70, 3
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
Started = tuple[int, IO[bytes]]


def in_forks(
    shares: Sequence[Sequence[Item]], forks: int, work: Callable[[Sequence[Item]], Iterable[Found]]
) -> Iterator[Found]:
    """What `work` finds in every share, in the order of the shares, each done by a fork of its own; a single share is done
    in this process.

    Only for a process of its own whose other threads do nothing but sleep. Where a fork dies, this process dies as well:
    whoever started it knows what to do about a kernel that crashed. Forks end with this process.

    Args:
        forks: forks at a time.
        work: done on a share; what it finds must be picklable.

    Raises:
        MemoryError: a fork ran out of memory.
    """
    if len(shares) == 1:
        yield from work(shares[0])
        return
    waiting = iter(shares)
    running = [start(share, work) for share in islice(waiting, forks)]
    while running:
        yield from _ended(running.pop(0))
        running += [start(share, work) for share in [next(waiting, None)] if share is not None]


def _ended(started: Started) -> Iterator[Found]:
    process, told = started
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == NO_MEMORY:
        raise MemoryError
    if code != 0:
        os._exit(DIED)  # an exception would be taken for a damaged part of the file
    with told:
        told.seek(0)
        yield from pickle.load(told)  # noqa: S301 - written by our own fork a moment ago


def start(share: Sequence[Item], work: Callable[[Sequence[Item]], Iterable[Found]]) -> Started:
    """A fork that does a share: its process, and the file it writes what it found into (pickled) before it ends with 0."""
    told = tempfile.TemporaryFile()  # noqa: SIM115 - read by the parent after the fork has ended
    places = _places_in_files()
    process = os.fork()
    if process:
        return process, told
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        _read_alone(places)
        pickle.dump(list(work(share)), told, protocol=5)
        told.flush()
    except MemoryError:
        os._exit(NO_MEMORY)
    except BaseException:  # noqa: BLE001 - nothing of the parent's may run in here
        os._exit(DIED)
    os._exit(0)


def _places_in_files() -> dict[int, int]:
    """Where this process stands in each file it has open for reading."""
    places = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the listing's own
            handle = int(name)
            is_read = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
            if is_read and stat.S_ISREG(os.fstat(handle).st_mode):
                places[handle] = os.lseek(handle, 0, os.SEEK_CUR)
    return places


def _read_alone(places: dict[int, int]) -> None:
    """Open files anew under their numbers: a fork shares its place in a file with all others, and one would read what
    another was looking for."""
    for handle, place in places.items():
        own = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(own, place, os.SEEK_SET)
        os.dup2(own, handle, inheritable=False)
        os.close(own)
