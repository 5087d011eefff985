"""Where people and vehicles are now, as columns, and which node contains them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twin.ports import Positions

#: xyz f64[n,3] (park frame) → dense node index u32[n], 0 outside everything.
Locate = Callable[[NDArray[np.float64]], NDArray[np.uint32]]
LOST_SECS = 10.0
FUTURE_SECS = 300.0
LOST = 1


def nowhere(xyz: NDArray[np.float64]) -> NDArray[np.uint32]:
    """The `Locate` of a park without spaces."""
    return np.zeros(len(xyz), np.uint32)


class TrackStore:
    """Columns by track number: `xyz` f64 n×3 (park frame, m), `heading` f32 (rad), `node` u32, times s.

    `flags` bit 0: lost, nothing heard for 10 s. Grows with the highest track number seen. One thread writes.
    """

    def __init__(self, locate: Locate = nowhere, room: int = 64) -> None:
        self.locate = locate
        self.dropped = 0
        self.xyz = np.full((room, 3), np.nan)
        self.heading = np.zeros(room, np.float32)
        self.node = np.zeros(room, np.uint32)
        self.source = np.zeros(room)
        self.received = np.zeros(room)
        self.flags = np.zeros(room, np.uint8)

    def seen(self) -> NDArray[np.int64]:
        """Tracks ever heard of, in order."""
        return np.flatnonzero(self.source > 0)

    def present(self) -> NDArray[np.int64]:
        """Tracks heard of within 10 s of the last `sweep`."""
        return np.flatnonzero((self.source > 0) & (self.flags & LOST == 0))

    def apply(self, fixes: Positions, now: float) -> tuple[NDArray[np.int64], Positions]:
        """Take fixes, newest of each track; gives the tracks that moved and the fixes that were sound."""
        time = fixes.source_time
        sound = np.isfinite(fixes.xyz).all(axis=1) & np.isfinite(time) & (time > 0) & (time <= now + FUTURE_SECS)
        sound &= fixes.track < 1_000_000
        self.dropped += int((~sound).sum())
        kept = Positions(fixes.track[sound], fixes.xyz[sound], fixes.heading[sound], time[sound])
        if not len(kept.track):
            return np.zeros(0, np.int64), kept
        self._grow(int(kept.track.max()) + 1)
        order = np.argsort(kept.source_time, kind="stable")
        tracks, last = np.unique(kept.track[order][::-1], return_index=True)
        rows = order[::-1][last]
        newer = kept.source_time[rows] > self.source[tracks]
        tracks, rows = tracks[newer].astype(np.int64), rows[newer]
        self.xyz[tracks] = kept.xyz[rows]
        self.heading[tracks] = kept.heading[rows]
        self.source[tracks] = kept.source_time[rows]
        self.received[tracks] = now
        self.flags[tracks] &= 0xFF ^ LOST
        self.node[tracks] = self.locate(self.xyz[tracks])
        return tracks.astype(np.int64), kept

    def sweep(self, now: float) -> NDArray[np.int64]:
        """Tracks newly lost."""
        lost = np.flatnonzero((self.source > 0) & (now - self.received > LOST_SECS) & (self.flags & LOST == 0))
        self.flags[lost] |= LOST
        return lost

    def _grow(self, size: int) -> None:
        old = len(self.source)
        if size <= old:
            return
        extra = max(size, 2 * old) - old
        self.xyz = np.concatenate([self.xyz, np.full((extra, 3), np.nan)])
        for name in ("heading", "node", "source", "received", "flags"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(extra, column.dtype)]))
