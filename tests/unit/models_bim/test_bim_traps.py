"""What real files do to their readers, each trap in a file of its own."""

from pathlib import Path

import ifcopenshell
import numpy as np
import pytest
from ifc_maker import Maker, two_rooms
from made_model import read_made, row_of, storey_of

from models_bim.federate import federate
from models_bim.geometry import read_shapes
from models_bim.model import UNASSIGNED
from models_bim.opening import open_ifc
from models_bim.worker import read_discipline

Entity = ifcopenshell.entity_instance


@pytest.mark.parametrize("declared", ["IFC4X3_RC1", "IFC4X3_RC4", "IFC4X1", "IFC4X2", "IFC4X3"])
def test_schema_that_the_kernel_refuses_is_read_as_its_release_and_marked(tmp_path: Path, declared: str) -> None:
    maker = Maker(schema="IFC4X3_ADD2")
    maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    path = maker.write(tmp_path / "a.ifc")
    path.write_text(path.read_text().replace("('IFC4X3_ADD2')", f"('{declared}')"))
    model = federate([read_discipline(path)])
    assert model.schemas == (declared,)
    assert np.isfinite(model.boxes[row_of(model, "W")]).all()
    assert [f.what for f in model.findings if f.level == "warning"] == [f"schema {declared} is read as IFC4X3_ADD2"]


@pytest.mark.parametrize(
    ("unit", "length", "area"), [("m", "m", ""), ("mm", "mm", ""), ("ft", "ft", "ft²"), ("inch", "in", "in²")]
)
def test_quantities_keep_their_number_and_name_their_unit(tmp_path: Path, unit: str, length: str, area: str) -> None:
    maker = Maker(unit=unit)
    wall = maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    values = [maker.new("IfcQuantityLength", Name="Length", LengthValue=1234.5),
              maker.new("IfcQuantityArea", Name="Side", AreaValue=6.0)]
    quantities = maker.root("IfcElementQuantity", Name="Qto_WallBaseQuantities", Quantities=values)
    maker.root("IfcRelDefinesByProperties", RelatedObjects=[wall], RelatingPropertyDefinition=quantities)
    properties = read_made(maker, folder=tmp_path).properties
    said = {n: (v, u) for n, v, u in zip(properties.name, properties.value, properties.unit, strict=True)}
    assert said["Length"] == ("1234.5", length)
    assert said["Side"][0] == "6"
    assert said["Side"][1] == area  # the metric files name no unit of area


@pytest.mark.parametrize("large", [1e30, 1e6])
def test_a_body_larger_than_any_thing_is_told_and_not_drawn(tmp_path: Path, large: float) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), storey)
    maker.box("IfcSlab", (0, 0, 0), (large, 2, 0.2), storey)
    read = read_discipline(maker.write(tmp_path / "a.ifc"))
    assert [(f.count, f.fill["cls"]) for f in read.findings if f.code == "ifc.bodies"] == [(1, "IfcSlab")]
    assert np.nanmax(np.abs(federate([read]).boxes)) < 10.0


def test_nested_things_follow_their_whole_to_its_storey(tmp_path: Path) -> None:
    maker = Maker()
    maker.storey("L1", 0.0)
    upper = maker.storey("L2", 3.0)
    panel = maker.box("IfcElectricDistributionBoard", (0, 0, 3), (1, 0.3, 2), upper, Name="Board")
    breaker = maker.box("IfcProtectiveDevice", (0, 0, 0.1), (0.1, 0.1, 0.1), Name="Breaker")  # alone it would be on L1
    maker.root("IfcRelNests", RelatingObject=panel, RelatedObjects=[breaker])
    model = read_made(maker, folder=tmp_path)
    assert storey_of(model, "Breaker") == "L2"
    assert model.entities.parent[row_of(model, "Breaker")] == row_of(model, "Board")


def test_a_ring_of_wholes_is_cut_and_loses_nothing(tmp_path: Path) -> None:
    maker = Maker()
    maker.storey("L1", 0.0)
    one, other = (maker.box("IfcElementAssembly", (k, 0, 0), (1, 1, 1), Name=n) for k, n in enumerate("AB"))
    maker.aggregate(one, [other])
    maker.aggregate(other, [one])
    model = read_made(maker, folder=tmp_path)
    assert {storey_of(model, "A"), storey_of(model, "B")} == {"L1"}
    assert any("parts of themselves" in f.what for f in model.findings)


def test_a_placement_relative_to_itself_does_not_hang_the_kernel(tmp_path: Path) -> None:
    maker = Maker()
    wall = maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    wall.ObjectPlacement.PlacementRelTo = wall.ObjectPlacement
    model = read_made(maker, folder=tmp_path)
    assert np.isfinite(model.boxes[row_of(model, "W")]).all()
    assert any("relative to themselves" in f.what for f in model.findings)


def test_proxies_are_drawn_like_anything_else(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    for k in range(3):
        maker.box("IfcBuildingElementProxy", (k, 0, 0), (0.5, 0.5, 1), storey, Name=f"P{k}")
    model = read_made(maker, folder=tmp_path)
    assert set(model.entities.cls[model.instances.entity]) == {"IfcBuildingElementProxy"}
    assert len(model.instances) == 3


def test_the_same_representation_twice_is_drawn_once(tmp_path: Path) -> None:
    maker = Maker()
    wall = maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    one = wall.Representation.Representations[0]
    wall.Representation.Representations = [one, one]
    model = read_made(maker, folder=tmp_path)
    assert len(model.instances) == 1


def test_faces_wound_both_ways_are_all_kept(tmp_path: Path) -> None:
    maker = Maker()
    wall = maker.box("IfcWall", (0, 0, 0), (1, 1, 1), maker.storey("L1", 0.0), Name="W")
    wall.Representation.Representations[0].Items = [_flipped_box(maker)]
    wall.Representation.Representations[0].RepresentationType = "Tessellation"
    model = read_made(maker, folder=tmp_path)
    mesh = model.meshes[0]
    corner = mesh.vertices[mesh.triangles]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(6.0, rel=1e-5)


def _flipped_box(maker: Maker) -> Entity:
    corners = [[float(x), float(y), float(z)] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    quads = [q[::-1] if k % 2 else q for k, q in enumerate(quads)]  # every other face is inside out
    faces = [[q[0] + 1, q[i] + 1, q[i + 1] + 1] for q in quads for i in (1, 2)]
    points = maker.new("IfcCartesianPointList3D", CoordList=corners)
    return maker.new("IfcTriangulatedFaceSet", Coordinates=points, CoordIndex=faces)


def test_what_the_fast_kernel_leaves_empty_is_tried_again_with_the_sure_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker()
    maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    file = open_ifc(maker.write(tmp_path / "a.ifc")).file
    real = ifcopenshell.geom.iterator

    def forgetful(settings: object, model: object, threads: int, **given: object) -> object:
        if given["geometry_library"] != "opencascade":
            given["include"] = [file.by_type("IfcSite")[0]]  # a kernel that says nothing of what it could not do
        return real(settings, model, threads, **given)

    monkeypatch.setattr(ifcopenshell.geom, "iterator", forgetful)
    shapes = read_shapes(file, file.by_type("IfcWall"))
    assert (shapes.retried, shapes.empty, len(shapes.by_product)) == (1, [], 1)


def test_a_body_far_from_its_origin_keeps_its_millimetres(tmp_path: Path) -> None:
    maker = Maker(unit="mm")
    maker.box("IfcColumn", (512_345.678, 3_412_345.679, 12.345), (0.401, 0.403, 3.007), maker.storey("L1", 0.0), Name="C")
    model = read_made(maker, folder=tmp_path)
    expected = [512_345.678, 3_412_345.679, 12.345, 512_346.079, 3_412_346.082, 15.352]
    assert model.boxes[row_of(model, "C")] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("facility", ["IfcRoad", "IfcBridge", "IfcRailway", "IfcMarineFacility"])
def test_parts_of_a_facility_are_what_storeys_are_to_a_building(tmp_path: Path, facility: str) -> None:
    maker = _facility(facility)
    model = read_made(maker, folder=tmp_path)
    assert [s.name for s in model.storeys if s.name != UNASSIGNED] == ["A1 / East", "A1 / West / Deck"]
    assert (storey_of(model, "Kerb"), storey_of(model, "Course")) == ("A1 / East", "A1 / West / Deck")
    assert [s.elevation for s in model.storeys[:2]] == pytest.approx([0.0, 0.4])
    assert model.storeys[1].height == pytest.approx(0.3)
    assert not [f for f in model.findings if f.level != "note"]


def _facility(cls: str) -> Maker:
    maker = Maker(schema="IFC4X3_ADD2")
    part_cls = {"IfcMarineFacility": "IfcMarinePart"}.get(cls, f"{cls}Part")
    facility = maker.root(cls, Name="A1", ObjectPlacement=maker.place((0, 0, 0)))
    west, east = (maker.root(part_cls, Name=n, UsageType="LONGITUDINAL") for n in ("West", "East"))
    deck = maker.root("IfcFacilityPartCommon", Name="Deck", UsageType="VERTICAL")
    maker.aggregate(maker.site, [facility])
    maker.aggregate(facility, [west, east])
    maker.aggregate(west, [deck])
    maker.box("IfcCourse", (0, 0, 0.4), (50, 8, 0.3), deck, Name="Course")
    maker.box("IfcKerb", (60, 0, 0), (40, 0.2, 0.2), east, Name="Kerb")
    alignment = maker.root("IfcAlignment", Name="Axis", ObjectPlacement=maker.place((0, 0, 0)))
    maker.aggregate(maker.project, [alignment])
    return maker


def test_an_alignment_is_a_thing_of_no_storey_and_of_a_known_length(tmp_path: Path) -> None:
    maker = _facility("IfcRoad")
    start = maker.new("IfcCartesianPoint", Coordinates=[0.0, 0.0])
    segments = [
        maker.root("IfcAlignmentSegment", DesignParameters=maker.new(
            "IfcAlignmentHorizontalSegment", StartPoint=start, StartDirection=0.0, StartRadiusOfCurvature=0.0,
            EndRadiusOfCurvature=0.0, SegmentLength=length, PredefinedType="LINE"))
        for length in (120.5, 79.5)
    ]
    horizontal = maker.root("IfcAlignmentHorizontal")
    maker.root("IfcRelNests", RelatingObject=horizontal, RelatedObjects=segments)
    maker.root("IfcRelNests", RelatingObject=maker.file.by_type("IfcAlignment")[0], RelatedObjects=[horizontal])
    model = read_made(maker, folder=tmp_path)
    assert storey_of(model, "Axis") == UNASSIGNED
    assert not [f for f in model.findings if f.level != "note"]
    p = model.properties
    said = {(s, n): (v, u) for s, n, v, u in zip(p.pset, p.name, p.value, p.unit, strict=True)}
    assert said["Alignment", "Length"] == ("200", "m")


def test_two_files_of_one_road_share_its_parts_by_name_alone(tmp_path: Path) -> None:
    model = read_made(_facility("IfcRoad"), _facility("IfcRoad"), folder=tmp_path)
    assert [s.name for s in model.storeys if s.name != UNASSIGNED] == ["A1 / East", "A1 / West / Deck"]


def test_landscape_stands_in_the_site(tmp_path: Path) -> None:
    maker = Maker()
    two_rooms(maker)
    maker.box("IfcGeographicElement", (30, 0, 0), (1, 1, 6), maker.site, Name="Tree")
    model = read_made(maker, folder=tmp_path)
    assert storey_of(model, "Tree") == "L1"
    assert np.isfinite(model.boxes[row_of(model, "Tree")]).all()


@pytest.mark.parametrize("cls", ["IfcProjectLibrary", "IfcProject"])
@pytest.mark.parametrize("is_lazy", [True, False])
def test_a_second_project_or_a_library_beside_it_leaves_the_units_known(tmp_path: Path, cls: str, is_lazy: bool) -> None:
    maker = Maker(unit="mm")
    maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    other = maker.root(cls, Name="Library")
    kind = maker.root("IfcWallType", PredefinedType="STANDARD")
    maker.root("IfcRelDeclares", RelatingContext=other, RelatedDefinitions=[kind])
    if cls == "IfcProject":
        maker.root("IfcRelAggregates", RelatingObject=other, RelatedObjects=[maker.root("IfcSite", Name="Other site")])
    read = read_discipline(maker.write(tmp_path / "a.ifc"), is_lazy=is_lazy)
    model = federate([read])
    low, high = np.split(model.boxes[row_of(model, "W")], 2)
    assert np.allclose(high - low, (4.0, 0.2, 3.0))
    assert [f.count for f in model.findings if f.code == "ifc.projects"] == ([1] if cls == "IfcProject" else [])


def test_a_file_of_types_alone_says_that_it_shows_nothing(tmp_path: Path) -> None:
    maker = Maker()
    maker.root("IfcWallType", PredefinedType="STANDARD")
    assert [f.level for f in read_made(maker, folder=tmp_path).findings if f.code == "ifc.nothing"] == ["warning"]
    maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0))
    assert not [f for f in read_made(maker, folder=tmp_path).findings if f.code == "ifc.nothing"]


@pytest.mark.parametrize("has_units", [True, False])
def test_things_that_no_project_holds_are_read_all_the_same(tmp_path: Path, has_units: bool) -> None:
    maker = Maker(unit="mm")
    maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    path = maker.write(tmp_path / "a.ifc")
    kept = [line for line in path.read_text().splitlines() if "=IFCPROJECT(" not in line
            and (has_units or "=IFCUNITASSIGNMENT(" not in line)]
    path.write_text("\n".join(kept))
    model = federate([read_discipline(path)])
    low, high = np.split(model.boxes[row_of(model, "W")], 2)
    assert np.allclose(high - low, np.array((4.0, 0.2, 3.0)) * (1.0 if has_units else 1000.0))
    assert [f.level for f in model.findings if f.code == "ifc.projects.none"] == ["warning"]
