"""The KPI cards of the park, its buildings and storeys: power, energy, people, devices, alarms, plant, carbon.

A figure that is not known is None, never 0. Trends come from samples kept in memory; the reference is the same instant
yesterday, when history knows it.
"""

from __future__ import annotations

import copy
import math
import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from overlays.energy import power_sums
from overlays.kpis_of_packs import Card, pack_cards
from overlays.overlay import Moment
from overlays.sums import Sums, ancestors, areas, device_nodes, scope_nodes, sums_below
from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.wire import Kpi, Kpis, Quality

SCOPES = ("park", "zone", "building", "storey")
#: kg CO₂ a kWh from the grid: China's national mean for electricity, published 2024 for the year 2022.
GRID_KG_PER_KWH = 0.5366
SAMPLE_SECS = 900.0
SAMPLES = 96


CARDS = (
    Card("power", "Power now", "当前功率", "kW", 0),
    Card("energy_today", "Energy today", "今日用电", "kWh", 0),
    Card("people", "People on site", "在场人数", "", 0),
    Card("online", "Devices online", "设备在线率", "%", 1),
    Card("alarms", "Active alarms", "活动报警", "", 0),
    Card("pv", "PV output", "光伏出力", "kW", 1),
    Card("intensity", "Power density", "功率密度", "W/m²", 1),
    Card("cop", "Chiller COP", "冷机 COP", "", 2),
    Card("carbon_today", "Carbon today", "今日碳排放", "kg", 0),
)
Figures = dict[str, NDArray[np.float64]]
#: Instant (s) → the columns then, or None when history does not know.
Recall = Callable[[float], Moment | None]


def local_midnight(now: float) -> float:
    """The last midnight of this machine's time zone."""
    then = time.localtime(now)
    return time.mktime((then.tm_year, then.tm_mon, then.tm_mday, 0, 0, 0, 0, 0, -1))


class KpiBoard:
    """Figures of every park, zone, building and storey node, with their trends. One thread uses it.

    Args:
        recall: the columns of an earlier instant (see `History.as_of`); without it there are no references, and
            energy counts from the first reading of the day.
        midnight: start of the local day of an instant.
    """

    def __init__(self, graph: SceneGraph, points: PointTable, *, recall: Recall | None = None,
                 midnight: Callable[[float], float] = local_midnight) -> None:
        self.nodes = scope_nodes(graph, SCOPES)
        self._row = {str(graph.columns["id"][node]): row for row, node in enumerate(self.nodes)}
        self._graph, self._points = graph, points
        self._recall, self._midnight = recall, midnight
        scope = scope_nodes(graph)
        self._rows_of_scope = np.searchsorted(scope, self.nodes)
        self._power = power_sums(graph, points)
        self._energy = power_sums(graph, points, "energy")
        self._pv = self._below("output", {"pv_inverter"})
        self._cooling = self._below("cooling", {"chiller"})
        self._chiller_power = self._below("power", {"chiller"})
        self._of_packs = pack_cards(graph, points, self.nodes)
        self._above = ancestors(graph)[self.nodes].tocsr()
        self._device_node = device_nodes(graph, points)
        self._area = areas(graph)[self.nodes]
        self._trend: deque[tuple[float, Figures]] = deque(maxlen=SAMPLES)
        self._base: tuple[float, NDArray[np.float64]] | None = None
        self._base_since: float | None = None
        self._yesterday: tuple[float, Figures] | None = None

    def apart(self, recall: Recall | None = None) -> KpiBoard:
        """The same board without its memory, for another time line (a replay) and thread; by default it recalls as before."""
        other = copy.copy(self)
        other._recall, other._trend = recall or self._recall, deque(maxlen=SAMPLES)
        other._base = other._base_since = other._yesterday = None
        return other

    def figures(self, moment: Moment) -> Figures:
        """Every figure a node that a moment's columns tell alone; NaN for unknown."""
        power = self._power.total(moment)[self._rows_of_scope]
        cooling, chillers = self._cooling.total(moment), self._chiller_power.total(moment)
        runs = (chillers > 1.0) & np.isfinite(cooling)
        return {
            "power": power, "intensity": power * 1000.0 / self._area, "pv": self._pv.total(moment),
            "people": self._people(moment), "online": self._online(moment),
            "cop": np.divide(cooling, chillers, out=np.full(len(power), np.nan), where=runs),
            **{card.key: figure(moment) for card, figure in self._of_packs}}

    def sample(self, moment: Moment) -> bool:
        """Keep a sample for the trends when the last is a quarter of an hour old; gives whether it did."""
        if self._trend and moment.time - self._trend[-1][0] < SAMPLE_SECS:
            return False
        self._trend.append((moment.time, self.figures(moment)))
        return True

    def remembered(self, times: Sequence[float]) -> list[tuple[float, Figures]]:
        """Samples of earlier instants (s, ascending) out of history; any thread. Who was where or online is not known."""
        past: list[tuple[float, Figures]] = []
        if self._recall is None:
            return past
        for time_secs in times:
            then = self._recall(time_secs)
            if then is not None:
                past.append((time_secs, {key: column for key, column in self.figures(then).items()
                                         if key not in ("people", "online")}))
        return past

    def prepend(self, past: Sequence[tuple[float, Figures]]) -> None:
        """Put samples before those of now, so that a fresh server has its day."""
        self._trend = deque([*past, *self._trend], maxlen=SAMPLES)

    def cards(self, node_id: str, moment: Moment, alarm_nodes: Sequence[int] = ()) -> Kpis:
        """The cards of one node; of the park for an id that has none.

        Args:
            alarm_nodes: dense node index of every active alarm.
        """
        row = self._row.get(node_id, 0)
        now = self.figures(moment)
        now["alarms"] = self._above @ np.bincount(np.asarray(alarm_nodes, np.int64), minlength=self._graph.size)
        now["energy_today"] = self._energy_today(moment)
        now["carbon_today"] = now["energy_today"] * GRID_KG_PER_KWH
        before = self._figures_yesterday(moment.time)
        cards = [self._card(card, row, now, before) for card in CARDS]
        cards += [self._card(card, row, now, before) for card, _ in self._of_packs if _known(now[card.key], row) is not None]
        shown = str(self._graph.columns["id"][self.nodes[row]]) if len(self.nodes) else node_id
        return Kpis(node=shown, cards=cards)

    def _card(self, card: Card, row: int, now: Figures, before: Figures) -> Kpi:
        value = _known(now[card.key], row)
        trend = [_known(figures[card.key], row) for _, figures in self._trend if card.key in figures]
        unknown = ("not measured here", "此处无计量") if value is None else ("", "")
        if card.key in ("energy_today", "carbon_today") and value is not None and self._base_since is not None:
            clock = time.strftime("%H:%M", time.localtime(self._base_since))
            unknown = (f"since {clock}", f"自 {clock} 起")
        return Kpi(key=card.key, name=card.name, name_zh=card.name_zh, unit=card.unit, value=value,
                   reference=_known(before[card.key], row) if card.key in before else None, trend=trend,
                   note=unknown[0], note_zh=unknown[1], digits=card.digits)

    def _below(self, key: str, kinds: set[str]) -> Sums:
        return sums_below(self._graph, self._points, self._points.slots_of_key(key, kinds), self.nodes)

    def _people(self, moment: Moment) -> NDArray[np.float64]:
        inside = moment.track_node[moment.track_node < self._graph.size].astype(np.int64)
        inside = np.where(inside == 0, self.nodes[0] if len(self.nodes) else 0, inside)
        return self._above @ np.bincount(inside, minlength=self._graph.size).astype(np.float64)

    def _online(self, moment: Moment) -> NDArray[np.float64]:
        """Share (%) of devices below each node with a point heard of in its three periods."""
        alive = np.zeros(len(self._points.devices) + 1)
        np.logical_or.at(heard := alive.astype(bool), self._points.device, moment.quality < Quality.STALE)
        all_at = np.bincount(self._device_node, minlength=self._graph.size)
        live_at = np.bincount(self._device_node, weights=heard[:-1], minlength=self._graph.size)
        all_at[0] = live_at[0] = 0
        total = self._above @ all_at.astype(np.float64)
        return np.divide(self._above @ live_at * 100.0, total, out=np.full(len(total), np.nan), where=total > 0)

    def _energy_today(self, moment: Moment) -> NDArray[np.float64]:
        midnight = self._midnight(moment.time)
        if self._base is None or self._base[0] != midnight:
            then = self._recall(midnight) if self._recall else None
            base = np.full(len(self._points), np.nan)
            if then is not None:
                base = np.where(then.quality <= Quality.STALE, then.value, np.nan)
            self._base, self._base_since = (midnight, base), None
        base, now = self._base[1], np.where(moment.quality <= Quality.STALE, moment.value, np.nan)
        late = np.isnan(base[self._energy.slots]) & np.isfinite(now[self._energy.slots])
        if late.any():
            base[self._energy.slots[late]] = now[self._energy.slots[late]]
            self._base_since = self._base_since or moment.time
        used = now - base
        used = np.where(used >= 0, used, np.nan)  # a counter that was changed or wrapped tells nothing about today
        quality = np.where(np.isfinite(used), int(Quality.GOOD), int(Quality.BAD)).astype(np.uint8)
        day = Moment(time=moment.time, value=used, quality=quality, track_node=moment.track_node)
        return self._energy.total(day)[self._rows_of_scope]

    def _figures_yesterday(self, now: float) -> Figures:
        if self._recall is None:
            return {}
        if self._yesterday is None or abs(now - self._yesterday[0]) > 600:
            then = self._recall(now - 86_400)
            figures = self.figures(then) if then is not None else {}
            figures = {key: column for key, column in figures.items() if key not in ("people", "online")}
            self._yesterday = (now, figures)
        return self._yesterday[1]


def _known(column: NDArray[np.float64], row: int) -> float | None:
    value = float(column[row]) if row < len(column) else math.nan
    return value if math.isfinite(value) else None
