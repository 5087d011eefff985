"""The list of live alarms is always what a fresh reading of the book gives, and puts nothing into words twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_clock import HandClock

from twin.events import EventStore
from twin.live.core import LiveCore
from twin.packs import load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable

POINTS = PointTable([Device(id=f"smoke-{n}", kind="smoke", name=f"Smoke {n}") for n in range(6)], load_packs().kinds)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[LiveCore]:
    events = EventStore.at(tmp_path / "events.db")
    yield LiveCore(POINTS, events, clock=HandClock())
    events.close()


def say(core: LiveCore, state: str, *numbers: int) -> None:
    slots = [POINTS.slot_of(f"smoke-{n}.state") for n in numbers]
    value = [POINTS.spec[slot].number_of(state) for slot in slots if slot is not None]
    core.clock.time += 0.1  # type: ignore[attr-defined]
    core.ingest(Readings(np.array(slots, np.uint32), np.array(value), np.zeros(len(slots), np.uint8),
                         np.full(len(slots), core.clock.now())))
    core.tick()


def fresh(core: LiveCore) -> list:
    return sorted((core.views.alarm(alarm) for alarm in core.book.live()), key=lambda a: (a.priority, a.raised_ms, a.id))


def test_the_list_follows_every_change_and_keeps_what_stands(core: LiveCore) -> None:
    say(core, "alarm", 3, 1, 4)
    first = core.alarms()
    assert first == fresh(core)
    assert {a.device for a in first} >= {"smoke-1", "smoke-3", "smoke-4"}
    one = next(a for a in first if a.device == "smoke-3")
    core.acknowledge_alarm(one.id, by="wang", role="operator")
    say(core, "alarm", 5)
    second = core.alarms()
    assert second == fresh(core)
    now = {a.id: a for a in second}
    assert now[one.id].state == "acknowledged"
    assert core.alarm(one.id) == now[one.id]
    assert all(now[a.id] is a for a in first if a.id != one.id), "nothing is put into words again"
    for _ in range(3):
        core.clock.time += 60  # type: ignore[attr-defined]
        say(core, "normal", 1, 3, 4, 5)
    assert core.alarms() == fresh(core)
    assert one.id not in {a.id for a in core.alarms()}, "acknowledged and normal again: it is over"
    assert core.alarm(one.id) is None
