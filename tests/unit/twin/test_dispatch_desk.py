"""The dispatch desk across a restart and a lost line: who was on the way is sent again, from where they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_incidents import park

from twin.events import EventStore
from twin.live.dispatch import RESUME_SECS, DispatchDesk
from twin.live.rules import rule_table
from twin.live.tracks import TrackStore
from twin.live.views import Views
from twin.ports import CommandAck, Positions, TrackInfo

T = 1_700_000_000.0
GUARD = TrackInfo(i=4, id="P-4", kind="person", name="Guard", name_zh="安保", role="guard")
HOME, HALF, THERE = (20.0, 0.0, 0.0), (10.0, 0.0, 0.0), (0.0, 0.0, 0.0)


class Post:
    """A desk with its tracks, over a store that outlives it."""

    def __init__(self, events: EventStore) -> None:
        self.tracks = TrackStore()
        reach = park()
        self.desk = DispatchDesk(events, self.tracks, [GUARD], Views(reach.points, rule_table(reach.points), None), reach)

    def fix(self, at: tuple[float, float, float], now: float) -> None:
        self.tracks.apply(Positions(np.array([4], np.uint32), np.array([at]), np.zeros(1, np.float32), np.array([now])), now)

    def step(self, now: float) -> tuple[list[str], list[str]]:
        """States that changed, and orders that left, in one tick."""
        self.desk.tick(now)
        orders, changed, _ = self.desk.drain()
        return [d.state for d in changed], [o.id for o in orders]


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventStore]:
    store = EventStore.at(tmp_path / "events.db")
    yield store
    store.close()


def sent(events: EventStore, *, is_accepted: bool = True) -> tuple[Post, str]:
    """A guard on the way: 20 m to walk."""
    post = Post(events)
    post.fix(HOME, T)
    made = post.desk.request(person="P-4", role="guard", node=6, reason="look", incident=0, by="li", now=T)
    assert post.step(T) == (["requested", "sent"], [made.id])
    if is_accepted:
        post.desk.acknowledge(CommandAck(id=made.id, device="P-4", accepted=True), T + 1)
        assert post.step(T + 1) == (["accepted"], [])
    return post, made.id


def test_who_was_on_the_way_is_sent_again_once_from_where_they_are(events: EventStore) -> None:
    _, number = sent(events)
    again = Post(events)
    assert again.step(T + 30) == ([], []), "nothing is known of them yet"
    again.fix(HALF, T + 31)
    assert again.step(T + 31) == (["sent"], [number])
    now = again.desk.live()[0]
    assert (now.metres, now.route[0], now.route[-1], now.steps[-1][2]) == (10.0, HALF, THERE, "sent again")
    assert now.expires_ms >= (T + 31 + 180) * 1000
    again.fix(HALF, T + 32)
    assert again.step(T + 32) == ([], []), "once"
    again.fix(THERE, T + 40)
    assert again.step(T + 40) == (["arrived"], [])


def test_who_got_there_meanwhile_has_arrived_even_late(events: EventStore) -> None:
    _, _ = sent(events)
    again = Post(events)
    assert again.step(T + 9_000) == ([], [])
    again.fix(THERE, T + 9_001)
    assert again.step(T + 9_001) == (["arrived"], [])


def test_who_is_never_seen_again_runs_out(events: EventStore) -> None:
    sent(events)
    again = Post(events)
    assert again.step(T + 9_000) == ([], [])
    assert again.step(T + 9_000 + RESUME_SECS) == (["expired"], [])


def test_who_had_arrived_and_left_is_called_back_without_unsaying_it(events: EventStore) -> None:
    post, number = sent(events)
    post.fix(THERE, T + 20)
    assert post.step(T + 20) == (["arrived"], [])
    again = Post(events)
    again.step(T + 30)
    again.fix(HOME, T + 31)
    assert again.step(T + 31) == ([], [number])
    assert again.desk.live()[0].state == "arrived"


def test_an_order_nobody_answered_is_sent_again_when_the_line_is_back(events: EventStore) -> None:
    post, number = sent(events, is_accepted=False)
    post.desk.line_back()
    assert post.step(T + 20) == ([], [])
    post.fix(HOME, T + 21)
    assert post.step(T + 21) == (["sent"], [number])
    accepted, _ = sent_after_answer(post, number)
    assert accepted == ["accepted"]
    post.desk.line_back()
    post.fix(HALF, T + 30)
    assert post.step(T + 30) == ([], []), "who answered is left alone"


def sent_after_answer(post: Post, number: str) -> tuple[list[str], list[str]]:
    post.desk.acknowledge(CommandAck(id=number, device="P-4", accepted=True), T + 22)
    return post.step(T + 22)
