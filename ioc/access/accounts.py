"""Accounts and sessions of one park, kept in its state folder; a session's id is stored only as its SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from ioc.access.passwords import check_strength, hash_password, is_right
from ioc.access.person import ROLES, SCREEN, Person
from twin.database import Database, StoreDown
from twin.errors import AccessDenied
from twin.ports import Clock
from twin.sql import META

IDLE_SECS = 15 * 60.0
ABSOLUTE_SECS = 12 * 3600.0
SCREEN_IDLE_SECS = 7 * 24 * 3600.0
LOCK_AFTER = 5
LOCK_SECS = 15 * 60.0
TOUCH_EVERY_SECS = 20.0
UNKNOWN_SECS = 1.0
#: Of cookies nobody knows, so many a second are asked of the database: made-up ones must not hold up the others.
UNKNOWN_AT_ONCE = 50
DEMO_USER = "demo"
SECOND_DEMO_USER = "demo-2"  # so that the demo can show what takes two people

_users = sa.Table(
    "accounts", META,
    sa.Column("name", sa.String(64), primary_key=True), sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password", sa.String(256)), sa.Column("created", sa.Double, nullable=False),
)
_sessions = sa.Table(
    "sessions", META,
    sa.Column("id_hash", sa.String(64), primary_key=True), sa.Column("user", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False), sa.Column("is_demo", sa.Boolean, nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False), sa.Column("created", sa.Double, nullable=False),
    sa.Column("seen", sa.Double, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in. Times are seconds since 1970 UTC; `key` is the SHA-256 of the cookie."""

    key: str
    person: Person
    csrf: str
    created: float
    seen: float


class LockedOut(AccessDenied):
    """Too many wrong passwords; `retry_secs` says when to try again."""

    def __init__(self, retry_secs: float) -> None:
        self.retry_secs = retry_secs
        super().__init__("too many wrong passwords", mend=f"wait {retry_secs / 60:.0f} minutes")


class Accounts:
    """Accounts, their sessions and wrong tries. One instance a server; safe from the server's loop and its threads.

    Args:
        database: where accounts and sessions are kept.
        clock: now.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._wrong: dict[str, list[float]] = {}
        self._live: dict[str, Session] = {}
        self._written: dict[str, float] = {}
        self._ended: set[str] = set()
        self._unknown: dict[str, float] = {}
        self.on_end: list[Callable[[str], None]] = []
        with database.begin() as db:
            self._live = {row.id_hash: _session_of(row) for row in db.execute(sa.select(_sessions))}
        self.setup_token: str | None = None if self.has_admin() else secrets.token_urlsafe(18)

    def has_admin(self) -> bool:
        """Whether anyone can administer this park yet."""
        with self._database.begin() as db:
            return db.execute(sa.select(_users.c.name).where(_users.c.role == "admin").limit(1)).first() is not None

    def all(self) -> list[tuple[str, str]]:
        """(name, role) of every account, by name."""
        with self._database.begin() as db:
            return [(row.name, row.role) for row in db.execute(sa.select(_users).order_by(_users.c.name))]

    def add(self, name: str, role: str, password: str) -> None:
        """A new account.

        Raises:
            AccessDenied: the name, the role or the password cannot be used.
        """
        if not name or len(name) > 64 or not name.isprintable() or name in (DEMO_USER, SECOND_DEMO_USER) \
                or name.startswith(SCREEN):
            raise AccessDenied(f"'{name}' cannot be an account's name", mend="use 1 to 64 printable characters")
        if role not in ROLES:
            raise AccessDenied(f"'{role}' is no role", mend=f"use one of {', '.join(ROLES)}")
        check_strength(password, name)
        row = {"name": name, "role": role, "password": hash_password(password), "created": self._clock.now()}
        try:
            with self._database.begin() as db:
                db.execute(sa.insert(_users).values(row))
        except sa.exc.IntegrityError as error:
            raise AccessDenied(f"'{name}' already has an account", mend="choose another name") from error

    def set_up(self, token: str, name: str, password: str) -> str:
        """Makes the first admin account by the one-time token and signs it in.

        Raises:
            AccessDenied: the token is wrong or used, or the account cannot be made.
        """
        known = None if self.has_admin() else self.setup_token  # another server of this park may have been set up
        if known is None or not secrets.compare_digest(known.encode(), token.encode()):
            self._count_wrong("setup")
            raise AccessDenied("the set-up token is wrong or already used", mend="read it from the server's first lines")
        self.add(name, "admin", password)
        self.setup_token = None
        return self.start(Person(user=name, role="admin"))

    def sign_in(self, name: str, password: str) -> str:
        """The new session's cookie.

        Raises:
            LockedOut: five wrong tries within 15 minutes.
            AccessDenied: name or password is wrong (it never says which).
        """
        self._refuse_locked(name)
        with self._database.begin() as db:
            row = db.execute(sa.select(_users).where(_users.c.name == name)).first()
        if not is_right(row.password if row else None, password) or row is None:
            self._count_wrong(name)
            raise AccessDenied("name or password is wrong", mend="try again")
        self._wrong.pop(name, None)
        return self.start(Person(user=row.name, role=row.role))

    def sign_in_demo(self, *, is_second: bool = False) -> str:
        """A session of a demo account, a commander that is visibly a demo; the caller checks that it is allowed."""
        user = SECOND_DEMO_USER if is_second else DEMO_USER
        return self.start(Person(user=user, role="commander", is_demo=True))

    def find(self, cookie: str | None) -> Session | None:
        """The session of a cookie that is neither forged, ended, idle nor too old; does not count as activity."""
        session = (self._live.get(key := _key(cookie)) or self._begun_elsewhere(key)) if cookie else None
        if session is not None and self._is_over(session):
            self._end(session.key)
            return None
        return session

    def is_open(self, key: str) -> bool:
        """Whether the session of this key still holds."""
        session = self._live.get(key)
        return session is not None and not self._is_over(session)

    def touch(self, key: str) -> None:
        """Counts as activity of the session: a request, or a message from the person's page."""
        session, now = self._live.get(key), self._clock.now()
        if session is None:
            return
        self._live[key] = replace(session, seen=now)
        if now - self._written.get(key, session.created) > TOUCH_EVERY_SECS:
            self._written[key] = now
            with suppress(StoreDown), self._database.begin() as db:  # pages go on without it
                db.execute(sa.update(_sessions).where(_sessions.c.id_hash == key).values(seen=now))

    def sign_out(self, cookie: str) -> None:
        """Ends the session of a cookie and everything open under it."""
        self._end(_key(cookie))

    def of_key(self, key: str) -> Session | None:
        """The session of a key, as `find` by its cookie."""
        session = self._live.get(key) or self._begun_elsewhere(key)
        return session if session is not None and not self._is_over(session) else None

    def elsewhere(self) -> tuple[float, dict[str, float]] | None:
        """When it was asked, and when each session was last seen by any server of this park; None when there is but one."""
        now = self._clock.now()
        with suppress(StoreDown):
            if not self._database.is_sqlite:
                with self._database.begin() as db:
                    rows = db.execute(sa.select(_sessions.c.id_hash, _sessions.c.seen)).all()
                return now, {row.id_hash: row.seen for row in rows}
        return None

    def _begun_elsewhere(self, key: str) -> Session | None:
        """A session begun at another server of this park. One that nobody knows is not asked for again at once."""
        now = self._clock.now()
        if self._database.is_sqlite or key in self._ended or now < self._unknown.get(key, 0.0):
            return None
        self._unknown = {key: until for key, until in self._unknown.items() if until > now}
        if len(self._unknown) >= UNKNOWN_AT_ONCE:
            return None
        with suppress(StoreDown):
            with self._database.begin() as db:
                row = db.execute(sa.select(_sessions).where(_sessions.c.id_hash == key)).first()
            if row is not None:
                self._live[key] = _session_of(row)
                return self._live[key]
            self._unknown[key] = now + UNKNOWN_SECS
        return None

    def sweep(self, elsewhere: tuple[float, dict[str, float]] | None = None) -> None:
        """Ends every session that is idle, too old or ended at another server (`elsewhere`); called every few seconds."""
        asked, seen = elsewhere or (0.0, {})
        for key, session in list(self._live.items()) if elsewhere else ():
            if key in seen:
                self._live[key] = replace(session, seen=max(session.seen, seen[key]))
            elif session.created < asked:
                self._end(key)
        for session in [session for session in self._live.values() if self._is_over(session)]:
            self._end(session.key)
        self._forget_ended()

    def end_of(self, user: str) -> None:
        """Ends every session of a user and everything open under them."""
        for key in [key for key, session in self._live.items() if session.person.user == user]:
            self._end(key)

    def _is_over(self, session: Session) -> bool:
        now = self._clock.now()
        if session.person.is_screen:  # a wall runs unattended; revoking its link ends it
            return now - session.seen > SCREEN_IDLE_SECS
        return now - session.seen > IDLE_SECS or now - session.created > ABSOLUTE_SECS

    def start(self, person: Person) -> str:
        """A new session of somebody whose right to it the caller has checked; its cookie."""
        cookie, now = secrets.token_urlsafe(32), self._clock.now()
        session = Session(key=_key(cookie), person=person, csrf=secrets.token_urlsafe(24), created=now, seen=now)
        with self._database.begin() as db:
            db.execute(sa.insert(_sessions).values(
                id_hash=session.key, user=person.user, role=person.role, is_demo=person.is_demo, csrf=session.csrf,
                created=now, seen=now))
        self._live[session.key] = session
        return cookie

    def _end(self, key: str) -> None:
        self._written.pop(key, None)
        if self._live.pop(key, None) is None:
            return
        self._ended.add(key)
        for callback in self.on_end:
            callback(key)
        self._forget_ended()

    def _forget_ended(self) -> None:
        """Ended sessions leave the database too: at once, or when it answers again."""
        if not self._ended:
            return
        ended = list(self._ended)
        with suppress(StoreDown), self._database.begin() as db:
            db.execute(sa.delete(_sessions).where(_sessions.c.id_hash.in_(ended)))
            self._ended.difference_update(ended)

    def _recent_wrong(self, name: str) -> list[float]:
        since = self._clock.now() - LOCK_SECS
        return [at for at in self._wrong.get(name, []) if at > since]

    def _refuse_locked(self, name: str) -> None:
        recent = self._recent_wrong(name)
        if len(recent) >= LOCK_AFTER:
            raise LockedOut(recent[-LOCK_AFTER] + LOCK_SECS - self._clock.now())

    def _count_wrong(self, name: str) -> None:
        self._refuse_locked(name)
        if len(self._wrong) > 10_000:
            self._wrong = {key: times for key, times in self._wrong.items() if self._recent_wrong(key)}
        self._wrong[name] = [*self._recent_wrong(name), self._clock.now()]


def _session_of(row: Any) -> Session:
    person = Person(user=row.user, role=row.role, is_demo=row.is_demo)
    return Session(key=row.id_hash, person=person, csrf=row.csrf, created=row.created, seen=row.seen)


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
