"""Work that may end or hold up the process that does it: each share is done by a fork that is watched, and an item that
fails alone is all that is lost."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from models_bim.forks import Found, Item, Started, start

ITEMS_A_SHARE = 40
ONE_SECS, ANOTHER_SECS = 20.0, 0.2  # a share may take so long, and so much more for each of its items


def carefully(items: Sequence[Item], work: Callable[[Sequence[Item]], Iterable[Found]], lost: list[Item], secs: float,
              one_secs: float = ONE_SECS) -> Iterator[Found]:
    """What `work` finds in all items, in their order.

    A share whose fork dies, or takes too long, is done again item by item.

    Args:
        work: done on a share in a fork; what it finds must be picklable.
        lost: gets every item on which the fork failed alone, and those that are left when time is up.
        secs: time for all of it.
        one_secs: time for a share, beside `ANOTHER_SECS` an item.
    """
    ends = time.monotonic() + secs
    waiting = [items[first:first + ITEMS_A_SHARE] for first in range(0, len(items), ITEMS_A_SHARE)][::-1]
    while waiting:
        share = waiting.pop()
        left = min(ends - time.monotonic(), one_secs + ANOTHER_SECS * len(share))
        found: list[Found] | None = _watched(start(share, work), left) if left > 0 else None
        if found is not None:
            yield from found
        elif len(share) == 1 or left <= 0:
            lost.extend(share)
        else:
            waiting.extend([one] for one in reversed(share))


def _watched(started: Started, secs: float) -> list[Found] | None:
    """What a fork found; None where it died, or was ended because its time was up."""
    process, told = started
    watch = os.pidfd_open(process)
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        if not poll.poll(secs * 1000):
            os.kill(process, signal.SIGKILL)
    finally:
        os.close(watch)
    _, status = os.waitpid(process, 0)
    with told:
        if os.waitstatus_to_exitcode(status):
            return None
        told.seek(0)
        found: list[Found] = pickle.load(told)  # noqa: S301 - written by our own fork a moment ago
        return found
