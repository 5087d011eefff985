"""The search for a missing person: nobody who walked on is outside the area, and what is too far off is not in it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from small_graphs import scene

from parktwin.bench.live.people import RISE, SPEED, Floors, floors, walks
from twin.graph import SceneGraph
from twin.indoors import Indoors, Room
from twin.missing import Search, search
from twin.seeing import Seeing
from twin.sight import Area, Eye
from twin.walk import WalkGraph

STOREYS = 3


@pytest.fixture(scope="module")
def building() -> Floors:
    return floors(STOREYS, 6)


@pytest.fixture(scope="module")
def park(building: Floors) -> tuple[SceneGraph, Indoors, Seeing]:
    """The made-up building as a scene graph: park, building, storeys, rooms, and the doors in them."""
    kinds, parents, boxes = ["park", "building"], [0, 1], [(0.0,) * 6] * 2
    kinds += ["storey"] * STOREYS
    parents += [2] * STOREYS
    boxes += [(0.0, 0.0, k * RISE, 30.0, 15.0, RISE) for k in range(STOREYS)]
    number: dict[int, int] = {0: 0}
    for node in dict.fromkeys(building.walk.node.tolist()):
        kinds.append("element" if node >= 500_000 else "space")
        parents.append(3 + node % 500_000 // 1000)
        boxes.append((0.0,) * 6)
        number[node] = len(kinds)
    graph = scene(kinds, parents, boxes)
    nodes = np.array([number[n] for n in building.walk.node.tolist()], np.uint32)
    old = building.walk
    walk = WalkGraph(old.xyz, nodes, old.kind, old.edge, old.length, old.edge_kind)
    inner = building.indoors
    rooms = [Room(node=number[int(n)], polygon=p, z0=a, z1=b)
             for n, p, a, b in zip(inner.node, inner.polygon, inner.z0, inner.z1, strict=True)]
    areas = [Area(node=room.node, storey=int(graph.parent[room.node]), polygon=room.polygon, z=room.z0) for room in rooms]
    eyes = {10_000 + k: Eye(area=room.node, at=(room.polygon.centroid.x, room.polygon.centroid.y), range_m=20, fov_deg=360)
            for k, room in enumerate(rooms)}
    return graph, Indoors(rooms, walk), Seeing(graph, lambda: areas, lambda known: eyes, lambda node_id: None)


def asked(park: tuple[SceneGraph, Indoors, Seeing], at: np.ndarray, metres: float) -> Search:
    graph, indoors, seeing = park
    return search(at, metres, indoors=indoors, graph=graph, seeing=seeing)


def holds(found: Search, at: np.ndarray) -> bool:
    return any(level.storey == 3 + int((at[2] + 0.3) // RISE) and level.shape.distance(shapely.Point(at[:2])) < 0.8
               for level in found.levels)


def test_whoever_walked_on_is_in_the_area(building: Floors, park: tuple[SceneGraph, Indoors, Seeing]) -> None:
    truth, inside, beyond = walks(building, 30, 60), 0, 0
    for person in range(30):
        start = truth[0, person]
        for later in (5, 20, 59):
            assert holds(asked(park, start, SPEED * later + 1.0), truth[later, person]), (person, later)
            inside += 1
            beyond += not holds(asked(park, start, 1.0), truth[later, person])
    assert beyond > inside / 5, "the control: a small area does not hold them all"


def test_nothing_too_far_off_is_reached(park: tuple[SceneGraph, Indoors, Seeing]) -> None:
    _, indoors, _ = park
    start = np.array([2.5, 4.0, 1.0])
    away = indoors.walk.distances(indoors.walk.nearest(start - [0, 0, 1.0])[None])
    found = asked(park, start, 12.0)
    reached = {room.node: room.metres for room in found.rooms}
    for row in np.flatnonzero(indoors.walk.kind == "space"):
        node = int(indoors.walk.node[row])
        if away[row] > 12.0 + 3.0 and node not in reached:
            assert not holds(found, indoors.walk.xyz[row])
    assert 1 < len(reached) < len(indoors)
    assert found.rooms[0].metres == 0.0
    assert [d.metres for d in found.doors] == sorted(d.metres for d in found.doors)
    assert all(d.metres <= 12.0 for d in found.doors)


def test_the_area_grows_with_time_and_its_cameras_with_it(park: tuple[SceneGraph, Indoors, Seeing]) -> None:
    start, before = np.array([2.5, 4.0, 1.0]), None
    for metres in (0.5, 5.0, 20.0, 100.0):
        found = asked(park, start, metres)
        size = (len(found.rooms), len(found.doors), len(found.cameras), sum(level.shape.area for level in found.levels))
        assert before is None or all(a >= b for a, b in zip(size, before, strict=True))
        before = size
    assert before is not None
    assert before[0] == len(park[1]), "a hundred metres hold all of the building"
    assert before[2] == len(park[1])
