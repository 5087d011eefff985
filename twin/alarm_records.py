"""Alarms on disk: how each stands, every transition with who, when and why, and what people put aside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from twin.alarm_kpis import Step
from twin.live.alarms import Alarm, AlarmEvent, AsideEvent, Suppression
from twin.sql import BIG, META, upsert

ALARMS = sa.Table(
    "alarms", META, sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String, nullable=False), sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("is_active", sa.Boolean, nullable=False), sa.Column("raised", sa.Double, nullable=False, index=True),
    sa.Column("changed", sa.Double, nullable=False), sa.Column("value", sa.Double),
    sa.Column("acked_by", sa.String), sa.Column("shelved_by", sa.String), sa.Column("shelved_until", sa.Double),
    sa.Column("shelved_reason", sa.String, nullable=False))
ALARM_EVENTS = sa.Table(
    "alarm_events", META, sa.Column("seq", BIG, primary_key=True),
    sa.Column("alarm", BIG, nullable=False, index=True),
    sa.Column("what", sa.String(16), nullable=False), sa.Column("state", sa.String(16), nullable=False),
    sa.Column("time", sa.Double, nullable=False, index=True), sa.Column("who", sa.String, nullable=False),
    sa.Column("why", sa.String))
SUPPRESSIONS = sa.Table(
    "alarm_suppressions", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False), sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("who", sa.String, nullable=False), sa.Column("reason", sa.String, nullable=False),
    sa.Column("since", sa.Double, nullable=False), sa.Column("until", sa.Double),
    sa.Column("is_live", sa.Boolean, nullable=False, index=True))


def write_alarms(connection: sa.Connection, events: Iterable[AlarmEvent], asides: Sequence[AsideEvent]) -> None:
    """Transitions, the alarms after them, and suppressions that began or ended."""
    events = list(events)
    if events:
        connection.execute(ALARM_EVENTS.insert(), [
            {"alarm": e.alarm.id, "what": e.what, "state": e.alarm.state, "time": e.time, "who": e.who, "why": e.why}
            for e in events])
    upsert(connection, ALARMS, [_alarm_row(a) for a in {event.alarm.id: event.alarm for event in events}.values()])
    upsert(connection, SUPPRESSIONS, list({str(row["id"]): row for row in map(_suppression_row, asides)}.values()))


def read_alarms(connection: sa.Connection, where: sa.ColumnElement[bool], limit: int | None) -> list[Alarm]:
    """Alarms as they stand, newest first."""
    query = sa.select(ALARMS).where(where).order_by(ALARMS.c.id.desc()).limit(limit)
    return [_alarm(row._asdict()) for row in connection.execute(query)]


def read_suppressions(connection: sa.Connection) -> list[Suppression]:
    """What people put aside and nobody put back."""
    c = SUPPRESSIONS.c
    return [Suppression(key=row.key, kind=row.kind, who=row.who, reason=row.reason, since=row.since, until=row.until)
            for row in connection.execute(sa.select(SUPPRESSIONS).where(c.is_live.is_(True)).order_by(c.since, c.id.desc()))]


def read_steps(connection: sa.Connection, since: float, until: float) -> list[AlarmEvent]:
    """Transitions of a span (seconds since 1970 UTC), oldest first, each with the alarm as it was after it.

    What value a former transition had is not on record: NaN, but for the last one.
    """
    query = (sa.select(ALARMS, ALARM_EVENTS.c.what, ALARM_EVENTS.c.state.label("then"), ALARM_EVENTS.c.time,
                       ALARM_EVENTS.c.who, ALARM_EVENTS.c.why)
             .join(ALARMS, ALARMS.c.id == ALARM_EVENTS.c.alarm)
             .where(ALARM_EVENTS.c.time >= since, ALARM_EVENTS.c.time <= until).order_by(ALARM_EVENTS.c.seq))
    found, before = [], dict[int, Alarm]()
    for row in connection.execute(query):
        fields = row._asdict()
        what, then, time, who, why = (fields.pop(name) for name in ("what", "then", "time", "who", "why"))
        alarm = _alarm_then(_alarm(fields), before.get(fields["id"]), what, then, time, who)
        before[alarm.id] = alarm
        found.append(AlarmEvent(what=what, alarm=alarm, time=time, who=who, why=why or ""))
    return sorted(found, key=lambda event: event.time)


def read_kpi_steps(connection: sa.Connection, since: float, until: float) -> list[Step]:
    """Transitions of a span (seconds since 1970 UTC), oldest first, as the figures need them."""
    query = (sa.select(ALARM_EVENTS.c.time, ALARM_EVENTS.c.alarm, ALARMS.c.key, ALARM_EVENTS.c.what, ALARM_EVENTS.c.state,
                       ALARM_EVENTS.c.who).join(ALARMS, ALARMS.c.id == ALARM_EVENTS.c.alarm)
             .where(ALARM_EVENTS.c.time >= since, ALARM_EVENTS.c.time <= until)
             .order_by(ALARM_EVENTS.c.time, ALARM_EVENTS.c.seq))
    return [Step(*row) for row in connection.execute(query)]


def read_load(connection: sa.Connection, since: float, bucket_secs: float) -> dict[int, int]:
    """Alarms raised since, counted a bucket: bucket number (time // bucket_secs) → how many. Silent ones do not count."""
    query = sa.select(ALARM_EVENTS.c.time).where(ALARM_EVENTS.c.time >= since, ALARM_EVENTS.c.what == "raised",
                                                 ALARM_EVENTS.c.state == "unacknowledged")
    times = np.array([time for (time,) in connection.execute(query)])
    buckets, counts = np.unique(times // bucket_secs, return_counts=True)
    return {int(bucket): int(count) for bucket, count in zip(buckets, counts, strict=True)}


def _suppression_row(event: AsideEvent) -> dict[str, object]:
    held = event.suppression
    return {"id": f"{held.kind} {held.key}", "key": held.key, "kind": held.kind, "who": held.who, "reason": held.reason,
            "since": held.since, "until": held.until, "is_live": not event.is_over}


def _alarm_row(alarm: Alarm) -> dict[str, object]:
    return {"id": alarm.id, "key": alarm.key, "state": alarm.state, "is_active": alarm.is_active,
            "raised": alarm.raised, "changed": alarm.changed,
            "value": alarm.value if math.isfinite(alarm.value) else None,
            "acked_by": alarm.acked_by, "shelved_by": alarm.shelved_by,
            "shelved_until": alarm.shelved_until, "shelved_reason": alarm.shelved_reason}


def _alarm_then(last: Alarm, before: Alarm | None, what: str, then: Any, time: float, who: str) -> Alarm:
    """An alarm after a former transition, from the alarm of now and the one after the transition before."""
    is_last = then == last.state and time == last.changed
    is_active = {"raised": True, "returned": False}.get(what, before.is_active if before else then != "returned")
    acked_by = who if what == "acknowledged" else before.acked_by if before and then != "unacknowledged" else None
    return replace(last, state=then, is_active=is_active, changed=time, value=last.value if is_last else math.nan,
                   acked_by=acked_by)


def _alarm(row: dict[str, Any]) -> Alarm:
    return Alarm(**{**row, "value": math.nan if row["value"] is None else row["value"]})
