"""Hours of meters out of a real history folder: kept once a day, right again after a silence ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from energy_park import graph_of, table_of

from twin.energy.hours import HourBook
from twin.energy.meters import meters_of
from twin.energy.spec import EnergySpec
from twin.history.store import History
from twin.ports import Readings

DAY, HOUR = 86_400.0, 3600.0
T0 = 20_000 * DAY
METERS = {"A": ("b1", "b1"), "B": ("b2", "b2")}


def put(history: History, slot: int, time: np.ndarray, value: np.ndarray) -> None:
    n = len(time)
    history.put(Readings(np.full(n, slot, np.uint32), value.astype(float), np.zeros(n, np.uint8), time))


def test_hours_are_what_the_counters_rose_by_and_a_silence_is_bridged(tmp_path: Path) -> None:
    points = table_of(METERS)
    meters = meters_of(points, graph_of({name: place for name, (place, _) in METERS.items()}), EnergySpec(meters={}))
    history = History(tmp_path / "history", points.ids)
    time = T0 + np.arange(0, 3 * DAY, 600.0)
    rate = 10.0 + 5.0 * np.sin(2 * np.pi * (time - T0) / DAY)  # kWh an hour
    count = 1000.0 + np.concatenate([[0.0], np.cumsum(rate[:-1] / 6)])
    put(history, meters[0].slot, time, count)
    spoke = (time < T0 + 0.8 * DAY) | (time > T0 + 2.2 * DAY)  # silent for a day and more
    put(history, meters[1].slot, time[spoke], count[spoke])
    assert history.flush()
    now = T0 + 3 * DAY
    book = HourBook(tmp_path / "energy", history, points, meters)
    found = book.hours(T0, T0 + 3 * DAY, now)
    truth = np.diff(np.interp(T0 + np.arange(73) * HOUR, time, count))
    assert found.use[:71, 0] == pytest.approx(truth[:71])
    assert found.use[:71, 1].sum() == pytest.approx(truth[:71].sum())
    assert found.spread[30, 1] == pytest.approx(1.0)
    assert found.spread[:, 0].max() == 0
    assert book.hours(T0 + 5 * HOUR, T0 + 7 * HOUR, now).use[:, 0] == pytest.approx(truth[5:7])
    kept = sorted(path.name for path in (tmp_path / "energy").iterdir())
    assert len(kept) == 2  # the day that is not over is not kept
    history.close()
    again = HourBook(tmp_path / "energy", History(tmp_path / "empty", points.ids), points, meters)
    assert again.hours(T0, T0 + 2 * DAY, now).use == pytest.approx(found.use[:48])
    use, known = book.span(T0 + HOUR, T0 + 1.25 * HOUR)
    assert use[0] == pytest.approx(np.interp(T0 + 1.25 * HOUR, time, count) - np.interp(T0 + HOUR, time, count))
    assert known[0] == pytest.approx(1.0)
