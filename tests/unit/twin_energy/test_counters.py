"""Counter arithmetic against a meter simulated step by step, with rollovers, resets, wrong figures, gaps and bad quality."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.energy.counters import used
from twin.wire import Quality

HOUR = 3600.0
step = st.tuples(st.integers(1, 1700), st.integers(0, 40))
steps = st.lists(step, min_size=2, max_size=60)
cuts = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6, unique=True)


def made(told: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Times (s) and what was truly used up to them."""
    took, rose = np.array(told, float).T
    return np.concatenate([[0.0], np.cumsum(took)]), np.concatenate([[0.0], np.cumsum(rose)])


def plain(time: np.ndarray, truth: np.ndarray, edges: np.ndarray) -> list[float]:
    """Oracle: walk every step and give each span its part of it, second by second share."""
    out = []
    for low, high in pairwise(edges):
        total = 0.0
        for k in range(len(time) - 1):
            inside = max(0.0, min(high, time[k + 1]) - max(low, time[k]))
            total += (truth[k + 1] - truth[k]) * inside / (time[k + 1] - time[k])
        out.append(total)
    return out


def spans(time: np.ndarray, shares: list[float]) -> np.ndarray:
    return np.unique(np.concatenate([[time[0]], time[0] + np.sort(shares) * (time[-1] - time[0]), [time[-1]]]))


def good(time: np.ndarray) -> np.ndarray:
    return np.full(len(time), int(Quality.GOOD), np.uint8)


@given(steps, cuts, st.sampled_from([None, 100.0, 1000.0]), st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_a_counter_that_rolls_over_tells_what_was_used(told, shares, rolls_at, start) -> None:
    time, truth = made(told)
    shown = start + truth if rolls_at is None else (start + truth) % rolls_at
    edges = spans(time, shares)
    most = 41 * 3600.0  # what may be counted in the shortest step, so that a rollover is told from a reset
    found = used(time, shown, good(time), edges, rolls_at=rolls_at, most_per_hour=None if rolls_at is None else most)
    assert found.use == pytest.approx(plain(time, truth, edges), abs=1e-6)
    assert found.faults.sum() == 0
    assert found.known == pytest.approx(1.0)


@given(steps, cuts, st.data())
@settings(max_examples=200, deadline=None)
def test_spans_add_up_and_bad_readings_change_nothing_of_the_sum(told, shares, data) -> None:
    time, truth = made(told)
    bad = np.array(data.draw(st.lists(st.booleans(), min_size=len(time), max_size=len(time))))
    bad[[0, -1]] = False
    quality = np.where(bad, int(Quality.BAD), int(Quality.GOOD)).astype(np.uint8)
    shown = np.where(bad, -12345.0, truth)
    found = used(time, shown, quality, spans(time, shares))
    assert np.nansum(found.use) == pytest.approx(truth[-1], abs=1e-6)
    assert found.use == pytest.approx(plain(time[~bad], truth[~bad], spans(time, shares)), abs=1e-6)


@given(steps, st.integers(1, 58), st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_an_exchanged_meter_loses_one_step_and_says_so(told, at, begins) -> None:
    time, truth = made(told)
    at = min(at, len(time) - 1)
    shown = 10_000.0 + truth
    shown[at:] = begins + (truth[at:] - truth[at])
    found = used(time, shown, good(time), np.array([time[0], time[-1]]))
    lost = truth[at] - truth[at - 1]
    assert found.use[0] == pytest.approx(truth[-1] - lost) if len(time) > 2 else np.isnan(found.use[0])
    assert found.faults[0] == 1
    assert found.known[0] == pytest.approx(1 - (time[at] - time[at - 1]) / time[-1])


@given(st.lists(step, min_size=4, max_size=60), st.data(), st.sampled_from([0.0, 1e9]))
@settings(max_examples=200, deadline=None)
def test_a_wrong_figure_the_counter_comes_back_from_counts_for_nothing(told, data, figure) -> None:
    time, truth = made(told)
    at = data.draw(st.integers(1, len(time) - 2))
    shown = 5000.0 + truth
    shown[at] = figure
    found = used(time, shown, good(time), np.array([time[0], time[-1]]), most_per_hour=1e6)
    assert found.use[0] == pytest.approx(truth[-1])
    assert found.faults[0] == 0


def test_a_gap_is_spread_evenly_and_said() -> None:
    time = np.array([0.0, HOUR, 4 * HOUR, 5 * HOUR])
    found = used(time, np.array([0.0, 10.0, 70.0, 75.0]), good(time), np.arange(7) * HOUR, gap_secs=1.5 * HOUR)
    assert found.use[:5] == pytest.approx([10, 20, 20, 20, 5])
    assert np.isnan(found.use[5])
    assert found.spread == pytest.approx([0, 1, 1, 1, 0, 0])
    assert found.known == pytest.approx([1, 1, 1, 1, 1, 0])


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_readings_tell_nothing(count: int) -> None:
    time = np.arange(count, dtype=float)
    found = used(time, time, good(time), np.array([0.0, 10.0]))
    assert np.isnan(found.use[0])
    assert found.known[0] == 0
