"""Who writes: a lease on the alarms of a park, held by one server at a time, with a fencing token.

A PostgreSQL advisory lock of a session of its own says who holds it; the lock ends with that session, so that a server that
is killed is followed at once. One that stands still (a paused machine, a line that is dead) keeps its session: when it was
not heard for `SILENT_SECS` the next one has PostgreSQL end that session. At each take-over the token grows by one, and every
transaction of a writer looks at it (`check`): what a former writer still means to write is refused, however late it wakes.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from twin.database import Database, StoreDown
from twin.sql import BIG, META, upsert

LEASES = sa.Table(
    "leases", META, sa.Column("id", sa.String, primary_key=True), sa.Column("holder", sa.String, nullable=False),
    sa.Column("token", BIG, nullable=False), sa.Column("taken", sa.Double, nullable=False))
SERVERS = sa.Table(
    "servers", META, sa.Column("id", sa.String, primary_key=True), sa.Column("since", sa.Double, nullable=False),
    sa.Column("seen", sa.Double, nullable=False))
WRITER = "writer"
CHANNEL = "parktwin"
BEAT_SECS = 1.0
#: a holder not heard for so long is taken for gone
SILENT_SECS = 6.0
FORGET_SECS = 3600.0
_LOCK = 5008
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
#: PostgreSQL's own side of the line: a machine that went away without a word gives the lock back within seconds
_LINE = {"tcp_keepalives_idle": 2, "tcp_keepalives_interval": 1, "tcp_keepalives_count": 3, "tcp_user_timeout": 5000}
_HOLDER = sa.text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted "
                  "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
_log = logging.getLogger(__name__)


class NotWriter(StoreDown):
    """Another server writes this park's alarms; nothing was written."""

    def __init__(self, holder: str = "") -> None:
        super().__init__(f"another server writes now{f' ({holder})' if holder else ''}", mend="try again", code="store.moved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who is there, by the last round: the writer's name ("" when nobody) and every server heard lately."""

    writer: str = ""
    servers: tuple[str, ...] = ()


class Lease:
    """One server's part in who writes. `step` is called by one thread about every half second; `check` by the writer's.

    Args:
        database: PostgreSQL.
        name: of this server, told to people; two that are named alike do not harm one another.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database, self.name = database, name
        self._engine = sa.create_engine(database.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT",
                                        connect_args=database.connect_args)
        self._line: sa.Connection | None = None
        self._has_lock = False
        self._beat_due = 0.0
        self._since: float | None = None
        #: the fencing token while this server is the writer, as far as it knows
        self.token: int | None = None
        self.standing = Standing()

    @property
    def is_alone(self) -> bool:
        """Whether no other server was there at the last round."""
        return len(self.standing.servers) <= 1

    def step(self, *, may_take: bool = True) -> None:
        """One round: say that we are here, keep the lease, take it when it is free, or learn that it was lost.

        Args:
            may_take: False while the one that writes here has not yet let go of what it lost.
        """
        try:
            line = self._open()
            self._beat(line)
            if not self._has_lock:
                self._has_lock = bool(line.scalar(sa.text(f"SELECT pg_try_advisory_lock({_LOCK})")))
                self._locked(line, may_take) if self._has_lock else self._refused(line)
            elif self.token is None and may_take:
                self._locked(line, may_take)
        except sa.exc.DBAPIError as error:
            self._drop()
            _log.debug("the lease's line is down: %s", error)

    def wait(self, secs: float, wakes: Callable[[str], bool] = lambda payload: True) -> None:
        """Until somebody says that something changed and `wakes` agrees, at most so long (s)."""
        line, end = self._line, time.monotonic() + secs
        if line is None:
            time.sleep(secs)
            return
        with contextlib.suppress(Exception):  # a line that died is seen at the next step
            while (left := end - time.monotonic()) > 0:
                told = list(line.connection.driver_connection.notifies(timeout=left, stop_after=1))  # type: ignore[union-attr]
                if any(wakes(one.payload) for one in told):
                    return
            return
        time.sleep(max(0.0, end - time.monotonic()))

    def check(self, connection: sa.Connection) -> None:
        """In a writer's transaction: it holds until the end of it that this server is the writer.

        Raises:
            NotWriter: it is not.
        """
        row = connection.execute(sa.select(LEASES.c.token, LEASES.c.holder).where(LEASES.c.id == WRITER)
                                 .with_for_update(read=True)).first() if self.token is not None else None
        if row is None or row.token != self.token:
            raise NotWriter(row.holder if row else self.standing.writer)

    def close(self) -> None:
        """Give the lease back; another server takes it at once."""
        line, self.token = self._line, None
        if line is not None:
            with contextlib.suppress(sa.exc.DBAPIError):
                line.execute(sa.delete(SERVERS).where(SERVERS.c.id == self.name))
                line.execute(sa.select(sa.func.pg_notify(CHANNEL, "lease")))
        self._drop()
        self._engine.dispose()

    # ---- inside -------------------------------------------------------------------------------------------------
    def _open(self) -> sa.Connection:
        if self._line is None:
            self._line = line = self._engine.connect()
            for name, value in _LINE.items():
                line.execute(sa.text(f"SET {name} = {value}"))
            line.execute(sa.text(f"LISTEN {CHANNEL}"))
            self._beat_due = 0.0
        return self._line

    def _drop(self) -> None:
        line, self._line, self._has_lock = self._line, None, False
        if line is not None:
            with contextlib.suppress(Exception):  # it is dead already, as a rule
                line.invalidate()
                line.close()

    def _beat(self, line: sa.Connection) -> None:
        if time.monotonic() < self._beat_due:
            return
        now = float(line.scalar(sa.text(_NOW)) or 0.0)
        self._since = self._since or now
        upsert(line, SERVERS, [{"id": self.name, "since": self._since, "seen": now}])
        line.execute(sa.delete(SERVERS).where(SERVERS.c.seen < now - FORGET_SECS))
        here = line.scalars(sa.select(SERVERS.c.id).where(SERVERS.c.seen >= now - SILENT_SECS).order_by(SERVERS.c.id)).all()
        holder = line.scalar(sa.select(LEASES.c.holder).where(LEASES.c.id == WRITER)) or ""
        self.standing = Standing(writer=holder if holder in here else "", servers=tuple(here))
        self._beat_due = time.monotonic() + BEAT_SECS

    def _locked(self, line: sa.Connection, may_take: bool) -> None:
        """The lock is ours: the lease goes on when nobody had it meanwhile, else it is taken anew."""
        row = line.execute(sa.select(LEASES.c.token, LEASES.c.holder).where(LEASES.c.id == WRITER)).first()
        if self.token is not None and row is not None and row.token == self.token:
            return
        if self.token is not None:
            self._lose(row.holder if row else "")
        if not may_take:
            return
        token = (row.token if row else 0) + 1
        now = float(line.scalar(sa.text(_NOW)) or 0.0)
        upsert(line, LEASES, [{"id": WRITER, "holder": self.name, "token": token, "taken": now}])
        self.token, self._beat_due = token, 0.0
        _log.warning("%s writes this park's alarms now (token %s)%s", self.name, token,
                     f"; before: {row.holder}" if row and row.holder != self.name else "")
        line.execute(sa.select(sa.func.pg_notify(CHANNEL, "lease")))

    def _refused(self, line: sa.Connection) -> None:
        """Another holds the lock. When it was not heard for long, PostgreSQL ends its session."""
        row = line.execute(sa.select(LEASES.c.token, LEASES.c.holder).where(LEASES.c.id == WRITER)).first()
        if self.token is not None and (row is None or row.token != self.token):
            self._lose(row.holder if row else "")
        seen = line.scalar(sa.select(SERVERS.c.seen).where(SERVERS.c.id == row.holder)) if row else None
        now = float(line.scalar(sa.text(_NOW)) or 0.0)
        if row is not None and (seen is None or seen < now - SILENT_SECS):
            _log.warning("%s was not heard for %.0f s: its lease ends", row.holder, now - (seen or now))
            for (pid,) in line.execute(_HOLDER, {"lock": _LOCK}).all():
                line.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    def _lose(self, holder: str) -> None:
        _log.warning("%s no longer writes this park's alarms: %s does", self.name, holder or "another server")
        self.token = None
