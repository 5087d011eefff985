"""The wall over a real core: which alarms and incidents take it, how long they stay, what is kept and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_clock import HandClock

from ioc.live.hub import Hub
from ioc.wall_desk import CLEARED_MS, TAKEN_MS, WallDesk
from twin.errors import AccessDenied
from twin.events import EventStore
from twin.graph import SceneGraph
from twin.live.core import LiveCore
from twin.live.incidents import Answers
from twin.packs import load_packs
from twin.ports import Readings
from twin.reach import Reach
from twin.registry import Device, PointTable
from twin.shared.papers import Paper
from twin.walk import WalkGraph
from twin.wall import WallError
from twin.wire import WallStop

POINTS = PointTable([Device(id=f"smoke-{n}", kind="smoke", name=f"Smoke {n}") for n in (1, 2, 3)], load_packs().kinds)


def small_park() -> SceneGraph:
    """One building, one storey, two rooms with a smoke detector each, and one detector outdoors."""
    kinds = ["none", "park", "building", "storey", "space", "space", "device", "device", "device"]
    ids = np.array(["", "park", "b", "b:s", "b:r1", "b:r2", "smoke-1", "smoke-2", "smoke-3"], object)
    return SceneGraph({
        "id": ids, "kind": np.array(kinds, object), "parent": np.array([0, 0, 1, 2, 3, 3, 4, 5, 1], np.uint32), "name": ids,
        "name_zh": np.array([""] * 9, object), "anchor": np.zeros((9, 3)), "area": np.full(9, np.nan)})


class Park:
    """The core, the desk and a hand on the field."""

    def __init__(self, at: Path) -> None:
        self.at, self.clock, self.graph = at, HandClock(), small_park()
        self.points = POINTS
        self.start()

    def start(self) -> None:
        self.events = EventStore.at(self.at / "events.db")
        self.core = LiveCore(self.points, self.events, graph=self.graph, clock=self.clock)
        self.desk = WallDesk(self.core, Hub(), self.graph, Paper(self.at / "wall.json"), version=lambda: "v1")
        walk = WalkGraph(xyz=np.zeros((2, 3)), node=np.array([4, 5], np.uint32), kind=np.array(["space"] * 2, object),
                         edge=np.array([[0, 1]], np.int32), length=np.ones(1), edge_kind=np.array(["walk"], object))
        self.core.answer(Answers(reach=Reach(self.graph, self.points, walk), linkages={}, plans={}), ())

    def restart(self) -> None:
        self.events.close()
        self.start()
        self.wait(0.1)

    def wait(self, secs: float) -> None:
        """Time passes as the core sees it; detectors keep on saying what they said."""
        self.clock.time += secs
        self.core.tick()

    def say(self, **states: str) -> None:
        slots = [self.points.slot_of(f"{name.replace('_', '-')}.state") for name in states]
        assert None not in slots
        numbers = [self.points.spec[slot].number_of(state) for slot, state in zip(slots, states.values(), strict=True)]
        self.core.ingest(Readings(np.array(slots, np.uint32), np.array(numbers), np.zeros(len(slots), np.uint8),
                                  np.full(len(slots), self.clock.time)))
        self.wait(0.1)

    def clear(self, name: str) -> None:
        for _ in range(3):
            self.say(**{name: "normal"})
            self.wait(20)

    def alarm(self, device: str):
        return next(a for a in self.core.alarms() if a.device == device and a.priority == 1)

    def acknowledge(self, device: str) -> None:
        self.core.acknowledge_alarm(self.alarm(device).id, by="li", role="operator")
        self.wait(0.1)

    @property
    def view(self):
        return self.desk.view()


@pytest.fixture
def park(tmp_path: Path) -> Iterator[Park]:
    park = Park(tmp_path)
    park.wait(0.1)
    yield park
    park.events.close()


def test_a_fire_takes_the_wall_to_its_room_and_is_named(park: Park) -> None:
    park.say(smoke_1="alarm")
    view = park.view
    assert (view.mode, view.focus) == ("alarm", "b:r1")
    assert [(u.title, u.place, u.state) for u in view.urgent] == [("Fire alarm", "b · b:s · b:r1", "unacknowledged")]
    assert view.urgent[0].incident > 0
    assert (view.shots[-1].node, view.shots[-1].is_urgent) == ("b:r1", True)
    park.wait(7200)
    assert park.view.mode == "alarm", "nobody has taken note: no timer ends it"


def test_acknowledged_it_leaves_once_nothing_happens_any_more_and_the_tour_goes_on(park: Park) -> None:
    park.say(smoke_1="alarm")
    park.acknowledge("smoke-1")
    first = park.view.resumes_ms
    assert first == pytest.approx(park.clock.time * 1000 + TAKEN_MS, abs=1)
    park.wait(100)
    park.core.incidents.start_plan(park.view.urgent[0].incident, "response", by="li", role="operator", now=park.clock.time)
    park.wait(0.1)
    assert park.view.resumes_ms > first + 90_000, "somebody is at work on it"
    park.wait(TAKEN_MS / 1000 + 1)
    assert (park.view.mode, park.view.urgent) == ("tour", [])
    assert any(u for u in park.core.alarms()), "the alarm itself stands"


def test_cleared_and_acknowledged_it_leaves_after_a_minute(park: Park) -> None:
    park.say(smoke_1="alarm")
    park.clear("smoke_1")
    assert (park.view.mode, park.view.urgent[0].state) == ("alarm", "returned")
    park.acknowledge("smoke-1")
    assert park.view.urgent[0].state == "cleared"
    assert park.view.resumes_ms == pytest.approx(park.clock.time * 1000 + CLEARED_MS, abs=1)
    park.wait(CLEARED_MS / 1000)
    assert park.view.mode == "tour"
    park.say(smoke_1="alarm")
    assert park.view.mode == "alarm", "it burns again"


def test_a_second_fire_elsewhere_takes_the_camera_and_both_are_named(park: Park) -> None:
    park.say(smoke_1="alarm")
    park.wait(3)
    park.say(smoke_2="alarm")
    assert (park.view.focus, [u.node for u in park.view.urgent]) == ("b:r2", ["b:r1", "b:r2"])
    park.wait(20.1)
    assert park.view.focus == "b:r1", "the camera goes between them"
    park.acknowledge("smoke-1")
    park.wait(TAKEN_MS / 1000 + 1)
    assert [u.node for u in park.view.urgent] == ["b:r2"], "one let go, the other stays"
    assert (park.view.mode, park.view.focus) == ("alarm", "b:r2")


def test_an_incident_declared_by_hand_takes_the_wall_until_it_is_closed(park: Park) -> None:
    made = park.core.incidents.declare(node=5, title="Person hurt", priority=1, alarm=None, by="li", role="operator",
                                       now=park.clock.time)
    park.wait(0.1)
    (shown,) = park.view.urgent
    assert (shown.key, shown.title, shown.node, shown.by) == (f"incident:{made.id}", "Person hurt", "b:r2", "li")
    assert (park.view.mode, park.view.resumes_ms) == ("alarm", 0)
    park.core.close_incident(made.id, by="wang", role="commander", note="carried out")
    park.wait(0.1)
    assert park.view.urgent[0].state == "closed"
    park.wait(CLEARED_MS / 1000)
    assert park.view.mode == "tour"


def test_one_of_lesser_priority_does_not(park: Park) -> None:
    park.core.incidents.declare(node=5, title="Leak", priority=2, alarm=None, by="li", role="operator", now=park.clock.time)
    park.wait(0.1)
    assert park.view.mode == "tour"


def test_an_alarm_outdoors_is_flown_to_itself(park: Park) -> None:
    park.say(smoke_3="alarm")
    assert park.view.focus == "smoke-3"


def test_after_a_restart_the_fire_is_on_the_wall_and_what_ended_meanwhile_is_not(park: Park) -> None:
    park.say(smoke_1="alarm", smoke_2="alarm")
    park.restart()
    assert (park.view.mode, sorted(u.node for u in park.view.urgent)) == ("alarm", ["b:r1", "b:r2"])
    for name in ("smoke-1", "smoke-2"):
        park.acknowledge(name)
    at, park.desk = park.desk, None
    park.core._listeners.remove(at.beat)  # the wall's desk is down while the alarms clear
    park.clear("smoke_1")
    park.clear("smoke_2")
    park.restart()
    assert (park.view.mode, park.view.urgent) == ("tour", [])


def test_a_stop_whose_place_is_gone_is_passed_over_and_named(park: Park) -> None:
    stops = [WallStop(name=n, node=n, seconds=10) for n in ("park", "b9-gone", "b")]
    park.desk.edit(stops, by="li", role="operator")
    park.wait(10.1)
    assert (park.view.at, park.view.skipped, park.view.missing) == (2, [1], [1])
    assert park.view.shots[-1].node == "b"
    park.wait(10.1)
    assert (park.view.at, park.view.skipped) == (0, [])


def test_a_wall_file_that_cannot_be_read_gives_the_first_tour(park: Park) -> None:
    (park.at / "wall.json").write_text("{ not json", "utf-8")
    park.restart()
    assert [stop.node for stop in park.view.stops] == ["park", "b"]


def test_viewers_do_not_drive_and_nobody_shows_what_is_not_there(park: Park) -> None:
    with pytest.raises(AccessDenied, match="operator"):
        park.desk.drive("next", by="guest", role="viewer")
    with pytest.raises(WallError, match="no node 'nowhere'"):
        park.desk.drive("show", node="nowhere", by="li", role="operator")
    with pytest.raises(WallError, match="alarm 99 is not active"):
        park.desk.drive("alarm", alarm=99, by="li", role="operator")
