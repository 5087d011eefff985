"""An alarm's life in ISA-18.2 states: the book against a plain oracle, one rule at a time, whatever people and field do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from twin.live.alarms import AlarmError
from twin.live.book import AlarmBook
from twin.live.rules import RuleTable, rule_table
from twin.live.state import RuleEvents
from twin.packs import AlarmRule, DeviceKind, PointSpec, Response
from twin.registry import Device, PointTable

DO = Response(owner="me", owner_zh="我", steps=("look",), steps_zh=("看",), deadline_mins=1)
KIND = DeviceKind(
    id="k", name="k", name_zh="k", symbol="k", points=(PointSpec(key="x", name="x", name_zh="x"),),
    alarms=tuple(AlarmRule(key=key, point="x", rule="high", name=key, name_zh=key, priority=1, response=DO, limit=1.0,
                           latch=key == "latch") for key in ("plain", "latch")))
POINTS = PointTable([Device(id="d0", kind="k", name="")], {"k": KIND})
KEYS = ("d0.plain", "d0.latch")


def rules() -> RuleTable:
    return rule_table(POINTS)


def condition(row: int, on: bool, time: float) -> RuleEvents:
    return RuleEvents(np.array([row]), np.array([on]), np.array([time]), np.array([1.0]))


@dataclass
class OracleAlarm:
    """One rule as the standard's table reads, in plain words."""

    latches: bool
    is_on: bool = False         # the condition
    #: normal | new | known | gone_new | latched_new | latched_known: what it would be were it not aside
    phase: str = "normal"
    shelf_ends: float | None = None
    is_out: bool = False
    is_designed: bool = False
    was_aside: bool = False
    said: list[str] = field(default_factory=list)

    def state(self) -> str:
        if self.phase == "normal":
            return "cleared"
        if self.is_out:
            return "out_of_service"
        if self.shelf_ends is not None:
            return "shelved"
        if self.is_designed:
            return "suppressed"
        return {"new": "unacknowledged", "known": "acknowledged", "gone_new": "returned", "latched_new": "latched_unacked",
                "latched_known": "latched_acked"}[self.phase]

    @property
    def is_aside(self) -> bool:
        return self.is_out or self.shelf_ends is not None or self.is_designed

    def comes(self) -> None:
        self.is_on = True
        if not (self.phase == "known" and not self.is_aside):
            self.phase = "new"

    def goes(self) -> None:
        self.is_on = False
        if self.phase == "normal" or self.is_aside:
            return
        if self.phase == "new":
            self.phase = "latched_new" if self.latches else "gone_new"
        elif self.phase == "known":
            self.phase = "latched_known" if self.latches else "normal"

    def acknowledge(self) -> bool:
        after = {"new": "known", "gone_new": "normal", "latched_new": "latched_known"}
        if self.is_aside or self.phase not in after:
            return False
        self.phase = after[self.phase]
        return True

    def reset(self) -> bool:
        if self.is_aside or self.phase != "latched_known":
            return False
        self.phase = "normal"
        return True

    def back(self, was_aside: bool) -> None:
        """Nothing may hold it aside any more: it stands as its condition says."""
        if was_aside and not self.is_aside and self.phase != "normal":
            self.phase = "new" if self.is_on else "latched_new" if self.latches else "normal"


ROW = st.integers(0, 1)


class AlarmLife(RuleBasedStateMachine):
    """Field, clock and people in any order; a restart of the server at any moment."""

    @initialize()
    def begin(self) -> None:
        self.book, self.now = AlarmBook(rules()), 1000.0
        self.plain = [OracleAlarm(latches=False), OracleAlarm(latches=True)]

    @rule(row=ROW, is_on=st.booleans())
    def field(self, row: int, is_on: bool) -> None:
        one = self.plain[row]
        if one.is_on == is_on:
            return
        events = self.book.take(condition(row, is_on, self.now))
        (one.comes if is_on else one.goes)()
        assert [event.what for event in events] == ["raised" if is_on else "returned"]

    @rule(row=ROW)
    def acknowledge(self, row: int) -> None:
        alarm = self.book.of_key(KEYS[row])
        if self.plain[row].acknowledge():
            assert alarm is not None
            assert self.book.acknowledge(alarm.id, "li", self.now).alarm.acked_by == "li"
        elif alarm is not None:
            with pytest.raises(AlarmError):
                self.book.acknowledge(alarm.id, "li", self.now)

    @rule(row=ROW)
    def reset(self, row: int) -> None:
        alarm = self.book.of_key(KEYS[row])
        if self.plain[row].reset():
            assert alarm is not None
            self.book.reset(alarm.id, "li", self.now)
        elif alarm is not None:
            with pytest.raises(AlarmError):
                self.book.reset(alarm.id, "li", self.now)

    @rule(row=ROW, mins=st.sampled_from([1, 10, 60]))
    def shelve(self, row: int, mins: int) -> None:
        moved, aside = self.book.shelve(KEYS[row], "li", mins, "being mended", self.now)
        self.plain[row].shelf_ends = self.now + mins * 60
        assert (aside.what, aside.who, aside.why, aside.is_over) == ("shelved", "li", "being mended", False)
        assert all(event.who == "li" and event.why == "being mended" for event in moved)

    @rule(row=ROW)
    def take_out(self, row: int) -> None:
        self.book.take_out(KEYS[row], "wang", "valve removed", self.now)
        self.plain[row].is_out = True

    @rule(row=ROW, kind=st.sampled_from(["shelved", "out_of_service"]))
    def put_back(self, row: int, kind: str) -> None:
        one = self.plain[row]
        if not (one.shelf_ends is not None if kind == "shelved" else one.is_out):
            with pytest.raises(AlarmError):
                self.book.put_back(KEYS[row], kind, "li", "mended", self.now)  # type: ignore[arg-type]
            return
        was = one.is_aside
        if kind == "shelved":
            one.shelf_ends = None
        else:
            one.is_out = False
        one.back(was)
        _, aside = self.book.put_back(KEYS[row], kind, "li", "mended", self.now)  # type: ignore[arg-type]
        assert (aside.is_over, aside.who, aside.why) == (True, "li", "mended")

    @rule(row=ROW, is_designed=st.booleans())
    def design(self, row: int, is_designed: bool) -> None:
        one = self.plain[row]
        was, one.is_designed = one.is_aside, is_designed
        one.back(was)
        self.book.design(np.array([two.is_designed for two in self.plain]), self.now)

    @rule(secs=st.integers(1, 4000))
    def time_passes(self, secs: int) -> None:
        self.now += secs
        for one in self.plain:
            was = one.is_aside
            if one.shelf_ends is not None and one.shelf_ends <= self.now:
                one.shelf_ends = None
            one.back(was)
        self.book.expire(self.now)

    @rule()
    def restart(self) -> None:
        kept, held, flags = self.book.live(), self.book.held(), np.array([one.is_designed for one in self.plain])
        self.book = AlarmBook(rules())
        self.book.restore(kept, suppressions=held)
        self.book.design(flags, self.now)

    @invariant()
    def every_alarm_stands_as_the_plain_one(self) -> None:
        if not hasattr(self, "book"):
            return
        for key, one in zip(KEYS, self.plain, strict=True):
            alarm = self.book.of_key(key)
            assert (alarm.state if alarm else "cleared") == one.state()
            if alarm is not None:
                assert alarm.is_active == one.is_on
                assert self.book.get(alarm.id) == alarm
                assert (alarm.shelved_until is not None) == (alarm.state == "shelved")
        assert [alarm.id for alarm in self.book.live()] == sorted({alarm.id for alarm in self.book.live()})


TestAlarmLife = AlarmLife.TestCase
TestAlarmLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def raised(row: int = 0) -> tuple[AlarmBook, int]:
    book = AlarmBook(rules())
    return book, book.take(condition(row, True, 1.0))[0].alarm.id


def test_an_alarm_that_went_unseen_stays_returned_until_acknowledged() -> None:
    book, first = raised()
    assert book.take(condition(0, False, 2.0))[0].alarm.state == "returned"
    assert book.take(condition(0, True, 3.0))[0].alarm.id == first
    book.take(condition(0, False, 4.0))
    assert book.acknowledge(first, "li", 5.0).alarm.state == "cleared"
    assert book.live() == []
    assert book.take(condition(0, True, 6.0))[0].alarm.id == first + 1


def test_a_latched_alarm_waits_for_acknowledgement_then_for_reset_and_calls_anew_when_it_comes_back() -> None:
    book, first = raised(1)
    book.acknowledge(first, "li", 2.0)
    assert book.take(condition(1, False, 3.0))[0].alarm.state == "latched_acked"
    again = book.take(condition(1, True, 4.0))[0].alarm
    assert (again.id, again.state, again.acked_by) == (first, "unacknowledged", None)
    assert book.take(condition(1, False, 5.0))[0].alarm.state == "latched_unacked"
    with pytest.raises(AlarmError, match="latched_unacked"):
        book.reset(first, "li", 6.0)
    book.acknowledge(first, "li", 6.0)
    assert book.reset(first, "li", 7.0).alarm.state == "cleared"


def test_a_shelf_ends_by_itself_and_shows_what_the_condition_then_says() -> None:
    book = AlarmBook(rules())
    one, two = (book.take(condition(row, True, 0.0))[0].alarm for row in (0, 1))
    for alarm in (one, two):
        book.shelve(alarm.key, "li", 10, "being mended", 0.0)
    assert book.take(condition(0, False, 60.0))[0].alarm.state == "shelved"
    assert book.expire(599.0) == []
    assert {e.alarm.id: e.alarm.state for moved, _ in book.expire(600.0) for e in moved} == {
        one.id: "cleared", two.id: "unacknowledged"}


def test_what_is_suppressed_by_design_is_raised_in_silence_and_called_when_the_design_no_longer_holds() -> None:
    book = AlarmBook(rules())
    assert book.design(np.array([True, False]), 0.0) == []
    event = book.take(condition(0, True, 1.0))[0]
    assert (event.what, event.alarm.state) == ("raised", "suppressed")
    (back,) = book.design(np.array([False, False]), 2.0)
    assert (back.what, back.alarm.state, back.who) == ("unsuppressed", "unacknowledged", "")


@pytest.mark.parametrize(("mins", "reason"), [(10, "  "), (0, "x"), (1441, "x"), (-5, "x"), (math.nan, "x")])
def test_a_shelf_needs_a_reason_and_an_end(mins: float, reason: str) -> None:
    book, _ = raised()
    with pytest.raises(AlarmError):
        book.shelve(KEYS[0], "li", mins, reason, 0.0)


def test_out_of_service_takes_a_reason_in_and_out() -> None:
    book, _ = raised()
    with pytest.raises(AlarmError):
        book.take_out(KEYS[0], "li", " ", 0.0)
    book.take_out(KEYS[0], "li", "valve removed", 0.0)
    with pytest.raises(AlarmError):
        book.put_back(KEYS[0], "out_of_service", "li", "", 1.0)


def test_acknowledging_twice_says_so() -> None:
    book, first = raised()
    book.acknowledge(first, "li", 1.0)
    with pytest.raises(AlarmError, match="acknowledged"):
        book.acknowledge(first, "wang", 2.0)


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(AlarmError, match=r"d9\.none"):
        AlarmBook(rules()).shelve("d9.none", "li", 10, "why", 0.0)
