"""City models: a gabled house in CityJSON and CityGML comes out with its walls, its roof and its attributes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from gis.mesh import Mesh, Surface
from gis.model import FlatGround, Layer
from gis.read import read_layer
from gis.solids import building_meshes, check_bases
from twin.errors import SourceError
from twin.park import LayerSpec

CRS, ORIGIN = "EPSG:25832", (690_000.0, 5_336_000.0, 500.0)
X, Y, Z = 690_100.0, 5_336_050.0, 512.0
# 10 m long (x), 8 m wide (y), eaves at 4 m, ridge along x at 7 m
CORNERS = [(0, 0, 0), (10, 0, 0), (10, 8, 0), (0, 8, 0), (0, 0, 4), (10, 0, 4), (10, 8, 4), (0, 8, 4), (0, 4, 7), (10, 4, 7)]
FACES = [([0, 3, 2, 1], "GroundSurface"), ([0, 1, 5, 4], "WallSurface"), ([2, 3, 7, 6], "WallSurface"),
         ([1, 2, 6, 9, 5], "WallSurface"), ([3, 0, 4, 8, 7], "WallSurface"), ([4, 5, 9, 8], "RoofSurface"),
         ([6, 7, 8, 9], "RoofSurface")]
WALL_M2 = 2 * 10 * 4 + 2 * (8 * 4 + 8 * 3 / 2)
ROOF_M2 = 2 * 10 * 5.0


def _spec(path: Path, **more: object) -> LayerSpec:
    return LayerSpec(id="city", source=path, kind="buildings", line=3, **more)  # type: ignore[arg-type]


def _document(*, with_roles: bool = True, lod: str = "2.2", reference: str = "https://www.opengis.net/def/crs/EPSG/0/25832",
              ) -> dict:
    solid = {"type": "Solid", "lod": lod, "boundaries": [[[ring] for ring, _ in FACES]]}
    if with_roles:
        solid["semantics"] = {"surfaces": [{"type": role} for _, role in FACES], "values": [list(range(len(FACES)))]}
    box = {"type": "MultiSurface", "lod": "0", "boundaries": [[[0, 1, 2, 3]]]}
    return {"CityObjects": {
        "h1": {"type": "Building", "attributes": {"name": "Forge", "measuredHeight": 7.0, "owner": {"id": 4}, "gone": None},
               "children": ["h1-part"], "geometry": [box]},
        "h1-part": {"type": "BuildingPart", "parents": ["h1"], "geometry": [solid]},
        "t1": {"type": "SolitaryVegetationObject", "attributes": {"species": "oak"},
               "geometry": [{"type": "MultiSurface", "lod": "1", "boundaries": [[[0, 1, 2]]]}]}},
        "transform": {"scale": [0.001] * 3, "translate": [X, Y, Z]},
        "vertices": [[round(v * 1000) for v in corner] for corner in CORNERS],
        "metadata": {"referenceSystem": reference} if reference else {}, "version": "2.0", "type": "CityJSON"}


def _written(path: Path, document: dict) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _gml(path: Path, *, srs: str = "urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::5783", move=lambda x, y: (x, y)) -> Path:
    core, bldg, gml, gen = (f"http://www.opengis.net/{n}" for n in ("citygml/2.0", "citygml/building/2.0", "gml",
                                                                  "citygml/generics/2.0"))
    root = ET.Element(f"{{{core}}}CityModel")
    ET.SubElement(ET.SubElement(root, f"{{{gml}}}boundedBy"), f"{{{gml}}}Envelope", srsName=srs)
    house = ET.SubElement(ET.SubElement(root, f"{{{core}}}cityObjectMember"), f"{{{bldg}}}Building", {f"{{{gml}}}id": "B1"})
    ET.SubElement(house, f"{{{gml}}}name").text = "Forge"
    ET.SubElement(house, f"{{{bldg}}}measuredHeight", uom="m").text = "7.0"
    ET.SubElement(ET.SubElement(house, f"{{{gen}}}stringAttribute", name="owner"), f"{{{gen}}}value").text = "Anna"
    solid = ET.SubElement(ET.SubElement(house, f"{{{bldg}}}lod2Solid"), f"{{{gml}}}Solid")
    ET.SubElement(ET.SubElement(solid, f"{{{gml}}}exterior"), f"{{{gml}}}surfaceMember",
                  {"{http://www.w3.org/1999/xlink}href": "#p0"})
    for k, (ring, role) in enumerate(FACES):
        surface = ET.SubElement(ET.SubElement(house, f"{{{bldg}}}boundedBy"), f"{{{bldg}}}{role}")
        member = ET.SubElement(ET.SubElement(surface, f"{{{bldg}}}lod2MultiSurface"), f"{{{gml}}}surfaceMember")
        polygon = ET.SubElement(member, f"{{{gml}}}Polygon", {f"{{{gml}}}id": f"p{k}"})
        linear = ET.SubElement(ET.SubElement(polygon, f"{{{gml}}}exterior"), f"{{{gml}}}LinearRing")
        points = [(*move(X + CORNERS[v][0], Y + CORNERS[v][1]), Z + CORNERS[v][2]) for v in [*ring, ring[0]]]
        ET.SubElement(linear, f"{{{gml}}}posList").text = " ".join(f"{c:.9f}" for p in points for c in p)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return path


def _area(mesh: Mesh, surface_is_roof: bool) -> float:
    faces = mesh.faces[(mesh.surface[mesh.faces[:, 0]] == Surface.ROOF) == surface_is_roof]
    a, b, c = (mesh.position[faces[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def _drawn(layer: Layer, ground_z: float = 12.0) -> Mesh:
    return building_meshes(layer, np.array([9], np.uint32), FlatGround(ground_z))[0]


@pytest.fixture(params=["json", "sequence", "gml", "gml-latitude-first"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Layer:
    if request.param == "json":
        path = _written(tmp_path / "a.city.json", _document())
    elif request.param == "sequence":
        whole = _document()
        head = {**whole, "CityObjects": {}, "vertices": []}
        feature = {"type": "CityJSONFeature", "id": "h1", "CityObjects": whole["CityObjects"], "vertices": whole["vertices"]}
        path = tmp_path / "a.city.jsonl"
        path.write_text(json.dumps(head) + "\n" + json.dumps(feature) + "\n")
    elif request.param == "gml":
        path = _gml(tmp_path / "a.gml")
    else:
        lonlat = Transformer.from_crs(CRS, "EPSG:4258", always_xy=True)
        path = _gml(tmp_path / "a.gml", srs="http://www.opengis.net/def/crs/EPSG/0/4258",
                    move=lambda x, y: lonlat.transform(x, y)[::-1])
    return read_layer(_spec(path), CRS, ORIGIN)


def test_house_lands_with_its_footprint_its_name_and_its_attributes(house: Layer) -> None:
    assert house.bounds() == pytest.approx((100, 50, 110, 58), abs=0.002)
    assert shapely.area(house.geometry[0]) == pytest.approx(80.0, abs=0.05)
    assert (house.names[0], house.height_m[0]) == ("Forge", 7.0)
    assert house.properties["owner"][0] in ("Anna", '{"id": 4}')
    assert house.ids[0] in ("h1", "B1")


def test_house_is_drawn_with_its_own_walls_and_its_sloping_roof(house: Layer) -> None:
    mesh = _drawn(house)
    assert _area(mesh, False) == pytest.approx(WALL_M2, abs=0.1)
    assert _area(mesh, True) == pytest.approx(ROOF_M2, abs=0.1)
    assert (mesh.node == 9).all()
    low, high = mesh.position[:, 2].min(), mesh.position[:, 2].max()
    assert (low, high) == pytest.approx((12.0, 19.0), abs=0.001)


def test_every_face_looks_out_of_the_house(house: Layer) -> None:
    mesh = _drawn(house)
    centre = np.array([105.0, 54.0, 15.0])
    a, b, c = (mesh.position[mesh.faces[:, k]] for k in range(3))
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3 - centre) > 0).all()


def test_house_of_another_height_datum_is_stood_on_the_ground_and_that_is_said(house: Layer) -> None:
    assert not check_bases(house, FlatGround(12.0))
    (finding,) = check_bases(house, FlatGround(0.0))
    assert "stood on the ground, 12.0 m below their own heights" in finding.what
    assert _drawn(house, 0.0).position[:, 2].min() == pytest.approx(0.0, abs=1e-3)


def test_faces_without_roles_get_them_from_how_they_lie(tmp_path: Path) -> None:
    layer = read_layer(_spec(_written(tmp_path / "a.json", _document(with_roles=False, lod="1"))), CRS, ORIGIN)
    assert _area(_drawn(layer), False) == pytest.approx(WALL_M2, abs=0.1)
    assert shapely.area(layer.geometry[0]) == pytest.approx(80.0, abs=0.05)


def test_footprint_alone_is_drawn_as_a_block_of_its_height(tmp_path: Path) -> None:
    document = _document()
    del document["CityObjects"]["h1"]["children"], document["CityObjects"]["h1-part"]
    layer = read_layer(_spec(_written(tmp_path / "a.json", document)), CRS, ORIGIN)
    assert layer.shells == (None,)
    assert _drawn(layer).position[:, 2].max() == pytest.approx(19.0, abs=1.5)  # and a parapet
    assert "drawn from their footprint" in layer.findings[0].what


def test_other_kinds_of_the_same_file_are_layers_of_their_own(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.json", _document())
    trees = read_layer(LayerSpec(id="t", source=path, kind="trees"), CRS, ORIGIN)
    assert trees.properties["species"].tolist() == ["oak"]
    with pytest.raises(SourceError, match=r"holds nothing of kind 'roads'; it holds Building, SolitaryVegetationObject"):
        read_layer(LayerSpec(id="r", source=path, kind="roads"), CRS, ORIGIN)


def test_city_model_without_a_crs_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no coordinate system"):
        read_layer(_spec(_written(tmp_path / "a.json", _document(reference=""))), CRS, ORIGIN)


@pytest.mark.parametrize("name", ["bad.json", "cut.json", "laughs.gml", "cut.gml"])
def test_bad_city_file_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "bad.json":
        document = _document()
        document["vertices"] = document["vertices"][:3]
        _written(path, document)
    elif name == "cut.json":
        path.write_text(json.dumps(_document())[:-60] + ' "CityJSON"')
    elif name == "cut.gml":
        path.write_bytes(_gml(path).read_bytes()[:900])
    else:
        path.write_text('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
                        '<CityModel xmlns="http://www.opengis.net/citygml/2.0">&b;</CityModel>')
    with pytest.raises(SourceError, match=name.replace(".", r"\.")):
        read_layer(_spec(path), CRS, ORIGIN)
