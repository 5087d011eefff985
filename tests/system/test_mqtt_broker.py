"""A park on a real broker of its own: telemetry in, hostile bytes, the line lost and found, a command there and back."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from full_size import measured, size
from own_broker import BINARY, PUB, SUB, Broker
from served_park import Served, first_frame, free_port, serving, until, values

from twin.wire import Quality

pytestmark = [pytest.mark.broker, pytest.mark.skipif(not (BINARY and PUB and SUB), reason="mosquitto is not installed")]


@dataclass(slots=True)
class Field:
    """A served park and its broker."""

    served: Served
    broker: Broker

    def tell(self, device: str, **points: object) -> None:
        """Telemetry of a device, now."""
        self.broker.publish(f"parktwin/tiny/{device}/telemetry", json.dumps({"ts": time.time() * 1000, "v": points}).encode())

    @property
    def refused(self) -> dict[str, int]:
        """What the connector could not use, by reason."""
        return self.served.services.runner.connector.refused  # type: ignore[attr-defined]

    def settled(self) -> bool:
        """Whether what is shown is on disk; a tick shows it first and hands it over then."""
        ticks = self.served.services.runner.ticks
        until(lambda: self.served.services.runner.ticks > ticks + 1, 10, "it ticks")
        return self.served.services.history.flush()

    def is_live(self) -> bool:
        link = self.served.services.runner.core.links.get("mqtt")
        return link is not None and link.state == "live"


@pytest.fixture(scope="module")
def on_broker(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """The park on MQTT."""
    broker = Broker(free_port(), tmp_path_factory.mktemp("broker"))
    broker.start()
    try:
        at = tmp_path_factory.mktemp("mqtt") / "park"
        with serving(built, at, source=f"mqtt://127.0.0.1:{broker.port}") as served:
            park = Field(served, broker)
            until(park.is_live, 10, "the line to the broker is live")
            yield park
    finally:
        broker.stop(hard=True)


def test_telemetry_is_on_the_live_socket_within_two_seconds(on_broker: Field) -> None:
    with on_broker.served.browser().live() as socket:
        first_frame(socket)
        on_broker.tell("ENV-1", temp=23.5)
        assert values(socket, on_broker.served.slot("ENV-1.temp"), lambda v, q: v == 23.5, 2.0) == (23.5, Quality.GOOD)


@pytest.mark.parametrize(("payload", "is_counted"), [
    (b'{"ts": 1, "v": {"temp": NaN}}', True), (b'{"ts": 1, "v": {"temp": "\xff\xfe"}}', True), (b" ", True),
    (b"[" * 1_000_000, True), (b'{"v": ' * 100_000, True), (b'{"ts": 1, "v": {"no_such_point": 1}}', True),
    (b'{"ts": "yesterday", "v": {}}', True), (b'{"ts": 1e999, "v": {"temp": 1}}', False),
    (b'{"ts": 1, "v": {"temp": 1e999}}', False), (b'{"ts": 1, "v": {"temp": {"a": [1]}}}', True)],
    ids=["nan", "utf8", "empty", "deep", "deep-object", "unknown", "ts", "inf-ts", "inf", "object"])
def test_hostile_bytes_are_counted_and_break_nothing(on_broker: Field, payload: bytes, is_counted: bool) -> None:
    before = sum(on_broker.refused.values())
    on_broker.broker.publish("parktwin/tiny/ENV-2/telemetry", payload)
    wanted = 20.0 + before % 10
    with on_broker.served.browser().live() as socket:
        first_frame(socket)
        on_broker.tell("ENV-1", temp=wanted, humidity=41.0)
        until(lambda: on_broker.served.services.runner.core.state.value[on_broker.served.slot("ENV-1.temp")] == wanted, 5,
              "what is right still gets through")
    assert not is_counted or sum(on_broker.refused.values()) > before
    assert on_broker.is_live()


def answer_orders(park: Field, device: str, reply: Callable[[dict], None]) -> threading.Thread:
    """A device of our own: waits for one order and answers it."""
    heard = subprocess.Popen([SUB, "-p", str(park.broker.port), "-q", "1", "-C", "1", "-W", "15", "-t",
                              f"parktwin/tiny/{device}/command"], stdout=subprocess.PIPE)

    def run() -> None:
        out, _ = heard.communicate(timeout=20)
        if out:
            reply(json.loads(out))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    return thread


def test_a_command_goes_out_and_the_devices_own_words_confirm_it(on_broker: Field) -> None:
    orders: list[dict] = []

    def reply(order: dict) -> None:
        orders.append(order)
        ack = json.dumps({"id": order["id"], "accepted": True, "note": "yes"}).encode()
        on_broker.broker.publish("parktwin/tiny/GATE-1/ack", ack)
        on_broker.tell("GATE-1", state="open")

    device = answer_orders(on_broker, "GATE-1", reply)
    on_broker.tell("GATE-1", state="closed")
    browser = on_broker.served.browser()
    until(lambda: on_broker.served.services.runner.core.desk.is_online("GATE-1"), 5, "the gate is heard")
    body = {"device": "GATE-1", "key": "open", "args": {}, "idempotency_key": "mqtt-open-once"}
    given = browser.post("/api/v1/commands", body).json()["id"]

    def row() -> dict:
        return next(row for row in browser.http.get("/api/v1/commands").json() if row["id"] == given)

    until(lambda: row()["state"] == "confirmed", 15, "the command is confirmed")
    device.join(20)
    assert [step[0] for step in row()["steps"]][-4:] == ["approved", "sent", "acknowledged", "confirmed"]
    assert [order["key"] for order in orders] == ["open"]
    assert orders[0]["expires"] > time.time() * 1000 - 60_000


class Later:
    """The wall clock, moved ahead by hand."""

    ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead


def test_a_command_to_a_device_that_is_away_expires_unsent(on_broker: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    served, core, clock = on_broker.served, on_broker.served.services.runner.core, Later()
    monkeypatch.setattr(core, "clock", clock)
    browser = served.browser()
    order = {"device": "GATE-2", "key": "open", "args": {}, "idempotency_key": "nobody-there"}
    given = browser.post("/api/v1/commands", order)
    assert given.status_code == 200, given.text

    def row() -> dict:
        return next(r for r in browser.http.get("/api/v1/commands").json() if r["id"] == given.json()["id"])

    time.sleep(0.5)
    assert row()["state"] == "approved", "nothing is sent to a device that is not there"
    clock.ahead = (row()["expires_ms"] / 1000 - time.time()) + 0.5
    until(lambda: row()["state"] == "expired", 5, "it expires at its time")
    assert [step[0] for step in row()["steps"]] == ["requested", "approved", "expired"]
    clock.ahead = 0.0
    on_broker.tell("GATE-2", state="closed")
    time.sleep(0.5)
    assert row()["state"] == "expired", "a device that comes back late executes nothing"


def test_a_lost_broker_makes_everything_stale_and_its_return_makes_it_live(on_broker: Field) -> None:
    slot = on_broker.served.slot("ENV-1.temp")
    with on_broker.served.browser().live() as socket:
        first_frame(socket)
        on_broker.tell("ENV-1", temp=27.5)
        values(socket, slot, lambda v, q: v == 27.5, 2.0)
        on_broker.broker.stop(hard=True)
        values(socket, slot, lambda v, q: q == Quality.STALE, 10.0)
        assert not on_broker.is_live()
        on_broker.broker.start()
        until(on_broker.is_live, 20, "the line is live again")
        on_broker.tell("ENV-1", temp=28.5)
        assert values(socket, slot, lambda v, q: v == 28.5, 5.0) == (28.5, Quality.GOOD)


BACKLOG, AWAY_SECS = size(60_000, 500), size(60, 0)


def test_r02_what_is_said_while_the_way_to_the_broker_is_down_comes_in_whole_after(on_broker: Field) -> None:
    """R2: a backlog at QoS 1, a minute's at full size, that is published before we are back. Points are stale meanwhile.
    The broker keeps sessions (`persistence`), as ours is one that is kept."""
    served, slot = on_broker.served, on_broker.served.slot("ENV-1.temp")
    history, state = served.services.history, served.services.runner.core.state
    on_broker.tell("ENV-1", temp=20.5)
    until(lambda: state.quality[slot] == Quality.GOOD, 5, "the point is live")
    on_broker.broker.stop()
    gone = begin = time.time()
    until(lambda: state.quality[slot] == Quality.STALE, 10, "the point is stale while the broker is away")
    stale_secs = time.time() - gone
    time.sleep(AWAY_SECS)
    rows = {round((begin + k * 0.001) * 1000): 15.0 + k % 2 * 10 + k / 1000 for k in range(BACKLOG)}
    back = time.monotonic()
    on_broker.broker.start()
    on_broker.broker.publish_lines("parktwin/tiny/ENV-1/telemetry",
                                   [json.dumps({"ts": at, "v": {"temp": value}}).encode() for at, value in rows.items()])
    until(lambda: state.value[slot] == rows[max(rows)], 60, "the last of the backlog is shown")
    took = time.monotonic() - back
    assert on_broker.settled()
    kept = history.readings_of(np.array([slot]), min(rows), max(rows) + 1)
    assert dict(zip(np.rint(kept.source_time * 1000).astype(int).tolist(), kept.value.tolist(), strict=True)) == rows
    assert len(kept.slot) == BACKLOG, "none twice"
    measured("R2 points stale after the broker went", stale_secs, "s", 10)
    measured(f"R2 a backlog of {BACKLOG:,} at QoS 1 is in after", took, "s", 60, note="publishing it included")
