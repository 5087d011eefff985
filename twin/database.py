"""The database of one park: SQLite in its state folder, or PostgreSQL by URL; its tables brought up to this version.

A database that went away is noticed once: until it is back, every call is refused at once instead of waiting for it, so that
the live picture never stands still for a disk or a line.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from twin.errors import TwinError
from twin.park import ParkSpec
from twin.passwords import read_password

MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE = "events.sqlite"
PROBE_SECS = 1.0
TELL_EVERY_SECS = 60.0
#: a line that died is noticed within seconds, not after the kernel's two hours
_POSTGRES = {"connect_timeout": 3, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2,
             "tcp_user_timeout": 4000}
#: a server that stands still in a transaction does not hold up the others: PostgreSQL takes the transaction back
_IN_TRANSACTION = {"options": "-c idle_in_transaction_session_timeout=5000"}
_UPGRADING = 5006  # advisory lock: of two servers that start at once, one upgrades
_log = logging.getLogger(__name__)


class StoreDown(TwinError):
    """The database does not answer. What was to be written is not."""


class Database:
    """Connections to a database whose tables are those of this version. Safe from any thread.

    Args:
        url: SQLAlchemy URL, `sqlite:///…` or `postgresql+psycopg://…`.

    Raises:
        StoreDown: it does not answer.
        TwinError: a newer Parktwin made it.
    """

    def __init__(self, url: str | sa.URL) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.connect_args: dict[str, object] = {} if self.is_sqlite else dict(_POSTGRES)
        self.engine = sa.create_engine(self.url, **({} if self.is_sqlite else {
            "pool_pre_ping": True, "connect_args": {**self.connect_args, **_IN_TRANSACTION}}))
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _sqlite_setup)
        self.is_down = False
        self._told = -math.inf
        self._closed = threading.Event()
        try:
            with self.begin() as connection:
                upgrade(connection)
        except Exception:
            self.close()
            raise

    @staticmethod
    def at(path: Path) -> Database:
        """SQLite in a file (made with its folder when absent)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return Database(f"sqlite:///{path}")

    def close(self) -> None:
        """Give the connections back."""
        self._closed.set()
        self.engine.dispose()

    @staticmethod
    def of(spec: ParkSpec) -> Database:
        """The database of a park: that of `[database]`, else SQLite in its state folder.

        Raises:
            ParkFileError: the password is not where the park file says.
            StoreDown: it does not answer.
        """
        if spec.database is None:
            return Database.at(spec.state_dir / SQLITE)
        line = f"park.toml:{spec.database.line}"
        password = read_password(spec.database.password, spec.root, "the database", line)
        url = sa.make_url(spec.database.url).set(drivername="postgresql+psycopg")
        return Database(url.set(password=password) if password else url)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A connection in a transaction: all of it or nothing.

        Raises:
            StoreDown: the database does not answer; nothing was written.
        """
        if self.is_down:
            raise StoreDown("the database does not answer", mend="bring it back", code="store.down")
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            # PostgreSQL ends a transaction that stood still with an InternalError: the line is gone all the same
            if not (isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or error.connection_invalidated):
                raise
            self._lost(str(error.orig))
            raise StoreDown(f"the database does not answer ({str(error.orig).splitlines()[0]})", mend="bring it back",
                            code="store.down") from error

    def _lost(self, why: str) -> None:
        """SQLite is asked again at the next call (it may have been locked, or full); a server is watched for."""
        if (now := time.monotonic()) - self._told > TELL_EVERY_SECS:
            self._told = now
            _log.error("the database does not answer, alarms and commands wait for it: %s", why.splitlines()[0])
        if self.is_sqlite or self.is_down:
            return
        self.is_down = True
        threading.Thread(target=self._watch, name="database", daemon=True).start()

    def _watch(self) -> None:
        while not self._closed.wait(PROBE_SECS):
            try:
                with self.engine.connect() as connection:
                    connection.execute(sa.text("SELECT 1"))
            except sa.exc.SQLAlchemyError:  # whatever it is, it is asked again: nobody else does
                continue
            _log.warning("the database answers again")
            self.is_down = False
            return


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables up to this version, step by step; nothing where they are.

    Raises:
        TwinError: a newer Parktwin made them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_UPGRADING})"))
    now = MigrationContext.configure(connection).get_current_revision()
    steps = _steps()
    if now == steps.get_current_head():
        return
    if now is not None and now not in {step.revision for step in steps.walk_revisions()}:
        raise TwinError(f"the database is of a newer Parktwin (version {now})",
                        mend="install that version again, or restore a backup made before it")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@cache
def _steps() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _sqlite_setup(connection: Any, _record: object) -> None:
    """Write-ahead log, every transaction on the disk before it counts."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()
