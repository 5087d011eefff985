"""What a place is going to use: the usual week, corrected by what the last days did against it (ridge regression).

The usual figure of an hour is the median of the same hour of the four weeks before; a holiday is taken for a Sunday.
The model (scikit-learn's Ridge) learns how far deviations of last week, yesterday and the last hours carry on, and what
warmer or colder than usual does. Its interval comes from its own errors on weeks it was not fitted on.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.linear_model import Ridge

Floats = NDArray[np.float64]
WEEK, WEEKS = 168, 4
#: Hours needed before anything is forecast: four usual weeks, one of deviations, one to learn from, one to err on.
LEAST = (WEEKS + 4) * WEEK
#: Nothing older than this (hours) is learned from, and the last weeks (origins a day) are kept to err on.
MOST, HELD_OUT = 26 * WEEK, 28
SHARE = 0.9
#: Meters err, so the interval is never narrower than this share of what is expected.
ERROR = 0.03
#: Deviations are measured in their own spread, or this share of the mean use where that is smaller.
LEAST_SCALE = 0.02
#: How many features are in units of use; those behind them are degrees.
IN_USE = 10
#: What a holiday is taken for, and a weekend day that is worked.
SUNDAY, WORKDAY = 6, 2
METHOD = "ridge on deviations from the median of four weeks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Hourly use (NaN: not known) from local hour `first` (hours since Monday 1970-01-05 00:00 local time).

    `like`: the weekday (0 Monday) an hour's day is taken for, -1 for its own, also of the week to come; `temp_c`: of the
    hours, or None.
    """

    use: Floats
    first: int
    like: NDArray[np.integer]
    temp_c: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """f64 (hours): what is usual, what is expected, and the interval that held `SHARE` of the errors.

    `error` and `naive_error`: CV(RMSE) over the weeks held out, of this and of "as a week ago" (day ahead).
    """

    usual: Floats
    expected: Floats
    low: Floats
    high: Floats
    error: float
    naive_error: float
    learned_hours: int


def forecast(series: Series, ahead: int = WEEK) -> Forecast | None:
    """The hours after the series' end; None while there is too little to learn from (eight weeks).

    Args:
        ahead: how many hours, at most a week.
    """
    n = len(series.use)
    if not 0 < ahead <= WEEK or n < LEAST or np.isfinite(series.use[-LEAST:]).mean() < 0.5:
        return None
    begin = max(0, n - MOST)
    origins = np.arange(n - ahead, begin + (WEEKS + 1) * WEEK, -24)[::-1]
    cut = min(HELD_OUT, len(origins) // 3)
    early = origins[:-cut][origins[:-cut] <= origins[-cut] - ahead + 24] if len(origins) > 3 else origins
    model = _fitted(series, early, ahead)
    if model is None:
        return None
    x, usual, truth, naive = _rows(series, origins[-cut:], ahead)
    errors = truth - model.said(x, usual)
    whole = _fitted(series, origins, ahead) or model
    x, usual, _, _ = _rows(series, np.array([n]), ahead)
    expected = np.maximum(whole.said(x, usual)[0], 0.0)
    hours = (series.first + n + np.arange(ahead)) % 24
    least = ERROR * expected
    low, high = _interval(errors, (series.first + origins[-cut:]) % 24, hours)
    day = slice(0, min(24, ahead))
    held, off = truth[:, day], (truth - naive)[:, day]
    return Forecast(usual=usual[0], expected=expected, low=np.maximum(expected + np.minimum(low, -least), 0.0),
                    high=expected + np.maximum(high, least), error=_cv_rmse(held, errors[:, day]),
                    naive_error=_cv_rmse(held, off), learned_hours=int(np.isfinite(series.use[begin:]).sum()))


@dataclass(frozen=True, slots=True)
class _Model:
    """The regression over features divided by `scale`; it corrects the usual figure by `bound` at most."""

    ridge: Ridge
    scale: Floats
    bound: float

    def said(self, x: Floats, usual: Floats) -> Floats:
        """What is expected, (origins, hours)."""
        rows = np.nan_to_num(x.reshape(-1, x.shape[-1])) / self.scale
        return usual + np.clip(self.ridge.predict(rows), -self.bound, self.bound).reshape(usual.shape)


def _fitted(series: Series, origins: NDArray[np.int64], ahead: int) -> _Model | None:
    from sklearn.linear_model import Ridge  # takes a second, and only the process that forecasts needs it

    x, usual, truth, _ = _rows(series, origins, ahead)
    rows, aim = x.reshape(-1, x.shape[-1]), (truth - usual).ravel()
    known = np.isfinite(rows).all(axis=1) & np.isfinite(aim)
    if known.sum() < 2 * WEEK:
        return None
    least = LEAST_SCALE * float(np.nanmean(np.abs(series.use))) + 1e-9  # what hardly ever moves must not count for much
    bound = max(4 * float(np.std(aim[known])), least)  # a day the meter stood still must not bend all others
    floor = np.where(np.arange(rows.shape[1]) < IN_USE, least, 0.5)  # the others are degrees
    scale = np.maximum(rows[known].std(axis=0), floor)
    ridge = Ridge(alpha=50.0).fit(rows[known] / scale, np.clip(aim[known], -bound, bound))
    return _Model(ridge, scale, bound)


def _rows(series: Series, origins: NDArray[np.int64], ahead: int) -> tuple[Floats, Floats, Floats, Floats]:
    """For each origin and hour ahead: features (…, k), the usual figure, the truth (NaN: to come), and that of a week ago."""
    step = np.arange(ahead)
    at = origins[:, None] + step
    use = np.concatenate([series.use, np.full(ahead, np.nan)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of means of nothing: NaN is meant
        usual, back = _usual(series, use, at, origins)
        before = origins[:, None] - WEEK + np.arange(WEEK)
        off = use[before] - _usual(series, use, before, before[:, 0])[0]
        by_hour = off.reshape(len(origins), 7, 24)
        week = np.nanmean(off, axis=1)[:, None] + 0.0 * step
        day, late = np.nanmean(off[:, -24:], axis=1)[:, None], np.nanmean(off[:, -6:], axis=1)[:, None]
        same, last = np.nanmean(by_hour, axis=1)[:, step % 24], by_hour[:, -1][:, step % 24]
        told = [back[0] - usual, back[1] - usual, np.nanmean(back, axis=0) - usual, week, day + 0.0 * step,
                day * np.exp(-step / 24), late * np.exp(-step / 6), same, last, last * np.exp(-step / 24),
                *_weather(series, at, origins)]
    naive = np.where(np.isfinite(back[0]), back[0], usual)
    return np.stack([np.nan_to_num(column) for column in told], axis=-1), usual, use[at], naive


def _usual(series: Series, use: Floats, at: NDArray[np.int64], origin: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Median of the same hours of the weeks before, and those hours (4, …); a day like another looks there."""
    plain = np.where(series.like[: len(use)] >= 0, np.nan, use)
    weekday = ((series.first + at) // 24) % 7
    like = np.where(series.like[at] >= 0, at + 24 * (series.like[at] - weekday), at)
    like = like - WEEK * np.maximum(0, (like - origin[:, None]) // WEEK + 1)  # the nearest that lies before the origin
    back = np.stack([np.where(like - WEEK * k >= 0, plain[np.maximum(like - WEEK * k, 0)], np.nan) for k in range(WEEKS)])
    usual = np.nanmedian(back, axis=0)
    held = np.stack([np.where(at - WEEK * k >= 0, use[np.maximum(at - WEEK * k, 0)], np.nan) for k in range(1, WEEKS + 1)])
    return np.where(np.isfinite(usual), usual, np.nanmedian(held, axis=0)), back


def _weather(series: Series, at: NDArray[np.int64], origins: NDArray[np.int64]) -> Sequence[Floats]:
    """Degrees above 18 °C and below 16 °C, against the four weeks before; to come: as the last three days at that hour."""
    if series.temp_c is None:
        return ()
    temp = np.concatenate([series.temp_c, np.full(WEEK, np.nan)])
    hours = (at - origins[:, None]) % 24
    ahead = np.nanmean(np.stack([temp[origins[:, None] - 24 * k + hours] for k in (1, 2, 3)]), axis=0)
    then = np.stack([temp[at - WEEK * k] for k in range(1, WEEKS + 1)])
    warm, cold = np.maximum(ahead - 18.0, 0.0), np.maximum(16.0 - ahead, 0.0)
    return (warm - np.nanmean(np.maximum(then - 18.0, 0.0), axis=0), cold - np.nanmean(np.maximum(16.0 - then, 0.0), axis=0))


def _interval(errors: Floats, origin_hour: NDArray[np.int64], hours: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Quantiles of the errors by hour of the day, with the hours beside it; first day and later days apart."""
    step = np.arange(errors.shape[1])
    hour = (origin_hour[:, None] + step) % 24
    low, high = np.zeros(len(hours)), np.zeros(len(hours))
    for k, of_day in enumerate(hours.tolist()):
        near = np.minimum((hour - of_day) % 24, (of_day - hour) % 24) <= 1
        here = errors[near & ((step < 24) == (k < 24)) & np.isfinite(errors)]
        if len(here):
            low[k], high[k] = np.quantile(here, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _cv_rmse(truth: Floats, errors: Floats) -> float:
    known = np.isfinite(truth) & np.isfinite(errors)
    mean = float(truth[known].mean()) if known.any() else 0.0
    return float(np.sqrt(np.mean(errors[known] ** 2)) / mean) if mean > 0 else float("nan")
