"""Floods under their cause or by sort and place: the columns against one alarm at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.events import EventStore
from twin.floods import EARLIER_SECS, FLOOD_SIZE, MOST_ROWS, Standing, explained_by, grouped, roots
from twin.graph import SceneGraph
from twin.live.core import LiveCore
from twin.packs import load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable

T0 = 1_700_000_000.0
#: Device → what feeds it, nearest first; 0 and 1 feed each other.
UP = {0: (1,), 1: (0,), 2: (0,), 3: (2, 0), 4: (3,), 5: (), 6: (9, 5), 7: (6,), 8: (8 - 6,), 9: ()}

ALARM = st.fixed_dictionaries({
    "rule": st.integers(0, 3), "device": st.integers(0, 9), "priority": st.integers(1, 4),
    "raised": st.integers(0, 2000).map(float), "is_active": st.booleans(), "storey": st.sampled_from([0, 11, 12]),
    "building": st.sampled_from([0, 5]), "explains": st.sampled_from([0, 0, 1, 2, 3]),
    "follows": st.sampled_from([0, 1, 2, 3])})


def standing(alarms: list[dict]) -> Standing:
    def column(name: str, kind: type = np.int64) -> np.ndarray:
        return np.array([alarm[name] for alarm in alarms], kind)

    places = np.array([[a["storey"], a["building"], 1] for a in alarms], np.int64).reshape(len(alarms), 3)
    return Standing(id=np.arange(1, len(alarms) + 1), rule=column("rule"), device=column("device"),
                    priority=column("priority"), raised=column("raised", float), is_active=column("is_active", bool),
                    places=places, explains=column("explains"), follows=column("follows"))


def plain_cause(alarms: list[dict], row: int) -> int:
    for device in UP[alarms[row]["device"]] if alarms[row]["follows"] else ():
        for k, other in enumerate(alarms):
            if other["device"] == device and other["is_active"] and other["explains"] & alarms[row]["follows"] \
                    and other["raised"] <= alarms[row]["raised"] + EARLIER_SECS:
                return k
    return -1


def plain_root(alarms: list[dict], row: int) -> int:
    seen, here = set(), plain_cause(alarms, row)
    root = here
    while here >= 0 and here not in seen:
        seen.add(here)
        root, here = here, plain_cause(alarms, here)
    return -1 if here >= 0 else root


@settings(max_examples=200, deadline=None)
@given(st.lists(ALARM, max_size=40))
def test_every_alarm_is_told_once_under_its_first_cause_or_with_its_like(alarms: list[dict]) -> None:
    now = standing(alarms)
    assert explained_by(now, UP.__getitem__).tolist() == [plain_cause(alarms, row) for row in range(len(alarms))]
    assert roots(explained_by(now, UP.__getitem__)).tolist() == [plain_root(alarms, row) for row in range(len(alarms))]
    groups = grouped(now, UP.__getitem__)
    told = [row for group in groups for row in group.rows.tolist()]
    assert len(told) == len(set(told))
    under = {row: group for group in groups for row in group.rows.tolist()}
    for row in range(len(alarms)):
        if plain_root(alarms, row) >= 0:
            assert under[row].cause == plain_root(alarms, row)
            assert under[row].rows[0] == plain_root(alarms, row)
    for group in groups:
        if group.cause < 0:
            rows = [alarms[row] for row in group.rows.tolist()]
            assert len(rows) >= FLOOD_SIZE
            assert len({a["rule"] for a in rows}) == 1
            assert all(group.node in (a["storey"], a["building"], 1) for a in rows)
            assert [(a["raised"], k) for a, k in zip(rows, group.rows, strict=True)] == sorted(
                (a["raised"], k) for a, k in zip(rows, group.rows.tolist(), strict=True))
    alone = [row for row in range(len(alarms)) if row not in under]
    for rule in range(4):
        assert sum(alarms[row]["rule"] == rule for row in alone) < FLOOD_SIZE, "a flood stood unfolded"


def test_a_hundred_thousand_alarms_are_never_more_than_fifty_rows() -> None:
    rng = np.random.default_rng(3)
    n = 100_000
    places = np.column_stack([rng.integers(2, 400, n), rng.integers(400, 460, n), np.ones(n, np.int64)])
    now = Standing(id=np.arange(n), rule=rng.integers(0, 300, n), device=rng.integers(0, 10, n),
                   priority=rng.integers(1, 5, n), raised=rng.uniform(0, 60, n), is_active=np.ones(n, bool), places=places,
                   explains=np.zeros(n, np.int64), follows=np.zeros(n, np.int64))
    groups = grouped(now, UP.__getitem__)
    told = np.concatenate([group.rows for group in groups])
    assert len(groups) + n - len(told) <= MOST_ROWS
    assert len(np.unique(told)) == len(told)


def storey_of(devices: list[str]) -> SceneGraph:
    """A park, a building and a storey with some devices on it."""
    ids = np.array(["", "park", "a1", "a1:s1", *devices], object)
    kinds = np.array(["none", "park", "building", "storey", *("device" for _ in devices)], object)
    parent = np.array([0, 0, 1, 2, *(3 for _ in devices)], np.uint32)
    return SceneGraph({"id": ids, "kind": kinds, "parent": parent, "name": ids, "name_zh": ids})


def test_a_dead_board_explains_its_hundred_lamps_and_no_fire(tmp_path: Path) -> None:
    devices = [Device(id="DB-1", kind="panel", name="Board", feeds="a1:s1"), Device(id="SMK-1", kind="smoke", name="Smoke"),
               *(Device(id=f"LGT-{k}", kind="lighting", name="") for k in range(100))]
    points = PointTable(devices, load_packs().kinds)
    events = EventStore.at(tmp_path / "events.db")
    clock = type("Clock", (), {"time": T0, "now": lambda self: self.time})()
    core = LiveCore(points, events, clock=clock, graph=storey_of([device.id for device in devices]))

    def say(*rows: tuple[str, float]) -> None:
        slots = [points.slot_of(name) for name, _ in rows]
        core.ingest(Readings(np.array(slots, np.uint32), np.array([value for _, value in rows]),
                             np.zeros(len(rows), np.uint8), np.full(len(rows), clock.time)))

    say(("DB-1.supply", 1.0), *((f"LGT-{k}.power", 0.5) for k in range(100)))
    core.tick()
    clock.time += 5
    say(("DB-1.supply", 0.0), ("SMK-1.state", 1.0))
    core.tick()
    floods = None
    for _ in range(12):
        clock.time += 10
        say(("DB-1.supply", 0.0), ("SMK-1.state", 1.0))
        floods = core.tick().floods or floods
    assert floods is not None
    (group,) = floods.groups
    assert (group.title, group.place, group.count, group.waiting, group.priority) == (
        "Distribution board without supply", "a1 · a1:s1", 101, 101, 2)
    fire = next(alarm for alarm in core.alarms() if alarm.key == "SMK-1.fire")
    assert floods.alone == [fire.id]
    assert floods.upto == max(alarm.id for alarm in core.alarms())
    assert sorted([*group.alarms, fire.id]) == sorted(alarm.id for alarm in core.alarms())
    done = core.alarm_desk.acknowledge_all(group.alarms, by="li", role="operator", now=clock.time)
    assert len(done) == 101
    clock.time += 2
    later = core.tick().floods
    assert later is not None
    assert later.groups[0].waiting == 0
    assert sum(entry.what == "alarm.acknowledged" for entry in events.trail(500)) == 101
    events.close()


def test_a_flood_lists_those_that_wait_first_and_can_be_noted_part_by_part(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.live.floods.MOST_MEMBERS", 4)
    devices = [Device(id=f"SMK-{k}", kind="smoke", name="") for k in range(9)]
    points = PointTable(devices, load_packs().kinds)
    events = EventStore.at(tmp_path / "events.db")
    clock = type("Clock", (), {"time": T0, "now": lambda self: self.time})()
    core = LiveCore(points, events, clock=clock, graph=storey_of([device.id for device in devices]))
    slots = np.array([points.slot_of(f"SMK-{k}.state") for k in range(9)], np.uint32)
    noted, left = set(), []
    for _ in range(4):
        core.ingest(Readings(slots, np.ones(9), np.zeros(9, np.uint8), np.full(9, clock.time)))
        floods = core.tick().floods
        assert floods is not None
        (group,) = floods.groups
        assert (group.count, floods.alone) == (9, [])
        left.append(group.waiting)
        noted |= {view.id for view in core.alarm_desk.acknowledge_all(group.alarms, by="li", role="operator", now=clock.time)}
        clock.time += 2
    assert left == [9, 5, 1, 0]
    assert len(noted) == 9
    events.close()
