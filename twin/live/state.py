"""What every point says now: columns, one writer, and the alarm conditions met on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.live import kernel
from twin.live.rules import RuleTable, rule_table
from twin.ports import Readings
from twin.registry import PointTable
from twin.wire import Quality

REASONS = ("unknown_slot", "no_time", "future", "older", "repeated", "not_a_number", "ahead", "taken")
EVENT_ROOM = 4096


@dataclass(frozen=True, slots=True)
class RuleEvents:
    """Alarm conditions that came (`on`) or went, in order: rule row, source time (s), value at that moment."""

    rule: NDArray[np.int64]
    on: NDArray[np.bool_]
    time: NDArray[np.float64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rule)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did: which readings are worth passing on (bool a reading), and the alarm events."""

    passed: NDArray[np.bool_]
    events: RuleEvents


class StateStore:
    """The live columns. Index = slot; times are seconds since 1970 UTC.

    `value` f64 (states by number), `quality` u8 (see `twin.wire.Quality`), `source` and `received` f64, `changed` u32:
    the sequence number of the last change worth showing. They are strided views of rows. One thread writes.
    """

    def __init__(self, points: PointTable, rules: RuleTable | None = None) -> None:
        self.points = points
        self.rules = rule_table(points) if rules is None else rules
        self.seq = 0
        self._slots = _slot_rows(points, self.rules)
        self._rules = _rule_rows(self.rules)
        self.value: NDArray[np.float64] = self._slots["value"]
        self.quality: NDArray[np.uint8] = self._slots["quality"]
        self.source: NDArray[np.float64] = self._slots["source"]
        self.received: NDArray[np.float64] = self._slots["received"]
        self.changed: NDArray[np.uint32] = self._slots["changed"]
        self.active: NDArray[np.bool_] = self._rules["active"]
        self._counts = np.zeros(len(REASONS), np.int64)
        widest = int(np.diff(self.rules.start).max(initial=0))
        self._events = kernel.empty_events(max(EVENT_ROOM, 2 * widest))
        self._warm()

    def __len__(self) -> int:
        return len(self.value)

    @property
    def counts(self) -> dict[str, int]:
        """Readings since the start by what became of them."""
        return dict(zip(REASONS, self._counts.tolist(), strict=True))

    def apply(self, readings: Readings, now: float) -> Applied:
        """Take a batch in its order. A value never replaces a newer one; one > 5 min ahead of `now` is dropped."""
        passed = np.zeros(len(readings.slot), np.bool_)
        found, at = [], 0
        while True:
            at, count = kernel.walk(at, readings.slot, readings.value, readings.quality, readings.source_time, now,
                                    self.seq, self._slots, self._rules, passed, self._counts, *self._events)
            found.append(self._taken(count))
            if at >= len(readings.slot):
                return Applied(passed, _joined(found))

    def sweep(self, now: float) -> RuleEvents:
        """Let time pass: points silent for three periods turn stale, running delays run out."""
        found, at = [], 0
        while True:
            at, count = kernel.sweep(at, now, self.seq, self._slots, self._rules, *self._events)
            found.append(self._taken(count))
            if at >= len(self.value):
                return _joined(found)

    def mark_stale(self, slots: NDArray[np.integer]) -> None:
        """The way to these points is down: what they last said is no longer known to hold."""
        alive = slots[self.quality[slots] < Quality.STALE]
        self.quality[alive] = int(Quality.STALE)
        self.changed[alive] = self.seq

    def next_seq(self) -> int:
        """Close a tick: later changes carry the next number. Gives the number just closed."""
        self.seq += 1
        return self.seq - 1

    def changed_since(self, seq: int) -> NDArray[np.int64]:
        """Slots changed after tick `seq`, in slot order; all that ever spoke for -1."""
        if seq < 0:
            return np.flatnonzero(self.quality != Quality.NEVER)
        return np.flatnonzero(self.changed > seq)

    def age_ms(self, slots: NDArray[np.integer], now: float) -> NDArray[np.uint32]:
        """Milliseconds since each slot's source time; the largest number for one that never spoke."""
        age = np.clip((now - self.source[slots]) * 1000.0, 0.0, 4294967295.0)
        return np.where(self.quality[slots] == Quality.NEVER, 4294967295.0, age).astype(np.uint32)

    def restore_active(self, rules: NDArray[np.integer]) -> None:
        """After a restart: these rules were active."""
        self.active[rules] = True

    def _warm(self) -> None:
        """Compile the kernel, or load it, now rather than in the first tick."""
        nothing = Readings(np.zeros(0, np.uint32), np.zeros(0), np.zeros(0, np.uint8), np.zeros(0))
        self.apply(nothing, 0.0)
        self.sweep(0.0)

    def _taken(self, count: int) -> tuple[NDArray, ...]:
        return tuple(column[:count].copy() for column in self._events)


def _slot_rows(points: PointTable, rules: RuleTable) -> NDArray[np.void]:
    rows = np.zeros(len(points), kernel.SLOT)
    rows["value"] = rows["shown"] = np.nan
    rows["quality"] = int(Quality.NEVER)
    rows["period"], rows["deadband"] = points.period, points.deadband
    rows["first"], rows["rules"] = rules.start[:-1], np.diff(rules.start)
    return rows


def _rule_rows(rules: RuleTable) -> NDArray[np.void]:
    rows = np.zeros(len(rules), kernel.RULE)
    for name in ("limit", "hysteresis", "on_delay", "off_delay", "kind"):
        rows[name] = getattr(rules, name)
    rows["since"] = rows["held"] = np.nan
    return rows


def _joined(parts: list[tuple[NDArray, ...]]) -> RuleEvents:
    if len(parts) == 1:
        return RuleEvents(*parts[0])
    return RuleEvents(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
