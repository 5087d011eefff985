"""People in rooms over an hour, counted from the kept fixes: the mean of whole minutes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twin.live.tracks import Locate
from twin.ports import Positions

#: (from ms, to ms) → the fixes kept of a span.
Fixes = Callable[[int, int], Positions]
MINUTE_MS = 60_000


class Headcount:
    """Who was where in each minute. Safe from several threads.

    Args:
        fixes: of the history.
        locate: park-frame points → containing node.
        people: by track number, which are persons.
    """

    def __init__(self, fixes: Fixes, locate: Locate, people: NDArray[np.bool_]) -> None:
        self._fixes, self._locate, self._people = fixes, locate, people

    def minutes(self, begin: float, end: float) -> tuple[NDArray[np.uint32], int]:
        """Where each person was in each minute of a span (s), by their first fix in it, and how many minutes anybody or
        anything was heard of. A node of the first array stands for one person in one minute."""
        fixes = self._fixes(round(begin * 1000), round(end * 1000))
        minute = (np.rint(fixes.source_time * 1000).astype(np.int64) - round(begin * 1000)) // MINUTE_MS
        heard = len(np.unique(minute))
        track = fixes.track.astype(np.int64)
        is_person = np.zeros(len(track), np.bool_)
        known = track < len(self._people)
        is_person[known] = self._people[track[known]]
        keys, first = np.unique((track * 100 + minute)[is_person], return_index=True)
        if not len(keys):
            return np.zeros(0, np.uint32), heard
        return self._locate(fixes.xyz[is_person][first]), heard
