"""Turns ticks into what browsers get: values at every tick, fixes once a second, overlays and KPIs every two.

While little happens everyone gets every value at every tick. When more than `SMALL` values wait, a browser gets those under
the node it looks at at every tick and the rest joined once a second; a node is encoded once, however many look at it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ioc.access.discreet import Discretion
from ioc.live.hub import Hub, Outgoing, encode, texts_of
from ioc.live.sight import Sight
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.core import LiveCore
from twin.live.frames import overlay_frame
from twin.live.tick import Tick
from twin.wire import Kpi, Kpis

SMALL = 2000
REST_SECS = 1.0
POSITIONS_SECS = 1.0
PAINT_SECS = 2.0


class Broadcast:
    """The core's `on_tick`: history first, then one encoding for everyone.

    Args:
        core, hub, history, graph: of the park.
        paint: overlay channel → (node indices, values).
        cards: node index → KPI cards.
        discretion: what those get who may not follow people.
    """

    def __init__(self, core: LiveCore, hub: Hub, history: History, graph: SceneGraph, paint: Callable,
                 cards: Callable[[int], list[Kpi]], discretion: Discretion) -> None:
        self._discretion = discretion
        self._core, self._hub, self._history, self._graph = core, hub, history, graph
        self._paint, self._cards = paint, cards
        self._sight = Sight(graph, core.points)
        self._told = -1
        self._waiting = 0
        self._tracks: set[int] = set()
        self._positions_due = self._paint_due = self._rest_due = 0.0

    def __call__(self, tick: Tick) -> None:
        """Write down, encode once, hand over."""
        self._history.put(tick.readings)
        self._history.put_positions(tick.positions, tick.shown)
        self._core.own_fault("history", self._history.fault is not None)
        self._tracks.update(int(track) for track in tick.tracks)
        if not self._hub.clients:
            self._tracks.clear()
            self._told, self._waiting = tick.seq, 0  # whoever joins gets everything first
            return
        told = (*tick.alarms, *tick.incidents, *tick.commands, *tick.dispatches, *tick.trail)
        texts = [encode(link) for link in tick.links]
        texts += [encode(tick.floods)] if tick.floods is not None else []
        said = texts_of(self._core.points, tick.slots, self._core.state.value)
        texts += [encode(said)] if said is not None else []
        has_crowd, places, blurred = self._hub.has_crowd, b"", b""
        since = self._told
        frames, views = self._values(tick)
        overlays: dict[int, bytes] = {}
        if tick.time >= self._positions_due:
            self._positions_due = tick.time + POSITIONS_SECS
            moved = np.array(sorted(self._tracks), np.int64)
            places = self._core.positions_frame(moved, tick.time)
            blurred = self._core.positions_frame(moved, tick.time, self._discretion.places) if has_crowd else places
            self._tracks.clear()
        if tick.time >= self._paint_due:
            self._paint_due = tick.time + PAINT_SECS
            overlays = {channel: self.overlay(channel, tick) for channel in self._hub.wanted_channels()}
            texts += [encode(Kpis(node=node, cards=self._cards(index))) for node in sorted(self._hub.looked_at())
                      if (index := self._graph.index(node))]
        named = tuple(encode(message) for message in told)
        nameless = tuple(encode(self._discretion.of(message)) for message in told) if has_crowd else ()
        self._hub.publish(Outgoing(tick.seq, tuple(texts), tuple(frames), overlays, views, since,
                                   people=(named, (places,) if places else ()),
                                   crowd=(nameless, (blurred,) if blurred else ())))

    def _values(self, tick: Tick) -> tuple[list[bytes], dict[str, bytes]]:
        """A frame for everyone, or one for each node looked at."""
        self._waiting += len(tick.slots)
        if self._waiting <= SMALL or tick.time >= self._rest_due:
            joined = tick.slots if self._told == tick.seq - 1 else self._core.state.changed_since(self._told)
            self._told, self._waiting, self._rest_due = tick.seq, 0, tick.time + REST_SECS
            return ([self._core.values_frame(joined, tick.time)] if len(joined) else []), {}
        views = {}
        for node in self._hub.looked_at():
            seen = tick.slots[self._sight.of(node)[tick.slots]] if node != "park" else tick.slots[:0]
            if len(seen):
                views[node] = self._core.values_frame(seen, tick.time)
        return [], views

    def overlay(self, channel: int, tick: Tick) -> bytes:
        """One channel's frame."""
        nodes, values = self._paint(channel)
        return overlay_frame(channel, nodes, values, seq=tick.seq, server_time_ms=tick.time * 1000)
