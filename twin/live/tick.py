"""What a tick of the live core gives out: to browsers, connectors and history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.ports import CommandOrder, DispatchOrder, Positions, Readings, Shown
from twin.wire import AlarmGroups, AlarmView, CommandView, DispatchView, IncidentView, Link, TrailEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What happened since the last tick. `slots` and `tracks` changed; `readings`, and `positions` as they came with where
    they were shown, are for history.

    `orders` and `sendings` (of people) are to be sent now: they are on record as sent. Alarms, commands, trail and links
    are complete, in order.
    """

    time: float
    seq: int
    slots: NDArray[np.int64]
    tracks: NDArray[np.int64]
    readings: Readings
    positions: Positions
    shown: Shown
    alarms: tuple[AlarmView, ...]
    commands: tuple[CommandView, ...]
    trail: tuple[TrailEntry, ...]
    links: tuple[Link, ...]
    orders: tuple[CommandOrder, ...]
    incidents: tuple[IncidentView, ...] = ()
    dispatches: tuple[DispatchView, ...] = ()
    sendings: tuple[DispatchOrder, ...] = ()
    floods: AlarmGroups | None = None
