"""Totals over subtrees of the scene graph: sums, means, extremes, counts and the worst state, kept up as members change.

A member that is bad, stale or never spoke is left out; while any is, the total is uncertain, and bad when none is left. Sums
are kept by what each member adds (compensated), extremes are looked up anew only when the one that was it moves away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan

import numba
import numpy as np
from numpy.typing import NDArray

from twin.live import kernel
from twin.registry import Total

SUM, MEAN, MOST, LEAST = range(4)
WAYS = {"sum": SUM, "count": SUM, "mean": MEAN, "max": MOST, "worst": MOST, "min": LEAST}
NAN = float("nan")

#: One row a total: its slot and way, its members (`part` rows), how many are heard, and the running figures.
TOTAL_ROW = np.dtype([("slot", "i4"), ("how", "u1"), ("listed", "?"), ("is_moved", "?"), ("first", "i4"), ("members", "i4"),
                      ("heard", "i4"), ("sum", "f8"), ("rest", "f8"), ("best", "f8"), ("time", "f8")], align=True)
#: One row a membership: of which total, by which slot, with what it adds now (NaN: left out), and where its scale lies.
PART_ROW = np.dtype([("total", "i4"), ("slot", "i4"), ("adds", "f8"), ("scale", "i4"), ("scales", "i4")], align=True)


@dataclass(frozen=True, slots=True)
class TotalTable:
    """Totals as columns; `parts_of` lists, for every slot, its memberships."""

    rows: NDArray[np.void]
    parts: NDArray[np.void]
    scales: NDArray[np.float64]
    start: NDArray[np.int64]
    parts_of: NDArray[np.int32]
    touched: NDArray[np.int32]
    touches: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def total_table(totals: Sequence[Total], slots: int) -> TotalTable:
    """The columns of some totals over `slots` slots."""
    rows = np.zeros(len(totals), TOTAL_ROW)
    parts = np.zeros(sum(len(total.members) for total in totals), PART_ROW)
    scales, at = list[float](), 0
    known: dict[tuple[float, ...], int] = {}
    for k, total in enumerate(totals):
        rows[k]["slot"], rows[k]["how"] = total.slot, WAYS[total.how]
        rows[k]["first"], rows[k]["members"] = at, len(total.members)
        for slot, scale in total.members:
            if scale and scale not in known:
                known[scale] = len(scales)
                scales += scale
            parts[at] = (k, slot, NAN, known.get(scale, 0), len(scale))
            at += 1
    rows["best"] = NAN
    order = np.argsort(parts["slot"], kind="stable").astype(np.int32)
    start = np.searchsorted(parts["slot"][order], np.arange(slots + 1)).astype(np.int64)
    return TotalTable(rows, parts, np.array(scales, np.float64), start, order, np.zeros(len(totals), np.int32),
                      np.zeros(1, np.int64))


@numba.njit(cache=True)
def gather(state, dirty, dirty_count, rows, parts, scales, start, parts_of, touched, touches):  # type: ignore[no-untyped-def]
    """Put every changed member's part in place of what it added before; lists the totals that are touched."""
    for k in range(dirty_count[0]):
        at = dirty[k]
        slot = state[at]
        slot.flags &= ~np.uint8(kernel.DIRTY)
        for j in range(start[at], start[at + 1]):
            part = parts[parts_of[j]]
            total = rows[part.total]
            fresh = slot.value if slot.quality < kernel.BAD and isfinite(slot.value) else NAN
            if part.scales and not isnan(fresh):
                state_number = int(fresh)
                fresh = scales[part.scale + state_number] if 0 <= state_number < part.scales else NAN
            if not total.listed:
                total.listed = True
                touched[touches[0]] = part.total
                touches[0] += 1
            total.time = max(total.time, slot.source)
            old = part.adds
            part.adds = fresh
            if not isnan(old):
                total.heard -= 1
                _add(total, -old)
                total.is_moved = total.is_moved or old == total.best
            if not isnan(fresh):
                total.heard += 1
                _add(total, fresh)
                if isnan(total.best) or (fresh > total.best if total.how == MOST else fresh < total.best):
                    total.best = fresh
    dirty_count[0] = 0


@numba.njit(cache=True)
def _add(total, value):  # type: ignore[no-untyped-def]
    """Neumaier's sum: what is lost in rounding is kept beside it; nothing is left of a sum of nobody."""
    if total.heard == 0:
        total.sum = 0.0
        total.rest = 0.0
        return
    whole = total.sum + value
    if abs(total.sum) >= abs(value):
        total.rest += (total.sum - whole) + value
    else:
        total.rest += (value - whole) + total.sum
    total.sum = whole


@numba.njit(cache=True)
def publish(begin, now, seq, state, rules, rows, parts, touched, touches, room, after_start,  # type: ignore[no-untyped-def]
            after, cells, waiting, waiting_count, dirty, dirty_count, out_rule, out_on, out_time, out_value):
    """The totals that were touched, as readings of their slots; gives (next, events written)."""
    count = 0
    for k in range(begin, touches[0]):
        total = rows[touched[k]]
        if count + room[total.slot] > len(out_rule):
            return k, count
        total.listed = False
        if total.is_moved:
            total.best = NAN
            for j in range(total.first, total.first + total.members):
                adds = parts[j].adds
                if not isnan(adds) and (isnan(total.best) or
                                        (adds > total.best if total.how == MOST else adds < total.best)):
                    total.best = adds
            total.is_moved = False
        slot = state[total.slot]
        if total.heard == 0:
            total.best = NAN
            if slot.quality == kernel.NEVER:
                continue
            value, grade = NAN, kernel.BAD
        else:
            grade = kernel.GOOD if total.heard == total.members else kernel.UNCERTAIN
            value = total.sum + total.rest
            if total.how == MEAN:
                value = value / total.heard
            elif total.how >= MOST:
                value = total.best
        time = max(total.time, slot.source)
        if slot.rules:
            count = kernel._judge_all(slot, rules, np.inf, value, grade, time, out_rule, out_on, out_time, out_value, count)
        kernel._take(slot, total.slot, value, grade, time, now, seq, dirty, dirty_count)
        if slot.flags & kernel.FEEDS:
            kernel._mark(total.slot, time, after_start, after, cells, waiting, waiting_count)
    return touches[0], count
