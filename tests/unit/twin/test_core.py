"""The core as the server sees it: readings in, ticks out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_clock import T0, HandClock

from twin.commands import CommandConflict, CommandError
from twin.database import StoreDown
from twin.errors import AccessDenied
from twin.events import EventStore
from twin.live.core import LiveCore
from twin.live.frames import decode
from twin.packs import load_packs
from twin.ports import CommandAck, Positions, Readings
from twin.registry import Device, PointTable
from twin.wire import Quality


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def points() -> PointTable:
    return PointTable([Device(id="gate-1", kind="gate", name="Gate"), Device(id="fcu-1", kind="fcu", name="FCU"),
                       Device(id="smoke-1", kind="smoke", name="Smoke")], load_packs().kinds)


@pytest.fixture
def core(points: PointTable, clock: HandClock, tmp_path: Path) -> Iterator[LiveCore]:
    events = EventStore.at(tmp_path / "events.db")
    yield LiveCore(points, events, clock=clock)
    events.close()


def say(core: LiveCore, clock: HandClock, **values: float | str) -> None:
    """Readings now, `device__point=value`; a state by its name."""
    slots, numbers = [], []
    for name, value in values.items():
        slot = core.points.slot_of(name.replace("__", ".").replace("_1", "-1"))
        assert slot is not None
        slots.append(slot)
        numbers.append(core.points.spec[slot].number_of(value))
    core.ingest(Readings(np.array(slots, np.uint32), np.array(numbers), np.zeros(len(slots), np.uint8),
                         np.full(len(slots), clock.time)))


def wait(core: LiveCore, clock: HandClock, secs: float):
    clock.time += secs
    return core.tick()


def test_a_reading_comes_out_as_a_changed_slot_and_a_frame(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, fcu_1__room_temp=24.5)
    tick = core.tick()
    assert [core.points.ids[slot] for slot in tick.slots] == ["fcu-1.room_temp"]
    frame = decode(core.values_frame(tick.slots))
    assert frame.columns["value"].tolist() == [24.5]
    assert frame.columns["quality"].tolist() == [Quality.GOOD]
    assert wait(core, clock, 0.1).slots.size == 0
    assert decode(core.snapshot()[0]).columns["slot"].tolist() == tick.slots.tolist()


def test_a_fire_is_raised_acknowledged_and_cleared_and_all_is_on_the_trail(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, smoke_1__state="alarm")
    raised = core.tick().alarms
    assert [(a.key, a.state, a.priority) for a in raised] == [("smoke-1.fire", "unacknowledged", 1)]
    core.acknowledge_alarm(raised[0].id, by="li", role="operator")
    assert core.tick().alarms[0].acked_by == "li"
    clock.time += 1
    say(core, clock, smoke_1__state="normal")
    assert core.tick().alarms == ()
    clock.time += 20
    say(core, clock, smoke_1__state="normal")
    core.tick()
    assert wait(core, clock, 20).alarms[0].state == "cleared"
    assert [e.what for e in core.events.trail()] == ["alarm.returned", "alarm.acknowledged", "alarm.raised"]
    assert core.alarms() == []
    assert core.events.verify() == []


def test_a_viewer_may_not_acknowledge(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, smoke_1__state="alarm")
    alarm = core.tick().alarms[0]
    with pytest.raises(AccessDenied, match="operator"):
        core.acknowledge_alarm(alarm.id, by="guest", role="viewer")


def test_silent_points_turn_stale_and_a_stale_reading_keeps_its_alarm(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, smoke_1__state="alarm")
    core.tick()
    tick = wait(core, clock, 31)
    assert [core.points.ids[slot] for slot in tick.slots] == ["smoke-1.state"]
    assert core.state.quality[tick.slots].tolist() == [Quality.STALE]
    assert [alarm.state for alarm in core.alarms()] == ["unacknowledged"]


def test_the_last_line_down_turns_everything_stale_at_once(core: LiveCore, clock: HandClock) -> None:
    core.link("mqtt", True, "")
    say(core, clock, smoke_1__state="normal", fcu_1__room_temp=22.0)
    core.tick()
    core.link("mqtt", False, "connection refused")
    tick = core.tick()
    assert len(tick.slots) == 2
    assert tick.links[-1].state == "down"


def test_what_was_said_just_before_the_line_was_lost_is_stale_and_what_came_after_is_good(core: LiveCore, clock: HandClock,
                                                                                          ) -> None:
    smoke, room = (core.points.slot_of(name) for name in ("smoke-1.state", "fcu-1.room_temp"))
    say(core, clock, smoke_1__state="alarm", fcu_1__room_temp=22.0)
    core.lose(np.array([smoke, room]))
    say(core, clock, fcu_1__room_temp=23.0)  # another way leads to it
    core.tick()
    assert core.state.quality[[smoke, room]].tolist() == [Quality.STALE, Quality.GOOD]
    assert [alarm.key for alarm in core.alarms()] == ["smoke-1.fire"], "it was said all the same"
    clock.time += 1
    say(core, clock, smoke_1__state="normal")
    core.tick()
    assert core.state.quality[smoke] == Quality.GOOD, "the way is back"


def test_live_alarms_go_on_after_a_restart_without_being_raised_twice(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, smoke_1__state="alarm")
    first = core.tick().alarms[0]
    again = LiveCore(core.points, core.events, clock=clock)
    clock.time += 1
    say(again, clock, smoke_1__state="alarm")
    assert again.tick().alarms == ()
    assert [alarm.id for alarm in again.alarms()] == [first.id]


def test_a_rule_taken_out_while_quiet_is_raised_in_silence_and_all_is_on_the_trail(core: LiveCore, clock: HandClock) -> None:
    with pytest.raises(AccessDenied):
        core.take_out("smoke-1.fire", by="li", role="operator", reason="detector removed")
    core.take_out("smoke-1.fire", by="wang", role="commander", reason="detector removed")
    say(core, clock, smoke_1__state="alarm")
    assert [alarm.state for alarm in core.tick().alarms] == ["out_of_service"]
    again = LiveCore(core.points, core.events, clock=clock)
    assert [(held.kind, held.who, held.reason) for held in again.alarm_desk.aside()] == [
        ("out_of_service", "wang", "detector removed")]
    again.put_back("smoke-1.fire", "out_of_service", by="wang", role="commander", reason="detector back")
    assert [alarm.state for alarm in again.tick().alarms] == ["unacknowledged"]
    assert [(e.what, e.who) for e in reversed(core.events.trail())] == [
        ("alarm.out_of_service", "wang"), ("alarm.raised", ""), ("alarm.in_service", "wang")]
    assert "detector back" in core.events.trail()[0].text
    assert core.events.verify() == []


def test_a_derived_point_is_seen_kept_and_suppresses_by_design(clock: HandClock, tmp_path: Path) -> None:
    points = PointTable([Device(id="ahu-1", kind="ahu", name="AHU")], load_packs().kinds)
    events = EventStore.at(tmp_path / "events.db")
    core = LiveCore(points, events, clock=clock)
    say(core, clock, ahu_1__status="run", ahu_1__supply_temp=16.0, ahu_1__return_temp=24.0)
    tick = core.tick()
    slot = points.slot_of("ahu-1.air_delta")
    assert slot in tick.slots
    assert tick.readings.value[tick.readings.slot == slot].tolist() == [8.0]
    clock.time += 1
    say(core, clock, ahu_1__status="off", ahu_1__supply_temp=30.0, ahu_1__return_temp=24.0)
    core.tick()
    for _ in range(15):
        clock.time += 10
        say(core, clock, ahu_1__status="off", ahu_1__supply_temp=30.0)
        core.tick()
    assert [(alarm.key, alarm.state) for alarm in core.alarms()] == [("ahu-1.supply_hot", "suppressed")]
    core = LiveCore(points, events, clock=clock)
    core.tick()
    assert [alarm.state for alarm in core.alarms()] == ["suppressed"], "what was suppressed stays so after a restart"
    for _ in range(31):
        clock.time += 10
        say(core, clock, ahu_1__status="run", ahu_1__supply_temp=30.0)
        core.tick()
    assert [alarm.state for alarm in core.alarms()] == ["unacknowledged"]
    assert [e.what for e in reversed(events.trail())] == ["alarm.raised", "alarm.unsuppressed"]
    events.close()


def order_open(core: LiveCore, role: str = "operator", key: str = "k1", by: str = "wang"):
    return core.request(device="gate-1", key="open", args={}, by=by, role=role, idempotency_key=key)


def test_a_command_is_sent_acknowledged_and_proved_by_telemetry(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, gate_1__state="closed")
    core.tick()
    assert order_open(core).state == "approved"
    tick = wait(core, clock, 0.1)
    assert [order.key for order in tick.orders] == ["open"]
    core.acknowledge(CommandAck(id=tick.orders[0].id, device="gate-1", accepted=True))
    assert wait(core, clock, 1).commands[-1].state == "acknowledged"
    say(core, clock, gate_1__state="open")
    done = wait(core, clock, 0.1).commands[-1]
    assert [state for state, _, _ in done.steps] == ["requested", "approved", "sent", "acknowledged", "confirmed"]
    assert wait(core, clock, 100).orders == ()


def test_a_second_click_is_the_same_command_a_second_person_meets_a_conflict(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, gate_1__state="closed")
    core.tick()
    first = order_open(core)
    assert order_open(core).id == first.id
    with pytest.raises(CommandConflict) as caught:
        order_open(core, key="k2", by="li")
    assert caught.value.holder == "wang"
    assert len(wait(core, clock, 0.1).orders) == 1


def test_a_viewer_is_refused_with_a_reason_that_is_on_the_trail(core: LiveCore) -> None:
    with pytest.raises(AccessDenied, match="operator"):
        order_open(core, role="viewer")
    assert core.events.trail()[0].what == "command.refused"
    assert core.tick().commands[0].state == "refused"


def test_a_command_to_an_offline_device_expires_and_is_never_sent(core: LiveCore, clock: HandClock) -> None:
    order_open(core)
    assert wait(core, clock, 59).orders == ()
    tick = wait(core, clock, 1)
    assert (tick.orders, tick.commands[-1].state) == ((), "expired")
    say(core, clock, gate_1__state="closed")
    assert wait(core, clock, 1).orders == ()


def test_without_an_answer_the_result_is_unknown_and_nothing_is_sent_again(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, gate_1__state="closed")
    core.tick()
    order_open(core)
    assert len(wait(core, clock, 0.1).orders) == 1
    assert wait(core, clock, 21).commands[-1].state == "unknown"
    assert wait(core, clock, 60).orders == ()


def test_a_command_sent_before_a_crash_is_not_sent_again(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, gate_1__state="closed")
    core.tick()
    order_open(core)
    wait(core, clock, 0.1)
    again = LiveCore(core.points, core.events, clock=clock)
    say(again, clock, gate_1__state="closed")
    assert wait(again, clock, 1).orders == ()
    assert wait(again, clock, 60).commands[-1].state == "unknown"


@pytest.mark.parametrize(("device", "key", "args"), [
    ("nobody", "open", {}), ("gate-1", "explode", {}), ("fcu-1", "set_temp", {}),
    ("fcu-1", "set_temp", {"value": 99.0}),
    ("fcu-1", "set_temp", {"value": float("nan")}), ("fcu-1", "set_mode", {"value": "storm"}),
])
def test_senseless_orders_are_refused_in_words(core: LiveCore, device: str, key: str,
                                                       args: dict[str, float | str]) -> None:
    with pytest.raises(CommandError) as caught:
        core.request(device=device, key=key, args=args, by="wang", role="admin", idempotency_key="k")
    assert caught.value.mend


def test_people_move_and_are_lost_after_ten_seconds(points: PointTable, clock: HandClock, tmp_path: Path) -> None:
    events = EventStore.at(tmp_path / "e.db")
    core = LiveCore(points, events, clock=clock, locate=lambda xyz: np.full(len(xyz), 9, np.uint32))
    fixes = np.array([[1.0, 2.0, 3.0], [np.nan, 0.0, 0.0], [4.0, 5.0, 6.0]])
    core.move(Positions(np.array([200, 3, 200], np.uint32), fixes, np.zeros(3, np.float32),
                        np.array([T0, T0, T0 - 1])))
    tick = core.tick()
    frame = decode(core.positions_frame(tick.tracks))
    assert frame.columns["track"].tolist() == [200]
    assert frame.columns["xyz"].tolist() == [[1.0, 2.0, 3.0]]
    assert frame.columns["node"].tolist() == [9]
    assert core.tracks.dropped == 1
    assert wait(core, clock, 11).tracks.tolist() == [200]
    assert core.tracks.present().size == 0
    events.close()


@pytest.mark.parametrize("accuracy", [0.0, 2.0])
def test_whoever_is_silent_for_a_day_is_forgotten_and_the_pages_are_told(core: LiveCore, clock: HandClock,
                                                                       accuracy: float) -> None:
    def fix(track: int, x: float) -> Positions:
        return Positions(np.array([track], np.uint32), np.array([[x, 2.0, 3.0]]), np.zeros(1, np.float32),
                         np.array([clock.time]), np.array([accuracy], np.float32))

    core.move(fix(0, 1.0))
    core.tick()
    clock.time += 20_000
    core.move(fix(1, 5.0))
    core.tick()
    wait(core, clock, 66_300)
    assert decode(core.snapshot()[1]).columns["track"].tolist() == [0, 1], "lost, and still shown where they were"
    tick = wait(core, clock, 200)
    told = decode(core.positions_frame(tick.tracks))
    assert told.columns["track"].tolist() == [0]
    assert np.isnan(told.columns["xyz"]).all()
    assert decode(core.snapshot()[1]).columns["track"].tolist() == [1]
    kept = [core.tracks.xyz, core.steadier._shown, core.steadier._kalman.xyz]
    assert not any((np.abs(places[:1]) > 0).any() for places in kept), "no place of theirs is left in memory"
    assert core.watch._last.keys() == {1}
    core.move(fix(0, 7.0))
    core.tick()
    assert decode(core.snapshot()[1]).columns["xyz"][0].tolist() == [7.0, 2.0, 3.0]


def test_with_the_database_away_alarms_wait_and_no_command_leaves(core: LiveCore, clock: HandClock) -> None:
    say(core, clock, gate_1__state="closed")
    core.tick()
    order_open(core)
    with core.events.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE trail RENAME TO away")
    say(core, clock, smoke_1__state="alarm")
    tick = wait(core, clock, 0.1)
    assert [alarm.key for alarm in tick.alarms] == ["smoke-1.fire"]
    assert (tick.orders, core.events.live_alarms()) == ((), [])
    with pytest.raises(StoreDown):
        core.request(device="gate-1", key="close", args={}, by="li", role="operator", idempotency_key="k9")
    with core.events.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO trail")
    back = wait(core, clock, 0.1)
    assert [order.key for order in back.orders] == ["open"]
    assert [alarm.key for alarm in core.events.live_alarms()] == ["smoke-1.fire"]
    assert {entry.what for entry in back.trail} == {"alarm.raised", "command.sent"}
    assert core.events.verify() == []


def test_a_flood_of_alarms_is_written_whole(tmp_path: Path, clock: HandClock) -> None:
    devices = [Device(id=f"s{n}", kind="smoke", name="") for n in range(2000)]
    points = PointTable(devices, load_packs().kinds)
    events = EventStore.at(tmp_path / "flood.db")
    core = LiveCore(points, events, clock=clock)
    slots = points.slots_of_key("state").astype(np.uint32)
    core.ingest(Readings(slots, np.ones(2000), np.zeros(2000, np.uint8), np.full(2000, T0)))
    assert len(core.tick().alarms) == 2000
    assert len(events.live_alarms()) == 2000
    assert events.verify() == []
    events.close()
