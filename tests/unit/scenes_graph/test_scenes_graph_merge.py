"""BIM and GIS in one node table: who is under whom, where it stands, and what a device is bound to."""

import sys
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.model import FlatGround, Layer
from models_bim.federate import federate
from models_bim.worker import read_discipline
from overlays.sums import areas
from scenes.locate import SpaceIndex
from scenes.merge import BuildingSource, Merged, merge
from scenes.store import (
    NODES,
    PROPERTIES,
    SPACES,
    columns_of,
    layer_columns,
    open_graph,
    open_spaces,
    properties_of,
    write_layer,
    write_nodes,
    write_properties,
    write_spaces,
)
from scenes.walk import build_walk, open_walk, write_walk
from twin.energy.meters import meters_of
from twin.energy.places import Accounts
from twin.energy.spec import EnergySpec
from twin.energy.tree import meter_tree
from twin.packs import load_packs
from twin.park import BuildingSpec, ParkSpec, ZoneSpec
from twin.registry import Device, PointTable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models_bim"))
from ifc_maker import Maker, two_rooms

ORIGIN = (500_000.0, 3_400_000.0, 0.0)
SPEC = ParkSpec(
    root=Path("."),
    id="p",
    name="Park",
    name_zh="园区",
    crs="EPSG:4549",
    origin=ORIGIN,
    zones=(ZoneSpec(id="n", name="North"),),
    buildings=(BuildingSpec(id="a1", ifc=(), placement=None, zone="n"),),
)
PARK_FROM_IFC = np.array([[0, -1, 0, 100.0], [1, 0, 0, 50.0], [0, 0, 1, 2.0], [0, 0, 0, 1]])  # a quarter turn left


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> BuildingSource:
    maker = Maker()
    two_rooms(maker)
    path = maker.write(tmp_path_factory.mktemp("ifc") / "a1.ifc")
    return BuildingSource(model=federate([read_discipline(path)]), park_from_ifc=PARK_FROM_IFC)


def _layer(layer_id: str, kind: str, geometry: list[shapely.Geometry], height: float = float("nan")) -> Layer:
    n = len(geometry)
    blank = np.array([""] * n, dtype=object)
    return Layer(
        id=layer_id,
        kind=kind,
        name=layer_id,
        name_zh="",
        source=f"{layer_id}.geojson",
        crs="EPSG:4549",  # type: ignore[arg-type]
        ids=np.array([str(k + 1) for k in range(n)], dtype=object),
        names=blank,
        names_zh=blank,
        geometry=np.array(geometry, dtype=object),
        height_m=np.full(n, height),
        width_m=np.full(n, np.nan),
        depth_m=np.full(n, np.nan),
        medium=blank,
        properties={"note": blank},
    )


def _merge(source: BuildingSource, layers: list[Layer] | None = None, devices: list[Device] | None = None) -> Merged:
    return merge(SPEC, {"a1": source}, layers or [], devices or [], FlatGround(2.0))


def _named(merged: Merged, name: str) -> int:
    return int(np.flatnonzero(merged.graph.columns["name"] == name)[0])


def test_path_runs_from_the_park_through_zone_building_storey_and_room(source: BuildingSource) -> None:
    merged = _merge(source)
    path = [merged.graph.node(i) for i in merged.graph.path(_named(merged, "Desk"))]
    assert [n.kind for n in path] == ["park", "zone", "building", "storey", "space", "element"]
    assert [n.name for n in path[1:]] == ["North", "Tower", "L1", "102 Office", "Desk"]
    assert path[0].id == "park"
    assert path[-1].id == f"a1:{path[-1].guid}"


def test_walls_bound_rooms_and_are_in_none(source: BuildingSource) -> None:
    merged = _merge(source)
    assert merged.graph.node(merged.graph.node(_named(merged, "Inner wall")).parent).kind == "storey"


def test_places_are_park_metres_after_the_turn(source: BuildingSource) -> None:
    merged = _merge(source)
    desk, storey = merged.graph.node(_named(merged, "Desk")), merged.graph.node(_named(merged, "L2"))
    assert desk.bbox == pytest.approx((96.2, 57.0, 2.0, 97.0, 58.6, 2.75), abs=1e-6)
    assert (storey.elevation, storey.height) == (5.0, 2.8)  # the last storey ends where its rooms do
    office = merged.graph.node(_named(merged, "102 Office"))
    assert office.area == pytest.approx(3.7 * 5.6, abs=0.01)
    assert office.anchor[2] == pytest.approx(3.4, abs=1e-6)
    assert merged.graph.node(1).bbox[:3] == pytest.approx((94.0, 50.0, 2.0), abs=0.3)


def test_footprint_under_the_model_is_merged_away_and_others_become_buildings(source: BuildingSource) -> None:
    blocks = _layer("blocks", "buildings", [shapely.box(94, 50, 100, 60), shapely.box(200, 0, 220, 20)], height=12.0)
    merged = _merge(source, [blocks])
    assert merged.graph.index("blocks:1") == merged.graph.index("a1")
    assert "blocks:1" not in merged.graph.columns["id"]
    block = merged.graph.node(merged.graph.index("blocks:2"))
    assert (block.kind, block.height, block.area) == ("building", 12.0, 1200.0), "three floors of 400 m²"
    assert block.bbox == (200.0, 0.0, 2.0, 220.0, 20.0, 14.0)
    assert [f.where for f in merged.findings] == ["blocks:1"]
    assert merged.layers[0][0].ids.tolist() == ["2"]
    assert merged.layers[0][1].tolist() == [block.index]


def test_buildings_of_the_map_share_the_parks_meter_by_their_floors_and_surroundings_do_not(source: BuildingSource) -> None:
    blocks = _layer("blocks", "buildings", [shapely.box(200, 0, 220, 20), shapely.box(900, 0, 990, 90)], height=12.0)
    fence = _layer("fence", "boundary", [shapely.box(0, -50, 300, 100)])
    meter = Device(id="M", kind="meter", name="M", at=(150.0, 0.0, 0.0), feeds="park")
    graph = _merge(source, [blocks, fence], [meter]).graph
    floor = areas(graph)
    points = PointTable([meter], load_packs().kinds)
    spec = EnergySpec(meters={})
    accounts = Accounts(meter_tree(meters_of(points, graph, spec), points, graph, spec), graph, floor, spec)
    inside, outside = (accounts.of(graph.index(f"blocks:{k}"), "electricity") for k in (1, 2))
    rooms = floor[graph.index("a1")]
    assert floor[1] == pytest.approx(rooms + 1200.0)
    assert (inside.how, outside.how) == ("share", "none")
    assert inside.weight == {0: pytest.approx(1200.0 / (rooms + 1200.0))}


def test_layer_features_are_nodes_under_the_park(source: BuildingSource) -> None:
    merged = _merge(source, [_layer("roads", "roads", [shapely.LineString([(0, 0), (10, 0)])])])
    road = merged.graph.node(merged.graph.index("roads:1"))
    assert (road.kind, road.cls, road.parent, road.anchor) == ("feature", "roads", 1, (5.0, 0.0, 2.0))


def _device(device_id: str, **values: object) -> Device:
    return Device(id=device_id, kind="smoke", name=device_id, line=7, **values)  # type: ignore[arg-type]


def test_guid_beats_space_beats_position(source: BuildingSource) -> None:
    probe = _merge(source)
    desk = probe.graph.node(_named(probe, "Desk"))
    devices = [
        _device("d1", guid=desk.guid, space="101", at=(0.0, 0.0, 0.0)),
        _device("d2", space="101", building="a1"),
        _device("d3", at=(97.0, 58.0, 2.5)),
        _device("d4", at=(0.0, 0.0, 3.0)),
        _device("d5", building="a1", storey="L2"),
        _device("d6", building="a1", space="office", storey="L1"),
    ]
    merged = _merge(source, devices=devices)
    node = {d: merged.graph.node(merged.graph.index(d)) for d in ("d1", "d2", "d3", "d4", "d5", "d6")}
    office, hall = _named(merged, "102 Office"), _named(merged, "101 Hall")
    assert (node["d1"].parent, node["d1"].element, node["d1"].anchor) == (office, desk.index, (0.0, 0.0, 0.0))
    assert (node["d2"].parent, node["d2"].anchor) == (hall, merged.graph.node(hall).anchor)
    assert (node["d3"].parent, node["d4"].parent) == (office, 1)
    assert (node["d5"].parent, node["d6"].parent) == (_named(merged, "L2"), office)
    assert merged.findings == ()
    assert node["d1"].cls == "smoke"


def test_unbound_devices_are_kept_and_reported(source: BuildingSource) -> None:
    merged = _merge(
        source, devices=[_device("d1", guid="nope"), _device("d2", building="a1", space="999"), _device("d3"), _device("a1")]
    )
    assert [f.what.split("'")[1] for f in merged.findings] == ["d1", "d2", "d3", "a1"]
    assert [f.level for f in merged.findings] == ["warning", "warning", "warning", "error"]
    assert merged.graph.node(merged.graph.index("d2")).parent == merged.graph.index("a1")
    assert all(np.isfinite(merged.graph.node(merged.graph.index(d)).anchor).all() for d in ("d1", "d2", "d3"))


def test_device_of_a_merged_footprint_is_at_the_building_and_feeding_nothing_is_told(source: BuildingSource) -> None:
    blocks = _layer("blocks", "buildings", [shapely.box(94, 50, 100, 60)])
    devices = [_device("d1", building="blocks:1", feeds="blocks:1"), _device("d2", at=(0, 0, 0), feeds="d9")]
    merged = _merge(source, [blocks], devices)
    assert merged.graph.node(merged.graph.index("d1")).parent == merged.graph.index("a1")
    told = [f.what for f in merged.findings if f.level != "note"]
    assert told == ["device 'd2' feeds 'd9', which is no device and nothing else in the park"]


def test_park_reads_back_as_it_was_written_and_twice_the_same_bytes(source: BuildingSource, tmp_path: Path) -> None:
    layer = _layer("roads", "roads", [shapely.LineString([(0, 0), (10, 0)])])
    merged = _merge(source, [layer], [_device("d1", building="a1", space="101")])
    for folder in (tmp_path / "one", tmp_path / "two"):
        write_nodes(folder, merged.graph)
        write_properties(folder, [columns_of(merged.entity_nodes["a1"], source.model.properties)])
        write_spaces(folder, merged.spaces, SPEC.crs, ORIGIN)
        write_layer(folder, *merged.layers[0], SPEC.crs, ORIGIN)
    for name in (NODES, PROPERTIES, SPACES, "layers/roads.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    graph = open_graph(tmp_path / "one")
    for name, column in merged.graph.columns.items():
        np.testing.assert_array_equal(graph.columns[name], column)
    spaces = open_spaces(tmp_path / "one", graph, ORIGIN)
    assert [(s.node, s.storey, s.z0, s.z1) for s in spaces] == [(s.node, s.storey, s.z0, s.z1) for s in merged.spaces]
    assert all(a.polygon.equals_exact(b.polygon, 1e-6) for a, b in zip(spaces, merged.spaces, strict=True))


def test_spaces_on_disk_are_in_the_map_that_any_gis_opens(source: BuildingSource, tmp_path: Path) -> None:
    write_spaces(tmp_path, _merge(source).spaces, SPEC.crs, ORIGIN)
    frame = gpd.read_parquet(tmp_path / SPACES)
    assert frame.crs.to_epsg() == 4549
    assert frame.total_bounds[:2] == pytest.approx([500_094.2, 3_400_050.2], abs=0.01)


def test_properties_are_found_by_node(source: BuildingSource, tmp_path: Path) -> None:
    merged = _merge(source)
    write_properties(tmp_path, [columns_of(merged.entity_nodes["a1"], source.model.properties)])
    assert properties_of(tmp_path, 999_999) == []


def test_point_is_located_in_the_room_of_its_storey(source: BuildingSource) -> None:
    merged = _merge(source)
    index = SpaceIndex(merged.spaces)
    found = index.locate(np.array([[97.0, 52.0, 2.1], [97.0, 58.0, 3.0], [97.0, 58.0, 5.1], [0.0, 0.0, 2.0]]))
    names = merged.graph.columns["name"][found]
    assert names.tolist() == ["101 Hall", "102 Office", "201 Loft", ""]


def test_way_leads_from_upstairs_by_the_stair_and_both_doors_to_the_path(source: BuildingSource, tmp_path: Path) -> None:
    path = _layer("paths", "paths", [shapely.LineString([(110, 40), (110, 60)]), shapely.LineString([(110, 60), (300, 60)])])
    merged = _merge(source, [path])
    graph, findings = build_walk(merged, {"a1": source}, FlatGround(2.0))
    assert findings == ()
    start = graph.points_of(_named(merged, "201 Loft"))[0]
    end = int(graph.nearest(np.array([300.0, 60.0, 2.0])))
    rows = graph.route_rows(int(start), end)
    assert rows is not None
    kinds = [str(k) for k in graph.kind[rows]]
    assert kinds.count("stair") == 2
    assert kinds.count("entrance") == 1
    office = graph.route_rows(int(graph.points_of(_named(merged, "102 Office"))[0]), end)
    assert office is not None
    assert [str(k) for k in graph.kind[office] if k in ("door", "entrance")] == ["door", "entrance"]
    write_walk(tmp_path, graph)
    again = open_walk(tmp_path)
    assert np.array_equal(again.edge, graph.edge)
    np.testing.assert_array_equal(again.xyz, graph.xyz)


def test_building_whose_front_door_is_gone_reports_its_rooms(source: BuildingSource) -> None:
    merged = _merge(source)
    _, findings = build_walk(merged, {"a1": source}, FlatGround(-50.0))  # no door is at the ground
    assert [f.count for f in findings] == [3]


def test_entrance_is_joined_round_the_building_not_through_it(source: BuildingSource) -> None:
    behind, before = shapely.LineString([(92, 40), (92, 70)]), shapely.LineString([(110, 40), (110, 60)])
    graph, _ = build_walk(_merge(source, [_layer("paths", "paths", [behind, before])]), {"a1": source}, FlatGround(2.0))
    [door] = np.flatnonzero(graph.kind == "entrance")
    assert abs(graph.xyz[door, 0] - 92) < abs(graph.xyz[door, 0] - 110)  # the path behind is nearer, through the walls
    joined = {int(a if b == door else b) for a, b in graph.edge if door in (a, b)}
    assert [float(graph.xyz[k, 0]) for k in joined if graph.kind[k] == "road"] == [110.0]


def test_building_no_path_comes_near_to_is_told(source: BuildingSource) -> None:
    merged = _merge(source, [_layer("paths", "paths", [shapely.LineString([(300, 0), (300, 60)])])])
    _, findings = build_walk(merged, {"a1": source}, FlatGround(2.0))
    assert [(f.where, "the nearest is 200 m off" in f.what) for f in findings] == [("a1", True)]


def test_entrance_of_the_map_opens_a_building_without_an_outer_door(tmp_path: Path) -> None:
    maker = Maker()
    made = two_rooms(maker)
    maker.file.remove(made["front door"])
    maker.box("IfcWall", (0, 5.8, 0), (10, 0.2, 2.8), made["L1"])
    maker.box("IfcWall", (0, 0, 0), (0.2, 6, 2.8), made["L1"])
    maker.box("IfcWall", (9.8, 0, 0), (0.2, 6, 2.8), made["L1"])
    model = BuildingSource(model=federate([read_discipline(maker.write(tmp_path / "a1.ifc"))]), park_from_ifc=PARK_FROM_IFC)
    paths = _layer("paths", "paths", [shapely.LineString([(110, 40), (110, 60)])])
    way_in = _layer("ways_in", "entrances", [shapely.Point(100.3, 57.0), shapely.Point(130, 57.0)])
    shut = build_walk(_merge(model, [paths]), {"a1": model}, FlatGround(2.0))
    opened = build_walk(_merge(model, [paths, way_in]), {"a1": model}, FlatGround(2.0))
    assert [f.count for f in shut[1]] == [3]
    assert opened[1] == ()
    graph = opened[0]
    [door] = np.flatnonzero(graph.kind == "entrance")
    office, street = graph.points_of(_named(_merge(model, [paths]), "102 Office"))[0], graph.nearest(np.array([110, 40, 2]))
    assert graph.xyz[door] == pytest.approx((100.3, 57.0, 2.0))
    assert door in (graph.route_rows(int(office), int(street)) or [])


def test_two_models_in_one_place_are_told(source: BuildingSource) -> None:
    spec = replace(SPEC, buildings=(*SPEC.buildings, BuildingSpec(id="a2", ifc=(Path("b.ifc"),), placement=None)))
    merged = merge(spec, {"a1": source, "a2": source}, [], [], FlatGround(2.0))
    assert [f.what.split(" (")[0] for f in merged.findings] == ["buildings 'a1' and 'a2' stand in one place"]


def test_building_of_two_layers_is_drawn_once_and_keeps_both_attributes(source: BuildingSource, tmp_path: Path) -> None:
    far = shapely.box(900, 900, 920, 915)
    osm = _layer("osm", "buildings", [far.buffer(-0.5), shapely.box(950, 900, 960, 910)])
    survey = replace(_layer("survey", "buildings", [far]), properties={"owner": np.array(["Anna"], dtype=object)})
    osm = replace(osm, properties={"roof": np.array(["flat", "flat"], dtype=object)})
    merged = _merge(source, [survey, osm])
    assert [len(layer) for layer, _ in merged.layers] == [1, 1]
    write_properties(tmp_path, [layer_columns(*pair) for pair in [*merged.layers, *merged.absorbed]])
    told = properties_of(tmp_path, merged.graph.index("survey:1"))
    assert sorted(told) == [("osm", "roof", "flat", ""), ("survey", "owner", "Anna", "")]
    assert "1 is survey:1" in merged.findings[-1].what


def test_building_entered_twice_in_a_layer_is_drawn_once(source: BuildingSource) -> None:
    twice = _layer("survey", "buildings", [shapely.box(900, 900, 920, 915), shapely.box(900, 900, 920.2, 915)])
    merged = _merge(source, [twice])
    assert next(n for _, n in merged.layers).tolist() == merged.absorbed[0][1].tolist()
    assert merged.findings[-1].what.startswith("layer 'survey': two buildings in one place")
