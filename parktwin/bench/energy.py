"""Forecast of use beside seasonal-naive ("as a week ago") on a year of real buildings, by rolling origin."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from parktwin.bench.rows import Row
from twin.energy.forecast import SUNDAY, WEEK, Series, forecast
from twin.errors import TwinError

DATA = Path("data") / "energy" / "cambridge-electricity-2019.parquet"
#: England's bank holidays of that year; the archive is from Cambridge.
HOLIDAYS = ("2019-01-01", "2019-04-19", "2019-04-22", "2019-05-06", "2019-05-27", "2019-08-26", "2019-12-25", "2019-12-26")
FIRST, EVERY = 20 * WEEK, 4 * WEEK


def measure(buildings: int = 60, every: int = EVERY) -> list[Row]:
    """Median over buildings of the error a day and a week ahead, ours and naive, and how often the interval held.

    Raises:
        TwinError: the data are not there.
    """
    shared = os.environ.get("PARKTWIN_SHARED")
    path = Path(shared or ".") / DATA
    if not path.is_file():
        raise TwinError(f"no data at {path}", mend="point PARKTWIN_SHARED to the folder that holds data/energy")
    scores = [score(use, first, every) for use, first in read(path, buildings)]
    table = {key: np.array([one[key] for one in scores]) for key in scores[0]}
    note = f"median of {len(scores)} buildings, an origin every {every // WEEK} weeks from week {FIRST // WEEK}"
    rows = []
    for name, what in (("day", "a day ahead"), ("week", "a week ahead")):
        for figure, words in (("rmse", "CV(RMSE)"), ("mape", "MAPE")):
            ours, naive = table[f"ours_{figure}_{name}"], table[f"naive_{figure}_{name}"]
            better = float(np.mean(ours < naive) * 100)
            rows.append(Row(what=f"forecast error {what}, {words}", ours=float(np.nanmedian(ours) * 100), unit="%",
                            peer=float(np.nanmedian(naive) * 100), peer_name="seasonal-naive (a week ago)", target=1.0,
                            note=f"{note}; better in {better:.0f} % of them"))
    rows.append(Row(what="hours inside the 90 % interval", ours=float(np.nanmedian(table["inside"]) * 100), unit="%",
                    target=85.0, bound="at least", note=note))
    return rows


def read(path: Path, buildings: int) -> Iterator[tuple[NDArray[np.float64], np.datetime64]]:
    """Hourly kWh of each building; zeros and below (a meter that stood still) are not known, unless that is usual."""
    table = pq.read_table(path).to_pandas()
    wide = table.pivot(index="time", columns="building", values="kwh").sort_index()
    for name in list(wide)[:buildings]:
        use = wide[name].to_numpy(np.float64, copy=True)
        if (use <= 0).mean() < 0.2:
            use[use <= 0] = np.nan
        yield use, wide.index[0].to_datetime64()


def score(use: NDArray[np.float64], first: np.datetime64, every: int) -> dict[str, float]:
    """One building: errors over all origins together."""
    hours = first.astype("datetime64[h]") + np.arange(len(use) + WEEK)
    like = np.where(np.isin(hours.astype("datetime64[D]"), np.array(HOLIDAYS, "datetime64[D]")), SUNDAY, -1)
    monday = int((hours[0] - np.datetime64("1970-01-05T00", "h")).astype(int))
    parts: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]] = {"day": [], "week": []}
    inside: list[NDArray[np.bool_]] = []
    for origin in range(FIRST, len(use) - WEEK, every):
        made = forecast(Series(use=use[:origin], first=monday, like=like[:origin + WEEK]))
        if made is None:
            continue
        truth, naive = use[origin:origin + WEEK], use[origin - WEEK:origin]
        known = np.isfinite(truth) & np.isfinite(naive)
        for name, until in (("day", 24), ("week", WEEK)):
            here = known & (np.arange(WEEK) < until)
            parts[name].append((truth[here], made.expected[here], naive[here]))
        inside.append((truth >= made.low)[known] & (truth <= made.high)[known])
    out = {"inside": float(np.concatenate(inside).mean()) if inside else float("nan")}
    for name, found in parts.items():
        truth, ours, naive = (np.concatenate([part[k] for part in found]) if found else np.full(1, np.nan) for k in range(3))
        for who, said in (("ours", ours), ("naive", naive)):
            out[f"{who}_rmse_{name}"] = float(np.sqrt(np.mean((truth - said) ** 2)) / np.mean(truth))
            out[f"{who}_mape_{name}"] = _mape(truth, said)
    return out


def _mape(truth: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    above: Sequence[bool] | NDArray[np.bool_] = truth > 0
    return float(np.mean(np.abs(said - truth)[above] / truth[above]))
