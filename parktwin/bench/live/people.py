"""People on an office floor, with noise on their fixes: how far off, through how many walls, at what cost; shown and raw.

The floor is made up: rooms along both sides of corridors, a door each, storeys joined by a stair. The walks are its
truth; a wall is the outline of a room but for its doorway, and nothing of the filter's own geometry.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from parktwin.bench.rows import Row
from twin.indoors import Indoors, Room
from twin.live.steady import Steadier
from twin.ports import Positions
from twin.walk import WalkGraph

WIDE, DEEP, HALL, RISE, DOOR_M = 5.0, 6.0, 2.4, 4.0, 0.9
SPEED, LONGEST_STAY_SECS = 1.2, 40


@dataclass(frozen=True, slots=True)
class Floors:
    """A made-up building: rooms and ways, and its walls per storey without the doorways."""

    indoors: Indoors
    walk: WalkGraph
    walls: tuple[shapely.Geometry, ...]


def floors(storeys: int = 3, rooms: int = 12) -> Floors:
    """So many storeys with so many rooms on either side of a corridor."""
    made: list[Room] = []
    xyz: list[tuple[float, float, float]] = []
    node: list[int] = []
    kind: list[str] = []
    edge: list[tuple[int, int]] = []
    walls, stairs = [], []

    def add(at: tuple[float, float, float], of: int, sort: str) -> int:
        xyz.append(at)
        node.append(of)
        kind.append(sort)
        return len(xyz) - 1

    for storey in range(storeys):
        z, outlines, doorways = storey * RISE, [], []
        hall = shapely.box(0, -HALL / 2, rooms * WIDE, HALL / 2)
        hall_node = 1000 * storey + 999
        made.append(Room(node=hall_node, polygon=hall, z0=z, z1=z + RISE - 0.5))
        outlines.append(hall)
        aisle = [add((WIDE * (k + 0.5), 0.0, z), hall_node, "space") for k in range(rooms)]
        edge += pairwise(aisle)
        for side in (1, -1):
            for k in range(rooms):
                low = side * (HALL / 2 + 0.1)
                polygon = shapely.box(k * WIDE + 0.05, min(low, low + side * DEEP), (k + 1) * WIDE - 0.05,
                                      max(low, low + side * DEEP))
                number = 1000 * storey + len(outlines)
                made.append(Room(node=number, polygon=polygon, z0=z, z1=z + RISE - 0.5))
                outlines.append(polygon)
                at = (WIDE * (k + 0.5), side * (HALL / 2 + 0.05), z)
                door = add(at, 500_000 + number, "door")
                doorways.append(shapely.Point(at[:2]).buffer(DOOR_M / 2))
                inner = [add((WIDE * (k + 0.5), side * (HALL / 2 + 0.1 + DEEP * share), z), number, "space")
                         for share in (0.25, 0.7)]
                edge += [(aisle[k], door), (door, inner[0]), (inner[0], inner[1])]
        stairs.append(aisle[0])
        walls.append(shapely.union_all([o.boundary for o in outlines]).difference(shapely.union_all(doorways)))
    edge += pairwise(stairs)
    points, pairs = np.array(xyz), np.array(edge, np.int32)
    length = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    walk = WalkGraph(points, np.array(node, np.uint32), np.array(kind, object), pairs, length,
                     np.full(len(pairs), "walk", object))
    return Floors(Indoors(made, walk), walk, tuple(walls))


def walks(building: Floors, people: int, secs: int, seed: int = 1) -> NDArray[np.float64]:
    """f64 (secs, people, 3) where people truly are each second: from room to room by the doors, with stays between."""
    chance, walk = np.random.default_rng(seed), building.walk
    rows = np.flatnonzero((walk.kind == "space") & (walk.node % 1000 != 999))
    out = np.zeros((secs, people, 3))
    for number in range(people):
        at, line = int(chance.choice(rows)), list(np.zeros((0, 3)))
        while len(line) < secs:
            to = int(chance.choice(rows))
            way = walk.route(at, to)
            assert way is not None
            metres = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1)))
            along = np.arange(0.0, metres[-1] + 1e-9, SPEED)
            line += [way[0]] * int(chance.integers(3, LONGEST_STAY_SECS))
            line += list(np.column_stack([np.interp(along, metres, way[:, axis]) for axis in range(3)]))
            at = to
        out[:, number] = np.array(line[:secs]) + np.array([0.0, 0.0, 1.0])
    return out


def noisy(truth: NDArray[np.float64], sigma: float, seed: int = 2) -> NDArray[np.float64]:
    """The same with white noise of so many metres in plan and a quarter of it in height."""
    return truth + np.random.default_rng(seed).normal(0.0, 1.0, truth.shape) * [sigma, sigma, sigma / 4]


def shown(steadier: Steadier, fixes: NDArray[np.float64], sigma: float) -> tuple[NDArray[np.float64], list[float]]:
    """What is shown of fixes (secs, people, 3), and ms of CPU a second of them."""
    out, cost = np.zeros_like(fixes), []
    track = np.arange(fixes.shape[1], dtype=np.uint32)
    for second, xyz in enumerate(fixes):
        batch = Positions(track, xyz, np.zeros(len(track), np.float32), np.full(len(track), 1000.0 + second),
                          np.full(len(track), sigma, np.float32))
        begin = time.process_time()
        out[second] = steadier.step(batch).fixes.xyz
        cost.append((time.process_time() - begin) * 1000)
    return out, cost


def crossed(building: Floors, line: NDArray[np.float64]) -> int:
    """How many steps of tracks (secs, people, 3) that stay on a storey meet a wall of it."""
    start, end = line[:-1].reshape(-1, 3), line[1:].reshape(-1, 3)
    storey = np.floor((start[:, 2] + 0.3) / RISE).astype(int)
    same = storey == np.floor((end[:, 2] + 0.3) / RISE).astype(int)
    count = 0
    for number, walls in enumerate(building.walls):
        here = same & (storey == number)
        shapely.prepare(walls)
        count += int(shapely.intersects(walls, shapely.linestrings(np.stack([start[here, :2], end[here, :2]], axis=1))).sum())
    return count


def measure(at: Path, quick: bool) -> list[Row]:
    """Error, walls and cost at 2 m of noise; the raw fixes and the filter without walls stand beside."""
    people, secs, sigma = (300, 60, 2.0) if quick else (5000, 90, 2.0)
    building = floors(10, 20)
    truth = walks(building, people, secs)
    raw = noisy(truth, sigma)
    filtered, _ = shown(Steadier(), raw, sigma)
    kept, cost = shown(Steadier(building.indoors), raw, sigma)

    def error(line: NDArray[np.float64]) -> float:
        return float(np.sqrt(((line[5:, :, :2] - truth[5:, :, :2]) ** 2).sum(axis=2).mean()))

    walls = crossed(building, kept)
    note = f"{people} people, 1 Hz, noise {sigma:g} m"
    return [
        Row(what="people: error of what is shown (RMS)", ours=error(kept), unit="m", peer=error(raw), peer_name="raw fixes",
            target=1.0, note=f"{note}; filter without walls {error(filtered):.2f} m"),
        Row(what="people: steps through walls", ours=walls, unit="steps", peer=crossed(building, raw),
            peer_name="raw fixes", target=0.05, note=f"{note}; filter without walls {crossed(building, filtered)}"),
        Row(what="people: CPU a second of fixes", ours=float(np.median(cost[3:])), unit="ms", target=400.0,
            note=f"{note}; slowest second {max(cost[3:]):.0f} ms"),
    ]
