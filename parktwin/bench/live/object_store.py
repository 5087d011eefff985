"""The peer of the live core's columns: one Python object a point, as most open servers keep them."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.live.rules import HIGH, LOW, RuleTable
from twin.ports import Readings
from twin.registry import PointTable


@dataclass(slots=True)
class Limit:
    """One alarm limit with hysteresis and delays."""

    high: bool
    limit: float
    hysteresis: float
    on_delay: float
    off_delay: float
    is_on: bool = False
    since: float | None = None


@dataclass(slots=True)
class Point:
    """The last value of a point and the limits on it."""

    deadband: float
    value: float = 0.0
    quality: int = 4
    time: float = 0.0
    received: float = 0.0
    changed: int = 0
    limits: list[Limit] = field(default_factory=list)

    def take(self, value: float, quality: int, time: float, now: float, seq: int) -> int:
        """One reading; gives how many alarms came or went."""
        if time < self.time or time > now + 300.0 or value != value:
            return 0
        self.received = now
        is_same = abs(value - self.value) <= self.deadband and quality == self.quality
        self.time = time
        if is_same:
            return 0
        self.value, self.quality, self.changed = value, quality, seq
        events = 0
        for limit in self.limits:
            edge = limit.limit - limit.hysteresis if limit.high == limit.is_on else limit.limit
            wants = value > edge if limit.high else value < edge
            if wants == limit.is_on:
                limit.since = None
                continue
            limit.since = time if limit.since is None else limit.since
            if time - limit.since >= (limit.off_delay if limit.is_on else limit.on_delay):
                limit.is_on, limit.since = wants, None
                events += 1
        return events


def points_of(table: PointTable, rules: RuleTable) -> list[Point]:
    """An object a point, with the high and low limits the rules put on it (stale, rate and state rules are left out)."""
    points = [Point(deadband=float(band)) for band in table.deadband]
    for row in range(len(rules)):
        slot = int(rules.slot[row])
        if rules.kind[row] in (HIGH, LOW) and slot < len(points):
            points[slot].limits.append(Limit(
                high=bool(rules.kind[row] == HIGH), limit=float(rules.limit[row]), hysteresis=float(rules.hysteresis[row]),
                on_delay=float(rules.on_delay[row]), off_delay=float(rules.off_delay[row])))
    return points


def apply(points: list[Point], batch: Readings, now: float, seq: int) -> int:
    """A batch in order; gives how many alarms came or went."""
    events = 0
    for slot, value, quality, time in zip(batch.slot.tolist(), batch.value.tolist(), batch.quality.tolist(),
                                          batch.source_time.tolist(), strict=True):
        events += points[slot].take(value, quality, time, now, seq)
    return events
