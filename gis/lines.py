"""Things that follow a line: lane dashes, zebra stripes, bay markings, fences, pipes."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.ground import road_width_m, strips
from gis.mesh import Mesh, Surface, join, make_mesh, polygons_of
from gis.model import Ground, Layer

MARK_LIFT_M = 0.03
PIPE_DEPTH_M = {"water": 4.0, "drain": 8.5, "power": 2.6, "heat": 6.0, "gas": 3.2, "data": 2.0, "": 3.0}
CABLE_RADIUS_M = 0.14
#: Words by which sources call what a pipe or a cable carries, in both languages.
MEDIUM_WORDS = {
    "drain": ("drain", "sewer", "sewage", "storm", "waste", "rain", "污水", "雨水", "排水"),
    "heat": ("heat", "steam", "chilled", "cooling", "热力", "供热", "蒸汽", "供冷"),
    "gas": ("gas", "燃气", "天然气"),
    "data": ("data", "fibre", "fiber", "telecom", "communication", "comms", "optical", "通信", "弱电", "光纤"),
    "power": ("power", "electric", "cable", "kv", "电力", "强电", "供电"),
    "water": ("water", "supply", "hydrant", "给水", "供水", "消防"),
}
PIPE_SIDES = 10
PIPE_DRAWN = 1.35


def parts_of(geometry: shapely.Geometry) -> list[NDArray[np.float64]]:
    """The polylines (k, 2) of a line geometry; rings of an area."""
    lines = [part for part in shapely.get_parts(geometry) if part.geom_type == "LineString" and not part.is_empty]
    return [np.asarray(line.coords)[:, :2] for line in lines]


def dashes(layer: Layer, ground: Ground, dash_m: float = 3.0, gap_m: float = 5.0, wide_m: float = 0.16) -> Mesh:
    """Centre-line dashes of roads at least 5.5 m wide, kept off the junctions."""
    width = road_width_m(layer)
    lines = np.flatnonzero((shapely.get_dimensions(layer.geometry) == 1) & (width >= 5.5))
    if not len(lines):
        return join([])
    crossings = _junctions(layer.geometry[lines], width[lines])
    starts, ends = [], []
    for geometry in shapely.difference(layer.geometry[lines], crossings):
        for part in shapely.get_parts(geometry):
            if part.length < dash_m * 2:
                continue
            at = np.arange(1.0, part.length - dash_m, dash_m + gap_m)
            starts.append(shapely.get_coordinates(shapely.line_interpolate_point(part, at)))
            ends.append(shapely.get_coordinates(shapely.line_interpolate_point(part, at + dash_m)))
    return stripes(np.concatenate(starts), np.concatenate(ends), wide_m, ground) if starts else join([])


def _junctions(lines: NDArray[np.object_], width: NDArray[np.float64]) -> shapely.Geometry:
    tree = shapely.STRtree(lines)
    a, b = tree.query(lines, predicate="intersects")
    pairs = a < b
    one, other = lines[a[pairs]], lines[b[pairs]]
    points = shapely.intersection(one, other)
    reach = np.maximum(width[a[pairs]], width[b[pairs]]) / 2 + 5.0
    arms = _arms(one, points) + _arms(other, points)
    is_crossing = (arms > 2) | (_times_met(points) > 1) | (shapely.get_type_id(points) != 0)
    return shapely.union_all(shapely.buffer(points[is_crossing], reach[is_crossing], quad_segs=2))


def _arms(lines: NDArray[np.object_], points: NDArray[np.object_]) -> NDArray[np.int64]:
    """How many ways each line leads away from its point: one from an end, two from between."""
    is_end = shapely.distance(shapely.boundary(lines), points) < 0.01
    return np.where(is_end, 1, 2)


def _times_met(points: NDArray[np.object_]) -> NDArray[np.int64]:
    """How many pairs of roads meet at each place: two roads that merely go on meet once, three meet thrice."""
    xy = np.round(shapely.get_coordinates(shapely.point_on_surface(points)), 1)
    _, back, count = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    return count[back.reshape(-1)]


def stripes(start: NDArray, end: NDArray, wide_m: float, ground: Ground) -> Mesh:
    """Flat quads of a width from start (n, 2) to end (n, 2), a little above the ground, in marking white."""
    along = end - start
    length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.column_stack([-along[:, 1], along[:, 0]]) / length * wide_m / 2
    xy = np.stack([start - across, end - across, end + across, start + across], axis=1).reshape(-1, 2)
    z = ground.height_at(xy) + MARK_LIFT_M
    faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(len(start))[:, None, None]).reshape(-1, 3)
    return make_mesh(np.column_stack([xy, z]), faces, normal=np.array([0, 0, 1.0]), colour=palette.MARKING,
                     surface=Surface.MARKING)


def zebras(roads: Layer, paths: Layer, ground: Ground, spacing_m: float = 1.0) -> Mesh:
    """Zebra stripes where a path crosses a road from kerb to kerb."""
    areas, lines = strips(roads), paths.geometry
    is_path = np.flatnonzero(shapely.get_dimensions(lines) == 1)
    tree = shapely.STRtree(areas)
    path_row, road_row = tree.query(lines[is_path], predicate="intersects")
    width = road_width_m(roads)
    starts, ends = [], []
    for crossing, road in zip(shapely.intersection(lines[is_path[path_row]], areas[road_row]), road_row, strict=True):
        for part in parts_of(crossing):
            vector = part[-1] - part[0]
            length = float(np.linalg.norm(vector))
            if not 0.8 * width[road] <= length <= 1.5 * width[road] or width[road] < 4.0:
                continue
            unit = vector / length
            at = np.arange(0.6, length - 0.4, spacing_m)
            centre = part[0] + unit * at[:, None]
            side = np.array([-unit[1], unit[0]]) * 1.4
            starts.append(centre - side)
            ends.append(centre + side)
    return stripes(np.concatenate(starts), np.concatenate(ends), 0.5, ground) if starts else join([])


def bays(layer: Layer, ground: Ground, bay_m: float = 2.6, depth_m: float = 5.2) -> Mesh:
    """Bay lines across parking areas: rows along the longer side of each area's smallest rectangle."""
    starts, ends = [], []
    for geometry in layer.geometry:
        for polygon in polygons_of(geometry):
            if polygon.area < 60.0:
                continue
            rows = _bay_rows(polygon, bay_m, depth_m)
            for line in shapely.intersection(rows, shapely.buffer(polygon, -0.4)):
                for part in parts_of(line):
                    if np.linalg.norm(part[-1] - part[0]) > depth_m * 0.7:
                        starts.append(part[:1])
                        ends.append(part[-1:])
    return stripes(np.concatenate(starts), np.concatenate(ends), 0.14, ground) if starts else join([])


def _bay_rows(polygon: shapely.Polygon, bay_m: float, depth_m: float) -> NDArray[np.object_]:
    corner = np.asarray(shapely.minimum_rotated_rectangle(polygon).exterior.coords)[:4, :2]
    side = np.diff(np.vstack([corner, corner[:1]]), axis=0)
    length = np.linalg.norm(side, axis=1)
    if length[0] < length[1]:
        corner, side, length = np.roll(corner, -1, axis=0), np.roll(side, -1, axis=0), np.roll(length, -1)
    along, across = side[0] / length[0], side[1] / length[1]
    lines = []
    module = 2 * depth_m + 6.0
    for low in np.arange(0.4, length[1] - depth_m, module / 2 if length[1] < module else module):
        for offset in (0.0, depth_m + 6.0):
            near = low + offset
            if near + depth_m > length[1]:
                continue
            for s in np.arange(0.6, length[0] - 0.4, bay_m):
                foot = corner[0] + along * s + across * near
                lines.append(shapely.LineString([foot, foot + across * depth_m]))
    return np.array(lines, dtype=object)


def fence_rails(layer: Layer, nodes: NDArray[np.uint32], ground: Ground) -> tuple[Mesh, NDArray[np.float64], NDArray]:
    """Rails of a fence as thin upright bands, and where its posts stand: xyz (n, 3) and node (n,)."""
    meshes: list[Mesh] = []
    posts, owner = [], []
    for geometry, node in zip(layer.geometry, nodes, strict=True):
        lines = parts_of(geometry) if shapely.get_dimensions(geometry) == 1 else parts_of(shapely.boundary(geometry))
        for line in lines:
            path = shapely.LineString(line)
            at = np.linspace(0.0, path.length, max(2, int(np.ceil(path.length / 3.0)) + 1))
            xy = shapely.get_coordinates(shapely.line_interpolate_point(path, at))
            z = ground.height_at(xy)
            meshes.extend(_upright(xy, z + low, z + low + 0.09, int(node)) for low in (0.25, 1.05, 1.85))
            posts.append(np.column_stack([xy, z]))
            owner.append(np.full(len(xy), node, np.uint32))
    if not posts:
        return join([]), np.zeros((0, 3)), np.zeros(0, np.uint32)
    return join(meshes), np.concatenate(posts), np.concatenate(owner)


def _upright(xy: NDArray, low: NDArray, high: NDArray, node: int) -> Mesh:
    n = len(xy) - 1
    position = np.empty((n, 4, 3))
    position[:, 0] = np.column_stack([xy[:-1], low[:-1]])
    position[:, 1] = np.column_stack([xy[1:], low[1:]])
    position[:, 2] = np.column_stack([xy[1:], high[1:]])
    position[:, 3] = np.column_stack([xy[:-1], high[:-1]])
    faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(n)[:, None, None]).reshape(-1, 3)
    return make_mesh(position.reshape(-1, 3), faces, colour=palette.FENCE, surface=Surface.PLAIN, node=node)


def pipe_radius_m(width: float) -> float:
    """Drawn radius of a nominal diameter given in metres or millimetres (over 5 it must be millimetres)."""
    diameter = width / 1000.0 if width > 5.0 else width
    return float(np.clip(diameter / 2, 0.12, 1.5)) * PIPE_DRAWN if diameter > 0 else 0.3


def medium_of(layer: Layer, row: int) -> str:
    """What a pipe or cable carries, one of `PIPE_DEPTH_M`: the first of its own words that is known."""
    text = f"{layer.medium[row]} {layer.names[row]}".lower()
    said = next((m for m, words in MEDIUM_WORDS.items() if any(w in text for w in words)), "")
    return said or ("power" if layer.kind == "cables" else "")


def pipe_mesh(layer: Layer, nodes: NDArray[np.uint32], ground: Ground) -> Mesh:
    """Pipes and cables as ten-sided tubes with mitred bends below the ground, coloured by medium.

    A line with heights of its own that lie under the ground follows them; else it lies at its depth, else at what is
    usual for its medium.
    """
    meshes = []
    for row, geometry in enumerate(layer.geometry):
        medium = medium_of(layer, row)
        depth = layer.depth_m[row] if layer.depth_m[row] > 0 else PIPE_DEPTH_M[medium]
        radius = CABLE_RADIUS_M if layer.kind == "cables" else pipe_radius_m(layer.width_m[row])
        for part in shapely.get_parts(geometry):
            if part.geom_type != "LineString":
                continue
            line = shapely.get_coordinates(shapely.segmentize(part, 40.0), include_z=True)
            line = line[np.r_[True, np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1) > 0.01]]
            if len(line) > 1:
                path = np.column_stack([line[:, :2], _levels(line, ground, depth)])
                meshes.append(_tube(path, radius, palette.PIPES[medium], int(nodes[row])))
    return join(meshes)


def buried_m(layer: Layer, ground_z: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far (n,) under the ground the features of a layer lie, 0 for what stands on it.

    Args:
        ground_z: height of the ground at each feature.
    """
    if layer.kind not in ("pipes", "cables"):
        return np.zeros(len(layer))
    usual = np.array([PIPE_DEPTH_M[medium_of(layer, row)] for row in range(len(layer))])
    depth = np.where(layer.depth_m > 0, layer.depth_m, usual)
    for row in np.flatnonzero(shapely.has_z(layer.geometry)):
        z = shapely.get_coordinates(layer.geometry[row], include_z=True)[:, 2]
        if np.isfinite(z).all() and (z < ground_z[row]).all():
            depth[row] = ground_z[row] - z.mean()
    return depth


def _levels(line: NDArray[np.float64], ground: Ground, depth: float) -> NDArray[np.float64]:
    """Heights (n,) of a line (n, 3): its own where all of it lies under the ground, else `depth` below it."""
    surface = ground.height_at(line[:, :2])
    own = line[:, 2]
    return own if np.isfinite(own).all() and (own < surface).all() else surface - depth


def _tube(path: NDArray[np.float64], radius: float, colour: palette.RGB, node: int) -> Mesh:
    step = np.diff(path, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    side = np.cross(step, [0.0, 0.0, 1.0])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    mitre = np.vstack([side[:1], side[:-1] + side[1:], side[-1:]])
    mitre /= np.maximum(np.linalg.norm(mitre, axis=1, keepdims=True), 1e-9)
    nearest = np.vstack([side[:1], side])
    mitre *= np.clip(1.0 / np.maximum(np.sum(mitre * nearest, axis=1, keepdims=True), 0.4), 1.0, 2.5)
    angle = np.arange(PIPE_SIDES) * 2 * np.pi / PIPE_SIDES
    spoke = mitre[:, None] * np.cos(angle)[None, :, None] + np.array([0, 0, 1.0]) * np.sin(angle)[None, :, None]
    ring = path[:, None] + radius * spoke
    n, k = len(path) - 1, PIPE_SIDES
    nxt = np.roll(np.arange(k), -1)
    quads = np.stack([ring[:-1], ring[1:], ring[1:][:, nxt], ring[:-1][:, nxt]], axis=2)
    normal = (spoke[:-1] + spoke[:-1][:, nxt]) / 2
    normal = np.repeat((normal / np.linalg.norm(normal, axis=2, keepdims=True)).reshape(-1, 3), 4, axis=0)
    faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(n * k)[:, None, None]).reshape(-1, 3)
    return make_mesh(quads.reshape(-1, 3), faces, normal=normal, colour=colour, surface=Surface.PIPE, node=node)
