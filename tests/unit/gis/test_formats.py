"""Every format a layer may come in is read with its attributes and lands where it should."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.sax.saxutils import quoteattr

import ezdxf
import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from gis.crs import bd09_from_wgs84, gcj02_from_wgs84
from gis.furniture import WORDS, shape, sorts
from gis.lengths import number_of
from gis.osm import TAGS
from gis.read import read_layer
from twin.errors import SourceError
from twin.park import LayerSpec, Placement

CRS, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 10.0)
LONLAT = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def _spec(path: Path, kind: str = "buildings", **more: object) -> LayerSpec:
    return LayerSpec(id="it", source=path, kind=kind, line=7, **more)  # type: ignore[arg-type]


def _lonlat(x: float, y: float) -> tuple[float, float]:
    lon, lat = LONLAT.transform(x + ORIGIN[0], y + ORIGIN[1])
    return float(lon), float(lat)


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.fgb", "a.gml", "a.kml", "a.parquet"])
def test_every_vector_format_lands_in_the_park_frame_with_its_attributes(tmp_path: Path, name: str) -> None:
    box = shapely.box(500_005, 3_300_000, 500_015, 3_300_010)
    frame = gpd.GeoDataFrame({"Name": ["Hall"], "use": ["office"]}, geometry=[box], crs=CRS)
    path = tmp_path / name
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_crs("EPSG:4326" if path.suffix in (".kml", ".geojson") else CRS).to_file(
            path, engine="pyogrio", driver="KML" if path.suffix == ".kml" else None)
    layer = read_layer(_spec(path), CRS, ORIGIN)
    assert layer.bounds() == pytest.approx((5, 0, 15, 10), abs=2e-3)
    assert layer.names.tolist() == ["Hall"]
    assert "office" in [str(v[0]) for v in layer.properties.values()] or path.suffix == ".kml"


@pytest.mark.parametrize(("crs", "forward"), [("GCJ-02", gcj02_from_wgs84), ("BD-09", bd09_from_wgs84)])
def test_web_map_datum_lands_within_a_centimetre(tmp_path: Path, crs: str, forward) -> None:
    lon, lat = forward(*(np.array([v]) for v in _lonlat(40.0, 70.0)))
    gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(lon[0], lat[0])], crs="EPSG:4326").to_file(tmp_path / "a.geojson")
    layer = read_layer(_spec(tmp_path / "a.geojson", "trees", crs=crs), CRS, ORIGIN)
    assert shapely.get_coordinates(layer.geometry)[0] == pytest.approx((40.0, 70.0), abs=0.01)


def _osm(path: Path) -> Path:
    root = ET.Element("osm", version="0.6")
    number = iter(range(1, 1000))

    def node(x: float, y: float, **tags: str) -> str:
        ref = str(next(number))
        lon, lat = _lonlat(x, y)
        at = ET.SubElement(root, "node", id=ref, lon=f"{lon:.9f}", lat=f"{lat:.9f}", version="1")
        for key, value in tags.items():
            ET.SubElement(at, "tag", k=key.replace("__", ":"), v=value)
        return ref

    def way(points: list[tuple[float, float]], **tags: str) -> None:
        refs = [node(*p) for p in points]
        if points[0] == points[-1]:
            refs[-1] = refs[0]
        ways.append((refs, tags))

    ways: list[tuple[list[str], dict[str, str]]] = []
    square = [(0, 0), (20, 0), (20, 10), (0, 10), (0, 0)]
    way(square, building="office", name="Tower", height="21.5 m", building__levels="6", addr__street="West Road")
    way([(0, 30), (100, 30)], highway="residential", name="West Road", lanes="2")
    way([(0, 40), (100, 40)], highway="footway")
    way([(x + 40, y) for x, y in square], leisure="park", name="Green")
    way([(x + 80, y) for x, y in square], amenity="parking")
    way([(x, y + 60) for x, y in square], natural="water")
    way([(0, 90), (100, 95)], waterway="stream")
    way([(0, -10), (50, -10)], barrier="fence")
    way([(0, -20), (50, -20)], power="cable", location="underground")
    node(5, 25, natural="tree", height="9", genus="Ginkgo")
    node(9, 25, highway="street_lamp")
    node(12, 25, amenity="bench")
    node(14, 25, emergency="fire_hydrant")
    for refs, tags in ways:
        at = ET.SubElement(root, "way", id=str(next(number)), version="1")
        for ref in refs:
            ET.SubElement(at, "nd", ref=ref)
        for key, value in tags.items():
            ET.SubElement(at, "tag", k=key.replace("__", ":"), v=value)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return path


@pytest.mark.parametrize(("kind", "count"), [
    ("buildings", 1), ("roads", 1), ("paths", 1), ("greens", 1), ("parking", 1), ("water", 2), ("fence", 1), ("cables", 1),
    ("trees", 1), ("lamps", 1), ("furniture", 2), ("bollards", 0)])
def test_osm_extract_gives_each_kind_what_its_tags_say(tmp_path: Path, kind: str, count: int) -> None:
    assert len(read_layer(_spec(_osm(tmp_path / "a.osm"), kind), CRS, ORIGIN)) == count


def test_osm_building_keeps_every_tag_its_id_and_its_height_in_metres(tmp_path: Path) -> None:
    layer = read_layer(_spec(_osm(tmp_path / "a.osm")), CRS, ORIGIN)
    assert layer.bounds() == pytest.approx((0, 0, 20, 10), abs=0.015)  # OSM keeps 1e-7 degrees
    assert (layer.names[0], layer.height_m[0]) == ("Tower", 21.5)
    told = {name: values[0] for name, values in layer.properties.items()}
    assert (told["building:levels"], told["addr:street"]) == ("6", "West Road")
    assert layer.ids[0] == layer.properties["osm_id"][0] != ""


def test_osm_furniture_is_of_the_sort_its_tag_names(tmp_path: Path) -> None:
    layer = read_layer(_spec(_osm(tmp_path / "a.osm"), "furniture"), CRS, ORIGIN)
    assert sorts(layer).tolist() == ["bench", "hydrant"]


def test_osm_knows_no_terrain(tmp_path: Path) -> None:
    assert "terrain" not in TAGS
    with pytest.raises(SourceError, match=r"kind 'terrain' is not read from OpenStreetMap; use one of buildings"):
        read_layer(_spec(_osm(tmp_path / "a.osm"), "terrain"), CRS, ORIGIN)


def _drawing(path: Path, units: int = 4) -> Path:
    drawing = ezdxf.new(setup=True)
    drawing.header["$INSUNITS"] = units
    space = drawing.modelspace()
    space.add_lwpolyline([(0, 0), (20_000, 0), (20_000, 10_000), (0, 10_000)], close=True, dxfattribs={"layer": "BLDG"})
    space.add_text("Gatehouse", dxfattribs={"layer": "BLDG", "insert": (4_000, 4_000)})
    space.add_line((0, 30_000), (50_000, 30_000), dxfattribs={"layer": "ROAD"})
    block = drawing.blocks.new("TREE-OAK")
    block.add_circle((0, 0), 1)
    tree = space.add_blockref("TREE-OAK", (5_000, 25_000), dxfattribs={"layer": "TREES", "rotation": 30})
    tree.add_attrib("SPECIES", "quercus")
    block = drawing.blocks.new("BENCH")
    block.add_lwpolyline([(0, 0), (1, 0), (1, 1)], close=True)
    space.add_blockref("BENCH", (9_000, 25_000), dxfattribs={"layer": "FURN", "rotation": 90})
    space.add_polyline3d([(0, -5_000, 7_500), (40_000, -5_000, 7_000)], dxfattribs={"layer": "SEWER"})
    drawing.saveas(path)
    return path


def test_drawing_in_millimetres_is_placed_in_metres_and_named_by_the_text_in_it(tmp_path: Path) -> None:
    placement = Placement(at=(100.0, 50.0, 0.0), rotation_deg=90.0)
    layer = read_layer(_spec(_drawing(tmp_path / "a.dxf"), table="BLDG", placement=placement), CRS, ORIGIN)
    assert layer.bounds() == pytest.approx((90, 50, 100, 70), abs=1e-6)
    assert layer.names.tolist() == ["Gatehouse"]
    assert layer.properties["Layer"].tolist() == ["BLDG"]


def test_block_references_keep_their_attributes_and_their_turn(tmp_path: Path) -> None:
    path = _drawing(tmp_path / "a.dxf")
    trees = read_layer(_spec(path, "trees", table="TREES", crs="park"), CRS, ORIGIN)
    assert shapely.get_coordinates(trees.geometry).tolist() == [[5.0, 25.0]]
    assert (trees.properties["SPECIES"][0], trees.properties["type"][0]) == ("quercus", "TREE-OAK")
    bench = read_layer(_spec(path, "furniture", table="FURN", crs="park"), CRS, ORIGIN)
    assert sorts(bench).tolist() == ["bench"]
    assert float(bench.properties["angle"][0]) == pytest.approx(90.0)


def test_sewer_keeps_the_levels_it_was_drawn_at(tmp_path: Path) -> None:
    layer = read_layer(_spec(_drawing(tmp_path / "a.dxf"), "pipes", table="SEWER", crs="park"), CRS, ORIGIN)
    assert shapely.get_coordinates(layer.geometry, include_z=True)[:, 2] == pytest.approx([7.5, 7.0])


def test_drawing_without_a_unit_says_so_and_without_its_layer_names_those_it_has(tmp_path: Path) -> None:
    path = _drawing(tmp_path / "a.dxf", units=0)
    layer = read_layer(_spec(path, crs="park", table="HOUSES"), CRS, ORIGIN)
    assert [f.level for f in layer.findings] == ["warning", "note"]
    assert "BLDG, FURN, ROAD" in layer.findings[0].mend
    metres = read_layer(_spec(path, crs="park", table="BLDG", unit_m=0.001), CRS, ORIGIN)
    assert metres.bounds() == pytest.approx((0, 0, 20, 10))


def test_survey_sheet_with_northing_first_is_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "trees.csv"
    path.write_text("id,x,y\n1,3300007,500003\n")
    layer = read_layer(_spec(path, "trees", crs=CRS, is_north_first=True), CRS, ORIGIN)
    assert shapely.get_coordinates(layer.geometry)[0] == pytest.approx((3.0, 7.0), abs=1e-6)


def test_only_takes_the_wanted_values_and_says_what_there_is(tmp_path: Path) -> None:
    points = [shapely.Point(500_000 + k, 3_300_000) for k in range(3)]
    gpd.GeoDataFrame({"sort": ["oak", "elm", "oak"]}, geometry=points, crs=CRS).to_file(tmp_path / "a.gpkg")
    path = tmp_path / "a.gpkg"
    assert len(read_layer(_spec(path, "trees", only=(("sort", ("oak",)),)), CRS, ORIGIN)) == 2
    none = read_layer(_spec(path, "trees", only=(("SORT", ("ash",)),)), CRS, ORIGIN)
    assert none.findings[0].mend == "'sort' holds elm, oak"
    with pytest.raises(SourceError, match=r"no column 'kind' for `only`; use one of sort"):
        read_layer(_spec(path, "trees", only=(("kind", ("oak",)),)), CRS, ORIGIN)


def test_file_of_an_unknown_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "park.dwg"
    path.write_bytes(b"AC1032")
    with pytest.raises(SourceError, match=r"park\.dwg is of no format that is read here; export it as GeoJSON"):
        read_layer(_spec(path), CRS, ORIGIN)


@pytest.mark.parametrize(("text", "metres"), [("12", 12.0), ("12,5 m", 12.5), ("40 ft", 12.192), ("6'6\"", 1.9812),
                                              ("900 mm", 0.9), ("tall", float("nan"))])
def test_numbers_are_read_with_their_unit(text: str, metres: float) -> None:
    assert number_of(text) == pytest.approx(metres, nan_ok=True)


@pytest.mark.parametrize("sort", [*WORDS, "post"])
def test_every_sort_of_furniture_is_drawn_standing_on_the_ground(sort: str) -> None:
    mesh = shape(sort)
    assert len(mesh.faces) >= 10
    assert mesh.position[:, 2].min() == pytest.approx(0.0, abs=0.01)
    assert mesh.position[:, 2].max() < 10.0


def test_no_file_makes_the_build_reach_out(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    link = {"type": "link", "properties": {"href": f"{url}/crs", "type": "ogcwkt"}}
    lon, lat = _lonlat(3.0, 4.0)
    feature = {"type": "Feature", "crs": link, "properties": {"name": "A"},
               "geometry": {"type": "Point", "coordinates": [lon, lat], "crs": link}}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "crs": link, "features": [feature]}))
    (tmp_path / "b.geojson").write_text(f'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/{url}/x.csv'
                                        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>")
    instance = "http://www.w3.org/2001/XMLSchema-instance"
    (tmp_path / "c.gml").write_text(f'<c:F xmlns:c="http://c" xmlns:gml="http://www.opengis.net/gml" xmlns:xsi="{instance}" '
                                    f'xsi:schemaLocation="http://c {url}/c.xsd"><gml:featureMember><c:P>'
                                    "<c:g><gml:Point><gml:coordinates>1,2</gml:coordinates></gml:Point></c:g></c:P>"
                                    "</gml:featureMember></c:F>")
    layer = read_layer(_spec(tmp_path / "a.geojson", "trees"), CRS, ORIGIN)
    assert shapely.get_coordinates(layer.geometry)[0] == pytest.approx((3.0, 4.0), abs=0.01)
    with pytest.raises(SourceError, match="only points to other files"):
        read_layer(_spec(tmp_path / "b.geojson", "trees"), CRS, ORIGIN)
    read_layer(_spec(tmp_path / "c.gml", "trees", crs=CRS), CRS, ORIGIN)
    server.shutdown()
    server.server_close()
    assert asked == []


def test_heights_as_mappers_write_them() -> None:
    for text, metres in (("40'6\"", 12.3444), ("3;4", 4.0), ("~15", 15.0), ("约12米", 12.0), ("12 m; 9 m", 12.0)):
        assert number_of(text) == pytest.approx(metres)
    assert np.isnan(number_of("tall;high"))


def _mapped(path: Path, ways: list[tuple[str, dict[str, str], int]]) -> Path:
    """Squares or streets a hundred metres apart, each with attributes of its element, tags and lost nodes."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    nodes, lines = [], []
    for number, (attributes, tags, lost) in enumerate(ways):
        corners = [(0, 0), (20, 0), (20, 20), (0, 20)]
        for k, (x, y) in enumerate(corners):
            lon, lat = to_degrees.transform(ORIGIN[0] + number * 100 + x, ORIGIN[1] + y)
            nodes.append(f'<node id="{number * 10 + k + 1}" lon="{lon:.7f}" lat="{lat:.7f}" version="1"/>')
        refs = [number * 10 + k + 1 for k in range(4)] + ([] if "highway" in tags else [number * 10 + 1]) + [99_999] * lost
        lines.append(f'<way id="{number + 1}" {attributes}>' + "".join(f'<nd ref="{r}"/>' for r in refs)
                     + "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items()) + "</way>")
    path.write_text("\n".join(['<?xml version="1.0"?>', '<osm version="0.6">', *nodes, *lines, "</osm>"]), encoding="utf-8")
    return path


def test_osm_of_an_editor_without_what_it_deleted_and_what_lies_underground(tmp_path: Path) -> None:
    path = _mapped(tmp_path / "a.osm", [
        ("", {"building": "yes", "height": "40'6\""}, 0), ("visible='false' version='2'", {"building": "yes"}, 0),
        ("action='delete'", {"building": "yes"}, 0), ("", {"building": "yes", "location": "underground"}, 0)])
    layer = read_layer(_spec(path), CRS, ORIGIN)
    assert layer.ids.tolist() == ["1"]
    assert layer.height_m[0] == pytest.approx(12.3444)
    assert [f.count for f in layer.findings if "under the ground" in f.what] == [1]


def test_osm_streets_in_tunnels_are_not_on_the_ground_and_lost_nodes_cost_no_street(tmp_path: Path) -> None:
    path = _mapped(tmp_path / "a.osm", [
        ("", {"highway": "residential"}, 0), ("", {"highway": "residential", "tunnel": "yes", "layer": "-1"}, 0),
        ("", {"highway": "service", "tunnel": "building_passage"}, 0), ("", {"highway": "residential", "bridge": "yes"}, 1)])
    assert read_layer(_spec(path, "roads"), CRS, ORIGIN).ids.tolist() == ["1", "3", "4"]


def test_osm_history_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = _mapped(tmp_path / "a.osh", [("", {"building": "yes"}, 0)])
    with pytest.raises(SourceError, match="history") as caught:
        read_layer(_spec(path), CRS, ORIGIN)
    assert "time-filter" in caught.value.mend


@pytest.mark.parametrize("page", ["ANSI_936", "ANSI_1252"])
def test_dxf_in_gbk_whether_it_says_so_or_not(tmp_path: Path, page: str) -> None:
    drawing = ezdxf.new("R2000", setup=True)
    space = drawing.modelspace()
    space.add_lwpolyline([(0, 0, 0), (20, 0, 1), (20, 10, 0), (0, 10, 0)], close=True, format="xyb",
                         dxfattribs={"layer": "建筑"})
    space.add_text("办公楼", dxfattribs={"layer": "建筑", "insert": (4, 4)})
    hatch = space.add_hatch(dxfattribs={"layer": "绿化"})
    hatch.paths.add_polyline_path([(0, 50), (10, 50), (10, 60), (0, 60)], is_closed=True)
    hatch.paths.add_polyline_path([(3, 53), (6, 53), (6, 56), (3, 56)], is_closed=True, flags=16)
    with space.add_mesh(dxfattribs={"layer": "建筑"}).edit_data() as mesh:
        mesh.vertices, mesh.faces = [(0, 0, 0), (1, 0, 0), (1, 1, 0)], [(0, 1, 2)]
    drawing.layout("Layout1").add_lwpolyline([(0, 0), (1, 0), (1, 1)], close=True, dxfattribs={"layer": "建筑"})
    text = io.StringIO()
    drawing.write(text)
    path = tmp_path / "a.dxf"
    path.write_bytes(text.getvalue().replace("ANSI_1252", page, 1).encode("gbk"))
    layer = read_layer(_spec(path, table="建筑", crs="park"), CRS, ORIGIN)
    assert layer.names.tolist() == ["办公楼"]
    assert shapely.area(layer.geometry).sum() == pytest.approx(200 + np.pi * 25 / 2, rel=0.01)  # a bulge of half a circle
    assert any("code page is wrong" in f.what for f in layer.findings) == (page == "ANSI_1252")
    assert any("MESH (1)" in f.what for f in layer.findings)
    green = read_layer(_spec(path, "greens", table="绿化", crs="park"), CRS, ORIGIN)
    assert shapely.area(green.geometry).sum() == pytest.approx(91.0)


def test_dxf_splines_given_by_the_points_they_go_through_are_drawn_and_cost_nothing_else(tmp_path: Path) -> None:
    drawing = ezdxf.new()
    drawing.header["$INSUNITS"] = 6
    through = np.array([(0.0, 0.0), (10.0, 10.0), (20.0, 0.0), (30.0, 10.0)])
    drawing.modelspace().add_spline(fit_points=through, dxfattribs={"layer": "PATHS"})
    drawing.modelspace().add_line((0, 0), (0, 9), dxfattribs={"layer": "PATHS"})
    drawing.modelspace().add_line((0, 0), (0, 9), dxfattribs={"layer": "OTHER"})
    drawing.saveas(tmp_path / "a.dxf")
    spec = _spec(tmp_path / "a.dxf", "paths", table="PATHS", placement=Placement(at=(100.0, 0.0, 0.0), rotation_deg=0.0))
    layer = read_layer(spec, CRS, ORIGIN)
    curve, line = sorted(layer.geometry, key=shapely.length, reverse=True)
    assert line.length == pytest.approx(9.0)
    assert shapely.distance(curve, shapely.points(through + np.array([100.0, 0.0]))).max() < 1e-6
    bends = np.diff(shapely.get_coordinates(curve), axis=0)
    turn = np.abs(np.diff(np.unwrap(np.arctan2(bends[:, 1], bends[:, 0]))))
    assert turn.max() < 0.5, "a curve, not the chords: those turn by 1.57 at a point"
