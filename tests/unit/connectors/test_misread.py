"""GCJ-02 and BD-09 taken for WGS 84 are told where ways and rooms say so, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import Mock

import msgspec
import numpy as np
import pytest
from pyproj import Transformer

from connectors.misread import PLACES, ways_of
from connectors.mqtt.own_topics import MqttConnector
from connectors.places import Fix, Places, Standing
from gis.crs import bd09_from_wgs84, gcj02_from_wgs84
from twin.packs import load_packs
from twin.ports import TrackInfo
from twin.registry import PointTable
from twin.walk import WalkGraph

TRACKS = [TrackInfo(i=i, id=f"P-{i}", kind="person", name="", name_zh="", role="staff") for i in range(20)]
ORIGIN = (519200.0, 3342600.0, 5.0)
Degrees = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def as_it_is(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return lon, lat


def streets(apart: float) -> WalkGraph:
    """Roads of 1.5 km from west to east, so far apart."""
    y = np.arange(0.0, 1200.0, apart)
    xyz = np.array([(x, at, 0.0) for at in y for x in (0.0, 1500.0)])
    edge = np.arange(len(xyz), dtype=np.int32).reshape(-1, 2)
    return WalkGraph(xyz, np.zeros(len(xyz), np.uint32), np.full(len(xyz), "road", object), edge, np.full(len(edge), 1500.0),
                     np.full(len(edge), "road", object))


def told(xy: np.ndarray, given: Degrees, declared: str, walk: WalkGraph) -> tuple[str, int]:
    """What is said of a source whose people are at park metres (n, 2) and that gives such degrees; and fixes taken."""
    standing = Standing(crs="EPSG:4549", origin=ORIGIN, bounds=(0.0, 0.0, 1500.0, 1200.0), ways=ways_of(walk))
    places, taken = Places(TRACKS, declared, standing), 0
    if declared == "park":
        x, y = xy.T
    else:
        to_degrees = Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
        x, y = given(*to_degrees.transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1]))
    for begin in range(0, len(xy), len(TRACKS)):
        rows = [Fix(f"P-{k}", float(x[begin + k]), float(y[begin + k])) for k in range(min(len(TRACKS), len(xy) - begin))]
        fixes = places.take(rows, 1000.0 + begin, lambda reason, example: None)
        taken += 0 if fixes is None else len(fixes.track)
    return places.doubt, taken


def on_streets(walk: WalkGraph, count: int = 600) -> np.ndarray:
    """Places on the roads, two metres of noise."""
    chance = np.random.default_rng(1)
    y = chance.choice(np.unique(walk.xyz[:, 1]), count)
    return np.column_stack([chance.uniform(100, 1400, count), y]) + chance.normal(0.0, 2.0, (count, 2))


@pytest.mark.parametrize("declared", ["EPSG:4326", "EPSG:4490"])
@pytest.mark.parametrize(("given", "name"), [(gcj02_from_wgs84, "GCJ-02"), (bd09_from_wgs84, "BD-09")])
def test_web_map_degrees_said_to_be_wgs84_are_told_with_the_mend_and_taken(given: Degrees, name: str, declared: str) -> None:
    walk = streets(300.0)
    said, taken = told(on_streets(walk, 1500), given, declared, walk)
    assert f'positions = "{name}"' in said
    assert taken > 500
    assert told(on_streets(walk, 1500), given, name, walk)[0] == "", "so declared it is right"


@pytest.mark.parametrize("apart", [300.0, 60.0, 15.0])
@pytest.mark.parametrize("declared", ["EPSG:4326", "park"])
def test_a_source_that_is_right_is_left_in_peace(declared: str, apart: float) -> None:
    walk = streets(apart)
    assert told(on_streets(walk, 1500), as_it_is, declared, walk) == ("", 1500)


def test_people_off_the_ways_are_no_reason() -> None:
    """A farm, a golf course: everybody is in the fields; read otherwise they are there as well."""
    chance, walk = np.random.default_rng(2), streets(300.0)
    y = chance.choice(np.unique(walk.xyz[:-2, 1]), 3000) + chance.uniform(20.0, 280.0, 3000)
    assert told(np.column_stack([chance.uniform(0, 1500, 3000), y]), as_it_is, "EPSG:4326", walk)[0] == ""


def test_what_stands_still_decides_nothing() -> None:
    walk = streets(300.0)
    parked = on_streets(walk, PLACES // 4)
    assert told(np.tile(parked, (40, 1)), gcj02_from_wgs84, "EPSG:4326", walk)[0] == ""


def test_with_ways_everywhere_nothing_can_be_told_and_nothing_is() -> None:
    walk = streets(15.0)
    assert told(on_streets(walk), gcj02_from_wgs84, "EPSG:4326", walk)[0] == ""


def test_a_park_without_ways_says_nothing() -> None:
    walk = streets(300.0)
    none = WalkGraph(np.zeros((0, 3)), np.zeros(0, np.uint32), np.zeros(0, object), np.zeros((0, 2), np.int32), np.zeros(0),
                     np.zeros(0, object))
    assert told(on_streets(walk), gcj02_from_wgs84, "EPSG:4326", none)[0] == ""


def test_the_source_says_it_on_its_line_once() -> None:
    """Over MQTT, from message to link."""
    walk, sink = streets(300.0), Mock()
    standing = Standing(crs="EPSG:4549", origin=ORIGIN, bounds=(0.0, 0.0, 1500.0, 1200.0), ways=ways_of(walk))
    connector = MqttConnector("mqtt://127.0.0.1", "p", PointTable([], load_packs().kinds), tuple(TRACKS),
                              places=Places(TRACKS, "wgs84", standing))
    connector._sink = sink
    to_degrees = Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
    xy = on_streets(walk, 1500)
    lon, lat = gcj02_from_wgs84(*to_degrees.transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1]))
    for k in range(len(xy)):
        row = [f"P-{k % 20}", float(lon[k]), float(lat[k])]
        connector.on_message("parktwin/p/positions", msgspec.json.encode({"ts": 1000.0 * k, "p": [row]}))
    told = [call.args for call in sink.link.call_args_list if "GCJ-02" in call.args[2]]
    assert [(name, is_live) for name, is_live, _ in told] == [("mqtt", True)]
    assert sink.move.call_count > 500
