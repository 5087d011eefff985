"""Tables are brought up to this version from any other, over SQLite and PostgreSQL alike; a lost line is told at once."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from contract_proxy import Proxy

from ioc.access import accounts, screens
from ioc.access.accounts import Accounts
from ioc.access.former import take_over
from twin import events, marks
from twin.database import Database, StoreDown
from twin.database_copy import NotEmptyError, copy_rows, count_rows
from twin.errors import TwinError
from twin.events import EventStore, Note, Records
from twin.live.alarms import Alarm, AlarmEvent
from twin.marks import Marks
from twin.ports import WallClock
from twin.shared import asks, changes, lease, papers
from twin.sql import META

ROOMS = (accounts, screens, events, marks, asks, changes, lease, papers)
assert all(room.META is META for room in ROOMS), "every table is known here"


def test_the_migrations_make_the_tables_the_code_uses(url: str) -> None:
    database = Database(url)
    with database.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, META) == []
    database.close()


def test_a_database_from_before_there_were_versions_keeps_all_it_has(url: str) -> None:
    first = EventStore(Database(url))
    raised = Alarm(id=7, key="ahu-1.fault", state="unacknowledged", is_active=True, raised=5.0, changed=5.0, value=1.0)
    first.write(Records(alarms=[AlarmEvent(what="raised", alarm=raised, time=5.0)]))
    with first.database.begin() as connection:
        for former in ("ALTER TABLE alarm_events DROP COLUMN why", "DROP TABLE alarm_suppressions", "DROP TABLE accounts",
                       "DROP INDEX ix_trail_time", "DROP TABLE alembic_version"):
            connection.exec_driver_sql(former)
    first.close()
    second = EventStore(Database(url))
    try:
        assert [(e.what, e.why) for e in second.alarm_steps(0.0, 9.0)] == [("raised", "")]
        assert second.suppressions() == []
        with second.database.begin() as connection:
            assert "ix_trail_time" in {index["name"] for index in sa.inspect(connection).get_indexes("trail")}
    finally:
        second.close()


def test_an_upgrade_that_was_stopped_half_way_goes_on(url: str) -> None:
    database = Database(url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        connection.exec_driver_sql("DROP INDEX ix_commands_requested")
    database.close()
    again = Database(url)
    with again.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), META) == []
    again.close()


def test_a_database_of_a_newer_version_is_left_alone(url: str) -> None:
    database = Database(url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(TwinError, match="newer Parktwin") as caught:
        Database(url)
    assert "backup" in caught.value.mend


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreDown, match="does not answer"):
        Database("postgresql+psycopg://nobody@127.0.0.1:9/none")


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_transaction_that_stood_still_too_long_is_a_database_that_went_away(url: str) -> None:
    database = Database(url)

    def stand_still() -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 50")
            time.sleep(0.5)
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreDown, match="idle-in-transaction"):
        stand_still()
    deadline = time.monotonic() + 15.0
    while database.is_down and time.monotonic() < deadline:
        time.sleep(0.05)
    with database.begin() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_line_that_is_cut_costs_one_try_and_comes_back_by_itself(url: str) -> None:
    real = sa.make_url(url)
    with Proxy(real.host or "127.0.0.1", real.port or 5432) as line:
        store = EventStore(Database(real.set(host="127.0.0.1", port=line.port)))
        store.write(Records(notes=[Note(time=1.0, who="li", what="a", subject="before")]))
        line.cut()
        for _ in range(2):
            with pytest.raises(StoreDown):
                store.write(Records(notes=[Note(time=2.0, who="li", what="a", subject="meanwhile")]))
        before = line.asked
        for _ in range(1000):
            with pytest.raises(StoreDown):
                store.trail()
        assert line.asked - before < 100, "what is known to be away is not asked again by everyone"
        line.mend()
        deadline = time.monotonic() + 15.0
        while store.database.is_down and time.monotonic() < deadline:
            time.sleep(0.05)
        store.write(Records(notes=[Note(time=3.0, who="li", what="a", subject="after")]))
        assert [entry.subject for entry in store.trail()] == ["after", "before"]
        assert store.verify() == []
        store.close()


def test_everything_moves_to_another_database_and_the_trail_is_still_whole(url: str, tmp_path: Path) -> None:
    before = EventStore.at(tmp_path / "before.sqlite", b"key")
    raised = Alarm(id=7, key="ahu-1.fault", state="unacknowledged", is_active=True, raised=5.0, changed=5.0, value=1.0)
    before.write(Records(alarms=[AlarmEvent(what="raised", alarm=raised, time=5.0)],
                         notes=[Note(time=1.0, who="li", what="a", subject=f"s{n}") for n in range(3)]))
    Accounts(before.database, WallClock()).add("li", "operator", "river-crane-42-lantern")
    Marks(before.database).add(1.0, "look here", "li", 2.0)
    after = Database(url)
    copied = copy_rows(before.database.engine, after)
    assert copied == count_rows(before.database) == count_rows(after)
    store = EventStore(after, b"key")
    assert store.live_alarms() == [raised]
    store.write(Records(alarms=[AlarmEvent(what="acknowledged", alarm=raised, time=6.0)],
                        notes=[Note(time=2.0, who="li", what="a", subject="after")]))
    assert Marks(after).add(3.0, "and here", "li", 4.0).id == 2
    assert len(store.trail()) == 4
    assert store.verify() == []
    assert Accounts(after, WallClock()).sign_in("li", "river-crane-42-lantern")
    with pytest.raises(NotEmptyError):
        copy_rows(before.database.engine, after)
    before.close()
    after.close()


def test_accounts_of_a_former_version_come_into_the_database_once(tmp_path: Path) -> None:
    former = Database.at(tmp_path / "accounts.sqlite")
    Accounts(former, WallClock()).add("li", "operator", "river-crane-42-lantern")
    former.close()
    database = Database.at(tmp_path / "events.sqlite")
    assert list(take_over(database, tmp_path)) == []
    assert Accounts(database, WallClock()).all() == [("li", "operator")]
    assert list(take_over(database, tmp_path)) == [], "only once"
    shutil.copy(tmp_path / "accounts.moved.sqlite", tmp_path / "accounts.sqlite")
    assert ["stay behind" in finding.what for finding in take_over(database, tmp_path)] == [True]
    database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_write_whose_line_died_is_waited_for_and_not_written_twice(url: str) -> None:
    store = EventStore(Database(url))
    store.write(Records(notes=[Note(time=1.0, who="li", what="a", subject="before")]))
    dying, later = (Note(time=2.0, who="li", what="a", subject=subject) for subject in ("dying", "later"))
    begun, other = threading.Event(), sa.create_engine(url)

    def ends_late() -> None:
        """As PostgreSQL ends what it had of the write when the line died."""
        with other.begin() as connection:
            former = EventStore(store.database)
            former._alone(connection)
            _, last = former._head(connection)
            hashed = former._link(last, 2, dying)
            connection.execute(events.TRAIL.insert(), [{"id": 2, **events._note_row(dying), "hash": hashed}])
            connection.execute(events.HEAD.update().values(rows=2, hash=hashed, seal=former._seal(2, hashed)))
            store._unsure = Records(notes=[dying]), 2, hashed
            begun.set()
            time.sleep(0.5)

    thread = threading.Thread(target=ends_late)
    thread.start()
    assert begun.wait(10)
    assert [entry.subject for entry in store.write(Records(notes=[dying, later]))] == ["later"]
    thread.join()
    assert [entry.subject for entry in store.trail()] == ["later", "dying", "before"]
    assert store.verify() == []
    store.close()
    other.dispose()
