"""The core of a server that follows another: it evaluates everything, writes nothing, and shows what is on record.

What its own rules meet meanwhile is kept. When it takes over, what the former writer put on record holds, and what its own
rules met after that is made good in order: an alarm of the gap is raised once, with the time the field gave it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from twin.commands import Command
from twin.live.alarms import Alarm, Suppression
from twin.live.state import RuleEvents
from twin.wire import DispatchView, IncidentView, TrailEntry

MOST_HEARD = 50_000
#: both servers give an event the time of its reading; what silence brings differs by a tick
SAME_SECS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What another server put on record, for one that follows. `suppressions`: all there are, or None: as they were."""

    alarms: tuple[Alarm, ...] = ()
    suppressions: tuple[Suppression, ...] | None = None
    commands: tuple[Command, ...] = ()
    incidents: tuple[IncidentView, ...] = ()
    dispatches: tuple[DispatchView, ...] = ()
    trail: tuple[TrailEntry, ...] = ()


@dataclass(slots=True)
class Heard:
    """Conditions that a core which follows met, newest last."""

    events: deque[tuple[int, bool, float, float]] = field(default_factory=lambda: deque(maxlen=MOST_HEARD))

    def put(self, events: RuleEvents) -> None:
        """Keep some."""
        self.events.extend(zip(events.rule.tolist(), events.on.tolist(), events.time.tolist(), events.value.tolist(),
                               strict=True))

    @property
    def since(self) -> float:
        """Time of the oldest (s); endless when there is none."""
        return min((time for _, _, time, _ in self.events), default=float("inf"))

    def after(self, written: dict[int, float]) -> RuleEvents:
        """Those later than what is on record: `written` is rule row → time (s) of its last condition there."""
        late = [one for one in self.events if one[2] > written.get(one[0], -float("inf")) + SAME_SECS]
        rule, on, time, value = zip(*late, strict=True) if late else ((), (), (), ())
        return RuleEvents(np.array(rule, np.int64), np.array(on, np.bool_), np.array(time, np.float64),
                          np.array(value, np.float64))
