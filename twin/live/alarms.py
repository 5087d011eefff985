"""The alarm book: each alarm's life in ISA-18.2 states, as pure steps.

    (condition comes)  → unacknowledged → acknowledged → (condition goes) cleared
                         unacknowledged → (condition goes) returned → acknowledged by a person: cleared
    any of them        → shelved until an instant, with a name and a reason; then unacknowledged or cleared,
                         as the condition says. A shelved alarm goes on following its condition in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from twin.errors import TwinError
from twin.live.rules import RuleTable
from twin.live.state import RuleEvents

State = Literal["unacknowledged", "acknowledged", "returned", "cleared", "shelved"]
What = Literal["raised", "returned", "acknowledged", "shelved", "unshelved"]
LONGEST_SHELF_MINS = 24 * 60


class AlarmError(TwinError):
    """An alarm cannot take this step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm as it stands. `key` is `<device>.<rule key>`; times are seconds since 1970 UTC."""

    id: int
    key: str
    state: State
    is_active: bool
    raised: float
    changed: float
    value: float
    acked_by: str | None = None
    shelved_by: str | None = None
    shelved_until: float | None = None
    shelved_reason: str = ""

    @property
    def is_live(self) -> bool:
        """Whether anybody still has to look at it."""
        return self.state != "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvent:
    """One transition: the alarm after it, what happened, and who did it (empty: the field)."""

    what: What
    alarm: Alarm
    time: float
    who: str = ""


def on_condition(alarm: Alarm, *, is_on: bool, time: float, value: float) -> Alarm:
    """The alarm after its condition came or went."""
    if alarm.state == "shelved":
        return replace(alarm, is_active=is_on, changed=time, value=value)
    if is_on:
        state: State = "acknowledged" if alarm.state == "acknowledged" else "unacknowledged"
        return replace(alarm, is_active=True, state=state, changed=time, value=value)
    state = "cleared" if alarm.state in ("acknowledged", "cleared") else "returned"
    return replace(alarm, is_active=False, state=state, changed=time, value=value)


def on_acknowledge(alarm: Alarm, *, who: str, time: float) -> Alarm:
    """The alarm after a person took note of it.

    Raises:
        AlarmError: there is nothing to acknowledge.
    """
    if alarm.state not in ("unacknowledged", "returned"):
        raise AlarmError(f"alarm {alarm.id} is {alarm.state}", mend="acknowledge an alarm that waits for it",
                         code="alarm.not_waiting", fill={"state": alarm.state})
    return replace(alarm, state="acknowledged" if alarm.is_active else "cleared", acked_by=who, changed=time)


def on_shelve(alarm: Alarm, *, who: str, until: float, reason: str, time: float) -> Alarm:
    """The alarm put aside until an instant.

    Raises:
        AlarmError: it is cleared, the reason is empty, or the time is not within a day ahead.
    """
    if not alarm.is_live:
        raise AlarmError(f"alarm {alarm.id} is cleared", mend="shelve only live alarms", code="alarm.cleared")
    if not reason.strip():
        raise AlarmError("a shelved alarm needs a reason", mend="say why in 'reason'", code="alarm.no_reason")
    if not 0 < until - time <= LONGEST_SHELF_MINS * 60:
        raise AlarmError("an alarm is shelved for more than 0 and at most 1440 minutes", mend="give other 'mins'",
                         code="alarm.shelf_mins")
    return replace(alarm, state="shelved", shelved_by=who, shelved_until=until, shelved_reason=reason, changed=time)


def on_shelf_end(alarm: Alarm, *, time: float) -> Alarm:
    """A shelved alarm back among the others, as its condition now says."""
    return replace(alarm, state="unacknowledged" if alarm.is_active else "cleared", shelved_until=None, acked_by=None,
                   changed=time)


class AlarmBook:
    """Every live alarm by rule row, and the numbers they get. One thread writes.

    Args:
        rules: the rule table whose rows events name.
        first_id: number of the next alarm (continue after the store's last).
    """

    def __init__(self, rules: RuleTable, first_id: int = 1) -> None:
        self.rules = rules
        self._next_id = first_id
        self._keys = list(rules.keys)
        self._row = {key: row for row, key in enumerate(rules.keys)}
        self._by_row: dict[int, Alarm] = {}
        self._row_of_id: dict[int, int] = {}

    def add(self, key: str) -> int:
        """The row of a key that is no rule of a point (a fence and a track); rows of their own follow the rules'."""
        if key not in self._row:
            self._row[key] = len(self._keys)
            self._keys.append(key)
        return self._row[key]

    def restore(self, alarms: Iterable[Alarm], prefix: str = "\0") -> list[int]:
        """Take back the live alarms of a former run; gives the rule rows that were active, gone rules left out.

        Keys that begin with `prefix` get rows of their own.
        """
        for alarm in alarms:
            if alarm.key.startswith(prefix):
                self.add(alarm.key)
            if alarm.key in self._row and alarm.is_live:
                self._put(self._row[alarm.key], alarm)
                self._next_id = max(self._next_id, alarm.id + 1)
        return [row for row, alarm in self._by_row.items() if alarm.is_active]

    def live(self) -> list[Alarm]:
        """Every alarm somebody still has to look at, in order of their numbers."""
        return sorted(self._by_row.values(), key=lambda alarm: alarm.id)

    def get(self, alarm_id: int) -> Alarm:
        """A live alarm.

        Raises:
            AlarmError: no live alarm has this number.
        """
        if alarm_id not in self._row_of_id:
            raise AlarmError(f"no live alarm has number {alarm_id}", mend="read the list again", code="alarm.unknown",
                             fill={"number": alarm_id})
        return self._by_row[self._row_of_id[alarm_id]]

    def row(self, alarm: Alarm) -> int:
        """The rule row of an alarm."""
        return self._row[alarm.key]

    def take(self, events: RuleEvents) -> list[AlarmEvent]:
        """Transitions from conditions that came and went, each kept."""
        return [self._condition(int(rule), bool(on), float(time), float(value)) for rule, on, time, value in
                zip(events.rule, events.on, events.time, events.value, strict=True)]

    def acknowledge(self, alarm_id: int, who: str, now: float) -> AlarmEvent:
        """A person takes note. Raises AlarmError as `on_acknowledge`."""
        alarm = on_acknowledge(self.get(alarm_id), who=who, time=now)
        return self._moved(alarm, "acknowledged", now, who)

    def shelve(self, alarm_id: int, who: str, mins: float, reason: str, now: float) -> AlarmEvent:
        """A person puts it aside. Raises AlarmError as `on_shelve`."""
        alarm = on_shelve(self.get(alarm_id), who=who, until=now + mins * 60, reason=reason, time=now)
        return self._moved(alarm, "shelved", now, who)

    def expire(self, now: float) -> list[AlarmEvent]:
        """Shelves whose time is over."""
        over = [alarm for alarm in self.live() if alarm.shelved_until is not None and alarm.shelved_until <= now]
        return [self._moved(on_shelf_end(alarm, time=now), "unshelved", now, "") for alarm in over]

    def _condition(self, row: int, is_on: bool, time: float, value: float) -> AlarmEvent:
        alarm = self._by_row.get(row)
        if alarm is None:
            alarm = Alarm(id=self._next_id, key=self._keys[row], state="cleared", is_active=False, raised=time,
                          changed=time, value=value)
            self._next_id += 1
        alarm = on_condition(alarm, is_on=is_on, time=time, value=value)
        return self._moved(alarm, "raised" if is_on else "returned", time, "")

    def _moved(self, alarm: Alarm, what: What, time: float, who: str) -> AlarmEvent:
        row = self._row[alarm.key]
        if alarm.is_live:
            self._put(row, alarm)
        else:
            self._by_row.pop(row, None)
            self._row_of_id.pop(alarm.id, None)
        return AlarmEvent(what=what, alarm=alarm, time=time, who=who)

    def _put(self, row: int, alarm: Alarm) -> None:
        self._by_row[row] = alarm
        self._row_of_id[alarm.id] = row
