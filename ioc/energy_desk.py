"""Energy of a running park: figures for routes, forecasts once a day in a process of their own, points for alarms."""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from overlays.sums import areas
from twin.energy.clock import by_clock, clock_hours, ordinal_days
from twin.energy.forecast import LEAST, METHOD, MOST, SUNDAY, WEEK, WORKDAY, Forecast, Series, forecast
from twin.energy.hours import DAY_SECS, HOUR_SECS, HourBook
from twin.energy.losses import KNOWN, balances
from twin.energy.meters import meters_of
from twin.energy.places import Account, Accounts
from twin.energy.points import energy_id, subjects
from twin.energy.spec import EnergySpec, read_energy
from twin.energy.tree import meter_tree
from twin.errors import TwinError
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.history.store import History
from twin.ports import Readings
from twin.registry import PointTable
from twin.wire import Quality

_log = logging.getLogger(__name__)
DEMAND_SECS = 900.0
DAYS_KEPT = 40
Floats = NDArray[np.float64]


class EnergyError(TwinError):
    """A question about energy that has no answer."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What was expected of a place from a local midnight on, an hour each; errors are CV(RMSE) a day ahead."""

    start: float
    usual: list[float | None]
    expected: list[float]
    low: list[float]
    high: list[float]
    error: float | None
    naive_error: float | None
    learned_hours: int
    method: str = METHOD


class EnergyDesk:
    """Safe from several threads; `work` is called by one.

    Args:
        root: the park's folder, for `energy.toml`.
        folder: where hours and forecasts are kept (`state/energy`).
    """

    def __init__(self, root: Path, folder: Path, graph: SceneGraph, points: PointTable, history: History) -> None:
        self.spec: EnergySpec = read_energy(root)
        self._graph, self._points, self._history, self._folder = graph, points, history, folder
        self.meters = meters_of(points, graph, self.spec)
        self.tree = meter_tree(self.meters, points, graph, self.spec)
        self.accounts = Accounts(self.tree, graph, areas(graph), self.spec)
        self.book = HourBook(folder, history, points, self.meters)
        self.subjects = list(subjects(self.accounts, graph))
        self._expected: dict[str, dict[str, Expected]] = {}
        self._one = threading.Lock()
        self._temp = next((int(s) for s in points.slots_of_key("temp", {"weather"})), None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What of `energy.toml` and the meters does not hold together."""
        return (*self.spec.findings, *self.tree.findings, *self.accounts.findings)

    # ---- figures ------------------------------------------------------------------------------------------------
    def account(self, place: str, medium: str) -> Account:
        """The account of a place or tenant by its id. Raises EnergyError."""
        if place in self.accounts.tenants:
            return self.accounts.of_tenant(place, medium)
        node = self._graph.index(place)
        if not node:
            raise EnergyError(f"there is no place or tenant '{place}'", mend="use a node id, or a tenant's of energy.toml",
                              code="energy.no_place", fill={"place": place})
        return self.accounts.of(node, medium)

    def sources(self, place: str, medium: str) -> Account:
        """What is made in a place or a tenant's places, of those `account` knows."""
        if place in self.accounts.tenants:
            return self.accounts.sources_of_tenant(place, medium)
        return self.accounts.sources(self._graph.index(place), medium)

    def use(self, account: Account, start: float, end: float, now: float) -> tuple[Floats, NDArray[np.bool_]]:
        """An account by the hour: use (NaN: no meter known), and whether every meter was known all the hour."""
        hours = self.book.hours(start, end, now)
        return _joined(account, hours.use, hours.known)

    def sums(self, start: float, end: float, now: float) -> tuple[Floats, Floats]:
        """Every meter over a span: use (NaN: nothing) and the share of its time that is known."""
        hours = self.book.hours(start, end, now)
        share = max(min(end, now) - start, 1.0) / HOUR_SECS
        any_known = np.isfinite(hours.use).any(axis=0)
        return np.where(any_known, np.nansum(hours.use, axis=0), np.nan), np.minimum(hours.known.sum(axis=0) / share, 1.0)

    def losses(self, medium: str, start: float, end: float, now: float) -> list[dict[str, Any]]:
        """The tree of a medium with the balance of each supply, parents first."""
        use, known = self.sums(start, end, now)
        names = self._graph.columns["id"]
        return [{"i": k, "parent": supply.parent, "node": supply.node, "place": str(names[supply.node] or ""),
                 "meters": [self.meters[m].id for m in supply.meters], "used": _plain(row.used), "made": _plain(row.made),
                 "below": _plain(row.below), "lost": _plain(row.lost),
                 "share": _plain(row.lost / row.used if row.used > 0 else np.nan, 4),
                 "state": row.state, "silent": [self.meters[m].id for m in row.silent]}
                for k, (supply, row) in enumerate(zip(self.tree.supplies, balances(self.tree, use, known), strict=True))
                if supply.medium == medium]

    def ranking(self, medium: str, scope: str, start: float, end: float, now: float) -> list[dict[str, Any]]:
        """Places of a kind (or tenants) with use, area and intensity, the most a m² first."""
        use, known = self.sums(start, end, now)
        columns = self._graph.columns
        rows: list[tuple[str, int, str, str, Account]] = []
        if scope == "tenant":
            rows = [(t.id, places[0], t.name, t.name_zh, self.accounts.of_tenant(t.id, medium))
                    for t, places in self.accounts.tenants.values()]
        else:
            rows = [(str(columns["id"][n]), n, str(columns["name"][n]), str(columns["name_zh"][n] or ""),
                     self.accounts.of(n, medium)) for n in self._graph.of_kind(scope).tolist()]
        out = []
        for place, node, name, name_zh, account in rows:
            if account.how == "none":
                continue
            total, whole = _joined(account, use[None, :], known[None, :])
            area = account.area if account.area > 0 else np.nan
            out.append({"place": place, "node": node, "name": name, "name_zh": name_zh, "used": _plain(total[0]),
                        "area": _plain(area, 1), "intensity": _plain(total[0] / area, 4), "how": account.how,
                        "whole": bool(whole[0])})
        return sorted(out, key=lambda row: -(row["intensity"] if row["intensity"] is not None else -1.0))

    # ---- what was to be expected ----------------------------------------------------------------------------------
    def expected(self, place: str, medium: str, time: float) -> Expected | None:
        """What was expected from the local midnight before an instant on; None where nothing could be."""
        return self._of_day(midnight(time)).get(energy_id(place, medium))

    def learned_days(self, now: float) -> tuple[int, int]:
        """Days on record, and those it takes before anything is forecast."""
        first = self.book.first()
        return int((now - first) // DAY_SECS) if first is not None else 0, LEAST // 24

    def foretell(self, now: float) -> None:
        """The day's forecasts, once a day, in a process of its own at low priority; takes seconds to minutes."""
        start = midnight(now)
        first = self.book.first()
        if self._path(start).is_file() or first is None or start - first < LEAST * HOUR_SECS:
            return
        wanted = [self._series(self.account(place, medium), start, first, now) for place, medium, *_ in self.subjects]
        own = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=own, initializer=os.nice, initargs=(10,)) as pool:
            made = list(pool.map(forecast, wanted))
        kept = {energy_id(place, medium): _expected(one, start)
                for (place, medium, *_), one in zip(self.subjects, made, strict=True) if one is not None}
        path = self._path(start)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.encode(kept))
        temporary.rename(path)
        with self._one:
            self._expected.pop(path.name, None)
        for old in sorted(self._folder.glob("expected-*.json"))[:-DAYS_KEPT]:
            old.unlink()

    def _series(self, account: Account, start: float, first: float, now: float) -> Series:
        begin = max(start - MOST * HOUR_SECS, HOUR_SECS * np.ceil(first / HOUR_SECS))
        use, whole = self.use(account, begin, start, now)
        hours = begin + HOUR_SECS * np.arange(len(use) + 1)
        shown = clock_hours(hours)
        past, shown = int(shown[-1] - shown[0]), shown[:-1]
        day = ordinal_days(shown[0] + np.arange(past + WEEK))
        temp = None
        if self._temp is not None:
            temp = by_clock(self._history.means(np.array([self._temp]), hours)[:, 0], shown, past)
            temp = temp if np.isfinite(temp).mean() > 0.8 else None
        return Series(use=by_clock(np.where(whole, use, np.nan), shown, past), first=int(shown[0]),
                      like=np.where(np.isin(day, list(self.spec.holidays)), SUNDAY,
                                    np.where(np.isin(day, list(self.spec.workdays)), WORKDAY, -1)), temp_c=temp)

    def _path(self, start: float) -> Path:
        return self._folder / f"expected-{dt.datetime.fromtimestamp(start):%Y-%m-%d}.json"

    def _of_day(self, start: float) -> dict[str, Expected]:
        path = self._path(start)
        with self._one:
            if path.name not in self._expected:
                try:
                    self._expected[path.name] = msgspec.json.decode(path.read_bytes(), type=dict[str, Expected])
                except (FileNotFoundError, msgspec.DecodeError):
                    return {}
            return self._expected[path.name]

    # ---- points for alarms ----------------------------------------------------------------------------------------
    def readings(self, now: float) -> Readings:
        """Every energy point now, for the core."""
        slots, values = list[int](), list[float]()
        today = midnight(now)
        month = dt.datetime.fromtimestamp(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
        begin = min(month, now - 2 * DAY_SECS) // HOUR_SECS * HOUR_SECS
        hours = self.book.hours(begin, -(-now // HOUR_SECS) * HOUR_SECS, now)
        lately, heard = self.book.span(now - DEMAND_SECS, now)
        last = int((now - begin) // HOUR_SECS)  # hours that are over
        for place, medium, *_ in self.subjects:
            account = self.account(place, medium)
            use, whole = _joined(account, hours.use, hours.known)
            demand, is_heard = _joined(account, lately[None, :], heard[None, :])
            above, below, told = self._outside(place, medium, use, whole, begin, last)
            since = {name: use[int((at - begin) // HOUR_SECS):] for name, at in (("day", today), ("month", month))}
            figures = {"hour": use[last - 1] if last and whole[last - 1] else np.nan, "expected": told, "above": above,
                       "below": below, "day": _total(since["day"]), "month": _total(since["month"]),
                       "demand": demand[0] * HOUR_SECS / DEMAND_SECS if is_heard[0] else np.nan}
            for key, value in figures.items():
                slot = self._points.slot(energy_id(place, medium), key)
                if slot is not None and np.isfinite(value):
                    slots.append(slot)
                    values.append(float(value))
        return Readings(np.array(slots, np.uint32), np.array(values), np.full(len(slots), int(Quality.GOOD), np.uint8),
                        np.full(len(slots), now))

    def _outside(self, place: str, medium: str, use: Floats, whole: NDArray[np.bool_], begin: float,
                 last: int) -> tuple[float, float, float]:
        """Hours in a row above and below the interval up to the last whole one, and what was expected; NaN: not known."""
        count = {"above": 0.0, "below": 0.0}
        told = np.nan
        for way in count:
            for hour in range(last - 1, max(last - 25, -1), -1):
                at = begin + hour * HOUR_SECS
                said = self.expected(place, medium, at)
                k = int((at - said.start) // HOUR_SECS) if said else -1
                if said is None or not 0 <= k < len(said.expected) or not whole[hour]:
                    if hour == last - 1:
                        return np.nan, np.nan, np.nan
                    break
                told = said.expected[k] if hour == last - 1 else told
                if not (use[hour] > said.high[k] if way == "above" else use[hour] < said.low[k]):
                    break
                count[way] += 1
        return count["above"], count["below"], told


def midnight(time: float) -> float:
    """The local midnight before an instant; the server's zone is the park's."""
    return dt.datetime.fromtimestamp(time).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _joined(account: Account, use: Floats, known: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, meters) → the account's sum of what is known (NaN: nothing is), and whether all of it is."""
    if not account.weight:
        return np.full(len(use), np.nan), np.zeros(len(use), np.bool_)
    chosen, weight = list(account.weight), np.array(list(account.weight.values()))
    mine = use[:, chosen]
    heard = np.isfinite(mine)
    total = np.where(heard.any(axis=1), np.where(heard, mine, 0.0) @ weight, np.nan)
    return total, np.all(known[:, chosen] >= KNOWN, axis=1)


def _total(values: Floats) -> float:
    return float(np.nansum(values)) if np.isfinite(values).any() else float("nan")


def _expected(one: Forecast, start: float) -> Expected:
    """A forecast of hours of the clock as hours that pass: where the clock is put back, one counts twice."""
    shown = clock_hours(start + HOUR_SECS * np.arange(len(one.expected), dtype=np.float64))
    at = np.minimum(shown - shown[0], len(one.expected) - 1)
    expected, low, high = ([round(v, 3) for v in column[at].tolist()] for column in (one.expected, one.low, one.high))
    return Expected(start=start, usual=[_plain(v) for v in one.usual[at]], expected=expected, low=low, high=high,
                    error=_plain(one.error, 4), naive_error=_plain(one.naive_error, 4), learned_hours=one.learned_hours)


def _plain(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
