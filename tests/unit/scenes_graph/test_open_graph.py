"""`Park.open(DIR).graph` over a park built of an IFC with ports and systems, a registry and a map."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import ifcopenshell
import pytest
import shapely

from parktwin import Park
from scenes.compile import compile_park
from twin.park_graph import NotInGraph
from twin.parkfile import load_park

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models_bim"))
from ifc_maker import Maker, two_rooms

PARK = """[park]
id = "p"
name = "Park"
crs = "EPSG:4549"
origin = [500000.0, 3400000.0, 0.0]
registry = "devices.csv"
[[building]]
id = "a1"
ifc = "a1.ifc"
name = "Hall A1"
placement = { at = [100.0, 50.0, 0.0] }
[[layer]]
id = "blocks"
source = "blocks.geojson"
kind = "buildings"
crs = "park"
[[layer]]
id = "paths"
source = "paths.geojson"
kind = "paths"
crs = "park"
"""


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("graph")
    maker = Maker()
    made = two_rooms(maker)
    kinds = (("IfcPump", "Pump"), ("IfcPipeSegment", "Pipe"), ("IfcUnitaryEquipment", "Unit"))
    plant = [maker.box(cls, (7 + k * 0.6, 4, 1), (0.4, 0.4, 0.4), made["L1"], Name=name)
             for k, (cls, name) in enumerate(kinds)]
    for one, other in itertools.pairwise(plant):
        ends = [maker.root("IfcDistributionPort", FlowDirection=way) for way in ("SOURCE", "SINK")]
        maker.root("IfcRelNests", RelatingObject=one, RelatedObjects=[ends[0]])
        maker.root("IfcRelNests", RelatingObject=other, RelatedObjects=[ends[1]])
        maker.root("IfcRelConnectsPorts", RelatingPort=ends[0], RelatedPort=ends[1])
    system = maker.root("IfcDistributionSystem", Name="Chilled water")
    maker.root("IfcRelAssignsToGroup", RelatedObjects=plant, RelatingGroup=system)
    cooling = maker.root("IfcDistributionSystem", Name="Cooling")
    maker.root("IfcRelAssignsToGroup", RelatedObjects=[system], RelatingGroup=cooling)
    maker.root("IfcRelServicesBuildings", RelatingSystem=system, RelatedBuildings=[made["L2"]])
    maker.write(root / "a1.ifc")
    guid = {e.Name: e.GlobalId for e in ifcopenshell.open(root / "a1.ifc").by_type("IfcDistributionElement")}
    (root / "devices.csv").write_text(
        "id,kind,name,building,storey,space,guid,x,y,z,feeds\n"
        f"PMP,pump,Pump,a1,,,{guid['Pump']},,,,\n"
        f"AHU,ahu,Unit,a1,,,{guid['Unit']},,,,a1\n"
        "DB,panel,Board,a1,L1,102,,,,,PMP\n"
        "CAM,camera,Camera,a1,L1,101,,,,,\n"
        "SMK,smoke,Smoke,a1,L1,101,,,,,\n", "utf-8")
    _write(root / "blocks.geojson", {"1": shapely.box(100, 50, 110, 56)})
    _write(root / "paths.geojson", {"1": shapely.LineString([(80, 45), (130, 45)])})
    (root / "park.toml").write_text(PARK, "utf-8")
    compile_park(load_park(root), jobs=1)
    return root


def _write(path: Path, shapes: dict[str, shapely.Geometry]) -> None:
    features = ",".join(f'{{"type": "Feature", "id": {key}, "properties": {{}}, "geometry": {shapely.to_geojson(shape)}}}'
                        for key, shape in shapes.items())
    path.write_text(f'{{"type": "FeatureCollection", "features": [{features}]}}', "utf-8")


def test_flow_of_the_model_and_feeds_of_the_registry_are_one_net(park: Path) -> None:
    graph = Park.open(park).graph
    [pipe] = graph.inside("a1", "IfcPipeSegment")
    assert graph.feeds("PMP") == [pipe]  # through the element the pump is bound to
    assert graph.feeds("DB", deep=True) == ["PMP", pipe, "AHU", "a1"]
    assert graph.fed_by("AHU", deep=True) == [pipe, "PMP", "DB"]
    assert graph.serves("DB") == ["a1"]


def test_system_serves_the_place_it_is_said_to_and_its_members_do(park: Path) -> None:
    graph = Park.open(park).graph
    cooling, system = sorted(graph.systems("PMP"), key=lambda s: s.name == "Chilled water")
    assert graph.members(cooling.id) == graph.members(system.id)  # a part of a system is in the whole
    [upper] = [s for s in graph.inside("a1", "storey") if graph.node(s).name == "L2"]
    [loft] = graph.inside(upper, "space")
    assert (system.name, system.kind) == ("Chilled water", "system")
    assert set(graph.members(system.id)) == {"PMP", "AHU", *graph.inside("a1", "IfcPipeSegment")}
    assert set(graph.serves(system.id)) == {upper, "a1"}
    assert set(graph.serves("PMP")) == {upper, "a1"}
    assert {system.id, "PMP", "AHU", "DB"} <= set(graph.served_by(loft))


def test_footprint_of_the_map_answers_for_the_building_with_the_model(park: Path) -> None:
    graph = Park.open(park).graph
    assert graph.node("blocks:1").id == "a1"
    assert graph.inside("blocks:1", "space") == graph.inside("a1", "space")


def test_camera_sees_its_room_and_the_way_leads_in_from_the_path(park: Path) -> None:
    graph = Park.open(park).graph
    [hall] = [s for s in graph.inside("a1", "space") if graph.node(s).name.startswith("101")]
    assert [s.id for s in graph.sees("CAM")] == [hall, "SMK"]
    assert graph.seen_by(hall) == ["CAM"]
    [loft] = [s for s in graph.inside("a1", "space") if graph.node(s).name.startswith("201")]
    way, rolled = graph.path((80.0, 45.0, 0.0), loft), graph.path((80.0, 45.0, 0.0), loft, "wheelchair")
    assert way is not None
    assert way.passed[-1] == loft
    assert rolled is None  # a stair and no lift
    assert graph.path((80.0, 45.0, 0.0), hall, "wheelchair") is not None


def test_build_folder_alone_tells_what_it_misses(park: Path, tmp_path: Path) -> None:
    (tmp_path / "build").symlink_to(park / "build")
    opened = Park.open(tmp_path / "build")
    assert len(opened.nodes) > 10
    with pytest.raises(Exception, match=r"park\.toml"):
        _ = opened.graph
    with pytest.raises(NotInGraph):
        Park.open(park).graph.sees("nobody")
