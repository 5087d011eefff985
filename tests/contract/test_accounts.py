"""Sessions end when they should, and a wrong word is worth five tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ioc.access.accounts import (
    ABSOLUTE_SECS,
    IDLE_SECS,
    LOCK_SECS,
    UNKNOWN_AT_ONCE,
    UNKNOWN_SECS,
    Accounts,
    LockedOut,
)
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


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_session_of_one_server_holds_at_the_other_and_ends_at_both(url: str) -> None:
    clock = Hand()
    databases = Database(url), Database(url)
    here, there = (Accounts(database, clock) for database in databases)
    cookie, ended = here.sign_in_demo(), []
    there.on_end.append(ended.append)
    found = there.find(cookie)
    assert found is not None
    assert found.csrf == here.find(cookie).csrf  # type: ignore[union-attr]
    clock.at += IDLE_SECS - 1
    here.touch(found.key)
    there.sweep(there.elsewhere())
    clock.at += 2
    there.sweep(there.elsewhere())
    assert there.find(cookie) is not None, "a person who works at one is not idle at the other"
    here.sign_out(cookie)
    there.sweep(there.elsewhere())
    assert there.find(cookie) is None
    assert ended == [found.key]
    assert there.find("A" * 43) is None, "a cookie nobody gave is none at either"
    for database in databases:
        database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_park_set_up_at_one_server_is_not_set_up_again_at_the_other(url: str) -> None:
    databases = Database(url), Database(url)
    here, there = (Accounts(database, Hand()) for database in databases)
    assert here.setup_token
    assert there.setup_token
    here.set_up(here.setup_token, "chief", WORD)
    with pytest.raises(AccessDenied):
        there.set_up(there.setup_token, "thief", WORD)
    assert there.all() == [("chief", "admin")]
    for database in databases:
        database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_made_up_cookies_ask_the_database_so_many_times_a_second_and_no_more(url: str) -> None:
    database, clock = Database(url), Hand()
    accounts, other = Accounts(database, clock), Accounts(database, clock)
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    for number in range(4 * UNKNOWN_AT_ONCE):
        assert accounts.find(f"made-up-{number}") is None
    assert sum("id_hash" in text for text in asked) == UNKNOWN_AT_ONCE
    clock.at += UNKNOWN_SECS + 0.1
    assert accounts.find(other.sign_in_demo()) is not None, "a second later real ones are found again"
    database.close()
