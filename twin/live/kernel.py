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


@numba.njit(cache=True, inline="always")
def _emit(out_rule, out_on, out_time, out_value, count, rule, on, time, value):  # type: ignore[no-untyped-def]
    out_rule[count] = rule
    out_on[count] = on
    out_time[count] = time
    out_value[count] = value
    return count + 1


@numba.njit(cache=True)
def _settle(rule, time, value, active, since, on_delay, off_delay,  # type: ignore[no-untyped-def]
            out_rule, out_on, out_time, out_value, count):
    """Let a running delay of one rule run out by `time`."""
    if isnan(since[rule]):
        return count
    delay = off_delay[rule] if active[rule] else on_delay[rule]
    if time - since[rule] >= delay:
        active[rule] = not active[rule]
        count = _emit(out_rule, out_on, out_time, out_value, count, rule, active[rule], since[rule] + delay, value)
        since[rule] = NAN
    return count


@numba.njit(cache=True)
def _hold(rule, time, since, held):  # type: ignore[no-untyped-def]
    """Stop a running delay at `time`, keeping what has run."""
    if not isnan(since[rule]):
        held[rule] = max(time - since[rule], 0.0)
        since[rule] = NAN


@numba.njit(cache=True)
def _judge(rule, is_wrong, time, value, active, since, held, on_delay, off_delay,  # type: ignore[no-untyped-def]
           out_rule, out_on, out_time, out_value, count):
    """Start, go on with or drop a delay after a fresh verdict at `time`."""
    if is_wrong == active[rule]:
        since[rule] = NAN
        held[rule] = NAN
        return count
    if isnan(since[rule]):
        since[rule] = time if isnan(held[rule]) else time - held[rule]
        held[rule] = NAN
    return _settle(rule, time, value, active, since, on_delay, off_delay, out_rule, out_on, out_time, out_value, count)


@numba.njit(cache=True)
def _is_wrong(kind, limit, hysteresis, active, value, before, elapsed):  # type: ignore[no-untyped-def]
    slack = hysteresis if active else 0.0
    if kind == HIGH:
        return value > limit - slack
    if kind == LOW:
        return value < limit + slack
    if kind == STATE:
        return value == limit
    if kind == RATE:
        return elapsed > 0.0 and abs(value - before) / elapsed * 60.0 > limit - slack
    return False


@numba.njit(cache=True)
def walk(begin, slots, values, qualities, times, now, seq,  # type: ignore[no-untyped-def]
         value, quality, source, received, changed, shown, shown_time, period, deadband,
         start, kind, limit, hysteresis, on_delay, off_delay, active, since, held,
         passed, counts, out_rule, out_on, out_time, out_value):
    """Readings from `begin` on, until done or the event buffer is full; gives (next reading, events written)."""
    n = len(slots)
    points = len(value)
    room = len(out_rule)
    count = 0
    for i in range(begin, n):
        slot = slots[i]
        if slot >= points:
            counts[UNKNOWN_SLOT] += 1
            continue
        first, last = start[slot], start[slot + 1]
        if count + 2 * (last - first) > room:
            return i, count
        time = times[i]
        if not isfinite(time) or time <= 0.0:
            counts[NO_TIME] += 1
            continue
        if time > now + FUTURE_SECS:
            counts[FUTURE] += 1
            continue
        before_time = source[slot]
        if time <= before_time:
            counts[REPEATED if time == before_time else OLDER] += 1
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
        before = value[slot]
        quiet_from = before_time + STALE_PERIODS * period[slot]
        for rule in range(first, last):
            if kind[rule] == STALE:
                count = _judge(rule, False, time, before, active, since, held, on_delay, off_delay,
                               out_rule, out_on, out_time, out_value, count)
                continue
            if not isnan(since[rule]):
                count = _settle(rule, min(time, quiet_from), before, active, since, on_delay, off_delay,
                                out_rule, out_on, out_time, out_value, count)
                if time > quiet_from:
                    _hold(rule, quiet_from, since, held)
            if grade == BAD:
                _hold(rule, time, since, held)
            else:
                elapsed = time - before_time if isfinite(before) and quality[slot] < BAD else 0.0
                wrong = _is_wrong(kind[rule], limit[rule], hysteresis[rule], active[rule], fresh, before, elapsed)
                count = _judge(rule, wrong, time, fresh, active, since, held, on_delay, off_delay,
                               out_rule, out_on, out_time, out_value, count)
        is_new = grade != quality[slot]
        if isfinite(fresh):
            value[slot] = fresh
            is_new = is_new or isnan(shown[slot]) or abs(fresh - shown[slot]) > deadband[slot]
        if is_new or time - shown_time[slot] >= HEARTBEAT_PERIODS * period[slot]:
            shown[slot] = value[slot]
            shown_time[slot] = time
            changed[slot] = seq
            passed[i] = True
        quality[slot] = grade
        source[slot] = time
        received[slot] = now
    return n, count


@numba.njit(cache=True)
def sweep(begin, now, seq, value, quality, source, received, changed, period,  # type: ignore[no-untyped-def]
          start, kind, active, since, held, on_delay, off_delay, out_rule, out_on, out_time, out_value):
    """What time alone does: points fall silent, delays run out. Gives (next slot, events written)."""
    count = 0
    for slot in range(begin, len(value)):
        if quality[slot] == NEVER:
            continue
        first, last = start[slot], start[slot + 1]
        if count + 2 * (last - first) > len(out_rule):
            return slot, count
        quiet_after = STALE_PERIODS * period[slot]
        elapsed = now - received[slot]
        is_stale = quality[slot] == STALE_QUALITY
        if not is_stale and elapsed > quiet_after:
            quality[slot] = STALE_QUALITY
            changed[slot] = seq
            is_stale = True
        if first == last:
            continue
        here = source[slot] + elapsed
        for rule in range(first, last):
            if kind[rule] == STALE:
                if is_stale and not active[rule] and isnan(since[rule]):
                    since[rule] = source[slot] + min(quiet_after, elapsed)
                count = _settle(rule, here, value[slot], active, since, on_delay, off_delay,
                                out_rule, out_on, out_time, out_value, count)
            elif not isnan(since[rule]):
                count = _settle(rule, source[slot] + min(elapsed, quiet_after), value[slot], active, since,
                                on_delay, off_delay, out_rule, out_on, out_time, out_value, count)
                if is_stale:
                    _hold(rule, source[slot] + min(elapsed, quiet_after), since, held)
    return len(value), count


def empty_events(room: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Buffers for `room` events: rule, on or off, source time (s), value."""
    return np.empty(room, np.int64), np.empty(room, np.bool_), np.empty(room), np.empty(room)
