"""R8 to R10 and R12: hostile payloads, clocks that lie, readings out of order and twice, points that chatter."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from faults_park import MQTT, POSTED, TOKEN, Later, batch, kept, post, raised
from full_size import measured, size
from own_broker import BINARY, PUB, Broker
from served_park import Served, build_park, free_port, serving, until

from twin.live.frames import decode
from twin.wire import FrameKind, Quality

CHATTERERS = 101  # the first of them stays calm
MORE = "".join(f"CHG-{i},charger,Charger {i},充电桩 {i},,,,,{i % 100},5,0,\n" for i in range(CHATTERERS))
TAGS = """id = "tags"
name = "Tags"
name_zh = "标签"
[[kinds]]
id = "tag"
name = "Asset tag"
name_zh = "资产标签"
symbol = "meter"
points = [
  { key = "note", name = "Note", name_zh = "备注", type = "text", period_secs = 10 },
  { key = "at", name = "Position", name_zh = "位置", type = "position", period_secs = 10 },
]
simulate = { note = { model = "constant", value = "idle" } }
"""
NUMBERS = ("AHU-2.supply_temp", "AHU-2.filter_dp", "WX-1.temp", "WX-1.humidity", "MTR-0.power", "MTR-0.current")


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Broker]]:
    if not (BINARY and PUB):
        pytest.skip("mosquitto is not installed")
    made = tmp_path_factory.mktemp("made")
    (made / "packs").mkdir()
    (made / "packs" / "tags.toml").write_text(TAGS, "utf-8")
    build_park(made, MORE + "TAG-1,tag,Tag,标签,,,,,30,30,1,\n")
    broker = Broker(free_port(), tmp_path_factory.mktemp("broker"))
    broker.start()
    (made / "push.token").write_text(TOKEN, "utf-8")
    try:
        (made / "park.toml").write_text(POSTED + MQTT.format(port=broker.port), "utf-8")
        with serving(made, made) as served:
            links = served.services.runner.core.links
            until(lambda: "mqtt" in links and links["mqtt"].state == "live", 15, "the line to the broker is live")
            yield served, broker
    finally:
        broker.stop(hard=True)


@pytest.fixture
def clock(park: tuple[Served, Broker], monkeypatch: pytest.MonkeyPatch) -> Later:
    made = Later()
    monkeypatch.setattr(park[0].services.runner.core, "clock", made)
    return made


@pytest.mark.broker
def test_r08_hostile_payloads_are_counted_by_reason_and_nothing_good_is_lost(park: tuple[Served, Broker]) -> None:
    """R8: hostile messages over MQTT, every tenth of them good (scaled: 20,000), and 80,000 hostile values in posts."""
    served, broker = park
    core, connector = served.services.runner.core, served.services.runner.connector
    begin, good, lines = time.time() - 600, {}, []
    hostile = [b'{"ts": 1, "v": {"temp": NaN}}', b'{"ts": 1, "v": {"temp": -Infinity}}',
               b'{"ts": 1, "v": {"temp": "\xff\xfe"}}', b"[" * 3000, b'{"v": ' * 2000,
               b'{"ts": %d, "v": {"temp": 1e400}}' % (begin * 1000 - 1),
               b'{"ts": 1e400, "v": {"temp": 1}}', b'{"ts": 1, "v": {"no_such_point": 1}}',
               b'{"ts": %d, "v": {"temp": "warm"}}' % (begin * 1000 - 2)]
    for k in range(size(11_200, 2000)):
        at = round(begin * 1000) + k * 50
        good[at] = 10.0 + k % 2 * 10 + k / 1000
        lines += [*hostile, json.dumps({"ts": at, "v": {"temp": good[at]}}).encode()]
    lines[5:5] = [b"x" * 1_000_000, b'{"ts": 1, "v": {"temp": "' + b"y" * 1_000_000 + b'"}}']
    refused, counts = dict(connector.refused), core.state.counts
    broker.publish_lines("parktwin/tiny/ENV-1/telemetry", lines)
    until(lambda: core.state.value[served.slot("ENV-1.temp")] == good[max(good)], size(300, 60), "the last good one is shown")
    until(lambda: dict(kept(served, "ENV-1.temp", begin - 100, begin + 600)) == good, 10, "and all of them are on record")

    def grown() -> dict[str, int]:
        now = core.state.counts
        more = {reason: count - refused.get(reason, 0) for reason, count in connector.refused.items()}
        return more | {reason: now[reason] - counts[reason] for reason in now if reason not in ("taken", "derived", "ahead")}

    told = {reason: count for reason, count in grown().items() if count}
    assert sum(told.values()) >= len(lines) - len(good), told
    assert {"DecodeError", "unknown point"} <= set(told), told
    measured("R8 hostile messages over MQTT, each counted by reason", sum(told.values()), "messages", len(lines) - len(good),
             "at least", note=f"{len(good):,} good ones among them all kept; {told}")

    values = ["NaN", "Infinity", "1e400", "\u0000", "9" * 400, "<img src=x onerror=alert(1)>", "", "0x1F", "nan", "-inf"]
    bodies = [[{"ts": round(begin * 1000) + k, "d": {"ENV-2": {"temp": values[k % 10], "humidity": values[(k + 3) % 10]}}}
               for k in range(j, j + 8000)] for j in range(0, 40_000, 8000)]
    before = connector.refused["not a value of its point"]
    for body in bodies:
        answer = post(served, body)
        assert answer.json() == {"taken": 16_000, "refused": {"not a value of its point": 16_000}}
    assert connector.refused["not a value of its point"] - before == 80_000
    headers = {"authorization": f"Bearer {TOKEN}"}
    for raw in (b'{"d": {"ENV-2": {"temp": 1e400}}}', b'{"d": {"ENV-2": {"temp": NaN}}}', b"[" * 500_000, b"\xff" * 1_000):
        assert httpx.post(f"{served.origin}/api/v1/ingest", content=raw, headers=headers).status_code == 422
    state = core.state
    assert not (~np.isfinite(state.value) & (state.quality < Quality.BAD)).any(), "what is no number is never shown as good"
    history = served.services.history
    assert history.flush()
    rows = history.readings_in(round((begin - 10) * 1000), round(time.time() * 1000))
    assert (rows.quality[~np.isfinite(rows.value)] >= Quality.BAD).all()
    assert post(served, batch(time.time(), "ENV-2", temp=21.5)).json() == {"taken": 1, "refused": {}}
    until(lambda: state.value[served.slot("ENV-2.temp")] == 21.5, 5, "what is right still gets through")
    assert served.services.runner.faults == 0


def test_r09_clocks_that_lie_replace_nothing_and_silence_is_seen(park: tuple[Served, Broker], clock: Later) -> None:
    """R9: readings of 1970 and of ten years ahead, a device 10 s ahead, the server's own clock set an hour back and on."""
    served, _ = park
    core, slot = served.services.runner.core, served.slot("AHU-1.supply_temp")
    state, now = core.state, time.time()

    def say(at: float, value: float) -> tuple[float, int]:
        assert post(served, batch(at, "AHU-1", supply_temp=value)).status_code == 200
        return float(state.value[slot]), int(state.quality[slot])

    assert say(now, 16.0) == (16.0, Quality.GOOD)
    before = state.counts
    assert say(1.0, 17.0)[0] == 16.0
    assert say(now + 10 * 365.25 * 86400, 18.0)[0] == 16.0
    assert say(now - 1.0, 19.0)[0] == 16.0, "a newer value is never replaced"
    assert say(time.time() + 10.0, 20.0) == (20.0, Quality.UNCERTAIN), "taken, and flagged: its clock is ahead"
    grown = {reason: count - before[reason] for reason, count in state.counts.items() if count > before[reason]}
    assert grown == {"older": 2, "future": 1, "ahead": 1, "taken": 1}
    clock.ahead = -3600.0
    assert say(time.time() + 20, 25.0)[0] == 20.0, "an hour ahead of a server that is set back: quarantined"
    ticks = served.services.runner.ticks
    until(lambda: served.services.runner.ticks > ticks + 2, 10, "it ticks on")
    clock.ahead = -3600.0 + 4 * float(served.services.points.period[slot])
    until(lambda: state.quality[slot] == Quality.STALE, 5, "a silent point turns stale though the clock was set back")
    clock.ahead = 0.0
    assert say(time.time() + 3, 21.0)[0] == 20.0, "older than what the device said last"
    clock.ahead = 3600.0
    assert say(time.time() + 12, 22.0) == (22.0, Quality.GOOD), "a server that is ahead takes what is newer"


def called(served: Served) -> set[str]:
    """Alarms that stand, but for those of meters that nobody reads here."""
    return {alarm.key for alarm in served.services.runner.core.alarms() if not alarm.key.endswith(".silent")}


def test_r10_shuffled_and_repeated_readings_come_to_the_state_a_plain_oracle_comes_to(park: tuple[Served, Broker]) -> None:
    """R10: readings of six points in any order, a fifth of them twice (scaled: 60,000 instead of a million)."""
    served, _ = park
    state, rng, begin = served.services.runner.core.state, random.Random(10), time.time() - 3000
    count = size(840_000, 50_000)
    post(served, [batch(time.time() - 2000, "CHG-0", state="free")])
    rows = [(begin + k * 2000 / count, NUMBERS[rng.randrange(6)], round(rng.uniform(10, 25), 3)) for k in range(count)]
    rows += [(begin + k / 1000, "CHG-0.state", "fault") for k in range(200)]  # older than what it said last: no alarm
    rows += rng.sample(rows, count // 5)
    rng.shuffle(rows)
    newest: dict[str, tuple[float, float]] = {}
    for at, point, value in rows:
        if point in NUMBERS and at > newest.get(point, (0.0, 0.0))[0]:
            newest[point] = at, float(value)
    alarms = called(served)
    for j in range(0, len(rows), 20_000):
        assert post(served, [batch(at, point.split(".")[0], **{point.split(".")[1]: value})
                             for at, point, value in rows[j:j + 20_000]]).status_code == 200
    found = {point: (round(float(state.source[slot]) * 1000), float(state.value[slot]))
             for point in newest if (slot := served.slot(point)) >= 0}
    wrong = {point for point, (at, value) in newest.items() if found[point] != (round(at * 1000), value)}
    measured(f"R10 points that differ from the oracle's after {len(rows):,} readings", len(wrong), "points", 0)
    assert not wrong
    assert raised(served, ["CHG-0.fault"]) == {"CHG-0.fault": []}, "what is older than the last word raises nothing"
    assert called(served) == alarms, "no other alarm either"
    post(served, [batch(time.time(), "CHG-0", state="fault"), batch(time.time() + 0.01, "CHG-0", state="fault")])
    until(lambda: len(raised(served, ["CHG-0.fault"])["CHG-0.fault"]) == 1, 5, "what is newer does, once")


def test_r12_a_point_that_chatters_calls_three_times_a_minute_and_its_history_is_whole(park: tuple[Served, Broker],
                                                                                    clock: Later) -> None:
    """R12: 100 points that chatter at 1 Hz for two minutes, said in two minutes of source time at once."""
    served, _ = park
    core, begin = served.services.runner.core, time.time()
    keys = [f"CHG-{i}.fault" for i in range(1, CHATTERERS)]
    clock.ahead = 125.0
    rows = [batch(begin + k, f"CHG-{i}", state="fault" if k % 2 else "free")
            for k in range(120) for i in range(1, CHATTERERS)]
    assert post(served, rows).json()["taken"] == len(rows)
    calls = raised(served, keys)
    assert all(calls.values()), "each one called"
    measured(f"R12 calls a minute of {len(keys)} chattering points", max(sum(first <= t < first + 60 for t in times)
             for times in calls.values() for first in times), "calls", 3)
    for key, times in calls.items():
        assert all(later - first >= 60 for first, later in zip(times, times[3:], strict=False)), (key, times)
    assert all(core.book.of_key(key).is_active for key in keys), "held while it chatters"  # type: ignore[union-attr]
    for i in (1, 50, 100):
        assert len(kept(served, f"CHG-{i}.state", begin - 1, begin + 121)) == 120, "its history is whole"
    assert post(served, [batch(begin + 121, f"CHG-{i}", state="free") for i in range(1, CHATTERERS)]).status_code == 200
    clock.ahead = 200.0
    until(lambda: not any(core.book.of_key(key).is_active for key in keys), 10, "quiet for a minute: back to normal")  # type: ignore[union-attr]


HOSTILE = '<img src=x onerror=alert(1)>"\u202e\u0007\u0000 停机'


@pytest.mark.broker
def test_texts_and_positions_come_in_are_kept_as_of_then_and_stay_text(park: tuple[Served, Broker]) -> None:
    served, broker = park
    browser, begin = served.browser(), round(time.time() * 1000) - 5000

    def shown() -> dict[str, dict]:
        rows = browser.http.get("/api/v1/values", params={"device": "TAG-1"}).json()["values"]
        return {row["point"].removeprefix("TAG-1."): row for row in rows}

    assert post(served, {"ts": begin, "d": {"TAG-1": {"note": "leer", "at": [30.5, 31.0, 1.25]}}}).json() == {
        "taken": 4, "refused": {}}
    with browser.live() as page:
        told: dict[int, str] = {}
        while "leer" not in told.values():
            said = json.loads(message) if isinstance(message := page.recv(timeout=10), str) else {}
            told |= dict(zip(said["codes"], said["texts"], strict=True)) if said.get("t") == "texts" else {}
        broker.publish("parktwin/tiny/TAG-1/telemetry", json.dumps({"ts": begin + 1000, "v": {
            "note": HOSTILE, "at": [32.0, 33.0, 2.0]}}).encode())
        seen = False
        while HOSTILE not in told.values() or not seen:
            message = page.recv(timeout=10)
            said = json.loads(message) if isinstance(message, str) else {}
            told |= dict(zip(said["codes"], said["texts"], strict=True)) if said.get("t") == "texts" else {}
            if isinstance(message, bytes) and (frame := decode(message)).kind is FrameKind.VALUES:
                values = frame.columns["value"][frame.columns["slot"] == served.slot("TAG-1.note")]
                seen = seen or any(told.get(int(value)) == HOSTILE for value in values)
    assert shown()["note"]["text"] == HOSTILE
    assert [shown()[f"at_{axis}"]["value"] for axis in "xyz"] == [32.0, 33.0, 2.0]
    before = shown()
    assert post(served, {"ts": begin + 500, "d": {"TAG-1": {"note": "older", "at": [1, 1, 1]}}}).status_code == 200
    assert post(served, {"ts": begin + 86_400_000, "d": {"TAG-1": {"note": "future"}}}).status_code == 200
    assert shown() == before, "neither older nor out of the future"
    refused = post(served, {"ts": begin + 2000, "d": {"TAG-1": {"note": "x" * 257, "at": [1, 2]}}}).json()["refused"]
    assert refused == {"not a value of its point": 4}
    assert [shown()[key]["quality"] for key in ("note", "at_x", "at_y", "at_z")] == ["bad"] * 4
    assert post(served, {"ts": begin + 3000, "d": {"TAG-1": {"note": 7}}}).json()["refused"] == {
        "not a value of its point": 1}
    span = {"from_ms": begin, "to_ms": begin + 4000}
    past = browser.http.get("/api/v1/history", params={"point": "TAG-1.note", **span}).json()
    assert list(zip(past["t"], past["text"], strict=True))[:2] == [(begin, "leer"), (begin + 1000, HOSTILE)]
    then = served.services.history.as_of((begin + 500) / 1000)
    assert served.services.points.texts.text(then.value[served.slot("TAG-1.note")]) == "leer"
    rows = browser.http.get("/api/v1/history/export", params={"points": "TAG-1.*", "form": "parquet", **span}).content
    table = pq.read_table(io.BytesIO(rows))
    assert pa.types.is_dictionary(table.schema.field("text").type)
    assert table.filter(pc.equal(table["point"], "TAG-1.note"))["text"].to_pylist()[:2] == ["leer", HOSTILE]
