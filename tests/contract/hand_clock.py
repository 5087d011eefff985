"""A clock that stands until a test moves it."""

from __future__ import annotations

T0 = 1_700_000_000.0


class HandClock:
    """Unix seconds, from `now` on by hand."""

    def __init__(self, now: float = T0) -> None:
        self.time = now

    def now(self) -> float:
        """Where it stands."""
        return self.time
