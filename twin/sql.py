"""What every table of the event store shares: its metadata, durable SQLite, upserts, and columns that came later."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

META = sa.MetaData()
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def make_tables(engine: sa.Engine) -> None:
    """Make the tables there are not, and add to those of a former version the columns that came later."""
    META.create_all(engine)
    there = sa.inspect(engine)
    with engine.begin() as connection:
        for table in META.sorted_tables:
            names = {column["name"] for column in there.get_columns(table.name)}
            for column in (column for column in table.c if column.name not in names):
                kind = column.type.compile(engine.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind} DEFAULT ''"
                                           if isinstance(column.type, sa.String) else
                                           f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")


def sqlite_setup(connection: Any, _record: object) -> None:
    """Write-ahead log, every transaction on the disk before it counts."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, object]]) -> None:
    """Insert rows, or replace those with the same id."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    replaced = {column.name: insert.excluded[column.name] for column in table.c if column.name != "id"}
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=replaced), rows)
