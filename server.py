"""The front door: reads a compiled park, wires the rooms, serves. No logic of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("BOKEH_RESOURCES", "server")  # before Bokeh is imported: no page fetches from outside

import uvicorn

from connectors.misread import ways_of
from connectors.places import Standing
from connectors.registry import open_source
from ioc.access.accounts import Accounts
from ioc.access.discreet import Discretion
from ioc.access.former import take_over
from ioc.access.screens import Screens
from ioc.access.secrets import secret_of
from ioc.app import create_app
from ioc.coverage_job import CoverageJob, park_of
from ioc.edit_desk import EditDesk
from ioc.energy_desk import EnergyDesk
from ioc.http.fences import redraw, stand
from ioc.live.broadcast import Broadcast
from ioc.live.hub import Hub
from ioc.live.replica import Replica
from ioc.live.runner import CoreRunner
from ioc.pages.view import bundle_version
from ioc.painters import ParkPainters
from ioc.services import Services
from ioc.wall_desk import WallDesk
from scenes.editing import read_stands
from scenes.open_graph import open_park_graph
from scenes.open_park import CompiledPark, open_compiled
from scenes.output import forget_former, take_back
from twin.database import Database
from twin.errors import DamagedBuildError, ParkFileError, TwinError, first_line
from twin.events import EventStore
from twin.fences import FenceFiles
from twin.finding import Finding
from twin.history.store import History
from twin.linkages import linkages_dir, load_linkages, rules_of
from twin.live.core import LiveCore
from twin.live.incidents import Answers
from twin.memory import give_back_large, settle, uncollected
from twin.park import ParkSpec
from twin.parkfile import load_park
from twin.parktime import keep, zone_of
from twin.plans import load_plans, plans_dir
from twin.ports import Clock, WallClock
from twin.reach import Reach
from twin.search import SearchIndex
from twin.shared.lease import Lease
from twin.shared.news import Reader
from twin.shared.papers import Paper

#: Days of hourly meter figures a fresh demo makes up, so that it has forecasts.
INVENTED_DAYS = 70
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a park is served."""

    host: str = "127.0.0.1"
    port: int = 5006
    demo: bool = False
    behind_proxy: bool = False
    with_sample: bool = False  # record a sample drill at the first start, for the simulator only


def serve(directory: Path, options: ServeOptions, told: Callable[[str], None]) -> None:
    """Serve a compiled park until interrupted; `told` hears the lines a person must read.

    Raises:
        NotBuiltError: the park was never built.
        ParkFileError: the park file or the address cannot be used.
    """
    give_back_large()
    if options.host not in LOOPBACK and not options.behind_proxy:
        raise ParkFileError(f"{options.host} is a public address without TLS",
                            mend="serve on 127.0.0.1 behind a TLS proxy and give --behind-proxy")
    spec = load_park(directory, strict=False)
    if options.with_sample and not (spec.state_dir / "history").exists():
        told("First start: some hours of past and a sample drill to replay are made up; this takes some seconds.")
    services = open_services(spec, options)
    with uvicorn.Config("", host=options.host, port=options.port, log_level="warning").bind_socket() as door:
        told(f"{services.spec.name} on http://{options.host}:{options.port}")
        if options.demo:
            told("Demo: the sign-in page offers a demo account (commander). Not for a real park.")
        elif services.accounts.setup_token:
            told(f"First start. One-time set-up token: {services.accounts.setup_token}")
        while serve_build(services, options, door):  # a new build stands: browsers that ask meanwhile wait at the door
            services = renewed(services, options, told)


def renewed(former: Services, options: ServeOptions, told: Callable[[str], None]) -> Services:
    """The build that was just published, opened; where it cannot be, the former one again, and everybody told why."""
    try:
        services = open_services(load_park(former.spec.root, strict=False), options)
    except Exception as error:  # whatever it is, a park that was served goes on being served
        if not take_back(former.build_dir):
            raise
        what, mend = fault_of(error)
        former.edits.take_back()
        services = open_services(former.spec, options)
        services.edits.publisher.tell_failed(what, mend)
        told(f"The new build cannot be served: {what}; {mend}. Build {services.manifest['build']} is served as before.")
        return services
    forget_former(services.build_dir)
    told(f"{services.spec.name}: build {services.manifest['build']} is served now")
    return services


def fault_of(error: Exception) -> tuple[str, str]:
    """What a build's opening failed of, and the mend."""
    if isinstance(error, DamagedBuildError):  # its own mend is for one that lies there; this one is taken back
        return error.what, "publish again; if it comes again, look at the disk and run: parktwin build --force"
    if isinstance(error, TwinError):
        return (f"{error.where}: " if error.where else "") + error.what, error.mend
    return f"{type(error).__name__}: {first_line(error)}", "take the last edits out and publish again, or report this line"


def serve_build(services: Services, options: ServeOptions, door: socket.socket) -> bool:
    """Serve one build on a socket that listens; True when a newer build is to be served, False when it is over."""
    hosts = [] if options.behind_proxy else ["127.0.0.1", "localhost", "[::1]"]
    origins = [f"{host}:{options.port}" for host in hosts] or ["*"]
    app, _ = create_app(services, secret=secret_of(services.spec.state_dir), hosts=hosts, origins=origins)
    server = uvicorn.Server(uvicorn.Config(
        app, host=options.host, port=options.port, workers=1, log_level="warning", ws_per_message_deflate=False,
        server_header=False, proxy_headers=options.behind_proxy, timeout_graceful_shutdown=3))
    settle()
    is_newer = threading.Event()

    def renew() -> None:
        is_newer.set()
        server.should_exit = True

    services.edits.on_published = renew
    try:
        server.run(sockets=[door.dup()])
    except KeyboardInterrupt:
        return False
    if not server.started:
        raise ParkFileError("the server could not start", mend="the lines above say why")
    return is_newer.is_set()


def open_services(spec: ParkSpec, options: ServeOptions) -> Services:
    """Everything a running park is made of, wired; nothing runs yet, and nothing is held where it cannot be wired."""
    with uncollected():
        return _opened(spec, options)


def _opened(spec: ParkSpec, options: ServeOptions) -> Services:
    park = open_compiled(spec)
    spec.state_dir.mkdir(parents=True, exist_ok=True)
    keep(zone_of(spec))
    database = Database.of(spec)
    say(take_over(database, spec.state_dir))
    with contextlib.ExitStack() as held:
        lease = None if database.is_sqlite else Lease(database, f"{socket.gethostname()}:{options.port}")
        if lease is not None:
            held.callback(lease.close)
        events = EventStore(database, secret_of(spec.state_dir), lease)
        reader = join(events, takes=options.with_sample)
        history = History(spec.state_dir / "history", park.points.ids, texts=park.points.texts,
                          text_ids=[park.points.ids[slot] for slot in park.points.text_slots])
        held.callback(history.close)
        services = _wired(spec, options, park, database, lease, events, reader, history)
        held.pop_all()  # from here on they are the running server's
        return services


def _wired(spec: ParkSpec, options: ServeOptions, park: CompiledPark, database: Database, lease: Lease | None,
           events: EventStore, reader: Reader, history: History) -> Services:
    clock, hub = WallClock(), Hub()
    source = open_source(spec, park.points, park.graph, park.walk, park.manifest["latitude"],
                         standing_of(spec, park))
    say(park.findings)
    say(source.findings)
    answers = answers_of(spec, park)

    def core_of(by: Clock) -> LiveCore:
        return LiveCore(park.points, events, graph=park.graph, locate=park.locate, clock=by, indoors=park.indoors)

    def rehearsed(by: Clock) -> LiveCore:
        made = core_of(by)
        made.watch_tracks(source.tracks, ())
        made.answer(answers, source.tracks)
        return made

    source.backfill(history, clock.now(), rehearsed if options.with_sample and (lease is None or lease.token) else None)
    core = core_of(clock)
    wall, drawn, journal = (Paper(spec.state_dir / name, database, lease)
                            for name in ("wall.json", "fences.json", "edits.jsonl"))
    painters = ParkPainters(core, park.graph, park.points, history, source.tracks)
    discretion = Discretion(park.graph, source.tracks)
    hub.discreet = discretion.of
    broadcast = Broadcast(core, hub, history, park.graph, painters.paint, painters.cards, discretion)
    runner = CoreRunner(core, source.connector, broadcast)
    accounts = Accounts(database, clock)
    energy = EnergyDesk(spec.root, spec.state_dir / "energy", park.graph, park.points, history)
    say(energy.findings)
    if options.demo and source.past is not None:
        energy.book.invent(source.past, INVENTED_DAYS)
    services = Services(
        spec=spec, build_dir=spec.build_dir, manifest=park.manifest, graph=park.graph,
        park_graph=open_park_graph(park), packs=park.packs, points=park.points, tracks=source.tracks, spaces=park.spaces,
        runner=runner, hub=hub, history=history,
        accounts=accounts, screens=Screens(database, accounts, clock),
        painters=painters, fences=FenceFiles(spec.root / "fences.toml", drawn),
        outline=park.outline, indoors=park.indoors, discretion=discretion, drills=source.drills,
        has_demo_account=options.demo, is_https=options.behind_proxy,
        ingest=source.doors,
        coverage=CoverageJob(park_of(park.graph, park.points, park.spaces, park.site, park.outline), spec.state_dir),
        edits=EditDesk(spec, park.graph, park.packs, clock, park.manifest["build"], journal),
        energy=energy, search=SearchIndex(park.graph), wall=WallDesk(core, hub, park.graph, wall, version=bundle_version),
        replica=Replica(lease, reader, runner, hub, (wall, drawn, journal)) if lease is not None else None)
    core.watch_tracks(source.tracks, stand(services))
    core.answer(answers, source.tracks)
    drawn.on_change.append(lambda: redraw(services))
    journal.on_change.append(services.edits.forget)
    return services


def join(events: EventStore, *, takes: bool) -> Reader:
    """Begin to read what other servers put on record; who writes is settled once this one runs, or now when it `takes` part.

    Raises:
        ParkFileError: another server writes with another secret.
    """
    reader = Reader(events)
    if events.lease is not None:
        events.lease.step(may_take=takes)
        reader.begin()
        writer = events.lease.standing.writer
        if writer not in ("", events.lease.name) and not events.has_key():
            raise ParkFileError(f"{writer} signs this park's trail with another secret",
                                mend="copy state/secret.key of the first server into this one's state folder")
    return reader


def say(findings: Iterable[Finding]) -> None:
    """What of the park's files is left out, a line each."""
    for finding in findings:
        print(f"{finding.where}: {finding.what}; {finding.mend}", file=sys.stderr)


def standing_of(spec: ParkSpec, park: CompiledPark) -> Standing:
    """Where the park and its buildings stand, for positions that come in other coordinates."""
    columns = park.graph.columns
    floors = {(building["id"], name): float(storey["elevation"]) for building in park.manifest["buildings"]
              for storey in building["storeys"] for name in (storey["name"], str(columns["name"][storey["node"]]))}
    buildings = {key: stand.matrix for key, stand in read_stands(spec.build_dir).items()}
    return Standing(crs=spec.crs, origin=spec.origin, bounds=tuple(park.manifest["bounds"]), buildings=buildings,
                    floors=floors, ways=ways_of(park.walk))


def answers_of(spec: ParkSpec, park: CompiledPark) -> Answers:
    """Linkages and plans that come with Parktwin and the park's own (`linkages/`, `plans/`), and the ways on foot."""
    linkages, left_out = load_linkages([linkages_dir(), spec.root / "linkages"], park.packs.kinds)
    plans, ownerless = load_plans([plans_dir(), spec.root / "plans"], frozenset(rules_of(park.packs.kinds)))
    say((*left_out, *ownerless))
    return Answers(reach=Reach(park.graph, park.points, park.walk), linkages=linkages, plans=plans,
                   findings=(*park.findings, *left_out, *ownerless))


if __name__ == "__main__":  # `python server.py DIR …` is `parktwin serve DIR …`
    from parktwin.__main__ import main

    sys.argv.insert(1, "serve")
    main()
