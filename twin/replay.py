"""The past as it was: everything a page shows as of an instant, stepped forward or taken at once, with a hash of it.

`Past.seek` takes the state as of T from disk; `Past.step` lets it run to a later T. Both come to the same: the hash says so.
Times are whole milliseconds since 1970 UTC. Not safe from several threads; nothing here touches the live core.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin.commands import Command
from twin.errors import TwinError
from twin.events import EventStore
from twin.history.store import History
from twin.live.alarms import Alarm, AlarmEvent
from twin.live.tracks import LOST, Locate
from twin.ports import Positions, Readings
from twin.wire import DispatchView, IncidentView, LinkageRun, LinkageStep, PlanRun, Quality, TrailEntry

LOOK_BACK_MS = 86_400_000      # a value older than this is not known any more
TRACK_MS = 120_000             # nobody is drawn where they were seen longer ago
LOST_MS = 10_000
KEPT_SECS = 30 * 86_400.0      # alarms and incidents that took their last step, or began, longer ago are not shown
ORDER_SECS = 86_400.0          # commands and dispatches asked for longer ago neither
WINDOW_MS = 300_000            # what is read from disk at once
#: History keeps an unchanged value every second period: silence shows three periods after that.
SILENT_PERIODS = 5.0


class ReplayError(TwinError):
    """There is no record of that instant."""


@dataclass(slots=True)
class Record:
    """What was read from disk for one span: from_ms < time ≤ to_ms."""

    from_ms: int
    to_ms: int
    readings: Readings
    fixes: Positions
    alarms: list[AlarmEvent]
    commands: list[Command]
    incidents: list[IncidentView]
    dispatches: list[DispatchView]
    trail: list[TrailEntry]


@dataclass(slots=True)
class Changes:
    """What a step changed: slots and tracks, and the things that went one step on."""

    slots: NDArray[np.int64]
    tracks: NDArray[np.int64]
    alarms: list[Alarm] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    incidents: list[IncidentView] = field(default_factory=list)
    dispatches: list[DispatchView] = field(default_factory=list)
    trail: list[TrailEntry] = field(default_factory=list)


class Past:
    """Everything as of `at_ms`.

    Args:
        history, events: what is on disk.
        period: seconds a slot is heard in, by slot; 0 or not finite: it never goes stale by silence.
        tracks: how many tracks there are.
        locate: park-frame points → containing node.
        keeps: which alarms can still be shown (their rule or fence is known).
    """

    def __init__(self, history: History, events: EventStore, *, period: NDArray[np.float64], tracks: int, locate: Locate,
                 keeps: Callable[[str], bool] = lambda key: True) -> None:
        self._history, self._events, self._locate, self._keeps = history, events, locate, keeps
        silent = np.where(np.isfinite(period) & (period > 0), period * SILENT_PERIODS * 1000, np.inf)
        self._silent_ms = silent
        n = len(period)
        self.at_ms = 0
        self.value, self.quality = np.full(n, np.nan), np.full(n, int(Quality.NEVER), np.uint8)
        self._said, self._time = self.quality.copy(), np.zeros(n, np.int64)
        self.xyz, self.heading = np.full((tracks, 3), np.nan, np.float32), np.zeros(tracks, np.float32)
        self.node, self.flags = np.zeros(tracks, np.uint32), np.zeros(tracks, np.uint8)
        self.spread = np.zeros(tracks, np.float32)
        self._seen = np.zeros(tracks, np.int64)
        self.alarms: dict[int, Alarm] = {}
        self.commands: dict[str, Command] = {}
        self.incidents: dict[int, IncidentView] = {}
        self.dispatches: dict[str, DispatchView] = {}
        self.record: Record | None = None

    # ---- reading ------------------------------------------------------------------------------------------------
    def read(self, from_ms: int, to_ms: int) -> Record:
        """A span from disk, both ends as `Record`; slow (tens of milliseconds), so never on a loop that others wait for."""
        start, end = from_ms + 1, to_ms + 1
        since, until, ordered = from_ms / 1000 - KEPT_SECS, to_ms / 1000, from_ms / 1000 - ORDER_SECS
        return Record(
            from_ms, to_ms, self._history.readings_in(start, end), self._history.fixes_in(start, end),
            [event for event in self._events.alarm_steps(since, until) if self._keeps(event.alarm.key)],
            self._events.commands_between(ordered, until), self._events.incidents_between(since, until),
            self._events.dispatches_between(ordered, until), self._events.trail_between(from_ms / 1000, until))

    def seek(self, at_ms: int, until_ms: int | None = None) -> Changes:
        """Everything as of an instant, from disk; `until_ms`: how far to read ahead."""
        then = self._history.state_at(at_ms, LOOK_BACK_MS)
        fixes = self._history.fixes_in(at_ms - TRACK_MS, at_ms + 1)
        self.record = self.read(at_ms, max(at_ms, until_ms or at_ms))
        self.value, self._said, self._time = then.value.copy(), then.quality.copy(), then.time_ms.copy()
        self._seen[:] = 0
        self._move(fixes)
        self.alarms, self.commands, self.incidents, self.dispatches = {}, {}, {}, {}
        self.quality[:] = int(Quality.NEVER)
        self.at_ms = at_ms
        self._age()
        changes = self._happen(-1)
        changes.slots = np.flatnonzero(self.quality != Quality.NEVER)
        changes.tracks = self.present()
        changes.trail = self._events.trail_between(at_ms / 1000 - 3600, at_ms / 1000)[-200:]
        return changes

    def step(self, at_ms: int) -> Changes:
        """Let time run to a later instant. Raises ReplayError when that was not read."""
        record, before = self.record, self.at_ms
        if record is None or not before <= at_ms <= record.to_ms:
            raise ReplayError(f"{at_ms} was not read", mend="read on")
        readings, fixes = _between(record.readings, before, at_ms), _between(record.fixes, before, at_ms)
        slot = readings.slot.astype(np.int64)
        self.value[slot], self._said[slot] = readings.value, readings.quality
        self._time[slot] = np.rint(readings.source_time * 1000).astype(np.int64)
        here = self.present()
        moved = self._move(fixes)
        self.at_ms = at_ms
        shown = self._age()
        changes = self._happen(before)
        gone = np.setdiff1d(here, self.present())
        changes.slots, changes.tracks = np.union1d(slot, shown), np.union1d(moved, gone)
        changes.trail = [entry for entry in record.trail if before < entry.time_ms <= at_ms]
        return changes

    def advance(self, at_ms: int, window_ms: int = WINDOW_MS) -> None:
        """Let time run to a later instant however far off, reading a window after the other."""
        while self.at_ms < at_ms:
            if self.record is None or self.at_ms >= self.record.to_ms:
                self.record = self.read(self.at_ms, min(self.at_ms + window_ms, at_ms))
            self.step(min(at_ms, self.record.to_ms))

    # ---- what is ------------------------------------------------------------------------------------------------
    def present(self) -> NDArray[np.int64]:
        """Tracks seen in the last two minutes."""
        return np.flatnonzero((self._seen > 0) & (self.at_ms - self._seen <= TRACK_MS))

    def age_ms(self, slots: NDArray[np.integer]) -> NDArray[np.uint32]:
        """Milliseconds between what a slot last said and the instant."""
        age = np.clip(self.at_ms - self._time[slots], 0, 4_294_967_295)
        return np.where(self.quality[slots] == Quality.NEVER, 4_294_967_295, age).astype(np.uint32)

    def hash(self) -> str:
        """SHA-256 over values, qualities, places, alarms, commands, incidents and dispatches in one order.

        Equal for two replays of one moment, whether played through or jumped to.
        """
        digest = hashlib.sha256()
        digest.update(np.where(np.isnan(self.value), np.nan, self.value).astype("<f8").tobytes())
        digest.update(self.quality.tobytes())
        here = self.present()
        for column in (here.astype("<u4"), self.xyz[here].astype("<f4"), self.flags[here]):
            digest.update(column.tobytes())
        digest.update(msgspec.json.encode([
            sorted((a.id, a.key, a.state, a.changed) for a in self.alarms.values() if a.is_live),
            sorted((c.id, c.device, c.key, c.state) for c in self.commands.values()),
            sorted(self.incidents.values(), key=lambda i: i.id), sorted(self.dispatches.values(), key=lambda d: d.id)]))
        return digest.hexdigest()

    # ---- inside -------------------------------------------------------------------------------------------------
    def _move(self, fixes: Positions) -> NDArray[np.int64]:
        known = fixes.track < len(self._seen)
        track = fixes.track[known].astype(np.int64)
        self.xyz[track], self.heading[track] = fixes.xyz[known], fixes.heading[known]
        self.spread[track] = fixes.sigma()[known]
        self._seen[track] = np.rint(fixes.source_time[known] * 1000).astype(np.int64)
        moved = np.unique(track)
        if len(moved):
            self.node[moved] = self._locate(self.xyz[moved].astype(np.float64))
        return moved

    def _age(self) -> NDArray[np.int64]:
        """What silence and old age make of values and tracks; gives the slots whose quality changed."""
        age = self.at_ms - self._time
        quality = self._said.copy()
        quality[(age > self._silent_ms) & (quality < Quality.STALE)] = int(Quality.STALE)
        old = age > LOOK_BACK_MS
        quality[old] = int(Quality.NEVER)
        self.value[old] = np.nan
        changed = np.flatnonzero(quality != self.quality)
        self.quality = quality
        self.flags = np.where(self.at_ms - self._seen > LOST_MS, LOST, 0).astype(np.uint8)
        return changed

    def _happen(self, before_ms: int) -> Changes:
        """Alarms, commands, incidents and dispatches that took a step after `before_ms` and by now."""
        assert self.record is not None
        nothing = np.zeros(0, np.int64)
        changes, at = Changes(nothing, nothing), self.at_ms / 1000
        for event in self.record.alarms:
            if before_ms / 1000 < event.time <= at:
                self.alarms[event.alarm.id] = event.alarm
        touched = {e.alarm.id for e in self.record.alarms if before_ms / 1000 < e.time <= at}
        changes.alarms = [self.alarms[i] for i in sorted(touched) if before_ms >= 0 or self.alarms[i].is_live]
        kept, ordered = at - KEPT_SECS, at - ORDER_SECS
        commands = [command_at(c, at) for c in self.record.commands if c.steps[0][1] > ordered]
        incidents = [self._joined(incident_at(i, self.at_ms)) for i in self.record.incidents if i.opened_ms / 1000 > kept]
        dispatches = [dispatch_at(d, self.at_ms) for d in self.record.dispatches if d.steps[0][1] / 1000 > ordered]
        self.alarms = {i: a for i, a in self.alarms.items() if a.changed > kept}
        self.commands = _taken(self.commands, commands, changes.commands)
        self.incidents = _taken(self.incidents, incidents, changes.incidents)
        self.dispatches = _taken(self.dispatches, dispatches, changes.dispatches)
        return changes

    def _joined(self, incident: IncidentView | None) -> IncidentView | None:
        """With the alarms that had been raised by then: when each joined is not on record."""
        return incident and msgspec.structs.replace(incident, alarms=[i for i in incident.alarms if i in self.alarms])


def _taken(held: dict[Any, Any], now: list[Any], changed: list[Any]) -> dict[Any, Any]:
    """What there is now, by id; what is not as it was held goes to `changed`."""
    there = {thing.id: thing for thing in now if thing is not None}
    changed += [thing for thing in there.values() if held.get(thing.id) != thing]
    return there


def _between(rows: Any, after_ms: int, to_ms: int) -> Any:
    """The rows of a time-ordered batch with after < time ≤ to."""
    time_ms = np.rint(rows.source_time * 1000).astype(np.int64)
    a, b = np.searchsorted(time_ms, [after_ms, to_ms], side="right")
    columns = (getattr(rows, name) for name in rows.__slots__)
    return type(rows)(*(None if column is None else column[a:b] for column in columns))


def command_at(command: Command, at: float) -> Command | None:
    """A command as it was (seconds); None before it was requested."""
    steps = tuple(step for step in command.steps if step[1] <= at)
    if not steps:
        return None
    return msgspec.structs.replace(command, steps=steps, state=steps[-1][0],
                                   second=command.second if len(steps) > 1 else "",
                                   sent=command.sent if command.sent <= at else 0.0,
                                   acknowledged=command.acknowledged if command.acknowledged <= at else 0.0)


def dispatch_at(dispatch: DispatchView, at_ms: float) -> DispatchView | None:
    """A dispatch as it was; None before it was requested."""
    steps = [step for step in dispatch.steps if step[1] <= at_ms]
    return msgspec.structs.replace(dispatch, steps=steps, state=steps[-1][0]) if steps else None


def incident_at(incident: IncidentView, at_ms: float) -> IncidentView | None:
    """An incident as it was; None before it was opened. Its alarms are all that ever joined."""
    if incident.opened_ms > at_ms:
        return None
    is_closed = incident.closed_ms is not None and incident.closed_ms <= at_ms
    return msgspec.structs.replace(
        incident, state="closed" if is_closed else "open", closed_ms=incident.closed_ms if is_closed else None,
        closed_by=incident.closed_by if is_closed else "", note=incident.note if is_closed else "",
        plan=_plan_at(incident.plan, at_ms), linkage=_linkage_at(incident.linkage, at_ms))


def _plan_at(plan: PlanRun | None, at_ms: float) -> PlanRun | None:
    if plan is None or plan.started_ms > at_ms:
        return None
    undone = {"done_ms": None, "done_by": "", "note": ""}
    return msgspec.structs.replace(plan, steps=[
        msgspec.structs.replace(step, **undone) if step.done_ms is not None and step.done_ms > at_ms else step
        for step in plan.steps])


def _linkage_at(run: LinkageRun | None, at_ms: float) -> LinkageRun | None:
    if run is None or run.started_ms > at_ms:
        return None
    is_over = run.ended_ms is not None and run.ended_ms <= at_ms
    return msgspec.structs.replace(run, state=run.state if is_over else "running", ended_ms=run.ended_ms if is_over else None,
                                   steps=[_step_at(step, at_ms) for step in run.steps])


def _step_at(step: LinkageStep, at_ms: float) -> LinkageStep:
    if step.started_ms is None or step.started_ms > at_ms:
        state, started = ("none" if step.state == "none" else "waiting"), None
    elif step.ended_ms is None or step.ended_ms > at_ms:
        state, started = "sent", step.started_ms
    else:
        return step
    targets = [msgspec.structs.replace(target, state=state, note="") for target in step.targets]
    return msgspec.structs.replace(step, state=state, started_ms=started, ended_ms=None, targets=targets)


def range_of(history: History, now: float) -> tuple[int, int]:
    """The instants on record: oldest reading to two seconds ago (what is younger may not be on disk yet).

    Raises:
        ReplayError: nothing was recorded yet.
    """
    first, last = history.first_ms(), int(now * 1000) - 2000
    if first is None or first >= last:
        raise ReplayError("nothing has been recorded yet", mend="wait until the park has been live for a few seconds",
                          code="replay.empty")
    return first, last
