"""Points as placed things: trees, lamps, bollards, gates, with size and tint drawn from their own id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import furniture, palette, shapes
from gis.ground import hash_of
from gis.lengths import number_of
from gis.mesh import Mesh
from gis.model import Ground, Layer

_CONIFERS = ("abies", "cedrus", "chamaecyparis", "cupressus", "juniperus", "larix", "metasequoia", "picea", "pinus",
             "pseudotsuga", "sequoia", "taxus", "thuja", "tsuga", "cedar", "pine", "fir", "spruce", "conifer",
             "cypress")
_COLUMNS = ("populus", "poplar", "fastigiata", "ginkgo", "carpinus", "column", "bamboo")


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """One mesh placed n times.

    Args:
        shape: what it is called (also the tile mesh's name).
        mesh, low: full and cheap meshes; low is None where the full one is cheap.
        position: (n, 3) park metres of the mesh's origin.
        turn_rad: (n,) counter-clockwise about z.
        scale: (n, 3).
        tint: (n, 3) uint8, multiplies the mesh's colour (white leaves it as it is).
        node: (n,) uint32.
    """

    shape: str
    mesh: Mesh
    low: Mesh | None
    position: NDArray[np.float64]
    turn_rad: NDArray[np.float64]
    scale: NDArray[np.float64]
    tint: NDArray[np.uint8]
    node: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.position)

    def take(self, rows: NDArray) -> Placed:
        """Only some of the instances."""
        return Placed(self.shape, self.mesh, self.low, self.position[rows], self.turn_rad[rows], self.scale[rows],
                      self.tint[rows], self.node[rows])


def plant_trees(layer: Layer, nodes: NDArray[np.uint32], ground: Ground) -> list[Placed]:
    """Trees by crown shape: round, cone, column."""
    xy = points_of(layer)
    chance = np.array([hash_of(f"{layer.id}:{i}") for i in layer.ids], dtype=np.uint64)
    shape = _tree_shapes(layer, chance)
    drawn = 5.5 + (chance % 1000) / 1000 * 4.5
    height = np.where((layer.height_m > 1.5) & (layer.height_m < 60), layer.height_m, drawn)
    slim = {"round": 0.72, "cone": 0.55, "column": 0.38}
    usual = np.array([slim[s] for s in shape]) * height * (0.88 + (chance >> 10) % 100 / 100 * 0.24)
    width = np.where((layer.width_m > 0.8) & (layer.width_m < 30), layer.width_m, usual)
    width = np.clip(width, 0.28 * height, 1.15 * height)
    position = np.column_stack([xy, ground.height_at(xy)])
    tint = _tints(chance, shape)
    turn = (chance >> 4) % 628 / 100.0
    scale = np.column_stack([width, width, height])
    return [Placed(f"tree-{name}", shapes.tree(name), shapes.tree(name, True), position[rows], turn[rows], scale[rows],
                   tint[rows], nodes[rows])
            for name in ("round", "cone", "column") if (rows := np.flatnonzero(shape == name)).size]


def _tree_shapes(layer: Layer, chance: NDArray[np.uint64]) -> NDArray:
    words = [" ".join(values).lower() for values in zip(
        *(layer.properties[n] for n in ("TAXA", "COMMON_NAME", "TREE_TYPE", "species", "shape", "form", "genus")
          if n in layer.properties), strict=True)] or [""] * len(layer)
    out = []
    for text, number in zip(words, chance, strict=True):
        if any(w in text for w in _CONIFERS) or "cone" in text:
            out.append("cone")
        elif any(w in text for w in _COLUMNS):
            out.append("column")
        elif text.strip():
            out.append("round")
        else:
            out.append(("round", "round", "round", "cone", "column")[int(number >> np.uint64(7)) % 5])
    return np.array(out, dtype=object)


def _tints(chance: NDArray[np.uint64], shape: NDArray) -> NDArray[np.uint8]:
    colour = np.array(palette.CROWNS, np.float64)[(chance >> np.uint64(3)) % 3]
    colour[shape == "cone"] = palette.CROWNS[1]
    bright = 0.86 + (chance >> np.uint64(12)) % 100 / 100 * 0.28
    warm = ((chance >> np.uint64(18)) % 100 / 100 - 0.5) * 14
    return np.clip(colour * bright[:, None] + warm[:, None] * np.array([1.0, 0.4, -0.4]), 0, 255).astype(np.uint8)


def place_points(layer: Layer, nodes: NDArray[np.uint32], ground: Ground, facing: NDArray[np.object_] | None = None,
                 ) -> list[Placed]:
    """Lamps, bollards and gates; lamps lean over the nearest of `facing` (roads), gates stand across it."""
    mesh = {"lamps": shapes.lamp, "bollards": shapes.bollard, "gates": shapes.gate}[layer.kind]()
    xy = points_of(layer)
    turn = _turn_to(xy, facing, is_across=layer.kind == "gates")
    position = np.column_stack([xy, ground.height_at(xy)])
    n = len(xy)
    return [Placed(layer.kind[:-1], mesh, None, position, turn, np.ones((n, 3)), np.full((n, 3), 255, np.uint8), nodes)]


def place_furniture(layer: Layer, nodes: NDArray[np.uint32], ground: Ground, facing: NDArray[np.object_] | None = None,
                    ) -> list[Placed]:
    """Street furniture by sort; it looks the way its own `angle` or `direction` says, else to the nearest of `facing`."""
    xy, sort = points_of(layer), furniture.sorts(layer)
    position = np.column_stack([xy, ground.height_at(xy)])
    turn = _turn_to(xy, facing, is_across=False)
    own = next((np.radians(numbers_of(layer.properties[n])) for n in ("angle", "rotation") if n in layer.properties), None)
    bearing = next((np.radians(90.0 - numbers_of(layer.properties[n])) for n in ("direction", "bearing", "heading")
                    if n in layer.properties), None)
    for said in (own, bearing):
        if said is not None:
            turn = np.where(np.isfinite(said), said, turn)
    out = []
    for name in sorted(set(sort.tolist())):
        rows = np.flatnonzero(sort == name)
        out.append(Placed(f"furniture-{name}", furniture.shape(name), None, position[rows], turn[rows],
                          np.ones((len(rows), 3)), np.full((len(rows), 3), 255, np.uint8), nodes[rows]))
    return out


def numbers_of(text: NDArray[np.object_]) -> NDArray[np.float64]:
    """Numbers (n,) of texts, NaN where one is no number."""
    return np.array([number_of(str(t)) for t in text], dtype=np.float64)


def points_of(layer: Layer) -> NDArray[np.float64]:
    """One point (n, 2) a feature: the point itself, or the middle of whatever it is."""
    return shapely.get_coordinates(shapely.centroid(layer.geometry))


def _turn_to(xy: NDArray[np.float64], facing: NDArray[np.object_] | None, *, is_across: bool) -> NDArray[np.float64]:
    if facing is None or not len(facing) or not len(xy):
        return np.zeros(len(xy))
    tree = shapely.STRtree(facing)
    points = shapely.points(xy)
    line = facing[tree.nearest(points)]
    at = shapely.line_locate_point(line, points)
    if is_across:
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, at + 0.5))
        behind = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(at - 0.5, 0)))
        run = ahead - behind
        return np.arctan2(run[:, 0], -run[:, 1])
    foot = shapely.get_coordinates(shapely.line_interpolate_point(line, at)) - xy
    return np.arctan2(foot[:, 1], foot[:, 0])
