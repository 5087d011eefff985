"""Alarms, floods of them, and rules put aside."""

from __future__ import annotations

import msgspec

from twin.wire.message import Message


class AlarmView(Message, frozen=True, kw_only=True, tag="alarm"):
    """One alarm as it stands now; sent at every transition, never coalesced."""

    id: int
    key: str
    device: str
    node: int
    priority: int           # 1..4
    #: ISA-18.2: unacknowledged | acknowledged | returned | latched_unacked | latched_acked | cleared, or aside: shelved |
    #: suppressed (by design) | out_of_service
    state: str
    title: str
    title_zh: str
    place: str
    place_zh: str
    point: str
    value: float | None
    limit: float | None
    unit: str
    raised_ms: float
    changed_ms: float
    acked_by: str | None
    owner: str
    steps: list[str]
    steps_zh: list[str]
    deadline_mins: float
    owner_zh: str = ""
    is_active: bool = True  # whether the condition holds
    aside_by: str = ""      # who put it aside, until when (None: until somebody puts it back) and why
    aside_until_ms: float | None = None
    aside_reason: str = ""


class AlarmGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Live alarms told as one: `cause` (an alarm's id) explains the others; 0: one sort in one place, or the least urgent."""

    key: str
    cause: int
    title: str
    title_zh: str
    place: str
    place_zh: str
    node: int
    priority: int           # the most urgent among them
    count: int
    waiting: int            # for a person's word
    first_ms: float
    last_ms: float
    alarms: list[int]       # the cause first, then those that wait, then the rest, each as they came; the first 2,000


class AlarmGroups(Message, frozen=True, kw_only=True, tag="floods"):
    """Every flood among the live alarms, and those in none; sent when it changes, at most once a second."""

    groups: list[AlarmGroup]
    alone: list[int]        # alarms that are in no flood
    upto: int               # the last alarm that was looked at


class AsideView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule a person put aside (shelved | out_of_service), whether its alarm is on or not."""

    key: str
    device: str
    node: int
    kind: str
    priority: int
    title: str
    title_zh: str
    place: str
    place_zh: str
    who: str
    reason: str
    since_ms: float
    until_ms: float | None  # None: until somebody puts it back
    is_over: bool = False
