"""Overlays and KPIs of a running park, called in the core's thread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from overlays.hours import Hours
from overlays.kpis import Figures, KpiBoard, local_midnight
from overlays.overlay import Moment, Overlay, Painter, moment_of
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.alarms import ASIDE
from twin.live.core import LiveCore
from twin.ports import TrackInfo
from twin.registry import PointTable
from twin.wire import Kpi

TREND_SECS = 1_800.0


class ParkPainters:
    """What paints and sums the live columns; `paintings` are the channels by number."""

    def __init__(self, core: LiveCore, graph: SceneGraph, points: PointTable, history: History,
                 tracks: Sequence[TrackInfo]) -> None:
        self._core, self._graph, self._history = core, graph, history
        self._painter = Painter(graph, points)
        self.hours = Hours(self._painter, graph, points, history)
        self.midnight = local_midnight
        self._board = KpiBoard(graph, points, recall=self._recall)
        self._people = np.zeros(max((t.i for t in tracks), default=-1) + 1, np.bool_)
        self._people[[t.i for t in tracks if t.kind == "person"]] = True
        self.paintings: dict[int, Overlay] = self._painter.overlays

    def paint(self, channel: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """One channel now."""
        return self._painter.paint(channel, self._moment())

    def paint_of(self, channel: int, time: float, value: NDArray[np.float64], quality: NDArray[np.uint8],
                 tracks: NDArray[np.int64], nodes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """One channel at another moment: columns by slot, and who was where."""
        known = tracks < len(self._people)
        people = nodes[known][self._people[tracks[known]]]
        return self._painter.paint(channel, Moment(time=time, value=value, quality=quality, track_node=people))

    def cards(self, node: int) -> list[Kpi]:
        """The KPI cards of a node now."""
        moment = self._moment()
        self._board.sample(moment)
        alarms = [view.node for view in self._core.alarms() if view.state not in ASIDE]
        return self._board.cards(str(self._graph.columns["id"][node]), moment, alarms).cards

    def remembered(self, now: float) -> list[tuple[float, Figures]]:
        """The cards' samples of the last day from history; takes seconds, on any thread but the core's."""
        return self._board.remembered(np.arange(now - 86_400.0, now - TREND_SECS / 2, TREND_SECS).tolist())

    def prepend(self, past: list[tuple[float, Figures]]) -> None:
        """Give the cards their day; in the core's thread."""
        self._board.prepend(past)

    def _moment(self) -> Moment:
        return moment_of(self._core, self._people if len(self._people) else None)

    def _recall(self, time_secs: float) -> Moment | None:
        then = self._history.as_of(time_secs)
        if not np.isfinite(then.value).any():
            return None
        return Moment(time=time_secs, value=then.value, quality=then.quality, track_node=np.zeros(0, np.uint32))
