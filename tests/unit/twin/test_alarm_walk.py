"""The compiled walk against a plain oracle, reading by reading, on batches made at random."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cells import PlainField, PlainPoint, PlainRule, Said

from twin.live.state import RuleEvents, StateStore
from twin.packs import AlarmRule, DeviceKind, PointSpec, Response
from twin.ports import Readings
from twin.registry import Device, PointTable
from twin.wire import Quality

T0 = 1_000_000.0
PERIOD_SECS = 5.0
DO = Response(owner="me", owner_zh="我", steps=("look",), steps_zh=("看",), deadline_mins=1)


def rule(key: str, kind: str, **more: float) -> AlarmRule:
    made = {"key": key, "point": "x", "rule": kind, "name": key, "name_zh": key, "priority": 1, "response": DO, **more}
    return AlarmRule(**made)  # type: ignore[arg-type]


RULES = (
    rule("h", "high", limit=10.0),
    rule("hd", "high", limit=10.0, hysteresis=2.0, on_delay_secs=4.0, off_delay_secs=6.0),
    rule("l", "low", limit=3.0, hysteresis=1.0, off_delay_secs=3.0),
    rule("r", "rate", limit=60.0, hysteresis=20.0),
    rule("s", "stale", on_delay_secs=2.0))
KIND = DeviceKind(id="k", name="k", name_zh="k", symbol="k", alarms=RULES,
                  points=(PointSpec(key="x", name="x", name_zh="x", period_secs=PERIOD_SECS, deadband=0.5),))
POINTS = PointTable([Device(id="d0", kind="k", name=""), Device(id="d1", kind="k", name="")], {"k": KIND})


def plain() -> PlainField:
    """The same two devices as plain objects."""
    return PlainField([PlainPoint(device, PERIOD_SECS, [PlainRule.of(spec, device) for spec in RULES])
                       for device in ("d0", "d1")], worked=[])


READING = st.tuples(
    st.integers(0, 2), st.one_of(st.sampled_from([0.0, 2.5, 3.5, 9.0, 10.0, 10.5, 14.0, math.nan, math.inf]),
                                 st.floats(-5, 20)),
    st.sampled_from([0, 0, 0, 0, 1, 2]), st.one_of(st.integers(-6, 12).map(float), st.sampled_from([400.0, math.nan])))
STEPS = st.lists(st.tuples(st.integers(0, 20), st.lists(READING, max_size=25)), min_size=1, max_size=12)


def batch(rows: list[tuple[int, float, int, float]], now: float) -> Readings:
    slot, value, quality, ahead = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return Readings(np.array(slot, np.uint32), np.array(value, np.float64), np.array(quality, np.uint8),
                    now + np.array(ahead, np.float64))


def named(store: StateStore, events: RuleEvents) -> list[Said]:
    return [(store.rules.keys[r], bool(on), float(t)) for r, on, t in
            zip(events.rule, events.on, events.time, strict=True)]


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_the_walk_sees_every_transition_the_plain_oracle_sees(steps: list) -> None:
    store, oracle, now = StateStore(POINTS), plain(), T0
    for pause, rows in steps:
        now += pause
        got = named(store, store.apply(batch(rows, now), now).events) + named(store, store.sweep(now))
        expected: list[Said] = []
        for slot, value, quality, ahead in rows:
            if slot < 2:
                oracle.read(slot, value, quality, now + ahead, now, expected)
        oracle.wait(now, expected)
        assert got == expected
        np.testing.assert_array_equal(store.value, [point.value for point in oracle.heard])
        np.testing.assert_array_equal(store.quality, [point.quality for point in oracle.heard])


@settings(max_examples=100, deadline=None)
@given(st.lists(READING, max_size=60), st.data())
def test_how_readings_are_cut_into_batches_changes_nothing(rows: list, data: st.DataObject) -> None:
    whole, cut = StateStore(POINTS), StateStore(POINTS)
    expected = named(whole, whole.apply(batch(rows, T0), T0).events)
    edges = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    got = []
    for start, end in zip([0, *edges], [*edges, len(rows)], strict=True):
        got += named(cut, cut.apply(batch(rows[start:end], T0), T0).events)
    assert got == expected
    assert cut.counts == whole.counts


def feed(store: StateStore, *rows: tuple[float, float], quality: int = 0, now: float | None = None) -> list:
    events = store.apply(batch([(0, value, quality, time) for time, value in rows], T0), T0 if now is None else now)
    return [(key.split(".")[1], on, time - T0) for key, on, time in named(store, events.events) if ".hd" in key]


def test_bad_quality_holds_a_running_delay_and_neither_resets_nor_runs_it() -> None:
    store = StateStore(POINTS)
    assert feed(store, (0.0, 20.0)) == []
    assert feed(store, (3.0, 20.0), quality=2) == []   # 3 s have run
    assert feed(store, (9.0, 20.0)) == []              # bad time does not count
    assert feed(store, (9.9, 20.0)) == []
    assert feed(store, (10.0, 20.0)) == [("hd", True, 10.0)]


def test_more_events_than_the_buffer_holds_are_all_kept() -> None:
    store = StateStore(POINTS)
    n = 6000
    rows = Readings(np.zeros(n, np.uint32), np.where(np.arange(n) % 2, 5.0, 20.0), np.zeros(n, np.uint8),
                    T0 + np.arange(n) * 0.01)
    events = named(store, store.apply(rows, T0).events)
    assert sum(key == "d0.h" for key, _, _ in events) == n


def test_a_reading_from_the_future_or_the_past_is_counted_by_its_reason() -> None:
    store = StateStore(POINTS)
    store.apply(batch([(0, 1.0, 0, 0.0), (0, 2.0, 0, 0.0), (0, 3.0, 0, -1.0), (0, 4.0, 0, 301.0), (9, 1.0, 0, 0.0),
                       (0, 1.0, 0, math.nan), (1, math.nan, 0, 0.0), (1, 5.0, 0, 8.0)], T0), T0)
    assert store.counts == {"unknown_slot": 1, "no_time": 1, "future": 1, "older": 1, "repeated": 1, "not_a_number": 1,
                            "ahead": 1, "taken": 3, "derived": 0}
    assert store.value.tolist() == [1.0, 5.0]
    assert store.quality.tolist() == [Quality.GOOD, Quality.UNCERTAIN]


def test_small_changes_stay_quiet_and_every_second_period_gives_a_sign_of_life() -> None:
    store = StateStore(POINTS)
    passed = [bool(store.apply(batch([(0, value, 0, time)], T0), T0).passed[0])
              for time, value in [(0.0, 5.0), (1.0, 5.4), (2.0, 5.6), (3.0, 5.2), (12.0, 5.3)]]
    assert passed == [True, False, True, False, True]
    assert store.value[0] == 5.3
