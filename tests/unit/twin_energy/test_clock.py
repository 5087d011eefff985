"""What is usual at eight in the morning stays so when the clocks are put back or forward."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from energy_park import KINDS, graph_of

from ioc.energy_desk import EnergyDesk, midnight
from twin.energy.clock import by_clock, clock_hours
from twin.energy.points import energy_devices
from twin.energy.spec import read_energy
from twin.history.store import History
from twin.park_points import ParkOwn, point_table
from twin.parktime import keep
from twin.ports import Readings
from twin.registry import Device, PointTable

ZONE, HOUR, DAY = "Europe/Berlin", 3600.0, 86_400.0
METERS = [Device(id="A", kind="meter", name="A", feeds="b1", line=2)]


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    before = os.environ.get("TZ")
    keep(ZONE)
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


def _at(*when: int) -> float:
    return datetime(*when, tzinfo=ZoneInfo(ZONE)).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 7, 1), 24)])
def test_a_day_has_the_hours_its_clock_shows(day: tuple[int, int, int], hours: int) -> None:
    instants = _at(*day) + HOUR * np.arange(hours)
    shown = clock_hours(instants)
    assert shown[0] % 24 == 0
    assert clock_hours(instants[-1:] + HOUR)[0] - shown[0] == 24
    made = by_clock(np.arange(hours, dtype=float), shown, 24)
    assert int(np.isnan(made).sum()) == (hours == 23)
    assert np.isnan(made[2]) == (hours == 23)
    if hours == 25:
        assert made[2] == 2.5  # two to three came twice: the third and the fourth hour of the day


def test_what_is_not_known_does_not_spoil_its_double() -> None:
    shown = clock_hours(_at(2026, 10, 25) + HOUR * np.arange(25))
    values = np.ones(25)
    values[3] = np.nan
    assert by_clock(values, shown, 24).tolist() == [1.0] * 24


@pytest.mark.parametrize("day", [(2026, 10, 26), (2026, 3, 30)])
def test_the_morning_after_the_change_is_foretold_by_the_clock(tmp_path: Path, day: tuple[int, int, int]) -> None:
    graph = graph_of({"A": "b1"})
    spec = read_energy(tmp_path)
    points = point_table(METERS, ParkOwn(dict(KINDS)), graph, energy_devices(PointTable(METERS, KINDS), graph, spec))
    history = History(tmp_path / "history", points.ids)
    now = midnight(_at(*day)) + 6 * HOUR
    instants = np.arange(now - 70 * DAY, now + 1, 1800.0)
    of_day = clock_hours(instants) % 24
    rate = 20.0 + 30.0 * ((of_day >= 8) & (of_day < 18)) + np.random.default_rng(1).normal(0, 0.5, len(instants))
    count = 1e5 + np.concatenate([[0.0], np.cumsum(rate[:-1] / 2)])
    slot = np.full(len(instants), points.slot("A", "energy"), np.uint32)
    history.put(Readings(slot, count, np.zeros(len(instants), np.uint8), instants))
    assert history.flush()
    desk = EnergyDesk(tmp_path, tmp_path / "energy", graph, points, history)
    desk.foretell(now)
    said = desk.expected("b1", "electricity", now)
    history.close()
    assert said is not None
    by_hour = np.array(said.expected[:24])
    assert by_hour[[6, 7]] == pytest.approx(20.0, abs=4.0)
    assert by_hour[[8, 9, 16, 17]] == pytest.approx(50.0, abs=4.0)
    assert by_hour[[18, 19]] == pytest.approx(20.0, abs=4.0)
