"""What must never be lost: alarm transitions, commands and the trail, in SQLite (WAL, synchronous FULL) or PostgreSQL.

The trail is a chain: each row's hash covers its content and the hash before it, and a head row keeps count and last
hash, so an edit, a deletion, a reordering and a truncation are each found. With a `key` the hashes are HMACs, which a
person who can write the database but does not hold the key cannot make.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from twin.alarm_kpis import Step
from twin.alarm_records import ALARMS, read_alarms, read_kpi_steps, read_load, read_steps, read_suppressions, write_alarms
from twin.commands import Command
from twin.database import Database
from twin.live.alarms import Alarm, AlarmEvent, AsideEvent, Suppression
from twin.shared.changes import Change, write_changes
from twin.shared.lease import Lease, NotWriter
from twin.sql import BIG, META, upsert
from twin.wire import DispatchView, IncidentView, TrailEntry

T = TypeVar("T")
_CHAINING = 5007  # advisory lock: of two servers that add to the trail at once, one waits
DISPATCH_LIVE = frozenset({"requested", "sent", "accepted", "arrived"})
COMMANDS = sa.Table(
    "commands", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("idempotency_key", sa.String, nullable=False, unique=True),
    sa.Column("is_live", sa.Boolean, nullable=False, index=True),
    sa.Column("requested", sa.Double, nullable=False, index=True), sa.Column("body", sa.String, nullable=False))
INCIDENTS = sa.Table(
    "incidents", META, sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("is_open", sa.Boolean, nullable=False, index=True), sa.Column("opened", sa.Double, nullable=False, index=True),
    sa.Column("body", sa.String, nullable=False))
DISPATCHES = sa.Table(
    "dispatches", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("is_live", sa.Boolean, nullable=False, index=True),
    sa.Column("requested", sa.Double, nullable=False, index=True), sa.Column("body", sa.String, nullable=False))
TRAIL = sa.Table(
    "trail", META, sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Double, nullable=False, index=True), sa.Column("who", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False), sa.Column("subject", sa.String, nullable=False),
    sa.Column("node", sa.BigInteger, nullable=False), sa.Column("text", sa.String, nullable=False),
    sa.Column("text_zh", sa.String, nullable=False), sa.Column("hash", sa.String(64), nullable=False))
HEAD = sa.Table(
    "trail_head", META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("rows", BIG, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False), sa.Column("seal", sa.String(64), nullable=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line for the trail, before it has its number. `node` is a dense node index, 0 when none."""

    time: float
    who: str
    what: str
    subject: str
    node: int = 0
    text: str = ""
    text_zh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is written together or not at all."""

    alarms: Sequence[AlarmEvent] = ()
    asides: Sequence[AsideEvent] = ()
    commands: Sequence[Command] = ()
    notes: Sequence[Note] = ()
    incidents: Sequence[IncidentView] = ()
    dispatches: Sequence[DispatchView] = ()

    @property
    def is_notes_alone(self) -> bool:
        """Whether nothing but lines of the trail is in it, which every server may write."""
        return not (self.alarms or self.asides or self.commands or self.incidents or self.dispatches)

    @property
    def changes(self) -> list[Change]:
        """What other servers are told."""
        return [*(("alarm", str(e.alarm.id)) for e in self.alarms), *(("aside", "") for _ in self.asides[:1]),
                *(("command", c.id) for c in self.commands), *(("incident", str(i.id)) for i in self.incidents),
                *(("dispatch", d.id) for d in self.dispatches)]


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Where the trail was tampered with, and how it shows."""

    row: int
    what: str


@dataclass
class EventStore:
    """Alarm transitions, commands and trail. One writer; any number of readers of the same database.

    Args:
        database: where they are kept.
        key: secret for the trail's HMAC; empty: plain SHA-256.
        lease: who writes, where several servers share the database; None: this one does.
    """

    database: Database
    key: bytes = b""
    lease: Lease | None = None
    #: numbers of the trail's lines this server wrote last, as (first, last)
    own: deque[tuple[int, int]] = field(init=False, default_factory=lambda: deque(maxlen=1000))
    _unsure: tuple[Records, int, str] | None = field(init=False, default=None)

    @staticmethod
    def at(path: Path, key: bytes = b"") -> EventStore:
        """The SQLite store in a file (made with its folder when absent)."""
        return EventStore(Database.at(path), key)

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    def write(self, records: Records) -> list[TrailEntry]:
        """Everything in one durable transaction; gives the trail entries with their numbers.

        Raises:
            StoreDown: the database does not answer; nothing was written.
            NotWriter: another server writes now, and there is more than notes in it; nothing was written.
        """
        if self._unsure is not None:
            records = self._still_to_write(records)
        if self.lease is not None and self.lease.token is None and not records.is_notes_alone:
            raise NotWriter(self.lease.standing.writer)
        with self.database.begin() as connection:
            if self.lease is not None and not records.is_notes_alone:
                self.lease.check(connection)
            if records.notes:
                self._alone(connection)
            first, last = self._head(connection)
            count, rows, entries = first, [], []
            for count, note in enumerate(records.notes, first + 1):
                last = self._link(last, count, note)
                rows.append({"id": count, **_note_row(note), "hash": last})
                entries.append(_entry(count, note))
            self._unsure = records, count, last
            write_alarms(connection, records.alarms, records.asides)
            upsert(connection, COMMANDS, [_command_row(c) for c in {c.id: c for c in records.commands}.values()])
            upsert(connection, INCIDENTS, [_incident_row(i) for i in {i.id: i for i in records.incidents}.values()])
            upsert(connection, DISPATCHES, [_dispatch_row(d) for d in {d.id: d for d in records.dispatches}.values()])
            if rows:
                connection.execute(TRAIL.insert(), rows)
                upsert(connection, HEAD, [{"id": 1, "rows": count, "hash": last, "seal": self._seal(count, last)}])
            if self.lease is not None:
                write_changes(connection, records.changes, time.time(), self.lease.name)
        self._unsure = None
        if rows:
            self.own.append((first + 1, count))
        return entries

    def _alone(self, connection: sa.Connection) -> None:
        """Until this transaction ends no other adds to the trail, on whatever server."""
        if not self.database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAINING)))

    def _still_to_write(self, records: Records) -> Records:
        """The line died in the last write: if it was committed all the same, what it held is not written twice."""
        assert self._unsure is not None
        before, count, hashed = self._unsure
        with self.database.begin() as connection:
            self._alone(connection)  # PostgreSQL may not have ended it yet
            found = connection.scalar(sa.select(TRAIL.c.hash).where(TRAIL.c.id == count))
        self._unsure = None
        if not before.notes or found != hashed:
            return records
        self.own.append((count - len(before.notes) + 1, count))
        return replace(records, alarms=_without(records.alarms, before.alarms), notes=_without(records.notes, before.notes),
                       asides=_without(records.asides, before.asides))

    def open_incidents(self) -> list[IncidentView]:
        """Every incident not closed, oldest first."""
        return self.incidents_where(INCIDENTS.c.is_open.is_(True), None)[::-1]

    def recent_incidents(self, limit: int = 200) -> list[IncidentView]:
        """The incidents opened last, newest first, closed ones too."""
        return self.incidents_where(sa.true(), limit)

    def live_dispatches(self) -> list[DispatchView]:
        """Every dispatch under way or at its place."""
        return self.dispatches_where(DISPATCHES.c.is_live.is_(True), None)

    def recent_dispatches(self, limit: int = 200) -> list[DispatchView]:
        """The last dispatches, newest first."""
        return self.dispatches_where(sa.true(), limit)

    def incidents_between(self, start: float, end: float) -> list[IncidentView]:
        """Incidents opened in a span (seconds since 1970 UTC, start excluded), newest first."""
        return self.incidents_where((INCIDENTS.c.opened > start) & (INCIDENTS.c.opened <= end), None)

    def commands_between(self, start: float, end: float) -> list[Command]:
        """Commands requested in a span (seconds since 1970 UTC, start excluded), newest first."""
        return self.commands_where((COMMANDS.c.requested > start) & (COMMANDS.c.requested <= end), None)

    def dispatches_between(self, start: float, end: float) -> list[DispatchView]:
        """Dispatches asked for in a span (seconds since 1970 UTC, start excluded), newest first."""
        return self.dispatches_where((DISPATCHES.c.requested > start) & (DISPATCHES.c.requested <= end), None)

    def trail_between(self, start: float, end: float, limit: int = 2000, *, what: Sequence[str] = ()) -> list[TrailEntry]:
        """Trail lines of a span (seconds since 1970 UTC), oldest first; of some kinds only when `what` names them."""
        query = sa.select(TRAIL).where(TRAIL.c.time >= start, TRAIL.c.time <= end).order_by(TRAIL.c.id).limit(limit)
        query = query.where(TRAIL.c.what.in_(what)) if what else query
        with self.database.begin() as connection:
            return [_entry(row.id, _note_of(row)) for row in connection.execute(query)]

    def trail_after(self, line: int, limit: int = 5000) -> list[TrailEntry]:
        """Trail lines after a number, oldest first."""
        query = sa.select(TRAIL).where(TRAIL.c.id > line).order_by(TRAIL.c.id).limit(limit)
        with self.database.begin() as connection:
            return [_entry(row.id, _note_of(row)) for row in connection.execute(query)]

    def is_own(self, line: int) -> bool:
        """Whether this server wrote a line of the trail, as far back as it remembers."""
        return any(first <= line <= last for first, last in tuple(self.own))

    def alarm_steps(self, since: float, until: float) -> list[AlarmEvent]:
        """Alarm transitions of a span; see `twin.alarm_records.read_steps`."""
        with self.database.begin() as connection:
            return read_steps(connection, since, until)

    def incidents_where(self, where: sa.ColumnElement[bool], limit: int | None = None) -> list[IncidentView]:
        """Incidents of a condition, newest first."""
        query = sa.select(INCIDENTS.c.body).where(where).order_by(INCIDENTS.c.id.desc()).limit(limit)
        with self.database.begin() as connection:
            return [msgspec.json.decode(body, type=IncidentView) for (body,) in connection.execute(query)]

    def dispatches_where(self, where: sa.ColumnElement[bool], limit: int | None = None) -> list[DispatchView]:
        """Dispatches of a condition, newest first."""
        query = sa.select(DISPATCHES.c.body).where(where).order_by(DISPATCHES.c.requested.desc()).limit(limit)
        with self.database.begin() as connection:
            return [msgspec.json.decode(body, type=DispatchView) for (body,) in connection.execute(query)]

    def live_alarms(self) -> list[Alarm]:
        """Every alarm not yet cleared."""
        return self.alarms_where(ALARMS.c.state != "cleared", None)

    def recent_alarms(self, limit: int = 500) -> list[Alarm]:
        """The alarms raised last, newest first, cleared ones too."""
        return self.alarms_where(sa.true(), limit)

    def next_alarm_id(self) -> int:
        """One more than any alarm ever had."""
        with self.database.begin() as connection:
            return (connection.scalar(sa.select(sa.func.max(ALARMS.c.id))) or 0) + 1

    def alarm_load(self, since: float, bucket_secs: float = 600.0) -> dict[int, int]:
        """Alarms that called somebody since, counted a bucket: bucket number (time // bucket_secs) → how many."""
        with self.database.begin() as connection:
            return read_load(connection, since, bucket_secs)

    def kpi_steps(self, since: float, until: float) -> list[Step]:
        """Alarm transitions of a span (seconds since 1970 UTC), oldest first, for `twin.alarm_kpis`."""
        with self.database.begin() as connection:
            return read_kpi_steps(connection, since, until)

    def suppressions(self) -> list[Suppression]:
        """What people put aside (shelved, out of service) and nobody put back."""
        with self.database.begin() as connection:
            return read_suppressions(connection)

    def live_commands(self) -> list[Command]:
        """Commands still waiting for something."""
        return self.commands_where(COMMANDS.c.is_live.is_(True), None)

    def recent_commands(self, limit: int = 200) -> list[Command]:
        """The last commands, newest first."""
        return self.commands_where(sa.true(), limit)

    def command_of(self, idempotency_key: str) -> Command | None:
        """The command already given under an idempotency key."""
        found = self.commands_where(COMMANDS.c.idempotency_key == idempotency_key, 1)
        return found[0] if found else None

    def trail(self, limit: int = 200) -> list[TrailEntry]:
        """The last lines, newest first."""
        with self.database.begin() as connection:
            rows = connection.execute(sa.select(TRAIL).order_by(TRAIL.c.id.desc()).limit(limit)).all()
        return [_entry(row.id, _note_of(row)) for row in rows]

    def has_key(self) -> bool:
        """Whether the trail's head was sealed with this store's key, or there is none yet."""
        with self.database.begin() as connection:
            head = connection.execute(sa.select(HEAD)).first()
        return head is None or head.seal == self._seal(head.rows, head.hash)

    def verify(self) -> list[ChainFault]:
        """Everything that shows the trail is not what was written; empty when it is whole."""
        return list(self._faults())

    def _faults(self) -> Iterator[ChainFault]:
        expected, last = 0, ""
        head: tuple[int, str, str] | None = None
        # rows and head in one question, so that both are of one moment, whatever is written meanwhile
        sealed = HEAD.c.rows.label("head_rows"), HEAD.c.hash.label("head_hash"), HEAD.c.seal.label("head_seal")
        both = sa.select(TRAIL, *sealed)
        with self.database.begin() as connection:
            for row in connection.execute(both.select_from(TRAIL.outerjoin(HEAD, sa.true())).order_by(TRAIL.c.id)):
                expected += 1
                if row.id != expected:
                    yield ChainFault(expected, f"rows {expected} to {row.id - 1} are missing")
                    expected = row.id
                if self._link(last, row.id, _note_of(row)) != row.hash:
                    yield ChainFault(row.id, "the row, its place or the one before it was changed")
                last = row.hash
                head = None if row.head_rows is None else (row.head_rows, row.head_hash, row.head_seal)
            if not expected and (alone := connection.execute(sa.select(HEAD)).first()) is not None:
                head = (alone.rows, alone.hash, alone.seal)
        if head is None:
            if expected:
                yield ChainFault(0, "the head is missing")
            return
        rows, written, seal = head
        if seal != self._seal(rows, written):
            yield ChainFault(0, "the head was changed")
        elif (rows, written) != (expected, last):
            yield ChainFault(expected, f"the trail ends at row {expected}, {rows} were written")

    def _link(self, before: str, number: int, note: Note) -> str:
        return self._digest(msgspec.json.encode([before, number, note.time, note.who, note.what, note.subject,
                                                 note.node, note.text, note.text_zh]))

    def _seal(self, count: int, last: str) -> str:
        return self._digest(f"head {count} {last}".encode())

    def _digest(self, content: bytes) -> str:
        if self.key:
            return hmac.new(self.key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()

    def _head(self, connection: sa.Connection) -> tuple[int, str]:
        row = connection.execute(sa.select(HEAD.c.rows, HEAD.c.hash)).first()
        return (int(row.rows), str(row.hash)) if row else (0, "")

    def alarms_where(self, where: sa.ColumnElement[bool], limit: int | None = None) -> list[Alarm]:
        """Alarms of a condition, newest first."""
        with self.database.begin() as connection:
            return read_alarms(connection, where, limit)

    def commands_where(self, where: sa.ColumnElement[bool], limit: int | None = None) -> list[Command]:
        """Commands of a condition, newest first."""
        query = sa.select(COMMANDS.c.body).where(where).order_by(COMMANDS.c.requested.desc()).limit(limit)
        with self.database.begin() as connection:
            return [msgspec.json.decode(body, type=Command) for (body,) in connection.execute(query)]


def _without(things: Sequence[T], done: Sequence[T]) -> list[T]:
    return [thing for thing in things if not any(thing is other or thing == other for other in done)]


def _command_row(command: Command) -> dict[str, object]:
    return {"id": command.id, "idempotency_key": command.idempotency_key, "is_live": command.is_live,
            "requested": command.steps[0][1], "body": msgspec.json.encode(command).decode()}


def _incident_row(incident: IncidentView) -> dict[str, object]:
    return {"id": incident.id, "is_open": incident.state == "open", "opened": incident.opened_ms / 1000,
            "body": msgspec.json.encode(incident).decode()}


def _dispatch_row(dispatch: DispatchView) -> dict[str, object]:
    return {"id": dispatch.id, "is_live": dispatch.state in DISPATCH_LIVE, "requested": dispatch.steps[0][1] / 1000,
            "body": msgspec.json.encode(dispatch).decode()}


def _note_row(note: Note) -> dict[str, Any]:
    return {"time": note.time, "who": note.who, "what": note.what, "subject": note.subject, "node": note.node,
            "text": note.text, "text_zh": note.text_zh}


def _note_of(row: Any) -> Note:
    return Note(time=row.time, who=row.who, what=row.what, subject=row.subject, node=row.node, text=row.text,
                text_zh=row.text_zh)


def _entry(number: int, note: Note) -> TrailEntry:
    return TrailEntry(id=number, time_ms=note.time * 1000, who=note.who, what=note.what, subject=note.subject,
                      node=note.node, text=note.text, text_zh=note.text_zh)
