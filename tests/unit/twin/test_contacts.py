"""Contacts against a plain reading of every second, and walls that keep two people apart who are a metre from one another."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from parktwin.bench.live.people import RISE, Floors, floors, walks
from twin.contacts import GAP_SECS, contacts
from twin.ports import Positions

SECS, METRES = 240, 2.5


@pytest.fixture(scope="module")
def building() -> Floors:
    return floors(2, 4)


def fixes(lines: dict[int, list[tuple[float, tuple[float, float, float]]]]) -> Positions:
    rows = [(track, time, at) for track, line in lines.items() for time, at in line]
    return Positions(np.array([r[0] for r in rows], np.uint32), np.array([r[2] for r in rows], float),
                     np.zeros(len(rows), np.float32), np.array([r[1] for r in rows], float))


def still(at: tuple[float, float, float], secs: int, start: float = 0.0) -> list[tuple[float, tuple[float, float, float]]]:
    return [(start + k, at) for k in range(secs)]


def test_they_are_those_a_plain_reading_finds(building: Floors) -> None:
    truth = walks(building, 14, SECS)
    order = np.random.default_rng(5).permutation(SECS * 14)
    all_fixes = Positions(np.tile(np.arange(14, dtype=np.uint32), SECS)[order], truth.reshape(-1, 3)[order],
                          np.zeros(SECS * 14, np.float32), np.repeat(np.arange(SECS, dtype=float), 14)[order])
    got = contacts(all_fixes, 0, metres=METRES, secs=0.0, indoors=building.indoors)
    near: dict[int, set[int]] = {}
    for second in range(SECS):
        for other in range(1, 14):
            a, b = truth[second, 0], truth[second, other]
            storey = int((a[2] + 0.3) // RISE)
            if (np.hypot(*(a - b)[:2]) <= METRES and abs(a[2] - b[2]) < 2.0
                    and not building.walls[storey].intersects(shapely.LineString([a[:2], b[:2]]))):
                near.setdefault(other, set()).add(second)
    assert near, "the control: somebody met somebody"
    assert {c.track for c in got} == set(near)
    for other, seconds in near.items():
        told = [c for c in got if c.track == other]
        assert all(any(c.start <= s <= c.end for c in told) for s in seconds)
        assert abs(sum(c.end - c.start for c in told) - len(seconds)) <= 11 * len(told)


def test_a_wall_keeps_two_apart_and_an_open_door_does_not(building: Floors) -> None:
    here = (4.6, 4.0, 1.0)
    through_the_wall = fixes({0: still(here, 100), 1: still((5.4, 4.0, 1.0), 100)})
    assert contacts(through_the_wall, 0, metres=2.0, secs=60, indoors=building.indoors) == []
    assert len(contacts(through_the_wall, 0, metres=2.0, secs=60)) == 1, "the control: no walls known"
    in_the_door = fixes({0: still((2.5, 1.9, 1.0), 100), 1: still((2.5, 0.6, 1.0), 100)})
    assert len(contacts(in_the_door, 0, metres=2.0, secs=60, indoors=building.indoors)) == 1
    above = fixes({0: still(here, 100), 1: still((4.6, 4.0, 1.0 + RISE), 100)})
    assert contacts(above, 0, metres=2.0, secs=60, indoors=building.indoors) == []


def test_short_and_interrupted_ones(building: Floors) -> None:
    near, far = (1.0, 4.0, 1.0), (4.0, 7.0, 1.0)
    other = [*still(near, 40), *still(far, 8, 40.0), *still(near, 40, 48.0), *still(far, 60, 88.0), *still(near, 20, 148.0)]
    both = fixes({0: still((1.5, 4.0, 1.0), 170), 1: other})
    found = contacts(both, 0, metres=1.5, secs=60, indoors=building.indoors)
    assert [(c.track, round(c.start), round(c.end)) for c in found] == [(1, 0, 87)], "eight seconds aside do not end it"
    assert found[0].closest_m == pytest.approx(0.5)
    assert len(contacts(both, 0, metres=1.5, secs=10, indoors=building.indoors)) == 2
    assert contacts(both, 7, metres=1.5, secs=10) == [], "somebody nobody heard of"


def test_nobody_knows_where_somebody_silent_was() -> None:
    here = (1.0, 4.0, 1.0)
    silent = fixes({0: still(here, 200), 1: [(0.0, here), (GAP_SECS * 4, here)]})
    assert contacts(silent, 0, metres=2.0, secs=5) == []
    slow = fixes({0: still(here, 200), 1: [(k * GAP_SECS, here) for k in range(10)]})
    assert len(contacts(slow, 0, metres=2.0, secs=60)) == 1
