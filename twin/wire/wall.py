"""What every window of the wall shows."""

from __future__ import annotations

import msgspec

from twin.wire.message import Message


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
