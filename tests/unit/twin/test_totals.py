"""Totals over subtrees against a sum by hand, and what a park's own files say, with line and mend."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.graph import SceneGraph
from twin.live.state import StateStore
from twin.packs import load_packs
from twin.park_points import point_table, read_own
from twin.ports import Readings
from twin.registry import Device, PointTable
from twin.wire import Quality

T0 = 1_000_000.0
KINDS = load_packs().kinds
DEVICES = [Device(id=f"L{k}", kind="lighting", name="") for k in range(4)] + [
    Device(id=f"P{k}", kind="panel", name="") for k in range(3)]
#: Device → storey; the last panel stands in no building.
AT = {"L0": "s1", "L1": "s1", "L2": "s2", "L3": "s2", "P0": "s1", "P1": "s2", "P2": "park"}
POINTS = """
[[point]]
id = "light"
name = "Lighting power"
unit = "kW"
each = "storey"
how = "sum"
of = ["lighting.power"]
[[point]]
id = "mean"
name = "Mean"
node = "b"
how = "mean"
of = ["lighting.power", "panel.load"]
[[point]]
id = "most"
name = "Most"
node = "park"
how = "max"
of = ["lighting.power"]
[[point]]
id = "least"
name = "Least"
node = "park"
how = "min"
of = ["lighting.power"]
[[point]]
id = "dead"
name = "Dead boards"
node = "park"
how = "count"
of = ["panel.supply"]
state = "dead"
[[point.alarms]]
key = "two"
rule = "high"
limit = 1
name = "Two boards dead"
name_zh = "两个配电箱失电"
priority = 1
response = { owner = "E", owner_zh = "电", deadline_mins = 5, steps = ["look"], steps_zh = ["看"] }
[[point]]
id = "worst"
name = "Worst board"
node = "b"
how = "worst"
of = ["panel.supply"]
order = ["live", "dead"]
[[point]]
id = "spread"
name = "Spread"
expr = "most - least"
inputs = { most = "most.value", least = "least.value" }
"""


def graph() -> SceneGraph:
    ids = ["", "park", "b", "s1", "s2", *AT]
    index = {name: k for k, name in enumerate(ids)}
    parents = [0, 0, 1, 2, 2, *(index[place] for place in AT.values())]
    kinds = ["none", "park", "building", "storey", "storey", *("device" for _ in AT)]
    names = np.array(ids, object)
    return SceneGraph({"id": names, "kind": np.array(kinds, object), "parent": np.array(parents, np.uint32), "name": names,
                       "name_zh": names})


def opened(root: Path, points: str = POINTS, alarms: str = "") -> tuple[PointTable, list]:
    (root / "points.toml").write_text(points, "utf-8")
    (root / "alarms.toml").write_text(alarms, "utf-8")
    found = read_own(root, KINDS, DEVICES)
    return point_table(DEVICES, found, graph()), found.findings


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> PointTable:
    made, findings = opened(tmp_path_factory.mktemp("park"))
    assert findings == []
    return made


HEARD = [f"L{k}.power" for k in range(4)] + [f"P{k}.supply" for k in range(3)] + ["P0.load", "P1.load"]
READING = st.tuples(st.sampled_from(HEARD), st.sampled_from([0.0, 1.0, 1e15, 0.1, 3.0, math.nan]) | st.floats(-1e6, 1e6),
                    st.sampled_from([0, 0, 0, 1, 2]), st.integers(-3, 3).map(float))
STEPS = st.lists(st.tuples(st.sampled_from([1, 5, 20, 60, 100]), st.lists(READING, max_size=12)), min_size=1, max_size=12)


def by_hand(store: StateStore, names: list[str], scale: dict[float, float] | None = None) -> list[float]:
    """What the members that are heard say now."""
    slots = [store.points.slot_of(name) for name in names]
    values = [float(store.value[s]) for s in slots if store.quality[s] < Quality.BAD and math.isfinite(store.value[s])]
    return [scale.get(math.trunc(v), math.nan) if scale else v for v in values if not scale or math.trunc(v) in scale]


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_every_total_is_what_one_adds_up_by_hand(table: PointTable, steps: list) -> None:
    store, now = StateStore(table), T0
    power = [name for name in HEARD if name.startswith("L")]
    checks = {
        "light@s1.value": (power[:2], sum, None), "light@s2.value": (power[2:], sum, None),
        "mean.value": ([*power, "P0.load", "P1.load"], lambda v: sum(v) / len(v), None),
        "most.value": (power, max, None), "least.value": (power, min, None),
        "dead.value": ([f"P{k}.supply" for k in range(3)], sum, {0: 1.0, 1: 0.0}),
        "worst.value": (["P0.supply", "P1.supply"], max, {0: 1.0, 1: 0.0})}
    for pause, rows in steps:
        now += pause
        rows = [(n, float(abs(v) % 2 >= 1) if "supply" in n and math.isfinite(v) else v, q, a) for n, v, q, a in rows]
        readings = Readings(*(np.array(column, kind) for column, kind in zip(
            ([table.slot_of(n) for n, *_ in rows], [v for _, v, *_ in rows], [q for *_, q, _ in rows],
             [now + a for *_, a in rows]), (np.uint32, np.float64, np.uint8, np.float64), strict=True)))
        store.apply(readings, now)
        store.sweep(now)
        for name, (members, join, scale) in checks.items():
            slot, said = table.slot_of(name), by_hand(store, members, scale)
            if said:
                assert store.value[slot] == pytest.approx(join(said), rel=1e-9, abs=1e-6), name
                assert store.quality[slot] == (Quality.GOOD if len(said) == len(members) else Quality.UNCERTAIN), name
            else:
                assert store.quality[slot] in (Quality.BAD, Quality.NEVER), name
        most, least, spread = (table.slot_of(f"{name}.value") for name in ("most", "least", "spread"))
        if store.quality[most] < Quality.BAD and store.quality[least] < Quality.BAD:
            assert store.value[spread] == pytest.approx(store.value[most] - store.value[least])


def test_a_total_raises_alarms_of_its_own(table: PointTable) -> None:
    store = StateStore(table)
    slots = [table.slot_of(f"P{k}.supply") for k in range(3)]
    store.apply(Readings(np.array(slots, np.uint32), np.array([0.0, 0.0, 1.0]), np.zeros(3, np.uint8), np.full(3, T0)), T0)
    events = store.sweep(T0)
    assert [(store.rules.keys[r], bool(on)) for r, on in zip(events.rule, events.on, strict=True)] == [("dead.two", True)]


@pytest.mark.parametrize(("entry", "says"), [
    ('id = "a b"\nname = "A"\nnode = "b"\nhow = "sum"\nof = ["panel.load"]', "other signs"),
    ('id = "a"\nname = "A"\nnode = "nowhere"\nhow = "sum"\nof = ["panel.load"]', "no place 'nowhere'"),
    ('id = "a"\nname = "A"\nnode = "b"\nhow = "sum"\nof = ["panel.nope"]', "unknown 'panel.nope'"),
    ('id = "a"\nname = "A"\nnode = "b"\nhow = "sum"\nof = ["panel.supply"]', "is no number"),
    ('id = "a"\nname = "A"\nnode = "b"\nhow = "count"\nof = ["panel.supply"]\nstate = "odd"', "counts state 'odd'"),
    ('id = "a"\nname = "A"\nnode = "b"\nhow = "worst"\nof = ["panel.supply"]', "no 'order'"),
    ('id = "a"\nname = "A"\nhow = "sum"\nof = ["panel.load"]', "'node' or 'each'"),
    ('id = "a"\nname = "A"\nexpr = "x + 1"\ninputs = { x = "no.such" }', "no point 'no.such'"),
    ('id = "a"\nname = "A"\nexpr = "x + 1"\ninputs = { x = "a.value" }', "depends on itself"),
    ('id = "a"\nname = "A"\nexpr = "y + 1"\ninputs = { x = "P0.load" }', "names 'y'"),
    ('id = "a"\nname = "A"\nnode = "b"\nhow = "sum"\nof = ["panel.load"]\nalarms = [{ key = "x" }]', "missing required"),
    ('id = "a"\nname = "A"\ncolour = 1', "colour")])
def test_a_park_point_that_does_not_hold_is_left_out_with_line_and_mend(tmp_path: Path, entry: str, says: str) -> None:
    points, findings = opened(tmp_path, f"{POINTS}\n[[point]]\n{entry}\n")
    (one,) = findings
    assert says in one.what
    assert one.where == f"points.toml:{POINTS.count(chr(10)) + 2}"
    assert one.mend
    assert points.slot_of("light@s1.value") is not None, "the rest holds"
    assert points.slot_of("a.value") is None


def test_a_park_changes_adds_and_takes_away_rules_for_a_kind_or_a_device(tmp_path: Path) -> None:
    more = """
[[rule]]
kind = "panel"
key = "overload"
limit = 80
[[rule]]
devices = ["P1"]
key = "overload"
off = true
[[rule]]
devices = ["P2"]
key = "warm"
point = "load"
rule = "rate"
limit = 50
name = "Load jumps"
name_zh = "负载突变"
priority = 3
response = { owner = "E", owner_zh = "电", deadline_mins = 5, steps = ["look"], steps_zh = ["看"] }
"""
    points, findings = opened(tmp_path, alarms=more)
    assert findings == []
    rules = StateStore(points).rules
    limits = {key: limit for key, limit in zip(rules.keys, rules.limit, strict=True) if key[0] == "P" and "load" in key}
    assert limits == {"P0.overload": 80.0, "P2.overload": 80.0}
    assert "P2.warm" in rules.keys
    assert "P0.warm" not in rules.keys
    assert KINDS["panel"].alarms[1].limit == 95, "the packs stay as they are"


@pytest.mark.parametrize(("entry", "says"), [
    ('kind = "nope"\nkey = "a"', "unknown kind 'nope'"), ('devices = ["X"]\nkey = "a"', "unknown device 'X'"),
    ('key = "a"', "for nobody"), ('kind = "panel"\nkey = "new"', "missing required field"),
    ('kind = "panel"\nkey = "overload"\npoint = "nope"', "unknown point 'nope'"),
    ('kind = "panel"\nkey = "overload"\nsuppress_when = \'supply == "odd"\'', "state 'odd'"),
    ('kind = "panel"\nkey = "none"\noff = true', "has no rule 'none'"),
    ('kind = "panel"\nkey = "overload"\nlimt = 5', "limt")])
def test_a_faulty_rule_is_one_finding_with_line_and_mend(tmp_path: Path, entry: str, says: str) -> None:
    _, findings = opened(tmp_path, alarms=f"# site rules\n\n[[rule]]\n{entry}\n")
    (one,) = findings
    assert says in one.what
    assert (one.where, bool(one.mend)) == ("alarms.toml:3", True)
