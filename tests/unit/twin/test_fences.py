"""Fences against an oracle by hand: boxes clipped exactly, however thin, whatever was jumped between two fixes."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twin.events import EventStore
from twin.fences import Fence, FenceError, FenceFiles, Placed, check, read_declared
from twin.live.core import LiveCore
from twin.live.fences import FenceWatch
from twin.packs import Response
from twin.ports import Positions, TrackInfo
from twin.registry import PointTable
from twin.shared.papers import Paper

ANSWER = Response(owner="Guard", owner_zh="安保", steps=("Go there",), steps_zh=("到场",), deadline_mins=5)
Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
At = tuple[float, float, float]


def fence(rule: str, **more: object) -> Fence:
    return Fence(id=rule, name=rule, rule=rule, response=ANSWER, ring=((0, 0), (1, 0), (1, 1)), **more)  # type: ignore[arg-type]


def stand(rule: str, box: Box, **more: object) -> Placed:
    (x0, x1), (y0, y1), (z0, z1) = box
    return Placed(fence(rule, **more), shapely.box(x0, y0, x1, y1), z0, z1, 0)


def fix(time: float, at: At, track: int = 0) -> Positions:
    return Positions(np.array([track], np.uint32), np.array([at], float), np.zeros(1, np.float32), np.array([time]))


def is_in(box: Box, at: At) -> bool:
    return all(low <= v <= high for (low, high), v in zip(box, at, strict=True))


def meets(box: Box, a: At, b: At) -> bool:
    """Liang and Barsky's clip of a segment by a box, in fractions."""
    low, high = Fraction(0), Fraction(1)
    for (edge0, edge1), p, q in zip(box, a, b, strict=True):
        start, step = Fraction(p), Fraction(q) - Fraction(p)
        if step == 0:
            if not edge0 <= p <= edge1:
                return False
            continue
        t0, t1 = sorted(((Fraction(edge0) - start) / step, (Fraction(edge1) - start) / step))
        low, high = max(low, t0), min(high, t1)
    return low <= high


def oracle(rule: str, box: Box, walk: list[At], mins: float) -> list[tuple[float, bool]]:
    """What should come and go; fixes are 10 s apart."""
    told: list[tuple[float, bool]] = []
    on, since, was = False, 0.0, is_in(box, walk[0])
    for k, here in enumerate(walk):
        time, before = 10.0 * k, walk[max(k - 1, 0)]
        now, touched = is_in(box, here), meets(box, before, here)
        entered, left = k > 0 and touched and not was, k > 0 and touched and not now
        if rule == "cross":
            if entered or left:
                told += [(time, True), (time, False)]
        else:
            if now and (not was or k == 0):
                since = time
            comes = {"enter": entered, "leave": left, "dwell": now and time - since >= mins * 60, "forbidden": touched}[rule]
            goes = now if rule == "leave" else not now
            if comes and not on:
                on = True
                told.append((time, True))
            if goes and on:
                on = False
                told.append((time, False))
        was = now
    return told


quarter = st.integers(-24, 24).map(lambda n: n / 4)
points = st.tuples(quarter, quarter, st.integers(-4, 12).map(lambda n: n / 4))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y, z = draw(quarter), draw(quarter), draw(st.integers(-4, 8).map(lambda n: n / 4))
    wide = st.sampled_from([0.25, 0.5, 2.0, 8.0])
    return (x, x + draw(wide)), (y, y + draw(wide)), (z, z + draw(wide))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["enter", "leave", "cross", "dwell", "forbidden"]), boxes(), st.lists(points, min_size=2, max_size=25))
@example("enter", ((0.0, 8.0), (-2.5, -2.25), (0.75, 1.0)), [(5.25, -3.0, 1.25), (0.0, -1.25, -0.5)])  # at one point
def test_any_walk_raises_what_the_oracle_says_even_through_a_fence_jumped_between_two_fixes(
        rule: str, box: Box, walk: list[At]) -> None:
    watch = FenceWatch([stand(rule, box, mins=0.4, except_roles=("nobody",))])
    told = [(e.time, e.is_on) for k, at in enumerate(walk) for e in watch.step(fix(10.0 * k, at))]
    assert told == oracle(rule, box, walk, 0.4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), points), min_size=1, max_size=40), boxes())
def test_many_tracks_in_one_batch_are_judged_as_each_alone(moves: list[tuple[int, At]], box: Box) -> None:
    whole = Positions(np.array([t for t, _ in moves], np.uint32), np.array([at for _, at in moves], float),
                      np.zeros(len(moves), np.float32), 10.0 * np.arange(len(moves)))
    together = FenceWatch([stand("enter", box)]).step(whole)
    for track in range(4):
        alone = FenceWatch([stand("enter", box)])
        own = [e for k, (t, at) in enumerate(moves) if t == track for e in alone.step(fix(10.0 * k, at, track))]
        assert [e for e in together if e.track == track] == own


def test_a_line_is_crossed_between_two_fixes_and_not_after_a_silence() -> None:
    line = Placed(Fence(id="l", name="l", rule="cross", response=ANSWER, line=((0, -5), (0, 5))),
                  shapely.LineString([(0, -5), (0, 5)]), -np.inf, np.inf, 0)
    watch = FenceWatch([line])
    watch.step(fix(0, (-3, 0, 0)))
    assert [e.is_on for e in watch.step(fix(1, (3, 1, 0)))] == [True, False]
    assert watch.step(fix(500, (-3, 0, 0))) == []


def test_hours_over_midnight_and_roles_decide() -> None:
    night = stand("forbidden", ((0, 1), (0, 1), (-1, 9)), hours=("22:00", "06:00"), except_roles=("guard",))
    people = [TrackInfo(i=k, id=f"p{k}", kind="person", name="", name_zh="", role=role)
              for k, role in enumerate(("guard", "guest"))]
    for minute, comes in ((23 * 60, True), (5 * 60, True), (12 * 60, False)):
        watch = FenceWatch([night], people, minute=lambda time, at=minute: at)
        assert watch.step(fix(1, (0.5, 0.5, 0), track=0)) == []
        assert [e.is_on for e in watch.step(fix(1, (0.5, 0.5, 0), track=1))] == ([True] if comes else [])


@pytest.mark.parametrize(("more", "says"), [
    ({"response": Response(owner="", owner_zh="", steps=(), steps_zh=(), deadline_mins=5)}, "nobody answers"),
    ({"ring": ((0, 0), (1, 1), (1, 0), (0, 1))}, "crosses itself"), ({"ring": ((0, 0), (1, 1))}, "too few corners"),
    ({"rule": "dwell"}, "needs mins"), ({"rule": "forbidden"}, "hours or roles"), ({"node": "a1"}, "exactly one"),
    ({"hours": ("25:00", "06:00")}, "no times"), ({"id": "a b"}, "other signs"), ({"kinds": ()}, "for nobody"),
])
def test_a_fence_that_does_not_hold_together_is_refused(more: dict[str, object], says: str) -> None:
    whole = {"id": "f", "name": "F", "rule": "enter", "response": ANSWER, "ring": ((0, 0), (1, 0), (1, 1)), **more}
    with pytest.raises(FenceError) as caught:
        check(Fence(**whole))  # type: ignore[arg-type]
    assert says in f"{caught.value}"


def test_a_declared_file_keeps_the_sound_ones_and_drawn_ones_outlive_a_restart(tmp_path: Path) -> None:
    text = ('[[fence]]\nid = "ok"\nname = "Ok"\nrule = "enter"\nring = [[0,0],[4,0],[4,4]]\n'
            'response = { owner = "G", owner_zh = "安", steps = ["go"], steps_zh = ["去"], deadline_mins = 5 }\n'
            '[[fence]]\nid = "mute"\nname = "Mute"\nrule = "enter"\nring = [[0,0],[4,0],[4,4]]\n')
    (tmp_path / "fences.toml").write_text(text, "utf-8")
    kept, findings = read_declared(tmp_path / "fences.toml")
    assert [f.id for f in kept] == ["ok"]
    assert "response" in findings[0].what
    FenceFiles(tmp_path / "fences.toml", Paper(tmp_path / "drawn.json")).add(fence("enter"))
    again = FenceFiles(tmp_path / "fences.toml", Paper(tmp_path / "drawn.json"))
    assert [f.id for f in again.all()] == ["ok", "enter"]
    with pytest.raises(FenceError, match="exists already"):
        again.add(fence("enter"))
    with pytest.raises(FenceError, match=r"declared in fences\.toml"):
        again.remove("ok")


def test_the_core_raises_a_fence_alarm_with_its_response_and_remembers_it(tmp_path: Path) -> None:
    events = EventStore.at(tmp_path / "events.sqlite", b"secret")
    people = [TrackInfo(i=0, id="v-1", kind="person", name="V", name_zh="访", role="visitor")]
    core = LiveCore(PointTable([], {}), events)
    core.watch_tracks(people, [stand("enter", ((0, 1), (0, 1), (-1, 9)))])
    for time, x in ((1000.0, -2.0), (1001.0, 0.5)):
        core.move(fix(time, (x, 0.5, 0)))
        core.tick(time)
    alarm = core.alarms()[0]
    assert (alarm.state, alarm.owner_zh, alarm.device) == ("unacknowledged", "安保", "fence:enter")
    assert "visitor v-1" in alarm.title
    again = LiveCore(PointTable([], {}), events)
    again.watch_tracks(people, [stand("enter", ((0, 1), (0, 1), (-1, 9)))])
    assert [a.id for a in again.alarms()] == [alarm.id]
    for time, x in ((1010.0, 0.5), (1011.0, 5.0)):
        again.move(fix(time, (x, 0.5, 0)))
        again.tick(time)
    assert again.alarms()[0].state == "returned"
    again.place_fences([])
    assert again.alarms()[0].priority == 4


# ---- fences of any simple outline: an oracle in fractions of its own, checked against shapely's predicates ----------------
flat = st.tuples(quarter, quarter, st.just(0.0))
Ring = list[tuple[float, float]]
DIRECTIONS = ((2, 0), (2, 1), (1, 2), (0, 2), (-1, 2), (-2, 1), (-2, 0), (-2, -1), (-1, -2), (0, -2), (1, -2), (2, -1))


@st.composite
def rings_and_walks(draw: st.DrawFn, most: int = 25) -> tuple[Ring, list[At]]:
    """A star about a middle, mostly concave, never crossing itself: corners in turn on twelve rays; and a walk that is
    often in its arms, so that ways leave it and come back."""
    x, y = draw(quarter), draw(quarter)
    reach = draw(st.lists(st.sampled_from([0, 1, 1, 2, 8, 8]), min_size=12, max_size=12).filter(lambda r: _goes_round(r)))
    arms = [(dx * r / 4, dy * r / 4) for (dx, dy), r in zip(DIRECTIONS, reach, strict=True) if r]
    in_arm = st.tuples(st.sampled_from(arms), st.sampled_from([0.5, 0.75, 1.0, 1.25])).map(
        lambda at: (x + at[0][0] * at[1], y + at[0][1] * at[1], 0.0))
    walk = draw(st.lists(st.one_of(in_arm, in_arm, flat), min_size=2, max_size=most))
    return [(x + dx, y + dy) for dx, dy in arms], walk


def _goes_round(reach: list[int]) -> bool:
    """No gap of half a turn: the middle is inside, so the outline is simple."""
    used = [k for k, r in enumerate(reach) if r]
    return len(used) > 2 and all((b - a) % 12 < 6 for a, b in zip(used, [*used[1:], used[0]], strict=True))


def _cross(ax: Fraction, ay: Fraction, bx: Fraction, by: Fraction) -> Fraction:
    return ax * by - ay * bx


def in_ring(ring: Ring, x: Fraction, y: Fraction) -> bool:
    """Even-odd, the edge included."""
    inside = False
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        px, py, qx, qy = Fraction(ax), Fraction(ay), Fraction(bx), Fraction(by)
        side = _cross(qx - px, qy - py, x - px, y - py)
        if side == 0 and min(px, qx) <= x <= max(px, qx) and min(py, qy) <= y <= max(py, qy):
            return True
        if (py > y) != (qy > y) and (side > 0) == (qy > py):
            inside = not inside
    return inside


def stretches(ring: Ring, a: At, b: At) -> tuple[bool, bool]:
    """Whether a way touches the ring at all, and whether it is in it all along: cut at every edge, judged in between."""
    ax, ay, dx, dy = Fraction(a[0]), Fraction(a[1]), Fraction(b[0]) - Fraction(a[0]), Fraction(b[1]) - Fraction(a[1])
    cuts = {Fraction(0), Fraction(1)}
    touched = in_ring(ring, ax, ay)
    for (px, py), (qx, qy) in zip(ring, [*ring[1:], ring[0]], strict=True):
        ex, ey, wx, wy = Fraction(qx) - Fraction(px), Fraction(qy) - Fraction(py), Fraction(px) - ax, Fraction(py) - ay
        turn = _cross(dx, dy, ex, ey)
        if turn != 0:
            t, u = _cross(wx, wy, ex, ey) / turn, _cross(wx, wy, dx, dy) / turn
            if 0 <= t <= 1 and 0 <= u <= 1:
                touched = True
                cuts.add(t)
        elif (dx or dy) and _cross(wx, wy, dx, dy) == 0:  # along the edge
            long = dx * dx + dy * dy
            along = [((Fraction(x) - ax) * dx + (Fraction(y) - ay) * dy) / long for x, y in ((px, py), (qx, qy))]
            if max(along) >= 0 and min(along) <= 1:
                touched = True
                cuts |= {t for t in along if 0 <= t <= 1}
    marks = sorted(cuts)
    middles = [(s + t) / 2 for s, t in pairwise(marks)]
    return touched, all(in_ring(ring, ax + t * dx, ay + t * dy) for t in [*marks, *middles])


def ring_oracle(rule: str, ring: Ring, walk: list[At], mins: float) -> list[tuple[float, bool]]:
    """As `oracle`, for an outline a way can leave and enter again between two fixes that are both inside."""
    told: list[tuple[float, bool]] = []
    on, since, was = False, 0.0, False
    for k, here in enumerate(walk):
        time, before, is_first = 10.0 * k, walk[max(k - 1, 0)], k == 0
        now = in_ring(ring, Fraction(here[0]), Fraction(here[1]))
        touched, is_within = stretches(ring, before, here)
        out_and_back = was and now and not is_within
        entered = not is_first and ((touched and not was) or out_and_back)
        left = not is_first and ((touched and not now) or out_and_back)
        if now and (not was or out_and_back):
            since = time
        if rule == "cross":
            told += [(time, True), (time, False)] if entered or left else []
        else:
            comes = {"enter": entered, "leave": left, "dwell": now and time - since >= mins * 60, "forbidden": touched}[rule]
            if comes and not on:
                on = True
                told.append((time, True))
            if (now if rule == "leave" else not now) and on:
                on = False
                told.append((time, False))
        was = now
    return told


@settings(max_examples=300, deadline=None)
@given(rings_and_walks(most=2))
def test_the_oracle_of_rings_agrees_with_shapely(drawn: tuple[Ring, list[At]]) -> None:
    ring, (a, b) = drawn
    shape, way = shapely.Polygon(ring), shapely.LineString([a[:2], b[:2]])
    assert shape.is_valid
    touched, is_within = stretches(ring, a, b)
    assert touched == way.intersects(shape)
    assert in_ring(ring, Fraction(a[0]), Fraction(a[1])) == shape.intersects(shapely.Point(a[:2]))
    if a != b:
        assert is_within == shape.covers(way)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["enter", "leave", "cross", "dwell", "forbidden"]), rings_and_walks())
def test_any_walk_about_any_outline_raises_what_the_oracle_says(rule: str, drawn: tuple[Ring, list[At]]) -> None:
    ring, walk = drawn
    outline = Placed(fence(rule, mins=0.4, except_roles=("nobody",)), shapely.Polygon(ring), -np.inf, np.inf, 0)
    watch = FenceWatch([outline])
    told = [(e.time, e.is_on) for k, at in enumerate(walk) for e in watch.step(fix(10.0 * k, at))]
    assert told == ring_oracle(rule, ring, walk, 0.4)
