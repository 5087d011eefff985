"""Every tile of a park from its layers and buildings, under one sun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import lonlat_of
from gis.model import Ground
from gis.planting import points_of
from gis.terrain import Terrain
from scenes.background_job import Surveyed
from scenes.backgrounds import CUT_REACH_M, Backgrounds
from scenes.bake import crown_corners, sun_vector
from scenes.building_body import BuildingBody, Shelf
from scenes.building_step import DrawBuilding
from scenes.building_tiles import BuildingInput, BuildingOutput
from scenes.gis_tiles import GisMeshes, GisTiler, Indexed, cell_side_m, cells, mesh_map
from scenes.glb import FeatureNames
from scenes.kept import part_key
from scenes.settle import address, settled, settled_building
from scenes.shade import Shade
from scenes.tileset import Write, ecef_from_park, tileset_json
from twin.errors import TwinError
from twin.workshop import Workshop

MARGIN_M = 30.0
TERRAIN_REACH_M = 350.0
Bounds = tuple[float, float, float, float]
Progress = Callable[[str, int, int], None]
TileBackgrounds = Callable[[shapely.Geometry], Backgrounds]
NO_BACKGROUNDS = Backgrounds((), (), ())
_ANCHORS = ("boundary", "buildings", "fence", "parking", "greens", "gates")


@dataclass(frozen=True, slots=True, eq=False)
class ParkScene:
    """What the tile stage needs to know of a park.

    Args:
        layers: each with the dense node index of its features; footprints that IFC buildings replace are not in it.
        names: id, name and class of every dense index.
    """

    crs: str
    origin: tuple[float, float, float]
    layers: Indexed
    ground: Ground
    buildings: tuple[BuildingInput, ...]
    names: FeatureNames
    backgrounds: tuple[Surveyed, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ParkTiles:
    """What the manifest says about the tiles. `ground` (3,): its lowest, middle and highest height over `bounds`."""

    bounds: Bounds
    ground: tuple[float, float, float]
    latitude: float
    longitude: float
    root_transform: list[float]
    light_bounds: Bounds
    buildings: list[dict[str, Any]]
    tile_count: int
    backgrounds: Backgrounds


def write_tiles(scene: ParkScene, write: Write, progress: Progress, workshop: Workshop,
                backgrounds: TileBackgrounds = lambda cut: NO_BACKGROUNDS) -> ParkTiles:
    """Mesh, light and write everything under `tiles/`; buildings are drawn in the workshop.

    Args:
        backgrounds: writes the tiles of scans and reality meshes, given what buildings cover on the plan.
    """
    progress("tiles", 0, 1)
    store = workshop.store
    ground_key = part_key("ground", scene.ground)
    shelf = Shelf()
    bodies = [BuildingBody(source, scene.ground, ground_key, store, shelf) for source in scene.buildings]
    bounds = park_bounds(scene, bodies)
    layers, dense = _numbered(_within(scene.layers, bounds))
    gis = mesh_map(layers, scene.ground, ground_key, workshop)
    middle = np.array([[(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]])
    longitude, latitude = (float(v) for v in lonlat_of(middle, scene.crs, scene.origin)[0])
    sun = sun_vector(round(latitude, 1))  # a building that grows moves no shadow elsewhere
    total = len(cells(bounds, cell_side_m(bounds))) + 3 + len(bodies)
    done = 0
    progress("tiles", 0, total)

    def step() -> None:
        nonlocal done
        done += 1
        progress("tiles", min(done, total), total)

    shade = Shade(gis.occluder_corners(), bodies, sun)
    tiler = GisTiler(bounds, scene.ground, ground_key, shade, sun,
                     lambda name, data: write(name, settled(data, dense, scene.names)), workshop, step)
    tiles = tiler.ground_tiles(layers, gis.markings, shapely.union_all([body.hole for body in bodies]))
    tiles += [*tiler.block_tiles(gis.blocks), *tiler.placed_tiles(gis.placed),
              *tiler.upright_tiles(gis.upright, "fence", "layers"), *tiler.upright_tiles(gis.pipes, "pipes", "pipes")]
    drawn = _building_tiles(scene, bodies, gis, sun, write, step, workshop)
    every = np.arange(len(scene.names.id), dtype=np.uint32)  # masses bear nodes of the park, not the map's numbers
    tiles += replace(tiler, write=lambda name, data: write(name, settled(data, every, scene.names))).building_tiles(drawn)
    lamps = [points_of(layer) for layer, _ in layers if layer.kind == "lamps" and len(layer)]
    size = 1024 if max(bounds[2] - bounds[0], bounds[3] - bounds[1]) < 1100 else 2048
    write("ground/light.png", tiler.light_png(np.concatenate(lamps) if lamps else np.zeros((0, 2)), size))
    behind = backgrounds(_covered(scene, bodies)) if scene.backgrounds else NO_BACKGROUNDS
    tiles += behind.tiles
    ecef = ecef_from_park(scene.crs, scene.origin)
    write("tileset.json", tileset_json(tiles, ecef).encode())
    progress("tiles", total, total)
    return ParkTiles(bounds, _heights(scene.ground, bounds), latitude, longitude, [float(v) for v in ecef.T.ravel()], bounds,
                     [output.manifest for output in drawn], len(tiles), behind)


def _heights(ground: Ground, bounds: Bounds) -> tuple[float, float, float]:
    """Lowest, middle and highest of the ground, by a grid of samples, park metres."""
    xs, ys = (np.linspace(bounds[k], bounds[k + 2], 33) for k in (0, 1))
    z = ground.height_at(np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)).reshape(33, 33)
    return round(float(z.min()), 2), round(float(z[16, 16]), 2), round(float(z.max()), 2)


def _numbered(layers: Indexed) -> tuple[Indexed, NDArray[np.uint32]]:
    """Layers in numbers of the map's own, so that tiles do not change with the buildings; and the node of each number."""
    dense = np.unique(np.concatenate([[0], *(nodes for _, nodes in layers)])).astype(np.uint32)
    return [(layer, np.searchsorted(dense, nodes).astype(np.uint32)) for layer, nodes in layers], dense


def _covered(scene: ParkScene, bodies: list[BuildingBody]) -> shapely.Geometry:
    """What buildings cover on the plan and a little round it, park metres."""
    blocks = [layer.geometry for layer, _ in scene.layers if layer.kind == "buildings" and len(layer)]
    parts = [*(body.seen_from_above for body in bodies), *(g for layer in blocks for g in layer)]
    return shapely.union_all(shapely.buffer(np.array(parts, dtype=object), CUT_REACH_M, join_style="mitre")) \
        if parts else shapely.Polygon()


def _building_tiles(scene: ParkScene, bodies: list[BuildingBody], gis: GisMeshes, sun: NDArray[np.float64],
                    write: Write, step: Callable[[], None], workshop: Workshop) -> list[BuildingOutput]:
    """Buildings side by side, each written as it comes, copies together; what is told of them stands in the park's order."""
    near = _Neighbours(gis, [body.box for body in bodies])
    steps: dict[str, DrawBuilding] = {}
    equal: dict[str, list[int]] = {}
    for k, body in enumerate(bodies):
        one = DrawBuilding.of(body, near.around(k), sun)
        key = one.key or body.source.id
        steps.setdefault(key, one)
        equal.setdefault(key, []).append(k)
    drawn: dict[int, BuildingOutput] = {}
    places = list(equal.values())
    for place, result in workshop.finish(steps.values()):
        if isinstance(result, TwinError):
            raise result
        output, files = result
        for k in places[place]:
            source = scene.buildings[k]
            for name, data in files:
                write(address(source.id) + name, settled(data, source.dense, scene.names, source.at))
            if output is not None:
                drawn[k] = settled_building(output, source.id, source.dense, scene.names, source.at)
            step()
    return [drawn[k] for k in sorted(drawn)]


class _Neighbours:
    """What throws shadow on a building: blocks, trees and the boxes of other buildings within 120 m."""

    def __init__(self, gis: GisMeshes, boxes: list[NDArray[np.float64] | None]) -> None:
        parts = [m.position[m.faces] for _, group in gis.blocks for m in group if len(m)]
        parts += [crown_corners(p.position, p.scale) for _, p in gis.placed if p.shape.startswith("tree")]
        self.corners = np.concatenate(parts) if parts else np.zeros((0, 3, 3))
        self.boxes = boxes

    def around(self, row: int, reach_m: float = 120.0) -> NDArray[np.float64]:
        """Triangles (m, 3, 3) near building `row`."""
        box = self.boxes[row]
        if box is None:
            return np.zeros((0, 3, 3))
        low, high = box[:2] - reach_m, box[3:5] + reach_m
        middle = self.corners[:, :, :2].mean(axis=1) if len(self.corners) else np.zeros((0, 2))
        near = ((middle > low) & (middle < high)).all(axis=1)
        others = [_box_corners(other) for k, other in enumerate(self.boxes)
                  if k != row and other is not None and (other[:2] < high).all() and (other[3:5] > low).all()]
        return np.concatenate([self.corners[near], *others])


def _box_corners(box: NDArray[np.float64]) -> NDArray[np.float64]:
    x0, y0, z0, x1, y1, z1 = box
    ring = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    walls = []
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        low_a, low_b, high_b, high_a = [*a, z0], [*b, z0], [*b, z1], [*a, z1]
        walls += [[low_a, low_b, high_b], [low_a, high_b, high_a]]
    top = [[*p, z1] for p in ring]
    return np.array([*walls, [top[0], top[1], top[2]], [top[0], top[2], top[3]]])


def _within(layers: Indexed, bounds: Bounds) -> Indexed:
    """Layers with only what touches the drawn ground; the rest stays in the tables."""
    box = shapely.box(*bounds)
    out = []
    for layer, nodes in layers:
        inside = shapely.intersects(layer.geometry, box) if len(layer) else np.zeros(0, bool)
        out.append((layer.take(np.flatnonzero(inside)), nodes[inside]))
    return out


def park_bounds(scene: ParkScene, bodies: list[BuildingBody]) -> Bounds:
    """What the ground covers: the park's own things, a margin, and as much terrain beyond as the eye uses."""
    boxes = [layer.bounds() for layer, _ in scene.layers if layer.kind in _ANCHORS and len(layer)]
    boxes += [(b[0], b[1], b[3], b[4]) for body in bodies if (b := body.box) is not None]
    if not boxes:
        boxes = [layer.bounds() for layer, _ in scene.layers if len(layer)]
    if not boxes:
        boxes = [(*s.park[:, :2].min(0).tolist(), *s.park[:, :2].max(0).tolist()) for s in scene.backgrounds]
    if not boxes:
        return -100.0, -100.0, 100.0, 100.0
    table = np.array(boxes, dtype=np.float64)
    low, high = table[:, :2].min(0) - MARGIN_M, table[:, 2:].max(0) + MARGIN_M
    if isinstance(scene.ground, Terrain):
        corner = scene.ground.vertices[:, :2]
        low = np.minimum(low, np.maximum(corner.min(0), low - TERRAIN_REACH_M))
        high = np.maximum(high, np.minimum(corner.max(0), high + TERRAIN_REACH_M))
    low, high = np.floor(low), np.ceil(high)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
