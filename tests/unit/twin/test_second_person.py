"""What is dangerous takes two people: asked by one, approved by another, in time; every refused try is on the trail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_clock import T0, HandClock

from twin.commands import APPROVE_SECS, CommandError
from twin.errors import AccessDenied
from twin.events import EventStore
from twin.incidents import worded
from twin.live.core import LiveCore
from twin.packs import load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable
from twin.wire import CommandView, LinkageRun


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def core(clock: HandClock, tmp_path: Path) -> Iterator[LiveCore]:
    points = PointTable([Device(id="ch-1", kind="chiller", name="Chiller")], load_packs().kinds)
    events = EventStore.at(tmp_path / "events.db")
    running = LiveCore(points, events, clock=clock)
    hear(running, clock)
    running.tick()
    yield running
    events.close()


def hear(core: LiveCore, clock: HandClock, status: str = "stop") -> None:
    slot = core.points.slot_of("ch-1.status")
    assert slot is not None
    core.ingest(Readings(np.array([slot], np.uint32), np.array([core.points.spec[slot].number_of(status)]),
                         np.zeros(1, np.uint8), np.array([clock.time])))


def ask(core: LiveCore, by: str = "li", role: str = "operator", key: str = "k1") -> CommandView:
    return core.request(device="ch-1", key="start", args={}, by=by, role=role, idempotency_key=key)


def state(core: LiveCore, command: CommandView) -> str:
    return next(c.state for c in core.commands() if c.id == command.id)


def test_it_is_sent_only_after_another_person_approved(core: LiveCore, clock: HandClock) -> None:
    asked = ask(core)
    assert (asked.state, asked.approve_before_ms) == ("requested", (T0 + APPROVE_SECS) * 1000)
    assert core.tick().orders == ()
    approved = core.approve(asked.id, by="wang", role="commander")
    assert (approved.state, approved.second) == ("approved", "wang")
    assert [order.key for order in core.tick().orders] == ["start"]
    clock.time += 5
    hear(core, clock, "run")
    core.tick()
    assert state(core, asked) == "confirmed"
    told = [(e.what, e.who) for e in reversed(core.events.trail())]
    assert told == [("command.requested", "li"), ("command.approved", "wang"), ("command.sent", "li"),
                    ("command.confirmed", "li")]


def test_the_time_to_be_executed_begins_with_the_approval(core: LiveCore, clock: HandClock) -> None:
    asked = ask(core)
    clock.time += APPROVE_SECS - 1
    hear(core, clock)
    approved = core.approve(asked.id, by="wang", role="commander")
    assert approved.expires_ms - clock.time * 1000 == asked.expires_ms - T0 * 1000
    assert len(core.tick().orders) == 1


@pytest.mark.parametrize(("by", "role"), [("li", "commander"), ("li", "admin"), ("guest", "viewer"), ("zhao", "operator")])
def test_the_same_account_or_too_low_a_role_cannot_approve_and_the_try_is_kept(core: LiveCore, by: str, role: str) -> None:
    asked = ask(core)
    with pytest.raises(AccessDenied) as told:
        core.approve(asked.id, by=by, role=role)
    assert told.value.code == ("approval.same_person" if by == "li" else "access.role")
    assert core.tick().orders == ()
    assert state(core, asked) == "requested"
    last = core.events.trail(1)[0]
    assert (last.what, last.who, last.subject) == ("command.not_approved", by, "ch-1")
    assert core.events.verify() == []


def test_it_expires_when_nobody_approves_and_a_late_word_is_refused(core: LiveCore, clock: HandClock) -> None:
    asked = ask(core)
    clock.time += APPROVE_SECS
    with pytest.raises(CommandError, match="too late"):
        core.approve(asked.id, by="wang", role="commander")
    assert core.tick().orders == ()
    assert state(core, asked) == "expired"
    with pytest.raises(CommandError, match="waits for a second person"):
        core.approve(asked.id, by="wang", role="commander")


def test_the_second_person_may_refuse_and_the_first_withdraw(core: LiveCore) -> None:
    asked = ask(core)
    with pytest.raises(AccessDenied, match="commander"):
        core.deny(asked.id, by="zhao", role="operator", note="")
    refused = core.deny(asked.id, by="wang", role="commander", note="plant room is open")
    assert (refused.state, refused.second, refused.steps[-1][2]) == ("refused", "wang", "plant room is open")
    again = ask(core, key="k2")
    assert core.deny(again.id, by="li", role="operator", note="").steps[-1][2] == "withdrawn"
    assert core.tick().orders == ()


def test_a_viewer_cannot_even_ask(core: LiveCore) -> None:
    with pytest.raises(AccessDenied, match="operator"):
        ask(core, by="guest", role="viewer")


def test_a_restart_keeps_what_waits(core: LiveCore, clock: HandClock) -> None:
    asked = ask(core)
    again = LiveCore(core.points, core.events, clock=clock)
    hear(again, clock)
    again.tick()
    assert again.approve(asked.id, by="wang", role="commander").state == "approved"
    assert len(again.tick().orders) == 1


def run(*, needs_two: bool) -> LinkageRun:
    return LinkageRun(linkage="chiller", name="C", name_zh="冷", state="asked", by="", started_ms=0.0, needs_two=needs_two)


def test_a_linkage_with_dangerous_steps_takes_two_people_the_last_a_commander() -> None:
    with pytest.raises(AccessDenied):
        worded(run(needs_two=False), by="li", role="operator", now_ms=0.0)
    assert worded(run(needs_two=False), by="wang", role="commander", now_ms=0.0).state == "running"
    first = worded(run(needs_two=True), by="li", role="operator", now_ms=0.0)
    assert (first.state, first.asked_by) == ("asked", "li")
    with pytest.raises(AccessDenied) as told:
        worded(first, by="li", role="commander", now_ms=1.0)
    assert told.value.code == "approval.same_person"
    with pytest.raises(AccessDenied, match="commander"):
        worded(first, by="zhao", role="operator", now_ms=1.0)
    both = worded(first, by="wang", role="commander", now_ms=1.0)
    assert (both.state, both.by) == ("running", "li, wang")
    late = worded(first, by="wang", role="commander", now_ms=APPROVE_SECS * 1000)
    assert (late.state, late.asked_by) == ("asked", "wang"), "the first word is over: this one is a first word"
