"""From what a counter showed to what was used: pure arithmetic over one meter's readings.

A counter only ever rises, except that it may roll over (at `rolls_at`), be reset or exchanged (it falls and stays low), or
show a wrong figure once or twice (it comes back). What it rose by between two readings is spread evenly between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.wire import Quality

Floats = NDArray[np.float64]
#: A reading that is off counts as a wrong figure when the counter is back within this many readings.
LOOK_AHEAD = 4
#: Two readings further apart than this (s) are a gap: what was used is known, not when.
GAP_SECS = 1800.0
#: How much faster than its rating a meter may count before the figure is not believed.
SLACK = 1.5


@dataclass(frozen=True, slots=True)
class Use:
    """What was used in each span, in the counter's unit; NaN where nothing is known.

    `known` and `spread`: shares (0..1) of the span's time that are covered by the counter, and by gaps over which it was
    spread evenly. `faults`: times in the span that the counter fell or leapt; what it did then is not counted.
    """

    use: Floats
    known: Floats
    spread: Floats
    faults: NDArray[np.int64]


def used(time: Floats, value: Floats, quality: NDArray[np.uint8], edges: Floats, *, rolls_at: float | None = None,
         most_per_hour: float | None = None, gap_secs: float = GAP_SECS) -> Use:
    """What a counter rose by between neighbouring instants.

    Args:
        time, value, quality: of its readings (s, ascending; bad, stale and non-finite ones are passed over).
        edges: instants (s), ascending; n + 1 of them make n spans.
        rolls_at: the figure after which it begins at zero again.
        most_per_hour: more than this (times 1.5) is not believed.
        gap_secs: readings further apart leave a gap.
    """
    good = (quality <= Quality.UNCERTAIN) & np.isfinite(value)
    t, v = time[good], value[good]
    t, v = _steady(t, v, rolls_at, most_per_hour)
    spans = np.diff(edges)
    if len(t) < 2:
        nothing = np.zeros(len(spans))
        return Use(np.full(len(spans), np.nan), nothing, nothing.copy(), np.zeros(len(spans), np.int64))
    took = np.diff(t)
    rise, is_fault = _rises(v, took, rolls_at, most_per_hour)

    def within(parts: Floats) -> Floats:
        return np.diff(np.interp(edges, t, np.concatenate([[0.0], np.cumsum(parts)])))

    known = within(np.where(is_fault, 0.0, took))
    spread = within(np.where(~is_fault & (took > gap_secs), took, 0.0))
    use = np.where(known > 0, within(rise), np.nan)
    at = np.searchsorted(edges, t[1:][is_fault]) - 1
    faults = np.bincount(at[(at >= 0) & (at < len(spans))], minlength=len(spans))
    return Use(use, np.minimum(known / spans, 1.0), np.minimum(spread / spans, 1.0), faults)


def _rises(value: Floats, took: Floats, rolls_at: float | None, most: float | None) -> tuple[Floats, NDArray[np.bool_]]:
    """What it rose by at each step, and which steps tell nothing (a reset, or a leap nobody believes)."""
    rise = np.diff(value)
    if rolls_at is not None:
        over = rise + rolls_at
        is_roll = (rise < 0) & (over >= 0) & (_is_fair(over, took, most) if most is not None else
                                              (value[:-1] > 0.9 * rolls_at) & (value[1:] < 0.1 * rolls_at))
        rise = np.where(is_roll, over, rise)
    is_fault = ~_is_fair(rise, took, most)
    return np.where(is_fault, 0.0, rise), is_fault


def _is_fair(rise: Floats, took: Floats, most: float | None) -> NDArray[np.bool_]:
    return (rise >= 0) & (True if most is None else rise <= most * SLACK * np.maximum(took, 60.0) / 3600.0)


def _steady(time: Floats, value: Floats, rolls_at: float | None, most: float | None) -> tuple[Floats, Floats]:
    """The readings without figures the counter soon comes back from, as if they had not been shown."""
    keep = np.ones(len(value), np.bool_)
    _, is_fault = _rises(value, np.diff(time), rolls_at, most) if len(value) > 1 else (value, np.zeros(0, np.bool_))
    for step in np.flatnonzero(is_fault).tolist():
        if not keep[step]:
            continue
        ahead = np.arange(step + 2, min(step + 2 + LOOK_AHEAD, len(value)))
        back = _is_fair(value[ahead] - value[step], time[ahead] - time[step], most)
        if back.any():
            keep[step + 1:ahead[np.argmax(back)]] = False
    return time[keep], value[keep]
