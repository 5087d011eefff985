"""The questions of the graph against plain loops over small random parks."""

from __future__ import annotations

import math
import sys
from pathlib import Path as File

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings

from twin.park_graph import NotInGraph, ParkGraph
from twin.walk import WalkGraph

sys.path.insert(0, str(File(__file__).resolve().parent))
from small_graphs import Park, cameras, parks, scene

ASKED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def names(nodes: object) -> set[str]:
    return {f"n{i}" for i in nodes}  # type: ignore[attr-defined]


def everyone(park: Park) -> range:
    return range(1, park.graph.size)


@ASKED
@given(parks())
def test_what_is_in_and_what_contains_are_one_relation(park: Park) -> None:
    graph = park.asked
    for i in everyone(park):
        inside = [j for j in everyone(park) if i in park.above(j)]
        assert set(graph.inside(f"n{i}")) == names(inside)
        assert len(graph.inside(f"n{i}")) == len(inside)
        assert set(graph.inside(f"n{i}", "device")) == names(j for j in inside if park.is_kind(j, "device"))
        assert set(graph.inside(f"n{i}", deep=False)) == names(j for j in everyone(park) if park.graph.parent[j] == i)
        assert graph.containers(f"n{i}") == [f"n{j}" for j in park.above(i)]


def one(park: Park, i: int) -> int:
    """What a device is bound to, else itself: the thing that feeds and is fed."""
    return int(park.graph.columns["element"][i]) or i


def things(park: Park, i: int) -> list[int]:
    """The devices a thing is, else itself."""
    bound = [d for d in everyone(park) if park.graph.columns["element"][d] == i]
    return bound or [i]


def fed_from(park: Park, start: int) -> set[int]:
    """Every thing reached over edges of supply, by trying all edges until nothing new comes; the start aside."""
    reached, before = {one(park, start)}, -1
    while len(reached) != before:
        before = len(reached)
        reached |= {one(park, b) for a, b in park.edges if one(park, a) in reached}
    return reached - {one(park, start)}


@ASKED
@given(parks())
def test_feeding_is_followed_to_its_end_and_back(park: Park) -> None:
    graph = park.asked
    for i in everyone(park):
        direct = {one(park, b) for a, b in park.edges if one(park, a) == one(park, i)} - {one(park, i)}
        assert set(graph.feeds(f"n{i}")) == names(t for b in direct for t in things(park, b))
        assert set(graph.feeds(f"n{i}", deep=True)) == names(t for b in fed_from(park, i) for t in things(park, b))
        back = [j for j in everyone(park) if one(park, i) in fed_from(park, j)]
        assert set(graph.fed_by(f"n{i}", deep=True)) == names(t for j in back for t in things(park, one(park, j)))
        assert len(graph.fed_by(f"n{i}", deep=True)) == len(set(graph.fed_by(f"n{i}", deep=True)))


@ASKED
@given(parks())
def test_serving_and_being_served_are_one_relation(park: Park) -> None:
    graph = park.asked
    places = [i for i in everyone(park) if park.is_kind(i, "park", "zone", "building", "storey", "space", "feature")]
    serves: dict[int, set[int]] = {}
    for i in everyone(park):
        mine = [s for s in park.systems if one(park, i) in {one(park, m) for m in s.members}]
        serves[i] = {p for p in places if p in fed_from(park, i)} | {p for s in mine for p in s.serves}
        assert set(graph.serves(f"n{i}")) == names(serves[i])
        assert {s.id for s in graph.systems(f"n{i}")} == {s.id for s in mine}
    for system in park.systems:
        by_members = {p for m in system.members for p in places if p in fed_from(park, m)}
        assert set(graph.serves(system.id)) == names(set(system.serves) | by_members)
        assert set(graph.members(system.id)) == names(t for m in system.members for t in things(park, one(park, m)))
    for place in places:
        here = {place, *park.above(place)}
        told = set(graph.served_by(f"n{place}"))
        who = {t for i in everyone(park) if serves[i] & here for t in things(park, one(park, i))} - {place}
        assert told - {s.id for s in park.systems} == names(who)
        assert told & {s.id for s in park.systems} == {s.id for s in park.systems
                                                       if set(graph.serves(s.id)) & names(here)}


@ASKED
@given(parks())
def test_near_is_the_gap_between_boxes(park: Park) -> None:
    graph, box = park.asked, park.graph.columns["bbox"]
    for i in everyone(park):
        for kind in ("device", "space"):
            want = {}
            for j in everyone(park):
                gap = math.sqrt(sum(max(box[j][k] - box[i][k + 3], box[i][k] - box[j][k + 3], 0.0) ** 2 for k in range(3)))
                if park.is_kind(j, kind) and j != i and j not in park.above(i) and gap <= 5.0:
                    want[f"n{j}"] = gap
            found = graph.near(f"n{i}", 5.0, kind)
            assert {n.id: n.metres for n in found} == pytest.approx(want)
            assert [n.metres for n in found] == sorted(n.metres for n in found)


@ASKED
@given(parks())
def test_ways_are_the_shortest_of_all_and_wheelchairs_take_no_stairs(park: Park) -> None:
    graph, walk = park.asked, park.walk
    for how, shut in (("walk", ()), ("wheelchair", ("stair",))):
        metres = np.full((len(walk), len(walk)), np.inf)
        np.fill_diagonal(metres, 0.0)
        for (a, b), length, kind in zip(walk.edge.tolist(), walk.length.tolist(), walk.edge_kind, strict=True):
            if kind not in shut:
                metres[a, b] = metres[b, a] = min(metres[a, b], max(length, 1e-6))
        for k in range(len(walk)):  # Floyd and Warshall, by hand
            metres = np.minimum(metres, metres[:, [k]] + metres[[k], :])
        for a in range(len(walk)):
            start, end = tuple(walk.xyz[a]), tuple(walk.xyz[-1])
            p, q = int(walk.nearest(np.array(start))), int(walk.nearest(np.array(end)))
            way = graph.path(start, end, how)  # type: ignore[arg-type]
            assert (way is None) == np.isinf(metres[p, q])
            if way is not None:
                assert way.metres == pytest.approx(metres[p, q], abs=1e-4)
                assert np.linalg.norm(np.diff(way.xyz, axis=0), axis=1).sum() == pytest.approx(way.metres, abs=1e-4)


@ASKED
@given(parks())
def test_who_sees_and_what_is_seen_are_one_relation(park: Park) -> None:
    graph = park.asked
    eyes = cameras(park.graph, {int(i) for i in park.graph.of_kind("space")})
    for camera, eye in eyes.items():
        x, y, _, x2, y2, _ = park.graph.columns["bbox"][eye.area]
        is_in = x <= eye.at[0] <= x2 and y <= eye.at[1] <= y2
        seen = {one.id: one.share for one in graph.sees(f"n{camera}")}
        assert f"n{eye.area}" in seen
        if is_in:  # a plain room hides nothing but what is out of range
            reach = shapely.box(x, y, x2, y2).intersection(shapely.Point(eye.at).buffer(4.0, quad_segs=180)).area
            assert seen[f"n{eye.area}"] == pytest.approx(reach / 36.0, rel=2e-2)
        for i in everyone(park):
            if park.is_kind(i, "device", "space") and i != camera:
                assert (f"n{i}" in seen) == (f"n{camera}" in graph.seen_by(f"n{i}")), (i, camera)
    for i in everyone(park):
        if park.is_kind(i, "storey"):
            rooms = {j for j in everyone(park) if park.is_kind(j, "space") and i in park.above(j)}
            assert set(graph.seen_by(f"n{i}")) == names(c for c, eye in eyes.items() if eye.area in rooms)


def tiny() -> ParkGraph:
    kinds = ["park", "building", "storey", "space", "device", "device"]
    return Park(scene(kinds, [0, 1, 2, 3, 4, 1], [(0, 0, 0, 9, 9, 9)] * 6, cls={5: "camera", 6: "gate"}), [], [],
                _line()).asked


def _line() -> WalkGraph:
    xyz = np.array([[4.5, 4.5, 0], [9, 4.5, 0], [30, 4.5, 0]])
    return WalkGraph(xyz, np.array([4, 2, 0], np.uint32), np.array(["space", "entrance", "road"], object),
                     np.array([[0, 1], [1, 2]], np.int32), np.array([4.5, 21.0]), np.array(["door", "walk"], object))


def test_building_is_entered_at_its_entrance_and_a_room_at_its_own_point() -> None:
    graph = tiny()
    assert graph.path((30, 4.5, 0), "n2").metres == 21.0  # type: ignore[union-attr]
    way = graph.path((30, 4.5, 0), "n5")
    assert way is not None
    assert (way.metres, way.passed) == (25.5, ("n2", "n4"))


def test_things_outdoors_are_reached_from_the_path_not_through_a_wall() -> None:
    graph = tiny()
    way = graph.path("n6", (30, 4.5, 0))
    assert way is not None
    assert way.metres == 21.0  # from the entrance, though the room's point is nearer


def test_classes_are_kinds_too() -> None:
    graph = tiny()
    assert graph.inside("n1", "camera") == ["n5"]
    assert [n.id for n in graph.near((0, 0, 0), 100.0, "gate")] == ["n6"]


@pytest.mark.parametrize("ask", [
    lambda g: g.inside("nobody"), lambda g: g.feeds("nobody"), lambda g: g.near("nobody", 5.0), lambda g: g.seen_by("nobody"),
    lambda g: g.path("n1", "nobody"), lambda g: g.members("nobody"), lambda g: g.near((1.0, float("nan"), 0.0), 5.0),
    lambda g: g.path("n1", "n2", "fly"), lambda g: g.near((1.0, 2.0), 5.0)])
def test_what_cannot_be_asked_is_said(ask: object) -> None:
    with pytest.raises(NotInGraph):
        ask(tiny())  # type: ignore[operator]
