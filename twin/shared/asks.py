"""What a server that follows asks of the one that writes: a request each, done at most once, its answer on the same row.

The row says whose session it is by the hash the sessions table has, never by the cookie; answers are deleted once read.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from twin.database import Database
from twin.shared.lease import CHANNEL
from twin.sql import BIG, META

ASKS = sa.Table(
    "asks", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("asked", sa.Double, nullable=False, index=True), sa.Column("session", sa.String(64), nullable=False),
    sa.Column("method", sa.String(8), nullable=False), sa.Column("path", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False), sa.Column("token", BIG), sa.Column("status", sa.Integer),
    sa.Column("answer", sa.String), sa.Column("media", sa.String))
#: an ask nobody took for so long is void: who asked has long been told so
VOID_SECS = 8.0
ASKED, ANSWERED = "ask", "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: `path` with its query, `session` the SHA-256 of the cookie."""

    id: str
    session: str
    method: str
    path: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the writer said."""

    status: int
    body: str
    media: str


class Asks:
    """The asks of one park. Safe from any thread.

    Args:
        database: PostgreSQL, whose clock says how old an ask is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, *, session: str, method: str, path: str, body: str) -> str:
        """Ask; gives the number to ask the answer with."""
        number = secrets.token_hex(8)
        with self._database.begin() as connection:
            connection.execute(ASKS.insert().values(id=number, asked=_now(), session=session, method=method, path=path,
                                                    body=body))
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, ASKED)))
        return number

    def take(self, token: int) -> list[Ask]:
        """What nobody took yet, oldest first, taken by the writer with this token: another will not do it again."""
        fresh = (sa.select(ASKS.c.id).where(ASKS.c.token.is_(None), ASKS.c.asked > _now() - VOID_SECS)
                 .order_by(ASKS.c.asked).limit(100).with_for_update(skip_locked=True))
        c = ASKS.c
        with self._database.begin() as connection:
            rows = connection.execute(sa.update(ASKS).where(c.id.in_(fresh)).values(token=token)
                                      .returning(c.id, c.session, c.method, c.path, c.body, c.asked)).all()
        return [Ask(id=row.id, session=row.session, method=row.method, path=row.path, body=row.body)
                for row in sorted(rows, key=lambda row: row.asked)]

    def answer(self, number: str, said: Answer) -> None:
        """Tell who asked."""
        with self._database.begin() as connection:
            connection.execute(sa.update(ASKS).where(ASKS.c.id == number).values(
                status=said.status, answer=said.body, media=said.media))
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, f"{ANSWERED} {number}")))

    def read(self, number: str) -> Answer | None:
        """The answer, once; None while there is none."""
        with self._database.begin() as connection:
            row = connection.execute(sa.delete(ASKS).where(ASKS.c.id == number, ASKS.c.status.is_not(None))
                                     .returning(ASKS.c.status, ASKS.c.answer, ASKS.c.media)).first()
        return Answer(status=row.status, body=row.answer, media=row.media) if row else None

    def give_up(self, number: str) -> bool:
        """Who asked waits no longer; whether a writer had taken it, so that it may have been done."""
        with self._database.begin() as connection:
            row = connection.execute(sa.delete(ASKS).where(ASKS.c.id == number).returning(ASKS.c.token)).first()
        return row is not None and row.token is not None

    def forget(self) -> None:
        """Delete what nobody reads any more."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(ASKS).where(ASKS.c.asked < _now() - 10 * VOID_SECS))


def _now() -> sa.ColumnElement[float]:
    return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Double)
