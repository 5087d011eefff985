"""Whatever a browser looks at it has at every tick, and everything within a second; what is looked at is encoded once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_clock import T0, HandClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ioc.access.discreet import Discretion
from ioc.live import broadcast
from ioc.live.broadcast import Broadcast
from ioc.live.hub import MAX_WAITING, Client, Hub, Outgoing
from ioc.live.sight import Sight
from twin.events import EventStore
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.core import LiveCore
from twin.live.frames import decode
from twin.packs import load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable
from twin.wire import FrameKind

NODES = ["", "park", "a", "b", "a:1", "a:2"]
DEVICES = {"e1": "a:1", "e2": "a:2", "e3": "b", "e4": "park"}


class Wire(Hub):
    """Hands ticks to its clients at once."""

    def publish(self, out: Outgoing) -> None:
        for client in self.clients:
            client.put(out)


class Pipe(Client):
    """A browser: what it looks at, and what it has."""

    def __init__(self, slots: int) -> None:
        super().__init__()
        self.value = np.full(slots, np.nan)

    def take(self, core: LiveCore) -> None:
        """Everything that waits arrives."""
        frames = list(self.frames)
        self.frames.clear()
        if self.lag_since is not None:
            frames, self.lag_since = list(core.snapshot(self.lag_since)), None
        for frame in map(decode, frames):
            if frame.kind is FrameKind.VALUES:
                self.value[frame.columns["slot"]] = frame.columns["value"]


@pytest.fixture(scope="module")
def park() -> tuple[SceneGraph, PointTable]:
    ids = NODES + list(DEVICES)
    parents = [0, 0, 1, 1, 2, 2, *(NODES.index(home) for home in DEVICES.values())]
    graph = SceneGraph({"id": np.array(ids, object), "kind": np.array(["none"] * len(ids), object),
                        "parent": np.array(parents, np.uint32)})
    return graph, PointTable([Device(id=key, kind="env_sensor", name=key) for key in DEVICES], load_packs().kinds)


@pytest.fixture
def live(park: tuple[SceneGraph, PointTable], tmp_path: Path) -> Iterator[tuple[LiveCore, History, HandClock]]:
    clock, events = HandClock(), EventStore.at(tmp_path / "e.db")
    history = History(tmp_path / "h", park[1].ids)
    yield LiveCore(park[1], events, clock=clock), history, clock
    history.close()
    events.close()


def test_sight_is_the_node_and_what_is_under_it(park: tuple[SceneGraph, PointTable]) -> None:
    graph, points = park
    sight = Sight(graph, points)
    for node, seen in (("a", {"e1", "e2"}), ("a:1", {"e1"}), ("park", set(DEVICES)), ("e3", {"e3"}), ("b", {"e3"})):
        assert {points.ids[slot].split(".")[0] for slot in np.flatnonzero(sight.of(node))} == seen
    assert not sight.of("nowhere").any()


STEPS = st.lists(st.tuples(st.lists(st.integers(0, 19), max_size=20), st.sampled_from([None, "park", "a", "b", "a:2"]),
                           st.booleans()), min_size=1, max_size=40)


@given(steps=STEPS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_looked_at_is_never_behind_and_the_rest_a_second_at_most(
        park: tuple[SceneGraph, PointTable], live: tuple[LiveCore, History, HandClock], monkeypatch: pytest.MonkeyPatch,
        steps: list[tuple[list[int], str | None, bool]]) -> None:
    monkeypatch.setattr(broadcast, "SMALL", 3)
    (graph, points), (core, history, clock) = park, live
    hub, pipe = Wire(), Pipe(len(points))
    send = Broadcast(core, hub, history, graph, lambda channel: ([], []), lambda index: [], Discretion(graph, ()))
    send(core.tick())
    hub.clients.add(pipe)
    pipe.forget()
    pipe.value[:] = np.where(core.state.quality != 4, core.state.value, np.nan)
    sight, settled, rng = Sight(graph, points), 0.0, np.random.default_rng(len(steps))
    for slots, look, is_slow in steps:
        if look is not None and look != pipe.node:
            pipe.node, settled = look, clock.time
        clock.time += 0.1
        chosen = np.unique(np.array(slots, np.uint32)) % len(points)
        value = rng.integers(0, 1000, len(chosen)) * 10.0  # further apart than any deadband, within which nothing is told
        core.ingest(Readings(chosen, value, np.zeros(len(chosen), np.uint8), np.full(len(chosen), clock.time)))
        send(core.tick())
        if is_slow:
            settled = clock.time
            continue
        pipe.take(core)
        if pipe.node != "park" and clock.time - settled > 1.2:
            seen = sight.of(pipe.node)
            np.testing.assert_array_equal(pipe.value[seen], np.where(core.state.quality != 4, core.state.value, np.nan)[seen])
    for _ in range(12):
        clock.time += 0.1
        send(core.tick())
        pipe.take(core)
    np.testing.assert_array_equal(pipe.value, np.where(core.state.quality != 4, core.state.value, np.nan))


def test_a_view_costs_one_encoding_and_only_its_own_bytes(
        park: tuple[SceneGraph, PointTable], live: tuple[LiveCore, History, HandClock],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "SMALL", 0)
    (graph, points), (core, history, clock) = park, live
    hub = Wire()
    out: list[Outgoing] = []
    monkeypatch.setattr(hub, "publish", out.append)
    for node in ("a:1", "a:1", "b", "park"):
        client = Client()
        client.node = node
        hub.clients.add(client)
    send = Broadcast(core, hub, history, graph, lambda channel: ([], []), lambda index: [], Discretion(graph, ()))
    for k in range(3):
        clock.time = T0 + k / 10
        every = np.arange(len(points), dtype=np.uint32)
        core.ingest(Readings(every, every * 1.0 + 1000 * k, np.zeros(len(every), np.uint8), np.full(len(every), clock.time)))
        send(core.tick())
    assert (len(out[0].views), len(out[0].frames)) == (0, 1), "values for everyone"
    assert (len(out[0].people[1]), len(out[0].crowd[1])) == (1, 1), "places, as each may see them"
    assert set(out[1].views) == {"a:1", "b"}
    assert out[1].frames == ()
    assert decode(out[1].views["b"]).columns["slot"].tolist() == np.flatnonzero(Sight(graph, points).of("b")).tolist()


def test_a_browser_that_falls_behind_between_two_joined_frames_misses_nothing() -> None:
    client = Client()
    client.node = "a"
    for seq in range(10, 10 + MAX_WAITING + 1):
        client.put(Outgoing(seq, (), (), {}, {"a": b"x"}, since=7))
    assert client.lag_since == 7, "the rest was told up to tick 7 only"
