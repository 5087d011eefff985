"""The ground as one partition: every square metre belongs to exactly one surface, so nothing flickers over anything.

Surfaces are laid in order of rank (water cuts roads, roads cut paths, … lawns fill the rest), cut along the terrain's
triangles and lifted on to them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.mesh import Mesh, Surface, join, make_mesh, polygons_of, triangulate
from gis.model import FlatGround, Ground, Layer
from gis.terrain import Terrain, plane_heights

FACET_M, MOST_FACETS = 60.0, 40  # side of a facet of flat ground; of a cell wider than so many, they are larger
KERB_M = 0.3
WATER_SINK_M = 0.35
SLIVER_M2 = 0.02
PARCEL_LINE_M = 0.4


@dataclass(frozen=True, slots=True)
class Cover:
    """Areas of one surface: geometries (n,) with their node (n,), class, colour (n, 3) and how far below ground."""

    geometry: NDArray[np.object_]
    node: NDArray[np.uint32]
    surface: Surface
    colour: NDArray[np.uint8]
    sink_m: float = 0.0


def road_width_m(layer: Layer) -> NDArray[np.float64]:
    """Widths (n,): the source's own, else by the class of road, else 6 m (paths 2 m)."""
    usual = {"roads": 6.5, "paths": 2.2, "water": 4.0}.get(layer.kind, 2.0)
    by_class = {"motorway": 14.0, "trunk": 12.0, "river": 14.0, "canal": 10.0, "stream": 3.0, "primary": 10.0,
                "arterial": 10.0, "secondary": 8.0, "collector": 8.0, "service": 4.5, "lane": 4.5, "trail": 1.6,
                "stairs": 2.0, "steps": 2.0, "multi-use": 3.5}
    width = layer.width_m.copy()
    text = next((layer.properties[name] for name in ("ROAD_TYPE", "road_type", "class", "highway", "waterway",
                                                         "RD_CLASS") if name in layer.properties), None)
    for row in np.flatnonzero(~(width > 0.5)):
        words = text[row].lower() if text is not None else ""
        width[row] = next((metres for word, metres in by_class.items() if word in words), usual)
    return np.clip(width, 1.0, 60.0)


def strips(layer: Layer) -> NDArray[np.object_]:
    """Lines as areas of their width with rounded ends (so junctions close); areas as they are."""
    areas = layer.geometry.copy()
    is_line = shapely.get_dimensions(areas) == 1
    areas[is_line] = shapely.buffer(areas[is_line], road_width_m(layer)[is_line] / 2, quad_segs=4)
    areas[shapely.get_dimensions(areas) == 0] = shapely.Polygon()
    return areas


def covers(layers: list[tuple[Layer, NDArray[np.uint32]]]) -> list[Cover]:
    """Surfaces by rank, first wins, of layers with their features' node indices."""
    by_kind = {kind: [(layer, node) for layer, node in layers if layer.kind == kind and len(layer)]
               for kind in ("parcels", "water", "roads", "parking", "paths", "paving", "greens", "landuse")}
    out: list[Cover] = []

    def add(kind: str, surface: Surface, colour: palette.RGB, *, sink_m: float = 0.0) -> None:
        for layer, node in by_kind[kind]:
            out.append(Cover(strips(layer), node, surface, _tint(colour, layer), sink_m))

    out.extend(Cover(_outlines(layer), node, Surface.PAVING, _tint(palette.PARCEL, layer))
               for layer, node in by_kind["parcels"])
    add("water", Surface.WATER, palette.WATER, sink_m=WATER_SINK_M)
    add("roads", Surface.ROAD, palette.ROAD)
    add("parking", Surface.ROAD, palette.PARKING)
    out.extend(_kerbs([strips(layer) for kind in ("roads", "parking") for layer, _ in by_kind[kind]]))
    add("paths", Surface.PAVING, palette.PAVING)
    add("paving", Surface.PAVING, palette.PLAZA)
    add("greens", Surface.LAWN, palette.LAWN_LIGHT)
    out.extend(Cover(layer.geometry, node, Surface.LAWN, _land_tints(layer)) for layer, node in by_kind["landuse"])
    return out


def _outlines(layer: Layer) -> NDArray[np.object_]:
    """The borders of areas as bands, each half on its own side."""
    return shapely.buffer(shapely.boundary(layer.geometry), PARCEL_LINE_M / 2, quad_segs=1, join_style="mitre",
                          cap_style="flat")


def _land_tints(layer: Layer) -> NDArray[np.uint8]:
    """A quiet tone for every sort of land use: what the source calls it decides, the same word the same tone."""
    names = [n for n in layer.properties if n.lower() in ("landuse", "land_use", "use", "type", "category", "zoning", "class",
                                                          "landuse_type", "luse")]
    words = layer.properties[names[0]] if names else layer.names
    return np.array([palette.LAND[hash_of(str(word).lower()) % len(palette.LAND)] for word in words], np.uint8)


def _tint(colour: palette.RGB, layer: Layer) -> NDArray[np.uint8]:
    """One colour with a small, steady variation per feature, so that neighbours part without a line."""
    step = np.array([(hash_of(i) % 7) - 3 for i in layer.ids], dtype=np.int16)[:, None] if layer.kind != "roads" \
        else np.zeros((len(layer), 1), np.int16)
    return np.clip(np.asarray(colour, np.int16) + step, 0, 255).astype(np.uint8)


def hash_of(text: str) -> int:
    """A steady 32-bit number of a text (Python's own hash changes from run to run)."""
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    value ^= value >> 15
    return (value * 2246822519) & 0xFFFFFFFF


def _kerbs(strip_sets: list[NDArray[np.object_]]) -> Iterator[Cover]:
    for areas in strip_sets:
        ring = shapely.buffer(areas, KERB_M, quad_segs=2)
        yield Cover(ring, np.zeros(len(ring), np.uint32), Surface.PAVING,
                    np.tile(np.asarray(palette.KERB, np.uint8), (len(ring), 1)))


def cells(bounds: tuple[float, float, float, float], side_m: float) -> list[tuple[str, shapely.Polygon]]:
    """Square-ish tiles over bounds: names 'x_y' and their boxes."""
    xmin, ymin, xmax, ymax = bounds
    nx, ny = (max(1, round((hi - lo) / side_m)) for lo, hi in ((xmin, xmax), (ymin, ymax)))
    xs, ys = np.linspace(xmin, xmax, nx + 1), np.linspace(ymin, ymax, ny + 1)
    return [(f"{i}_{j}", shapely.box(xs[i], ys[j], xs[i + 1], ys[j + 1])) for j in range(ny) for i in range(nx)]


class GroundMesher:
    """Cuts covers to cells and lays them on the ground.

    Args:
        surfaces: covers by rank.
        ground: terrain or flat ground.
        holes: footprints whose ground is not drawn (buildings with basements); empty for none.
    """

    def __init__(self, surfaces: list[Cover], ground: Ground, holes: list[shapely.Geometry] | None = None) -> None:
        self.surfaces = surfaces
        self.ground = ground
        self.holes = shapely.union_all(holes) if holes else shapely.Polygon()
        self.trees = [shapely.STRtree(cover.geometry) for cover in surfaces]
        self.facets = ground.polygons() if isinstance(ground, Terrain) else None
        self.facet_tree = shapely.STRtree(self.facets) if self.facets is not None else None

    def cell(self, box: shapely.Polygon) -> Mesh:
        """The mesh of one cell."""
        pieces, rank, row = self._partition(box)
        meshes = [self._lay(np.array(pieces, dtype=object), np.array(rank), np.array(row), box)] if pieces else []
        return join(meshes)

    def _partition(self, box: shapely.Polygon) -> tuple[list[shapely.Geometry], list[int], list[int]]:
        taken: shapely.Geometry = shapely.intersection(self.holes, box)
        pieces: list[shapely.Geometry] = []
        ranks: list[int] = []
        rows: list[int] = []
        for rank, (cover, tree) in enumerate(zip(self.surfaces, self.trees, strict=True)):
            hit = np.sort(tree.query(box, predicate="intersects"))
            if not len(hit):
                continue
            clipped = shapely.intersection(cover.geometry[hit], box)
            own = _without_overlap(shapely.difference(clipped, taken))
            pieces.extend(own)
            ranks.extend([rank] * len(hit))
            rows.extend(hit.tolist())
            taken = shapely.union_all([taken, *own])
        pieces.append(shapely.difference(box, taken))
        return pieces, [*ranks, -1], [*rows, -1]

    def _lay(self, pieces: NDArray, rank: NDArray, row: NDArray, box: shapely.Polygon) -> Mesh:
        facets, planes = self._facets(box)
        facet_hit, piece_hit = shapely.STRtree(pieces).query(facets, predicate="intersects")
        order = np.lexsort((facet_hit, piece_hit))
        facet_hit, piece_hit = facet_hit[order], piece_hit[order]
        parts = shapely.intersection(pieces[piece_hit], facets[facet_hit])
        patches = _Patches()
        for part, piece, facet in zip(parts, piece_hit.tolist(), facet_hit.tolist(), strict=True):
            for polygon in polygons_of(part):
                patches.add(polygon, piece, facet)
        return self._lift(patches, rank, row, planes) if patches.points else join([])

    def _facets(self, box: shapely.Polygon) -> tuple[NDArray[np.object_], NDArray[np.float64] | None]:
        if isinstance(self.ground, Terrain) and self.facet_tree is not None and self.facets is not None:
            hit = np.sort(self.facet_tree.query(box, predicate="intersects"))
            if len(hit):
                return self.facets[hit], self.ground.vertices[self.ground.triangles[hit]]
        xmin, ymin, xmax, ymax = box.bounds
        side = max(FACET_M, max(xmax - xmin, ymax - ymin) / MOST_FACETS)
        return np.array([b for _, b in cells((xmin, ymin, xmax, ymax), side)], dtype=object), None

    def _lift(self, patches: _Patches, rank: NDArray, row: NDArray, planes: NDArray[np.float64] | None) -> Mesh:
        """Flat patches on to their facets, with what their covers say of colour, class and node."""
        count = np.array([len(p) for p in patches.points])
        xy = np.concatenate(patches.points)
        first = np.cumsum(count) - count
        faces = np.concatenate([f + np.uint32(s) for f, s in zip(patches.faces, first, strict=True)])
        sinks, surfaces, colours, nodes = self._looks(rank, row)
        piece, facet = np.repeat(patches.piece, count), np.repeat(patches.facet, count)
        if planes is None:
            z, normal = self.ground.height_at(xy), np.tile([0.0, 0.0, 1.0], (len(xy), 1))
        else:
            z = plane_heights(planes[facet], xy)
            upward = np.cross(planes[:, 1] - planes[:, 0], planes[:, 2] - planes[:, 0])
            normal = (upward / np.linalg.norm(upward, axis=1, keepdims=True) * np.sign(upward[:, 2:]))[facet]
        return make_mesh(np.column_stack([xy, z - sinks[piece]]), faces, normal=normal, colour=colours[piece],
                         surface=surfaces[piece], node=nodes[piece])

    def _looks(self, rank: NDArray, row: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Sink, class, colour and node of every piece; what no cover claims is lawn."""
        owned = [(self.surfaces[r] if r >= 0 else None, k) for r, k in zip(rank.tolist(), row.tolist(), strict=True)]
        return (np.array([c.sink_m if c else 0.0 for c, _ in owned]),
                np.array([c.surface if c else Surface.LAWN for c, _ in owned], np.uint8),
                np.array([c.colour[k] if c else palette.LAWN for c, k in owned], np.uint8),
                np.array([c.node[k] if c else 0 for c, k in owned], np.uint32))


class _Patches:
    """Triangulated polygons as they come, each with the piece and the facet it belongs to."""

    def __init__(self) -> None:
        self.points: list[NDArray[np.float64]] = []
        self.faces: list[NDArray[np.uint32]] = []
        self.piece: list[int] = []
        self.facet: list[int] = []

    def add(self, polygon: shapely.Polygon, piece: int, facet: int) -> None:
        xy, faces = triangulate(polygon)
        self.points.append(xy)
        self.faces.append(faces)
        self.piece.append(piece)
        self.facet.append(facet)


def _without_overlap(areas: NDArray[np.object_]) -> list[shapely.Geometry]:
    """Areas with what earlier ones of the same set already cover taken away."""
    tree = shapely.STRtree(areas)
    first, second = tree.query(areas, predicate="intersects")
    own = areas.copy()
    for row in np.unique(first[second < first]):
        earlier = second[(first == row) & (second < row)]
        own[row] = shapely.difference(areas[row], shapely.union_all(areas[earlier]))
    return own.tolist()


def surroundings(bounds: tuple[float, float, float, float], ground: Ground, reach_m: float = 2500.0) -> Mesh:
    """The plane a park stands on beyond its bounds, so that it does not float: rings of quads out to the fog."""
    xmin, ymin, xmax, ymax = bounds
    rim = np.array([[xmin, ymin], [xmax, ymin], [xmax, ymax], [xmin, ymax]])
    z = float(np.median(ground.height_at(rim))) if not isinstance(ground, FlatGround) else ground.z
    steps = np.array([0.0, 60.0, 200.0, 500.0, 1100.0, reach_m])
    meshes = []
    for near, far in itertools.pairwise(steps):
        ring = shapely.box(xmin - far, ymin - far, xmax + far, ymax + far).difference(
            shapely.box(xmin - near, ymin - near, xmax + near, ymax + near))
        side = max(120.0, far - near)
        for _, box in cells(ring.bounds, side):
            for polygon in polygons_of(shapely.intersection(ring, box)):
                xy, faces = triangulate(polygon)
                height = np.where(_on_rim(xy, bounds), ground.height_at(xy), z)
                meshes.append(make_mesh(np.column_stack([xy, height]), faces, normal=np.array([0, 0, 1.0]),
                                        colour=_fading(xy, bounds), surface=Surface.CONTEXT))
    return join(meshes)


def _fading(xy: NDArray[np.float64], bounds: tuple[float, float, float, float], over_m: float = 500.0,
            ) -> NDArray[np.uint8]:
    """From the park's own green at its rim to the pale of the surroundings."""
    xmin, ymin, xmax, ymax = bounds
    out_x = np.maximum(np.maximum(xmin - xy[:, 0], xy[:, 0] - xmax), 0)
    out_y = np.maximum(np.maximum(ymin - xy[:, 1], xy[:, 1] - ymax), 0)
    share = np.clip(np.hypot(out_x, out_y) / over_m, 0, 1)[:, None]
    near, far = np.asarray(palette.LAWN, np.float64), np.asarray(palette.CONTEXT, np.float64)
    return np.rint(near + (far - near) * share).astype(np.uint8)


def _on_rim(xy: NDArray[np.float64], bounds: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    xmin, ymin, xmax, ymax = bounds
    x, y, slack = xy[:, 0], xy[:, 1], 1e-6
    return (x >= xmin - slack) & (x <= xmax + slack) & (y >= ymin - slack) & (y <= ymax + slack)
