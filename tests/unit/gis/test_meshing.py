"""Layers become meshes that close, lie on the ground and keep whose they are."""

from dataclasses import fields

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from gis.blocks import BlockForm, block_meshes
from gis.ground import GroundMesher, covers, hash_of, surroundings
from gis.lines import bays, dashes, pipe_mesh
from gis.mesh import Mesh, Surface, blank, box_mesh, join, put, split_large, triangulate
from gis.model import FlatGround, Layer
from gis.plain_blocks import plain_blocks
from gis.planting import plant_trees
from gis.solids import building_meshes
from gis.terrain import Terrain, tin_of_grid

GROUND = FlatGround(0.0)


def _layer(kind: str, geometry: list, **numbers: list[float]) -> Layer:
    n = len(geometry)
    bare = np.full(n, "", object)
    column = {name: np.array(numbers.get(name, [np.nan] * n), float) for name in ("height_m", "width_m", "depth_m")}
    return Layer(id=kind, kind=kind, name=kind, name_zh="", source="t", crs="EPSG:4549",  # type: ignore[arg-type]
                 ids=np.array([str(k) for k in range(n)], object), names=bare, names_zh=bare,
                 geometry=np.array(geometry, object), medium=np.full(n, "water", object), **column)


def _area(mesh: Mesh, chosen: np.ndarray | None = None) -> float:
    faces = mesh.faces if chosen is None else mesh.faces[chosen]
    a, b, c = (mesh.position[faces[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def _ground() -> GroundMesher:
    roads = _layer("roads", [shapely.LineString([(0, 50), (100, 50)]), shapely.LineString([(50, 0), (50, 100)])],
                   width_m=[8, 6])
    water = _layer("water", [shapely.box(40, 40, 60, 60)])
    greens = _layer("greens", [shapely.box(0, 0, 100, 100)])
    return GroundMesher(covers([(roads, np.array([1, 2], np.uint32)), (water, np.array([3], np.uint32)),
                                (greens, np.array([4], np.uint32))]), GROUND)


def test_ground_covers_every_square_metre_exactly_once() -> None:
    mesh = _ground().cell(shapely.box(0, 0, 100, 100))
    assert _area(mesh) == pytest.approx(10_000, abs=2.0)


def test_water_cuts_roads_and_roads_cut_greens() -> None:
    mesh = _ground().cell(shapely.box(0, 0, 100, 100))
    owner = mesh.node[mesh.faces[:, 0]]
    assert _area(mesh, owner == 3) == pytest.approx(400, abs=0.5)
    assert _area(mesh, owner == 1) == pytest.approx(8 * 80, abs=1.0)
    assert _area(mesh, owner == 2) == pytest.approx(6 * 80, abs=1.0)


def test_ground_cells_leave_no_gap_between_them() -> None:
    mesher = _ground()
    halves = [mesher.cell(shapely.box(0, 0, 47, 100)), mesher.cell(shapely.box(47, 0, 100, 100))]
    assert sum(_area(m) for m in halves) == pytest.approx(10_000, abs=2.0)


def test_draped_ground_lies_on_the_terrain_to_the_millimetre() -> None:
    xs = np.linspace(0, 100, 21)
    z = np.add.outer(0.05 * xs, np.sin(xs / 15))
    vertices, triangles = tin_of_grid(z, xs, xs, 0.05)
    terrain = Terrain("t", "t", "t", "", vertices, triangles, 0.05)
    greens = _layer("greens", [shapely.Point(50, 50).buffer(30)])
    mesh = GroundMesher(covers([(greens, np.array([1], np.uint32))]), terrain).cell(shapely.box(0, 0, 100, 100))
    middle = mesh.position[mesh.faces].mean(axis=1)
    assert np.abs(middle[:, 2] - terrain.height_at(middle[:, :2])).max() < 1e-3


def test_block_stands_as_high_as_its_footprint_says_with_windows_by_storey() -> None:
    layer = _layer("buildings", [shapely.box(0, 0, 40, 20)], height_m=[14.4])
    mesh = block_meshes(layer, np.array([7], np.uint32), GROUND)[0]
    roof = mesh.surface == Surface.ROOF
    assert mesh.position[roof][:, 2].max() == pytest.approx(14.4)
    assert set(mesh.node.tolist()) == {7}
    wall = np.isin(mesh.surface, [Surface.PUNCHED, Surface.RIBBON])
    assert mesh.uv[wall, 1].max() == pytest.approx(4.0)
    assert set(mesh.storey_dm[wall].tolist()) == {36}


def test_block_walls_face_outwards_around_a_courtyard() -> None:
    ring = shapely.box(0, 0, 40, 40).difference(shapely.box(12, 12, 28, 28))
    mesh = block_meshes(_layer("buildings", [ring], height_m=[9.0]), np.array([1], np.uint32), GROUND)[0]
    walls = np.flatnonzero(np.isin(mesh.surface[mesh.faces[:, 0]], [Surface.PUNCHED, Surface.RIBBON]))
    corner = mesh.position[mesh.faces[walls]]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    outside = shapely.points((corner.mean(axis=1) + normal * 0.1)[:, :2])
    assert not shapely.contains(ring, outside).any()
    assert np.abs(normal - mesh.normal[mesh.faces[walls, 0]]).max() < 1e-5


def test_earcut_keeps_area_and_turns_counter_clockwise() -> None:
    polygon = shapely.Point(0, 0).buffer(10).difference(shapely.Point(1, 1).buffer(4))
    xy, faces = triangulate(polygon)
    a, b, c = (xy[faces[:, k]] for k in range(3))
    signed = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (signed > 0).all()
    assert signed.sum() == pytest.approx(polygon.area)


def test_pipe_runs_at_its_depth_below_the_ground() -> None:
    pipe = _layer("pipes", [shapely.LineString([(0, 0), (50, 0), (50, 30)])], width_m=[300], depth_m=[2.5])
    mesh = pipe_mesh(pipe, np.array([1], np.uint32), GROUND)
    assert (mesh.position[:, 2].min() + mesh.position[:, 2].max()) / 2 == pytest.approx(-2.5, abs=0.01)
    assert np.ptp(mesh.position[:, 2]) == pytest.approx(0.3 * 1.35, rel=0.05)


def test_trees_keep_their_heights_and_look_the_same_every_time() -> None:
    layer = _layer("trees", [shapely.Point(k, k) for k in range(40)], height_m=[9.0] * 40)
    once, twice = (plant_trees(layer, np.arange(1, 41, dtype=np.uint32), GROUND) for _ in range(2))
    assert sum(len(p) for p in once) == 40
    assert {float(h) for p in once for h in p.scale[:, 2]} == {9.0}
    assert all((a.tint == b.tint).all() and (a.turn_rad == b.turn_rad).all() for a, b in zip(once, twice, strict=True))
    assert len({tuple(t) for p in once for t in p.tint.tolist()}) > 20


def test_dashes_stay_off_junctions_and_narrow_roads() -> None:
    cross = _layer("roads", [shapely.LineString([(0, 50), (100, 50)]), shapely.LineString([(50, 0), (50, 100)]),
                             shapely.LineString([(0, 90), (30, 90)])], width_m=[7, 7, 3])
    middle = dashes(cross, GROUND).position[:, :2]
    assert len(middle)
    assert np.linalg.norm(middle - 50, axis=1).min() > 7
    assert not ((np.abs(middle[:, 1] - 90) < 1) & (middle[:, 0] < 40)).any()


def test_a_car_park_too_narrow_for_a_bay_has_none() -> None:
    assert len(bays(_layer("parking", [shapely.box(0, 0, 100, 0.7)]), GROUND)) == 0
    assert len(bays(_layer("parking", [shapely.box(0, 0, 100, 0.7), shapely.box(0, 10, 40, 30)]), GROUND)) > 0


def test_surroundings_leave_the_park_free() -> None:
    mesh = surroundings((0, 0, 100, 80), GROUND)
    middle = mesh.position[mesh.faces].mean(axis=1)
    inside = (middle[:, 0] > 0) & (middle[:, 0] < 100) & (middle[:, 1] > 0) & (middle[:, 1] < 80)
    assert not inside.any()
    assert set(mesh.surface.tolist()) == {Surface.CONTEXT}


def _as_rows(mesh: Mesh) -> NDArray[np.float64]:
    """A row a triangle: corners, normals, uv, colour, class, storey and node of each corner; in one order."""
    columns = [mesh.position, mesh.normal, mesh.uv, mesh.colour, mesh.surface[:, None], mesh.storey_dm[:, None],
               mesh.node[:, None]]
    rows = np.round(np.concatenate([c.astype(np.float64) for c in columns], axis=1), 5)[mesh.faces]
    first = np.lexsort(rows[:, :, 2::-1].transpose(2, 0, 1), axis=1)[:, 0]
    rows = np.take_along_axis(rows, ((first[:, None] + np.arange(3)) % 3)[:, :, None], axis=1).reshape(len(rows), -1)
    return rows[np.lexsort(rows.T[::-1])]


def test_surroundings_all_at_once_are_what_they_are_one_by_one() -> None:
    court = shapely.box(200, 0, 260, 40).difference(shapely.box(210, 10, 230, 30))
    shapes = [shapely.box(100, 0, 120, 20), court, shapely.Point(300, 50).buffer(9), shapely.box(0, 400, 0.05, 400.05),
              shapely.MultiPolygon([shapely.box(0, 500, 9, 509), shapely.box(20, 500, 90, 509)])]
    layer = _layer("buildings", shapes, height_m=[3.5, 12.0, 60.0, 5.0, np.nan])
    xs = np.linspace(-50, 600, 14)
    ground = Terrain("t", "t", "t", "", *tin_of_grid(np.add.outer(0.05 * xs, np.sin(xs / 15)), xs, xs, 0.05), 0.05)
    nodes, park = np.arange(3, 8, dtype=np.uint32), shapely.box(-10, -10, 1, 1)
    one_by_one = join(block_meshes(layer, nodes, ground, park))
    quarters = building_meshes(layer, nodes, ground, park)
    assert len(quarters) == 3, "what lies far apart need not be drawn together"
    assert (_as_rows(join(quarters)) == _as_rows(one_by_one)).all()


def test_hash_does_not_change_between_runs() -> None:
    assert hash_of("trees:12") == 412983833


@pytest.mark.parametrize("ring", [
    [(0, 0), (10, 0), (10, 10), (0, 10)], [(0, 0), (0, 10), (10, 10), (10, 0)], [(0, 0), (10, 0), (3, 3), (0, 10)],
    [(3, 3), (0, 10), (0, 0), (10, 0)], [(0, 0), (5, 0), (10, 0), (5, 9)]],
    ids=["square", "clockwise", "dart", "dart from its notch", "three in a line"])
@pytest.mark.parametrize("hole", [None, [(2, 1), (3, 1), (3, 2), (2, 2)]])
def test_caps_of_four_corners_cover_their_ground_once(ring: list[tuple[float, float]],
                                                      hole: list[tuple[float, float]] | None) -> None:
    """Oracle: the polygon's own area; every triangle looks up, and none reaches over what is not of it."""
    polygon = shapely.Polygon(ring, [hole] if hole else [])
    form = BlockForm(9.0, 3, Surface.CONTEXT, (1, 2, 3))
    mesh = plain_blocks(np.array([polygon], object), [form], np.array([7], np.uint32), FlatGround(0.0))
    caps = mesh.position[mesh.faces[mesh.normal[mesh.faces[:, 0], 2] > 0.5]][:, :, :2]
    drawn = [shapely.Polygon(cap) for cap in caps]
    assert sum(part.area for part in drawn) == pytest.approx(polygon.area)
    assert shapely.union_all(drawn).symmetric_difference(polygon).area < 1e-9
    assert all(part.exterior.is_ccw for part in drawn)


def test_splitting_keeps_area_and_opens_no_seam() -> None:
    layer = _layer("buildings", [shapely.box(0, 0, 60, 25)], height_m=[10.0])
    mesh = block_meshes(layer, np.array([1], np.uint32), GROUND)[0]
    fine, source = split_large(mesh, np.full(len(mesh.faces), 5.0))
    assert _area(fine) == pytest.approx(_area(mesh), rel=1e-9)
    assert (fine.surface[fine.faces[:, 0]] == mesh.surface[mesh.faces[source, 0]]).all()
    side = np.linalg.norm(fine.position[fine.faces] - fine.position[np.roll(fine.faces, 1, axis=1)], axis=2)
    assert side.max() <= 5.0
    pairs = np.sort(np.concatenate([fine.faces[:, [0, 1]], fine.faces[:, [1, 2]], fine.faces[:, [2, 0]]]), axis=1)
    assert np.unique(pairs, axis=0, return_counts=True)[1].max() <= 2


def test_blocks_outside_the_boundary_recede() -> None:
    layer = _layer("buildings", [shapely.box(0, 0, 20, 20), shapely.box(100, 0, 120, 20)], height_m=[12.0, 12.0])
    inner, outer = block_meshes(layer, np.array([1, 2], np.uint32), GROUND, shapely.box(-10, -10, 50, 50))
    assert Surface.CONTEXT not in inner.surface
    assert set(outer.surface.tolist()) == {Surface.CONTEXT}


def test_pieces_put_into_a_blank_mesh_are_the_joined_one() -> None:
    pieces = [box_mesh((10.0 * k, 0.0, 0.0), (1, 2, 3), colour=(k, 1, 1), surface=k, node=k) for k in range(3)]
    whole, joined = blank(sum(map(len, pieces)), sum(len(piece.faces) for piece in pieces)), join(pieces)
    for k, piece in enumerate(pieces):
        put(piece, whole, k * len(piece), k * len(piece.faces))
    for column in fields(whole):
        one, other = getattr(whole, column.name), getattr(joined, column.name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
