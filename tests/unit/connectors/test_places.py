"""Positions in any coordinates become fixes in the park frame; what lies outside the park is told with its mend."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from pyproj import Transformer

from connectors.places import NO_FLOOR, NO_FRAME, OUT_OF_PLACE, UNKNOWN, Fix, Places, Standing
from gis.crs import bd09_from_wgs84, gcj02_from_wgs84
from scenes.things import Pose
from twin.ports import Positions, TrackInfo

TRACKS = [TrackInfo(i=i, id=f"P-{i}", kind="person", name="", name_zh="", role="staff") for i in range(50)]
ORIGIN = (519200.0, 3342600.0, 5.0)
POSE = Pose(at=(100.0, 60.0, 0.3), anchor=(10.0, 4.0, 0.0), heading=30.0)
STANDING = Standing(crs="EPSG:4549", origin=ORIGIN, bounds=(0.0, 0.0, 800.0, 600.0), buildings={"a1": POSE.matrix()},
                    floors={("a1", "2F"): 4.8})


def read(declared: str, rows: list[Fix], accuracy: float = 0.0) -> tuple[Positions | None, Counter[str], list[str]]:
    refused, said = Counter[str](), []

    def refuse(reason: str, example: object) -> None:
        refused[reason] += 1
        said.append(str(example))

    return Places(TRACKS, declared, STANDING, accuracy).take(rows, 1000.0, refuse), refused, said


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4549", "EPSG:32651", "EPSG:3857", "EPSG:4547"])
def test_any_projection_lands_where_proj_says(crs: str) -> None:
    xy = np.random.default_rng(1).uniform((0, 0), (800, 600), (50, 2))
    there = Transformer.from_crs("EPSG:4549", crs, always_xy=True).transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1])
    got, refused, _ = read(crs, [Fix(f"P-{k}", float(x), float(y), 6.5) for k, (x, y) in enumerate(zip(*there, strict=True))])
    assert got is not None
    assert not refused
    assert np.abs(got.xyz[:, :2] - xy).max() < 1e-3
    assert got.xyz[:, 2] == pytest.approx(1.5)
    assert got.track.tolist() == list(range(50))


@pytest.mark.parametrize(("crs", "forward"), [("gcj02", gcj02_from_wgs84), ("BD-09", bd09_from_wgs84)])
def test_web_map_coordinates_lose_their_offset(crs: str, forward: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    xy = np.array([[10.0, 20.0], [700.0, 500.0]])
    to_degrees = Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
    lon, lat = forward(*to_degrees.transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1]))
    got, refused, _ = read(crs, [Fix(f"P-{k}", float(lon[k]), float(lat[k])) for k in range(2)])
    assert got is not None
    assert not refused
    assert np.abs(got.xyz[:, :2] - xy).max() < 1e-3
    unread, _, _ = read("EPSG:4326", [Fix("P-0", float(lon[0]), float(lat[0]))])
    assert unread is None or np.linalg.norm(unread.xyz[0, :2] - xy[0]) > 300


def test_a_buildings_own_metres_turn_with_the_building_and_count_from_a_floor() -> None:
    got, _, _ = read("building:a1:2F", [Fix("P-0", 10.0, 14.0, 1.2, math.pi / 2)], accuracy=2.0)
    assert got is not None
    turn = math.radians(-30.0)
    assert got.xyz[0] == pytest.approx([100.0 - 10.0 * math.sin(turn), 60.0 + 10.0 * math.cos(turn), 4.8 + 1.2])
    assert got.heading[0] == pytest.approx(math.pi / 2 + turn)
    assert got.sigma()[0] == 2.0


def test_a_row_may_name_its_own_storey_and_accuracy() -> None:
    got, refused, _ = read("building:a1", [Fix("P-0", 10.0, 4.0, None, None, 0.5, "2F"), Fix("P-1", 10.0, 4.0, 1.0),
                                           Fix("P-2", 10.0, 4.0, None, None, None, "9F")], accuracy=3.0)
    assert got is not None
    assert got.xyz[:, 2].tolist() == pytest.approx([4.8, 1.3])
    assert got.sigma().tolist() == [0.5, 3.0]
    assert refused == {NO_FLOOR: 1}


@pytest.mark.parametrize(("declared", "row", "mend"), [
    ("park", Fix("P-0", 519300.0, 3342700.0), '"EPSG:4549"'),
    ("EPSG:4326", Fix("P-0", 30.2058, 120.2027), "longitude) first"),
    ("EPSG:4326", Fix("P-0", 519300.0, 3342700.0), '"EPSG:4549"'),
    ("EPSG:32650", Fix("P-0", 300.0, 200.0), '"park"'),
    ("EPSG:4549", Fix("P-0", 9e6, 9e6), "write the source's own"),
])
def test_the_wrong_coordinates_are_noticed_with_what_to_write(declared: str, row: Fix, mend: str) -> None:
    got, refused, said = read(declared, [row])
    assert got is None
    assert refused == {OUT_OF_PLACE: 1}
    assert mend in said[0]


def test_one_bad_row_does_not_lose_the_others() -> None:
    rows = [Fix("P-0", 1.0, 2.0), Fix("P-1", math.nan, 2.0), Fix("nobody", 1.0, 2.0), Fix("P-3", 9e5, 1.0)]
    got, refused, _ = read("park", rows)
    assert got is not None
    assert got.track.tolist() == [0]
    assert refused == {UNKNOWN: 2, OUT_OF_PLACE: 1}


def test_a_building_that_is_not_there_is_a_finding_and_nothing_moves() -> None:
    places = Places(TRACKS, "building:zz", STANDING)
    assert "a1" in places.findings[0].mend
    refused = Counter[str]()
    assert places.take([Fix("P-0", 1.0, 1.0)], 1.0, lambda reason, _: refused.update([reason])) is None
    assert refused == {NO_FRAME: 1}
    assert "2F" in Places(TRACKS, "building:a1:7F", STANDING).findings[0].mend
