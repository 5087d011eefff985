"""What is bound, unbound, ambiguous and never heard of: registry rows, elements, Brick; and what may be written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from connectors.browse.binding import Binding, new_rows, of_brick, of_elements, of_registry, rooms_called
from connectors.browse.files import add_devices
from models_bim.brick import read_brick
from models_bim.device_classes import device_classes
from twin.errors import ParkFileError, SourceError
from twin.graph import SceneGraph
from twin.packs import load_packs
from twin.registry import Device, read_registry

PACKS = load_packs()
#: id, kind, parent, class, guid, name
NODES = [("park", "park", "", "", "", "Park"), ("b", "building", "park", "", "", "B"), ("c", "building", "park", "", "", "C"),
         ("b:s1", "storey", "b", "", "", "1F"), ("c:s1", "storey", "c", "", "", "1F"),
         ("b:r1", "space", "b:s1", "", "GUIDR1", "101"), ("b:r2", "space", "b:s1", "", "GUIDR2", "102 Office"),
         ("c:r1", "space", "c:s1", "", "GUIDC1", "101"),
         ("b:e1", "element", "b:r1", "IfcSensor", "GUIDE1", "Detector"),
         ("b:e2", "element", "b:r1", "IfcSensor", "GUIDE2", "Sensor 2"),
         ("b:e3", "element", "b:r1", "IfcPump", "GUIDE3", "Pump"),
         ("b:e4", "element", "b:r1", "IfcSensor", "GUIDE4", "Thing"),
         ("b:e5", "element", "b:r1", "IfcActuator", "GUIDE5", "Damper"),
         ("b:e6", "element", "b:r1", "IfcPipeSegment", "G6", "Pipe"),
         ("b:e7", "element", "b:r1", "IfcWall", "G7", "Wall")]
DEVICES = [Device(id="D1", kind="pump", name="D1", guid="GUIDE3"), Device(id="D2", kind="env_sensor", name="D2", space="102"),
           Device(id="D3", kind="smoke", name="D3", space="999"), Device(id="D4", kind="smoke", name="D4"),
           Device(id="D5", kind="gate", name="D5", at=(1.0, 2.0, 0.0)),
           Device(id="D6", kind="smoke", name="D6", guid="NOSUCH")]
AT = {"D1": "b:r1", "D2": "b:r2", "D3": "park", "D4": "park", "D5": "park", "D6": "park"}
TTL = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix x: <http://x#> .
x:Room101 a brick:Room ; brick:isPartOf x:Floor1 . x:Room102 a brick:Room . x:Room77 a brick:Room .
x:Floor1 a brick:Floor .
x:AHU-1 a brick:AHU ; brick:feeds x:FCU-9 ; brick:hasPoint x:sat .
x:FCU-9 a brick:FCU ; brick:hasLocation x:Room102 .
x:sat a brick:Supply_Air_Temperature_Sensor .
x:VAV-3 a brick:VAV ; brick:feeds x:Z ; brick:hasPoint x:zt .
x:Z a brick:HVAC_Zone ; brick:hasPart x:Room101 . x:zt a brick:Zone_Air_Temperature_Sensor .
x:CH a brick:Chiller ; brick:hasLocation x:Room77 .
x:Odd a brick:Widget . x:lost a brick:Humidity_Sensor . x:D1 a brick:Pump .
"""


def graph() -> SceneGraph:
    rows = [("", "none", "", "", "", ""), *NODES, *((d.id, "device", AT[d.id], d.kind, "", d.name) for d in DEVICES)]
    index = {row[0]: k for k, row in enumerate(rows)}
    columns = {name: np.array([row[k] for row in rows], object) for k, name in
               enumerate(("id", "kind", "parent_id", "cls", "guid", "name"))}
    element = np.zeros(len(rows), np.uint32)
    element[index["D1"]] = index["b:e3"]
    return SceneGraph({**columns, "parent": np.array([index.get(row[2], 0) for row in rows], np.uint32), "element": element})


def by_name(found: list[Binding]) -> dict[str, Binding]:
    return {one.name: one for one in found}


def test_registry_rows_are_told_by_what_binds_them_or_what_they_name_in_vain() -> None:
    found = by_name(of_registry(DEVICES, graph()))
    assert {name: (one.state, one.by) for name, one in found.items()} == {
        "D1": ("bound", "guid"), "D2": ("bound", "space"), "D3": ("unknown", ""), "D4": ("unbound", ""),
        "D5": ("bound", "coordinate"), "D6": ("unknown", "")}
    assert "999" in found["D3"].why
    assert "NOSUCH" in found["D6"].why


def test_elements_take_the_kind_their_type_speaks_for_and_several_are_ambiguous() -> None:
    g = graph()
    told = {g.index("b:e1"): "SMOKESENSOR", g.index("b:e2"): "CO2SENSOR"}
    found = by_name(of_elements(g, told, PACKS.kinds, device_classes()))
    assert (found["Detector"].state, found["Detector"].kind) == ("unbound", "smoke")
    assert found["Sensor 2"].kind == "env_sensor"
    assert found["Pump"].state == "bound"
    assert found["Thing"].state == "ambiguous"
    assert {"smoke", "env_sensor"} <= set(found["Thing"].candidates)
    assert "IfcActuator" in found["Damper"].why
    assert not {"Pipe", "Wall"} & set(found)
    assert found["Detector"].row["guid"] == "GUIDE1"


def test_brick_things_find_kind_room_points_and_what_they_feed(tmp_path: Path) -> None:
    path = tmp_path / "b.ttl"
    path.write_text(TTL, encoding="utf-8")
    g = graph()
    found = by_name(of_brick(read_brick(path), DEVICES, g, PACKS.kinds))
    assert found["FCU-9"].row["guid"] == "GUIDR2"
    assert found["AHU-1"].row["feeds"] == "FCU-9"
    assert found["D1"].state == "bound"
    assert (found["VAV-3"].state, found["VAV-3"].kind) == ("ambiguous", "env_sensor")
    assert set(found["VAV-3"].candidates) == {"b:r1", "c:r1"}
    assert found["CH"].state == found["Odd"].state == found["lost"].state == "unknown"
    assert found["CH"].candidates == ("Room77",)
    inside = by_name(of_brick(read_brick(path), DEVICES, g, PACKS.kinds, g.index("b")))
    assert inside["VAV-3"].row["guid"] == "GUIDR1"
    assert ("temp", "zt") in inside["VAV-3"].points
    assert inside["AHU-1"].row["building"] == "b"


def placed(elements: dict[str, tuple[str, tuple[float, float, float]]], devices: list[tuple[Device, str]]) -> SceneGraph:
    """Elements (name → storey, middle; 0.2 m wide) and devices with their storeys."""
    rows = [("", "none", "", "", ""), ("park", "park", "", "", ""), ("b", "building", "park", "", ""),
            ("b:s1", "storey", "b", "", ""), ("b:s2", "storey", "b", "", ""),
            *((name, "element", storey, "IfcSensor", f"G{name}") for name, (storey, _) in elements.items()),
            *((device.id, "device", storey, device.kind, "") for device, storey in devices)]
    index = {row[0]: k for k, row in enumerate(rows)}
    columns = {name: np.array([row[k] for row in rows], object) for k, name in enumerate(("id", "kind", "p", "cls", "guid"))}
    box = np.full((len(rows), 6), np.nan)
    for name, (_, at) in elements.items():
        box[index[name]] = [*(v - 0.1 for v in at), *(v + 0.1 for v in at)]
    return SceneGraph({**columns, "name": columns["id"], "bbox": box, "element": np.zeros(len(rows), np.uint32),
                       "parent": np.array([index.get(row[2], 0) for row in rows], np.uint32)})


def test_things_are_found_by_coordinate_on_their_storey_and_a_tie_is_ambiguous(tmp_path: Path) -> None:
    def smoke(name: str, x: float, y: float, z: float, kind: str = "smoke") -> Device:
        return Device(id=name, kind=kind, name=name, at=(x, y, z))

    devices = [(smoke("NEAR", 0.4, 0, 3), "b:s1"), (smoke("FAR", 0, 0.9, 3), "b:s1"), (smoke("ABOVE", 10, 0, 3.3), "b:s2"),
               (smoke("PUMP", 20, 0, 3, "pump"), "b:s1"), (smoke("L", 29.6, 0, 3), "b:s1"), (smoke("R", 30.45, 0, 3), "b:s1"),
               (smoke("OUT", 42.0, 0, 3), "b:s1"), (smoke("MID", 50.4, 0, 3), "b:s1"), (smoke("TAKEN", 60.3, 0, 3), "b:s1")]
    elements = {"near": ("b:s1", (0.0, 0, 3)), "above": ("b:s1", (10.0, 0, 3)), "pump": ("b:s1", (20.0, 0, 3)),
                "tie": ("b:s1", (30.0, 0, 3)), "out": ("b:s1", (40.0, 0, 3)), "one": ("b:s1", (50.0, 0, 3)),
                "two": ("b:s1", (50.8, 0, 3)), "nearer": ("b:s1", (60.0, 0, 3)), "further": ("b:s1", (60.9, 0, 3))}
    g = placed(elements, devices)
    told = {g.index(name): "SMOKESENSOR" for name in elements}
    found = by_name(of_elements(g, told, PACKS.kinds, device_classes(), [device for device, _ in devices]))
    assert {name: one.state for name, one in found.items()} == {
        "near": "bound", "above": "unbound", "pump": "unbound", "tie": "ambiguous", "out": "unbound", "one": "ambiguous",
        "two": "ambiguous", "nearer": "bound", "further": "unbound"}
    assert found["near"].by == "coordinate of NEAR, 0.30 m"
    assert found["tie"].candidates == ("L", "R")
    assert found["one"].candidates == found["two"].candidates == ("MID",)
    rows = new_rows(found.values(), [device for device, _ in devices])
    assert sorted(row["name"] for row in rows) == ["above", "further", "out", "pump"]


def test_brick_things_are_found_by_their_degrees_and_floor(tmp_path: Path) -> None:
    path = tmp_path / "b.ttl"
    path.write_text(TTL + """
x:S1 a brick:Pump ; brick:coordinates [ brick:latitude [ brick:value 30.0 ] ; brick:longitude [ brick:value 120.0 ] ] .
x:S2 a brick:Pump ; brick:latitude 33.0 ; brick:longitude 120.0 . x:S3 a brick:Pump ; brick:latitude "north" .
""", encoding="utf-8")
    device = Device(id="P", kind="pump", name="Somebody's", at=(0.0, 0.5, 0.0))
    g = placed({}, [(device, "b:s1")])
    found = by_name(of_brick(read_brick(path), [device], g, PACKS.kinds, 0, lambda east, north: (east - 120, north - 30)))
    assert (found["S1"].state, found["S1"].by) == ("bound", "coordinate of P, 0.50 m")
    assert found["S2"].state == found["S3"].state == "unbound"


def test_asked_again_nothing_is_written_twice(tmp_path: Path) -> None:
    registry, g = tmp_path / "devices.csv", graph()
    told = {g.index("b:e1"): "SMOKESENSOR", g.index("b:e2"): "CO2SENSOR"}
    by_hand = "id,kind,name,building,guid\nb-smoke-GUIDE1,no_such_kind,Mine,b,\nD1,pump,D1,,GUIDE3\n"
    registry.write_text(by_hand, encoding="utf-8")

    def ask() -> str:
        devices = read_registry(registry, PACKS).devices
        add_devices(registry, new_rows(of_elements(g, told, PACKS.kinds, device_classes(), devices), devices))
        return registry.read_text("utf-8")

    first = ask()
    assert first.count("GUIDE2") == 2, "once as id, once as GUID"
    assert first.count("b-smoke-GUIDE1") == 1, "a line that cannot be used is still there"
    assert ask() == ask() == first
    registry.write_text("id,kind,name,building\n", encoding="utf-8")
    with pytest.raises(ParkFileError, match="no column 'guid'"):
        ask()


def test_rows_are_added_below_and_nothing_written_by_hand_changes(tmp_path: Path) -> None:
    path, registry = tmp_path / "b.ttl", tmp_path / "devices.csv"
    path.write_text(TTL, encoding="utf-8")
    by_hand = "id,kind,name,building,space,guid,feeds\n# mine\nFCU-9,fcu,Mine,b,,,\n"
    registry.write_text(by_hand, encoding="utf-8")
    g = graph()
    found = of_brick(read_brick(path), DEVICES, g, PACKS.kinds, g.index("b"))
    rows = new_rows(found, [*DEVICES, Device(id="FCU-9", kind="fcu", name="Mine")])
    assert {row["id"] for row in rows} == {"AHU-1", "VAV-3"}
    assert [row["id"] for row in new_rows(found, DEVICES, ["ahu"])] == ["AHU-1"]
    add_devices(registry, rows)
    assert registry.read_text("utf-8").startswith(by_hand)
    assert {device.id for device in read_registry(registry, PACKS).devices} == {"FCU-9", "AHU-1", "VAV-3"}


@pytest.mark.parametrize("text", ["not turtle at all {", "@prefix a: <x> . a:b c:d e:f ."])
def test_a_file_that_is_no_turtle_says_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ttl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="Turtle"):
        read_brick(path)


@pytest.mark.shared
def test_real_brick_models_give_their_rooms_sensors_and_air_handlers() -> None:
    folder = Path(os.environ.get("PARKTWIN_SHARED", Path(__file__).parents[4] / "shared")) / "data" / "brick"
    if not (folder / "soda_brick.ttl").is_file():
        pytest.skip("no real Brick models: point PARKTWIN_SHARED to them")
    g = graph()
    soda = of_brick(read_brick(folder / "soda_brick.ttl"), (), g, PACKS.kinds, g.index("c"))
    assert sum(one.kind == "ahu" for one in soda) == 5
    assert sum(one.kind == "env_sensor" and bool(one.points) for one in soda) > 200
    rice = read_brick(folder / "rice_brick.ttl")
    assert sum(len(thing.points) for thing in rice.things) > 250
    assert rooms_called(("Room101",), (), g, g.index("c")) == [g.index("c:r1")]
