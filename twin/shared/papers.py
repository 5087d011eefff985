"""Small files every server of a park must have alike (the tour of the wall, drawn fences): rows, where several share them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from twin.database import Database
from twin.shared.changes import write_changes
from twin.shared.lease import Lease
from twin.sql import META, upsert

PAPERS = sa.Table("papers", META, sa.Column("id", sa.String, primary_key=True), sa.Column("body", sa.String, nullable=False))


class Paper:
    """One file.

    Args:
        path: where it is kept, and where the first server of several finds what was there before.
        database, lease: of several servers; None: the file alone.
    """

    def __init__(self, path: Path, database: Database | None = None, lease: Lease | None = None) -> None:
        self.path, self.name = path, path.name
        self._database = database if lease is not None else None
        self._lease = lease
        self.on_change: list[Callable[[], None]] = []

    def read(self) -> bytes | None:
        """What it says; None when it was never written. Raises OSError or StoreDown."""
        if self._database is not None:
            with self._database.begin() as connection:
                body = connection.scalar(sa.select(PAPERS.c.body).where(PAPERS.c.id == self.name))
            if body is not None:
                return str(body).encode()
        return self.path.read_bytes() if self.path.is_file() else None

    def write(self, body: bytes, now: float) -> None:
        """Put it in place of what was there. Raises OSError or StoreDown."""
        if self._database is not None and self._lease is not None:
            with self._database.begin() as connection:
                self._lease.check(connection)
                upsert(connection, PAPERS, [{"id": self.name, "body": body.decode()}])
                write_changes(connection, [("paper", self.name)], now, self._lease.name)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".part")
        draft.write_bytes(body)
        draft.replace(self.path)

    def append(self, line: bytes, now: float) -> None:
        """Add to its end, on the disk before it counts. Raises OSError or StoreDown."""
        if self._database is not None and self._lease is not None:
            before = self.read() or b"" if self._is_new() else b""
            with self._database.begin() as connection:
                self._lease.check(connection)
                added = postgresql.insert(PAPERS).values(id=self.name, body=(before + line).decode())
                connection.execute(added.on_conflict_do_update(
                    index_elements=["id"], set_={"body": PAPERS.c.body + line.decode()}))
                write_changes(connection, [("paper", self.name)], now, self._lease.name)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as out:
            out.write(line)
            out.flush()
            os.fsync(out.fileno())

    def _is_new(self) -> bool:
        """Whether nobody of several has written it yet: what stands in the file is taken in first."""
        assert self._database is not None
        with self._database.begin() as connection:
            return connection.scalar(sa.select(PAPERS.c.id).where(PAPERS.c.id == self.name)) is None

    @property
    def is_shared(self) -> bool:
        """Whether several servers have it."""
        return self._database is not None
