"""The wall's tour: moved on by the clock, interrupted by what is urgent, let go by a person or once it is over."""

import pytest

from twin.wall import (
    LEAD_MS,
    TURN_MS,
    Stop,
    Urgent,
    Wall,
    WallError,
    advance,
    aimed,
    focus_of,
    forget,
    interrupt,
    pause,
    places,
    resume,
    resumes_ms,
    settle,
    show,
    step,
    with_stops,
)

STOPS = tuple(Stop(name=n, node=n, seconds=10) for n in "abc")
TOUR = Wall(stops=STOPS, started_ms=1_000)
FIRE, LEAK = Urgent(key="alarm:7", node="lab"), Urgent(key="alarm:8", node="plant")


def test_tour_goes_on_by_the_clock_and_round():
    assert advance(TOUR, 10_999) is TOUR
    assert (advance(TOUR, 11_000).at, advance(TOUR, 11_000).started_ms) == (1, 11_000)
    assert advance(advance(TOUR, 25_000), 31_500).at == 0


def test_after_a_long_absence_the_wall_is_at_the_same_stop():
    back = advance(TOUR, 1_000_000)
    assert (back.at, back.started_ms) == (0, 1_000_000)


# ---- a stop whose place is gone -------------------------------------------------------------------------------------
def test_a_stop_whose_place_is_gone_is_passed_over_and_named():
    on = advance(TOUR, 11_000, missing={1})
    assert (on.at, on.skipped, on.started_ms) == (2, (1,), 11_000)
    assert advance(on, 21_000, missing={1}).skipped == ()


def test_a_place_that_vanishes_while_it_is_shown_is_left_at_once():
    at_b = advance(TOUR, 11_000)
    left = advance(at_b, 12_000, missing={1})
    assert (left.at, left.skipped, left.started_ms) == (2, (1,), 12_000)


def test_a_tour_of_which_nothing_exists_stays_and_says_so_and_goes_on_when_it_does():
    none = advance(TOUR, 11_000, missing={0, 1, 2})
    assert none.skipped == (0, 1, 2)
    assert aimed(none, 11_000, {0, 1, 2}).shots[-1].node == "park"
    with pytest.raises(WallError, match="no place of the tour exists"):
        step(none, 1, 12_000, "op", {0, 1, 2})
    assert advance(none, 12_000).skipped == ()


def test_an_operator_steps_over_what_is_gone_both_ways():
    assert (step(TOUR, 1, 5_000, "op", {1}).at, step(TOUR, 1, 5_000, "op", {1}).skipped) == (2, (1,))
    assert (step(TOUR, -1, 5_000, "op", {2}).at, step(TOUR, -1, 5_000, "op", {2}).skipped) == (1, (2,))


# ---- what is urgent -------------------------------------------------------------------------------------------------
def test_an_urgent_alarm_stops_the_tour_and_no_timer_alone_resumes_it():
    taken = interrupt(advance(TOUR, 15_000), FIRE, 15_000)
    assert (taken.mode, focus_of(taken), taken.at) == ("alarm", "lab", 1)
    assert resumes_ms(taken) == 0
    assert advance(taken, 9_000_000) is taken
    back = resume(taken, 9_000_000, "lead")
    assert (back.mode, back.at, back.started_ms, back.urgent) == ("tour", 1, 9_000_000 - 4_000, ())


def test_once_over_it_leaves_by_itself_and_the_tour_goes_on_where_it_was():
    taken = settle(interrupt(advance(TOUR, 15_000), FIRE, 15_000), "alarm:7", 60_000)
    assert resumes_ms(taken) == 60_000
    assert advance(taken, 59_999) is taken
    back = advance(taken, 60_000)
    assert (back.mode, back.at, back.started_ms, back.let_go) == ("tour", 1, 60_000 - 4_000, ("alarm:7",))


def test_what_the_alarm_took_the_wall_from_is_what_it_goes_back_to():
    held = pause(TOUR, 5_000, "op")
    assert advance(settle(interrupt(held, FIRE, 6_000), "alarm:7", 7_000), 7_000).mode == "paused"
    shown = show(TOUR, "b", 5_000, "op")
    back = advance(settle(interrupt(shown, FIRE, 6_000), "alarm:7", 7_000), 7_000)
    assert (back.mode, back.node) == ("manual", "b")


def test_a_second_one_takes_the_camera_both_stay_and_the_camera_goes_between_them():
    two = interrupt(interrupt(TOUR, FIRE, 2_000), LEAK, 3_000)
    assert places(two) == ("lab", "plant")
    assert focus_of(two) == "plant"
    assert focus_of(advance(two, 3_000 + TURN_MS)) == "lab"
    assert focus_of(advance(advance(two, 3_000 + TURN_MS), 3_000 + 2 * TURN_MS)) == "plant"


def test_two_of_one_place_are_one_place():
    two = interrupt(interrupt(TOUR, FIRE, 2_000), Urgent(key="alarm:9", node="lab"), 3_000)
    assert places(two) == ("lab",)
    assert len(two.urgent) == 2


def test_when_one_of_two_is_over_the_other_stays_on_the_wall():
    two = settle(interrupt(interrupt(TOUR, FIRE, 2_000), LEAK, 3_000), "alarm:8", 9_000)
    assert resumes_ms(two) == 0, "the other one has no end yet"
    left = advance(two, 9_000)
    assert (left.mode, focus_of(left), [one.key for one in left.urgent]) == ("alarm", "lab", ["alarm:7"])


def test_one_let_go_stays_away_but_for_a_persons_hand_or_when_it_comes_anew():
    back = resume(interrupt(TOUR, FIRE, 2_000), 3_000, "lead")
    assert interrupt(back, FIRE, 4_000) is back
    assert interrupt(back, FIRE, 4_000, by="lead").mode == "alarm"
    assert interrupt(forget(back, ["alarm:7"]), FIRE, 4_000).mode == "alarm"


# ---- people ---------------------------------------------------------------------------------------------------------
def test_driving():
    assert step(TOUR, -1, 5_000, "op").at == 2
    held = pause(TOUR, 5_000, "op")
    assert advance(held, 90_000) is held
    assert resume(held, 90_000, "op").started_ms == 86_000
    assert show(TOUR, "b", 5_000, "op").node == "b"
    with pytest.raises(WallError):
        step(interrupt(TOUR, FIRE, 2_000), 1, 5_000, "op")
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
    with pytest.raises(WallError, match="layer 'smell'"):
        with_stops(at_b, (Stop(name="x", node="x", layers=["smell"]),), 0)


# ---- the camera -----------------------------------------------------------------------------------------------------
def test_every_change_of_place_is_a_flight_of_the_shared_clock():
    first = aimed(TOUR, 1_000)
    assert [(s.node, s.flight_ms) for s in first.shots] == [("a", 0)]
    assert aimed(first, 2_000) is first
    second = aimed(advance(first, 11_000), 11_000)
    assert [s.node for s in second.shots] == ["a", "b"]
    assert second.shots[-1].since_ms == 11_000 + LEAD_MS
    assert second.shots[-1].flight_ms > 0
    taken = aimed(interrupt(second, FIRE, 12_000), 12_000)
    assert [s.node for s in taken.shots] == ["a", "b", "lab"]
    assert taken.shots[-1].flight_ms < second.shots[-1].flight_ms, "an alarm is flown to faster"
