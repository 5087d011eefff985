"""Overlays and KPIs of a running park, called in the core's thread."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from overlays.headcount import Headcount
from overlays.hours import Hours
from overlays.kpis import Figures, KpiBoard, local_midnight
from overlays.overlay import Moment, Overlay, Painter, moment_of
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.alarms import ASIDE
from twin.live.core import LiveCore
from twin.park_points import VALUE
from twin.ports import TrackInfo
from twin.registry import PointTable
from twin.wire import AlarmView, Kpi, Quality

TREND_SECS = 1_800.0
RECALL_SECS = 600.0


class ParkPainters:
    """What paints and sums the live columns; `paintings` are the channels by number."""

    def __init__(self, core: LiveCore, graph: SceneGraph, points: PointTable, history: History,
                 tracks: Sequence[TrackInfo]) -> None:
        self._core, self._graph, self._history = core, graph, history
        self._painter = Painter(graph, points)
        self.midnight = local_midnight
        self._board = KpiBoard(graph, points, recall=self._recall)
        self._people = np.zeros(max((t.i for t in tracks), default=-1) + 1, np.bool_)
        self._people[[t.i for t in tracks if t.kind == "person"]] = True
        self.hours = Hours(self._painter, graph, points, history,
                           Headcount(history.fixes_in, core.tracks.locate, self._people) if len(self._people) else None)
        self.paintings: dict[int, Overlay] = self._painter.overlays

    def paint(self, channel: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """One channel now."""
        return self._painter.paint(channel, self._moment())

    def paint_of(self, channel: int, time: float, value: NDArray[np.float64], quality: NDArray[np.uint8],
                 tracks: NDArray[np.int64], nodes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """One channel at another moment: columns by slot, and who was where."""
        return self._painter.paint(channel, self.moment_at(time, value, quality, tracks, nodes))

    def cards(self, node: int) -> list[Kpi]:
        """The KPI cards of a node now."""
        moment = self._moment()
        self._board.sample(moment)
        return self._cards(self._board, node, moment, self._core.alarms())

    def board(self) -> KpiBoard:
        """A board for another time line, which recalls by ten minutes and keeps that a while; for one thread at a time."""
        kept = functools.lru_cache(maxsize=8)(self._recall)
        return self._board.apart(lambda time_secs: kept(time_secs - time_secs % RECALL_SECS))

    def cards_of(self, board: KpiBoard, node: int, moment: Moment, alarms: Sequence[AlarmView]) -> list[Kpi]:
        """The KPI cards of a node at another moment, by a board of `board()`.

        Args:
            alarms: the live ones then.
        """
        return self._cards(board, node, moment, alarms)

    def moment_at(self, time: float, value: NDArray[np.float64], quality: NDArray[np.uint8], tracks: NDArray[np.int64],
                  nodes: NDArray[np.uint32]) -> Moment:
        """Columns by slot at an instant (s), and who was where."""
        known = tracks < len(self._people)
        people = nodes[known][self._people[tracks[known]]]
        return Moment(time=time, value=value, quality=quality, track_node=people)

    def _cards(self, board: KpiBoard, node: int, moment: Moment, alarms: Sequence[AlarmView]) -> list[Kpi]:
        """One way to the cards, for now and for then."""
        nodes = [view.node for view in alarms if view.state not in ASIDE]
        node_id = str(self._graph.columns["id"][node])
        return [*board.cards(node_id, moment, nodes).cards, *self._own_cards(node_id, moment)]

    def _own_cards(self, node_id: str, moment: Moment) -> list[Kpi]:
        """The points the park adds of its own for a place (`points.toml`)."""
        points, cards = self._core.points, list[Kpi]()
        for device in (device for device, home in points.home.items() if home == node_id):
            slot = points.slot_of(f"{device}.{VALUE}")
            if slot is None or points.spec[slot].type != "number":
                continue
            spec, value = points.spec[slot], float(moment.value[slot])
            cards.append(Kpi(key=device, name=spec.name, name_zh=spec.name_zh, unit=spec.unit, digits=1,
                             value=value if np.isfinite(value) else None, stale=bool(moment.quality[slot] >= Quality.BAD)))
        return cards

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
