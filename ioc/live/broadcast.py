"""Turns ticks into what browsers get: values at every tick, fixes once a second, overlays and KPIs every two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ioc.live.hub import Hub, Outgoing, encode
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.core import LiveCore, Tick
from twin.live.frames import overlay_frame
from twin.wire import Kpi, Kpis

POSITIONS_SECS = 1.0
PAINT_SECS = 2.0


class Broadcast:
    """The core's `on_tick`: history first, then one encoding for everyone.

    Args:
        core, hub, history, graph: of the park.
        paint: overlay channel → (node indices, values).
        cards: node index → KPI cards.
    """

    def __init__(self, core: LiveCore, hub: Hub, history: History, graph: SceneGraph, paint: Callable,
                 cards: Callable[[int], list[Kpi]]) -> None:
        self._core, self._hub, self._history, self._graph = core, hub, history, graph
        self._paint, self._cards = paint, cards
        self._tracks: set[int] = set()
        self._positions_due = self._paint_due = 0.0

    def __call__(self, tick: Tick) -> None:
        """Write down, encode once, hand over."""
        self._history.put(tick.readings)
        self._history.put_positions(tick.positions)
        self._tracks.update(int(track) for track in tick.tracks)
        if not self._hub.clients:
            self._tracks.clear()
            return
        texts = [encode(message) for message in (*tick.alarms, *tick.incidents, *tick.commands, *tick.dispatches,
                                                   *tick.trail, *tick.links)]
        texts += [encode(tick.floods)] if tick.floods is not None else []
        frames = [self._core.values_frame(tick.slots, tick.time)] if len(tick.slots) else []
        overlays: dict[int, bytes] = {}
        if tick.time >= self._positions_due:
            self._positions_due = tick.time + POSITIONS_SECS
            frames.append(self._core.positions_frame(np.array(sorted(self._tracks), np.int64), tick.time))
            self._tracks.clear()
        if tick.time >= self._paint_due:
            self._paint_due = tick.time + PAINT_SECS
            overlays = {channel: self.overlay(channel, tick) for channel in self._hub.wanted_channels()}
            texts += [encode(Kpis(node=node, cards=self._cards(index))) for node in sorted(self._hub.looked_at())
                      if (index := self._graph.index(node))]
        self._hub.publish(Outgoing(tick.seq, tuple(texts), tuple(frames), overlays))

    def overlay(self, channel: int, tick: Tick) -> bytes:
        """One channel's frame."""
        nodes, values = self._paint(channel)
        return overlay_frame(channel, nodes, values, seq=tick.seq, server_time_ms=tick.time * 1000)
