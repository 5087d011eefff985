"""The live core: one writer over state, tracks, alarms and commands; connectors put in, `tick` gives out.

Everything runs in the thread that calls it; the server calls `tick` about ten times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.access import require
from twin.commands import Command
from twin.events import EventStore, Note, Records
from twin.fences import PREFIX, Placed
from twin.graph import SceneGraph
from twin.indoors import Indoors
from twin.live import frames
from twin.live.alarm_desk import AlarmDesk
from twin.live.book import Held
from twin.live.desk import CommandDesk
from twin.live.dispatch import DispatchDesk
from twin.live.fences import FenceEvent, FenceWatch
from twin.live.floods import FloodDesk
from twin.live.incidents import Answers, IncidentDesk
from twin.live.own_faults import SYSTEM
from twin.live.standby import News
from twin.live.state import RuleEvents, StateStore
from twin.live.steady import Steadier
from twin.live.tick import Tick
from twin.live.tracks import Locate, TrackStore, nowhere
from twin.live.views import Views
from twin.ports import (
    Clock,
    CommandAck,
    DispatchOrder,
    Positions,
    Readings,
    Shown,
    TrackInfo,
    WallClock,
)
from twin.registry import PointTable
from twin.wire import AlarmView, AsideView, CommandView, DispatchView, IncidentView, Link, Quality, TrailEntry

#: Places (n, 3) and nodes (n,) → what somebody may see of them who may not follow people.
Blur = Callable[[NDArray[np.float64], NDArray[np.uint32]], tuple[NDArray[np.float64], NDArray[np.uint32]]]


class LiveCore:
    """Implements `twin.ports.Sink`. Not safe from several threads.

    Args:
        points: every point of the park.
        events: the store of alarms, commands and trail; what was live in it goes on.
        graph: the compiled park, for places and nodes; None in tests and benches.
        locate: park-frame points → containing node.
        clock: now.
        indoors: rooms and doors, for fixes that are not exact; None: they are steadied only.
    """

    def __init__(self, points: PointTable, events: EventStore, *, graph: SceneGraph | None = None,
                 locate: Locate = nowhere, clock: Clock | None = None, indoors: Indoors | None = None) -> None:
        self.points = points
        self.events = events
        self.graph = graph
        self.clock = clock or WallClock()
        self.state = StateStore(points)
        self.tracks = TrackStore(locate)
        self.steadier = Steadier(indoors)
        self.views = Views(points, self.state.rules, graph)
        self.alarm_desk = AlarmDesk(self.state, events, self.views)
        self.book = self.alarm_desk.book
        self.floods = FloodDesk(self.book, points, graph, self.views)
        self.watch = FenceWatch()
        self.desk = CommandDesk(self.state, events, self.views.command_note)
        self.incidents: IncidentDesk | None = None
        self.dispatches: DispatchDesk | None = None
        self.links: dict[str, Link] = {}
        self._readings: list[Readings] = []
        self._lost: list[tuple[int, NDArray[np.integer]]] = []
        self._positions: list[Positions] = []
        self._links_changed: list[Link] = []
        self._trail: list[TrailEntry] = []
        self._listeners: list[Callable[[Tick], None]] = []
        #: whether this server writes alarms, commands and incidents; else it shows what another puts on record
        self.leads = True
        if events.lease is not None and events.lease.token is None:
            self.follow()

    # ---- who writes ---------------------------------------------------------------------------------------------
    def follow(self) -> None:
        """Another server writes from now on. Raises StoreDown; then nothing here writes all the same."""
        self.leads = False
        self.alarm_desk.follow()
        self.desk.restore()
        if self.incidents is not None and self.dispatches is not None:
            self.incidents.reread()
            self.dispatches.restore()

    def lead(self) -> None:
        """This server writes from now on, from where the record ends. Raises StoreDown; then it may be called again."""
        now = self.clock.now()
        self.desk.restore()
        if self.incidents is not None and self.dispatches is not None:
            self.dispatches.restore()
            self.incidents.reread()
        self.alarm_desk.lead(now)
        self.leads = True
        self._restore_watch()
        if self.incidents is not None:
            self.incidents.restore(self.alarms(), now)

    def mirror(self, news: News) -> None:
        """What another server put on record; it goes out with the next tick."""
        self._trail += news.trail
        if self.leads:
            return
        self.alarm_desk.mirror(news)
        self.desk.mirror(news.commands)
        if self.incidents is not None and self.dispatches is not None:
            self.incidents.mirror(news.incidents)
            self.dispatches.mirror(news.dispatches)

    # ---- in: what connectors call -------------------------------------------------------------------------------
    def ingest(self, readings: Readings) -> None:
        """Take a batch; it counts from the next tick."""
        self._readings.append(readings)

    def move(self, positions: Positions) -> None:
        """Take fixes; they count from the next tick."""
        self._positions.append(positions)

    def acknowledge(self, ack: CommandAck) -> None:
        """Take a device's answer to an order, or a person's to a dispatch."""
        if not self.leads or (self.dispatches is not None and self.dispatches.acknowledge(ack, self.clock.now())):
            return
        self.desk.acknowledge(ack, self.clock.now())

    def lose(self, slots: NDArray[np.integer]) -> None:
        """The way to these points is down: they turn stale."""
        self.state.mark_stale(slots)
        if self._readings:
            self._lost.append((len(self._readings), slots))

    def link(self, connector: str, is_live: bool, text: str) -> None:
        """A connector's line came or went. When none is left, all points turn stale."""
        before = self.links.get(connector)
        state = "live" if is_live else "down"
        if before is not None and (before.state, before.text) == (state, text):
            return
        since = before.since_ms if before is not None and before.state == state else self.clock.now() * 1000
        self.links[connector] = Link(connector=connector, state=state, since_ms=since, text=text)
        self._links_changed.append(self.links[connector])
        if is_live and before is not None and before.state == "down" and self.dispatches is not None and self.leads:
            self.dispatches.line_back()
        if not is_live and all(link.state == "down" for link in self.links.values()):
            self.lose(np.arange(len(self.points)))

    # ---- fences -------------------------------------------------------------------------------------------------
    def watch_tracks(self, tracks: Sequence[TrackInfo], fences: Sequence[Placed]) -> None:
        """Begin to watch fences: who the tracks are, and what was active in a former run."""
        self.watch = FenceWatch((), tracks)
        self.views.tracks = {info.i: info for info in tracks}
        self._restore_watch()
        self.place_fences(fences)

    def _restore_watch(self) -> None:
        """What stands on record as active in a fence is so until a fix says otherwise."""
        number = {info.id: info.i for info in self.views.tracks.values()}
        self.watch.on = {(fence, number[track]) for alarm in self.book.live() if alarm.key.startswith(PREFIX)
                         and alarm.is_active for fence, _, track in [alarm.key.removeprefix(PREFIX).partition(".")]
                         if track in number}

    def place_fences(self, fences: Sequence[Placed]) -> None:
        """Take other fences; alarms of those that are gone return to normal."""
        over = self.watch.place(fences, self.clock.now())
        self.views.fences = {placed.fence.id: placed for placed in fences}
        self._crossed(over)

    def _crossed(self, events: Sequence[FenceEvent]) -> None:
        if not events:
            return
        ids = self.views.tracks
        rows = [self.book.add(f"{PREFIX}{e.fence}.{ids[e.track].id if e.track in ids else e.track}") for e in events]
        self.alarm_desk.conditions(RuleEvents(np.array(rows, np.int64), np.array([e.is_on for e in events], np.bool_),
                                               np.array([e.time for e in events]), np.full(len(events), np.nan)),
                                   self.clock.now())

    # ---- Parktwin itself ----------------------------------------------------------------------------------------
    def own_fault(self, name: str, is_on: bool) -> None:
        """Something is wrong with Parktwin itself (a key of `own_faults.FAULTS`), or no longer; may be told twice."""
        if self.alarm_desk.heard is not None:
            return  # who writes tells its own
        alarm = self.book.of_key(SYSTEM + name)
        if (alarm is not None and alarm.is_active) == is_on:
            return
        now = self.clock.now()
        self.alarm_desk.conditions(RuleEvents(np.array([self.book.add(SYSTEM + name)]), np.array([is_on]),
                                               np.array([now]), np.full(1, np.nan)), now)

    # ---- incidents ----------------------------------------------------------------------------------------------
    def answer(self, answers: Answers, people: Sequence[TrackInfo]) -> None:
        """Begin to answer alarms with incidents, linkages and plans, and to send people."""
        kinds = {id(kind): kind for kind in self.points.kind}
        opening = frozenset(f"{kind.id}.{rule.key}" for kind in kinds.values() for rule in kind.alarms
                            if (rule.priority == 1 if rule.opens_incident is None else rule.opens_incident))
        self.dispatches = DispatchDesk(self.events, self.tracks, people, self.views, answers.reach)
        self.incidents = IncidentDesk(self.events, self.desk, self.views, answers, opening)
        if self.leads:
            self.incidents.restore(self.alarms(), self.clock.now())

    def close_incident(self, number: int, *, by: str, role: str, note: str) -> IncidentView:
        """A commander closes an incident; its people are released. Raises AccessDenied or IncidentError."""
        assert self.incidents is not None
        assert self.dispatches is not None
        now, live = self.clock.now(), frozenset(alarm.id for alarm in self.book.live())
        after = self.incidents.close(number, by=by, role=role, note=note, live=live, now=now)
        for dispatch in [d for d in self.dispatches.live() if d.incident == number]:
            self.dispatches.release(dispatch.id, now=now, note="incident closed")
        return after

    def send(self, *, person: str, role: str, node: int, reason: str, incident: int, by: str, by_role: str) -> DispatchView:
        """Send a person, or the nearest of a role. Raises AccessDenied or DispatchError."""
        assert self.incidents is not None
        assert self.dispatches is not None
        require(by_role, "dispatch")
        if incident:
            self.incidents.get(incident)
        made = self.dispatches.request(person=person, role=role, node=node, reason=reason, incident=incident, by=by,
                                       now=self.clock.now())
        self.incidents.dispatched(incident, "dispatch", self.clock.now())
        return made

    def _respond(self, now: float, commands: Sequence[Command]) -> tuple[list[IncidentView], list[DispatchView],
                                                                         list[DispatchOrder]]:
        """One tick of incidents and dispatches; their trail lines join this tick's."""
        if self.incidents is None or self.dispatches is None:
            return [], [], []
        if self.leads:
            for dispatch in self.dispatches.tick(now):
                self.incidents.dispatched(dispatch.incident, "arrived", now)
            self.incidents.tick(now, self.alarm_desk.changed, commands)
        incidents, trail = self.incidents.drain()
        orders, dispatches, walked = self.dispatches.drain()
        self._trail += trail + walked
        return incidents, dispatches, orders

    # ---- out: what the server calls -----------------------------------------------------------------------------
    def listen(self, listener: Callable[[Tick], None]) -> Callable[[], None]:
        """Call `listener` with every tick; gives the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tick(self, now: float | None = None) -> Tick:
        """Work through what came in and what time did; write it down; tell everyone."""
        now = self.clock.now() if now is None else now
        self.alarm_desk.write()
        passed = self._take_readings(now)
        tracks, fixes, shown = self._take_positions(now)
        self.alarm_desk.tick(now)
        if self.leads:
            self.desk.tick(now)
        orders, commands, command_trail = self.desk.drain()
        incidents, dispatches, sendings = self._respond(now, commands)
        alarms, alarm_trail = self.alarm_desk.drain()
        seq = self.state.next_seq()
        slots = np.flatnonzero((self.state.changed == seq) & (self.state.quality != 4))
        kept = Readings.joined([passed, self._worked_out(seq)])
        tick = Tick(time=now, seq=seq, slots=slots, tracks=tracks, readings=kept, positions=fixes, shown=shown,
                    alarms=tuple(alarms), commands=tuple(self.views.command(c) for c in commands),
                    trail=tuple(sorted(self._trail + alarm_trail + command_trail, key=lambda entry: entry.id)),
                    links=tuple(self._links_changed), orders=tuple(orders), incidents=tuple(incidents),
                    dispatches=tuple(dispatches), sendings=tuple(sendings),
                    floods=self.floods.tick(now, bool(alarms)))
        self._trail, self._links_changed = [], []
        for listener in list(self._listeners):
            listener(tick)
        return tick

    def acknowledge_alarm(self, alarm_id: int, *, by: str, role: str) -> AlarmView:
        """A person takes note of an alarm. Raises AccessDenied or AlarmError."""
        return self.alarm_desk.acknowledge(alarm_id, by=by, role=role, now=self.clock.now())

    def reset_alarm(self, alarm_id: int, *, by: str, role: str) -> AlarmView:
        """A person lets a latched alarm go. Raises AccessDenied or AlarmError."""
        return self.alarm_desk.reset(alarm_id, by=by, role=role, now=self.clock.now())

    def shelve_alarm(self, alarm_id: int, *, by: str, role: str, mins: float, reason: str) -> AlarmView:
        """A person puts a live alarm aside for a while. Raises AccessDenied or AlarmError."""
        self.shelve_rule(self.book.get(alarm_id).key, by=by, role=role, mins=mins, reason=reason)
        return self.views.alarm(self.book.get(alarm_id))

    def shelve_rule(self, key: str, *, by: str, role: str, mins: float, reason: str) -> AsideView:
        """A person puts a rule (`<device>.<rule>`) aside, whether its alarm is on or not. Raises as `shelve_alarm`."""
        return self.alarm_desk.shelve(key, by=by, role=role, mins=mins, reason=reason, now=self.clock.now())

    def take_out(self, key: str, *, by: str, role: str, reason: str) -> AsideView:
        """A person takes a rule out of service. Raises AccessDenied or AlarmError."""
        return self.alarm_desk.take_out(key, by=by, role=role, reason=reason, now=self.clock.now())

    def put_back(self, key: str, kind: Held, *, by: str, role: str, reason: str = "") -> AsideView:
        """A shelf ends early, or a rule goes back into service. Raises AccessDenied or AlarmError."""
        return self.alarm_desk.put_back(key, kind, by=by, role=role, reason=reason, now=self.clock.now())

    def request(self, *, device: str, key: str, args: dict[str, float | str], by: str, role: str,
                idempotency_key: str) -> CommandView:
        """A person gives a command; see `CommandDesk.request` for what it raises."""
        command = self.desk.request(device=device, key=key, args=args, by=by, role=role, now=self.clock.now(),
                                    idempotency_key=idempotency_key)
        return self.views.command(command)

    def approve(self, command_id: str, *, by: str, role: str) -> CommandView:
        """A second person approves a dangerous command; see `CommandDesk.approve` for what it raises."""
        return self.views.command(self.desk.approve(command_id, by=by, role=role, now=self.clock.now()))

    def deny(self, command_id: str, *, by: str, role: str, note: str) -> CommandView:
        """A second person refuses a dangerous command, or the one who asked withdraws it."""
        return self.views.command(self.desk.deny(command_id, by=by, role=role, note=note, now=self.clock.now()))

    def note(self, who: str, what: str, subject: str, *, node: int = 0, text: str = "",
             text_zh: str = "") -> TrailEntry:
        """Write a line to the trail (sign-in, drill.started, …); it also goes out with the next tick."""
        entry = self.events.write(Records(notes=[Note(time=self.clock.now(), who=who, what=what, subject=subject,
                                                      node=node, text=text, text_zh=text_zh)]))[0]
        self._trail.append(entry)
        return entry

    def alarms(self, state: str = "active", limit: int = 500) -> list[AlarmView]:
        """'active': every live alarm, worst and oldest first; 'all': the last ones raised, newest first."""
        return self.alarm_desk.live() if state == "active" else self.alarm_desk.recent(limit)

    def alarm(self, alarm_id: int) -> AlarmView | None:
        """A live alarm; None when it is not (any more)."""
        return self.alarm_desk.view(alarm_id)

    def commands(self, limit: int = 200) -> list[CommandView]:
        """The last commands, newest first."""
        return [self.views.command(command) for command in self.events.recent_commands(limit)]

    def values_frame(self, slots: NDArray[np.integer], now: float | None = None) -> bytes:
        """The present values of some slots as a binary frame."""
        now = self.clock.now() if now is None else now
        return frames.values_frame(slots, self.state.value[slots], self.state.age_ms(slots, now),
                                   self.state.quality[slots], seq=self.state.seq, server_time_ms=now * 1000)

    def positions_frame(self, tracks: NDArray[np.integer], now: float | None = None, blur: Blur | None = None) -> bytes:
        """The present places of some tracks as a binary frame; `blur` makes them what some may see."""
        now, t = self.clock.now() if now is None else now, self.tracks
        xyz, node, heading = t.xyz[tracks], t.node[tracks], t.heading[tracks]
        if blur is not None:
            (xyz, node), heading = blur(xyz, node), np.zeros(len(tracks), np.float32)
        return frames.positions_frame(tracks, xyz, heading, node, t.shown_flags(tracks),
                                      seq=self.state.seq, server_time_ms=now * 1000)

    def snapshot(self, since_seq: int = -1, blur: Blur | None = None) -> tuple[bytes, bytes]:
        """Values changed after tick `since_seq` (-1: all that ever spoke) and all tracks, as two frames."""
        return (self.values_frame(self.state.changed_since(since_seq)),
                self.positions_frame(self.tracks.seen(), blur=blur))

    # ---- inside -------------------------------------------------------------------------------------------------
    def _take_readings(self, now: float) -> Readings:
        batches, lost = self._readings, self._lost
        self._readings, self._lost = [], []
        batch = Readings.joined(batches)
        applied = self.state.apply(batch, now)
        for before, slots in lost:  # what was said before the way to a point was lost does not say that it is back
            self.state.mark_stale(np.setdiff1d(slots, Readings.joined(batches[before:]).slot))
        self.alarm_desk.conditions(applied.events, now)
        passed = applied.passed
        return Readings(batch.slot[passed], batch.value[passed], batch.quality[passed], batch.source_time[passed])

    def _worked_out(self, seq: int) -> Readings:
        """What derived points came to in a tick, for history: the last value of each that changed."""
        state = self.state
        slots = state.derived[(state.changed[state.derived] == seq) & (state.quality[state.derived] < Quality.STALE)]
        return Readings(slots.astype(np.uint32), state.value[slots], state.quality[slots], state.source[slots])

    def _take_positions(self, now: float) -> tuple[NDArray[np.int64], Positions, Shown]:
        batches, self._positions = self._positions, []
        fixes = Positions(
            np.concatenate([p.track for p in batches] or [np.zeros(0, np.uint32)]),
            np.concatenate([p.xyz for p in batches] or [np.zeros((0, 3))]),
            np.concatenate([p.heading for p in batches] or [np.zeros(0, np.float32)]),
            np.concatenate([p.source_time for p in batches] or [np.zeros(0)]),
            np.concatenate([p.sigma() for p in batches] or [np.zeros(0, np.float32)]))
        kept = self.tracks.sound(fixes, now)
        steady = self.steadier.step(kept)
        moved = self.tracks.apply(steady.fixes, now, steady.spread, steady.node)
        self._crossed(self.watch.step(steady.fixes))
        shown = Shown(np.where(steady.is_late[:, None], np.nan, steady.fixes.xyz), steady.spread)
        lost, gone = self.tracks.sweep(now), self.tracks.forget(now)
        if len(gone):
            self.steadier.forget(gone)
            self.watch.forget(gone)
        return np.concatenate([moved, lost, gone]), kept, shown
