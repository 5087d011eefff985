"""Which connector a park's live source names, with what comes along: tracks, drills, past values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from connectors.mqtt import MqttConnector
from connectors.simulator import Simulator, site_of
from connectors.simulator.sample import record_sample
from twin.errors import ParkFileError
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.core import LiveCore
from twin.park import ParkSpec
from twin.ports import Clock, Connector, Drills, TrackInfo
from twin.registry import PointTable
from twin.walk import WalkGraph

#: Makes a live core that runs by a clock, over the stores the server uses.
CoreOf = Callable[[Clock], LiveCore]
SAMPLE_SECS = 20 * 60.0  # how long before the first start the sample drill begins
BACKFILL_SECS, BACKFILL_EVERY_SECS = 36 * 3600.0, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A live source. `backfill` writes the past a simulator can make up; others have none.

    It takes the history, now (seconds), and what makes a live core for a clock where a sample drill is wanted, else None.
    """

    connector: Connector
    tracks: tuple[TrackInfo, ...] = ()
    drills: Drills | None = None
    backfill: Callable[[History, float, CoreOf | None], None] = lambda history, now, core_of: None


def open_source(spec: ParkSpec, points: PointTable, graph: SceneGraph, walk: WalkGraph | None, latitude: float) -> Source:
    """The source `[live]` names.

    Args:
        spec, points, graph: of the compiled park.
        walk: its walking graph; a simulator without one moves nobody.
        latitude: degrees, for a simulator's sun.

    Raises:
        ParkFileError: nobody speaks that kind of address.
    """
    scheme = spec.live.source.split(":", 1)[0]
    if scheme == "simulator":
        return _simulated(spec, points, graph, walk, latitude)
    if scheme in ("mqtt", "mqtts"):
        tracks = tracks_of(spec.root / "tracks.json")
        return Source(connector=MqttConnector(spec.live.source, spec.id, points, tracks), tracks=tracks)
    raise ParkFileError(f"[live] source = '{spec.live.source}' is not known",
                        mend="use 'simulator' or mqtt://host:port", where=f"park.toml:{spec.live.line}")


def _simulated(spec: ParkSpec, points: PointTable, graph: SceneGraph, walk: WalkGraph | None, latitude: float) -> Source:
    simulator = Simulator(points, graph=graph, walk=walk, site=site_of(spec, latitude))

    def backfill(history: History, now: float, core_of: CoreOf | None) -> None:
        """A past for the first start, so that charts have a yesterday; a history that has one is left alone."""
        if np.isfinite(history.as_of(now).value).any():
            return
        begin = now - (SAMPLE_SECS if core_of else 30.0)
        end = record_sample(simulator, core_of, history, begin) if core_of else now
        for start, until, every in ((now - BACKFILL_SECS, now - 3600.0, BACKFILL_EVERY_SECS), (now - 3600.0, begin, 60.0),
                                    (end, now - 30.0, 60.0)):
            for readings in simulator.history(start, until, every):
                history.put(readings)
        history.flush(60)

    return Source(connector=simulator, tracks=simulator.tracks(), drills=simulator, backfill=backfill)


def tracks_of(path: Path) -> tuple[TrackInfo, ...]:
    """Tracks named in a park's tracks.json; none where there is no such file."""
    if not path.is_file():
        return ()
    rows = msgspec.json.decode(path.read_bytes(), type=list[dict[str, str]])
    return tuple(TrackInfo(i=i, id=row["id"], kind=row.get("kind", "person"), name=row.get("name", row["id"]),  # type: ignore[arg-type]
                           name_zh=row.get("name_zh", row["id"]), role=row.get("role", "")) for i, row in enumerate(rows))
