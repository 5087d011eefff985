"""The compiled park goes out as files other programs open, with our ids on everything, in the right place."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import geopandas as gpd
import ifcopenshell
import ifcopenshell.util.element
import numpy as np
import pyogrio
import pytest
import shapely
import trimesh

from gis.cityjson import read_city_json
from parktwin import Park
from parktwin.export import export_park
from scenes.bodies import bodies
from scenes.compile import compile_park
from scenes.export import NothingToExport
from scenes.read_glb import Glb
from twin.errors import NotBuiltError
from twin.parkfile import load_park

sys.path.insert(0, str(Path(__file__).resolve().parent))
from every_kind_park import CRS, LAYERS, ORIGIN, write_park

PLAN = """
[[building]]
id = "hall"
plans = [{ source = "plan.gpkg", storey = "F1", elevation = 8.0, height = 4.0 },
         { source = "plan.gpkg", storey = "F2", elevation = 12.0, height = 4.0 }]
"""
ROOM_COUNT = 2 * 3  # two rooms and the hall a storey


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_park(tmp_path_factory.mktemp("out"))
    shapes = [shapely.box(70, 95, 100, 110), shapely.box(70, 95, 80, 103), shapely.box(90, 95, 100, 103)]
    there = [shapely.transform(g, lambda xy: xy + np.array(ORIGIN[:2])) for g in shapes]
    names = {"id": ["o", "r1", "r2"], "name": ["", "Lab", "Store"]}
    gpd.GeoDataFrame(names, geometry=there, crs=CRS).to_file(root / "plan.gpkg")
    (root / "park.toml").write_text((root / "park.toml").read_text() + PLAN)
    compile_park(load_park(root))
    return root


def test_glb_bears_our_ids_and_stands_where_the_park_has_it(park: Path, tmp_path: Path) -> None:
    count = export_park(park, tmp_path / "a.glb")
    data = (tmp_path / "a.glb").read_bytes()
    document = json.loads(data[20:20 + struct.unpack_from("<I", data, 12)[0]])
    meshes = document["meshes"]
    extras = {node["name"]: meshes[node["mesh"]].get("extras", {}) for node in document["nodes"] if "mesh" in node}
    assert len(extras) == count
    assert extras["buildings:bu0"]["id"] == "buildings:bu0"
    assert {"hall:F1-r1", "trees:tr0", "roads:ro0", "cables:ca0"} <= set(extras)
    scene = trimesh.load(tmp_path / "a.glb")
    matrix, name = scene.graph["buildings:bu0"]
    low, high = trimesh.transform_points(scene.geometry[name].bounds, matrix)
    low, high = np.minimum(low, high), np.maximum(low, high)
    assert (low[0], high[0], -high[2], -low[2]) == pytest.approx((20, 60, 60, 90), abs=0.05)
    glb, body = Glb(data), next(b for b in bodies(park / "build") if b.node == extras["buildings:bu0"]["node"])
    house = next(m for m in meshes if m.get("extras", {}).get("id") == "buildings:bu0")
    drawn = house["primitives"][0]["attributes"]["COLOR_0"]
    assert document["accessors"][drawn]["normalized"]
    is_linear = ((body.colour / 255 + 0.055) / 1.055) ** 2.4  # IEC 61966-2-1, all above its straight foot
    assert glb.array(drawn)[:, :3] / 65535 == pytest.approx(is_linear, abs=1e-4)


def test_only_a_part_of_the_park_is_written_when_asked(park: Path, tmp_path: Path) -> None:
    assert 0 < export_park(park, tmp_path / "f1.glb", "hall:F1") < export_park(park, tmp_path / "hall.glb", "hall")
    with pytest.raises(NothingToExport, match="'nobody' is no node"):
        export_park(park, tmp_path / "x.glb", "nobody")


@pytest.mark.parametrize("name", ["a.gpkg", "a.geoparquet"])
def test_layers_and_rooms_come_back_with_geometry_attributes_and_ids(park: Path, tmp_path: Path, name: str) -> None:
    export_park(park, tmp_path / name)
    read = (lambda t: pyogrio.read_dataframe(tmp_path / name, layer=t)) if name.endswith("gpkg") else (
        lambda t: gpd.read_parquet(tmp_path / name / f"{t}.parquet"))
    for kind, (shapes, _) in LAYERS.items():
        frame = read(kind)
        assert frame["node_id"].tolist() == [f"{kind}:{kind[:2]}{k}" for k in range(len(shapes))]
        assert frame.crs.to_epsg() == 4549
    houses = read("buildings")
    assert houses.total_bounds == pytest.approx(np.array([20, 60, 120, 90]) + np.tile(ORIGIN[:2], 2), abs=1e-6)
    assert houses["owner"].tolist() == ["Anna", ""]
    assert len(read("spaces")) == ROOM_COUNT


def test_city_json_holds_every_building_with_faces_in_the_parks_crs(park: Path, tmp_path: Path) -> None:
    export_park(park, tmp_path / "a.city.json")
    model = read_city_json(tmp_path / "a.city.json")
    assert model.crs == CRS
    by_id = {o.id: o for o in model.objects}
    assert by_id["hall"].sort == by_id["buildings:bu0"].sort == "Building"
    assert by_id["trees:tr1"].sort == "SolitaryVegetationObject"
    points = np.concatenate([ring for rings, _ in by_id["buildings:bu0"].faces for ring in rings])
    assert points[:, :2].min(axis=0) == pytest.approx(np.array([20, 60]) + ORIGIN[:2], abs=0.05)
    assert by_id["hall"].attributes["id"] == "hall"


def test_ifc_has_the_tree_the_place_and_our_ids_as_properties(park: Path, tmp_path: Path) -> None:
    export_park(park, tmp_path / "a.ifc")
    file = ifcopenshell.open(tmp_path / "a.ifc")
    by_id = {ifcopenshell.util.element.get_pset(p, "Parktwin", "id"): p for p in file.by_type("IfcProduct")}
    slab = by_id["hall:F1-slab"]
    assert slab.is_a("IfcSlab")
    storey = ifcopenshell.util.element.get_container(slab)
    assert (storey.is_a(), storey.Name) == ("IfcBuildingStorey", "F1")
    assert ifcopenshell.util.element.get_aggregate(storey).Name == "hall"
    assert by_id["hall:F2-r2"].is_a("IfcSpace")
    assert by_id["trees:tr0"].is_a("IfcGeographicElement")
    (conversion,) = file.by_type("IfcMapConversion")
    assert (conversion.Eastings, conversion.Northings) == ORIGIN[:2]
    assert conversion.TargetCRS.Name == CRS
    points = np.array(by_id["buildings:bu0"].Representation.Representations[0].Items[0].Coordinates.CoordList)
    assert points[:, :2].max(axis=0) == pytest.approx((60, 90), abs=0.05)


def test_exported_ifc_is_a_park_again(park: Path, tmp_path: Path) -> None:
    export_park(park, tmp_path / "hall.ifc", "hall")
    (tmp_path / "park.toml").write_text(f'[park]\nname = "P"\ncrs = "{CRS}"\norigin = {list(ORIGIN)}\n'
                                        '[[building]]\nid = "again"\nifc = "hall.ifc"\n')
    compile_park(load_park(tmp_path))
    again = Park.open(tmp_path).nodes.loc["again"]
    first = Park.open(park).nodes.loc["hall"]
    for edge in ("xmin", "ymin", "xmax", "ymax", "zmax"):
        assert again[edge] == pytest.approx(first[edge], abs=0.05)


def test_park_is_opened_in_python_as_tables_meshes_and_views(park: Path) -> None:
    opened = Park.open(park)
    assert opened.nodes.loc["hall:F1", "elevation"] == 8.0
    assert opened.layers["trees"].crs.to_epsg() == 4549
    owners = opened.properties.query("name == 'owner'")
    assert owners["node_id"].tolist() == ["buildings:bu0"]
    scene = opened.trimesh("hall:F1")
    assert "hall:F1-slab" in scene.geometry
    blocks = opened.pyvista("hall:F1")
    assert set(blocks.keys()) == set(scene.geometry)
    assert blocks["hall:F1-slab"].n_cells == len(scene.geometry["hall:F1-slab"].faces)
    assert opened.view("hall:F1").scene.children


def test_what_cannot_be_written_is_told_with_the_mend(park: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToExport, match=r"says no format .* let its name end in \.glb, \.city\.json"):
        export_park(park, tmp_path / "a.fbx")
    with pytest.raises(NotBuiltError, match="parktwin build"):
        Park.open(tmp_path)
