"""Relations of a park on disk: between its nodes, the same bytes for the same park."""

import sys
from pathlib import Path

import numpy as np

from models_bim.federate import federate
from models_bim.worker import read_discipline
from scenes.merge import BuildingSource, Merged, merge
from scenes.relations import GROUPS, RELATIONS, Related, open_relations, write_relations
from twin.park import BuildingSpec, ParkSpec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models_bim"))
from ifc_maker import Maker


def _source(folder: Path, name: str) -> BuildingSource:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    pump, coil = (maker.box("IfcPump", (k, 0, 0), (1, 1, 1), storey, Name=n) for k, n in enumerate(("Pump", "Coil")))
    ports = [maker.root("IfcDistributionPort", FlowDirection=way) for way in ("SOURCE", "SINK")]
    for port, thing in zip(ports, (pump, coil), strict=True):
        maker.root("IfcRelNests", RelatingObject=thing, RelatedObjects=[port])
    maker.root("IfcRelConnectsPorts", RelatingPort=ports[0], RelatedPort=ports[1])
    system = maker.root("IfcSystem", Name=f"Heating {name}")
    maker.root("IfcRelAssignsToGroup", RelatingGroup=system, RelatedObjects=[pump, coil])
    maker.root("IfcRelServicesBuildings", RelatingSystem=system, RelatedBuildings=[maker.building])
    steel = maker.new("IfcMaterial", Name="钢 Steel")
    maker.root("IfcRelAssociatesMaterial", RelatedObjects=[pump, coil], RelatingMaterial=steel)
    return BuildingSource(model=federate([read_discipline(maker.write(folder / f"{name}.ifc"))]), park_from_ifc=np.eye(4))


def _parts(folder: Path) -> tuple[Merged, list[Related]]:
    sources = {name: _source(folder, name) for name in ("a1", "a2")}
    specs = tuple(BuildingSpec(id=name, ifc=(), placement=None) for name in sources)
    spec = ParkSpec(root=Path("."), id="p", name="P", name_zh="", crs="EPSG:4549", origin=(0.0, 0.0, 0.0), buildings=specs)
    merged = merge(spec, sources)
    return merged, [Related(b, merged.building_nodes[b], merged.entity_nodes[b], s.model) for b, s in sources.items()]


def test_relations_name_nodes_and_materials_are_one_for_the_park(tmp_path: Path) -> None:
    merged, parts = _parts(tmp_path)
    write_relations(tmp_path, parts)
    found = open_relations(tmp_path)
    c = merged.graph.columns
    said = {(found.kind[k], c["id"][found.a[k]].split(":")[0] + " " + c["name"][found.a[k]], c["name"][found.b[k]],
             found.groups["name"][found.group[k]]) for k in range(len(found))}
    assert ("feeds", "a1 Pump", "Coil", "Heating a1") in said
    assert ("feeds", "a2 Pump", "Coil", "Heating a2") in said
    assert {row[1] for row in said if row[0] == "material"} == {"a1 Pump", "a1 Coil", "a2 Pump", "a2 Coil"}
    assert sorted(found.groups["kind"].tolist()) == ["", "material", "system", "system"]
    serves = np.flatnonzero(found.kind == "serves")
    assert (found.a[serves] == 0).all()
    assert {int(n) for n in found.b[serves]} == set(merged.building_nodes.values())
    assert {int(found.groups["building"][found.group[k]]) for k in serves} == set(merged.building_nodes.values())


def test_the_same_park_is_the_same_bytes(tmp_path: Path) -> None:
    _, parts = _parts(tmp_path)
    for name in ("one", "other"):
        write_relations(tmp_path / name, parts)
    for table in (GROUPS, RELATIONS):
        assert (tmp_path / "one" / table).read_bytes() == (tmp_path / "other" / table).read_bytes()


def test_a_park_without_relations_has_none(tmp_path: Path) -> None:
    assert len(open_relations(tmp_path)) == 0
    write_relations(tmp_path, [])
    assert len(open_relations(tmp_path)) == 0
    assert len(open_relations(tmp_path).groups["id"]) == 1
