"""What changed, in order, for the servers that follow: a row a thing, written in the transaction that changed it.

Whoever listens on the channel of `twin.shared.lease` is told at once; whoever was not listening reads from where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from twin.shared.lease import CHANNEL
from twin.sql import BIG, META

CHANGES = sa.Table(
    "changes", META, sa.Column("seq", BIG, primary_key=True), sa.Column("what", sa.String(16), nullable=False),
    sa.Column("thing", sa.String, nullable=False), sa.Column("time", sa.Double, nullable=False, index=True))
KEPT_SECS = 600.0
MOST_AT_ONCE = 5000
Change = tuple[str, str]


@dataclass(slots=True)
class Changed:
    """Ids of what changed since the last look, by what it is."""

    last: int
    things: dict[str, dict[str, None]] = field(default_factory=dict)

    def of(self, what: str) -> list[str]:
        """The ids of one sort, oldest change first, each once."""
        return list(self.things.get(what, ()))


def write_changes(connection: sa.Connection, changes: Iterable[Change], now: float, who: str) -> None:
    """Put changes on record and wake the servers that follow; `who` is this server's name."""
    rows = [{"what": what, "thing": thing, "time": now} for what, thing in changes]
    if rows:
        connection.execute(CHANGES.insert(), rows)
    connection.execute(sa.select(sa.func.pg_notify(CHANNEL, who)))


def last_change(connection: sa.Connection) -> int:
    """Number of the newest change; 0 when there is none."""
    return connection.scalar(sa.select(sa.func.max(CHANGES.c.seq))) or 0


def read_changes(connection: sa.Connection, last: int) -> Changed:
    """Everything after a number."""
    rows = connection.execute(sa.select(CHANGES.c.seq, CHANGES.c.what, CHANGES.c.thing).where(CHANGES.c.seq > last)
                              .order_by(CHANGES.c.seq).limit(MOST_AT_ONCE)).all()
    found = Changed(last)
    for seq, what, thing in rows:
        found.last = seq
        found.things.setdefault(what, {})[thing] = None
    return found


def forget_changes(connection: sa.Connection, now: float) -> None:
    """Delete what every server has read long ago."""
    connection.execute(sa.delete(CHANGES).where(CHANGES.c.time < now - KEPT_SECS))
