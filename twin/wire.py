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
    state: str              # ISA-18.2: unacknowledged | acknowledged | returned | cleared | shelved
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
    what: str               # alarm.raised, alarm.acknowledged, command.sent, sign-in, incident.started, …
    subject: str
    node: int
    text: str
    text_zh: str


class Link(Message, frozen=True, kw_only=True, tag="link"):
    """State of one connector: live | down, since when."""

    connector: str
    state: str
    since_ms: float
    text: str


SERVER_MESSAGES = (Hello, AlarmView, CommandView, Kpis, TrailEntry, Link)


class Look(Message, frozen=True, kw_only=True, tag="look"):
    """Client → server: the node (id) being looked at and the overlay channels wanted."""

    node: str
    channels: list[int] = []
