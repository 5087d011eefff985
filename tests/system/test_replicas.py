"""Two servers of one park: the same picture at both, one writer, and nothing lost or done twice when it goes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from faults_park import TOKEN, batch
from replica_rig import BINARY, PUB, SUB, Pair, Server, two_servers
from served_park import until

from scenes.compile import compile_park
from twin.parkfile import load_park

pytestmark = [pytest.mark.postgres, pytest.mark.broker,
              pytest.mark.skipif(not (BINARY and PUB and SUB), reason="mosquitto is not installed")]


@pytest.fixture(scope="module")
def pair(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_servers(built, tmp_path_factory.mktemp("replicas")) as both:
        yield both


def told(server: Server, kind: str, secs: float, **wanted: object) -> dict:
    """The first message of a kind that a browser of a server gets, joining now."""
    with server.live() as socket:
        end = time.monotonic() + secs
        while True:
            message = socket.recv(timeout=max(0.01, end - time.monotonic()))
            if isinstance(message, str):
                body = json.loads(message)
                if body["t"] == kind and all(body.get(key) == value for key, value in wanted.items()):
                    return body


def both_say(pair: Pair, key: str, state: str) -> None:
    until(lambda: pair.a.alarms().get(key, (0, ""))[1] == state == pair.b.alarms().get(key, (0, ""))[1], 10,
          f"{key} is {state} at both: {pair.a.alarms()} {pair.b.alarms()}")
    assert pair.a.alarms() == pair.b.alarms()


def test_both_show_the_same_and_one_writes(pair: Pair) -> None:
    writer, follower = pair.by_role()
    assert [server.ready()["role"] for server in (writer, follower)] == ["writer", "follower"]
    assert told(follower, "servers", 5)["writer"] == writer.ready()["here"]
    for device in ("SMK-1", "SMK-2"):
        pair.tell(device, state="normal")
    pair.tell("ENV-1", temp=23.5)
    until(lambda: pair.a.value("ENV-1.temp") == 23.5 == pair.b.value("ENV-1.temp"), 10, "the same value at both")
    pair.tell("AHU-1", status="fault")
    both_say(pair, "AHU-1.fault", "unacknowledged")
    assert told(follower, "alarm", 5, key="AHU-1.fault")["id"] == pair.a.alarms()["AHU-1.fault"][0]
    assert pair.steps("AHU-1.fault") == ["raised"]


def test_a_word_at_the_one_that_follows_holds_at_both(pair: Pair) -> None:
    writer, follower = pair.by_role()
    number = follower.alarms()["AHU-1.fault"][0]
    answer = follower.post(f"alarms/{number}/acknowledge")
    assert (answer.status_code, answer.json()["state"]) == (200, "acknowledged"), answer.text
    both_say(pair, "AHU-1.fault", "acknowledged")
    again = follower.post(f"alarms/{number}/acknowledge")
    assert (again.status_code, again.json()["code"]) == (422, "alarm.not_waiting"), "refusals come back as they are"
    shelved = follower.post("alarms/aside", {"key": "SMK-1.fault", "kind": "shelved", "reason": "being mended", "mins": 30})
    assert shelved.status_code == 200, shelved.text
    until(lambda: [row["key"] for row in follower.get("alarms/aside")["aside"]] == ["SMK-1.fault"], 5, "it is seen")
    moved = follower.post("wall/drive", {"verb": "pause"})
    assert moved.status_code == 200, moved.text
    until(lambda: follower.get("wall")["mode"] == writer.get("wall")["mode"] == "paused", 5, "the wall is one")
    assert follower.post("wall/drive", {"verb": "resume"}).status_code == 200


FENCE = {"id": "by-the-gate", "name": "By the gate", "name_zh": "门旁", "rule": "enter",
         "ring": [[10, 0], [30, 0], [30, 12], [10, 12]], "response": {
             "owner": "guard", "owner_zh": "保安", "steps": ["Look"], "steps_zh": ["查看"], "deadline_mins": 5}}
ZONE = {"what": "zone", "id": "north", "name": "North", "ring": [[0, 0], [90, 0], [90, 90]]}


def build_of(server: Server) -> str:
    try:
        return server.get("park")["build"]
    except httpx.TransportError:  # between two builds
        return ""


def test_a_fence_drawn_at_one_is_watched_by_both(pair: Pair) -> None:
    _, follower = pair.by_role()
    assert (answer := follower.post("fences", FENCE)).status_code == 200, answer.text
    for server in (pair.a, pair.b):
        until(lambda server=server: [f["id"] for f in server.get("fences")["fences"]] == [FENCE["id"]], 5, "it stands there")


def test_a_post_at_one_with_its_copy_at_the_other_is_one_alarm_at_both(pair: Pair) -> None:
    """As `mirror` in docs/deploy/nginx.conf sends it: a post to either, a copy to the other."""
    body = [batch(time.time(), "ENV-2", temp=27.25), batch(time.time(), "AHU-2", status="fault")]
    for server in pair.by_role()[::-1]:
        answer = httpx.post(f"http://{server.name}/api/v1/ingest", json=body, headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.json() == {"taken": 2, "refused": {}}
    until(lambda: pair.a.value("ENV-2.temp") == 27.25 == pair.b.value("ENV-2.temp"), 5, "both show it")
    both_say(pair, "AHU-2.fault", "unacknowledged")
    assert pair.steps("AHU-2.fault") == ["raised"]
    pair.tell("AHU-2", status="on")


def test_an_edit_at_one_is_seen_at_the_other_and_its_build_served_by_both(pair: Pair) -> None:
    writer, follower = pair.by_role()
    former = build_of(writer)
    version = follower.get("edits")["version"]
    assert (answer := follower.post("edits", {"version": version, "edit": ZONE})).status_code == 200, answer.text
    for server in (writer, follower):
        assert [change["key"] for change in server.get("edits")["journal"]] == ["zone:north"], server.get("edits")["journal"]
    assert (answer := follower.post("edits/publish")).status_code == 202, answer.text
    until(lambda: former != build_of(writer) == build_of(follower) != "", 90, "both serve the new build")
    for server in (writer, follower):
        assert "North" in {node["name"] for node in server.get("tree")["nodes"]}
    until(lambda: {server.ready().get("role") for server in (writer, follower)} == {"writer", "follower"}, 20, "one writes")
    both_say(pair, "AHU-1.fault", "acknowledged")


def test_a_build_made_beside_them_is_served_by_both(pair: Pair) -> None:
    former, park = build_of(pair.a), pair.a.park
    text = (park / "devices.csv").read_text("utf-8")
    (park / "devices.csv").write_text(text.replace("South gate", "Gate of the south"), "utf-8")
    compile_park(load_park(park), jobs=1)
    until(lambda: former != build_of(pair.a) == build_of(pair.b) != "", 60, "both serve it")
    for server in (pair.a, pair.b):
        assert "Gate of the south" in {device["name"] for device in server.get("devices")["devices"]}
    until(lambda: {server.ready().get("role") for server in (pair.a, pair.b)} == {"writer", "follower"}, 20, "one writes")


def test_a_writer_that_stood_still_writes_nothing_when_it_wakes(pair: Pair) -> None:
    writer, follower = pair.by_role()
    writer.signal(signal.SIGSTOP)
    try:
        pair.tell("AHU-2", status="fault")
        until(lambda: follower.ready()["role"] == "writer", 30, "the other takes over")
        until(lambda: "AHU-2.fault" in follower.alarms(), 20, "what was met meanwhile is raised")
    finally:
        writer.signal(signal.SIGCONT)
    until(lambda: writer.ready().get("role") == "follower", 20, "it has learnt that it no longer writes")
    both_say(pair, "AHU-2.fault", "unacknowledged")
    assert pair.steps("AHU-2.fault") == ["raised"], "once"
    assert "no longer writes" in writer.log()
    with pair.record() as store:
        assert store.verify() == []


def test_the_writer_is_killed_and_nothing_is_lost_or_done_twice(pair: Pair) -> None:
    writer, follower = pair.by_role()
    pair.tell("GATE-1", state="closed")
    before = follower.alarms()
    until(lambda: follower.value("GATE-1.state") == 0, 5, "the gate is heard")
    given = follower.post("commands", {"device": "GATE-1", "key": "open", "args": {}, "idempotency_key": "over-the-gap-1"})
    assert given.status_code == 200, given.text
    number = given.json()["id"]
    until(lambda: number in pair.orders(), 10, "the order is on its way")
    writer.stop(hard=True)
    killed = time.monotonic()
    pair.tell("GATE-2", state="fault")
    pair.tell("GATE-2", state="closed")
    pair.tell("SMK-2", state="alarm")
    pair.tell("GATE-1", state="open")
    until(lambda: follower.ready().get("role") == "writer", 30, "the other takes over")
    print(f"\ntaken over {time.monotonic() - killed:.2f} s after kill -9")
    until(lambda: {"GATE-2.fault", "SMK-2.fire", "AHU-1.fault"} <= set(follower.alarms()), 20, "what came in the gap")
    assert follower.alarms()["AHU-1.fault"] == before["AHU-1.fault"], "the same alarm, number and word"
    assert pair.steps("GATE-2.fault") == ["raised", "returned"], "it came and went in the gap: once each"
    assert pair.steps("SMK-2.fire") == ["raised"]
    until(lambda: [i["alarms"] for i in follower.get("incidents")["incidents"]] == [[follower.alarms()["SMK-2.fire"][0]]], 10,
          "the fire opened one incident")

    def state() -> str:
        return next(row["state"] for row in follower.get("commands") if row["id"] == number)

    until(lambda: state() == "confirmed", 20, f"the command is confirmed by the gate's own word: {state()}")
    assert pair.orders().count(number) == 1, "and was sent once"
    assert len(set(pair.orders())) == len(pair.orders()), "as was every other"
    assert follower.post("commands", {"device": "GATE-1", "key": "open", "args": {}, "idempotency_key": "over-the-gap-1"}
                         ).json()["id"] == number, "asked again with the same key it is the same command"
    with pair.record() as store:
        assert store.verify() == []
