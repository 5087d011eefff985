"""An incident's life, who is near on foot, and a person on the way: steps that can be taken and steps that cannot."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from twin.dispatch import on_ack, on_fix, on_time, step, time_for
from twin.graph import SceneGraph
from twin.incidents import (
    IncidentError,
    closed,
    joined,
    late,
    opened,
    run_state,
    settled,
    target,
    ticked,
    with_plan,
    with_target,
)
from twin.packs import load_packs
from twin.plans import load_plans, of_response, plans_dir
from twin.ports import CommandAck
from twin.reach import Reach
from twin.registry import Device, PointTable
from twin.walk import WalkGraph
from twin.wire import AlarmView, DispatchView, IncidentView, LinkageRun, LinkageStep

T = 1_700_000_000_000.0
FIRE = load_plans([plans_dir()], frozenset({"smoke.fire", "intrusion.intrusion", "door.forced", "chiller.fault"}))[0]["fire"]


def alarm(number: int = 7, priority: int = 1) -> AlarmView:
    return AlarmView(
        id=number, key="S.fire", device="S", node=3, priority=priority, state="unacknowledged", title="Fire", title_zh="火警",
        place="A", place_zh="甲", point="S.state", value=1.0, limit=None, unit="", raised_ms=T, changed_ms=T, acked_by=None,
        owner="Fire room", steps=["Look", "Call"], steps_zh=["看", "呼"], deadline_mins=2)


def incident() -> IncidentView:
    return opened(number=1, alarm=alarm(), rule="smoke.fire", plans=["fire"], now_ms=T)


def test_alarms_join_once_and_the_worst_priority_counts() -> None:
    low = replace(incident(), priority=3)
    more = joined(low, alarm(8, priority=2), T + 1)
    assert (more.alarms, more.priority, more.joined_ms) == ([7, 8], 2, T + 1)
    assert joined(more, alarm(8), T + 2) is more


def test_it_closes_only_with_a_note_and_when_no_alarm_of_it_is_live() -> None:
    with pytest.raises(IncidentError, match="1 of its alarms are not cleared"):
        closed(incident(), by="wang", note="put out", live=frozenset({7, 99}), now_ms=T)
    with pytest.raises(IncidentError, match="needs a note"):
        closed(incident(), by="wang", note=" ", live=frozenset(), now_ms=T)
    done = closed(incident(), by="wang", note="put out", live=frozenset({99}), now_ms=T + 5)
    assert (done.state, done.closed_by, done.closed_ms) == ("closed", "wang", T + 5)
    with pytest.raises(IncidentError, match="is closed"):
        closed(done, by="wang", note="again", live=frozenset(), now_ms=T)


def test_a_plan_is_started_once_ticked_and_undone_only_with_a_note() -> None:
    run = with_plan(incident(), FIRE, by="li", now_ms=T)
    with pytest.raises(IncidentError, match="already started"):
        with_plan(run, FIRE, by="li", now_ms=T)
    done = ticked(run, "verify", is_done=True, by="li", note="", now_ms=T + 9)
    assert done.plan is not None
    assert [(s.done_ms, s.done_by) for s in done.plan.steps if s.key == "verify"] == [(T + 9, "li")]
    with pytest.raises(IncidentError, match="already done"):
        ticked(done, "verify", is_done=True, by="li", note="", now_ms=T)
    with pytest.raises(IncidentError, match="undoing a step needs a note"):
        ticked(done, "verify", is_done=False, by="li", note="", now_ms=T)
    undone = ticked(done, "verify", is_done=False, by="li", note="wrong room", now_ms=T)
    assert undone.plan is not None
    assert next(s for s in undone.plan.steps if s.key == "verify").done_ms is None


def test_an_alarm_s_own_response_is_a_plan() -> None:
    plan = of_response(alarm())
    assert [(s.what, s.what_zh, s.limit_mins) for s in plan.steps] == [("Look", "看", 1.0), ("Call", "呼", 2.0)]
    assert plan.owner == "Fire room"


def test_a_linkage_step_stands_where_its_slowest_target_does() -> None:
    one = LinkageStep(key="doors", name="D", name_zh="门", state="waiting", limit_secs=40, started_ms=T,
                      targets=[target("D1", "D1", "", 3.0), target("D2", "D2", "", float("inf"))])
    assert one.targets[1].metres is None
    one = with_target(one, "D1", "confirmed", "", T + 1, "c1")
    assert (one.state, one.ended_ms) == ("waiting", None)
    one = with_target(one, "D2", "sent", "", T + 1, "c2")
    assert one.state == "sent"
    assert late(one, T + 39_000) is one
    over = late(one, T + 40_000)
    assert (over.state, [t.state for t in over.targets]) == ("expired", ["confirmed", "expired"])
    assert with_target(over, "D2", "confirmed", "", T + 50_000).state == "confirmed", "proof that comes late is proof"
    assert settled(replace(one, targets=[]), T).state == "none"


def test_a_run_is_done_only_when_nothing_failed() -> None:
    good = LinkageStep(key="a", name="A", name_zh="A", state="confirmed", limit_secs=1)
    run = LinkageRun(linkage="l", name="L", name_zh="L", state="running", by="", started_ms=T, steps=[good])
    assert run_state(run, T).state == "done"
    assert run_state(replace(run, steps=[good, replace(good, state="failed")]), T).state == "failed"
    assert run_state(replace(run, steps=[good, replace(good, state="sent")]), T).state == "running"


def park() -> Reach:
    """Two rooms that share a wall: the near camera is behind it, 1 m away but 42 m on foot; the other is 10 m on foot."""
    kinds = ["none", "park", "building", "storey", "space", "space", "device", "device", "device"]
    parent = [0, 0, 1, 2, 3, 3, 4, 5, 4]
    anchor = np.array([[0, 0, 0]] * 4 + [[0, 0, 0], [0, 2, 0], [0, 0, 2], [0, 1, 2], [10, 0, 2]], float)
    n = len(kinds)
    text = np.array([""] * n, object)
    ids = np.array(["", "park", "b", "b:s", "b:r1", "b:r2", "SMK", "CAM-WALL", "CAM-ROOM"], object)
    graph = SceneGraph({"id": ids, "kind": np.array(kinds, object), "parent": np.array(parent, np.uint32), "anchor": anchor,
                        "name": ids, "name_zh": text})
    rows = [Device(id=i, kind=k, name=i, name_zh="", building="", storey="", space="", guid="", at=None, feeds="", line=1)
            for i, k in (("SMK", "smoke"), ("CAM-WALL", "camera"), ("CAM-ROOM", "camera"))]
    xyz = np.array([[0, 0, 0], [10, 0, 0], [20, 0, 0], [20, 2, 0], [0, 2, 0]], float)
    walk = WalkGraph(xyz=xyz, node=np.array([4, 4, 0, 0, 5], np.uint32), kind=np.array(["space"] * 5, object),
                     edge=np.array([[0, 1], [1, 2], [2, 3], [3, 4]], np.int32), length=np.array([10.0, 10.0, 2.0, 20.0]),
                     edge_kind=np.array(["walk"] * 4, object))
    return Reach(graph, PointTable(rows, load_packs().kinds), walk)


def test_the_nearest_camera_is_the_nearest_on_foot_not_the_one_behind_the_wall() -> None:
    found = park().devices(6, "camera", "nearest", count=2)
    assert [(near.device, near.metres) for near in found] == [("CAM-ROOM", 10.0), ("CAM-WALL", 42.0)]


def test_people_are_near_by_the_way_they_walk() -> None:
    reach = park()
    metres = reach.people(6, np.array([[0, 2.2, 0], [11, 0, 0]], float))
    assert metres.tolist() == [42.0, 10.0]
    way = reach.way(np.array([0, 2.2, 0]), 6)
    assert way is not None
    assert way[0][-1] == (0.0, 0.0, 0.0)
    assert len(way[0]) == 6


def test_devices_by_relation_leave_out_the_one_that_raised_the_alarm() -> None:
    reach = park()
    assert {n.device for n in reach.devices(6, "camera", "storey")} == {"CAM-ROOM", "CAM-WALL"}
    assert reach.devices(6, "smoke", "building", besides="SMK") == []
    assert [n.device for n in reach.devices(6, "smoke", "device", besides="SMK")] == ["SMK"]


def dispatch() -> DispatchView:
    return DispatchView(
        id="d", incident=1, track=4, person="P-4", name="A", name_zh="甲", role="guard", node=6, place="", place_zh="",
        reason="look", by="li", state="requested", metres=42.0, route=[(0.0, 2.0, 0.0), (0.0, 0.0, 0.0)],
        steps=[("requested", T, "")], expires_ms=T + time_for(42.0) * 1000)


def test_a_person_has_arrived_only_when_a_later_fix_on_that_floor_says_so() -> None:
    sent = on_time(dispatch(), T + 100)
    assert sent.state == "sent"
    gone = on_ack(sent, CommandAck(id="d", device="P-4", accepted=True), T + 3000)
    here = np.array([1.0, 1.0, 0.2])
    assert on_fix(gone, here, T + 2000) is gone, "a fix from before the answer proves nothing"
    assert on_fix(gone, here + np.array([0, 0, 3.6]), T + 9000) is gone, "one floor above is not there"
    assert on_fix(gone, here + np.array([9, 0, 0]), T + 9000) is gone
    assert on_fix(gone, here, T + 9000).state == "arrived"


def test_a_person_who_does_not_come_or_does_not_want_to() -> None:
    sent = step(dispatch(), "sent", T)
    assert on_time(sent, sent.expires_ms - 1) is sent
    assert on_time(sent, sent.expires_ms).state == "expired"
    assert on_ack(sent, CommandAck(id="d", device="P-4", accepted=False, note="busy"), T).state == "refused"
