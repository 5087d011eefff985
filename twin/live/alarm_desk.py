"""The alarm desk: conditions and people's words in, transitions on disk and views of them out."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from twin.access import Action, require
from twin.alarm_kpis import STALE_SECS
from twin.database import StoreDown
from twin.events import EventStore, Note, Records
from twin.live.alarms import WAITING, Alarm, AlarmEvent, AsideEvent
from twin.live.book import AlarmBook, Held
from twin.live.chatter import Damper
from twin.live.own_faults import OWN
from twin.live.rules import RuleTable
from twin.live.standby import SAME_SECS, Heard, News
from twin.live.state import RuleEvents, StateStore
from twin.live.views import Views
from twin.shared.lease import NotWriter
from twin.wire import AlarmView, AsideView, TrailEntry

_log = logging.getLogger(__name__)


class AlarmDesk:
    """Alarms of one running core. One thread uses it.

    Args:
        state: the live columns whose rules raise alarms.
        events: where every transition is written; what was live in it goes on.
        views: makes what people read.
    """

    def __init__(self, state: StateStore, events: EventStore, views: Views) -> None:
        self._state, self._events, self._views = state, events, views
        self.book = AlarmBook(state.rules)
        #: what is met while another server writes; None: this one does
        self.heard: Heard | None = None
        self._damper = Damper(len(state.rules))
        self._restore()
        self._unwritten: list[AlarmEvent] = []
        self._unwritten_asides: list[AsideEvent] = []
        self._changed: list[AlarmView] = []
        self._trail: list[TrailEntry] = []
        self._fault: StoreDown | None = None
        self._told: dict[int, tuple[Alarm, AlarmView]] = {}

    # ---- who writes ---------------------------------------------------------------------------------------------
    def follow(self) -> None:
        """Another server writes: what stands on record holds, what waits to be written here never is. Raises StoreDown."""
        self._restore()
        self._unwritten, self._unwritten_asides, self.heard = [], [], Heard()

    def lead(self, now: float) -> None:
        """This server writes: what stands on record holds, then what was met after it. Raises StoreDown."""
        heard = self.heard or Heard()
        written: dict[int, float] = {}
        for event in self._events.alarm_steps(heard.since - SAME_SECS, now + SAME_SECS) if heard.events else ():
            row = self.book.row_of_key(event.alarm.key)
            if row is not None and event.what in ("raised", "returned"):
                written[row] = max(event.time, written.get(row, event.time))
        self._restore(keeps_suppressing=True)
        self.heard = None
        late = self.book.news(heard.after(written))
        self._state.set_active(late.rule, late.on)
        self._damper = Damper(len(self._state.rules))
        self._record(self.book.take(self._damper.damped(late)))

    def mirror(self, news: News) -> None:
        """Show what another server put on record."""
        if news.suppressions is not None:
            self.book.mirror_held(news.suppressions, OWN)
        self._changed += [self._views.alarm(alarm) for alarm in news.alarms if self.book.mirror(alarm, OWN)]

    # ---- what the field says ------------------------------------------------------------------------------------
    def conditions(self, events: RuleEvents, now: float) -> None:
        """Alarm conditions that came and went; what is suppressed by design by now is so for all of them."""
        if self.heard is not None:
            self.heard.put(alarms_only(events, self._state.rules))
            if self._state.suppresses:
                self.book.mirror_designed(self._state.suppressed())
            return
        if self._state.suppresses:
            self._record(self.book.design(self._state.suppressed(), now))
        self._record(self.book.take(self._damper.damped(alarms_only(events, self._state.rules))))

    def tick(self, now: float) -> None:
        """What time does: silence, delays and shelves that run out."""
        self.conditions(self._state.sweep(now), now)
        if self.heard is not None:
            return
        self._record(self.book.take(self._damper.quiet(now)))
        for moved, aside in self.book.expire(now):
            self._record(moved, aside)

    # ---- what people say ----------------------------------------------------------------------------------------
    def acknowledge(self, alarm_id: int, *, by: str, role: str, now: float) -> AlarmView:
        """A person takes note of an alarm. Raises AccessDenied or AlarmError."""
        self._allow(role, "acknowledge")
        return self._word([self.book.acknowledge(alarm_id, by, now)])[-1]

    def reset(self, alarm_id: int, *, by: str, role: str, now: float) -> AlarmView:
        """A person lets a latched alarm go. Raises AccessDenied or AlarmError."""
        self._allow(role, "acknowledge")
        return self._word([self.book.reset(alarm_id, by, now)])[-1]

    def shelve(self, key: str, *, by: str, role: str, mins: float, reason: str, now: float) -> AsideView:
        """A person puts a rule (`<device>.<rule>`) aside for a while. Raises AccessDenied or AlarmError."""
        self._allow(role, "shelve")
        return self._put(*self.book.shelve(key, by, mins, reason, now))

    def take_out(self, key: str, *, by: str, role: str, reason: str, now: float) -> AsideView:
        """A person takes a rule out of service. Raises AccessDenied or AlarmError."""
        self._allow(role, "out_of_service")
        return self._put(*self.book.take_out(key, by, reason, now))

    def put_back(self, key: str, kind: Held, *, by: str, role: str, reason: str, now: float) -> AsideView:
        """A shelf ends early, or a rule goes back into service. Raises AccessDenied or AlarmError."""
        self._allow(role, "shelve" if kind == "shelved" else "out_of_service")
        return self._put(*self.book.put_back(key, kind, by, reason, now))

    # ---- what there is ------------------------------------------------------------------------------------------
    def live(self) -> list[AlarmView]:
        """Every live alarm, worst and oldest first. What stands as it stood is not put into words again."""
        told, self._told = self._told, {}
        out = []
        for alarm in self.book.live():
            was, view = told.get(alarm.id, (None, None))
            if view is None or was is not alarm:
                view = self._views.alarm(alarm)
            if not alarm.key.startswith(OWN):  # what those say hangs on more than the alarm
                self._told[alarm.id] = alarm, view
            out.append(view)
        return sorted(out, key=lambda view: (view.priority, view.raised_ms, view.id))

    def view(self, alarm_id: int) -> AlarmView | None:
        """A live alarm; None when it is not (any more)."""
        alarm = self.book.find(alarm_id)
        return None if alarm is None else self._views.alarm(alarm)

    def recent(self, limit: int) -> list[AlarmView]:
        """The last alarms raised, newest first, of rules there still are."""
        known = set(self._state.rules.keys)
        return [self._views.alarm(alarm) for alarm in self._events.recent_alarms(limit)
                if alarm.key in known or alarm.key.startswith(OWN)]

    def acknowledge_all(self, alarm_ids: Sequence[int], *, by: str, role: str, now: float) -> list[AlarmView]:
        """A person takes note of several; those that no longer wait are passed by. Raises AccessDenied."""
        self._allow(role, "acknowledge")
        waiting = {alarm.id for alarm in self.book.live() if alarm.state in WAITING}
        return self._word([self.book.acknowledge(number, by, now) for number in alarm_ids if number in waiting])

    def priority_of(self, key: str) -> int:
        """The priority of a rule; 4 for one there is no more."""
        return self._views.priority(key)

    def standing(self, now: float) -> dict[str, object]:
        """How many alarms stand now, by priority; how many have stood a day; how many are aside, by what."""
        live = self.book.live()
        calling = [alarm for alarm in live if not alarm.is_aside]
        levels = [self._views.priority(alarm.key) for alarm in calling]
        stale = [alarm for alarm in calling if now - alarm.raised > STALE_SECS]
        held = [one.kind for one in self.book.held()]
        return {"standing": len(calling), "by_priority": [levels.count(p) for p in (1, 2, 3, 4)],
                "waiting": sum(alarm.state in WAITING for alarm in calling),
                "stale": [self._views.alarm(alarm) for alarm in sorted(stale, key=lambda alarm: alarm.raised)[:20]],
                "stale_count": len(stale), "shelved": held.count("shelved"), "out_of_service": held.count("out_of_service"),
                "designed": len(self.book.designed())}

    def aside(self) -> list[AsideView]:
        """Everything people put aside, oldest first, whether its alarm is on or not."""
        return [self._views.aside(held) for held in self.book.held()]

    def rules_of(self, device: str) -> list[dict[str, object]]:
        """A device's rules with what holds each aside, JSON-ready."""
        out: list[dict[str, object]] = []
        mine = (self._state.rules.device == device) & (self._state.rules.suppresses < 0)
        for row in np.flatnonzero(mine).tolist():
            key, spec = self._state.rules.keys[row], self._state.rules.specs[row]
            kind, held = self.book.aside(key)
            live = self.book.of_key(key)
            out.append({"key": key, "name": spec.name, "name_zh": spec.name_zh, "priority": spec.priority, "rule": spec.rule,
                        "point": spec.point, "limit": spec.limit, "state": live.state if live else "", "aside": kind or "",
                        "by": held.who if held else "", "reason": held.reason if held else "",
                        "until_ms": held.until * 1000 if held and held.until is not None else None})
        return out

    def drain(self) -> tuple[list[AlarmView], list[TrailEntry]]:
        """Alarms that changed and trail lines, since the last drain."""
        out = self._changed, self._trail
        self._changed, self._trail = [], []
        return out

    @property
    def changed(self) -> Sequence[AlarmView]:
        """Alarms that changed since the last drain."""
        return self._changed

    def write(self) -> None:
        """All transitions not yet on record, in order; while the database is away they wait here, none dropped."""
        if not self._unwritten and not self._unwritten_asides:
            return
        self._fault = None
        try:
            self._trail += self._events.write(Records(alarms=self._unwritten, asides=self._unwritten_asides,
                                                      notes=self._notes()))
        except StoreDown as error:
            _log.debug("%s alarm transitions wait: %s", len(self._unwritten), error)
            self._fault = error
            return
        self._unwritten, self._unwritten_asides = [], []

    # ---- inside -------------------------------------------------------------------------------------------------
    def _restore(self, *, keeps_suppressing: bool = False) -> None:
        """Everything as it stands on record."""
        rules, live, held = self._state.rules, self._events.live_alarms(), self._events.suppressions()
        self.book.forget(self._events.next_alarm_id())
        rows = np.array(self.book.restore(live, OWN, held), np.int64)
        self._state.restore_active(rows[rows < len(rules)])
        if not keeps_suppressing:
            self._state.restore_suppressed(self.book.designed())

    def _notes(self) -> list[Note]:
        told = [self._views.alarm_note(event) for event in self._unwritten]
        return told + [self._views.aside_note(event) for event in self._unwritten_asides if not event.is_told]

    def _put(self, moved: Sequence[AlarmEvent], aside: AsideEvent) -> AsideView:
        self._word(moved, aside)
        return self._views.aside(aside.suppression, is_over=aside.is_over)

    def _allow(self, role: str, action: Action) -> None:
        require(role, action)
        if self.heard is not None:
            raise NotWriter

    def _word(self, events: Sequence[AlarmEvent], aside: AsideEvent | None = None) -> list[AlarmView]:
        """A person's word. Where another server may write by now, nobody is told that it holds before it is on record."""
        views = self._record(events, aside)
        lease = self._events.lease
        if self._fault is not None and lease is not None and not lease.is_alone:
            raise self._fault
        return views

    def _record(self, events: Sequence[AlarmEvent], aside: AsideEvent | None = None) -> list[AlarmView]:
        if not events and aside is None:
            return []
        self._unwritten += events
        if aside is not None:
            self._unwritten_asides.append(aside)
        self.write()
        views = [self._views.alarm(event.alarm) for event in events]
        self._changed += views
        return views


def alarms_only(events: RuleEvents, rules: RuleTable) -> RuleEvents:
    """The events without those that only suppress others; rows past the rules (fences) are alarms."""
    known = events.rule < len(rules)
    keep = ~known
    keep[known] = rules.suppresses[events.rule[known]] < 0
    return events if keep.all() else RuleEvents(events.rule[keep], events.on[keep], events.time[keep], events.value[keep])
