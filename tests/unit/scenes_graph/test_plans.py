"""Floor plans are lifted to storeys with rooms, walls and doors; a real mall is checked with walks through it."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from scenes.compile import compile_park
from scenes.plan_parts import extrude
from scenes.read_glb import read_glb
from scenes.sources import lift
from scenes.store import open_graph, properties_of
from scenes.walk import open_walk
from twin.parkfile import load_park, read_park

SHARED = Path(os.environ.get("PARKTWIN_SHARED", Path(__file__).resolve().parents[4] / "shared")) / "data" / "mall"
CRS, ORIGIN = "EPSG:4549", (507_300.0, 3_352_400.0, 0.0)
HEAD = f'[park]\nname = "P"\ncrs = "{CRS}"\norigin = {list(ORIGIN)}\n[[building]]\nid = "h"\n'
OUTLINE = shapely.box(0, 0, 40, 20)
ROOMS = {"Shop": shapely.box(0, 0, 10, 8), "Café": shapely.box(10, 0, 20, 8), "Stairs": shapely.box(36, 16, 40, 20),
         "Lift": shapely.box(30, 17, 33, 20), "Atrium": shapely.box(22, 10, 28, 16)}


def _plan(path: Path, rooms: dict[str, shapely.Geometry] = ROOMS, outline: shapely.Geometry | None = OUTLINE) -> Path:
    shapes = [*([outline] if outline else []), *rooms.values()]
    names = [*(["floor"] if outline else []), *rooms]
    there = [shapely.transform(g, lambda xy: xy + np.array(ORIGIN[:2]) + 100.0) for g in shapes]
    frame = gpd.GeoDataFrame({"id": names, "name": names, "rent": ["7"] * len(names)}, geometry=there, crs=CRS)
    frame.to_file(path)
    return path


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("plans")
    _plan(root / "f.gpkg")
    (root / "park.toml").write_text(HEAD + """plans = [
      { source = "f.gpkg", storey = "F1", elevation = 0.0, voids = ["Atrium"] },
      { source = "f.gpkg", storey = "F2", elevation = 4.5, height = 4.0, name_zh = "二层", voids = ["Atrium"] }]
    """)
    result = compile_park(load_park(root))
    assert [f.level for f in result.findings] == ["note"], result.findings
    return result.folder


def test_storeys_stand_on_one_another_and_hold_their_rooms(build: Path) -> None:
    graph = open_graph(build)
    storeys = [graph.node(int(k)) for k in graph.children(graph.index("h"))]
    assert [(s.name, s.name_zh, s.elevation, s.height) for s in storeys] == [("F1", None, 0.0, 4.5), ("F2", "二层", 4.5, 4.0)]
    rooms = [graph.node(int(k)) for k in graph.children(storeys[0].index) if graph.node(int(k)).kind == "space"]
    assert {r.name for r in rooms} == {"Shop", "Café", "Stairs", "Lift", "Hall"}
    areas = {r.name: r.area for r in rooms}
    assert areas["Shop"] == pytest.approx(80.0, abs=0.01)
    assert areas["Hall"] == pytest.approx(800 - 160 - 16 - 9 - 36, abs=0.1), "what no room takes, less the void"


def test_rooms_keep_what_their_plan_said(build: Path) -> None:
    graph = open_graph(build)
    assert ("Plan", "rent", "7", "") in properties_of(build, graph.index("h:F2-Shop"))


def test_rooms_are_drawn_on_their_storeys_floor(build: Path) -> None:
    graph = open_graph(build)
    drawn = read_glb(build / "tiles/b/h/1.glb").surfaces()
    node = graph.index("h:F2-Shop")
    points = np.concatenate([part.position[part.node == node] for part in drawn])
    assert points.min(axis=0) == pytest.approx((100, 100, 4.52), abs=0.05)
    assert points.max(axis=0) == pytest.approx((110, 108, 4.52), abs=0.05)


def test_every_room_is_walked_to_from_an_entrance_through_doors_stairs_and_lift(build: Path) -> None:
    walk = open_walk(build)
    graph = open_graph(build)
    reach = walk.distances(np.flatnonzero(walk.kind == "entrance"))
    reached = set(walk.node[np.isfinite(reach)].tolist())
    rooms = {int(k) for k in graph.of_kind("space")}
    assert rooms <= reached
    assert {"stair", "lift"} <= set(walk.edge_kind.tolist())


def test_drawing_of_pixels_gets_its_size_and_its_place(tmp_path: Path) -> None:
    shapes = [shapely.box(50, 50, 450, 250), shapely.box(50, 50, 150, 130), shapely.box(150, 50, 400, 250)]
    features = [{"type": "Feature", "properties": {"name": n}, "geometry": shapely.geometry.mapping(g)}
                for n, g in zip(("floor", "Shop", "Store"), shapes, strict=True)]
    (tmp_path / "f.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (tmp_path / "park.toml").write_text(HEAD + """placement = { at = [10.0, 20.0, 1.0], rotation = 90.0 }
    plans = [{ source = "f.geojson", storey = "F1", elevation = 0.0, size = [40.0, 20.0] }]""")
    spec = load_park(tmp_path)
    source, _ = lift(spec.buildings[0], spec)
    shop = next(s for s in source.model.spaces if source.model.entities.name[s.entity] == "Shop")
    assert shop.polygon.bounds == pytest.approx((0, 0, 10, 8), abs=0.01)
    assert source.park_from_ifc @ [10, 8, 0, 1] == pytest.approx((10 - 8, 20 + 10, 1, 1))


def test_rooms_that_overlap_leave_the_smaller_its_ground(tmp_path: Path) -> None:
    rooms = {"Big": shapely.box(0, 0, 30, 20), "Small": shapely.box(5, 5, 10, 10)}
    _plan(tmp_path / "f.gpkg", rooms)
    (tmp_path / "park.toml").write_text(HEAD + 'plans = [{ source = "f.gpkg", storey = "F1", elevation = 0.0 }]')
    spec = load_park(tmp_path)
    source, told = lift(spec.buildings[0], spec)
    area = {str(source.model.entities.name[s.entity]): s.polygon.area for s in source.model.spaces}
    assert (area["Small"], area["Big"]) == pytest.approx((25.0, 575.0), abs=0.01)
    assert any("areas overlap" in f.what for f in told)


def test_one_bad_plan_leaves_the_others_standing(tmp_path: Path) -> None:
    _plan(tmp_path / "f.gpkg")
    (tmp_path / "bad.geojson").write_text("{")
    (tmp_path / "park.toml").write_text(HEAD + """plans = [{ source = "f.gpkg", storey = "F1", elevation = 0.0 },
      { source = "bad.geojson", storey = "F2", elevation = 4.0 }]""")
    spec = load_park(tmp_path)
    source, told = lift(spec.buildings[0], spec)
    assert [s.name for s in source.model.storeys] == ["F1"]
    assert any(f.level == "error" and "bad.geojson cannot be read" in f.what for f in told)


@pytest.mark.parametrize(("plan", "what"), [
    ('{ source = "f.gpkg", storey = "F1" }', "no usable elevation"),
    ('{ source = "f.gpkg", elevation = 0.0 }', "no usable storey"),
    ('{ source = "f.gpkg", storey = "F1", elevation = 0.0, size = [1] }', "no usable size"),
    ('{ source = "f.gpkg", storey = "F1", elevation = 0.0, lenght = 3 }', "'lenght' is not known in a plan"),
    ('{ source = "none.gpkg", storey = "F1", elevation = 0.0 }', "there is no file 'none.gpkg'")])
def test_faulty_plan_is_told_with_its_line(tmp_path: Path, plan: str, what: str) -> None:
    _plan(tmp_path / "f.gpkg")
    (tmp_path / "park.toml").write_text(f"{HEAD}plans = [{plan}]")
    _, faults = read_park(tmp_path)
    assert any(what in f.what and f.line == 7 for f in faults), faults


def test_extruded_body_is_closed_and_of_the_right_volume() -> None:
    ring = shapely.box(0, 0, 10, 8) - shapely.box(2, 2, 4, 4)
    vertices, faces = extrude(ring, 1.0, 3.5)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 == pytest.approx(76 * 2.5)


@pytest.mark.shared
def test_real_walks_through_a_mall_stay_in_its_halls(tmp_path: Path) -> None:
    """True waypoints (metres of the drawing) against rooms lifted from coordinates: they meet on the floor, out of shops."""
    if not SHARED.is_dir():
        pytest.skip("the mall's plans are not here")
    sizes = {f: json.loads((SHARED / f"floors/{f}/floor_info.json").read_text())["map_info"] for f in ("F1", "F4")}
    plans = ", ".join(f'{{ source = "{SHARED}/floors/{f}/geojson_map.json", storey = "{f}", elevation = {z}, height = 5.0, '
                      f'size = [{sizes[f]["width"]}, {sizes[f]["height"]}], voids = ["zhongkong"] }}'
                      for f, z in (("F1", 0.0), ("F4", 15.0)))
    (tmp_path / "park.toml").write_text(f"{HEAD}plans = [{plans}]")
    spec = load_park(tmp_path)
    source, told = lift(spec.buildings[0], spec)
    with (SHARED / "waypoints.csv").open() as rows:
        walked = [(r["floor"], float(r["x_m"]), float(r["y_m"])) for r in csv.DictReader(rows)]
    for k, storey in enumerate(source.model.storeys):
        rooms = [s for s in source.model.spaces if source.model.entities.storey[s.entity] == k]
        corner = np.array(shapely.union_all([s.polygon for s in rooms]).bounds[:2])
        spots = shapely.points(np.array([(x, y) for f, x, y in walked if f == storey.name]) + corner)
        halls = [s.polygon for s in rooms if str(source.model.entities.key[s.entity]).startswith(f"{storey.name}-hall")]
        shops = shapely.STRtree([s.polygon for s in rooms if s.polygon not in halls])
        in_shop = len(np.unique(shops.query(spots, predicate="within")[0]))
        assert len(spots) > 700
        assert in_shop / len(spots) < 0.03
    assert any(" m by its coordinates, " in f.what and "residual 0." in f.what for f in told)
