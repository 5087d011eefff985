"""A socket and its clock: greeting, links to the field, replay, and what a client asks."""

from __future__ import annotations

import msgspec

from twin.wire.message import Message


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


class Link(Message, frozen=True, kw_only=True, tag="link"):
    """State of one connector: live | down, since when."""

    connector: str
    state: str
    since_ms: float
    text: str


class Servers(Message, frozen=True, kw_only=True, tag="servers"):
    """The servers of this park where there are several: which one this is, which one writes ("" while none does)."""

    here: str
    writer: str
    servers: list[str]


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


class Texts(Message, frozen=True, kw_only=True, tag="texts"):
    """What text points say, by the number their value is on the wire; sent before the first frame that has it."""

    codes: list[int]
    texts: list[str]


class Clock(Message, frozen=True, kw_only=True, tag="clock"):
    """The answer to `ClockAsk`: the server's clock when it came; half the way there and back bounds the error."""

    asked: float
    server_time_ms: float


class Look(Message, frozen=True, kw_only=True, tag="look"):
    """Client → server: the node (id) being looked at and the overlay channels wanted."""

    node: str
    channels: list[int] = msgspec.field(default_factory=list)


class ClockAsk(Message, frozen=True, kw_only=True, tag="clock"):
    """Client → server on `/live`: what time is it? `asked` comes back as it was sent."""

    asked: float


class ReplayAsk(Message, frozen=True, kw_only=True, tag="replay"):
    """Client → server on `/live/replay`: seek, play or pause, change speed. None: as it is."""

    at_ms: float | None = None
    is_playing: bool | None = None
    speed: float | None = None
