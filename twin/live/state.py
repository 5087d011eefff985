"""What every point says now: columns, one writer, and the alarm conditions met on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.live import kernel, totals
from twin.live.cells import CellTable, cell_table
from twin.live.rules import RuleTable, rule_table
from twin.ports import Readings
from twin.registry import PointTable
from twin.wire import Quality

REASONS = ("unknown_slot", "no_time", "future", "older", "repeated", "not_a_number", "ahead", "taken", "derived")
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
        rules_of = np.diff(self.rules.start)
        self._cells: CellTable = cell_table(self.rules.cells, self.rules.slots, rules_of)
        self._totals = totals.total_table(points.totals, self.rules.slots)
        self._slots = _slot_rows(points, self.rules, self._cells, self._totals)
        self._rules = _rule_rows(self.rules)
        shown = self._slots[: len(points)]
        self.value: NDArray[np.float64] = shown["value"]
        self.quality: NDArray[np.uint8] = shown["quality"]
        self.source: NDArray[np.float64] = shown["source"]
        self.received: NDArray[np.float64] = shown["received"]
        self.changed: NDArray[np.uint32] = shown["changed"]
        self.active: NDArray[np.bool_] = self._rules["active"]
        #: Slots worked out from others, hidden ones left out.
        self.derived: NDArray[np.int64] = np.flatnonzero(shown["flags"] & (kernel.CELL | kernel.TOTAL))
        self._suppressing = np.flatnonzero(self.rules.suppresses >= 0)
        self._counts = np.zeros(len(REASONS), np.int64)
        self._events = kernel.empty_events(max(EVENT_ROOM, int(self._cells.room.max(initial=0))))
        self._waiting, self._waits = np.zeros(len(self._cells), np.int32), np.zeros(1, np.int64)
        self._dirty, self._dirties = np.zeros(self.rules.slots, np.int64), np.zeros(1, np.int64)
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
        found, at, c = [], 0, self._cells
        while True:
            at, count = kernel.walk(at, readings.slot, readings.value, readings.quality, readings.source_time, now,
                                    self.seq, self._slots, self._rules, passed, self._counts, c.room[: len(self)],
                                    c.after_start, c.after, c.rows, c.befores, c.op, c.arg, c.inputs, c.stack,
                                    self._waiting, self._waits, self._dirty, self._dirties, *self._events)
            found.append(self._taken(count))
            if at >= len(readings.slot):
                return Applied(passed, joined(found + self._work_out(now)))

    def sweep(self, now: float) -> RuleEvents:
        """Let time pass: points silent for three periods turn stale, running delays run out."""
        found, at, c = [], 0, self._cells
        while True:
            at, count = kernel.sweep(at, now, self.seq, self._slots, self._rules, c.rows, c.inputs, self._dirty,
                                     self._dirties, *self._events)
            found.append(self._taken(count))
            if at >= len(self._slots) + len(c):
                return joined(found + self._join(now) + self._work_out(now))

    @property
    def suppresses(self) -> bool:
        """Whether any rule can be suppressed by design."""
        return len(self._suppressing) > 0

    def suppressed(self) -> NDArray[np.bool_]:
        """Which rule rows are suppressed by design now."""
        flags = np.zeros(len(self.rules), np.bool_)
        flags[self.rules.suppresses[self._suppressing[self.active[self._suppressing]]]] = True
        return flags

    def mark_stale(self, slots: NDArray[np.integer]) -> None:
        """The way to these points is down: what they last said is no longer known to hold."""
        alive = slots[self.quality[slots] < Quality.STALE]
        self.quality[alive] = int(Quality.STALE)
        self.changed[alive] = self.seq
        flags = self._slots["flags"]
        told = alive[(flags[alive] & (kernel.COUNTS | kernel.DIRTY)) == kernel.COUNTS]
        flags[told] |= kernel.DIRTY
        self._dirty[self._dirties[0]: self._dirties[0] + len(told)] = told
        self._dirties[0] += len(told)

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
        """These rules were active when they were last written down, the others that raise alarms were not."""
        self.active[self.rules.suppresses < 0] = False
        self.active[rules] = True

    def set_active(self, rules: NDArray[np.integer], on: NDArray[np.bool_]) -> None:
        """These rules, in order, came or went; rows past the rules are passed by."""
        known = rules < len(self.rules)
        for row, is_on in zip(rules[known].tolist(), on[known].tolist(), strict=True):
            self.active[row] = is_on

    def restore_suppressed(self, rules: NDArray[np.integer]) -> None:
        """After a restart: these rules were suppressed by design, which holds until the points say otherwise."""
        self.active[self._suppressing[np.isin(self.rules.suppresses[self._suppressing], rules)]] = True

    def _join(self, now: float) -> list[tuple[NDArray, ...]]:
        """Every total a member of which changed; gives the events met on the way."""
        t, c = self._totals, self._cells
        if not self._dirties[0]:
            return []
        totals.gather(self._slots, self._dirty, self._dirties, t.rows, t.parts, t.scales, t.start, t.parts_of, t.touched,
                      t.touches)
        found, at = [], 0
        while at < t.touches[0]:
            at, count = totals.publish(at, now, self.seq, self._slots, self._rules, t.rows, t.parts, t.touched, t.touches,
                                       c.room, c.after_start, c.after, c.rows, self._waiting, self._waits, self._dirty,
                                       self._dirties, *self._events)
            found.append(self._taken(count))
        t.touches[0] = 0
        return found

    def _work_out(self, now: float) -> list[tuple[NDArray, ...]]:
        """Every cell that waits; gives the events met on the way."""
        found, at, c = [], 0, self._cells
        while at < self._waits[0]:
            at, count = kernel.work_out_waiting(at, now, self.seq, self._slots, self._rules, c.room, c.rows, c.befores, c.op,
                                                c.arg, c.inputs, c.stack, self._waiting, self._waits, self._dirty,
                                                self._dirties, *self._events)
            found.append(self._taken(count))
        self._waits[0] = 0
        return found

    def _warm(self) -> None:
        """Compile the kernel, or load it, now rather than in the first tick."""
        nothing = Readings(np.zeros(0, np.uint32), np.zeros(0), np.zeros(0, np.uint8), np.zeros(0))
        self.apply(nothing, 0.0)
        self.sweep(0.0)

    def _taken(self, count: int) -> tuple[NDArray, ...]:
        return tuple(column[:count].copy() for column in self._events)


def _slot_rows(points: PointTable, rules: RuleTable, cells: CellTable, joined_in: totals.TotalTable) -> NDArray[np.void]:
    rows = np.zeros(rules.slots, kernel.SLOT)
    rows["value"] = rows["shown"] = np.nan
    rows["quality"] = int(Quality.NEVER)
    rows["period"][: len(points)], rows["deadband"][: len(points)] = points.period, points.deadband
    rows["flags"][np.diff(cells.after_start) > 0] |= kernel.FEEDS
    rows["flags"][cells.rows["slot"]] |= kernel.CELL
    rows["flags"][joined_in.parts["slot"]] |= kernel.COUNTS
    rows["flags"][[slot for slot, spec in enumerate(points.spec) if spec.how]] |= kernel.TOTAL
    for k in range(len(cells)):  # the period of what is worked out is the longest of its inputs'
        row = cells.rows[k]
        rows["period"][row["slot"]] = rows["period"][cells.inputs[row["input"]:row["input"] + row["inputs"]]].max()
    rows["first"], rows["rules"] = rules.start[:-1], np.diff(rules.start)
    return rows


def _rule_rows(rules: RuleTable) -> NDArray[np.void]:
    rows = np.zeros(len(rules), kernel.RULE)
    for name in ("limit", "hysteresis", "on_delay", "off_delay", "kind"):
        rows[name] = getattr(rules, name)
    rows["since"] = rows["held"] = np.nan
    return rows


def joined(parts: list[tuple[NDArray, ...]]) -> RuleEvents:
    """Events one behind the other."""
    if len(parts) == 1:
        return RuleEvents(*parts[0])
    return RuleEvents(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
