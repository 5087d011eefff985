"""An alarm's life in ISA-18.2 / IEC 62682 states, as pure steps; `twin.live.book` keeps every alarm.

    (condition comes)  → unacknowledged → acknowledged → (condition goes) cleared
                         unacknowledged → (condition goes) returned → acknowledged by a person: cleared
    a latching rule    → (condition goes) latched_unacked or latched_acked; a person acknowledges, then resets: cleared
    any of them        → aside: shelved until an instant, suppressed by design, or out of service. An alarm that is aside
                         follows its condition in silence; when nothing holds it aside any more it is unacknowledged,
                         latched_unacked or cleared, as condition and rule say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from twin.errors import TwinError

Aside = Literal["shelved", "suppressed", "out_of_service"]
State = Literal["unacknowledged", "acknowledged", "returned", "latched_unacked", "latched_acked", "cleared", "shelved",
                "suppressed", "out_of_service"]
What = Literal["raised", "returned", "acknowledged", "reset", "shelved", "unshelved", "suppressed", "unsuppressed",
               "out_of_service", "in_service"]
LONGEST_SHELF_MINS = 24 * 60
#: The states nobody is called for.
ASIDE = frozenset(("shelved", "suppressed", "out_of_service"))
#: The states that wait for a person's word.
WAITING = frozenset(("unacknowledged", "returned", "latched_unacked"))
#: What it is called when an alarm is put aside, and when it comes back.
AWAY: dict[Aside, What] = {"shelved": "shelved", "suppressed": "suppressed", "out_of_service": "out_of_service"}
BACK: dict[Aside, What] = {"shelved": "unshelved", "suppressed": "unsuppressed", "out_of_service": "in_service"}


class AlarmError(TwinError):
    """An alarm cannot take this step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm as it stands. `key` is `<device>.<rule key>`; times are seconds since 1970 UTC.

    `shelved_by`, `shelved_until` and `shelved_reason` say who put it aside (shelved or out of service), until when (None:
    until somebody puts it back) and why.
    """

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

    @property
    def is_aside(self) -> bool:
        """Whether it is kept from calling anybody."""
        return self.state in ASIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A rule a person put aside, whether its alarm is on or not. A shelf always has an end, in seconds since 1970 UTC."""

    key: str
    kind: Literal["shelved", "out_of_service"]
    who: str
    reason: str
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvent:
    """One transition: the alarm after it, what happened, who did it (empty: the field, or the clock) and why."""

    what: What
    alarm: Alarm
    time: float
    who: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideEvent:
    """A suppression that began or ended. `is_told`: an alarm's transition tells the same."""

    what: What
    suppression: Suppression
    time: float
    who: str
    why: str
    is_told: bool

    @property
    def is_over(self) -> bool:
        """Whether it ended."""
        return self.what in ("unshelved", "in_service")


def on_condition(alarm: Alarm, *, is_on: bool, time: float, value: float, latches: bool = False) -> Alarm:
    """The alarm after its condition came or went."""
    if alarm.is_aside:
        return replace(alarm, is_active=is_on, changed=time, value=value)
    if is_on:
        is_known = alarm.state == "acknowledged"
        return replace(alarm, is_active=True, state="acknowledged" if is_known else "unacknowledged", changed=time,
                       value=value, acked_by=alarm.acked_by if is_known else None)
    return replace(alarm, is_active=False, state=_gone(alarm.state, latches), changed=time, value=value)


def _gone(state: State, latches: bool) -> State:
    if state == "unacknowledged":
        return "latched_unacked" if latches else "returned"
    if state == "acknowledged":
        return "latched_acked" if latches else "cleared"
    return state


def on_acknowledge(alarm: Alarm, *, who: str, time: float) -> Alarm:
    """The alarm after a person took note of it.

    Raises:
        AlarmError: there is nothing to acknowledge.
    """
    after: dict[State, State] = {"unacknowledged": "acknowledged", "returned": "cleared", "latched_unacked": "latched_acked"}
    if alarm.state not in after:
        raise AlarmError(f"alarm {alarm.id} is {alarm.state}", mend="acknowledge an alarm that waits for it",
                         code="alarm.not_waiting", fill={"state": alarm.state})
    return replace(alarm, state=after[alarm.state], acked_by=who, changed=time)


def on_reset(alarm: Alarm, *, time: float) -> Alarm:
    """A latched alarm after a person let it go.

    Raises:
        AlarmError: it is not latched, or not acknowledged yet.
    """
    if alarm.state != "latched_acked":
        raise AlarmError(f"alarm {alarm.id} is {alarm.state}",
                         mend="reset a latched alarm once its condition is gone and it is acknowledged",
                         code="alarm.not_latched", fill={"state": alarm.state})
    return replace(alarm, state="cleared", changed=time)


def check_shelf(mins: float, reason: str) -> None:
    """Nothing, when a shelf of this length for this reason may be.

    Raises:
        AlarmError: the reason is empty, or the time is not within a day ahead.
    """
    check_reason(reason)
    if not 0 < mins <= LONGEST_SHELF_MINS:
        raise AlarmError("an alarm is shelved for more than 0 and at most 1440 minutes", mend="give other 'mins'",
                         code="alarm.shelf_mins")


def check_reason(reason: str) -> None:
    """Nothing, when there is a reason. Raises AlarmError when it is empty."""
    if not reason.strip():
        raise AlarmError("an alarm is put aside or back for a reason", mend="say why in 'reason'", code="alarm.no_reason")


def on_aside(alarm: Alarm, kind: Aside, held: Suppression | None, *, time: float) -> Alarm:
    """The alarm put aside by a person (`held`), or by design (None)."""
    return replace(alarm, state=kind, changed=time, shelved_by=held.who if held else None,
                   shelved_until=held.until if held else None, shelved_reason=held.reason if held else "")


def on_back(alarm: Alarm, *, time: float, latches: bool = False) -> Alarm:
    """An alarm nothing holds aside any more, as its condition and rule now say."""
    state: State = "unacknowledged" if alarm.is_active else "latched_unacked" if latches else "cleared"
    return replace(alarm, state=state, changed=time, acked_by=None, shelved_by=None, shelved_until=None, shelved_reason="")
