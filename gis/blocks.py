"""Footprints with a height as believable buildings: walls with bays and storeys, parapets, roofs, rooftop plant."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.boundary import stands_outside
from gis.corners import tidy
from gis.floors import HALLS, STOREY_M, counted_floors, uses
from gis.ground import hash_of
from gis.mesh import Mesh, Surface, box_mesh, join, make_mesh, polygons_of, triangulate
from gis.model import Ground, Layer

PARAPET_M = 0.9
RIM_M = 1.6
SPLIT_HEIGHTS_M = (3.0, 18.0)
LONGEST_WALL_M = 24.0
BAY_M = {Surface.PUNCHED: 3.2, Surface.RIBBON: 3.0, Surface.CURTAIN: 1.8, Surface.RIBS: 1.2, Surface.PLAIN: 3.0,
         Surface.CONTEXT: 1e9}
_USES = (
    (Surface.RIBS, HALLS),
    (Surface.PUNCHED, ("housing", "residential", "residence", "dormitory", "hotel", "apartment", "hospital", "school")),
    (Surface.RIBBON, ("office", "academic", "research", "laboratory", "parking", "administration", "education")),
)


@dataclass(frozen=True, slots=True)
class BlockForm:
    """What one footprint is drawn as."""

    height_m: float
    storeys: int
    facade: Surface
    wall: palette.RGB


def block_forms(layer: Layer, outside: NDArray[np.bool_] | None = None) -> list[BlockForm]:
    """A form for every footprint: its own height and floors where known, sound guesses where not.

    Args:
        outside: (n,) what stands outside the park and is drawn as surroundings.
    """
    use, floors = uses(layer), counted_floors(layer).tolist()
    area = shapely.area(layer.geometry)
    away = outside if outside is not None else np.zeros(len(layer), bool)
    return [_bare(h, floors[k], a) if out else _form(str(layer.ids[k]), h, use[k], floors[k], a)
            for k, (h, a, out) in enumerate(zip(layer.height_m.tolist(), area.tolist(), away.tolist(), strict=True))]


def _rise(height_m: float, floors: int, area_m2: float) -> tuple[float, int]:
    """Height in metres and storeys of a footprint; `floors` is 0 where nobody counted them."""
    if not height_m > 1.0:
        height_m = floors * STOREY_M if floors else (4.0 if area_m2 < 80 else 8.0)
    return height_m, floors if floors and 2.4 <= height_m / floors <= 7.0 else max(1, round(height_m / STOREY_M))


def _bare(height_m: float, floors: int, area_m2: float) -> BlockForm:
    return BlockForm(*_rise(height_m, floors, area_m2), Surface.CONTEXT, palette.CITY)


def _form(feature_id: str, height_m: float, use: str, floors: int, area_m2: float) -> BlockForm:
    height_m, storeys = _rise(height_m, floors, area_m2)
    facade = next((surface for surface, words in _USES if any(word in use for word in words)), Surface.RIBBON)
    if area_m2 < 45.0 or height_m < 3.0:
        facade = Surface.PLAIN
    elif height_m > 45.0:
        facade = Surface.CURTAIN
    elif facade is Surface.RIBBON and hash_of(feature_id) % 3 == 0:
        facade = Surface.PUNCHED
    tints = palette.SHED_WALLS if facade is Surface.RIBS else palette.WALLS
    return BlockForm(height_m, storeys, facade, tints[hash_of(feature_id + "wall") % len(tints)])


def block_meshes(layer: Layer, nodes: NDArray[np.uint32], ground: Ground, park: shapely.Geometry | None = None,
                 ) -> list[Mesh]:
    """One mesh a footprint (n), standing on the lowest ground under it, feature by feature.

    Args:
        park: the park's own area; what stands outside it is drawn as bare, pale surroundings. None for no such line.
    """
    forms = forms_in(layer, park)
    return [block_mesh(geometry, form, int(node), str(i), ground)
            for geometry, form, node, i in zip(layer.geometry, forms, nodes, layer.ids, strict=True)]


def forms_in(layer: Layer, park: shapely.Geometry | None) -> list[BlockForm]:
    """Forms (n) of a layer's footprints, with what stands outside the park as surroundings."""
    return block_forms(layer, stands_outside(layer, park))


def block_mesh(geometry: shapely.Geometry, form: BlockForm, node: int, feature_id: str, ground: Ground) -> Mesh:
    """One footprint as a block of its form."""
    parts: list[Mesh] = []
    for polygon in tidy(np.array(polygons_of(geometry), dtype=object)):
        rings = [polygon.exterior, *polygon.interiors]
        z = ground.height_at(np.asarray(polygon.exterior.coords)[:, :2])
        base, top = float(z.min()), float(z.mean()) + form.height_m
        parts.extend(_walls(np.asarray(r.coords)[:, :2], base, top, form, node) for r in rings)
        if form.facade is Surface.CONTEXT:
            parts.append(_cap(polygon, top, node, palette.CITY_ROOF, Surface.CONTEXT, np.array([0.0, 0.0, 1.0])))
            continue
        parts.extend(_roof(polygon, top, form, node))
        parts.extend(_plant(polygon, top, feature_id, node))
    return join(parts)


def _walls(ring: NDArray[np.float64], base: float, top: float, form: BlockForm, node: int) -> Mesh:
    """Walls of one ring, split near the ground (so contact shade has vertices) and lengthwise on long walls."""
    start, end = _split_long(ring[:-1], ring[1:])
    length = np.linalg.norm(end - start, axis=1)
    keep = length > 0.02
    start, end, length = start[keep], end[keep], length[keep]
    bays = np.rint(length / BAY_M[form.facade])
    steps = [0.0, *(h for h in SPLIT_HEIGHTS_M if h < top - base - 1.0), top - base]
    storey = (top - base) / form.storeys
    outward = np.column_stack([(end - start)[:, 1], -(end - start)[:, 0], np.zeros(len(start))]) / length[:, None]
    quads = []
    for low, high in itertools.pairwise(steps):
        v = low / storey, high / storey
        quads.append(_quads(start, end, base + low, base + high, outward, form, node, bays, v))
    return join(quads)


def _split_long(start: NDArray, end: NDArray, limit_m: float = LONGEST_WALL_M) -> tuple[NDArray, NDArray]:
    pieces = np.maximum(1, np.ceil(np.linalg.norm(end - start, axis=1) / limit_m)).astype(int)
    row = np.repeat(np.arange(len(start)), pieces)
    k = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (end - start)[row] / pieces[row][:, None]
    return start[row] + step * k[:, None], start[row] + step * (k + 1)[:, None]


def _quads(start: NDArray, end: NDArray, low: float, high: float, outward: NDArray, form: BlockForm, node: int,
           bays: NDArray, v: tuple[float, float]) -> Mesh:
    n = len(start)
    position = np.empty((n, 4, 3))
    position[:, 0, :2], position[:, 1, :2], position[:, 2, :2], position[:, 3, :2] = start, end, end, start
    position[:, :2, 2], position[:, 2:, 2] = low, high
    uv = np.zeros((n, 4, 2), np.float32)
    uv[:, 1:3, 0] = bays[:, None]
    uv[:, :2, 1], uv[:, 2:, 1] = v
    faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(n)[:, None, None]).reshape(-1, 3)
    storey_dm = int(np.clip((high - low) / max(v[1] - v[0], 1e-6) * 10, 0, 255))
    return make_mesh(position.reshape(-1, 3), faces, normal=np.repeat(outward, 4, axis=0), colour=form.wall,
                     surface=form.facade, node=node, storey_dm=storey_dm, uv=uv.reshape(-1, 2))


def _roof(polygon: shapely.Polygon, top: float, form: BlockForm, node: int) -> list[Mesh]:
    """Deck, a rim whose vertices can darken, and a parapet on all but small roofs."""
    up = np.array([0.0, 0.0, 1.0])
    has_parapet = polygon.area > 120.0 and form.facade is not Surface.RIBS
    coping = shapely.buffer(polygon, -0.35, join_style="mitre") if has_parapet else polygon
    deck = coping if has_parapet and not coping.is_empty else polygon
    has_parapet = has_parapet and deck is coping
    inner = shapely.buffer(deck, -RIM_M, join_style="mitre")
    areas = [*polygons_of(shapely.difference(deck, inner)), *polygons_of(inner)]
    meshes = [_cap(p, top, node, palette.ROOF, Surface.ROOF, up) for p in areas]
    if has_parapet:
        crown = top + PARAPET_M
        meshes.extend(_cap(p, crown, node, palette.PARAPET, Surface.PLAIN, up)
                      for p in polygons_of(shapely.difference(polygon, coping)))
        meshes.extend(_band(r, top, crown, node, form.wall) for r in _rings(polygon))
        meshes.extend(_band(r[::-1], top, crown, node, palette.PARAPET) for r in _rings(deck))
    return meshes


def _rings(geometry: shapely.Geometry) -> list[NDArray[np.float64]]:
    return [np.asarray(r.coords)[:, :2] for p in polygons_of(geometry)
            for r in (lambda q: [q.exterior, *q.interiors])(shapely.orient_polygons(p))]


def _band(ring: NDArray, low: float, high: float, node: int, colour: palette.RGB) -> Mesh:
    form = BlockForm(high - low, 1, Surface.PLAIN, colour)
    start, end = ring[:-1], ring[1:]
    length = np.maximum(np.linalg.norm(end - start, axis=1), 1e-9)
    outward = np.column_stack([(end - start)[:, 1], -(end - start)[:, 0], np.zeros(len(start))]) / length[:, None]
    return _quads(start, end, low, high, outward, form, node, np.zeros(len(start)), (0.0, 0.0))


def _cap(polygon: shapely.Polygon, z: float, node: int, colour: palette.RGB, surface: Surface, normal: NDArray) -> Mesh:
    xy, faces = triangulate(polygon)
    return make_mesh(np.column_stack([xy, np.full(len(xy), z)]), faces, normal=normal, colour=colour, surface=surface,
                     node=node)


def _plant(polygon: shapely.Polygon, top: float, feature_id: str, node: int) -> list[Mesh]:
    """Up to four rooftop boxes, placed by the feature's own hash, square to the longest wall, inside the roof."""
    room = shapely.buffer(polygon, -3.5)
    if polygon.area < 260.0 or room.is_empty or room.area < 40.0:
        return []
    seed = np.random.default_rng(hash_of(feature_id))
    ring = np.asarray(polygon.exterior.coords)[:, :2]
    side = np.diff(ring, axis=0)
    longest = side[np.argmax(np.linalg.norm(side, axis=1))]
    turn = float(np.arctan2(longest[1], longest[0]))
    lo, hi = np.array(room.bounds[:2]), np.array(room.bounds[2:])
    wanted = int(np.clip(polygon.area / 450.0, 1, 4))
    placed: list[tuple[NDArray, float]] = []
    out = []
    for spot in seed.uniform(lo, hi, (24, 2)):
        size = seed.uniform([3.0, 2.4, 1.4], [7.0, 4.5, 2.8])
        reach = float(np.hypot(size[0], size[1]) / 2)
        point = shapely.Point(spot)
        if not room.contains(point.buffer(reach * 0.7)) or any(np.linalg.norm(spot - q) < reach + r for q, r in placed):
            continue
        placed.append((spot, reach))
        out.append(box_mesh((spot[0], spot[1], top), (size[0], size[1], size[2]), turn, colour=palette.ROOF_PLANT,
                            surface=Surface.PLAIN, node=node))
        if len(out) == wanted:
            break
    return out
