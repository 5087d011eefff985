"""Use by the hour of every meter, worked out from history once a day and kept (`state/energy/<day>.parquet`)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.energy.counters import used
from twin.energy.meters import Meter
from twin.history.store import History
from twin.ports import Readings
from twin.registry import PointTable

HOUR_SECS, DAY_SECS = 3600.0, 86_400.0
#: How far beside a day (s) its neighbours' readings are looked for; and how long a silent meter may bridge.
BESIDE_SECS, BRIDGE_SECS = 2 * 3600.0, 8 * DAY_SECS
AGAIN_SECS = 240.0
COLUMNS = ("use", "known", "spread", "faults")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HourUse:
    """f64 (hours, meters): use in the counter's own unit (NaN: nothing known), and shares known and spread over gaps."""

    start: float
    use: Floats
    known: Floats
    spread: Floats
    faults: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.use)


class HourBook:
    """Hours of all meters. Safe from several threads; one works at a time.

    Args:
        folder: where whole days are kept; made when absent.
    """

    def __init__(self, folder: Path, history: History, points: PointTable, meters: Sequence[Meter]) -> None:
        self._folder, self._history, self._meters = folder, history, tuple(meters)
        self._slots = np.array([meter.slot for meter in meters], np.int64)
        told = repr([(points.ids[m.slot], m.rolls_at, m.most_per_hour) for m in meters])
        self._digest = hashlib.sha256(told.encode()).hexdigest()[:16]
        self._days: dict[int, tuple[float, HourUse]] = {}
        self._one = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def hours(self, start: float, end: float, now: float) -> HourUse:
        """The whole UTC hours of start ≤ time < end (s, on hours); the hour that runs as far as it went."""
        first, last = int(start // DAY_SECS), int(-(-end // DAY_SECS))
        with self._one:
            days = [self._day(day, now) for day in range(first, max(last, first + 1))]
        begin = round((start - first * DAY_SECS) / HOUR_SECS)
        until = begin + round((end - start) / HOUR_SECS)

        def cut(name: str) -> NDArray[np.generic]:
            return np.concatenate([getattr(day, name) for day in days])[begin:until]

        return HourUse(start, cut("use"), cut("known"), cut("spread"), cut("faults"))  # type: ignore[arg-type]

    def span(self, start: float, end: float) -> tuple[Floats, Floats]:
        """Use (own unit) and known share of every meter between two instants (s), straight from history; for short spans."""
        readings = self._rows(self._slots, start - BESIDE_SECS, end + BESIDE_SECS)
        whole = self._used(readings, self._slots, np.array([start, end]))
        return whole.use[0], whole.known[0]

    def first(self) -> float | None:
        """The beginning (s) of what is on record: the oldest kept day, or history's first reading."""
        kept = min(self._folder.glob("????-??-??.parquet"), default=None)
        first = self._history.first_ms()
        days = [np.datetime64(kept.stem, "D").astype(int) * DAY_SECS] if kept is not None else []
        return min([*days, *([first / 1000] if first is not None else [])], default=None)

    def invent(self, past: Callable[[NDArray[np.int64], Floats], Floats], days: int) -> int:
        """Fill days before history begins with what a simulator says its counters showed; gives how many were made.

        Args:
            past: (slots, instants s) → f64 (instants, slots).
        """
        first = self._history.first_ms()
        if first is None or not len(self._meters) or any(self._folder.glob("*.parquet")):
            return 0
        last = int(first // 1000 // DAY_SECS)
        shown = past(self._slots, (last - days) * DAY_SECS + np.arange(days * 24 + 1, dtype=np.float64) * HOUR_SECS)
        use = np.diff(shown, axis=0).reshape(days, 24, len(self._meters))
        ones, none = np.ones_like(use[0]), np.zeros_like(use[0])
        for k in range(days):
            day = HourUse((last - days + k) * DAY_SECS, use[k], ones, none, none.astype(np.int64))
            self._keep(self._folder / f"{np.datetime64(last - days + k, 'D')}.parquet", day)
        return days

    def _day(self, day: int, now: float) -> HourUse:
        start = day * DAY_SECS
        if start > now or not len(self._meters):
            return _nothing(start, len(self._meters))
        worked, kept = self._days.get(day, (0.0, None))
        is_over = start + DAY_SECS + BRIDGE_SECS < now
        if kept is not None and (is_over or now - worked < (AGAIN_SECS if start + DAY_SECS > now - HOUR_SECS else HOUR_SECS)):
            return kept
        path = self._folder / f"{np.datetime64(day, 'D')}.parquet"
        found = self._open(path, start) if kept is None else None
        if found is None:
            found = self._work_out(start, now)
            is_whole = start + DAY_SECS + BESIDE_SECS < now and bool((found.known > 0.999).all())
            if is_whole or (is_over and found.known.any()):
                self._keep(path, found)
        self._days[day] = (now, found)
        return found

    def _work_out(self, start: float, now: float) -> HourUse:
        """A day from history; meters that were silent at its ends are looked for further away."""
        edges = start + np.arange(25, dtype=np.float64) * HOUR_SECS
        near = self._rows(self._slots, start - BESIDE_SECS, min(start + DAY_SECS + BESIDE_SECS, now + 1))
        found = self._used(near, self._slots, edges)
        until = np.searchsorted(edges, now)  # hours that have not come need no bridge
        short = np.flatnonzero((found.known[:max(int(until) - 1, 0)] < 0.999).any(axis=0))
        if len(short):
            wide = self._rows(self._slots[short], start - BRIDGE_SECS, min(start + DAY_SECS + BRIDGE_SECS, now + 1))
            again = self._used(wide, self._slots[short], edges)
            for name in COLUMNS:
                getattr(found, name)[:, short] = getattr(again, name)
        return found

    def _rows(self, slots: NDArray[np.int64], start: float, end: float) -> Readings:
        return self._history.readings_of(slots, int(start * 1000), int(end * 1000))

    def _used(self, rows: Readings, slots: NDArray[np.int64], edges: Floats) -> HourUse:
        order = np.lexsort((rows.source_time, rows.slot))
        slot = rows.slot[order]
        spans, n = len(edges) - 1, len(slots)
        out = HourUse(float(edges[0]), np.full((spans, n), np.nan), np.zeros((spans, n)), np.zeros((spans, n)),
                      np.zeros((spans, n), np.int64))
        by_slot = {meter.slot: meter for meter in self._meters}
        for k, one in enumerate(slots.tolist()):
            here = order[np.searchsorted(slot, one):np.searchsorted(slot, one, side="right")]
            meter = by_slot[one]
            found = used(rows.source_time[here], rows.value[here], rows.quality[here], edges, rolls_at=meter.rolls_at,
                         most_per_hour=meter.most_per_hour)
            for name in COLUMNS:
                getattr(out, name)[:, k] = getattr(found, name)
        return out

    def _open(self, path: Path, start: float) -> HourUse | None:
        """A kept day; None where there is none or the meters were others then."""
        try:
            table = pq.read_table(path)
        except (FileNotFoundError, pa.ArrowException):
            return None
        if (table.schema.metadata or {}).get(b"meters") != self._digest.encode():
            return None
        shape = (24, len(self._meters))
        return HourUse(start, *(table[name].to_numpy().reshape(shape).copy() for name in COLUMNS))

    def _keep(self, path: Path, day: HourUse) -> None:
        hour = np.repeat(np.arange(24, dtype=np.int8), len(self._meters))
        table = pa.table({"hour": hour, "meter": pa.array([m.id for m in self._meters] * 24), "use": day.use.ravel(),
                          "known": day.known.ravel(), "spread": day.spread.ravel(), "faults": day.faults.ravel()},
                         ).replace_schema_metadata({"meters": self._digest})
        temporary = path.with_suffix(".tmp")
        pq.write_table(table, temporary)
        temporary.rename(path)


def _nothing(start: float, meters: int) -> HourUse:
    nothing = np.zeros((24, meters))
    return HourUse(start, np.full((24, meters), np.nan), nothing, nothing, np.zeros((24, meters), np.int64))
