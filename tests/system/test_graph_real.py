"""The graph over real files: the campus' map and a real IFC house, against ifcopenshell, GeoPandas and the stairs."""

from __future__ import annotations

import geopandas as gpd
import ifcopenshell
import ifcopenshell.util.element as element
import pytest
import shapely
from campus_park import SHARED

from scenes.api import Park
from scenes.compile import BuildResult
from twin.park_graph import ParkGraph

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def graph(campus: BuildResult) -> ParkGraph:
    return Park.open(campus.folder).graph


def test_rooms_are_in_the_storeys_that_ifcopenshell_says(graph: ParkGraph) -> None:
    model = ifcopenshell.open(SHARED / "ifc/duplex-architecture.ifc")
    rooms = {graph.node(room).guid: room for room in graph.inside("duplex", "space")}
    known = [space for space in model.by_type("IfcSpace") if space.GlobalId in rooms]
    assert len(known) > 15
    for space in known:
        above = graph.node(graph.containers(rooms[space.GlobalId])[-1])
        assert (above.kind, above.name) == ("storey", element.get_aggregate(space).Name)


def test_what_is_near_misses_nothing_that_geopandas_finds(graph: ParkGraph, campus: BuildResult) -> None:
    layer = gpd.read_parquet(campus.folder / "layers/buildings.parquet")
    x, y, _ = graph.node("duplex").anchor
    spot = shapely.Point(x + 482_000, y + 5_456_500)
    there = {f"buildings:{i}" for i in layer.loc[layer.distance(spot) <= 150, "id"]}
    found = {n.id: n.metres for n in graph.near((x, y, 1.0), 150.0, "building")}
    assert 5 < len(there) <= len(found) < len(layer) / 4
    assert there <= set(found)
    apart = layer.set_index("id").distance(spot)
    for node_id, metres in found.items():
        if node_id.startswith("buildings:"):  # a box is never farther than what it holds, nor by more than its own size
            west, south, _, east, north, _ = graph.node(node_id).bbox
            far = apart[node_id.removeprefix("buildings:")]
            assert metres <= far + 0.01
            assert far - metres <= max(east - west, north - south)


def test_ways_lead_from_the_street_upstairs_but_not_for_a_wheelchair(graph: ParkGraph) -> None:
    rooms = {graph.node(room).name: room for room in graph.inside("duplex", "space")}
    upper = [room for name, room in rooms.items() if name.startswith(("A20", "B20"))]
    lower = [room for name, room in rooms.items() if name.startswith(("A10", "B10"))]
    assert len(upper) > 4 < len(lower)
    start = graph.near("duplex", 400.0, "building")[-1].id
    for room in upper:
        way = graph.path(start, room)
        assert way is not None
        assert any(graph.node(i).cls.startswith("IfcStair") for i in way.passed), room
        assert graph.path(start, room, "wheelchair") is None  # the house has no lift
    walked = [graph.path(start, room, "wheelchair") for room in lower]
    assert all(way is not None and not any(graph.node(i).cls.startswith("IfcStair") for i in way.passed) for way in walked)
