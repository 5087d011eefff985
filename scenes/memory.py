"""How this process holds memory."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 20


def give_back_large() -> None:
    """Have large arrays go back to the system the moment they are let go of.

    The C library keeps what was freed for later, the more the larger it was: a build, whose every stage holds other
    arrays, would keep the sum of them. Where the C library is another than glibc nothing changes.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
