"""Trajectories: thinning keeps the line, silences part it, stays are found, a blur tells rooms only."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from twin.ports import Positions
from twin.trajectory import STAY_SECS, THIN_METRES, blurred, trajectory


def fixes(time: list[float], xyz: list[tuple[float, float, float]]) -> Positions:
    n = len(time)
    at = np.array(xyz, np.float64).reshape(-1, 3)
    return Positions(np.zeros(n, np.uint32), at, np.zeros(n, np.float32), np.array(time))


def halves(xyz: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Room 1 west of x = 0, room 2 east of it."""
    return np.where(xyz[:, 0] < 0, 1, 2).astype(np.uint32)


def gap_to_line(point: NDArray[np.float64], line: NDArray[np.float64]) -> float:
    best = float(np.linalg.norm(line - point, axis=1).min())
    for a, b in itertools.pairwise(line):
        length = float((b - a) @ (b - a))
        t = 0.0 if length == 0 else min(1.0, max(0.0, float((point - a) @ (b - a)) / length))
        best = min(best, float(np.linalg.norm(point - a - t * (b - a))))
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-40, 40)] * 3), min_size=2, max_size=40))
def test_no_fix_is_further_from_the_thinned_line_than_promised(walk: list[tuple[float, float, float]]) -> None:
    found = trajectory(fixes([float(k) for k in range(len(walk))], walk), halves)
    assert all(gap_to_line(np.array(at), found.xyz) <= THIN_METRES + 1e-9 for at in walk)
    assert found.time[0] == 0.0
    assert found.time[-1] == len(walk) - 1


def test_a_silence_parts_the_line_and_adds_no_metres() -> None:
    found = trajectory(fixes([0, 1, 200, 201], [(0, 0, 0), (3, 0, 0), (90, 0, 0), (90, 4, 0)]), halves)
    assert found.leg.tolist() == [0, 0, 1, 1]
    assert found.metres == 7.0


def test_standing_for_a_minute_is_a_stay_and_passing_is_none() -> None:
    still = [(5.0, 5.0, 1.0)] * int(STAY_SECS + 1)
    walk = [(5.0 + k, 5.0, 1.0) for k in range(4, 40)]
    path = still + walk
    found = trajectory(fixes([float(k) for k in range(len(path))], path), halves)
    assert len(found.stays) == 1
    assert found.stays[0].at == (5.0, 5.0, 1.0)
    assert found.stays[0].end - found.stays[0].start == STAY_SECS


def test_a_blur_tells_storeys_by_the_minute_and_nothing_outdoors() -> None:
    found = trajectory(fixes([0, 10, 75, 80], [(-5, 0, 0), (-1, 0, 0), (1, 0, 0), (2, 7, 0)]), halves)
    above = {1: 7, 2: 0}.__getitem__
    shown = blurred(found, above, lambda node: (-10.0, 0.0, 0.0) if node == 7 else None)
    assert shown.xyz.tolist() == [[-10.0, 0.0, 0.0]]
    assert [(v.node, v.start, v.end) for v in shown.visits] == [(7, 0.0, 60.0)]
    two_rooms = blurred(found, {1: 7, 2: 7}.__getitem__, lambda node: (0.0, 0.0, 0.0))
    assert [(v.node, v.start, v.end) for v in two_rooms.visits] == [(7, 0.0, 120.0)], "rooms of one storey are one visit"
    assert np.isnan(shown.metres)
