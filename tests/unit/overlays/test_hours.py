"""Overlays of past hours, from a history written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_overlays import NODES, graph, points  # noqa: F401 - the fixture comes along

from overlays.headcount import Headcount
from overlays.hours import HOUR_SECS, Hours, spread
from overlays.overlay import OverlayError, Painter
from overlays.sums import areas
from twin.history.store import History
from twin.ports import Positions, Readings
from twin.registry import PointTable
from twin.wire import Channel

MIDNIGHT = 1_700_006_400.0


@pytest.fixture
def history(tmp_path: Path, points: PointTable) -> Iterator[History]:  # noqa: F811
    kept = History(tmp_path, points.ids)
    yield kept
    kept.close()


def put(history: History, points: PointTable, point: str, time: float, value: float) -> None:  # noqa: F811
    slot = points.slot_of(point)
    assert slot is not None
    history.put(Readings(np.array([slot], np.uint32), np.array([value]), np.zeros(1, np.uint8), np.array([time])))


def test_an_hour_is_the_mean_of_its_readings_where_they_were_and_nothing_elsewhere(points: PointTable,  # noqa: F811
                                                                                   history: History) -> None:
    for minute, kw in ((1, 1.0), (30, 3.0), (61, 9.0)):
        put(history, points, "m-r1.power", MIDNIGHT + minute * 60, kw)
    history.flush()
    hours = Hours(Painter(graph(), points), graph(), points, history)
    now = MIDNIGHT + 5 * HOUR_SECS
    first = hours.paint(Channel.ENERGY, MIDNIGHT + 60, midnight=MIDNIGHT, now=now)
    told = {NODES[i][0]: v for i, v in zip(first.node, first.value, strict=True)}
    assert told["r1"] == pytest.approx(2000.0 / 50.0)
    assert np.isnan(told["r2"])
    assert np.isnan(told["r3"])
    assert first.energy is not None
    assert dict(zip((NODES[i][0] for i in first.node), first.energy, strict=True))["r1"] == pytest.approx(2.0)
    second = hours.paint(Channel.ENERGY, MIDNIGHT + HOUR_SECS, midnight=MIDNIGHT, now=now)
    assert {NODES[i][0]: v for i, v in zip(second.node, second.value, strict=True)}["r1"] == pytest.approx(9000.0 / 50.0)
    third = hours.paint(Channel.ENERGY, MIDNIGHT + 2 * HOUR_SECS, midnight=MIDNIGHT, now=now)
    assert np.isnan(third.value).all()


def test_the_hour_that_runs_is_read_again_and_one_to_come_is_refused(points: PointTable, history: History) -> None:  # noqa: F811
    hours = Hours(Painter(graph(), points), graph(), points, history)
    put(history, points, "s-r1.temp", MIDNIGHT + 10, 20.0)
    history.flush()

    def room(now: float) -> float:
        found = hours.paint(Channel.TEMPERATURE, MIDNIGHT, midnight=MIDNIGHT, now=now)
        return float(found.value[[NODES[i][0] for i in found.node].index("r1")])

    assert room(MIDNIGHT + 60) == 20.0
    put(history, points, "s-r1.temp", MIDNIGHT + 600, 24.0)
    history.flush()
    assert room(MIDNIGHT + 900) == 22.0
    with pytest.raises(OverlayError, match="not come yet"):
        hours.paint(Channel.TEMPERATURE, MIDNIGHT + HOUR_SECS, midnight=MIDNIGHT, now=MIDNIGHT + 900)
    with pytest.raises(OverlayError, match="by the hour"):
        hours.paint(Channel.OCCUPANCY, MIDNIGHT, midnight=MIDNIGHT, now=MIDNIGHT + 900)


def test_estimates_add_up_to_what_was_metered_above_and_say_so(points: PointTable) -> None:  # noqa: F811
    g = graph()
    node = np.array([2, 3, 5, 6, 7], np.uint32)  # a1, f1, r1, r2, r3
    value = np.array([20.0, np.nan, 10.0, np.nan, np.nan])
    found, guessed = spread(g, node, value, areas(g))
    assert guessed.tolist() == [False, False, False, True, True]
    assert float(np.sum(found[2:] * areas(g)[[5, 6, 7]])) == pytest.approx(20.0 * 200.0)
    untouched, none = spread(g, node, np.array([1.0, np.nan, 10.0, np.nan, np.nan]), areas(g))
    assert np.isnan(untouched[3])
    assert not none.any()


def test_people_of_an_hour_are_the_mean_of_its_minutes_and_vehicles_are_none(points: PointTable, history: History) -> None:  # noqa: F811
    """Two people sit in r1 for 30 of 60 minutes; one of them fixes six times a minute, and counts once."""
    for minute in range(60):
        tracks = [0, 0, 0, 0, 0, 0, 1, 2] if minute < 30 else [2]
        at = MIDNIGHT + minute * 60 + np.arange(len(tracks)) * 5.0
        xyz = np.array([[5.0 if t < 2 else 99.0, 0.0, 0.0] for t in tracks])
        history.put_positions(Positions(np.array(tracks, np.uint32), xyz, np.zeros(len(tracks), np.float32), at))
    history.flush()
    rooms = {name: i for i, (name, *_) in enumerate(NODES)}
    people = Headcount(history.fixes_in, lambda xyz: np.where(xyz[:, 0] < 50, rooms["r1"], 0).astype(np.uint32),
                       np.array([True, True, False]))
    hours = Hours(Painter(graph(), points), graph(), points, history, people)
    assert hours.has(Channel.OCCUPANCY)
    now = MIDNIGHT + 5 * HOUR_SECS
    told = hours.paint(Channel.OCCUPANCY, MIDNIGHT + 60, midnight=MIDNIGHT, now=now)
    means = {NODES[i][0]: v for i, v in zip(told.node, told.value, strict=True)}
    assert means["r1"] == pytest.approx(1.0)
    assert means["r2"] == 0.0
    silent = hours.paint(Channel.OCCUPANCY, MIDNIGHT + HOUR_SECS, midnight=MIDNIGHT, now=now)
    assert np.isnan(silent.value).all(), "an hour nobody was heard in is not an empty house"
