"""What every table of the database shares: its metadata, its whole numbers, upserts."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

META = sa.MetaData()
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, object]]) -> None:
    """Insert rows, or replace those with the same id."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    replaced = {column.name: insert.excluded[column.name] for column in table.c if column.name != "id"}
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=replaced), rows)
