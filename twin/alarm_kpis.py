"""How the alarms of a stretch of time load those who answer them, after EEMUA 191 and ISA-18.2. Pure: steps in, figures out.

Counted are annunciations: an alarm that calls somebody (again); silent ones (shelved, suppressed, out of service) are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKET_SECS = 600.0
#: EEMUA 191: on average no more than one alarm in ten minutes an operator; more than ten is a flood.
AVERAGE_TARGET, FLOOD_LIMIT = 1.0, 10
STALE_SECS = 86_400.0
CHATTER_COUNT, CHATTER_SECS = 3, 60.0
TOP = 10
CALLS = frozenset(("raised", "unshelved", "unsuppressed", "in_service"))


@dataclass(frozen=True, slots=True)
class Step:
    """One transition on record: when (s), of which alarm and rule, what, the state after it, who."""

    time: float
    alarm: int
    key: str
    what: str
    state: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one person did: alarms acknowledged, the median seconds each had waited, and put aside."""

    who: str
    acknowledged: int
    median_secs: float | None
    aside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmKpis:
    """The figures of `from_s` to `to_s`: rates per ten minutes, shares 0 to 1, `by_priority` the annunciations of 1 to 4."""

    from_s: float
    to_s: float
    count: int
    average: float
    average_each: float
    peak: int
    flood_share: float
    operators: int
    by_priority: tuple[int, int, int, int]
    top: tuple[tuple[str, int], ...]
    top_share: float
    chattering: tuple[tuple[str, int], ...]
    people: tuple[Person, ...]
    median_ack_secs: float | None
    never_acked: int


def alarm_kpis(steps: Sequence[Step], priority: Callable[[str], int], from_s: float, to_s: float,
               operators: int) -> AlarmKpis:
    """The figures of a stretch of time.

    Args:
        steps: transitions within it, oldest first.
        priority: rule key → 1..4.
        operators: how many share the load (at least one).
    """
    calls = [step for step in steps if step.what in CALLS and step.state == "unacknowledged"]
    times = np.array([step.time for step in calls])
    keys, number = np.unique([step.key for step in calls] or np.zeros(0, np.str_), return_inverse=True)
    counts = np.bincount(number, minlength=len(keys)) if len(calls) else np.zeros(0, np.int64)
    first, last = int(from_s // BUCKET_SECS), int(np.ceil(to_s / BUCKET_SECS))
    bucket = np.floor(times / BUCKET_SECS).astype(np.int64) - first
    buckets = np.bincount(bucket, minlength=max(last - first, 1))
    spans = max((to_s - from_s) / BUCKET_SECS, 1e-9)
    level = [priority(str(key)) for key in keys]
    by_priority = tuple(int(sum(n for n, p in zip(counts, level, strict=True) if p == wanted)) for wanted in (1, 2, 3, 4))
    order = np.lexsort((keys, -counts))[:TOP]
    waits, never = _waits(steps)
    return AlarmKpis(
        from_s=from_s, to_s=to_s, count=len(calls), average=len(calls) / spans,
        average_each=len(calls) / spans / max(operators, 1), peak=int(buckets.max(initial=0)),
        flood_share=float((buckets > FLOOD_LIMIT).mean()), operators=max(operators, 1),
        by_priority=by_priority,  # type: ignore[arg-type]
        top=tuple((str(keys[k]), int(counts[k])) for k in order),
        top_share=float(counts[order].sum() / len(calls)) if calls else 0.0, chattering=_chattering(keys, number, times),
        people=_people(steps, waits), median_ack_secs=_median([secs for _, secs in waits]), never_acked=never)


def _chattering(keys: NDArray[np.str_], number: NDArray[np.int64], times: NDArray[np.float64]) -> tuple[tuple[str, int], ...]:
    """Rules that called three times within a minute, and how often that was so; the worst first."""
    found = []
    for k in range(len(keys)):
        own = np.sort(times[number == k])
        n = int((own[CHATTER_COUNT - 1:] - own[: len(own) - CHATTER_COUNT + 1] <= CHATTER_SECS).sum()) \
            if len(own) >= CHATTER_COUNT else 0
        if n:
            found.append((str(keys[k]), n))
    return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def _waits(steps: Sequence[Step]) -> tuple[list[tuple[str, float]], int]:
    """Who acknowledged and how long it had waited; and how many that called nobody had acknowledged by the end."""
    called: dict[int, float] = {}
    waits = []
    for step in steps:
        if step.what in CALLS and step.state == "unacknowledged":
            called.setdefault(step.alarm, step.time)
        elif step.what == "acknowledged":
            since = called.pop(step.alarm, None)
            if since is not None:
                waits.append((step.who, max(step.time - since, 0.0)))
        elif step.state in ("shelved", "suppressed", "out_of_service"):
            called.pop(step.alarm, None)
    return waits, len(called)


def _people(steps: Sequence[Step], waits: Sequence[tuple[str, float]]) -> tuple[Person, ...]:
    names = sorted({step.who for step in steps if step.who})
    return tuple(Person(
        who=name, acknowledged=sum(step.who == name and step.what == "acknowledged" for step in steps),
        median_secs=_median([secs for who, secs in waits if who == name]),
        aside=sum(step.who == name and step.what in ("shelved", "out_of_service") for step in steps)) for name in names)


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None
