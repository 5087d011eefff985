"""The wall's tour: moved on by the clock, interrupted by urgent alarms, resumed by a person alone."""

import pytest

from twin.wall import Stop, Wall, WallError, advance, interrupt, pause, resume, show, step, still_urgent, with_stops

STOPS = tuple(Stop(name=n, node=n, seconds=10) for n in "abc")
TOUR = Wall(stops=STOPS, started_ms=1_000)


def test_tour_goes_on_by_the_clock_and_round():
    assert advance(TOUR, 10_999) is TOUR
    assert (advance(TOUR, 11_000).at, advance(TOUR, 11_000).started_ms) == (1, 11_000)
    assert advance(advance(TOUR, 25_000), 31_500).at == 0


def test_after_a_long_absence_the_wall_is_at_the_same_stop():
    back = advance(TOUR, 1_000_000)
    assert (back.at, back.started_ms) == (0, 1_000_000)


def test_an_urgent_alarm_stops_the_tour_and_no_timer_resumes_it():
    taken = interrupt(advance(TOUR, 15_000), 7, 15_000)
    assert (taken.mode, taken.alarms, taken.at) == ("alarm", (7,), 1)
    assert advance(taken, 9_000_000) is taken
    back = resume(taken, 9_000_000, "lead")
    assert (back.mode, back.at, back.started_ms, back.alarms) == ("tour", 1, 9_000_000 - 4_000, ())


def test_a_second_urgent_alarm_joins_a_third_does_not_and_one_let_go_stays_away():
    two = interrupt(interrupt(interrupt(TOUR, 7, 2_000), 8, 2_000), 9, 2_000)
    assert two.alarms == (7, 8)
    back = resume(two, 3_000, "lead")
    assert interrupt(back, 7, 4_000) is back
    assert interrupt(back, 7, 4_000, by="lead").alarms == (7,)


def test_an_alarm_let_go_that_returned_and_comes_again_takes_the_wall_again():
    back = resume(interrupt(interrupt(TOUR, 7, 2_000), 8, 2_000), 3_000, "lead")
    after = still_urgent(back, frozenset({8}))
    assert interrupt(after, 7, 4_000).alarms == (7,)
    assert interrupt(after, 8, 4_000) is after


def test_driving():
    assert step(TOUR, -1, 5_000, "op").at == 2
    held = pause(TOUR, 5_000, "op")
    assert advance(held, 90_000) is held
    assert resume(held, 90_000, "op").started_ms == 86_000
    assert show(TOUR, "b", 5_000, "op").node == "b"
    with pytest.raises(WallError):
        step(interrupt(TOUR, 7, 2_000), 1, 5_000, "op")
    with pytest.raises(WallError):
        step(Wall(), 1, 5_000, "op")


def test_editing_keeps_the_stop_shown_and_refuses_what_cannot_run():
    at_b = advance(TOUR, 11_000)
    assert with_stops(at_b, (STOPS[2], STOPS[1]), 12_000).at == 1
    assert with_stops(at_b, (STOPS[0],), 12_000).at == 0
    with pytest.raises(WallError, match="stays 1 s"):
        with_stops(at_b, (Stop(name="x", node="x", seconds=1),), 0)
    with pytest.raises(WallError, match="six numbers"):
        with_stops(at_b, (Stop(name="x", node="x", camera=[float("nan")] * 6),), 0)
