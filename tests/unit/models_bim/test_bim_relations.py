"""Systems, zones, types, materials, classes, ports and flow, as the files say them."""

from pathlib import Path

import ifcopenshell
import pytest
from ifc_maker import Maker

from models_bim.federate import federate
from models_bim.model import BimModel
from models_bim.worker import read_discipline

Entity = ifcopenshell.entity_instance


def _read(*makers: Maker, folder: Path) -> BimModel:
    return federate([read_discipline(m.write(folder / f"d{k}.ifc")) for k, m in enumerate(makers)])


def _said(model: BimModel, *kinds: str) -> set[tuple[str, str, str, str, str]]:
    """Relations by the names of what they relate."""
    name, r = ["", *model.entities.name], model.relations
    group = [*(g.name for g in model.groups), ""]
    return {(r.kind[k], name[r.a[k] + 1], name[r.b[k] + 1], group[r.group[k]], r.value[k])
            for k in range(len(r)) if not kinds or r.kind[k] in kinds}


def _pipe(maker: Maker, name: str, storey: Entity, cls: str = "IfcPipeSegment") -> Entity:
    if maker.file.schema == "IFC2X3":
        cls = "IfcFlowSegment"
    return maker.box(cls, (0, 0, 0), (1, 0.1, 0.1), storey, Name=name)


def _port(maker: Maker, of: Entity, way: str | None, **more: object) -> Entity:
    port = maker.root("IfcDistributionPort", FlowDirection=way, **more)
    if maker.file.schema == "IFC2X3":
        maker.root("IfcRelConnectsPortToElement", RelatingPort=port, RelatedElement=of)
    else:
        maker.root("IfcRelNests", RelatingObject=of, RelatedObjects=[port])
    return port


def _join(maker: Maker, one: Entity, other: Entity) -> None:
    maker.root("IfcRelConnectsPorts", RelatingPort=one, RelatedPort=other)


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4", "IFC4X3_ADD2"])
@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("SOURCE", "SINK", ("feeds", "A", "B")),
        ("SINK", "SOURCE", ("feeds", "B", "A")),
        ("SOURCE", None, ("feeds", "A", "B")),
        ("SOURCEANDSINK", "SOURCE", ("feeds", "B", "A")),
        ("SOURCEANDSINK", "SOURCEANDSINK", ("connects", "A", "B")),
        ("SOURCE", "SOURCE", ("connects", "A", "B")),
        (None, None, ("connects", "A", "B")),
    ],
)
def test_connected_ports_say_which_element_feeds_which(
    tmp_path: Path, schema: str, one: str | None, other: str | None, said: tuple[str, str, str]
) -> None:
    maker = Maker(schema=schema)
    storey = maker.storey("L1", 0.0)
    a, b = _pipe(maker, "A", storey), _pipe(maker, "B", storey)
    _join(maker, _port(maker, a, one), _port(maker, b, other))
    model = _read(maker, folder=tmp_path)
    assert {row[:3] for row in _said(model, "feeds", "connects")} == {said}
    assert any("both give" in f.what for f in model.findings) == (one == other == "SOURCE")


def test_flow_carries_its_medium_and_the_system_both_ends_share(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    chiller, pump, coil = (_pipe(maker, n, storey) for n in ("Chiller", "Pump", "Coil"))
    medium = {"SystemType": "CHILLEDWATER"}
    _join(maker, _port(maker, chiller, "SOURCE", **medium), _port(maker, pump, "SINK", **medium))
    _join(maker, _port(maker, pump, "SOURCE"), _port(maker, coil, "SINK"))
    system = maker.root("IfcDistributionSystem", Name="CHW", LongName="Chilled water", PredefinedType="CHILLEDWATER")
    maker.root("IfcRelAssignsToGroup", RelatingGroup=system, RelatedObjects=[chiller, pump])
    model = _read(maker, folder=tmp_path)
    assert _said(model, "feeds") == {("feeds", "Chiller", "Pump", "CHW", "CHILLEDWATER"), ("feeds", "Pump", "Coil", "", "")}
    assert _said(model, "system") == {("system", "Chiller", "", "CHW", ""), ("system", "Pump", "", "CHW", "")}
    chw = next(g for g in model.groups if g.kind == "system")
    assert (chw.label, chw.predefined, chw.cls) == ("Chilled water", "CHILLEDWATER", "IfcDistributionSystem")


def test_a_port_put_into_a_system_speaks_for_its_element(tmp_path: Path) -> None:
    maker = Maker()
    pipe = _pipe(maker, "A", maker.storey("L1", 0.0))
    port = _port(maker, pipe, "SOURCE")
    maker.root("IfcRelAssignsToGroup", RelatingGroup=maker.root("IfcSystem", Name="S"), RelatedObjects=[port])
    assert _said(_read(maker, folder=tmp_path), "system") == {("system", "A", "", "S", "")}


def test_loose_ports_are_counted(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    a, b = _pipe(maker, "A", storey), _pipe(maker, "B", storey)
    _join(maker, _port(maker, a, "SOURCE"), _port(maker, b, "SINK"))
    _port(maker, b, "SOURCE")
    found = next(f for f in _read(maker, folder=tmp_path).findings if "connected to nothing" in f.what)
    assert found.count == 1


def test_systems_nest_serve_places_and_zones_hold_rooms(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    room = maker.box("IfcSpace", (0, 0, 0), (4, 4, 3), storey, Name="101")
    whole, part = maker.root("IfcSystem", Name="Air"), maker.root("IfcSystem", Name="Air east")
    maker.root("IfcRelAssignsToGroup", RelatingGroup=whole, RelatedObjects=[part])
    maker.root("IfcRelAssignsToGroup", RelatingGroup=part, RelatedObjects=[whole])  # a loop: the first one stands
    maker.root("IfcRelServicesBuildings", RelatingSystem=whole, RelatedBuildings=[maker.building, storey])
    zone = maker.root("IfcZone", Name="Fire compartment 1")
    maker.root("IfcRelAssignsToGroup", RelatingGroup=zone, RelatedObjects=[room])
    model = _read(maker, folder=tmp_path)
    assert {(g.name, g.parent != "") for g in model.groups if g.kind == "system"} == {("Air", False), ("Air east", True)}
    assert {row[2:4] for row in _said(model, "serves")} == {("Tower", "Air"), ("L1", "Air")}
    assert _said(model, "zone") == {("zone", "101", "", "Fire compartment 1", "")}


def test_what_a_type_says_holds_for_things_that_say_nothing(tmp_path: Path) -> None:
    maker = Maker(unit="mm")
    storey = maker.storey("L1", 0.0)
    plain, own = (maker.box("IfcWall", (k, 0, 0), (1, 0.2, 3), storey, Name=n) for k, n in enumerate(("Plain", "Own")))
    kind = maker.root("IfcWallType", Name="W200", PredefinedType="STANDARD")
    maker.root("IfcRelDefinesByType", RelatedObjects=[plain, own], RelatingType=kind)
    brick, steel = maker.new("IfcMaterial", Name="Brick"), maker.new("IfcMaterial", Name="Steel")
    layers = [maker.new("IfcMaterialLayer", Material=m, LayerThickness=t) for m, t in ((brick, 115.0), (steel, 2.5))]
    layer_set = maker.new("IfcMaterialLayerSet", MaterialLayers=layers)
    maker.root("IfcRelAssociatesMaterial", RelatedObjects=[kind], RelatingMaterial=layer_set)
    maker.root("IfcRelAssociatesMaterial", RelatedObjects=[own], RelatingMaterial=steel)
    table = maker.new("IfcClassification", Name="Uniclass", Source="NBS")
    code = maker.new("IfcClassificationReference", Identification="Ss_25", Name="Walls", ReferencedSource=table)
    maker.root("IfcRelAssociatesClassification", RelatedObjects=[kind], RelatingClassification=code)
    model = _read(maker, folder=tmp_path)
    assert _said(model, "material") == {
        ("material", "Plain", "", "Brick", "115 mm"), ("material", "Plain", "", "Steel", "2.5 mm"),
        ("material", "Own", "", "Steel", "")}
    assert _said(model, "classification") == {("classification", n, "", "Ss_25", "") for n in ("Plain", "Own")}
    assert {(g.key, g.parent) for g in model.groups if g.kind == "classification"} == {
        ("class:Uniclass", ""), ("class:Uniclass:Ss_25", "class:Uniclass")}


def test_doors_fill_walls_and_walls_bound_rooms(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    wall = maker.box("IfcWall", (0, 0, 0), (5, 0.2, 3), storey, Name="W")
    door = maker.box("IfcDoor", (1, 0, 0), (1, 0.2, 2), storey, Name="D")
    maker.opening(wall, (1, 0, 0), (1, 0.2, 2), door)
    room = maker.box("IfcSpace", (0, 0.2, 0), (4, 4, 3), storey, Name="101")
    maker.root("IfcRelSpaceBoundary", RelatingSpace=room, RelatedBuildingElement=wall,
               PhysicalOrVirtualBoundary="PHYSICAL", InternalOrExternalBoundary="EXTERNAL")
    assert _said(_read(maker, folder=tmp_path)) >= {("fills", "D", "W", "", ""), ("bounds", "W", "101", "", "EXTERNAL")}


def test_a_system_that_two_files_name_is_one_system(tmp_path: Path) -> None:
    makers = Maker(), Maker()
    for k, maker in enumerate(makers):
        pipe = _pipe(maker, f"P{k}", maker.storey("L1", 0.0))
        pipe.GlobalId = ifcopenshell.guid.compress(f"{k + 7:032x}")
        system = maker.root("IfcSystem", "0000000000000000000sys", Name="Heating")
        maker.root("IfcRelAssignsToGroup", RelatingGroup=system, RelatedObjects=[pipe])
    model = _read(*makers, folder=tmp_path)
    assert len([g for g in model.groups if g.kind == "system"]) == 1
    assert {row[1] for row in _said(model, "system")} == {"P0", "P1"}


def test_relations_with_nothing_at_one_end_are_harmless(tmp_path: Path) -> None:
    maker = Maker(schema="IFC2X3")
    pipe = _pipe(maker, "A", maker.storey("L1", 0.0))
    port = _port(maker, pipe, None)
    for cls, given in (
        ("IfcRelAssignsToGroup", {"RelatedObjects": [pipe]}), ("IfcRelConnectsPorts", {"RelatingPort": port}),
        ("IfcRelAssociatesMaterial", {"RelatedObjects": [pipe]}), ("IfcRelSpaceBoundary", {"RelatedBuildingElement": pipe}),
        ("IfcRelAssociatesClassification", {"RelatedObjects": [pipe]}), ("IfcRelServicesBuildings", {}),
        ("IfcRelFillsElement", {"RelatedBuildingElement": pipe}), ("IfcRelFlowControlElements", {}),
    ):
        maker.root(cls, **given)
    assert _said(_read(maker, folder=tmp_path)) == set()
