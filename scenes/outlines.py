"""Where a zone, building, storey or room stands on the plan, from the rooms below it (else its box)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely

from scenes.locate import SpaceShape
from twin.graph import SceneGraph

#: Walls between rooms belong to the whole: rooms closer than twice this (metres) are joined.
WALL_M = 0.35
#: A room is open this far below its floor, for fixes that read a little low, metres.
BELOW_M = 0.3
KINDS = ("zone", "building", "storey", "space")


class Outlines:
    """Outlines of places in park metres, made when asked for."""

    def __init__(self, graph: SceneGraph, rooms: Sequence[SpaceShape]) -> None:
        self._graph = graph
        self._rooms = {room.node: room for room in rooms}

    def of(self, node_id: str) -> tuple[shapely.Geometry, float, float, int] | None:
        """Outline, height band (m) and dense index of a place; None when there is none of that id."""
        index = self._graph.index(node_id)
        if not index or self._graph.columns["kind"][index] not in KINDS:
            return None
        rooms = [self._rooms[i] for i in self._graph.subtree(index) if i in self._rooms]
        if rooms:
            return (_joined(rooms), min(r.z0 for r in rooms) - BELOW_M, max(r.z1 for r in rooms), index)
        boxes = [self._graph.columns["bbox"][i] for i in self._graph.subtree(index)
                 if self._graph.columns["kind"][i] == "building" or i == index]
        boxes = [b for b in boxes if b[0] < b[3] and b[1] < b[4]]
        if not boxes:
            return None
        shape = shapely.union_all([shapely.box(b[0], b[1], b[3], b[4]) for b in boxes])
        return shape, float(min(b[2] for b in boxes)) - BELOW_M, float(max(b[5] for b in boxes)), index


def site_of(build_dir: Path, boundary_layers: Sequence[str], origin: tuple[float, float, float],
            bounds: Sequence[float]) -> shapely.Geometry:
    """The site on the plan (park metres): its boundary layer, or its bounds where it has none."""
    for layer in boundary_layers:
        path = build_dir / "layers" / f"{layer}.parquet"
        if path.is_file():
            import geopandas as gpd  # slow to load, and only for boundaries

            frame = gpd.read_parquet(path)
            shapes = [_closed(shape) for shape in frame.geometry if shape is not None and not shape.is_empty]
            whole = shapely.union_all([shape for shape in shapes if shape.area > 0])
            if whole.area > 0:
                return shapely.transform(whole, lambda xy: xy - np.array(origin[:2]))
    return shapely.box(*bounds[:4])


def _closed(shape: shapely.Geometry) -> shapely.Geometry:
    """A boundary drawn as a line, as the area inside it."""
    if "Line" not in shape.geom_type:
        return shape
    return shapely.union_all(shapely.polygonize(getattr(shape, "geoms", [shape])))


def _joined(rooms: Sequence[SpaceShape]) -> shapely.Geometry:
    if len(rooms) == 1:
        return rooms[0].polygon
    grown = shapely.union_all([room.polygon.buffer(WALL_M, join_style="mitre") for room in rooms])
    return grown.buffer(-WALL_M, join_style="mitre")
