"""Marks on the timeline: a note at an instant, by whom; taken back, it stays on record and can be put back."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from twin.database import Database
from twin.sql import META

MARKS = sa.Table(
    "marks", META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("at_ms", sa.Double, nullable=False),
    sa.Column("text", sa.String, nullable=False), sa.Column("by", sa.String, nullable=False),
    sa.Column("made_ms", sa.Double, nullable=False), sa.Column("is_removed", sa.Boolean, nullable=False))


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One mark. Times in milliseconds since 1970 UTC."""

    id: int
    at_ms: float
    text: str
    by: str
    made_ms: float
    is_removed: bool


class Marks:
    """Marks in the database of the event store. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Mark]:
        """Marks not taken back, by time."""
        query = sa.select(MARKS).where(MARKS.c.is_removed.is_(False)).order_by(MARKS.c.at_ms)
        with self._database.begin() as connection:
            return [Mark(**row._asdict()) for row in connection.execute(query)]

    def add(self, at_ms: float, text: str, by: str, made_ms: float) -> Mark:
        """Keep a new one."""
        row = {"at_ms": at_ms, "text": text, "by": by, "made_ms": made_ms, "is_removed": False}
        with self._database.begin() as connection:
            number = connection.scalar(sa.insert(MARKS).values(**row).returning(MARKS.c.id))
        return Mark(id=int(number or 0), **row)  # type: ignore[arg-type]

    def toggle(self, number: int) -> Mark | None:
        """Take one back, or put it back; None when there is none."""
        with self._database.begin() as connection:
            connection.execute(sa.update(MARKS).where(MARKS.c.id == number).values(is_removed=sa.not_(MARKS.c.is_removed)))
            row = connection.execute(sa.select(MARKS).where(MARKS.c.id == number)).first()
        return Mark(**row._asdict()) if row else None
