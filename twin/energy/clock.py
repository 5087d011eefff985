"""Hours as a place's clock shows them: people live by it, so what is usual at eight stays so when summer time ends."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR_SECS = 3600.0
_MONDAY = dt.date(1970, 1, 5)
_MONDAY_HOURS = (_MONDAY - dt.date(1970, 1, 1)).days * 24


def clock_hours(instants: Floats) -> NDArray[np.int64]:
    """Hours since Monday 1970-01-05 00:00 on this process' clock at instants (s): one is missing, one comes twice a year."""
    return np.array([_shown(at) for at in instants.tolist()], np.int64)


def ordinal_days(shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """The days such hours fall on, as `date.toordinal` numbers them."""
    return shown // 24 + _MONDAY.toordinal()


def _shown(instant: float) -> int:
    offset = dt.datetime.fromtimestamp(instant).astimezone().utcoffset() or dt.timedelta()
    return int((instant + offset.total_seconds()) // HOUR_SECS) - _MONDAY_HOURS


def by_clock(values: Floats, shown: NDArray[np.int64], count: int) -> Floats:
    """Values of hours in a row as (count,) hours of the clock from `shown[0]` on: the mean of two, NaN where none fell."""
    at = shown - shown[0]
    known = np.isfinite(values) & (at < count)
    total = np.bincount(at[known], values[known], minlength=count)[:count]
    times = np.bincount(at[known], minlength=count)[:count]
    return np.divide(total, times, out=np.full(count, np.nan), where=times > 0)
