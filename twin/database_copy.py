"""Everything of one database into another: from SQLite to PostgreSQL when a park grows, or back."""

from __future__ import annotations

from collections.abc import Container

import sqlalchemy as sa

from twin.database import Database
from twin.errors import TwinError

ROWS_AT_ONCE = 5000


class NotEmptyError(TwinError):
    """The database to fill holds something already."""


def count_rows(database: Database) -> dict[str, int]:
    """How many rows each table holds, by name."""
    with database.begin() as connection:
        return {table.name: int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
                for table in _tables(connection)}


def copy_rows(source: sa.Engine, target: Database, *, only: Container[str] = ()) -> dict[str, int]:
    """Copy every row of every table that both have; all or nothing.

    Args:
        source: read, never changed; of this version.
        target: takes the rows.
        only: names of the tables to copy; empty for all.

    Returns:
        Rows copied, by table.

    Raises:
        NotEmptyError: one of the tables to fill holds rows.
        StoreDown: the target does not answer; nothing was copied.
    """
    copied = {}
    with source.connect() as reading, target.begin() as writing:
        there = {table.name: table for table in _tables(reading)}
        for table in (t for t in _tables(writing) if t.name in there and (not only or t.name in only)):
            if writing.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                raise NotEmptyError(f"the table '{table.name}' holds rows already", mend="copy into an empty database")
            columns = [there[table.name].c[column.name] for column in table.c if column.name in there[table.name].c]
            rows = reading.execute(sa.select(*columns)).mappings()
            copied[table.name] = 0
            while batch := rows.fetchmany(ROWS_AT_ONCE):
                writing.execute(table.insert(), [dict(row) for row in batch])
                copied[table.name] += len(batch)
            _count_on(writing, table)
    return copied


def _tables(connection: sa.Connection) -> list[sa.Table]:
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """PostgreSQL numbers new rows from where the copied ones end."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key:
        sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
        if sequence:
            last = connection.scalar(sa.select(sa.func.max(column)))
            connection.execute(sa.select(sa.func.setval(sequence, last or 1, last is not None)))
