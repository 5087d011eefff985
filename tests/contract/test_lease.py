"""Who writes: one server at a time, the next at once, and never one that only thinks it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from fresh_database import fresh_postgres

from twin.database import Database
from twin.events import EventStore, Note, Records
from twin.live.alarms import Alarm, AlarmEvent
from twin.shared.asks import Answer, Asks
from twin.shared.changes import last_change, read_changes
from twin.shared.lease import SERVERS, SILENT_SECS, Lease, NotWriter
from twin.shared.papers import Paper

pytestmark = pytest.mark.postgres
#: of this test's own database alone: others run beside it
END_SESSION = sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5008 AND "
                      "database = (SELECT oid FROM pg_database WHERE datname = current_database())")


@pytest.fixture
def at() -> Iterator[sa.URL]:
    with fresh_postgres() as url:
        yield url


@contextmanager
def directly(at: sa.URL) -> Iterator[sa.Connection]:
    """What is done behind the servers' backs."""
    engine = sa.create_engine(at, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def server(at: sa.URL, name: str) -> EventStore:
    database = Database(at)
    return EventStore(database, b"key", Lease(database, name))


def end(*stores: EventStore) -> None:
    for store in stores:
        assert store.lease is not None
        store.lease.close()
        store.close()


def raised(number: int) -> Records:
    alarm = Alarm(id=number, key=f"ahu-{number}.fault", state="unacknowledged", is_active=True, raised=5.0, changed=5.0,
                  value=1.0)
    return Records(alarms=[AlarmEvent(what="raised", alarm=alarm, time=5.0)],
                   notes=[Note(time=5.0, who="", what="alarm.raised", subject=alarm.key)])


def note(subject: str) -> Records:
    return Records(notes=[Note(time=1.0, who="li", what="sign-in", subject=subject)])


def step(store: EventStore, *, may_take: bool = True) -> Lease:
    assert store.lease is not None
    store.lease.step(may_take=may_take)
    return store.lease


def takes(store: EventStore) -> int | None:
    """Its token after a few rounds: PostgreSQL takes a moment to end a session."""
    for _ in range(100):
        if (token := step(store).token) is not None:
            return token
        time.sleep(0.05)
    return None


def test_one_writes_and_the_other_knows_who(at: sa.URL) -> None:
    a, b = server(at, "a"), server(at, "b")
    assert step(a).token == 1
    assert step(b).token is None
    assert b.lease is not None
    assert b.lease.standing.writer == "a"
    a.write(raised(1))
    with pytest.raises(NotWriter, match="another server writes now"):
        b.write(raised(2))
    b.write(note("both may add to the trail"))
    assert [alarm.id for alarm in b.live_alarms()] == [1]
    assert a.verify() == []
    end(a, b)


def test_when_the_writer_goes_the_other_takes_over_with_a_greater_token(at: sa.URL) -> None:
    a, b = server(at, "a"), server(at, "b")
    step(a), step(b)
    with directly(at) as connection:  # as when its process is killed: its session ends
        connection.execute(END_SESSION)
    assert takes(b) == 2
    with pytest.raises(NotWriter):
        a.write(raised(1))
    step(a), step(a)
    assert step(a).token is None, "it has learnt that it lost"
    b.write(raised(1))
    end(a, b)


def test_a_writer_that_stands_still_is_ended_and_its_late_word_is_refused(at: sa.URL) -> None:
    a, b = server(at, "a"), server(at, "b")
    step(a), step(b)
    with directly(at) as connection:  # a is not heard any more, though its session stands
        connection.execute(sa.update(SERVERS).where(SERVERS.c.id == "a").values(seen=SERVERS.c.seen - 2 * SILENT_SECS))
    assert step(b).token is None, "its session is ended first"
    assert takes(b) == 2
    b.write(raised(1))
    assert a.lease
    assert a.lease.token == 1, "a has been asleep and knows nothing"
    with pytest.raises(NotWriter, match="b"):
        a.write(raised(1))
    assert [(e.what, e.alarm.id) for e in b.alarm_steps(0.0, 9.0)] == [("raised", 1)]
    end(a, b)


def test_a_line_that_was_cut_does_not_cost_the_lease_when_nobody_took_it(at: sa.URL) -> None:
    a = server(at, "a")
    step(a)
    with directly(at) as connection:
        connection.execute(END_SESSION)
    for _ in range(20):
        step(a)
        time.sleep(0.05)
    assert step(a).token == 1, "the same token: nothing was missed"
    a.write(raised(1))
    end(a)


def test_what_was_lost_is_not_taken_again_before_it_is_let_go(at: sa.URL) -> None:
    a, b = server(at, "a"), server(at, "b")
    step(a), step(b)
    with directly(at) as connection:
        connection.execute(END_SESSION)
    assert takes(b) == 2
    end(b)
    for _ in range(20):
        step(a, may_take=False)
        time.sleep(0.05)
    assert step(a, may_take=False).token is None
    assert takes(a) == 3
    end(a)


def test_two_servers_add_to_the_trail_at_once_and_it_is_one_chain(at: sa.URL) -> None:
    stores = [server(at, name) for name in "abc"]
    step(stores[0])

    def add(store: EventStore, which: int) -> None:
        for n in range(20):
            store.write(note(f"{which} {n}"))

    threads = [threading.Thread(target=add, args=(store, k)) for k, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(stores[0].trail(1000)) == 60
    assert stores[1].verify() == []
    end(*stores)


def test_what_changed_is_told_in_order_and_each_thing_once(at: sa.URL) -> None:
    a = server(at, "a")
    step(a)
    with a.database.begin() as connection:
        before = last_change(connection)
    a.write(raised(1)), a.write(raised(2)), a.write(raised(1))
    with a.database.begin() as connection:
        found = read_changes(connection, before)
        assert found.of("alarm") == ["1", "2"]
        assert read_changes(connection, found.last).things == {}
    end(a)


def test_a_paper_is_taken_in_once_shared_and_written_by_the_writer_alone(at: sa.URL, tmp_path: Path) -> None:
    a, b = server(at, "a"), server(at, "b")
    step(a), step(b)
    (tmp_path / "edits.jsonl").write_bytes(b"1\n")
    here = Paper(tmp_path / "edits.jsonl", a.database, a.lease)
    there = Paper(tmp_path / "none" / "edits.jsonl", b.database, b.lease)
    assert (here.read(), there.read()) == (b"1\n", None)
    here.append(b"2\n", 1.0)
    here.append(b"3\n", 2.0)
    assert here.read() == there.read() == b"1\n2\n3\n"
    with pytest.raises(NotWriter):
        there.append(b"4\n", 3.0)
    with pytest.raises(NotWriter):
        there.write(b"", 3.0)
    assert here.read() == b"1\n2\n3\n"
    end(a, b)


def test_an_ask_is_done_by_one_writer_and_answered_once(at: sa.URL) -> None:
    database = Database(at)
    asks = Asks(database)
    number = asks.put(session="s", method="POST", path="/api/v1/alarms/1/acknowledge", body="")
    assert asks.read(number) is None
    assert [ask.id for ask in asks.take(1)] == [number]
    assert asks.take(2) == [], "the next writer does not do it again"
    asks.answer(number, Answer(status=200, body="{}", media="application/json"))
    assert asks.read(number) == Answer(status=200, body="{}", media="application/json")
    assert asks.read(number) is None
    other = asks.put(session="s", method="POST", path="/x", body="")
    assert asks.give_up(other) is False, "nobody had taken it: it was not done"
    assert asks.take(1) == []
    database.close()
