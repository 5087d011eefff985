"""Where people and vehicles are now, as columns, and which node contains them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twin.ports import Positions

#: xyz f64[n,3] (park frame) → dense node index u32[n], 0 outside everything.
Locate = Callable[[NDArray[np.float64]], NDArray[np.uint32]]
LOST_SECS = 10.0
#: Where somebody silent for longer was is history's alone.
FORGOTTEN_SECS = 86_400.0
FUTURE_SECS = 300.0
LOST = 1


def nowhere(xyz: NDArray[np.float64]) -> NDArray[np.uint32]:
    """The `Locate` of a park without spaces."""
    return np.zeros(len(xyz), np.uint32)


def wire_flags(flags: NDArray[np.uint8], spread: NDArray[np.float32]) -> NDArray[np.uint8]:
    """u8[n] as the wire has them: bit 0 lost, bits 1 to 7 one standard deviation of the place (m) in quarters of a metre."""
    quarters = np.ceil(np.nan_to_num(spread) * 4).clip(0, 127).astype(np.uint8)
    return np.asarray(flags | quarters << 1, np.uint8)


class TrackStore:
    """Columns by track number: `xyz` f64 n×3 (park frame, m), `heading` f32 (rad), `node` u32, times s.

    `spread` f32 (m): one standard deviation of a steadied place, 0 for exact ones. `flags` bit 0: lost, nothing heard for
    10 s. A track silent for a day is forgotten: as if never heard of. Grows with the highest track number seen. One thread
    writes.
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
        self.spread = np.zeros(room, np.float32)

    def seen(self) -> NDArray[np.int64]:
        """Tracks heard of and not forgotten, in order."""
        return np.flatnonzero(self.source > 0)

    def present(self) -> NDArray[np.int64]:
        """Tracks heard of within 10 s of the last `sweep`."""
        return np.flatnonzero((self.source > 0) & (self.flags & LOST == 0))

    def sound(self, fixes: Positions, now: float) -> Positions:
        """The fixes that can be used: finite, of a known sort of track, not of the future; others are counted."""
        time = fixes.source_time
        sound = np.isfinite(fixes.xyz).all(axis=1) & np.isfinite(time) & (time > 0) & (time <= now + FUTURE_SECS)
        sound &= fixes.track < 1_000_000
        self.dropped += int((~sound).sum())
        return fixes.of(sound)

    def apply(self, fixes: Positions, now: float, spread: NDArray[np.float64] | None = None,
              node: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Take sound fixes, newest of each track; gives the tracks that moved.

        `spread` (m) and `node` (-1: the node that holds the place) of each, where they are known.
        """
        if not len(fixes.track):
            return np.zeros(0, np.int64)
        self._grow(int(fixes.track.max()) + 1)
        order = np.argsort(fixes.source_time, kind="stable")
        numbers, last = np.unique(fixes.track[order][::-1], return_index=True)
        rows = order[::-1][last]
        newer = fixes.source_time[rows] > self.source[numbers]
        tracks, rows = numbers[newer].astype(np.int64), rows[newer]
        self.xyz[tracks] = fixes.xyz[rows]
        self.heading[tracks] = fixes.heading[rows]
        self.source[tracks] = fixes.source_time[rows]
        self.received[tracks] = now
        self.spread[tracks] = 0.0 if spread is None else spread[rows]
        self.flags[tracks] &= 0xFF ^ LOST
        known = np.full(len(rows), -1) if node is None else node[rows]
        self.node[tracks] = np.where(known >= 0, known, 0)
        unknown = tracks[known < 0]
        self.node[unknown] = self.locate(self.xyz[unknown])
        return tracks

    def shown_flags(self, tracks: NDArray[np.integer]) -> NDArray[np.uint8]:
        """u8[n] as the wire has them, see `wire_flags`."""
        return wire_flags(self.flags[tracks], self.spread[tracks])

    def sweep(self, now: float) -> NDArray[np.int64]:
        """Tracks newly lost."""
        lost = np.flatnonzero((self.source > 0) & (now - self.received > LOST_SECS) & (self.flags & LOST == 0))
        self.flags[lost] |= LOST
        return lost

    def forget(self, now: float) -> NDArray[np.int64]:
        """Tracks silent for a day: nothing is kept of them but their number; their place is NaN."""
        gone = np.flatnonzero((self.source > 0) & (now - self.received > FORGOTTEN_SECS))
        self.xyz[gone] = np.nan
        for column in (self.heading, self.node, self.source, self.received, self.flags, self.spread):
            column[gone] = 0
        return gone

    def _grow(self, size: int) -> None:
        old = len(self.source)
        if size <= old:
            return
        extra = max(size, 2 * old) - old
        self.xyz = np.concatenate([self.xyz, np.full((extra, 3), np.nan)])
        for name in ("heading", "node", "source", "received", "flags", "spread"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(extra, column.dtype)]))
