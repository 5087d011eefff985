"""The walking graph: inside every building, out through its entrances, along the park's paths and roads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from gis.model import FlatGround, Ground, Layer
from models_bim.model import BimModel
from scenes.kept import NOTHING_KEPT, part_key
from scenes.merge import BuildingSource, Merged
from scenes.store import write_table
from scenes.things import plot_of
from scenes.walk_building import walk_building
from scenes.walk_entrances import drawn_at, drawn_entrances, join_entrances
from scenes.walk_parts import WalkParts, WalkPiece
from twin.errors import NotBuiltError
from twin.finding import Finding
from twin.steps import StepStore
from twin.walk import WalkGraph

POINTS, EDGES = "walk.parquet", "walk_edges.parquet"
_STEP_M = 10.0  # a long road gets a point this often, so that entrances join near by
_JOIN_ROADS_M = 30.0  # a stretch of path this near to the rest of the network is taken to meet it
_SNAP_M = 0.05


def build_walk(
    merged: Merged,
    sources: dict[str, BuildingSource],
    ground: Ground | None = None,
    store: StepStore = NOTHING_KEPT,
) -> tuple[WalkGraph, tuple[Finding, ...]]:
    """The walking graph of a merged park, with findings on what nobody can reach.

    Args:
        sources: the buildings merged, by id.
        ground: heights of what is outside; flat at 0 where None.
        store: where buildings and paths that are as they were come from.
    """
    parts, surface = WalkParts(), ground or FlatGround()
    ground_key = part_key("ground", surface)
    entrances: dict[str, list[int]] = {}
    drawn = drawn_entrances(merged)
    for building_id, footprint in merged.footprints.items():
        source, own = sources[building_id], drawn_at(drawn, footprint)
        digest, (plot_from_ifc, at) = source.model.digest, plot_of(source.model, source.park_from_ifc)
        under = surface if isinstance(surface, FlatGround) else GroundFrom(surface, at)
        place = at if isinstance(under, GroundFrom) else None  # on flat ground copies share their ways
        key = part_key("ways indoors", digest, plot_from_ifc, place, ground_key, np.round(own - at, 3)) if digest else ""
        piece = store.recall(key, partial(_indoors, source.model, plot_from_ifc, under, np.round(own - at, 3)))
        entrances[building_id] = parts.add(piece, merged.entity_nodes[building_id], at)
    ways = [(layer, nodes) for layer, nodes in merged.layers if layer.kind in ("paths", "roads")]
    key = part_key("ways outside", [(layer.kind, layer.geometry) for layer, _ in ways], ground_key)
    outdoors = store.recall(key, lambda: _outdoors([layer for layer, _ in ways], surface))
    outside = parts.add(outdoors, np.concatenate([np.zeros(0, np.uint32), *(nodes for _, nodes in ways)]))
    apart = join_entrances(parts, entrances, outside, merged.footprints)
    graph = parts.graph()
    return graph, (*_unreachable(graph, merged), *apart)


@dataclass(frozen=True, slots=True)
class GroundFrom:
    """Ground as it lies about a plot's origin (`at`, park metres)."""

    ground: Ground
    at: tuple[float, float]

    def height_at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights (n,) under points (n, 2) of the plot."""
        return self.ground.height_at(xy + np.array(self.at))


def _indoors(model: BimModel, plot_from_ifc: NDArray[np.float64], ground: Ground, drawn: NDArray[np.float64]) -> WalkPiece:
    """The ways of one building in its plot; its points are numbered by the rows of its entities."""
    parts, rows = WalkParts(), np.arange(len(model.entities), dtype=np.uint32)
    return parts.piece(walk_building(parts, model, plot_from_ifc, rows, ground, drawn))


def write_walk(build_dir: Path, graph: WalkGraph) -> None:
    """Write walk.parquet and walk_edges.parquet."""
    write_table(
        build_dir / POINTS,
        {
            "x": graph.xyz[:, 0],
            "y": graph.xyz[:, 1],
            "z": graph.xyz[:, 2],
            "node": graph.node.astype(np.uint32),
            "kind": graph.kind.astype(str),
        },
    )
    write_table(
        build_dir / EDGES,
        {
            "a": graph.edge[:, 0].astype(np.uint32),
            "b": graph.edge[:, 1].astype(np.uint32),
            "length": graph.length,
            "kind": graph.edge_kind.astype(str),
        },
    )


def open_walk(build_dir: Path) -> WalkGraph:
    """The walking graph of a compiled park.

    Raises:
        NotBuiltError: there is none.
    """
    if not (build_dir / POINTS).is_file() or not (build_dir / EDGES).is_file():
        raise NotBuiltError(
            "the park has no walking graph",
            mend="run `parktwin build` on the park folder",
            where=str(build_dir / POINTS),
        )
    points, edges = pq.read_table(build_dir / POINTS), pq.read_table(build_dir / EDGES)
    return WalkGraph(
        np.column_stack([points[name].to_numpy() for name in "xyz"]),
        points["node"].to_numpy(),
        np.array(points["kind"].to_pylist(), dtype=object),
        np.column_stack([edges[name].to_numpy() for name in "ab"]).astype(np.int32),
        edges["length"].to_numpy(),
        np.array(edges["kind"].to_pylist(), dtype=object),
    )


def _outdoors(layers: list[Layer], ground: Ground) -> WalkPiece:
    """Points along paths and roads, joined where lines meet and numbered by feature, all layers counted through."""
    parts = WalkParts()
    lines, numbers, is_road = [], [], []
    features = [(geometry, layer.kind == "roads") for layer in layers for geometry in layer.geometry]
    for number, (geometry, is_for_cars) in enumerate(features):
        for line in shapely.get_parts(geometry):
            if line.geom_type == "LineString":
                lines.append(line)
                numbers.append(number)
                is_road.append(is_for_cars)
    if not lines:
        return parts.piece([])
    noded = shapely.segmentize(shapely.get_parts(shapely.node(shapely.union_all(lines, grid_size=_SNAP_M))), _STEP_M)
    tree = shapely.STRtree(lines)
    owner = tree.nearest(shapely.line_interpolate_point(noded, 0.5, normalized=True))
    row_at: dict[tuple[int, int], int] = {}
    order = np.lexsort(shapely.bounds(noded).T[::-1])
    for k in order:
        xy = shapely.get_coordinates(noded[k])
        z = ground.height_at(xy)
        before = -1
        for point, height in zip(xy, z, strict=True):
            key = (round(point[0] / _SNAP_M), round(point[1] / _SNAP_M))
            if key not in row_at:
                row_at[key] = parts.add_point((*point, height), numbers[owner[k]], "road")
            if before >= 0 and before != row_at[key]:
                parts.join(before, row_at[key], "road" if is_road[owner[k]] else "walk")
            before = row_at[key]
    rows = sorted(row_at.values())
    _close_gaps(parts, rows)
    return parts.piece(rows)


def _close_gaps(parts: WalkParts, rows: list[int]) -> None:
    """Join each stretch to the largest one where it comes near."""
    component = parts.graph().component[rows]
    names, counts = np.unique(component, return_counts=True)
    main = names[counts.argmax()]
    xyz = np.array([parts.xyz[row] for row in rows])
    in_main = np.flatnonzero(component == main)
    tree = shapely.STRtree(shapely.points(xyz[in_main, :2]))
    for name in names[names != main]:
        own = np.flatnonzero(component == name)
        (_, nearest), distance = tree.query_nearest(shapely.points(xyz[own, :2]), return_distance=True, all_matches=False)
        best = int(distance.argmin())
        if distance[best] <= _JOIN_ROADS_M:
            parts.join(rows[own[best]], rows[in_main[nearest[best]]], "walk")


def _unreachable(graph: WalkGraph, merged: Merged) -> list[Finding]:
    """Rooms from which no entrance can be walked to, a building each."""
    findings = []
    reached = set(graph.node[np.isin(graph.component, graph.component[graph.kind == "entrance"])].tolist())
    columns = merged.graph.columns
    for building_id, building in merged.building_nodes.items():
        rooms = [s.node for s in merged.spaces if merged.graph.ancestor(s.node, "building") == building]
        shut = [node for node in rooms if node not in reached]
        if shut:
            sample = ", ".join(str(columns["name"][node]) for node in shut[:3])
            findings.append(
                Finding(
                    "warning",
                    f"{len(shut)} of {len(rooms)} rooms of building '{building_id}' cannot be walked "
                    f"to from an entrance (such as {sample})",
                    building_id,
                    "check the doors and stairs of the model",
                    len(shut),
                )
            )
    return findings
