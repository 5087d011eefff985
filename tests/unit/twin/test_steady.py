"""Noisy fixes are steadied and kept inside walls; exact ones pass as they are. Truth, noise and walls are made up."""

from __future__ import annotations

import numpy as np
import pytest

from parktwin.bench.live.people import RISE, Floors, crossed, floors, noisy, shown, walks
from twin.live.steady import Steadier
from twin.live.tracks import TrackStore
from twin.ports import Positions

SECS = 90


@pytest.fixture(scope="module")
def building() -> Floors:
    return floors(3, 8)


def error(line: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((line[5:, :, :2] - truth[5:, :, :2]) ** 2).sum(axis=2).mean()))


def one(at: tuple[float, float, float], time: float, sigma: float | None) -> Positions:
    return Positions(np.zeros(1, np.uint32), np.array([at]), np.zeros(1, np.float32), np.array([time]),
                     None if sigma is None else np.array([sigma], np.float32))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_what_is_shown_is_nearer_the_truth_and_goes_through_the_doors(building: Floors, sigma: float) -> None:
    truth = walks(building, 40, SECS)
    assert crossed(building, truth) == 0, "the control: who really walks meets no wall"
    raw = noisy(truth, sigma)
    filtered, _ = shown(Steadier(), raw, sigma)
    kept, _ = shown(Steadier(building.indoors), raw, sigma)
    assert error(kept, truth) < 0.95 * error(raw, truth)
    assert crossed(building, filtered) < crossed(building, raw)
    assert crossed(building, kept) < 0.02 * crossed(building, filtered), "doors, not walls, lead from room to room"
    right = (building.indoors.room_at(kept.reshape(-1, 3)) == building.indoors.room_at(truth.reshape(-1, 3))).mean()
    control = (building.indoors.room_at(raw.reshape(-1, 3)) == building.indoors.room_at(truth.reshape(-1, 3))).mean()
    assert right > control


def test_somebody_at_a_desk_by_the_wall_stays_in_their_room(building: Floors) -> None:
    seat = np.array([2.5, 6.9, 1.0])  # a metre off the back wall; the next room's wall is 2.4 m off
    steadier = Steadier(building.indoors)
    raw = noisy(np.tile(seat, (200, 1, 1)), 2.0)
    kept, _ = shown(steadier, raw, 2.0)
    room = building.indoors.room_at(seat[None])[0]
    assert (building.indoors.room_at(kept[20:, 0]) == room).mean() > 0.9
    assert (building.indoors.room_at(raw[20:, 0]) == room).mean() < 0.7, "the control: raw fixes leave it often"


def test_exact_fixes_pass_untouched_and_have_no_spread(building: Floors) -> None:
    truth = walks(building, 5, 20)
    steadier = Steadier(building.indoors)
    for second, xyz in enumerate(truth):
        told = steadier.step(Positions(np.arange(5, dtype=np.uint32), xyz, np.zeros(5, np.float32), np.full(5, second + 1.0)))
        assert np.array_equal(told.fixes.xyz, xyz)
        assert not told.spread.any()


def test_uncertainty_shrinks_while_fixes_come_and_begins_anew_after_a_silence() -> None:
    steadier, spreads = Steadier(), []
    for second in range(20):
        spreads.append(float(steadier.step(one((1.0, 1.0, 1.0), 100.0 + second, 2.0)).spread[0]))
    assert spreads[0] == pytest.approx(2.0)
    assert spreads[-1] < 1.5
    assert float(steadier.step(one((1.0, 1.0, 1.0), 200.0, 2.0)).spread[0]) == pytest.approx(2.0)


def test_one_who_was_lost_is_found_again_where_the_fixes_are(building: Floors) -> None:
    steadier = Steadier(building.indoors)
    here, there = (2.5, 4.0, 1.0), (37.5, -4.0, 2 * RISE + 1.0)
    for second in range(60):
        told = steadier.step(one(here if second < 20 else there, 100.0 + second, 1.0))
    assert np.linalg.norm(told.fixes.xyz[0] - there) < 1.5


def test_several_fixes_of_one_track_in_a_batch_count_in_their_order(building: Floors) -> None:
    truth = walks(building, 1, 12)
    raw = noisy(truth, 1.0)[:, 0]
    apart, at_once = Steadier(building.indoors), Steadier(building.indoors)
    lines = [apart.step(one(tuple(xyz), 50.0 + k, 1.0)).fixes.xyz[0] for k, xyz in enumerate(raw)]
    order = np.random.default_rng(3).permutation(12)
    batch = Positions(np.zeros(12, np.uint32), raw[order], np.zeros(12, np.float32), 50.0 + order, np.ones(12, np.float32))
    assert np.allclose(at_once.step(batch).fixes.xyz[np.argsort(order)], np.array(lines))


def test_the_wire_says_how_far_a_place_is_to_be_trusted() -> None:
    store = TrackStore()
    store.apply(one((1.0, 2.0, 3.0), 100.0, None), 100.0, np.array([1.3]))
    assert store.shown_flags(np.array([0])).tolist() == [6 << 1], "quarters of a metre, rounded up"
    store.sweep(200.0)
    assert store.shown_flags(np.array([0])).tolist() == [(6 << 1) | 1], "and lost"
