"""Incidents with their linkages and plans, and people sent."""

from __future__ import annotations

import msgspec

from twin.wire.message import Message


class LinkageTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One device a linkage step addresses. `metres` is the walking distance from the incident; None: no way known."""

    device: str
    name: str
    name_zh: str
    metres: float | None
    #: waiting | sent | acknowledged | confirmed | failed | expired | shown
    state: str = "waiting"
    command: str = ""
    note: str = ""


class LinkageStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a linkage and how far it is; `none`: nothing of the kind at the place."""

    key: str
    name: str
    name_zh: str
    #: waiting | sent | acknowledged | confirmed | failed | expired | shown | none
    state: str
    limit_secs: float
    started_ms: float | None = None
    ended_ms: float | None = None
    targets: list[LinkageTarget] = []


class LinkageRun(msgspec.Struct, frozen=True, kw_only=True):
    """One linkage of one incident: asked (waits for a commander) | running | done | failed.

    With dangerous steps an asked one takes two people: `asked_by` gave the first word, the second comes before
    `approve_before_ms`.
    """

    linkage: str
    name: str
    name_zh: str
    state: str
    by: str
    started_ms: float
    ended_ms: float | None = None
    steps: list[LinkageStep] = []
    needs_two: bool = False
    asked_by: str = ""
    approve_before_ms: float | None = None


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan; overdue when `limit_mins` after the plan's start it is not done."""

    key: str
    what: str
    what_zh: str
    role: str
    role_zh: str
    limit_mins: float
    linked: str = ""        # the linkage step that ticks it when confirmed
    done_ms: float | None = None
    done_by: str = ""
    note: str = ""


class PlanRun(msgspec.Struct, frozen=True, kw_only=True):
    """A plan started for an incident."""

    plan: str
    name: str
    name_zh: str
    owner: str
    owner_zh: str
    by: str
    started_ms: float
    steps: list[PlanStep] = []


class IncidentView(Message, frozen=True, kw_only=True, tag="incident"):
    """One incident as it stands; sent at every change."""

    id: int
    title: str
    title_zh: str
    priority: int
    state: str              # open | closed
    opened_ms: float
    closed_ms: float | None
    alarms: list[int]
    node: int
    device: str
    place: str
    place_zh: str
    plan: PlanRun | None = None
    linkage: LinkageRun | None = None
    by: str = ""            # who declared it; empty: an alarm
    closed_by: str = ""
    note: str = ""
    joined_ms: float = 0.0  # when the last alarm joined
    plans: list[str] = msgspec.field(default_factory=list)  # plans that suit it, best first
    rule: str = ""          # kind.alarm of the alarm that opened it


class DispatchView(Message, frozen=True, kw_only=True, tag="dispatch"):
    """A person sent to a place: requested | sent | accepted | arrived | refused | expired | released."""

    id: str
    incident: int           # 0: of none
    track: int
    person: str
    name: str
    name_zh: str
    role: str
    node: int
    place: str
    place_zh: str
    reason: str
    by: str
    state: str
    metres: float
    route: list[tuple[float, float, float]]   # park metres, where the person was → the place
    steps: list[tuple[str, float, str]]       # (state, time ms, note)
    expires_ms: float
