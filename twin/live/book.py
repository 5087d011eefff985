"""The alarm book: every live alarm by rule row, what is put aside, and the numbers alarms get."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.live.alarms import (
    AWAY,
    BACK,
    Alarm,
    AlarmError,
    AlarmEvent,
    Aside,
    AsideEvent,
    Suppression,
    What,
    check_reason,
    check_shelf,
    on_acknowledge,
    on_aside,
    on_back,
    on_condition,
    on_reset,
)
from twin.live.rules import RuleTable
from twin.live.state import RuleEvents

Held = Literal["shelved", "out_of_service"]
#: Which of several suppressions an alarm shows: the one hardest to undo.
STRENGTH: tuple[Held, ...] = ("out_of_service", "shelved")


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
        self._held: dict[int, dict[Held, Suppression]] = {}
        self._designed: NDArray[np.bool_] = np.zeros(len(rules), np.bool_)

    def add(self, key: str) -> int:
        """The row of a key that is no rule of a point (a fence and a track); rows of their own follow the rules'."""
        if key not in self._row:
            self._row[key] = len(self._keys)
            self._keys.append(key)
        return self._row[key]

    def restore(self, alarms: Iterable[Alarm], prefix: str | tuple[str, ...] = "\0",
                suppressions: Iterable[Suppression] = ()) -> list[int]:
        """Take back the live alarms of a former run; gives the rule rows that were active, gone rules left out.

        Keys that begin with `prefix` get rows of their own.
        """
        for held in suppressions:
            if held.key.startswith(prefix):
                self.add(held.key)
            if held.key in self._row:
                self._held.setdefault(self._row[held.key], {})[held.kind] = held
        for alarm in alarms:
            if alarm.key.startswith(prefix):
                self.add(alarm.key)
            if alarm.key in self._row and alarm.is_live:
                self._put(self._row[alarm.key], alarm)
                self._next_id = max(self._next_id, alarm.id + 1)
                self._hold_again(self._row[alarm.key], alarm)
        return [row for row, alarm in self._by_row.items() if alarm.is_active]

    def forget(self, first_id: int) -> None:
        """Let go of every alarm and suppression; the next alarm gets this number. Rows of their own stay."""
        self._by_row, self._row_of_id, self._held, self._next_id = {}, {}, {}, first_id
        self._designed = np.zeros(len(self.rules), np.bool_)

    def mirror(self, alarm: Alarm, prefix: str | tuple[str, ...]) -> bool:
        """Take an alarm as another server put it on record; whether there is such a rule here."""
        if alarm.key.startswith(prefix):
            self.add(alarm.key)
        if alarm.key not in self._row:
            return False
        self._moved(alarm, "raised", alarm.changed, "")
        return True

    def mirror_held(self, suppressions: Iterable[Suppression], prefix: str | tuple[str, ...]) -> None:
        """Take what people put aside as another server has it on record: all there is."""
        self._held = {}
        for held in suppressions:
            if held.key.startswith(prefix):
                self.add(held.key)
            if held.key in self._row:
                self._held.setdefault(self._row[held.key], {})[held.kind] = held

    def mirror_designed(self, flags: NDArray[np.bool_]) -> None:
        """Which rule rows are suppressed by design; the alarms among them come from the record."""
        self._designed = flags.copy()

    def news(self, events: RuleEvents) -> RuleEvents:
        """Those events that tell of a condition the live alarms do not have yet, each once."""
        keep, now = [], {row: alarm.is_active for row, alarm in self._by_row.items()}
        for row, on in zip(events.rule.tolist(), events.on.tolist(), strict=True):
            keep.append(now.get(row, False) != on)
            now[row] = on
        mask = np.array(keep, np.bool_)
        return RuleEvents(events.rule[mask], events.on[mask], events.time[mask], events.value[mask])

    def row_of_key(self, key: str) -> int | None:
        """The row of a rule; None when it is unknown."""
        return self._row.get(key)

    def live(self) -> list[Alarm]:
        """Every alarm somebody still has to look at, in order of their numbers."""
        return sorted(self._by_row.values(), key=lambda alarm: alarm.id)

    def held(self) -> list[Suppression]:
        """Everything people put aside, oldest first, whether its alarm is on or not."""
        return sorted((one for row in self._held.values() for one in row.values()), key=lambda one: one.since)

    def aside(self, key: str) -> tuple[Aside | None, Suppression | None]:
        """What holds a rule aside now; (None, None) when nothing does."""
        return self._aside(self._find(key))

    def designed(self) -> NDArray[np.int64]:
        """Rule rows that are suppressed by design now."""
        return np.flatnonzero(self._designed)

    def get(self, alarm_id: int) -> Alarm:
        """A live alarm.

        Raises:
            AlarmError: no live alarm has this number.
        """
        found = self.find(alarm_id)
        if found is None:
            raise AlarmError(f"no live alarm has number {alarm_id}", mend="read the list again", code="alarm.unknown",
                             fill={"number": alarm_id})
        return found

    def find(self, alarm_id: int) -> Alarm | None:
        """A live alarm by its number."""
        return self._by_row.get(self._row_of_id.get(alarm_id, -1))

    def of_key(self, key: str) -> Alarm | None:
        """The live alarm of a rule; None when it is quiet or unknown."""
        return self._by_row.get(self._row.get(key, -1))

    def row(self, alarm: Alarm) -> int:
        """The rule row of an alarm."""
        return self._row[alarm.key]

    def take(self, events: RuleEvents) -> list[AlarmEvent]:
        """Transitions from conditions that came and went, each kept."""
        return [self._condition(int(rule), bool(on), float(time), float(value)) for rule, on, time, value in
                zip(events.rule, events.on, events.time, events.value, strict=True)]

    def acknowledge(self, alarm_id: int, who: str, now: float) -> AlarmEvent:
        """A person takes note. Raises AlarmError as `on_acknowledge`."""
        return self._moved(on_acknowledge(self.get(alarm_id), who=who, time=now), "acknowledged", now, who)

    def reset(self, alarm_id: int, who: str, now: float) -> AlarmEvent:
        """A person lets a latched alarm go. Raises AlarmError as `on_reset`."""
        return self._moved(on_reset(self.get(alarm_id), time=now), "reset", now, who)

    def shelve(self, key: str, who: str, mins: float, reason: str, now: float) -> tuple[list[AlarmEvent], AsideEvent]:
        """A person puts a rule aside for a while, whether its alarm is on or not. Raises AlarmError as `check_shelf`."""
        check_shelf(mins, reason)
        return self._put_aside(Suppression(key=key, kind="shelved", who=who, reason=reason, since=now,
                                           until=now + mins * 60))

    def take_out(self, key: str, who: str, reason: str, now: float) -> tuple[list[AlarmEvent], AsideEvent]:
        """A person takes a rule out of service until it is put back. Raises AlarmError without a reason."""
        check_reason(reason)
        return self._put_aside(Suppression(key=key, kind="out_of_service", who=who, reason=reason, since=now))

    def put_back(self, key: str, kind: Held, who: str, why: str, now: float) -> tuple[list[AlarmEvent], AsideEvent]:
        """A shelf ends early, or a rule goes back into service.

        Raises:
            AlarmError: the rule is unknown or not aside in this way; or it goes back into service without a reason.
        """
        row = self._find(key)
        if kind == "out_of_service":
            check_reason(why)
        if kind not in self._held.get(row, {}):
            raise AlarmError(f"'{key}' is not {kind}", mend="read the list again", code="alarm.not_aside",
                             fill={"key": key})
        return self._end(row, kind, who, why, now)

    def design(self, flags: NDArray[np.bool_], now: float) -> list[AlarmEvent]:
        """Which rule rows are suppressed by design now; transitions of the live alarms among those that changed."""
        changed = np.flatnonzero(flags != self._designed)
        self._designed = flags.copy()
        return [event for row in changed.tolist() for event in self._settle(row, now, "", "")]

    def expire(self, now: float) -> list[tuple[list[AlarmEvent], AsideEvent]]:
        """Shelves whose time is over."""
        over = [row for row, held in self._held.items() if (shelf := held.get("shelved")) is not None
                and shelf.until is not None and shelf.until <= now]
        return [self._end(row, "shelved", "", "", now) for row in sorted(over)]

    # ---- inside -------------------------------------------------------------------------------------------------
    def _find(self, key: str) -> int:
        if key not in self._row:
            raise AlarmError(f"there is no alarm rule '{key}'", mend="name it <device>.<rule>", code="alarm.no_rule",
                             fill={"key": key})
        return self._row[key]

    def _hold_again(self, row: int, alarm: Alarm) -> None:
        """After a restart: a shelf written before suppressions had a table, and what was suppressed by design."""
        if alarm.state == "shelved" and "shelved" not in self._held.get(row, {}) and alarm.shelved_until is not None:
            self._held.setdefault(row, {})["shelved"] = Suppression(
                key=alarm.key, kind="shelved", who=alarm.shelved_by or "", reason=alarm.shelved_reason,
                since=alarm.changed, until=alarm.shelved_until)
        if alarm.state == "suppressed" and row < len(self._designed):
            self._designed[row] = True

    def _aside(self, row: int) -> tuple[Aside | None, Suppression | None]:
        held = self._held.get(row)
        if held:
            kind = next(kind for kind in STRENGTH if kind in held)
            return kind, held[kind]
        is_designed = row < len(self._designed) and self._designed[row]
        return ("suppressed" if is_designed else None), None

    def _latches(self, row: int) -> bool:
        return row < len(self.rules) and self.rules.specs[row].latch

    def _put_aside(self, held: Suppression) -> tuple[list[AlarmEvent], AsideEvent]:
        row = self._find(held.key)
        self._held.setdefault(row, {})[held.kind] = held
        moved = self._settle(row, held.since, held.who, held.reason)
        return moved, AsideEvent(what=AWAY[held.kind], suppression=held, time=held.since, who=held.who, why=held.reason,
                                 is_told=any(event.what == AWAY[held.kind] for event in moved))

    def _end(self, row: int, kind: Held, who: str, why: str, now: float) -> tuple[list[AlarmEvent], AsideEvent]:
        held = self._held[row].pop(kind)
        if not self._held[row]:
            del self._held[row]
        moved = self._settle(row, now, who, why)
        return moved, AsideEvent(what=BACK[kind], suppression=held, time=now, who=who, why=why,
                                 is_told=any(event.what == BACK[kind] for event in moved))

    def _settle(self, row: int, now: float, who: str, why: str) -> list[AlarmEvent]:
        """A row's live alarm as what holds it aside now says; nothing when it is quiet or stays as it is."""
        alarm = self._by_row.get(row)
        if alarm is None:
            return []
        kind, held = self._aside(row)
        if kind is None:
            if not alarm.is_aside:
                return []
            what = BACK[alarm.state]  # type: ignore[index]
            return [self._moved(on_back(alarm, time=now, latches=self._latches(row)), what, now, who, why)]
        after = on_aside(alarm, kind, held, time=now)
        if (after.state, after.shelved_by, after.shelved_until, after.shelved_reason) == (
                alarm.state, alarm.shelved_by, alarm.shelved_until, alarm.shelved_reason):
            return []
        return [self._moved(after, AWAY[kind], now, who, why)]

    def _condition(self, row: int, is_on: bool, time: float, value: float) -> AlarmEvent:
        alarm = self._by_row.get(row)
        if alarm is None:
            alarm = Alarm(id=self._next_id, key=self._keys[row], state="cleared", is_active=False, raised=time,
                          changed=time, value=value)
            self._next_id += 1
            kind, held = self._aside(row)
            if is_on and kind is not None:
                alarm = on_aside(alarm, kind, held, time=time)
        alarm = on_condition(alarm, is_on=is_on, time=time, value=value, latches=self._latches(row))
        return self._moved(alarm, "raised" if is_on else "returned", time, "")

    def _moved(self, alarm: Alarm, what: What, time: float, who: str, why: str = "") -> AlarmEvent:
        row = self._row[alarm.key]
        if alarm.is_live:
            self._put(row, alarm)
        else:
            self._by_row.pop(row, None)
            self._row_of_id.pop(alarm.id, None)
        return AlarmEvent(what=what, alarm=alarm, time=time, who=who, why=why)

    def _put(self, row: int, alarm: Alarm) -> None:
        self._by_row[row] = alarm
        self._row_of_id[alarm.id] = row
