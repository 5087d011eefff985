"""What the simulated devices say: by the hour, by command, in incidents; the same for the same seed and instants."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hand_clock import HandClock

from assets.demo.registry import write_devices
from connectors.simulator import Simulator
from connectors.simulator.publisher import telemetry_of
from twin.packs import load_packs
from twin.ports import CommandAck, CommandOrder
from twin.registry import PointTable, read_registry
from twin.wire import Quality

MONDAY = 1_795_363_200.0  # 2026-11-23 00:00 in Hangzhou


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> PointTable:
    path = tmp_path_factory.mktemp("registry") / "devices.csv"
    write_devices(path)
    packs = load_packs()
    return PointTable(read_registry(path, packs).devices, packs.kinds)


def at_hour(points: PointTable, hour: float, seed: int = 7) -> Simulator:
    clock = HandClock(MONDAY + hour * 3600)
    simulator = Simulator(points, clock=clock, seed=seed)
    simulator.step(clock.time)
    return simulator


def read(simulator: Simulator, point_id: str) -> float:
    slot = simulator.points.slot_of(point_id)
    assert slot is not None, point_id
    return float(simulator.behaviours.value[slot])


def run(simulator: Simulator, secs: float, every: float = 1.0) -> list[CommandAck]:
    acks: list[CommandAck] = []
    for _ in range(int(secs / every)):
        simulator.clock.time += every  # type: ignore[attr-defined]
        acks.extend(simulator.step(simulator.clock.now()).acks)
    return acks


def test_same_seed_and_instants_give_the_same_field(points: PointTable) -> None:
    one, two = at_hour(points, 10), at_hour(points, 10)
    for k in range(1, 20):
        a, b = one.step(MONDAY + 36_000 + k), two.step(MONDAY + 36_000 + k)
        assert np.array_equal(a.readings.slot, b.readings.slot)
        assert np.array_equal(a.readings.value, b.readings.value)


def test_another_seed_gives_another_field(points: PointTable) -> None:
    assert not np.array_equal(at_hour(points, 10).behaviours.value, at_hour(points, 10, seed=8).behaviours.value)


def test_energy_follows_the_hour(points: PointTable) -> None:
    night, noon = at_hour(points, 3), at_hour(points, 14)
    assert read(noon, "PARK-MTR-00.power") > 1.5 * read(night, "PARK-MTR-00.power")
    assert read(night, "A2-PVI-01.output") == 0.0
    assert read(noon, "A2-PVI-01.output") > 3.0
    assert read(noon, "PARK-P-S.free") < read(night, "PARK-P-S.free")


def test_a_building_meter_is_the_sum_of_its_storeys_and_the_park_of_its_buildings_less_the_sun(points: PointTable) -> None:
    simulator = at_hour(points, 11)
    storeys = sum(read(simulator, f"A3-F{k}-MTR-00.power") for k in range(1, 6))
    assert read(simulator, "A3-MTR-00.power") == pytest.approx(storeys * 1.06, rel=1e-6)
    buildings = [d.id for d in points.devices if d.kind == "meter" and d.building and not d.storey]
    made = sum(read(simulator, f"{d.id}.output") for d in points.devices if d.kind == "pv_inverter")
    assert made > 50.0
    assert read(simulator, "PARK-MTR-00.power") == pytest.approx(
        sum(read(simulator, f"{b}.power") for b in buildings) - made, rel=1e-6
    )


def test_counts_are_whole_and_todays_passes_start_at_nothing(points: PointTable) -> None:
    simulator = Simulator(points)
    keys = [s.key for s in points.spec]
    counts = [k for k, key in enumerate(keys) if key in ("people", "passes", "free")]
    passes = [k for k, key in enumerate(keys) if key == "passes"]
    assert simulator.behaviours.at(MONDAY + 4 * 3600)[passes].max() == 0.0
    noon, evening = (simulator.behaviours.at(MONDAY + h * 3600).copy() for h in (12, 20))
    assert (evening[passes] > noon[passes]).all()
    assert np.array_equal(noon[counts], np.floor(noon[counts]))


def test_totals_only_grow(points: PointTable) -> None:
    simulator = Simulator(points)
    totals = points.slots_of_key("energy")
    before = np.full(len(totals), -np.inf)
    for readings in simulator.history(MONDAY, MONDAY + 2 * 86_400, 1800.0):
        now = dict(zip(readings.slot.tolist(), readings.value.tolist(), strict=True))
        values = np.array([now.get(int(s), np.inf) for s in totals])
        assert (values >= before - 1e-6).all()
        before = values


def test_every_point_reports_at_its_period_and_not_all_at_once(points: PointTable) -> None:
    simulator = at_hour(points, 9)
    seen = np.zeros(len(points), int)
    most = 0
    for k in range(1, 121):
        step = simulator.step(MONDAY + 9 * 3600 + k)
        seen[step.readings.slot] += 1
        most = max(most, len(step.readings.slot))
    speaking = np.array([points.devices[i].id not in simulator.offline and not spec.is_derived
                         for i, spec in zip(points.device, points.spec, strict=True)])
    expected = 120.0 / points.period[speaking]
    assert (seen[speaking] >= np.floor(expected)).all()
    assert most < len(points) * 0.2


def test_values_stay_plausible_all_day(points: PointTable) -> None:
    is_meter = np.array([points.kind[i].id == "meter" for i in points.device])
    low = np.array([-np.inf if s.low is None or s.states else s.low for s in points.spec])
    high = np.array([len(s.states) - 0.5 if s.states else np.inf if s.high is None else s.high for s in points.spec])
    room = np.where(np.isfinite(high - low), 0.15 * (high - low), 0.0)
    simulator = Simulator(points)
    for hour in range(0, 24, 3):
        value = simulator.behaviours.at(MONDAY + hour * 3600)
        assert np.isfinite(value).all()
        wrong = ~is_meter & ((value < low - room) | (value > high + room))
        assert [points.ids[k] for k in np.flatnonzero(wrong)] == []


def test_an_ordinary_day_trips_few_alarm_limits(points: PointTable) -> None:
    simulator = at_hour(points, 14)
    over = 0
    for index, device in enumerate(points.devices):
        for rule in points.kind[index].alarms:
            value = read(simulator, f"{device.id}.{rule.point}")
            over += (rule.rule == "high" and value > rule.limit) or (rule.rule == "low" and value < rule.limit)  # type: ignore[operator]
            if rule.rule == "state":
                spec = points.kind[index].point(rule.point)
                assert spec is not None
                over += spec.states[int(value)] == rule.state
    assert over <= 6


def test_a_set_point_order_is_acknowledged_and_the_air_follows(points: PointTable) -> None:
    simulator = at_hour(points, 10)
    ahu = next(d.id for d in points.devices if d.kind == "ahu")
    before = read(simulator, f"{ahu}.supply_temp")
    spec = next(c for c in points.kind[points.device_index(ahu) or 0].commands if "supply_setpoint" in c.sets)
    order = CommandOrder(id="o1", device=ahu, key=spec.key, args={spec.args[0].key: 20.0}, expires=simulator.clock.now() + 60)
    asyncio.run(simulator.send(order))
    acks = run(simulator, 10)
    assert [(a.id, a.accepted) for a in acks] == [("o1", True)]
    assert read(simulator, f"{ahu}.supply_setpoint") == 20.0
    run(simulator, 900, 5.0)
    assert read(simulator, f"{ahu}.supply_temp") > before + 2.5


def test_a_gate_moves_before_it_is_open(points: PointTable) -> None:
    simulator = at_hour(points, 3)
    states = points.spec[points.slot_of("GATE-MAIN-IN.state") or 0].states
    asyncio.run(
        simulator.send(CommandOrder(id="g", device="GATE-MAIN-IN", key="open", args={}, expires=simulator.clock.now() + 60))
    )
    seen = []
    for _ in range(8):
        run(simulator, 1)
        seen.append(states[int(read(simulator, "GATE-MAIN-IN.state"))])
    assert "opening" in seen
    assert seen[-1] == "open"


def test_a_repeated_order_is_done_once_and_a_late_one_refused(points: PointTable) -> None:
    simulator = at_hour(points, 3)
    order = CommandOrder(id="same", device="GATE-EAST-OUT", key="open", args={}, expires=simulator.clock.now() + 60)
    asyncio.run(simulator.send(order))
    asyncio.run(simulator.send(order))
    assert [a.accepted for a in run(simulator, 6)] == [True, True]
    late = CommandOrder(id="late", device="GATE-EAST-OUT", key="close", args={}, expires=simulator.clock.now() - 1)
    asyncio.run(simulator.send(late))
    assert [a.accepted for a in run(simulator, 6)] == [False]


def test_an_offline_device_never_answers_and_never_speaks(points: PointTable) -> None:
    simulator = at_hour(points, 10)
    device = sorted(simulator.offline)[0]
    asyncio.run(simulator.send(CommandOrder(id="x", device=device, key="any", args={}, expires=simulator.clock.now() + 60)))
    assert run(simulator, 5) == []
    index = points.device_index(device)
    step = Simulator(points).step(MONDAY)
    assert index not in set(points.device[step.readings.slot].tolist())


def test_fire_trips_its_detectors_and_stopping_ends_it(points: PointTable) -> None:
    simulator = at_hour(points, 15)
    simulator.start_incident("fire")
    assert [i.key for i in simulator.incidents() if i.running] == ["fire"]
    seat = simulator._incidents.seat_of_fire()
    assert seat is not None
    assert (seat.building, seat.storey) == ("a3", "3F")
    run(simulator, 240, 2.0)
    kind = points.kind[points.device_index(seat.id) or 0]
    limit = next(r.limit for r in kind.alarms if r.point == "obscuration")
    assert limit is not None
    assert read(simulator, f"{seat.id}.obscuration") > limit
    assert read(simulator, f"{seat.id}.state") == kind.points[0].states.index("alarm")
    assert read(simulator, f"{seat.id}.temp") > 60
    alarms = [d.id for d in points.devices if d.kind == "smoke" and read(simulator, f"{d.id}.state") == 1.0]
    assert 2 <= len(alarms) <= 8
    simulator.stop_incident("fire")
    run(simulator, 3)
    assert read(simulator, f"{seat.id}.state") == 0.0
    assert read(simulator, f"{seat.id}.temp") < 40


def test_chiller_failure_warms_the_water_past_its_limit_and_then_the_rooms(points: PointTable) -> None:
    simulator = at_hour(points, 15)
    fan = next(d.id for d in points.devices if d.kind == "fcu" and d.building == "a3")
    room = read(simulator, f"{fan}.room_temp")
    simulator.start_incident("chiller")
    run(simulator, 1500, 5.0)
    assert read(simulator, "B3-F1-CH-01.status") == 2.0
    assert read(simulator, "B3-F1-CH-01.supply_temp") > 12.0
    assert read(simulator, f"{fan}.room_temp") > room + 2.0


def test_intrusion_trips_the_fence_and_forces_a_door(points: PointTable) -> None:
    simulator = at_hour(points, 2)
    simulator.start_incident("intrusion")
    run(simulator, 90)
    pair = simulator._incidents.breach()
    assert pair is not None
    assert read(simulator, f"{pair[0].id}.state") == 1.0
    door = points.spec[points.slot_of(f"{pair[1].id}.state") or 0]
    assert door.states[int(read(simulator, f"{pair[1].id}.state"))] == "forced"
    with pytest.raises(KeyError):
        simulator.start_incident("flood")


def test_telemetry_on_the_wire_carries_states_by_name_and_bad_values_as_null(points: PointTable) -> None:
    simulator = at_hour(points, 10)
    readings = Simulator(points).step(MONDAY + 36_000).readings
    batch = telemetry_of(simulator, readings)
    assert batch["B3-F1-CH-01"]["status"] == "run"
    assert isinstance(batch["PARK-MTR-00"]["power"], float)
    bad = points.devices[points.device[readings.slot[readings.quality == Quality.BAD][0]]].id
    assert set(batch[bad].values()) == {None}


def test_history_is_whole_instants_oldest_first(points: PointTable) -> None:
    batches = list(Simulator(points).history(MONDAY, MONDAY + 7200, 600.0))
    assert len(batches) == 12
    assert all((b.source_time == b.source_time[0]).all() for b in batches)
    assert [b.source_time[0] for b in batches] == sorted(b.source_time[0] for b in batches)


def test_a_past_told_at_once_is_the_past_told_instant_by_instant(points: PointTable) -> None:
    counters = np.array([slot for slot, spec in enumerate(points.spec) if spec.key == "energy"][::7])
    powers = np.array([slot for slot, spec in enumerate(points.spec) if spec.key == "power"][::7])
    times = MONDAY + np.arange(0, 3 * 86_400, 5_431.0)
    simulator = at_hour(points, 10)
    present = simulator.behaviours.value.copy()
    both = simulator.past(np.concatenate([counters, powers]), times)  # powers have noise: these go instant by instant
    assert np.array_equal(simulator.past(counters, times), both[:, : len(counters)])
    assert len(counters) > 20
    assert (np.diff(both[:, : len(counters)], axis=0) > 0).any(), "they count"
    assert np.array_equal(simulator.behaviours.value, present), "the present is left alone"
