"""A compiled park opened for serving: graph, devices and their points, rooms, where a point is, how to walk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from scenes.by_hand import follow, put_devices
from scenes.editing import read_moves, read_stands
from scenes.locate import SpaceIndex
from scenes.outlines import Outlines, site_of
from scenes.store import open_graph, open_spaces
from scenes.walk import open_walk
from twin.energy.points import energy_devices
from twin.energy.spec import read_energy
from twin.errors import DamagedBuildError, NotBuiltError, TwinError, first_line
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.indoors import Indoors, Room
from twin.overrides import read_overrides
from twin.packs import PackSet, park_packs
from twin.park import ParkSpec
from twin.park_points import point_table, read_own
from twin.registry import Device, PointTable, read_registry
from twin.walk import WalkGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPark:
    """Everything `parktwin build` left that a server needs. `locate`: park-frame points (n, 3) → node, 0 for outdoors."""

    spec: ParkSpec
    manifest: dict[str, Any]
    graph: SceneGraph
    packs: PackSet
    points: PointTable
    spaces: list[dict[str, Any]]
    locate: Callable[[NDArray[np.float64]], NDArray[np.uint32]]
    walk: WalkGraph
    outline: Callable[[str], tuple[shapely.Geometry, float, float, int] | None]
    site: shapely.Geometry
    indoors: Indoors
    findings: tuple[Finding, ...] = ()


def registry_of(spec: ParkSpec, packs: PackSet) -> tuple[Device, ...]:
    """Devices as they were compiled: those of the registry, with what edits moved, put or added."""
    devices = read_registry(spec.registry, packs).devices if spec.registry else ()
    overrides, _ = read_overrides(spec.build_dir)
    moves = read_moves(spec.build_dir)
    return put_devices(follow(devices, moves), overrides, read_stands(spec.build_dir), moves, packs, [])


def open_compiled(spec: ParkSpec) -> CompiledPark:
    """Open `build/` of a park.

    Raises:
        NotBuiltError: it was never built; the text has the command to run.
        DamagedBuildError: a file of it is damaged or missing; likewise.
    """
    path = spec.build_dir / "manifest.json"
    if not path.is_file():
        raise NotBuiltError(f"{spec.name} was never built", mend=f"run: parktwin build {spec.root}", where=str(spec.root))
    try:
        return _opened(spec, path)
    except TwinError:
        raise
    except (OSError, ValueError, LookupError, pa.ArrowException, shapely.errors.ShapelyError) as error:
        raise DamagedBuildError(f"the build of {spec.name} is damaged ({type(error).__name__}: {first_line(error)})",
                                mend=f"run: parktwin build {spec.root} --force", where=str(spec.build_dir)) from error


def _opened(spec: ParkSpec, path: Path) -> CompiledPark:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    graph = open_graph(spec.build_dir)
    packs = park_packs(spec.root)
    registry = registry_of(spec, packs)
    own = read_own(spec.root, packs.kinds, registry)
    packs = PackSet(packs.packs, dict(own.kinds))
    told = energy_devices(PointTable(registry, own.kinds, own.own), graph, read_energy(spec.root))
    points = point_table(registry, own, graph, told)
    rooms = open_spaces(spec.build_dir, graph, spec.origin)
    spaces = [{"i": room.node, "parent": room.storey, "z0": round(room.z0, 3), "z1": round(room.z1, 3),
               "ring": [[round(x, 3), round(y, 3)] for x, y in room.polygon.exterior.coords[:-1]]} for room in rooms]
    walk = open_walk(spec.build_dir)
    return CompiledPark(spec=spec, manifest=manifest, graph=graph, packs=packs,
                        points=points, findings=tuple(own.findings), spaces=spaces, locate=SpaceIndex(rooms).locate,
                        walk=walk, outline=Outlines(graph, rooms).of,
                        indoors=Indoors([Room(node=r.node, polygon=r.polygon, z0=r.z0, z1=r.z1) for r in rooms], walk),
                        site=site_of(spec.build_dir, [layer.id for layer in spec.layers if layer.kind == "boundary"],
                                     spec.origin, manifest["bounds"]))
