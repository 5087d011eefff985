"""Forecasts on made-up weeks whose truth is known, and on real buildings beside seasonal-naive."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from twin.energy.forecast import LEAST, SUNDAY, WEEK, Series, forecast

rng = np.random.default_rng(3)


def weeks(count: int, noise: float = 0.02) -> np.ndarray:
    """A place that works Monday to Friday, from a Monday on."""
    hour = np.arange(count * WEEK)
    busy = (hour // 24 % 7 < 5) & (hour % 24 > 7) & (hour % 24 < 19)
    return (20 + 80 * busy) * (1 + noise * rng.standard_normal(len(hour)))


def series(use: np.ndarray, like: np.ndarray | None = None) -> Series:
    return Series(use=use, first=0, like=np.full(len(use) + WEEK, -1) if like is None else like)


def test_a_regular_place_is_foretold_within_its_noise() -> None:
    use = weeks(21)
    made = forecast(series(use[:-WEEK]))
    assert made is not None
    assert np.abs(made.expected - use[-WEEK:]).mean() < 0.03 * use.mean()
    inside = (use[-WEEK:] >= made.low) & (use[-WEEK:] <= made.high)
    assert inside.mean() > 0.75
    assert made.error <= made.naive_error


def test_a_step_up_is_carried_on_and_told_apart_from_the_usual() -> None:
    use = weeks(24)
    use[12 * WEEK + 60:15 * WEEK] += 30  # seen before: when it went up it stayed
    use[-3 * 24 - WEEK:] += 30
    made = forecast(series(use[:-WEEK]))
    assert made is not None
    truth = use[-WEEK:][:24]
    assert np.abs(made.expected[:24] - truth).mean() < 0.6 * np.abs(made.usual[:24] - truth).mean()


def test_a_holiday_is_a_sunday() -> None:
    use = weeks(20)
    like = np.full(len(use) + WEEK, -1)
    like[len(use) + 24:len(use) + 48] = SUNDAY  # next Tuesday
    made = forecast(series(use, like))
    assert made is not None
    assert made.usual[24 + 12] == pytest.approx(20, rel=0.1)
    assert made.usual[12] == pytest.approx(100, rel=0.1)


def test_a_place_that_never_varied_is_not_thrown_by_one_odd_day() -> None:
    use = weeks(20, noise=0.0)
    use[-40:-30] *= 0.5
    use[-60:-50] = np.nan
    made = forecast(series(use))
    assert made is not None
    assert np.abs(made.expected - made.usual).max() < 0.25 * use[np.isfinite(use)].mean()
    assert (made.high - made.expected).min() > 0


def test_gaps_do_not_stop_it_and_too_little_is_said_so() -> None:
    use = weeks(20)
    use[rng.random(len(use)) < 0.1] = np.nan
    use[-30:-20] = np.nan
    made = forecast(series(use))
    assert made is not None
    assert np.isfinite(made.expected).all()
    assert forecast(series(use[:LEAST - 1])) is None
    assert forecast(series(np.full(20 * WEEK, np.nan))) is None


@pytest.mark.shared
def test_real_buildings_are_foretold_better_than_as_a_week_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    from parktwin.bench.energy import DATA, measure

    shared = Path(os.environ.get("PARKTWIN_SHARED", Path(__file__).parents[4] / "shared"))
    if not (shared / DATA).is_file():
        pytest.skip("no real buildings: point PARKTWIN_SHARED to them")
    monkeypatch.setenv("PARKTWIN_SHARED", str(shared))
    rows = {row.what: row for row in measure(12, 8 * WEEK)}
    assert all(row.ours < row.peer for row in rows.values() if row.peer)
    assert rows["hours inside the 90 % interval"].ours > 80


def test_a_heat_wave_is_foretold_by_the_thermometer_and_not_by_a_broken_one() -> None:
    use = weeks(26)
    hour = np.arange(len(use))
    temp = 22 + 6 * np.sin(hour / 24 * 2 * np.pi - 2) + 8 * (np.sin(hour / (24 * 17) * 2 * np.pi) > 0.4)  # waves of days
    use += 4 * np.maximum(temp - 18, 0)
    broken = np.random.default_rng(5).permutation(temp)
    error = []
    for told in (None, temp[:-WEEK], broken[:-WEEK]):
        made = forecast(Series(use=use[:-WEEK], first=0, like=np.full(len(use), -1), temp_c=told))
        assert made is not None
        error.append(made.error)
    assert error[1] < 0.93 * error[0]
    assert error[2] > 0.97 * error[0]
