"""The walk over a batch, compiled: values, quality, deadband and alarm conditions, in the order things were said.

Delays count source time. A value holds until the next one, but for three periods at most: a delay that is running when
a point goes bad or silent is *held* (neither reset nor run on) and goes on when a good value comes; an active alarm
stays. Events therefore do not depend on how readings are cut into batches.

A *cell* is a slot worked out from others by a program (`twin.expressions`): a derived point, or what a deviation or
expression rule watches. It is worked out at the time of the newest of its inputs, when a reading comes for a later time, or
at the end of the batch: what one message says at one time is never mixed with what was said before.
"""

from __future__ import annotations

from math import isfinite, isnan

import numba
import numpy as np
from numpy.typing import NDArray

from twin.live.ahead import fetch_ahead
from twin.live.rules import DEVIATION, HIGH, LOW, RATE, STALE, STATE, TRUE

GOOD, UNCERTAIN, BAD, STALE_QUALITY, NEVER = range(5)
#: Columns of `counts`: why a reading was not taken, or was marked.
UNKNOWN_SLOT, NO_TIME, FUTURE, OLDER, REPEATED, NOT_A_NUMBER, AHEAD, TAKEN, DERIVED = range(9)
FUTURE_SECS = 300.0
AHEAD_SECS = 5.0
STALE_PERIODS = 3.0
HEARTBEAT_PERIODS = 2.0
RULES_SOON, SLOTS_SOON = 8, 24  # readings: how long before its turn a reading's rules, and its slot, are fetched
NAN = float("nan")
#: What a slot is besides: others are worked out from it; it counts in totals; it is worked out itself; it is a total; its
#: totals have not heard of its last change.
FEEDS, COUNTS, CELL, TOTAL, DIRTY = 1, 2, 4, 8, 16

#: One row a slot and one row a rule, so that what a reading touches lies together (64 bytes a slot).
SLOT = np.dtype([("value", "f8"), ("source", "f8"), ("received", "f8"), ("shown", "f8"), ("shown_time", "f8"),
                 ("period", "f4"), ("deadband", "f4"), ("changed", "u4"), ("first", "i4"), ("rules", "u2"),
                 ("quality", "u1"), ("flags", "u1")], align=True)
RULE = np.dtype([("limit", "f8"), ("hysteresis", "f8"), ("on_delay", "f8"), ("off_delay", "f8"), ("since", "f8"),
                 ("held", "f8"), ("kind", "u1"), ("active", "?")], align=True)
#: One row a cell: its slot, its program, its inputs (slots), the cells it needs first; until when it holds; the time it
#: waits to be worked out for (NaN: it does not wait).
CELL_ROW = np.dtype([("slot", "i4"), ("op", "i4"), ("ops", "i4"), ("input", "i4"), ("inputs", "i4"), ("before", "i4"),
                     ("befores", "i4"), ("quiet", "f8"), ("waits", "f8"), ("listed", "?")], align=True)


@numba.njit(cache=True)
def _settle(rules, row, time, value, out_rule, out_on, out_time, out_value, count):  # type: ignore[no-untyped-def]
    """Let a running delay of one rule run out by `time`."""
    rule = rules[row]
    if isnan(rule.since):
        return count
    delay = rule.off_delay if rule.active else rule.on_delay
    if time - rule.since < delay:
        return count
    rule.active = not rule.active
    out_rule[count] = row
    out_on[count] = rule.active
    out_time[count] = rule.since + delay
    out_value[count] = value
    rule.since = NAN
    return count + 1


@numba.njit(cache=True)
def _hold(rule, time):  # type: ignore[no-untyped-def]
    """Stop a running delay at `time`, keeping what has run."""
    if not isnan(rule.since):
        rule.held = max(time - rule.since, 0.0)
        rule.since = NAN


@numba.njit(cache=True)
def _judge(rules, row, is_wrong, time, value, out_rule, out_on, out_time,  # type: ignore[no-untyped-def]
           out_value, count):
    """Start, go on with or drop a delay after a fresh verdict at `time`."""
    rule = rules[row]
    if is_wrong == rule.active:
        rule.since = NAN
        rule.held = NAN
        return count
    if isnan(rule.since):
        rule.since = time if isnan(rule.held) else time - rule.held
        rule.held = NAN
    return _settle(rules, row, time, value, out_rule, out_on, out_time, out_value, count)


@numba.njit(cache=True)
def _is_wrong(rule, value, before, elapsed):  # type: ignore[no-untyped-def]
    slack = rule.hysteresis if rule.active else 0.0
    if rule.kind == HIGH:
        return value > rule.limit - slack
    if rule.kind == LOW:
        return value < rule.limit + slack
    if rule.kind == STATE:
        return value == rule.limit
    if rule.kind == RATE:
        return elapsed > 0.0 and abs(value - before) / elapsed * 60.0 > rule.limit - slack
    if rule.kind == DEVIATION:
        return abs(value) > rule.limit - slack
    if rule.kind == TRUE:
        return value != 0.0
    return False


@numba.njit(cache=True)
def _judge_all(slot, rules, quiet_from, fresh, grade, time, out_rule, out_on, out_time,  # type: ignore[no-untyped-def]
               out_value, count):
    """Every rule of a slot, before its fresh value takes the old one's place."""
    for row in range(slot.first, slot.first + slot.rules):
        rule = rules[row]
        if rule.kind == STALE:
            count = _judge(rules, row, False, time, slot.value, out_rule, out_on, out_time, out_value, count)
            continue
        if not isnan(rule.since):
            count = _settle(rules, row, min(time, quiet_from), slot.value, out_rule, out_on, out_time, out_value, count)
            if time > quiet_from:
                _hold(rule, quiet_from)
        if grade == BAD:
            _hold(rule, time)
        else:
            elapsed = time - slot.source if isfinite(slot.value) and slot.quality < BAD else 0.0
            wrong = _is_wrong(rule, fresh, slot.value, elapsed)
            count = _judge(rules, row, wrong, time, fresh, out_rule, out_on, out_time, out_value, count)
    return count


@numba.njit(cache=True, inline="always")
def _take(slot, at, fresh, grade, time, now, seq, dirty, dirty_count):  # type: ignore[no-untyped-def]
    """A slot's fresh value in place of the old one; whether it is worth passing on."""
    is_new = grade != slot.quality
    if isfinite(fresh):
        slot.value = fresh
        is_new = is_new or isnan(slot.shown) or abs(fresh - slot.shown) > slot.deadband
    passes = is_new or time - slot.shown_time >= HEARTBEAT_PERIODS * slot.period
    if passes:
        slot.shown = slot.value
        slot.shown_time = time
        slot.changed = seq
    slot.quality = grade
    slot.source = time
    slot.received = now
    if slot.flags & COUNTS and not slot.flags & DIRTY:
        slot.flags |= DIRTY
        dirty[dirty_count[0]] = at
        dirty_count[0] += 1
    return passes


@numba.njit(cache=True, error_model="numpy")
def _run(op, arg, first, steps, inputs, input_first, state, stack):  # type: ignore[no-untyped-def]
    """The value of a program over the present values of its inputs; not known (NaN) where Python, as lazy, would fail."""
    top = -1
    for k in range(first, first + steps):
        o = op[k]
        if o == 0:
            top += 1
            stack[top] = arg[k]
        elif o == 1:
            top += 1
            stack[top] = state[inputs[input_first + int(arg[k])]].value
        elif o == 6:
            stack[top] = -stack[top]
        elif o == 7:
            stack[top] = abs(stack[top])
        elif o == 18:
            if not isnan(stack[top]):
                stack[top] = 1.0 if stack[top] == 0.0 else 0.0
        elif o == 19:
            top -= 2
            if not isnan(stack[top]):
                stack[top] = stack[top + 1] if stack[top] != 0.0 else stack[top + 2]
        else:
            top -= 1
            a, b = stack[top], stack[top + 1]
            if o == 2:
                a = a + b
            elif o == 3:
                a = a - b
            elif o == 4:
                a = a * b
            elif o == 5:
                a = a / b if b != 0.0 else NAN
            elif o == 16 and a == 0.0:
                a = 0.0
            elif o == 17 and a != 0.0 and not isnan(a):
                a = 1.0
            elif isnan(a) or isnan(b):
                a = NAN
            elif o == 8:
                a = min(a, b)
            elif o == 9:
                a = max(a, b)
            elif o == 10:
                a = 1.0 if a < b else 0.0
            elif o == 11:
                a = 1.0 if a <= b else 0.0
            elif o == 12:
                a = 1.0 if a > b else 0.0
            elif o == 13:
                a = 1.0 if a >= b else 0.0
            elif o == 14:
                a = 1.0 if a == b else 0.0
            elif o == 15:
                a = 1.0 if a != b else 0.0
            else:
                a = 1.0 if b != 0.0 else 0.0
            stack[top] = a
    return stack[0]


@numba.njit(cache=True)
def _work_out(c, cells, op, arg, inputs, stack, now, seq, state, rules, dirty, dirty_count,  # type: ignore[no-untyped-def]
              out_rule, out_on, out_time, out_value, count):
    """One cell at the time of the newest of its inputs; nothing while one of them never spoke or is stale."""
    cell = cells[c]
    cell.waits = NAN
    grade, time, quiet, is_known = GOOD, 0.0, np.inf, True
    for k in range(cell.input, cell.input + cell.inputs):
        one = state[inputs[k]]
        if one.quality >= STALE_QUALITY:
            return count
        grade = max(grade, one.quality)
        time = max(time, one.source)
        quiet = min(quiet, one.source + STALE_PERIODS * one.period)
        is_known = is_known and not isnan(one.value)
    value = _run(op, arg, cell.op, cell.ops, inputs, cell.input, state, stack) if is_known else NAN
    if not isfinite(value):
        grade = BAD
    slot = state[cell.slot]
    if slot.rules:
        count = _judge_all(slot, rules, cell.quiet, value, grade, time, out_rule, out_on, out_time, out_value, count)
    cell.quiet = quiet
    _take(slot, cell.slot, value, grade, time, now, seq, dirty, dirty_count)
    return count


@numba.njit(cache=True)
def _work_out_first(c, cells, befores, op, arg, inputs, stack, now, seq, state, rules,  # type: ignore[no-untyped-def]
                    dirty, dirty_count, out_rule, out_on, out_time, out_value, count):
    """A cell that waits, after those it needs that wait too."""
    for k in range(cells[c].before, cells[c].before + cells[c].befores):
        if not isnan(cells[befores[k]].waits):
            count = _work_out(befores[k], cells, op, arg, inputs, stack, now, seq, state, rules, dirty, dirty_count,
                              out_rule, out_on, out_time, out_value, count)
    return _work_out(c, cells, op, arg, inputs, stack, now, seq, state, rules, dirty, dirty_count, out_rule, out_on,
                     out_time, out_value, count)


@numba.njit(cache=True)
def _mark(at, time, after_start, after, cells, waiting, waiting_count):  # type: ignore[no-untyped-def]
    """Every cell that depends on a slot waits for this time."""
    for k in range(after_start[at], after_start[at + 1]):
        cell = cells[after[k]]
        cell.waits = time if isnan(cell.waits) else max(cell.waits, time)
        if not cell.listed:
            cell.listed = True
            waiting[waiting_count[0]] = after[k]
            waiting_count[0] += 1


@numba.njit(cache=True)
def walk(begin, slots, values, qualities, times, now, seq, state, rules, passed, counts,  # type: ignore[no-untyped-def]
         room, after_start, after, cells, befores, op, arg, inputs, stack, waiting, waiting_count, dirty, dirty_count,
         out_rule, out_on, out_time, out_value):
    """Readings from `begin` on, until done or the event buffer is full; gives (next reading, events written)."""
    count, taken, n = 0, 0, len(slots)
    for i in range(begin, n):
        if i + SLOTS_SOON < n and slots[i + SLOTS_SOON] < len(room):
            fetch_ahead(state, slots[i + SLOTS_SOON])  # type: ignore[call-arg]
        if i + RULES_SOON < n and slots[i + RULES_SOON] < len(room):
            coming = state[slots[i + RULES_SOON]]
            if coming.rules:
                fetch_ahead(rules, coming.first)  # type: ignore[call-arg]
        if slots[i] >= len(room):
            counts[UNKNOWN_SLOT] += 1
            continue
        at = slots[i]
        slot = state[at]
        feeds = slot.flags & FEEDS
        if count + (room[at] if feeds else 2 * slot.rules) > len(out_rule):
            counts[TAKEN] += taken
            return i, count
        if slot.flags & (CELL | TOTAL):
            counts[DERIVED] += 1
            continue
        time = times[i]
        if not isfinite(time) or time <= 0.0:
            counts[NO_TIME] += 1
            continue
        if time > now + FUTURE_SECS:
            counts[FUTURE] += 1
            continue
        if time <= slot.source:
            counts[REPEATED if time == slot.source else OLDER] += 1
            continue
        fresh = values[i]
        grade = qualities[i]
        if not isfinite(fresh):
            counts[NOT_A_NUMBER] += 1
            grade = BAD
        elif time > now + AHEAD_SECS:
            counts[AHEAD] += 1
            grade = max(grade, UNCERTAIN)
        grade = min(grade, BAD)
        taken += 1
        if feeds:
            for k in range(after_start[at], after_start[at + 1]):
                if cells[after[k]].waits < time:
                    count = _work_out_first(after[k], cells, befores, op, arg, inputs, stack, now, seq, state, rules,
                                            dirty, dirty_count, out_rule, out_on, out_time, out_value, count)
        if slot.rules:
            count = _judge_all(slot, rules, slot.source + STALE_PERIODS * slot.period, fresh, grade, time, out_rule,
                               out_on, out_time, out_value, count)
        passed[i] = _take(slot, at, fresh, grade, time, now, seq, dirty, dirty_count)
        if feeds:
            _mark(at, time, after_start, after, cells, waiting, waiting_count)
    counts[TAKEN] += taken
    return n, count


@numba.njit(cache=True)
def work_out_waiting(begin, now, seq, state, rules, room, cells, befores, op, arg,  # type: ignore[no-untyped-def]
                     inputs, stack, waiting, waiting_count, dirty, dirty_count, out_rule, out_on, out_time, out_value):
    """Cells that wait, in the order they began to; gives (next, events written). At the end nobody waits."""
    count = 0
    for k in range(begin, waiting_count[0]):
        cell = cells[waiting[k]]
        if count + room[cell.slot] > len(out_rule):
            return k, count
        if not isnan(cell.waits):
            count = _work_out_first(waiting[k], cells, befores, op, arg, inputs, stack, now, seq, state, rules, dirty,
                                    dirty_count, out_rule, out_on, out_time, out_value, count)
        cell.listed = False
    return waiting_count[0], count


@numba.njit(cache=True)
def sweep(begin, now, seq, state, rules, cells, inputs, dirty, dirty_count, out_rule,  # type: ignore[no-untyped-def]
          out_on, out_time, out_value):
    """What time alone does: points fall silent, delays run out. Gives (next, events written); cells come after all slots."""
    count, n = 0, len(state)
    for i in range(begin, n + len(cells)):
        at = i if i < n else cells[i - n].slot
        slot = state[at]
        if slot.quality == NEVER or (i < n and slot.flags & CELL):
            continue
        if count + 2 * slot.rules > len(out_rule):
            return i, count
        slot.received = min(slot.received, now)  # the clock was set back: silence counts from here
        elapsed = now - slot.received
        quiet_from = slot.source + elapsed
        if i >= n:
            is_silent = False
            quiet_from = min(quiet_from, cells[i - n].quiet)
            for k in range(cells[i - n].input, cells[i - n].input + cells[i - n].inputs):
                is_silent = is_silent or state[inputs[k]].quality >= STALE_QUALITY
        elif slot.flags & TOTAL:
            is_silent = False
        else:
            quiet_after = STALE_PERIODS * slot.period
            is_silent = elapsed > quiet_after
            quiet_from = slot.source + min(elapsed, quiet_after)
        if slot.quality != STALE_QUALITY and is_silent:
            slot.quality = STALE_QUALITY
            slot.changed = seq
            if slot.flags & COUNTS and not slot.flags & DIRTY:
                slot.flags |= DIRTY
                dirty[dirty_count[0]] = at
                dirty_count[0] += 1
        for row in range(slot.first, slot.first + slot.rules):
            rule = rules[row]
            until = quiet_from
            if rule.kind == STALE:
                until = slot.source + elapsed
                if slot.quality == STALE_QUALITY and not rule.active and isnan(rule.since):
                    rule.since = quiet_from
            if isnan(rule.since):
                continue
            count = _settle(rules, row, until, slot.value, out_rule, out_on, out_time, out_value, count)
            if slot.quality == STALE_QUALITY and rule.kind != STALE:
                _hold(rule, quiet_from)
    return n + len(cells), count


def empty_events(room: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Buffers for `room` events: rule, on or off, source time (s), value."""
    return np.empty(room, np.int64), np.empty(room, np.bool_), np.empty(room), np.empty(room)
