"""What is written stays, over SQLite and PostgreSQL alike, and tampering shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from twin.commands import Command, new_command, step
from twin.database import Database
from twin.events import TRAIL, EventStore, Note, Records
from twin.live.alarms import Alarm, AlarmEvent, AsideEvent, Suppression
from twin.packs import load_packs
from twin.wire import DispatchView, IncidentView, PlanRun, PlanStep


@pytest.fixture
def store(url: str) -> Iterator[EventStore]:
    made = EventStore(Database(url))
    yield made
    made.close()


def note(n: int) -> Note:
    return Note(time=1000.0 + n, who="wang", what="command.sent", subject=f"gate-{n}", node=n, text="x", text_zh="开闸")


def command(idempotency_key: str = "k1") -> Command:
    made, _ = new_command(command_id=f"c-{idempotency_key}", idempotency_key=idempotency_key, device="gate-1",
                          kind=load_packs().kinds["gate"], key="open", args={}, by="wang", now=1000.0)
    return made


def alarm(number: int, state: str = "unacknowledged") -> Alarm:
    return Alarm(id=number, key="ahu-1.fault", state=state, is_active=True, raised=5.0, changed=5.0, value=float("nan"))


def test_live_alarms_and_commands_survive_a_restart(url: str) -> None:
    first = EventStore(Database(url))
    event = AlarmEvent(what="raised", alarm=alarm(7), time=5.0)
    cleared = AlarmEvent(what="returned", alarm=alarm(8, "cleared"), time=6.0)
    first.write(Records(alarms=[event, cleared], commands=[step(command(), "approved", 1001.0)]))
    first.close()
    second = EventStore(Database(url))
    assert [found.id for found in second.live_alarms()] == [7]
    assert second.next_alarm_id() == 9
    assert [found.state for found in second.live_commands()] == ["approved"]
    assert second.command_of("k1") == step(command(), "approved", 1001.0)
    assert second.alarm_load(0.0) == {0: 1}
    second.close()


def test_what_people_put_aside_survives_until_it_is_put_back(url: str) -> None:
    def word(what: str, until: float | None) -> AsideEvent:
        held = Suppression(key="ahu-1.fault", kind="shelved" if "shelved" in what else "out_of_service", who="wang",
                           reason="fan out", since=5.0, until=until)
        return AsideEvent(what=what, suppression=held, time=5.0, who="wang", why="fan out", is_told=False)

    first = EventStore(Database(url))
    first.write(Records(asides=[word("shelved", 605.0), word("out_of_service", None)]))
    first.close()
    second = EventStore(Database(url))
    try:
        assert second.suppressions() == [word("shelved", 605.0).suppression, word("out_of_service", None).suppression]
        second.write(Records(asides=[word("unshelved", 605.0)]))
        assert [held.kind for held in second.suppressions()] == ["out_of_service"]
    finally:
        second.close()


def test_every_transition_is_kept_with_who_and_why(store: EventStore) -> None:
    put = AlarmEvent(what="shelved", alarm=alarm(7, "shelved"), time=6.0, who="wang", why="fan out")
    store.write(Records(alarms=[AlarmEvent(what="raised", alarm=alarm(7), time=5.0), put]))
    assert [(e.what, e.who, e.why) for e in store.alarm_steps(0.0, 9.0)] == [
        ("raised", "", ""), ("shelved", "wang", "fan out")]


def test_a_silent_alarm_is_on_record_but_no_load(store: EventStore) -> None:
    store.write(Records(alarms=[AlarmEvent(what="raised", alarm=alarm(7, "suppressed"), time=5.0)]))
    assert store.alarm_load(0.0) == {}
    assert len(store.alarm_steps(0.0, 9.0)) == 1


def test_one_idempotency_key_holds_one_command(store: EventStore) -> None:
    store.write(Records(commands=[command()]))
    other = Command(**{**{name: getattr(command(), name) for name in Command.__struct_fields__}, "id": "c-other"})
    with pytest.raises(sa.exc.IntegrityError):
        store.write(Records(commands=[other], notes=[note(1)]))
    assert store.trail() == []
    assert store.verify() == []


def test_a_whole_trail_verifies_also_after_a_restart(url: str) -> None:
    first = EventStore(Database(url))
    first.write(Records(notes=[note(1), note(2)]))
    first.close()
    second = EventStore(Database(url))
    second.write(Records(notes=[note(3)]))
    assert second.verify() == []
    assert [entry.id for entry in second.trail()] == [3, 2, 1]
    second.close()


def test_a_trail_that_is_written_while_it_is_verified_is_whole(store: EventStore) -> None:
    store.write(Records(notes=[note(n) for n in range(1, 400)]))
    is_over = threading.Event()

    def write() -> None:
        number = 400
        while not is_over.is_set():
            store.write(Records(notes=[note(number)]))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [store.verify() for _ in range(25)] == [[]] * 25
    finally:
        is_over.set()
        writer.join()
    assert len(store.trail(limit=1000)) > 400, "some were written meanwhile"


@pytest.mark.parametrize(("tamper", "row"), [
    ("UPDATE trail SET who = 'nobody' WHERE id = 2", 2),
    ("DELETE FROM trail WHERE id = 2", 2),
    ("DELETE FROM trail WHERE id = 4", 3),
    ("DELETE FROM trail WHERE id >= 3", 2),
    ("UPDATE trail SET id = CASE id WHEN 2 THEN -3 WHEN 3 THEN -2 ELSE id END", None),
])
def test_an_edit_a_deletion_a_truncation_and_a_reordering_are_found(store: EventStore, tamper: str,
                                                                    row: int | None) -> None:
    store.write(Records(notes=[note(n) for n in range(1, 5)]))
    with store.database.begin() as connection:
        connection.execute(sa.text(tamper))
        connection.execute(TRAIL.update().where(TRAIL.c.id < 0).values(id=-TRAIL.c.id))
    faults = store.verify()
    assert faults
    assert row is None or faults[0].row == row


def test_an_edit_with_rehashed_rows_is_found_when_there_is_a_key(url: str) -> None:
    keyed = EventStore(Database(url), key=b"secret")
    keyed.write(Records(notes=[note(1)]))
    forger = EventStore(Database(url))
    forged = Note(time=1001.0, who="nobody", what="command.sent", subject="gate-1", node=1, text="x", text_zh="开闸")
    with keyed.database.begin() as connection:
        connection.execute(TRAIL.update().values(who="nobody", hash=forger._link("", 1, forged)))
    assert keyed.verify()
    keyed.close()
    forger.close()


def test_incidents_and_dispatches_survive_and_their_trail_is_chained(url: str) -> None:
    def incident(number: int, state: str = "open") -> IncidentView:
        step = PlanStep(key="a", what="Look", what_zh="看", role="R", role_zh="甲", limit_mins=1, done_ms=5.0, done_by="li")
        plan = PlanRun(plan="fire", name="F", name_zh="火", owner="O", owner_zh="主", by="li", started_ms=1.0, steps=[step])
        return IncidentView(id=number, title="Fire", title_zh="火警", priority=1, state=state, opened_ms=1e12 + number,
                            closed_ms=None, alarms=[number], node=3, device="S", place="A", place_zh="甲", plan=plan)

    def dispatch(state: str) -> DispatchView:
        return DispatchView(id="d", incident=1, track=4, person="P-4", name="A", name_zh="甲", role="guard", node=6, place="",
                            place_zh="", reason="look", by="li", state=state, metres=4.0, route=[(0.0, 1.0, 2.0)],
                            steps=[("requested", 1e12, "")], expires_ms=2e12)

    store = EventStore(Database(url))
    store.write(Records(incidents=[incident(1), incident(2)], dispatches=[dispatch("sent")], notes=[note(1)]))
    store.write(Records(incidents=[incident(2, "closed")], notes=[note(2)]))
    store.close()
    again = EventStore(Database(url))
    try:
        assert again.open_incidents() == [incident(1)]
        assert again.recent_incidents() == [incident(2, "closed"), incident(1)]
        assert again.live_dispatches() == [dispatch("sent")]
        again.write(Records(dispatches=[dispatch("released")]))
        assert again.live_dispatches() == []
        assert again.recent_dispatches() == [dispatch("released")]
        assert [entry.subject for entry in again.trail_between(1001.5, 1002.5)] == ["gate-2"]
        assert again.verify() == []
    finally:
        again.close()


def test_what_an_interrupted_commit_wrote_after_all_is_not_written_twice(url: str) -> None:
    """The line dies after the database has committed and before it could say so."""
    store = EventStore(Database(url))
    records = Records(alarms=[AlarmEvent(what="raised", alarm=alarm(7), time=5.0)], notes=[note(1)])
    store.write(records)
    with store.database.begin() as connection:
        store._unsure = (records, *store._head(connection))  # as it was when the line died
    again = Records(alarms=[*records.alarms, AlarmEvent(what="returned", alarm=alarm(7, "cleared"), time=6.0)],
                    notes=[*records.notes, note(2)])
    assert [entry.id for entry in store.write(again)] == [2]
    assert [e.what for e in store.alarm_steps(0.0, 9.0)] == ["raised", "returned"]
    assert [entry.subject for entry in store.trail()] == ["gate-2", "gate-1"]
    assert store.verify() == []
    store.close()
