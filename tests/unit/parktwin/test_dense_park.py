"""The synthetic park of `parktwin bench scene --only million` is what it says."""

from __future__ import annotations

from itertools import combinations
from math import dist
from pathlib import Path

from parktwin.bench.dense_park import APART_M, make_dense_park, tower
from twin.parkfile import load_park


def test_towers_share_one_file_and_stand_out_of_each_others_light(tmp_path: Path) -> None:
    spec = load_park(make_dense_park(tmp_path, 7, tower(storeys=2)))
    assert len({b.id for b in spec.buildings}) == 7
    assert {b.ifc for b in spec.buildings} == {(tmp_path / "tower.ifc",)}
    places = [b.placement.at for b in spec.buildings if b.placement]
    assert len(places) == 7
    assert min(dist(a, b) for a, b in combinations(places, 2)) >= APART_M
