"""A core that follows takes over: what is on record then is what one core alone would have put there, each thing once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hand_clock import HandClock
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from twin.alarm_records import ALARMS
from twin.database import StoreDown
from twin.events import EventStore
from twin.live.core import LiveCore
from twin.live.standby import News
from twin.packs import load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable

POINTS = PointTable([Device(id="gate-1", kind="gate", name="Gate 1"), Device(id="gate-2", kind="gate", name="Gate 2"),
                     Device(id="smoke-1", kind="smoke", name="Smoke")], load_packs().kinds)
WORDS = [("gate-1.state", "fault"), ("gate-1.state", "closed"), ("gate-2.state", "fault"), ("gate-2.state", "open"),
         ("smoke-1.state", "alarm"), ("smoke-1.state", "normal"), ("smoke-1.obscuration", 5.0), ("smoke-1.obscuration", 0.2)]
Step = tuple[int, float]


def step(cores: list[LiveCore], clock: HandClock, what: Step) -> None:
    """The same reading to every core, after so many seconds."""
    point, value = WORDS[what[0]]
    clock.time += what[1]
    slot = POINTS.slot_of(point)
    assert slot is not None
    for core in cores:
        core.ingest(Readings(np.array([slot], np.uint32), np.array([POINTS.spec[slot].number_of(value)]),
                             np.zeros(1, np.uint8), np.array([clock.time])))
        core.tick()


def record(events: EventStore) -> list[tuple[str, str, float]]:
    return [(e.alarm.key, e.what, e.time) for e in events.alarm_steps(0.0, 1e12)]


def on_files(run: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))


@settings(max_examples=12, deadline=None, phases=(Phase.reuse, Phase.generate))  # making a failure small takes minutes
@given(st.lists(st.tuples(st.integers(0, len(WORDS) - 1), st.floats(1.5, 50.0)), min_size=1, max_size=14), st.data())
def test_nothing_is_lost_or_told_twice_wherever_the_writer_dies(steps: list[Step], data: st.DataObject) -> None:
    dies = data.draw(st.integers(0, len(steps)), "the writer dies after")
    wakes = data.draw(st.integers(dies, len(steps)), "the other takes over after")

    def run(at: Path) -> None:
        alone, shared = EventStore.at(at / "alone.db"), EventStore.at(at / "shared.db")
        clock = HandClock()
        oracle, writer, follower = (LiveCore(POINTS, events, clock=clock) for events in (alone, shared, shared))
        follower.follow()
        for n, what in enumerate(steps):
            if n == wakes:
                follower.lead()
            step([oracle, *([writer] if n < dies else []), follower], clock, what)
            if n < dies:
                follower.mirror(News(alarms=tuple(shared.alarms_where(ALARMS.c.changed >= clock.time - 100.0))))
        if wakes == len(steps):
            follower.lead()
        follower.tick()
        oracle.tick()
        assert sorted(record(shared)) == sorted(record(alone))
        assert [(a.key, a.state, a.is_active) for a in sorted(follower.book.live(), key=lambda a: a.key)] == \
            [(a.key, a.state, a.is_active) for a in sorted(oracle.book.live(), key=lambda a: a.key)]
        assert shared.verify() == []
        alone.close()
        shared.close()

    on_files(run)


def test_a_core_that_follows_writes_nothing_and_shows_the_record(tmp_path: Path) -> None:
    events, clock = EventStore.at(tmp_path / "events.db"), HandClock()
    writer, follower = LiveCore(POINTS, events, clock=clock), LiveCore(POINTS, events, clock=clock)
    follower.follow()
    step([follower], clock, (0, 1.0))
    assert record(events) == []
    assert follower.alarms() == [], "what it met is not yet on record"
    step([writer], clock, (4, 1.0))
    follower.mirror(News(alarms=tuple(events.live_alarms())))
    assert [view.key for view in follower.tick().alarms] == ["smoke-1.fire"]
    with pytest.raises(StoreDown):
        follower.acknowledge_alarm(follower.alarms()[0].id, by="li", role="operator")
    assert follower.alarms()[0].state == "unacknowledged"
    writer.acknowledge_alarm(writer.alarms()[0].id, by="li", role="operator")
    follower.mirror(News(alarms=tuple(events.live_alarms())))
    assert [view.acked_by for view in follower.tick().alarms] == ["li"]
    events.close()


def test_a_writer_that_lost_its_part_drops_what_it_had_not_written(tmp_path: Path) -> None:
    events, clock = EventStore.at(tmp_path / "events.db"), HandClock()
    core = LiveCore(POINTS, events, clock=clock)
    core.events.database.is_down = True
    step([core], clock, (4, 1.0))
    assert [view.key for view in core.alarms()] == ["smoke-1.fire"]
    core.events.database.is_down = False
    core.follow()
    core.tick()
    assert core.alarms() == []
    assert record(events) == []
    events.close()
