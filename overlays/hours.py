"""Any overlay for any hour of any day, from the history: a day is read once, its hours are then at hand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overlays.headcount import Headcount
from overlays.overlay import Moment, OverlayError, Painter
from overlays.sums import areas
from twin.graph import SceneGraph
from twin.history.store import History
from twin.registry import PointTable
from twin.wire import Channel, Quality

HOUR_SECS = 3600.0
HOURS = 24
DAYS_KEPT = 4
SETTLED_SECS = 120.0


@dataclass(frozen=True, slots=True)
class HourPaint:
    """What a channel says of an hour: values a node (NaN: not known), which are estimates, and the hour in seconds.

    `energy` is kWh in the hour, only for the energy channel.
    """

    node: NDArray[np.uint32]
    value: NDArray[np.float64]
    is_estimate: NDArray[np.bool_]
    energy: NDArray[np.float64] | None
    start: float
    end: float


@dataclass(slots=True)
class _Day:
    """Means of a day's hours: f64 (24, slots), and until when they are complete (s)."""

    mean: NDArray[np.float64]
    known_until: float


class Hours:
    """Overlays of past hours. Safe from several threads: one reads history at a time."""

    def __init__(self, painter: Painter, graph: SceneGraph, points: PointTable, history: History,
                 people: Headcount | None = None) -> None:
        self._people = people
        self._painter, self._graph, self._points, self._history = painter, graph, points, history
        self._area = areas(graph)
        self._headcounts: dict[float, tuple[NDArray[np.uint32], int]] = {}
        self._days: OrderedDict[tuple[int, float], _Day] = OrderedDict()
        self._one = threading.Lock()

    def paint(self, channel: int, start: float, *, midnight: float, now: float, estimates: bool = False) -> HourPaint:
        """A channel over the hour that begins at `start` (s); the hour that runs is painted as far as it went.

        Args:
            midnight: start of the day that holds it, in the place the asker means.
            estimates: rooms without a meter get their storey's or building's remainder by area, marked as estimates.

        Raises:
            OverlayError: the channel is not made of readings, or the hour is not of that day or lies ahead.
        """
        overlay = self._painter.overlays.get(channel)
        if overlay is None or not self.has(channel):
            raise OverlayError(f"channel {channel} is not kept by the hour",
                               mend=f"use one of {[c for c in self._painter.overlays if self.has(c)]}",
                               code="overlay.not_kept", fill={"channel": channel})
        hour = int((start - midnight) // HOUR_SECS)
        if not 0 <= hour < HOURS or start > now:
            raise OverlayError("that hour is not of that day, or has not come yet", mend="ask for an hour of the past",
                               code="overlay.hour")
        if channel == Channel.OCCUPANCY:
            return self._peopled(midnight + hour * HOUR_SECS, now)
        slots = np.unique(np.concatenate([self._points.slots_of_key(key) for key in overlay.reads]))
        mean = self._hour(channel, slots, midnight, hour, now)
        value = np.full(len(self._points), np.nan)
        value[slots] = mean
        quality = np.where(np.isfinite(value), int(Quality.GOOD), int(Quality.NEVER)).astype(np.uint8)
        node, shown = self._painter.paint(channel, Moment(time=start, value=value, quality=quality,
                                                         track_node=np.zeros(0, np.uint32)))
        painted = shown.astype(np.float64)
        is_estimate = np.zeros(len(node), np.bool_)
        if channel == Channel.ENERGY and estimates:
            painted, is_estimate = spread(self._graph, node, painted, self._area)
        begin = midnight + hour * HOUR_SECS
        end = min(begin + HOUR_SECS, now)
        energy = painted * self._area[node] / 1000.0 * (end - begin) / HOUR_SECS if channel == Channel.ENERGY else None
        return HourPaint(node, painted, is_estimate, energy, begin, end)

    def has(self, channel: int) -> bool:
        """Whether a channel can be asked by the hour."""
        overlay = self._painter.overlays.get(channel)
        return overlay is not None and (bool(overlay.reads) or (channel == Channel.OCCUPANCY and self._people is not None))

    def _peopled(self, begin: float, now: float) -> HourPaint:
        """The mean number of people of an hour; not known where nothing at all was heard."""
        assert self._people is not None
        end = min(begin + HOUR_SECS, now)
        kept = self._headcounts.get(begin)
        if kept is None:
            kept = self._people.minutes(begin, end)
            if end + SETTLED_SECS < now:  # over, and all of it written
                self._headcounts[begin] = kept
        where, minutes = kept
        none = np.zeros(0)
        node, count = self._painter.paint(Channel.OCCUPANCY, Moment(time=begin, value=none, quality=none.astype(np.uint8),
                                                                    track_node=where))
        mean = count.astype(np.float64) / minutes if minutes else np.full(len(node), np.nan)
        return HourPaint(node, mean, np.zeros(len(node), np.bool_), None, begin, end)

    def _hour(self, channel: int, slots: NDArray[np.int64], midnight: float, hour: int, now: float) -> NDArray[np.float64]:
        with self._one:
            day = self._days.get((channel, midnight))
            end = midnight + (hour + 1) * HOUR_SECS
            if day is None or (end > day.known_until and now - day.known_until > 60.0):
                day = self._read(slots, midnight, now, day)
                self._days[channel, midnight] = day
            self._days.move_to_end((channel, midnight))
            while len(self._days) > DAYS_KEPT:
                self._days.popitem(last=False)
            return day.mean[hour]

    def _read(self, slots: NDArray[np.int64], midnight: float, now: float, known: _Day | None) -> _Day:
        """A day's hours; of one read before only those that were not over then."""
        first = 0 if known is None else max(0, min(HOURS - 1, int((known.known_until - midnight) // HOUR_SECS)))
        edges = midnight + np.arange(first, HOURS + 1, dtype=np.float64) * HOUR_SECS
        mean = self._history.means(slots, edges)
        whole = mean if known is None else np.concatenate([known.mean[:first], mean])
        return _Day(whole, now)


def spread(graph: SceneGraph, node: NDArray[np.uint32], value: NDArray[np.float64],
           area: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Rooms without a figure get what their storey (or building) has left over, spread by floor area.

    Args:
        node, value: densities (a m²) as painted; NaN for unknown.
        area: m² of every node of the graph.

    Returns:
        The values with the estimates in place, and which are estimates. Where a remainder is negative nothing is spread.
    """
    density = np.full(graph.size, np.nan)
    density[node] = value
    kind = graph.columns["kind"]
    guessed = np.zeros(graph.size, np.bool_)
    unknown = [int(i) for i in node if kind[i] == "space" and np.isnan(density[i]) and area[i] > 0]
    groups: dict[int, list[int]] = {}
    for room in unknown:
        above = int(graph.parent[room])
        while above and not (kind[above] in ("storey", "building") and np.isfinite(density[above])):
            above = int(graph.parent[above])
        if above:
            groups.setdefault(above, []).append(room)
    for above, rooms in groups.items():
        below = [i for i in graph.subtree(above) if kind[i] == "space" and np.isfinite(density[i]) and not guessed[i]]
        left = density[above] * area[above] - float(np.sum(density[below] * area[below]))
        if left > 0:
            density[rooms] = left / float(np.sum(area[rooms]))
            guessed[rooms] = True
    return density[node], guessed[node]
