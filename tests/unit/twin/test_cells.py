"""Derived points, deviation and expression rules, suppression by design: the compiled walk against plain objects."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_cells import PlainField, PlainPoint, PlainRule, Said

from twin.expressions import ExpressionError, compile_expression
from twin.live import kernel
from twin.live.state import RuleEvents, StateStore
from twin.packs import AlarmRule, DeviceKind, PointSpec, Response
from twin.ports import Readings
from twin.registry import Device, PointTable
from twin.wire import Quality

T0 = 1_000_000.0
DO = Response(owner="me", owner_zh="我", steps=("look",), steps_zh=("看",), deadline_mins=1)


def point(key: str, **more: object) -> PointSpec:
    return PointSpec(**{"key": key, "name": key, "name_zh": key, "period_secs": 5.0, **more})  # type: ignore[arg-type]


def rule(key: str, on: str, kind: str, **more: object) -> AlarmRule:
    made = {"key": key, "point": on, "rule": kind, "name": key, "name_zh": key, "priority": 1, "response": DO, **more}
    return AlarmRule(**made)  # type: ignore[arg-type]


STATES = ("off", "run", "fault")
KIND = DeviceKind(
    id="k", name="k", name_zh="k", symbol="k",
    points=(point("twice", expr='diff * 2 if s == "run" else 0'), point("x"), point("y", period_secs=7.0),
            point("s", type="state", states=STATES), point("diff", expr="x - y", deadband=0.5)),
    alarms=(
        rule("far", "x", "deviation", against="y", limit=5.0, hysteresis=1.0, on_delay_secs=3.0),
        rule("both", "x", "expression", when='x > 10 and s == "run"', off_delay_secs=2.0),
        rule("ratio", "x", "expression", when="x / y > 2"),
        rule("big", "twice", "high", limit=8.0, hysteresis=2.0, on_delay_secs=2.0),
        rule("fast", "diff", "rate", limit=60.0),
        rule("gone", "diff", "stale", on_delay_secs=2.0),
        rule("hot", "x", "high", limit=10.0, suppress_when='s in ("off", "fault")', suppress_off_delay_secs=4.0)))
POINTS = PointTable([Device(id="d0", kind="k", name=""), Device(id="d1", kind="k", name="")], {"k": KIND})
HEARD = [1, 2, 3, 6, 7, 8]  # slots of x, y, s of both devices


def plain() -> PlainField:
    """The same two devices as plain objects; worked-out points by how deep they lie, then as the walk numbers them."""
    heard, shallow, hidden, deep = [], [], [], []
    for name in ("d0", "d1"):
        specs = {r.key: PlainRule.of(r, name) for r in KIND.alarms}
        silencer = PlainRule(f"{name}.hot\0", "true", off_delay=4.0)
        x, y, s = PlainPoint(f"{name}.x", 5.0, [specs["hot"]]), PlainPoint(f"{name}.y", 7.0), PlainPoint(f"{name}.s", 5.0)
        diff = PlainPoint(f"{name}.diff", 7.0, [specs["fast"], specs["gone"]], [x, y], lambda a, b: a - b)
        heard += [x, y, s]
        shallow.append(diff)
        hidden += [PlainPoint("", 7.0, [specs["far"]], [x, y], lambda a, b: a - b),
                   PlainPoint("", 5.0, [specs["both"]], [x, s], lambda a, b: a > 10 and b == 1),
                   PlainPoint("", 7.0, [specs["ratio"]], [x, y], lambda a, b: a / b > 2),
                   PlainPoint("", 5.0, [silencer], [s], lambda a: a in (0, 2))]
        deep.append(PlainPoint(f"{name}.twice", 7.0, [specs["big"]], [diff, s], lambda a, b: a * 2 if b == 1 else 0.0))
    return PlainField(heard, [*shallow, *hidden, *deep])


VALUE = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 4.0, 5.0, 10.5, 14.0, 20.0, math.nan]), st.floats(-5, 25))
READING = st.tuples(st.integers(0, 5), VALUE, st.sampled_from([0, 0, 0, 0, 0, 1, 2]), st.integers(-6, 12).map(float))
STEPS = st.lists(st.tuples(st.integers(0, 25), st.lists(READING, max_size=25)), min_size=1, max_size=10)


def batch(rows: list[tuple[int, float, int, float]], now: float) -> Readings:
    slot, value, quality, ahead = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return Readings(np.array([HEARD[k] for k in slot], np.uint32), np.array(value, np.float64), np.array(quality, np.uint8),
                    now + np.array(ahead, np.float64))


def named(store: StateStore, events: RuleEvents) -> list[Said]:
    return [(store.rules.keys[r], bool(on), float(t)) for r, on, t in zip(events.rule, events.on, events.time, strict=True)]


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_what_is_worked_out_agrees_with_plain_objects_reading_by_reading(steps: list) -> None:
    store, field, now = StateStore(POINTS), plain(), T0
    for pause, rows in steps:
        rows = [(k, math.floor(abs(v)) % 3 if k in (2, 5) and math.isfinite(v) else v, q, a) for k, v, q, a in rows]
        now += pause
        got = named(store, store.apply(batch(rows, now), now).events)
        expected: list[Said] = []
        for at, value, quality, ahead in rows:
            field.read(at, value, quality, now + ahead, now, expected)
        field.batch_over(now, expected)
        assert got == expected
        got, expected = named(store, store.sweep(now)), []
        field.wait(now, expected)
        assert got == expected
        worked = {one.name: one for one in [*field.heard, *field.worked] if one.name}
        for slot, name in enumerate(POINTS.ids):
            assert store.quality[slot] == worked[name].quality, name
            np.testing.assert_equal(store.value[slot], worked[name].value)
        silent = [store.rules.keys[r] for r in np.flatnonzero(store.suppressed())]
        assert silent == [r.key[:-1] for one in field.worked for r in one.rules if r.key.endswith("\0") and r.active]


def test_a_message_is_never_mixed_with_what_was_said_before() -> None:
    """x and y rise together in one message: their difference never leaves its band, so nothing is raised."""
    store = StateStore(POINTS)
    store.apply(batch([(0, 20.0, 0, 0.0), (1, 19.0, 0, 0.0)], T0), T0)
    found = store.apply(batch([(0, 90.0, 0, 1.0), (1, 89.0, 0, 1.0), (0, 20.0, 0, 2.0), (1, 19.0, 0, 2.0)], T0), T0)
    assert [key for key, _, _ in named(store, found.events) if "far" in key or "fast" in key] == []
    assert store.value[POINTS.slot_of("d0.diff")] == 1.0


def test_more_events_than_the_buffer_holds_are_all_kept_also_of_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.live.state.EVENT_ROOM", 1)
    store = StateStore(POINTS)
    rows = [(k % 2 * 3, 20.0 if (k // 2) % 2 else 5.0, 0, -100.0 + k * 0.01) for k in range(4000)]
    rows[:0] = [(1, 1.0, 0, -101.0), (2, 1.0, 0, -101.0), (4, 1.0, 0, -101.0), (5, 1.0, 0, -101.0)]
    got = named(store, store.apply(batch(rows, T0), T0).events)
    assert len(got) > 2000
    monkeypatch.setattr("twin.live.state.EVENT_ROOM", 1 << 16)
    whole = StateStore(POINTS)
    assert named(whole, whole.apply(batch(rows, T0), T0).events) == got


def test_nobody_else_may_say_what_is_worked_out() -> None:
    store = StateStore(POINTS)
    slot = POINTS.slot_of("d0.diff")
    store.apply(Readings(np.array([slot], np.uint32), np.array([1.0]), np.zeros(1, np.uint8), np.array([T0])), T0)
    assert (store.counts["derived"], store.quality[slot]) == (1, Quality.NEVER)


NAMES = {"a": (), "b": (), "c": (), "s": STATES}
LEAF = st.one_of(st.sampled_from(["a", "b", "c", "2", "0.5", "0"]))


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(two, st.sampled_from(["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "and", "or"])).map(
            lambda t: f"({t[0][0]} {t[1]} {t[0][1]})"),
        inner.map(lambda e: f"(not {e})"), inner.map(lambda e: f"(-{e})"), inner.map(lambda e: f"abs({e})"),
        two.map(lambda t: f"min({t[0]}, {t[1]}, 3)"), two.map(lambda t: f"max({t[0]}, {t[1]})"),
        two.map(lambda t: f"({t[0]} if {t[1]} else a)"), two.map(lambda t: f"(0 < {t[0]} <= {t[1]})"),
        st.sampled_from(STATES).map(lambda s: f'(s == "{s}")'), st.just('(s not in ("off", "run"))'))


@settings(max_examples=300, deadline=None)
@given(st.recursive(LEAF, grown, max_leaves=8).map(lambda e: f"a * 0 + {e}"),
       st.lists(st.floats(-9, 9), min_size=3, max_size=3), st.integers(0, 2))
def test_an_expression_comes_to_what_python_says(text: str, values: list[float], state: int) -> None:
    program = compile_expression(text, NAMES)
    known = dict(zip("abc", values, strict=True), s=float(state))
    rows = np.zeros(len(program.inputs), kernel.SLOT)
    rows["value"] = [known[name] for name in program.inputs]
    got = kernel._run(np.array(program.ops, np.uint8), np.array(program.args), 0, len(program.ops),
                      np.arange(len(rows), dtype=np.int32), 0, rows, np.zeros(32))
    spelled = dict(known, s=STATES[state], abs=abs, min=min, max=max)
    try:
        plain_value = float(_truth(text, spelled))
    except ZeroDivisionError:
        plain_value = math.nan
    assert got == pytest.approx(plain_value, nan_ok=True)


def _truth(text: str, names: dict[str, object]) -> float:
    """Python's own word, with `and`, `or` as 1 or 0."""
    import ast

    class Whole(ast.NodeTransformer):
        def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
            self.generic_visit(node)
            return ast.Call(ast.Name("bool", ast.Load()), [node], [])

    tree = ast.fix_missing_locations(Whole().visit(ast.parse(text, mode="eval")))
    return eval(compile(tree, "", "eval"), {"__builtins__": {"bool": bool}}, names)


@pytest.mark.parametrize(("text", "says"), [
    ("z > 1", "names 'z'"), ('s == "on"', "state 'on'"), ('a == "off"', "state 'off'"), ("a **2", "sign"),
    ("a.b", "not allowed"),
    ("__import__('os')", "is not abs"), ("a >", "cannot be read"), ("", "1 to 500"), ("1 + 1", "depends on nothing"),
    ("lambda: a", "not allowed"), ("a if b", "cannot be read"), ("(" * 300 + "a", "cannot be read"), ("a" * 501, "1 to 500"),
    ("a+(" * 30 + "a" + ")" * 30, "too deeply"), ("a in b", "no list"), ("min(a=1)", "is not abs")])
def test_what_is_no_expression_is_told_with_its_mend(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as told:
        compile_expression(text, NAMES)
    assert says in told.value.what
    assert told.value.mend
