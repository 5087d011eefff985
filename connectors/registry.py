"""Which connector a park's live source names, with what comes along: tracks, drills, past values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from connectors.mqtt import MqttConnector
from twin.errors import ParkFileError
from twin.graph import SceneGraph
from twin.history.store import History
from twin.packs import PackSet
from twin.park import ParkSpec
from twin.ports import Connector, Drills, TrackInfo
from twin.registry import PointTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A live source. `backfill(history, now)` writes the past a simulator can make up; others have none."""

    connector: Connector
    tracks: tuple[TrackInfo, ...] = ()
    drills: Drills | None = None
    backfill: Callable[[History, float], None] = lambda history, now: None


def open_source(spec: ParkSpec, points: PointTable, packs: PackSet, graph: SceneGraph) -> Source:
    """The source `[live]` names.

    Raises:
        ParkFileError: nobody speaks that kind of address.
    """
    scheme = spec.live.source.split(":", 1)[0]
    if scheme in ("mqtt", "mqtts"):
        tracks = tracks_of(spec.root / "tracks.json")
        return Source(connector=MqttConnector(spec.live.source, spec.id, points, tracks), tracks=tracks)
    raise ParkFileError(f"[live] source = '{spec.live.source}' is not known",
                        mend="use 'simulator' or mqtt://host:port", where=f"park.toml:{spec.live.line}")


def tracks_of(path: Path) -> Sequence[TrackInfo] | tuple[TrackInfo, ...]:
    """Tracks named in a park's tracks.json; none where there is no such file."""
    if not path.is_file():
        return ()
    rows = msgspec.json.decode(path.read_bytes(), type=list[dict[str, str]])
    return tuple(TrackInfo(i=i, id=row["id"], kind=row.get("kind", "person"), name=row.get("name", row["id"]),  # type: ignore[arg-type]
                           name_zh=row.get("name_zh", row["id"]), role=row.get("role", "")) for i, row in enumerate(rows))
