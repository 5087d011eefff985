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

from overlays.coverage import METHOD, Row, Sensor, coverage
from twin.fences import Outline
from twin.graph import SceneGraph
from twin.registry import PointTable
from twin.sight import Area, Eye, area_of, areas_of, eyes_of

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
        areas = areas_of(graph, spaces, site, outline)
        known = {area.node for area in areas}
        eyes, sensors = list(eyes_of(graph, points, known).values()), list[Sensor]()
        for k, device in enumerate(points.devices):
            sense, index = points.kind[k].sense, graph.index(device.id)
            if sense is None or not index:
                continue
            room, (x, y, _) = area_of(graph, index, known), graph.columns["anchor"][index]
            if room and np.isfinite([x, y]).all():
                sensors.append(Sensor(area=room, at=(float(x), float(y)), radius_m=sense.radius_m))
        told = repr((METHOD, [(a.node, a.storey, a.polygon.wkb_hex) for a in areas], eyes, sensors))
        return CoveragePark(areas, eyes, sensors, hashlib.sha256(told.encode()).hexdigest()[:16])

    return gather
