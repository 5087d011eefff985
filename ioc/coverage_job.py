"""Coverage of a compiled park, computed once in a thread of its own and kept by the hash of what it was made from."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely

from overlays.coverage import METHOD, Area, Eye, Row, Sensor, coverage
from twin.fences import Outline
from twin.graph import SceneGraph
from twin.registry import PointTable

_log = logging.getLogger(__name__)


class Kept(msgspec.Struct, frozen=True):
    """A finished computation: when (s since 1970) and its rows."""

    time: float
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class CoveragePark:
    """What coverage is computed from, and its hash."""

    areas: list[Area]
    eyes: list[Eye]
    sensors: list[Sensor]
    digest: str


class CoverageJob:
    """Starts at the first question; `state` tells how far it is. `park` makes the input, in the job's thread."""

    def __init__(self, park: Callable[[], CoveragePark], folder: Path) -> None:
        self._park, self._folder = park, folder
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.done = self.total = 0
        self.fault = ""
        self.kept: Kept | None = None

    def ask(self) -> Kept | None:
        """The rows when they are there; else None, and the computation runs."""
        with self._lock:
            if self.kept is None and (self._thread is None or (self.fault and not self._thread.is_alive())):
                self.fault = ""
                self._thread = threading.Thread(target=self._run, name="coverage", daemon=True)
                self._thread.start()
        return self.kept

    def _run(self) -> None:
        try:
            park = self._park()
            path = self._folder / f"coverage-{park.digest}.json"
            if path.is_file():
                self.kept = msgspec.json.decode(path.read_bytes(), type=Kept)
                return
            kept = Kept(time.time(), coverage(park.areas, park.eyes, park.sensors, self._progress))
            for old in self._folder.glob("coverage-*.json"):
                old.unlink()
            path.write_bytes(msgspec.json.encode(kept))
            self.kept = kept
        except Exception as error:  # noqa: BLE001 - the page must be told whatever went wrong, and can ask again
            _log.exception("coverage could not be computed")
            self.fault = f"{type(error).__name__}: {error}"

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        time.sleep(0)  # the core's thread comes first


def park_of(graph: SceneGraph, points: PointTable, spaces: list[dict[str, Any]], site: shapely.Geometry,
            outline: Outline) -> Callable[[], CoveragePark]:
    """What gathers the areas, cameras and sensors of a park, when called."""

    def gather() -> CoveragePark:
        kind, node_id = graph.columns["kind"], graph.columns["id"]
        areas = [Area(node=s["i"], storey=s["parent"], polygon=_valid(shapely.Polygon(s["ring"])), z=s["z0"]) for s in spaces]
        blocks = [found[0] for i in np.flatnonzero(kind == "building") if (found := outline(str(node_id[i]))) is not None]
        outdoors = site.difference(shapely.union_all(blocks)) if blocks else site
        areas.append(Area(node=1, storey=0, polygon=outdoors, z=0.0))
        known = {area.node for area in areas}
        eyes: list[Eye] = []
        sensors: list[Sensor] = []
        for k, device in enumerate(points.devices):
            spec = points.kind[k]
            index = graph.index(device.id)
            if not index or (spec.optics is None and spec.sense is None):
                continue
            room = _room(graph, index, known)
            x, y, _ = graph.columns["anchor"][index]
            if not room or not np.isfinite([x, y]).all():
                continue
            at = (float(x), float(y))
            if spec.optics is not None:
                eyes.append(Eye(area=room, at=at, range_m=spec.optics.range_m, fov_deg=spec.optics.fov_deg,
                                heading_deg=device.heading))
            if spec.sense is not None:
                sensors.append(Sensor(area=room, at=at, radius_m=spec.sense.radius_m))
        told = repr((METHOD, [(a.node, a.storey, a.polygon.wkb_hex) for a in areas], eyes, sensors))
        return CoveragePark(areas, eyes, sensors, hashlib.sha256(told.encode()).hexdigest()[:16])

    return gather


def _room(graph: SceneGraph, index: int, known: set[int]) -> int:
    """The room a device is in; 1 (the site) outdoors; 0 for one that is on a storey but in no room."""
    here = index
    while here:
        if here in known and graph.columns["kind"][here] == "space":
            return here
        if graph.columns["kind"][here] in ("storey", "building"):
            return 0
        here = int(graph.parent[here])
    return 1


def _valid(polygon: shapely.Geometry) -> shapely.Geometry:
    return polygon if polygon.is_valid else polygon.buffer(0)
