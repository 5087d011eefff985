"""Chattering conditions against the rule itself: never more than three calls in a minute, and the last word is right."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.live.chatter import Damper
from twin.live.state import RuleEvents


def events(row: int, steps: list[tuple[float, bool]]) -> RuleEvents:
    return RuleEvents(np.full(len(steps), row), np.array([on for _, on in steps], bool),
                      np.array([time for time, _ in steps]), np.zeros(len(steps)))


@given(st.lists(st.floats(0.1, 40.0), max_size=60))
def test_three_calls_a_minute_and_the_last_word_counts(gaps: list[float]) -> None:
    damper, told = Damper(1), []
    steps = [(float(time), k % 2 == 0) for k, time in enumerate(np.cumsum(gaps))]
    for time, on in steps:
        for found in (damper.quiet(time), damper.damped(events(0, [(time, on)]))):
            told += list(zip(found.time.tolist(), found.on.tolist(), strict=True))
    last = steps[-1][0] + 60.001 if steps else 0.0  # past the minute, whatever rounding makes of it
    left = damper.quiet(last)
    told += list(zip(left.time.tolist(), left.on.tolist(), strict=True))
    calls = [time for time, on in told if on]
    assert all(later - first >= 60.0 for first, later in zip(calls, calls[3:], strict=False))
    assert [on for _, on in told] == [k % 2 == 0 for k in range(len(told))], "it comes and goes in turn"
    assert not steps or told[-1][1] == steps[-1][1]
    assert len(damper) == 0


def test_slow_conditions_and_fences_pass_as_they_are() -> None:
    slow = events(0, [(k * 31.0, k % 2 == 0) for k in range(20)])
    assert len(Damper(1).damped(slow)) == 20
    quick = events(5, [(k * 1.0, k % 2 == 0) for k in range(20)])
    assert len(Damper(1).damped(quick)) == 20
