"""Simulated people and vehicles keep to the walking graph, change storeys by stairs and lifts, and follow the clock."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from connectors.simulator import Simulator, Site
from connectors.simulator.routes import Routes
from twin.graph import SceneGraph
from twin.packs import load_packs
from twin.registry import Device, PointTable
from twin.walk import WalkGraph

MONDAY = 1_795_363_200.0  # 2026-11-23 00:00 in Hangzhou
STOREY_M = 4.0
ROOMS = 8


def make_graph() -> SceneGraph:
    """One building of two storeys; eight 6 × 6 m offices a storey north of a corridor, a canteen at its east end."""
    rows: list[tuple[str, str, int, str, str, tuple[float, ...]]] = [("park", "park", 0, "Park", "", (0,) * 6)]
    rows.append(("a1", "building", 1, "A1", "", (0, 0, 0, 60, 10, 8)))
    for level in range(2):
        z = level * STOREY_M
        rows.append((f"a1:s{level}", "storey", 2, f"{level + 1}F", "", (0, 0, z, 60, 10, z + 4)))
        storey = len(rows)
        for k in range(ROOMS):
            name = ("Dining hall", "餐厅") if level == 0 and k == ROOMS - 1 else ("Open office", "开放办公")
            rows.append((f"a1:r{level}{k}", "space", storey, *name, (6.0 * k, 4, z, 6.0 * k + 6, 10, z + 3.7)))
    n = len(rows) + 1
    box = np.full((n, 6), np.nan)
    box[1:] = [r[5] for r in rows]
    text = {
        name: np.array(["", *(r[i] for r in rows)], object)
        for name, i in (("id", 0), ("kind", 1), ("name", 3), ("name_zh", 4))
    }
    blank = np.array([""] * n, object)
    return SceneGraph(
        {
            **text,
            "parent": np.array([0, *(r[2] for r in rows)], np.uint32),
            "cls": blank,
            "guid": blank,
            "source": blank,
            "tile": blank,
            "anchor": (box[:, :3] + box[:, 3:]) / 2,
            "bbox": box,
            "elevation": np.full(n, np.nan),
            "height": np.full(n, np.nan),
            "area": np.full(n, 36.0),
            "element": np.zeros(n, np.uint32),
        }
    )


def make_walk(graph: SceneGraph) -> WalkGraph:
    """Room points joined by doors to a corridor, a stair at its west end, and a road with the gate."""
    xyz: list[tuple[float, float, float]] = []
    node: list[int] = []
    kind: list[str] = []
    edge: list[tuple[int, int, str]] = []

    def point(place: tuple[float, float, float], where: str, of: str = "") -> int:
        xyz.append(place)
        kind.append(where)
        node.append(graph.index(of) if of else 0)
        return len(xyz) - 1

    stairs = []
    for level in range(2):
        z = level * STOREY_M
        before = None
        for k in range(ROOMS):
            hall = point((6.0 * k + 3, 2.0, z), "door")
            room = point((6.0 * k + 3, 7.0, z), "space", f"a1:r{level}{k}")
            edge.append((hall, room, "door"))
            if before is not None:
                edge.append((before, hall, "walk"))
            else:
                stairs.append(hall)
            before = hall
    edge.append((stairs[0], stairs[1], "stair"))
    road = [point((6.0 * k, -20.0, 0.0), "road") for k in range(12)]
    edge += [(a, b, "road") for a, b in pairwise(road)]
    edge.append((road[0], stairs[0], "walk"))
    rows = np.array([(a, b) for a, b, _ in edge], np.int32)
    places = np.array(xyz)
    length = np.linalg.norm(places[rows[:, 0]] - places[rows[:, 1]], axis=1)
    return WalkGraph(
        places, np.array(node, np.uint32), np.array(kind, object), rows, length, np.array([e[2] for e in edge], object)
    )


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    packs = load_packs()
    devices = [
        Device(id="GATE", kind="gate", name="Gate", at=(0.0, -20.0, 0.0)),
        Device(id="LOT", kind="parking", name="Lot", at=(40.0, -30.0, 0.0)),
        Device(id="PER-1", kind="intrusion", name="Fence", at=(60.0, -20.0, 1.0)),
        Device(id="DOOR", kind="door", name="Door", at=(3.0, 2.0, 0.0)),
    ]
    graph = make_graph()
    return Simulator(PointTable(devices, packs.kinds), graph=graph, walk=make_walk(graph), site=Site())


def places(simulator: Simulator, at: float) -> dict[str, np.ndarray]:
    crowd = simulator._crowd
    assert crowd is not None
    fixes = crowd.at(at)
    return {simulator.tracks()[t].id: p for t, p in zip(fixes.track.tolist(), fixes.xyz, strict=True)}


def is_on_ways(p: np.ndarray, walk: WalkGraph) -> bool:
    a, b = walk.xyz[walk.edge[:, 0]], walk.xyz[walk.edge[:, 1]]
    along = np.clip(np.einsum("ij,ij->i", p - a, b - a) / np.maximum(np.einsum("ij,ij->i", b - a, b - a), 1e-9), 0, 1)
    return bool(np.linalg.norm(a + along[:, None] * (b - a) - p, axis=1).min() < 0.05)


def is_in_room(p: np.ndarray, graph: SceneGraph) -> bool:
    box = graph.columns["bbox"][graph.of_kind("space")]
    return bool(((p[:2] >= box[:, :2]) & (p[:2] <= box[:, 3:5])).all(axis=1)[np.abs(box[:, 2] - p[2]) < 0.01].any())


def test_people_are_always_on_a_way_or_in_a_room(simulator: Simulator) -> None:
    graph = make_graph()
    walk = make_walk(graph)
    seen = 0
    for hour in np.arange(7.0, 20.0, 0.9):
        for name, place in places(simulator, MONDAY + hour * 3600).items():
            if name.startswith("P-"):
                seen += 1
                assert is_on_ways(place, walk) or is_in_room(place, graph), (name, hour, place)
    assert seen > 1000


def test_storeys_change_only_on_the_stair(simulator: Simulator) -> None:
    crowd = simulator._crowd
    assert crowd is not None
    changed = 0
    for _, line in crowd._day(int((MONDAY + 8 * 3600) // 86_400)).values():
        for k in np.flatnonzero(np.abs(np.diff(line[:, 2])) > 1e-6):
            changed += 1
            assert np.allclose(line[k : k + 2, :2], (3.0, 2.0), atol=0.01)
    assert changed > 200


def test_nobody_jumps(simulator: Simulator) -> None:
    before = places(simulator, MONDAY + 12 * 3600 - 1)
    for second in range(120):
        now = places(simulator, MONDAY + 12 * 3600 + second)
        for name in now.keys() & before.keys():
            assert np.linalg.norm(now[name] - before[name]) <= (7.0 if name.startswith("V-") else 1.5), name
        before = now


def test_the_park_is_full_by_day_and_empty_at_night_whenever_one_starts(simulator: Simulator) -> None:
    night, day = places(simulator, MONDAY + 3.3 * 3600), places(simulator, MONDAY + 10.5 * 3600)
    assert len(day) > 250
    assert len(night) < 30
    assert sum(name.startswith("V-") for name in day) > 30
    assert sum(name.startswith("P-GUA") for name in night) > 0


def test_lunch_is_in_the_canteen(simulator: Simulator) -> None:
    def eating(at: float) -> int:
        return sum(42 <= p[0] <= 48 and p[1] > 4 and p[2] < 0.1 for p in places(simulator, at).values())

    assert eating(MONDAY + 12.3 * 3600) > 40
    assert eating(MONDAY + 10.0 * 3600) < 15


def test_few_come_on_a_sunday(simulator: Simulator) -> None:
    assert len(places(simulator, MONDAY + 6 * 86_400 + 11 * 3600)) < 0.6 * len(
        places(simulator, MONDAY + 4 * 86_400 + 11 * 3600)
    )


def test_fixes_are_the_same_for_the_same_seed_and_instant(simulator: Simulator) -> None:
    graph = make_graph()
    again = Simulator(simulator.points, graph=graph, walk=make_walk(graph), site=Site())
    one, two = places(simulator, MONDAY + 7 * 86_400 + 36_000), places(again, MONDAY + 7 * 86_400 + 36_000)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[k], two[k]) for k in one)


def test_the_stranger_walks_from_the_fence_to_the_door_and_is_gone_when_stopped(simulator: Simulator) -> None:
    crowd = simulator._crowd
    assert crowd is not None
    crowd.intrude((60.0, -20.0, 1.0), (3.0, 2.0, 0.0), MONDAY)
    assert np.allclose(places(simulator, MONDAY)["X-001"][:2], (60.0, -20.0))
    assert np.allclose(places(simulator, MONDAY + 120)["X-001"], (3.0, 2.0, 0.0), atol=0.1)
    crowd.leave()
    assert "X-001" not in places(simulator, MONDAY + 121)


def test_vehicles_keep_to_roads(simulator: Simulator) -> None:
    roads = Routes(make_walk(make_graph()), is_driving=True)
    assert len(roads.main) == 12
    assert roads.way(int(roads.main[0]), 0) is None


def test_without_a_walking_graph_there_is_nobody(simulator: Simulator) -> None:
    alone = Simulator(simulator.points)
    assert alone.tracks() == ()
    assert alone.step(MONDAY).positions is None
