"""Ways out on foot: by the stairs, round a fire, and the truth where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from twin.escape import escape
from twin.graph import SceneGraph
from twin.walk import WalkGraph

PARK, BUILDING, STOREY, OFFICE, CORRIDOR, LAB, DOOR, BACK = range(1, 9)


def tower() -> tuple[WalkGraph, SceneGraph]:
    """Office — corridor — lab on one storey; a lift from the office, stairs from the corridor and the lab."""
    kinds = ["none", "park", "building", "storey", "space", "space", "space", "element", "element"]
    ids = np.array(["", "park", "b", "s", "office", "corridor", "lab", "door", "back"], object)
    parent = np.array([0, 0, 1, 2, 3, 3, 3, 2, 2], np.uint32)
    graph = SceneGraph({"id": ids, "kind": np.array(kinds, object), "parent": parent})
    xyz = [[0, 0, 3], [10, 0, 3], [20, 0, 3], [10, 5, 3], [10, 5, 0], [10, 9, 0], [30, 0, 3], [30, 0, 0], [40, 0, 0],
           [0, 1, 3], [0, 1, 0]]
    node = [OFFICE, CORRIDOR, LAB, CORRIDOR, 0, DOOR, LAB, 0, BACK, OFFICE, 0]
    kind = ["space", "space", "space", "stair", "stair", "entrance", "stair", "stair", "entrance", "lift", "lift"]
    ways = [(0, 1, "door"), (1, 2, "door"), (1, 3, "walk"), (3, 4, "stair"), (4, 5, "walk"), (2, 6, "walk"), (6, 7, "stair"),
            (7, 8, "walk"), (0, 9, "walk"), (9, 10, "lift"), (10, 5, "walk")]
    at = np.array(xyz, float)
    return WalkGraph(xyz=at, node=np.array(node, np.uint32), kind=np.array(kind, object),
                     edge=np.array([w[:2] for w in ways], np.int32),
                     length=np.array([float(np.linalg.norm(at[a] - at[b])) for a, b, _ in ways]),
                     edge_kind=np.array([w[2] for w in ways], object)), graph


def test_everybody_goes_down_the_stairs_and_nobody_by_lift() -> None:
    found = escape(*tower(), STOREY, ())
    ways = {way.room: way for way in found.ways}
    assert found.shut == ()
    assert {ways[OFFICE].exit, ways[CORRIDOR].exit} == {DOOR}
    assert ways[OFFICE].metres == pytest.approx(10 + 5 + 3 + 4)
    assert ways[OFFICE].xyz[0].tolist() == [0, 0, 3]
    assert ways[OFFICE].xyz[-1].tolist() == [10, 9, 0]
    assert not any((way.xyz == [0, 1, 3]).all(axis=1).any() for way in found.ways)


def test_nobody_is_led_through_a_fire_and_those_in_it_leave_it() -> None:
    found = escape(*tower(), STOREY, {CORRIDOR})
    ways = {way.room: way for way in found.ways}
    assert ways[LAB].exit == BACK
    assert found.shut == (OFFICE,), "the office has no way but through the corridor, and is not told otherwise"
    assert ways[CORRIDOR].exit == DOOR
    assert ways[CORRIDOR].xyz[1].tolist() != [0, 0, 3]


def test_without_an_entrance_no_way_is_made_up() -> None:
    walk, graph = tower()
    shut = WalkGraph(xyz=walk.xyz, node=walk.node, kind=np.where(walk.kind == "entrance", "door", walk.kind), edge=walk.edge,
                     length=walk.length, edge_kind=walk.edge_kind)
    found = escape(shut, graph, STOREY, ())
    assert (found.ways, set(found.shut)) == ((), {OFFICE, CORRIDOR, LAB})
