"""What travels on /live. Stated once here; `assets/viewer/src/wire.ts` is generated from it.

Text frames are JSON messages tagged by `t`; binary frames are columns behind a 24-byte header, little-endian:

    u16 magic 0x5054 · u8 version 1 · u8 kind · u32 n · u32 seq · u32 extra · f64 server_time_ms

    kind 1 values     value f64[n] · slot u32[n] · age_ms u32[n] · quality u8[n]
    kind 2 positions  xyz f32[3n] (park frame) · track u32[n] · heading_rad f32[n] · node u32[n] · flags u8[n] (bit 0 lost,
                     bits 1–7 one standard deviation of the place in quarters of a metre)
    kind 3 overlay    value f32[n] · node u32[n]            (extra = channel number, see Channel)
"""

from __future__ import annotations

from twin.wire.alarms import AlarmGroup, AlarmGroups, AlarmView, AsideView
from twin.wire.commands import CommandView, TrailEntry
from twin.wire.frame import HEADER_BYTES, MAGIC, VERSION, Channel, FrameKind, Quality
from twin.wire.incidents import DispatchView, IncidentView, LinkageRun, LinkageStep, LinkageTarget, PlanRun, PlanStep
from twin.wire.kpis import Kpi, Kpis
from twin.wire.message import Message
from twin.wire.session import Clock, ClockAsk, Hello, Link, Look, ReplayAsk, ReplayState, Servers, Texts
from twin.wire.wall import WallShot, WallStop, WallUrgent, WallView

SERVER_MESSAGES = (Hello, AlarmView, AlarmGroups, CommandView, Kpis, TrailEntry, IncidentView, DispatchView, WallView, Link,
                   ReplayState, Texts, Clock, Servers)

__all__ = [
    "HEADER_BYTES",
    "MAGIC",
    "SERVER_MESSAGES",
    "VERSION",
    "AlarmGroup",
    "AlarmGroups",
    "AlarmView",
    "AsideView",
    "Channel",
    "Clock",
    "ClockAsk",
    "CommandView",
    "DispatchView",
    "FrameKind",
    "Hello",
    "IncidentView",
    "Kpi",
    "Kpis",
    "Link",
    "LinkageRun",
    "LinkageStep",
    "LinkageTarget",
    "Look",
    "Message",
    "PlanRun",
    "PlanStep",
    "Quality",
    "ReplayAsk",
    "ReplayState",
    "Servers",
    "Texts",
    "TrailEntry",
    "WallShot",
    "WallStop",
    "WallUrgent",
    "WallView",
]
