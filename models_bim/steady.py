"""Starts the reading process with the same memory addresses every time; run by its path, before anything is imported.

The geometry kernel orders some of its work by address: with the addresses shuffled at every start, one mesh in a few
thousand comes back in other triangles. Where the system does not let a process ask for that, it starts as usual.
"""

from __future__ import annotations

import ctypes
import os
import sys

ADDR_NO_RANDOMIZE = 0x0040000  # linux/personality.h


def main() -> None:
    """Become the worker."""
    if sys.platform == "linux":
        ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)
    os.execv(sys.executable, [sys.executable, "-m", "models_bim.worker"])  # noqa: S606 - our own module


if __name__ == "__main__":
    main()
