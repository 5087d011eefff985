"""The walk over a batch, compiled: values, quality, deadband and alarm conditions, in the order things were said.

Delays count source time. A value holds until the next one, but for three periods at most: a delay that is running when
a point goes bad or silent is *held* (neither reset nor run on) and goes on when a good value comes; an active alarm
stays. Events therefore do not depend on how readings are cut into batches.
"""

from __future__ import annotations

from math import isfinite, isnan

import numba
import numpy as np
from numpy.typing import NDArray

from twin.live.rules import HIGH, LOW, RATE, STALE, STATE

GOOD, UNCERTAIN, BAD, STALE_QUALITY, NEVER = range(5)
#: Columns of `counts`: why a reading was not taken, or was marked.
UNKNOWN_SLOT, NO_TIME, FUTURE, OLDER, REPEATED, NOT_A_NUMBER, AHEAD, TAKEN = range(8)
FUTURE_SECS = 300.0
AHEAD_SECS = 5.0
STALE_PERIODS = 3.0
HEARTBEAT_PERIODS = 2.0
NAN = float("nan")

#: One row a slot and one row a rule, so that what a reading touches lies together (64 bytes a slot).
SLOT = np.dtype([("value", "f8"), ("source", "f8"), ("received", "f8"), ("shown", "f8"), ("shown_time", "f8"),
                 ("period", "f4"), ("deadband", "f4"), ("changed", "u4"), ("first", "i4"), ("rules", "u2"),
                 ("quality", "u1")], align=True)
RULE = np.dtype([("limit", "f8"), ("hysteresis", "f8"), ("on_delay", "f8"), ("off_delay", "f8"), ("since", "f8"),
                 ("held", "f8"), ("kind", "u1"), ("active", "?")], align=True)


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
    return False


@numba.njit(cache=True)
def _judge_all(slot, rules, fresh, grade, time, out_rule, out_on, out_time, out_value,  # type: ignore[no-untyped-def]
               count):
    """Every rule of a slot, before its fresh value takes the old one's place."""
    quiet_from = slot.source + STALE_PERIODS * slot.period
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


@numba.njit(cache=True)
def walk(begin, slots, values, qualities, times, now, seq, state, rules, passed, counts,  # type: ignore[no-untyped-def]
         out_rule, out_on, out_time, out_value):
    """Readings from `begin` on, until done or the event buffer is full; gives (next reading, events written)."""
    count = 0
    for i in range(begin, len(slots)):
        if slots[i] >= len(state):
            counts[UNKNOWN_SLOT] += 1
            continue
        slot = state[slots[i]]
        if count + 2 * slot.rules > len(out_rule):
            return i, count
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
        counts[TAKEN] += 1
        if slot.rules:
            count = _judge_all(slot, rules, fresh, grade, time, out_rule, out_on, out_time, out_value, count)
        is_new = grade != slot.quality
        if isfinite(fresh):
            slot.value = fresh
            is_new = is_new or isnan(slot.shown) or abs(fresh - slot.shown) > slot.deadband
        if is_new or time - slot.shown_time >= HEARTBEAT_PERIODS * slot.period:
            slot.shown = slot.value
            slot.shown_time = time
            slot.changed = seq
            passed[i] = True
        slot.quality = grade
        slot.source = time
        slot.received = now
    return len(slots), count


@numba.njit(cache=True)
def sweep(begin, now, seq, state, rules, out_rule, out_on, out_time, out_value):  # type: ignore[no-untyped-def]
    """What time alone does: points fall silent, delays run out. Gives (next slot, events written)."""
    count = 0
    for i in range(begin, len(state)):
        slot = state[i]
        if slot.quality == NEVER:
            continue
        if count + 2 * slot.rules > len(out_rule):
            return i, count
        quiet_after = STALE_PERIODS * slot.period
        elapsed = now - slot.received
        if slot.quality != STALE_QUALITY and elapsed > quiet_after:
            slot.quality = STALE_QUALITY
            slot.changed = seq
        quiet_from = slot.source + min(elapsed, quiet_after)
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
    return len(state), count


def empty_events(room: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Buffers for `room` events: rule, on or off, source time (s), value."""
    return np.empty(room, np.int64), np.empty(room, np.bool_), np.empty(room), np.empty(room)
