"""Sessions end when they should, and a wrong word is worth five tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ioc.access.accounts import ABSOLUTE_SECS, IDLE_SECS, LOCK_SECS, Accounts, LockedOut
from ioc.access.guard import cookie_of
from twin.database import Database
from twin.errors import AccessDenied

WORD = "river-crane-42-lantern"


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def test_a_session_ends_idle_and_ends_old_even_when_used(database: Database) -> None:
    clock = Hand()
    accounts, ended = Accounts(database, clock), []
    accounts.on_end.append(ended.append)
    idle, used = accounts.sign_in_demo(), accounts.sign_in_demo()
    key = accounts.find(used).key  # type: ignore[union-attr]
    for _ in range(int(ABSOLUTE_SECS / IDLE_SECS)):
        clock.at += IDLE_SECS
        accounts.touch(key)
    assert accounts.find(idle) is None
    assert accounts.find(used) is not None
    clock.at += 1
    accounts.sweep()
    assert accounts.find(used) is None
    assert key in ended, "whoever holds sockets open hears of it"


def test_sessions_outlive_a_restart_and_the_cookie_is_not_stored(database: Database) -> None:
    cookie = Accounts(database, Hand()).sign_in_demo()
    again = Accounts(database, Hand())
    assert again.find(cookie) is not None
    with database.begin() as db:
        assert cookie not in str(db.execute(sa.text("select * from sessions")).all())
    again.sign_out(cookie)
    assert Accounts(database, Hand()).find(cookie) is None


def test_a_lock_opens_by_itself(database: Database) -> None:
    clock = Hand()
    accounts = Accounts(database, clock)
    accounts.add("chief", "operator", WORD)
    for _ in range(5):
        with pytest.raises(AccessDenied, match="wrong"):
            accounts.sign_in("chief", "no")
    with pytest.raises(LockedOut):
        accounts.sign_in("chief", WORD)
    clock.at += LOCK_SECS + 1
    assert accounts.find(accounts.sign_in("chief", WORD)).person.role == "operator"  # type: ignore[union-attr]


@pytest.mark.parametrize("header", ["", "parktwin=short", "parktwin=" + "a" * 200, "parktwin=ä" + "a" * 30, "other=1",
                                    "parktwin=" + "a" * 30 + "/../", "\x00"])
def test_what_is_no_cookie_of_ours_is_none(header: str) -> None:
    assert cookie_of({"cookie": header}) is None


def test_a_session_that_ends_while_the_database_is_away_does_not_come_back(database: Database) -> None:
    accounts = Accounts(database, Hand())
    cookie = accounts.sign_in_demo()
    database.is_down = True
    accounts.sign_out(cookie)
    assert accounts.find(cookie) is None
    database.is_down = False
    accounts.sweep()
    assert Accounts(database, Hand()).find(cookie) is None
