"""The map half of a park as tiles: ground, blocks, trees, lamps, fences, pipes, lit by one sun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.boundary import park_outline
from gis.ground import GroundMesher, cells, covers, surroundings
from gis.lines import bays, dashes, fence_rails, pipe_mesh, zebras
from gis.mesh import Mesh, Surface, empty, join, take_faces
from gis.model import Ground, Layer
from gis.planting import Placed, place_furniture, place_points, plant_trees
from gis.shapes import fence_post
from gis.solids import surroundings_of
from gis.terrain import Terrain
from gis.underlay import underlay
from scenes.bake import Light, Occluders, bake, crown_corners, lights
from scenes.block_step import drawn_blocks, lit_squares
from scenes.building_tiles import BuildingOutput
from scenes.edges import feature_edges
from scenes.glb import InstanceSet, TileContent, write_glb
from scenes.ground_light import GroundLight
from scenes.kept import part_key
from scenes.massing import BOX_ERROR_M, massing
from scenes.quadtree import Cell, divide
from scenes.shade import SQUARE_M, Near, Shade
from scenes.tileset import Tile, Write, around
from twin.workshop import Workshop

CELLS_ACROSS = 4
MIN_CELL_M = 250.0
#: What one tile of a crowded layer holds at most, and from when on a layer is crowded.
MOST_TRIANGLES, CROWDED_TRIANGLES = 60_000.0, 120_000.0
MOST_INSTANCES, CROWDED_INSTANCES = 3_000.0, 12_000.0
#: Detail (m) that a box leaves out of a building with a model: from about 800 m off it will do.
TOWER_ERROR_M = 20.0
#: Instances of a crowded layer are drawn only where this much detail (m) counts.
CROWD_M = 9.0
#: Layers that are not drawn from afar, and the detail (m) their absence costs.
NEARBY_M = {"furniture": 2.5, "posts": 1.0, "fence": 4.0}
#: Layers whose features are surfaces of the ground.
GROUND_KINDS = ("parcels", "water", "roads", "parking", "paths", "paving", "greens", "landuse")
Indexed = list[tuple[Layer, NDArray[np.uint32]]]


@dataclass(frozen=True, slots=True, eq=False)
class GisMeshes:
    """Everything the map shows, meshed but not yet lit."""

    blocks: tuple[tuple[str, list[Mesh]], ...]
    placed: tuple[tuple[str, Placed], ...]
    upright: tuple[tuple[str, Mesh], ...]
    pipes: tuple[tuple[str, Mesh], ...]
    markings: Mesh

    def occluder_corners(self) -> NDArray[np.float64]:
        """Triangles (m, 3, 3) that throw shadow: blocks, and crowns as octahedra."""
        parts = [m.position[m.faces] for _, meshes in self.blocks for m in meshes if len(m)]
        parts.extend(crown_corners(p.position, p.scale) for _, p in self.placed if p.shape.startswith("tree"))
        return np.concatenate(parts) if parts else np.zeros((0, 3, 3))


def mesh_map(layers: Indexed, ground: Ground, ground_key: str, workshop: Workshop) -> GisMeshes:
    """Mesh every layer that stands up from the ground or lies under it; buildings in the workshop."""
    others = [(layer, nodes) for layer, nodes in layers if layer.kind != "buildings"]
    meshes = workshop.store.recall(part_key("map meshes", others, ground_key), lambda: mesh_layers(others, ground))
    park = park_outline(layer for layer, _ in layers)
    blocks: list[tuple[str, list[Mesh]]] = []
    for layer, nodes in layers:
        if layer.kind == "buildings" and len(layer):
            around, standing = surroundings_of(layer, nodes, ground, park)
            blocks.append((layer.id, [*around, *drawn_blocks(standing, ground, ground_key, workshop)]))
    return replace(meshes, blocks=tuple(blocks))


def mesh_layers(layers: Indexed, ground: Ground) -> GisMeshes:
    """Mesh every layer but those of buildings."""
    roads = [layer for layer, _ in layers if layer.kind == "roads"]
    lines = np.concatenate([layer.geometry for layer in roads]) if roads else None
    ways = [layer.geometry for layer, _ in layers if layer.kind in ("roads", "paths") and len(layer)]
    walked = np.concatenate(ways) if ways else None
    placed: list[tuple[str, Placed]] = []
    upright: list[tuple[str, Mesh]] = []
    pipes: list[tuple[str, Mesh]] = []
    marks: list[Mesh] = []
    for layer, nodes in layers:
        if not len(layer):
            continue
        if layer.kind == "trees":
            placed.extend((layer.id, p) for p in plant_trees(layer, nodes, ground))
        elif layer.kind in ("lamps", "bollards", "gates"):
            placed.extend((layer.id, p) for p in place_points(layer, nodes, ground, lines))
        elif layer.kind == "furniture":
            placed.extend((layer.id, p) for p in place_furniture(layer, nodes, ground, walked))
        elif layer.kind == "fence":
            mesh, at, owner = fence_rails(layer, nodes, ground)
            upright.append((layer.id, mesh))
            placed.append((layer.id, _posts(at, owner)))
        elif layer.kind in ("pipes", "cables"):
            pipes.append((layer.id, pipe_mesh(layer, nodes, ground)))
        elif layer.kind == "roads":
            marks.append(dashes(layer, ground))
            marks.extend(zebras(layer, other, ground) for other, _ in layers if other.kind == "paths" and len(other))
        elif layer.kind == "parking":
            marks.append(bays(layer, ground))
    return GisMeshes((), tuple(placed), tuple(upright), tuple(pipes), join(marks))


def _posts(at: NDArray[np.float64], owner: NDArray[np.uint32]) -> Placed:
    n = len(at)
    return Placed("fence-post", fence_post(), None, at, np.zeros(n), np.ones((n, 3)),
                  np.full((n, 3), 255, np.uint8), owner)


def cell_side_m(bounds: tuple[float, float, float, float]) -> float:
    """Side of a tile: a quarter of the park, at least 250 m."""
    return max(MIN_CELL_M, max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / CELLS_ACROSS)


@dataclass(frozen=True, slots=True, eq=False)
class _Lit:
    """Instances, and the share of the sun (n,) uint8 at each."""

    placed: Placed
    sun: NDArray[np.uint8]

    def take(self, rows: NDArray[np.intp]) -> _Lit:
        return _Lit(self.placed.take(rows), self.sun[rows])


@dataclass(frozen=True, slots=True, eq=False)
class GisTiler:
    """Writes the map's tiles, without names (see scenes.settle); one whose content and surroundings stand is kept.

    Args:
        bounds: what the ground covers, park metres.
        ground_key: names the ground.
        shade: all that throws shadow.
        write: called with a path relative to `tiles/` and its bytes.
        step: called once a tile written.
    """

    bounds: tuple[float, float, float, float]
    ground: Ground
    ground_key: str
    shade: Shade
    sun: NDArray[np.float64]
    write: Write
    workshop: Workshop
    step: Callable[[], None] = lambda: None

    def ground_tiles(self, layers: Indexed, markings: Mesh, hole: shapely.Geometry) -> list[Tile]:
        """`ground/*`: the partition cell by cell, the markings of each cell, the surroundings and the underlay.

        Args:
            hole: what is left out, because buildings have slabs there.
        """
        own = [(layer, nodes) for layer, nodes in layers if layer.kind in GROUND_KINDS and len(layer)]
        key = part_key("surfaces", own, markings, self.ground_key)
        mesher: list[GroundMesher] = []  # made when the first cell asks for it

        def drawn(box: shapely.Polygon, marks: Mesh) -> TileContent:
            if not mesher:
                mesher.append(GroundMesher(covers(own), self.ground, [hole]))
            return self._flat(join([mesher[0].cell(box), marks]) if len(marks) else mesher[0].cell(box))

        boxes = cells(self.bounds, cell_side_m(self.bounds))
        of_mark = _cell_of(markings.position[markings.faces].mean(1)[:, :2], boxes) if len(markings) else np.zeros(0)
        tiles = []
        for k, (name, box) in enumerate(boxes):
            marks = take_faces(markings, of_mark == k)
            tiles += self._put_any(f"ground/{name}.glb", "ground", partial(drawn, box, marks),
                                   [key, box, shapely.intersection(hole, box), self.sun])
        tiles.append(self._put("ground/context.glb", "context", self._surroundings, [self.bounds, self.ground_key, self.sun]))
        return tiles

    def _surroundings(self) -> TileContent:
        return self._flat(join([surroundings(self.bounds, self.ground), underlay(self.bounds, self.ground)]))

    def _flat(self, mesh: Mesh) -> TileContent:
        """Ground keeps N·L alone: shadow and AO come from the light texture."""
        facing = np.clip(mesh.normal.astype(np.float64) @ self.sun, 0, 1)
        light = Light(np.full(len(mesh), 255, np.uint8), np.rint(facing * 255).astype(np.uint8))
        return TileContent(mesh, light)

    def block_tiles(self, blocks: tuple[tuple[str, list[Mesh]], ...]) -> list[Tile]:
        """`layers/<id>_<cell>.glb`: the blocks of a layer, lit and edged; from afar boxes stand for the crowded cells."""
        tiles = []
        for layer_id, meshes in blocks:
            full = [m for m in meshes if len(m)]
            middle = np.array([m.position.mean(0)[:2] for m in full]).reshape(-1, 2)
            triangles = np.array([len(m.faces) for m in full], np.float64)
            cells = self._cells(middle, triangles, MOST_TRIANGLES, CROWDED_TRIANGLES)
            squares = {leaf.name: self._by_square(full, leaf.rows) for cell in cells for leaf in cell.leaves()}
            lit = iter(lit_squares((self._shaded([full[k] for k in rows]) for one in squares.values() for rows in one),
                                   self.sun, self.workshop))
            light = {name: lights([next(lit) for _ in one]) for name, one in squares.items()}
            tiles += [self._block_tile(layer_id, cell, full, squares, light) for cell in cells]
        return tiles

    def _cells(self, xy: NDArray[np.float64], weight: NDArray[np.float64], most: float,
               crowded: float) -> list[Cell]:
        """The cells of the park that hold any of these; a crowd that a view from afar could not bear is one divided cell."""
        if weight.sum() > crowded:
            return [divide(xy, weight, most, "q")]
        boxes = cells(self.bounds, cell_side_m(self.bounds))
        of = _cell_of(xy, boxes) if len(xy) else np.zeros(0, np.intp)
        return [Cell(name, np.flatnonzero(of == k)) for k, (name, _) in enumerate(boxes) if (of == k).any()]

    def _block_tile(self, layer_id: str, cell: Cell, meshes: list[Mesh], squares: dict[str, list[NDArray[np.intp]]],
                    light: dict[str, Light]) -> Tile:
        uri = f"layers/{layer_id}_{cell.name}.glb"
        if not cell.children:
            mesh, share = join([meshes[k] for rows in squares[cell.name] for k in rows]), light[cell.name]
            return self._put(uri, "blocks", lambda: TileContent(mesh, share, feature_edges(mesh)), [mesh, share])
        return self.massed(uri.replace(".glb", "_mass.glb"), [meshes[k] for k in cell.rows],
                           tuple(self._block_tile(layer_id, child, meshes, squares, light) for child in cell.children))

    def _by_square(self, meshes: list[Mesh], rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Rows of bodies square by square: their light depends on nothing but what is near."""
        square = np.floor(np.array([meshes[k].position.mean(0)[:2] for k in rows]) / SQUARE_M).astype(int)
        of = np.unique(square, axis=0, return_inverse=True)[1].ravel()
        order = np.argsort(of, kind="stable")
        return np.split(rows[order], np.flatnonzero(np.diff(of[order])) + 1)

    def _shaded(self, bodies: list[Mesh]) -> tuple[Mesh, Near]:
        """The bodies of a square as one, and what can stand in their light."""
        low, high = (np.array([corner(one.position, axis=0) for one in bodies]) for corner in (np.min, np.max))
        return join(bodies), self.shade.near(low, high)

    def building_tiles(self, drawn: list[BuildingOutput]) -> list[Tile]:
        """Tiles of buildings with a model; where they are too many for a view from afar, one of boxes that they replace."""
        triangles = np.array([one.triangles for one in drawn], np.float64)
        if triangles.sum() <= CROWDED_TRIANGLES:
            return [one.tile for one in drawn]
        middle = np.array([one.mass.position.mean(0)[:2] for one in drawn])
        return [self._crowd_tile(divide(middle, triangles, MOST_TRIANGLES, "q"), drawn)]

    def _crowd_tile(self, cell: Cell, drawn: list[BuildingOutput]) -> Tile:
        chosen = [drawn[row] for row in cell.rows]
        children = tuple(self._crowd_tile(child, drawn) for child in cell.children) or tuple(one.tile for one in chosen)
        return self.massed(f"layers/buildings_{cell.name}_mass.glb", [one.mass for one in chosen], children, TOWER_ERROR_M)

    def massed(self, uri: str, bodies: list[Mesh], children: tuple[Tile, ...], least_m: float = BOX_ERROR_M) -> Tile:
        """A tile of boxes for many buildings, which `children` replace near by; it leaves out `least_m` metres or more."""
        mesh = massing(bodies)
        facing = np.rint(np.clip(mesh.normal.astype(np.float64) @ self.sun, 0, 1) * 255).astype(np.uint8)
        low = self._put(uri, "blocks", lambda: TileContent(mesh, Light(np.full(len(mesh), 235, np.uint8), facing)),
                        [mesh, self.sun])
        error_m = max(least_m, *(2 * child.error_m for child in children))
        return Tile(uri, "blocks", around([low.box, *(c.box for c in children)]), error_m, children, replace=True,
                    extras={"mass": True})

    def upright_tiles(self, meshes: tuple[tuple[str, Mesh], ...], layer: str, folder: str) -> list[Tile]:
        """Fences (`layers/`) and pipes (`pipes/`): one tile a layer, a heavy one divided in space."""
        tiles = []
        for layer_id, mesh in meshes:
            if not len(mesh):
                continue
            middle = mesh.position[mesh.faces].mean(1)[:, :2]
            for cell in divide(middle, np.ones(len(middle)), MOST_TRIANGLES, "_").leaves():
                part = mesh if len(cell.rows) == len(middle) else take_faces(mesh, cell.rows)
                name = layer_id if part is mesh else f"{layer_id}{cell.name}"
                tiles.append(self._put(f"{folder}/{name}.glb", layer, partial(self._alone, part),
                                       [part, self.sun]))
        return [_nearby(tile) if layer in NEARBY_M else tile for tile in tiles]

    def _alone(self, mesh: Mesh) -> TileContent:
        """A mesh that nothing else shades."""
        return TileContent(mesh, bake(mesh, Occluders(np.zeros((0, 3, 3))), self.sun))

    def placed_tiles(self, placed: tuple[tuple[str, Placed], ...]) -> list[Tile]:
        """Instances by layer and cell; trees as a cheap tile that a full one replaces; crowds are not drawn from afar."""
        tiles, sunlit = [], self._sun_on([p for _, p in placed])
        for layer_id in dict.fromkeys(i for i, _ in placed):
            groups = [_Lit(p, share) for (i, p), share in zip(placed, sunlit, strict=True) if i == layer_id and len(p)]
            xy = np.concatenate([g.placed.position[:, :2] for g in groups]) if groups else np.zeros((0, 2))
            start = np.cumsum([0, *(len(g.sun) for g in groups)])
            for whole in self._cells(xy, np.ones(len(xy)), MOST_INSTANCES, CROWDED_INSTANCES):
                for cell in whole.leaves():
                    parts = [g.take(cell.rows[(cell.rows >= a) & (cell.rows < a + len(g.sun))] - a)
                             for g, a in zip(groups, start[:-1], strict=True)]
                    tile = self._instance_tile(layer_id, cell.name, [g for g in parts if len(g.sun)])
                    tiles.append(Tile(None, tile.layer, tile.box, CROWD_M, (tile,)) if whole.children else tile)
        return tiles

    def _sun_on(self, placed: list[Placed]) -> list[NDArray[np.uint8]]:
        """Share of the sun at the top of each instance."""
        tops = [p.position + np.column_stack([np.zeros((len(p), 2)), p.scale[:, 2] * 1.02]) for p in placed]
        is_shaded = self.shade.in_shadow(np.concatenate([np.zeros((0, 3)), *tops]), self.workshop.store)
        return np.split(np.where(is_shaded, 96, 255).astype(np.uint8), np.cumsum([len(p) for p in placed])[:-1])

    def _instance_tile(self, layer_id: str, cell: str, groups: list[_Lit]) -> Tile:
        first = groups[0].placed.shape
        kind = "trees" if first.startswith("tree") else "posts" if first == "fence-post" else "furniture"
        uri = f"layers/{layer_id}_{kind}_{cell}.glb"
        parts = [groups, self.sun]

        def put(name: str, error_m: float, *, is_low: bool) -> Tile:
            return self._put(name, kind, lambda: self._instances(groups, is_low=is_low), [*parts, is_low], error_m)

        if all(g.placed.low is None for g in groups):
            return _nearby(put(uri, 0.0, is_low=False))
        full, low = put(uri, 0.0, is_low=False), put(uri.replace(".glb", "_low.glb"), 1.5, is_low=True)
        return Tile(low.uri, kind, around([low.box, full.box]), 1.5, (full,), replace=True)

    def _instances(self, groups: list[_Lit], *, is_low: bool) -> TileContent:
        sets = []
        for group, share in ((g.placed, g.sun) for g in groups):
            mesh = group.low if is_low and group.low else group.mesh
            light = _unit_light(mesh, self.sun)
            sets.append(InstanceSet(group.shape, mesh, light, group.position, group.turn_rad, group.scale, group.tint, share,
                                    group.node))
        return TileContent(empty(), Light(np.zeros(0, np.uint8), np.zeros(0, np.uint8)), instances=tuple(sets))

    def _put(self, uri: str, layer: str, make: Callable[[], TileContent], parts: list[object], error_m: float = 0.0) -> Tile:
        """Write a tile that shows something; `parts` is all that its content is made of."""
        [tile] = self._put_any(uri, layer, make, parts, error_m)
        return tile

    def _put_any(self, uri: str, layer: str, make: Callable[[], TileContent], parts: list[object],
                 error_m: float = 0.0) -> list[Tile]:
        """Write a tile, if there is anything in it: a building may stand on a whole cell of the ground."""
        data, box = self.workshop.store.recall(part_key("map tile", parts), lambda: self._drawn(make()))
        self.step()
        if not data:
            return []
        self.write(uri, data)
        return [Tile(uri, layer, box, error_m)]

    def _drawn(self, content: TileContent) -> tuple[bytes, tuple[float, ...]]:
        """The file and its box; nothing where nothing shows."""
        return (write_glb(content), _box(content)) if len(content.mesh) or content.instances else (b"", ())

    def light_png(self, lamps: NDArray[np.float64], size: int) -> bytes:
        """The ground light texture over the bounds."""
        store = self.workshop.store
        heights = store.recall(part_key("heights", self.bounds, size, self.ground_key), lambda: self._heights(size))
        return GroundLight(self.bounds, heights, self.ground_key, self.shade, store).png(lamps)

    def _heights(self, size: int) -> NDArray[np.float64]:
        """Of the ground at the middles of (size, size) texels, row 0 north."""
        xmin, ymin, xmax, ymax = self.bounds
        if not isinstance(self.ground, Terrain):
            return self.ground.height_at(np.zeros((size * size, 2))).reshape(size, size)
        from scipy.interpolate import RegularGridInterpolator  # slow to load, and only terrain needs it

        xs = xmin + (np.arange(size) + 0.5) / size * (xmax - xmin)
        ys = ymax - (np.arange(size) + 0.5) / size * (ymax - ymin)
        coarse = 256
        cx, cy = np.linspace(xs[0], xs[-1], coarse), np.linspace(ys[-1], ys[0], coarse)
        z = self.ground.height_at(np.array(np.meshgrid(cx, cy)).reshape(2, -1).T).reshape(coarse, coarse)
        grid = np.array(np.meshgrid(ys, xs, indexing="ij")).reshape(2, -1).T
        heights: NDArray[np.float64] = RegularGridInterpolator((cy, cx), z)(grid).reshape(size, size) + 0.1
        return heights


def _nearby(tile: Tile) -> Tile:
    """A tile of things too thin to be seen from afar: nothing stands for it there."""
    return Tile(None, tile.layer, tile.box, NEARBY_M[tile.layer], (tile,))


def _unit_light(mesh: Mesh, sun: NDArray[np.float64]) -> Light:
    """Instances turn, so their sun is told per instance; their AO falls towards the foot of the crown."""
    z = mesh.position[:, 2]
    share = (z - z.min()) / max(float(np.ptp(z)), 1e-6)
    ao = np.where(mesh.surface == Surface.CROWN, 0.62 + 0.38 * share, 0.85)
    facing = np.clip(mesh.normal.astype(np.float64) @ sun, 0, 1)
    facing = np.where(mesh.surface == Surface.CROWN, 0.3 + 0.7 * facing, facing)
    return Light(np.rint(ao * 255).astype(np.uint8), np.rint(facing * 255).astype(np.uint8))


def _cell_of(xy: NDArray[np.float64], boxes: list[tuple[str, shapely.Polygon]]) -> NDArray[np.intp]:
    """Which cell each point lies in; points outside every cell go to the nearest."""
    tree = shapely.STRtree([box for _, box in boxes])
    return tree.nearest(shapely.points(xy))


def _box(content: TileContent) -> tuple[float, ...]:
    boxes = []
    if len(content.mesh):
        boxes.append((*content.mesh.position.min(0), *content.mesh.position.max(0)))
    for group in content.instances:
        reach = np.abs(group.mesh.position).max(0).max() * group.scale.max(1)[:, None]
        boxes.append((*(group.position - reach).min(0), *(group.position + reach).max(0)))
    return tuple(float(v) for v in around(boxes))
