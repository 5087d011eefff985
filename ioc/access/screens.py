"""Read-only sign-in links for the screens of a video wall: made by an admin, good until revoked, over restarts too."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from ioc.access.accounts import Accounts
from ioc.access.person import SCREEN, Person
from twin.database import Database
from twin.errors import AccessDenied
from twin.ports import Clock
from twin.sql import META

MOST_SCREENS = 50
_screens = sa.Table(
    "screens", META,
    sa.Column("id", sa.String(16), primary_key=True), sa.Column("name", sa.String(64), nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True), sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("made", sa.Double, nullable=False), sa.Column("opened", sa.Double), sa.Column("revoked", sa.Double),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One link. Times are seconds since 1970 UTC; `opened` is the last sign-in by it, None when never used."""

    id: str
    name: str
    made_by: str
    made: float
    opened: float | None
    revoked: float | None


class Screens:
    """The links of one park. The link's secret is told once and stored only as its SHA-256.

    Args:
        database: where links are kept, beside the accounts.
        accounts: opens and ends the sessions of screens.
        clock: now.
    """

    def __init__(self, database: Database, accounts: Accounts, clock: Clock) -> None:
        self._database, self._accounts, self._clock = database, accounts, clock

    def all(self) -> list[Screen]:
        """Every link, the newest first, revoked ones too."""
        with self._database.begin() as db:
            rows = db.execute(sa.select(_screens).order_by(_screens.c.made.desc())).all()
        return [Screen(id=row.id, name=row.name, made_by=row.made_by, made=row.made, opened=row.opened, revoked=row.revoked)
                for row in rows]

    def make(self, name: str, by: str) -> tuple[Screen, str]:
        """A new link and its secret, which is told this once.

        Raises:
            AccessDenied: the name cannot be used, or there are too many links.
        """
        if not name.strip() or len(name) > 64 or not name.isprintable():
            raise AccessDenied(f"'{name}' cannot be a screen's name", mend="use 1 to 64 printable characters",
                               code="screen.name", fill={"name": name})
        if sum(screen.revoked is None for screen in self.all()) >= MOST_SCREENS:
            raise AccessDenied(f"there are {MOST_SCREENS} links already", mend="revoke those no longer used",
                               code="screen.many", fill={"most": MOST_SCREENS})
        secret = secrets.token_urlsafe(32)
        made = Screen(id=secrets.token_hex(6), name=name.strip(), made_by=by, made=self._clock.now(), opened=None,
                      revoked=None)
        with self._database.begin() as db:
            db.execute(sa.insert(_screens).values(id=made.id, name=made.name, token_hash=_hash(secret), made_by=by,
                                                  made=made.made))
        return made, secret

    def revoke(self, number: str) -> Screen:
        """Ends a link and every session opened by it.

        Raises:
            AccessDenied: there is no such link.
        """
        with self._database.begin() as db:
            db.execute(sa.update(_screens).where(_screens.c.id == number, _screens.c.revoked.is_(None))
                       .values(revoked=self._clock.now()))
        found = next((screen for screen in self.all() if screen.id == number), None)
        if found is None:
            raise AccessDenied(f"there is no link '{number}'", mend="read the list again", code="screen.unknown",
                               fill={"id": number})
        self._accounts.end_of(SCREEN + found.id)
        return found

    def open(self, secret: str) -> tuple[Screen, str]:
        """The link of a secret and a new session's cookie: a viewer that only reads, without a last hour.

        Raises:
            AccessDenied: no link has this secret, or it was revoked.
        """
        with self._database.begin() as db:
            row = db.execute(sa.select(_screens).where(_screens.c.token_hash == _hash(secret))).first()
            if row is None or row.revoked is not None:
                raise AccessDenied("this link is not or no longer valid", mend="ask an admin for another one",
                                   code="screen.closed")
            db.execute(sa.update(_screens).where(_screens.c.id == row.id).values(opened=self._clock.now()))
        found = next(screen for screen in self.all() if screen.id == row.id)
        return found, self._accounts.start(Person(user=SCREEN + found.id, role="viewer"))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
