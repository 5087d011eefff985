"""How this process holds memory."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 20


def give_back_large() -> None:
    """Have large arrays go back to the system the moment they are let go of.

    The C library keeps what was freed for later, the more the larger it was: a build, whose every stage holds other
    arrays, would keep the sum of them, and a server what its largest question took. Where the C library is another than
    glibc nothing changes.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return to the system what is free now, of Arrow's pool and of the C library's: after work that comes now and then."""
    import pyarrow as pa  # slow to load; builds, which hold memory too, draw without it

    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def uncollected() -> Iterator[None]:
    """While much is made that stays, it is not searched for circles to free, each time longer than the last."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def settle() -> None:
    """What is there now stays: it is searched for circles once more, here, and then no longer.

    Of a park of a million nodes such a search takes half a second, in which no tick runs and no page is answered. What was
    let go of since the last call goes now.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
