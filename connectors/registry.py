"""Which connectors a park's [live] and [[source]] tables name, with what comes along: tracks, drills, past values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.bindings import Bindings, read_bindings
from connectors.field import FieldConnector
from connectors.http_in import HttpInConnector
from connectors.mqtt.line import Broker, session_of
from connectors.mqtt.mapped import MappedMqttConnector
from connectors.mqtt.own_topics import MqttConnector
from connectors.places import Places, Standing
from connectors.simulator import Simulator, site_of
from connectors.simulator.sample import record_sample
from connectors.sources import Sources
from twin.errors import ParkFileError
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.core import LiveCore
from twin.park import ParkSpec, SourceSpec
from twin.parksource import SPOKEN
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
    `past`: what a simulator's slots showed at instants (s), f64 (instants, slots). `findings`: what the points files say
    that cannot be used. `doors`: where machines post values.
    """

    connector: Connector
    tracks: tuple[TrackInfo, ...] = ()
    drills: Drills | None = None
    backfill: Callable[[History, float, CoreOf | None], None] = lambda history, now, core_of: None
    findings: tuple[Finding, ...] = ()
    past: Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]] | None = None
    doors: tuple[HttpInConnector, ...] = ()


def open_source(spec: ParkSpec, points: PointTable, graph: SceneGraph, walk: WalkGraph | None, latitude: float,
                standing: Standing | None = None) -> Source:
    """Everything `[live]` and the `[[source]]` tables name, as one source.

    Args:
        spec, points, graph: of the compiled park.
        walk: its walking graph; a simulator without one moves nobody.
        latitude: degrees, for a simulator's sun.
        standing: where the park and its buildings stand, for positions in other coordinates; None: park metres only.

    Raises:
        ParkFileError: nobody speaks that kind of address, or a password or certificate is not there.
    """
    tracks = tracks_of(spec.root / "tracks.json")
    opened: list[Source] = []
    if spec.live.source == "simulator" or any(source.scheme == "simulator" for source in spec.sources):
        opened.append(_simulated(spec, points, graph, walk, latitude))
    elif spec.live.source.startswith("mqtt"):
        broker = replace(Broker.at(spec.live.source), session=session_of(spec.state_dir, "live"))
        opened.append(Source(connector=MqttConnector(broker, spec.id, points, tracks), tracks=tracks))
    elif spec.live.source:
        raise ParkFileError(f"[live] source = '{spec.live.source}' is not known",
                            mend="use 'simulator' or mqtt://host:port", where=f"park.toml:{spec.live.line}")
    opened += [Source(connector=connector_of(source, spec, points, tracks, standing), tracks=tracks)
               for source in spec.sources if source.scheme != "simulator"]
    connectors = Sources([source.connector for source in opened], points)
    played = next((source for source in opened if source.drills), None)
    return Source(connector=connectors, tracks=next((s.tracks for s in opened if s.tracks), ()),
                  drills=played.drills if played else None, backfill=played.backfill if played else _nothing,
                  findings=tuple(connectors.findings), past=played.past if played else None,
                  doors=tuple(c for c in connectors.connectors if isinstance(c, HttpInConnector)))


def check_sources(spec: ParkSpec, points: PointTable) -> list[Finding]:
    """Everything wrong with the points files, passwords and certificates of a park's sources; nothing is connected to."""
    opened, findings = [], []
    for source in spec.sources:
        try:
            if source.scheme != "simulator":
                opened.append(connector_of(source, spec, points))
        except ParkFileError as error:
            findings.append(Finding("error", error.what, error.where or f"park.toml:{source.line}", error.mend))
    return [*findings, *_in_the_clear(spec), *Sources(opened, points).findings]


def _in_the_clear(spec: ParkSpec) -> list[Finding]:
    """Passwords that would travel readable beyond this machine."""
    return [Finding("warning", f"source '{source.id}' sends its password in the clear", f"park.toml:{source.line}",
                    "use TLS (mqtts, sparkplugs) or security (OPC UA)")
            for source in spec.sources
            if source.password and urlsplit(source.url).hostname not in ("127.0.0.1", "localhost", "::1")
            and (source.scheme in ("mqtt", "sparkplug") or (source.scheme == "opc.tcp" and not source.security))]


def connector_of(source: SourceSpec, spec: ParkSpec, points: PointTable, tracks: tuple[TrackInfo, ...] = (),
                 standing: Standing | None = None) -> FieldConnector:
    """The connector of one [[source]]; a protocol's library is imported only here, when a park speaks it.

    Raises:
        ParkFileError: a password or certificate is not where the park file says.
    """
    bindings = read_bindings(source.points, points) if source.points else Bindings(())
    is_building = source.positions.startswith("building:") and standing is None  # not built yet: nothing to look it up in
    places = Places(tracks, "" if is_building else source.positions, standing, source.accuracy, f"park.toml:{source.line}")
    match source.scheme:
        case "mqtt" | "mqtts" if not source.points:
            return MqttConnector(_kept(source, spec), spec.id, points, tracks, source.id, places)
        case "mqtt" | "mqtts":
            return MappedMqttConnector(source, _kept(source, spec), points, bindings)
        case "sparkplug" | "sparkplugs":
            from connectors.mqtt.sparkplug import SparkplugConnector
            return SparkplugConnector(source, Broker.of(source, spec.root), points, bindings)
        case "modbus" | "modbus+tls":
            from connectors.modbus import ModbusConnector
            return ModbusConnector(source, points, bindings)
        case "opc.tcp":
            from connectors.opcua import OpcUaConnector
            return OpcUaConnector(source, spec.root, points, bindings)
        case "bacnet":
            from connectors.bacnet import BacnetConnector
            return BacnetConnector(source, points, bindings)
        case "http-in":
            return HttpInConnector(source, spec.root, points, bindings, places)
    raise ParkFileError(f"source '{source.id}': nobody speaks '{source.scheme}'", mend=f"use one of {', '.join(SPOKEN)}",
                        where=f"park.toml:{source.line}")


def _kept(source: SourceSpec, spec: ParkSpec) -> Broker:
    """A source's broker, with a session that is kept while we are away."""
    return replace(Broker.of(source, spec.root), session=session_of(spec.state_dir, source.id))


def _nothing(history: History, now: float, core_of: CoreOf | None) -> None:
    """No past to make up."""


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

    return Source(connector=simulator, tracks=simulator.tracks(), drills=simulator, backfill=backfill, past=simulator.past)


def tracks_of(path: Path) -> tuple[TrackInfo, ...]:
    """Tracks named in a park's tracks.json; none where there is no such file."""
    if not path.is_file():
        return ()
    rows = msgspec.json.decode(path.read_bytes(), type=list[dict[str, str]])
    return tuple(TrackInfo(i=i, id=row["id"], kind=row.get("kind", "person"), name=row.get("name", row["id"]),  # type: ignore[arg-type]
                           name_zh=row.get("name_zh", row["id"]), role=row.get("role", "")) for i, row in enumerate(rows))
