"""The EEMUA 191 figures against a count by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.alarm_kpis import CALLS, Step, alarm_kpis

T0 = 1_700_000_000.0 // 600 * 600
LEVEL = {"a": 1, "b": 2, "c": 4}
STEP = st.tuples(st.integers(0, 7199), st.integers(1, 6), st.sampled_from("abc"),
                 st.sampled_from([("raised", "unacknowledged"), ("raised", "shelved"), ("unshelved", "unacknowledged"),
                                  ("acknowledged", "acknowledged"), ("returned", "returned"), ("shelved", "shelved")]),
                 st.sampled_from(["", "li", "wang"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_the_figures_are_what_one_counts_by_hand(rows: list) -> None:
    steps = [Step(T0 + at, alarm, key, what, state, who if what in ("acknowledged", "shelved") else "")
             for at, alarm, key, (what, state), who in sorted(rows, key=lambda row: row[0])]
    found = alarm_kpis(steps, LEVEL.__getitem__, T0, T0 + 7200, 2)
    calls = [step for step in steps if step.what in CALLS and step.state == "unacknowledged"]
    buckets = Counter(int((step.time - T0) // 600) for step in calls)
    assert (found.count, found.average, found.average_each) == (len(calls), len(calls) / 12, len(calls) / 24)
    assert found.peak == max(buckets.values(), default=0)
    assert found.flood_share == pytest.approx(sum(n > 10 for n in buckets.values()) / 12)
    assert found.by_priority == tuple(sum(LEVEL[step.key] == p for step in calls) for p in (1, 2, 3, 4))
    assert dict(found.top) == Counter(step.key for step in calls)
    chatter = {}
    for key in "abc":
        own = sorted(step.time for step in calls if step.key == key)
        n = sum(own[k + 2] - own[k] <= 60 for k in range(len(own) - 2))
        chatter.update({key: n} if n else {})
    assert dict(found.chattering) == chatter
    assert {p.who: p.acknowledged for p in found.people} == {
        who: sum(s.who == who and s.what == "acknowledged" for s in steps) for who in {s.who for s in steps if s.who}}


def test_how_long_an_alarm_waits_is_told_for_each_person_and_what_nobody_took_up() -> None:
    steps = [Step(T0, 1, "a", "raised", "unacknowledged", ""), Step(T0 + 5, 2, "b", "raised", "unacknowledged", ""),
             Step(T0 + 40, 1, "a", "acknowledged", "acknowledged", "li"), Step(T0 + 50, 3, "c", "raised", "suppressed", "")]
    found = alarm_kpis(steps, LEVEL.__getitem__, T0, T0 + 600, 1)
    assert [(p.who, p.median_secs) for p in found.people] == [("li", 40.0)]
    assert (found.median_ack_secs, found.never_acked, found.count) == (40.0, 1, 2)
