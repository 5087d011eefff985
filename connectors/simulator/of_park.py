"""The simulator of a compiled park: its walking graph from `build/`, its local hours from where it lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pyproj import Transformer

from connectors.simulator.climate import Site
from connectors.simulator.engine import Simulator
from twin.graph import SceneGraph
from twin.park import ParkSpec
from twin.parktime import offset_hours, zone_of
from twin.ports import Clock
from twin.registry import PointTable
from twin.walk import WalkGraph


def read_walk(build_dir: Path) -> WalkGraph | None:
    """The walking graph of a compiled park (`walk.parquet`, `walk_edges.parquet`); None where it has none."""
    points, edges = build_dir / "walk.parquet", build_dir / "walk_edges.parquet"
    if not points.is_file() or not edges.is_file():
        return None
    p, e = pq.read_table(points), pq.read_table(edges)
    return WalkGraph(
        xyz=np.column_stack([p[axis].to_numpy() for axis in "xyz"]),
        node=p["node"].to_numpy(),
        kind=np.array(p["kind"].to_pylist(), dtype=object),
        edge=np.column_stack([e["a"].to_numpy(), e["b"].to_numpy()]).astype(np.int32),
        length=e["length"].to_numpy(),
        edge_kind=np.array(e["kind"].to_pylist(), dtype=object),
    )


def site_of(spec: ParkSpec, latitude: float | None = None) -> Site:
    """Latitude and clock of a park's place."""
    _, north = Transformer.from_crs(spec.crs, "EPSG:4326", always_xy=True).transform(*spec.origin[:2])
    return Site(latitude=latitude or north, utc_offset_hours=offset_hours(zone_of(spec)))


def simulator_of(
    spec: ParkSpec, points: PointTable, graph: SceneGraph, *, clock: Clock | None = None, seed: int = 7
) -> Simulator:
    """The simulated field of a compiled park; without a walking graph it has no people and vehicles."""
    return Simulator(points, graph=graph, walk=read_walk(spec.build_dir), clock=clock, seed=seed, site=site_of(spec))
