"""What travels on /live. Stated once here; `assets/viewer/src/wire.ts` is generated from it.

Text frames are JSON messages tagged by `t`; binary frames are columns behind a 24-byte header, little-endian:

    u16 magic 0x5054 · u8 version 1 · u8 kind · u32 n · u32 seq · u32 extra · f64 server_time_ms

    kind 1 values     value f64[n] · slot u32[n] · age_ms u32[n] · quality u8[n]
    kind 2 positions  xyz f32[3n] (park frame) · track u32[n] · heading_rad f32[n] · node u32[n] · flags u8[n]
    kind 3 overlay    value f32[n] · node u32[n]            (extra = channel number, see Channel)
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

MAGIC = 0x5054
VERSION = 1
HEADER_BYTES = 24


class FrameKind(IntEnum):
    """Binary frame kinds."""

    VALUES = 1
    POSITIONS = 2
    OVERLAY = 3


class Channel(IntEnum):
    """What an overlay paints on nodes (spaces, storeys, buildings)."""

    ENERGY = 1       # W/m², power density now
    TEMPERATURE = 2  # °C
    CO2 = 3          # ppm
    OCCUPANCY = 4    # people


class Quality(IntEnum):
    """How far a value can be trusted."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2
    STALE = 3
    NEVER = 4


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", omit_defaults=False):
    """Root of every JSON message."""


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """First message on a socket: who you are, what you are looking at."""

    park: str
    build: str
    user: str
    role: str
    demo: bool
    tick_ms: int
    server_time_ms: float
    slots: int


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
    alarms: list[int]       # the cause first, then as they came; the first 2,000


class AlarmGroups(Message, frozen=True, kw_only=True, tag="floods"):
    """Every flood among the live alarms; sent when it changes, at most once a second. What is in none stands alone."""

    groups: list[AlarmGroup]


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


class CommandView(Message, frozen=True, kw_only=True, tag="command"):
    """One command and every step of its life so far."""

    id: str
    device: str
    node: int
    key: str
    title: str
    title_zh: str
    args: dict[str, float | str]
    by: str
    #: requested | approved | sent | acknowledged | confirmed | failed | expired | unknown | refused
    state: str
    steps: list[tuple[str, float, str]]  # (state, time ms, note)
    expires_ms: float
    confirm: str | None     # the point whose telemetry proves it
    #: until when a second person may approve it; None where none is needed
    approve_before_ms: float | None = None
    second: str = ""        # who approved or refused it


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with what it is compared to. value None means: not known, show a dash."""

    key: str
    name: str
    name_zh: str
    unit: str
    value: float | None
    reference: float | None = None   # the same hour yesterday, or the target
    trend: list[float | None] = []   # last points, oldest first
    trend_reference: list[float | None] = []
    note: str = ""
    note_zh: str = ""
    stale: bool = False
    digits: int = 0


class Kpis(Message, frozen=True, kw_only=True, tag="kpis"):
    """The KPI cards of the park, and of buildings and storeys by node id."""

    node: str
    cards: list[Kpi]


class TrailEntry(Message, frozen=True, kw_only=True, tag="trail"):
    """One line of what was done, by whom."""

    id: int
    time_ms: float
    who: str
    what: str               # alarm.raised, alarm.acknowledged, command.sent, sign-in, drill.started, …
    subject: str
    node: int
    text: str
    text_zh: str


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
    plans: list[str] = []   # plans that suit it, best first
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


class WallStop(msgspec.Struct, frozen=True, kw_only=True):
    """One view of the wall's tour.

    `node` is the node or device flown to; `camera` the target x, y, z (park metres), distance (m), azimuth and polar (rad),
    empty for the place's own view; `channel` the overlay painted, 0 for none; `layers` those drawn over the model.
    """

    name: str
    node: str
    name_zh: str = ""
    seconds: float = 20.0
    camera: list[float] = []
    channel: int = 0
    layers: list[str] = msgspec.field(default_factory=lambda: ["people", "vehicles", "devices", "labels", "trees"])


class WallShot(msgspec.Struct, frozen=True, kw_only=True):
    """Where the camera was sent: a node's own view, or the six numbers of `WallStop.camera`.

    The flight there begins at `since_ms` by the server's clock and lasts `flight_ms`; every window works out its pose from
    these, so that all fly the same way at the same time.
    """

    node: str
    camera: list[float]
    since_ms: float
    flight_ms: float
    is_urgent: bool = False


class WallUrgent(msgspec.Struct, frozen=True, kw_only=True):
    """Something urgent on the wall: an alarm, or an incident that a person declared. `node`: the place flown to."""

    key: str
    node: str
    alarm: int              # 0: an incident without one
    incident: int           # 0: none yet
    priority: int
    title: str
    title_zh: str
    place: str
    place_zh: str
    state: str              # of the alarm; open | closed of an incident
    raised_ms: float
    by: str                 # who declared the incident
    over_ms: float = 0.0    # from then on the wall lets it go; 0: a person must


class WallView(Message, frozen=True, kw_only=True, tag="wall"):
    """What every window of the video wall shows now.

    `started_ms` is when the present stop began by the server's clock, `held_ms` how far it was when the tour stopped;
    `node` the place shown by hand; `urgent` what has taken the wall, `focus` the node of it the camera is at, and
    `resumes_ms` when the wall goes on by itself (0: a person must say so). `missing` are the stops whose node is gone,
    `skipped` those passed over on the way to the present one. `shots` are the camera's last ways, the last one the present.
    """

    mode: str               # tour | paused | manual | alarm
    stops: list[WallStop]
    at: int
    started_ms: float
    held_ms: float
    node: str
    urgent: list[WallUrgent]
    focus: str
    resumes_ms: float
    by: str
    missing: list[int]
    skipped: list[int]
    shots: list[WallShot]
    version: str            # of the viewer bundle: another one means the window must load again


class Link(Message, frozen=True, kw_only=True, tag="link"):
    """State of one connector: live | down, since when."""

    connector: str
    state: str
    since_ms: float
    text: str


class ReplayState(Message, frozen=True, kw_only=True, tag="replay"):
    """Where a replay stands. After `is_reset` everything is sent anew, as it was; `fault`: why it is not where asked."""

    at_ms: float
    is_playing: bool
    speed: float
    first_ms: float         # the range on record
    last_ms: float
    is_reset: bool = False
    hash: str = ""          # SHA-256 of everything as of `at_ms`; empty while playing
    fault: str = ""
    fault_zh: str = ""


class Clock(Message, frozen=True, kw_only=True, tag="clock"):
    """The answer to `ClockAsk`: the server's clock when it came; half the way there and back bounds the error."""

    asked: float
    server_time_ms: float


SERVER_MESSAGES = (Hello, AlarmView, AlarmGroups, CommandView, Kpis, TrailEntry, IncidentView, DispatchView, WallView, Link,
                   ReplayState, Clock)


class Look(Message, frozen=True, kw_only=True, tag="look"):
    """Client → server: the node (id) being looked at and the overlay channels wanted."""

    node: str
    channels: list[int] = []


class ClockAsk(Message, frozen=True, kw_only=True, tag="clock"):
    """Client → server on `/live`: what time is it? `asked` comes back as it was sent."""

    asked: float


class ReplayAsk(Message, frozen=True, kw_only=True, tag="replay"):
    """Client → server on `/live/replay`: seek, play or pause, change speed. None: as it is."""

    at_ms: float | None = None
    is_playing: bool | None = None
    speed: float | None = None
