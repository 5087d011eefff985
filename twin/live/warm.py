"""`python -m twin.live.warm`: compile the live core, so that the first server need not (numba keeps it beside the code)."""

from __future__ import annotations

from twin.live.state import StateStore
from twin.registry import PointTable


def warm() -> None:
    """Compile what is not compiled yet: some ten seconds once an installation."""
    StateStore(PointTable((), {}))


if __name__ == "__main__":
    warm()
