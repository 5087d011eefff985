"""The first view of parks of any size, run in node as pages run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from in_node import run_in_node

RUN = """
import { PerspectiveCamera, Vector3 } from "three";
import { Poses } from "SOURCE/scene/poses";
const [side, apart, aspect, foot, crowd, isMap] = JSON.parse(process.argv[2]), buildings = new Map();
for (let k = 0; k < crowd; k++) buildings.set(`crowd ${k}`, { bbox: [9000 + k, 9000 + k, 0, 9010 + k, 9010 + k, 9] });
for (let k = 0; k < side * side; k++) {
  const x = (k % side) * apart, y = Math.floor(k / side) * apart;
  buildings.set(String(k), { bbox: [x, y, foot, x + 60, y + 46, foot + 174] });
}
const map = isMap ? [...buildings.values()] : [];
const camera = new PerspectiveCamera(27.5, aspect, 1, 6000);
const world = { park: {}, byId: new Map(), places: { ofKind: () => map } };
const scope = { buildings: isMap ? new Map() : buildings };
const { target, distance, azimuth, polar } = new Poses(world, scope, { camera }).home();
const away = new Vector3(Math.sin(azimuth) * Math.sin(polar), -Math.cos(azimuth) * Math.sin(polar), Math.cos(polar));
camera.up.set(0, 0, 1);
camera.position.copy(target).addScaledVector(away, distance);
camera.lookAt(target);
camera.updateMatrixWorld();
const seen = [...buildings.values()].flatMap(({ bbox: b }) => [0, 1, 2, 3, 4, 5, 6, 7].map((k) => {
  const p = new Vector3(b[k & 1 ? 3 : 0], b[k & 2 ? 4 : 1], b[k & 4 ? 5 : 2]).project(camera);
  return Math.max(Math.abs(p.x), Math.abs(p.y));
}));
console.log(JSON.stringify({ target: target.toArray(), distance, widest: Math.max(...seen) }));
"""


def home(tmp_path: Path, side: int, apart: float, aspect: float = 1.6, foot: float = 0.0, crowd: int = 0,
         is_map: bool = False) -> dict:
    answer: dict = json.loads(run_in_node(tmp_path, RUN, json.dumps([side, apart, aspect, foot, crowd, is_map])))
    return answer


@pytest.mark.parametrize(("side", "apart", "aspect"), [(1, 0.0, 1.6), (2, 120.0, 1.6), (2, 120.0, 0.9), (4, 90.0, 3.2)])
def test_every_building_is_in_the_picture_and_fills_it(tmp_path: Path, side: int, apart: float, aspect: float) -> None:
    assert 0.6 < home(tmp_path, side, apart, aspect)["widest"] <= 1.02


@pytest.mark.parametrize("side", [4, 11, 40])
def test_a_park_too_wide_for_one_picture_opens_on_its_middle(tmp_path: Path, side: int) -> None:
    found = home(tmp_path, side, 240.0)
    across = (side - 1) * 240.0 + 60.0
    assert found["distance"] == 1100.0
    assert all(0.2 * across < value < 0.8 * across for value in found["target"][:2])


@pytest.mark.parametrize("is_map", [False, True])
@pytest.mark.parametrize("side", [11, 30])
def test_a_district_opens_where_most_of_its_buildings_stand(tmp_path: Path, side: int, is_map: bool) -> None:
    found = home(tmp_path, side, 240.0, crowd=30, is_map=is_map)
    assert found["target"][:2] == pytest.approx([9019.5, 9019.5])


def test_buildings_far_from_the_ground_are_looked_at_where_they_are(tmp_path: Path) -> None:
    found = home(tmp_path, 2, 120.0, foot=1891.3)
    assert 0.6 < found["widest"] <= 1.02
    assert found["target"][2] == pytest.approx(1895.3)
