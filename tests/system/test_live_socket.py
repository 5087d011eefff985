"""The live socket of a real server: what the field says is on the wire, for those who come late and those who stall."""

from __future__ import annotations

import json
import socket as sockets
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from served_park import PARK, Served, closing_of, first_frame, serving, values

from ioc.live.hub import MAX_TEXT_CHARS, Outgoing
from twin.live.frames import decode
from twin.ports import Readings
from twin.wire import FrameKind, Quality


@pytest.fixture(scope="module")
def quiet(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The park with a field that is silent: a simulator's next reading would take the place of a test's in the same frame."""
    text = PARK.replace('[live]\nsource = "{source}"\n', '[[source]]\nid = "push"\nurl = "http-in"\n')
    with serving(built, tmp_path_factory.mktemp("quiet") / "park", text=text) as running:
        yield running


def say(served: Served, point: str, value: float, at: float | None = None) -> None:
    """A reading, as a connector hands it to the core."""
    batch = Readings(np.array([served.slot(point)], np.uint32), np.array([value]), np.array([Quality.GOOD], np.uint8),
                     np.array([time.time() if at is None else at]))
    served.services.runner.submit(lambda: served.services.runner.core.ingest(batch)).result(5)


def test_a_value_of_the_field_arrives_as_a_frame(quiet: Served) -> None:
    with quiet.browser().live() as socket:
        first_frame(socket)
        say(quiet, "ENV-1.temp", 61.25)
        value, quality = values(socket, quiet.slot("ENV-1.temp"), lambda v, q: v == 61.25, 2.0)
    assert (value, quality) == (61.25, Quality.GOOD)


def test_hello_comes_first_and_says_what_is_served(served: Served) -> None:
    with served.browser().live() as socket:
        hello = json.loads(socket.recv(timeout=5))
    assert hello["park"] == "tiny"
    assert hello["user"] == "demo"
    assert hello["slots"] == len(served.services.points)


def test_who_comes_late_gets_everything_that_ever_spoke(served: Served) -> None:
    state = served.services.runner.core.state
    with served.browser().live() as socket:
        frame = first_frame(socket)
    spoke = np.flatnonzero(state.quality != Quality.NEVER)
    assert frame.kind is FrameKind.VALUES
    assert len(spoke) > 20
    assert set(frame.columns["slot"].tolist()) >= {int(s) for s in spoke[:20]}
    assert len(frame.columns["slot"]) >= 0.9 * len(spoke)


def test_a_browser_that_never_reads_delays_nobody(quiet: Served) -> None:
    browser, hub = quiet.browser(), quiet.services.hub
    stalled = sockets.create_connection(("127.0.0.1", quiet.port))
    stalled.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 2048)
    stalled.sendall((f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{quiet.port}\r\nOrigin: {quiet.origin}\r\n"
                     f"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                     f"Cookie: {browser.cookie}\r\n\r\n").encode())
    try:
        with browser.live() as socket:
            first_frame(socket)
            for k in range(20):
                hub.publish(Outgoing(0, ("x" * 1_000_000,), ()))  # far more than a line that nobody reads can hold
                say(quiet, "ENV-2.temp", 50.0 + k)
                assert values(socket, quiet.slot("ENV-2.temp"), lambda v, q, k=k: v == 50.0 + k, 2.0)
            assert len(hub.clients) == 1, "the one that takes nothing was let go"
    finally:
        stalled.close()


def test_a_line_that_takes_nothing_is_closed_and_can_join_again(served: Served) -> None:
    browser, hub = served.browser(), served.services.hub
    with browser.live() as socket:
        first_frame(socket)
        (client,) = hub.clients
        hub.publish(Outgoing(0, ("x" * (MAX_TEXT_CHARS + 1),), ()))
        _, code = closing_of(socket, 5.0)
    assert code == 1013
    assert client not in hub.clients
    with browser.live() as socket:
        assert len(first_frame(socket).columns["slot"]) > 20, "everything as it stands"


def test_what_a_browser_sends_wrong_changes_nothing(quiet: Served) -> None:
    with quiet.browser().live() as socket:
        first_frame(socket)
        for text in ("", "nonsense", "[" * 5000, '{"t":"look","node":7}', "\u0000", json.dumps({"node": "no-such"})):
            socket.send(text)
        say(quiet, "ENV-1.temp", 33.5)
        values(socket, quiet.slot("ENV-1.temp"), lambda v, q: v == 33.5, 2.0)


def test_a_value_from_the_future_or_older_than_the_last_is_not_shown(quiet: Served) -> None:
    slot = quiet.slot("ENV-2.temp")
    with quiet.browser().live() as socket:
        first_frame(socket)
        say(quiet, "ENV-2.temp", 41.5)
        values(socket, slot, lambda v, q: v == 41.5, 2.0)
        say(quiet, "ENV-2.temp", 11.0, time.time() + 3600)
        say(quiet, "ENV-2.temp", 12.0, time.time() - 3600)
        seen, end = [], time.monotonic() + 1.0
        while time.monotonic() < end:
            message = socket.recv(timeout=5)
            if isinstance(message, bytes) and (frame := decode(message)).kind is FrameKind.VALUES:
                seen += frame.columns["value"][frame.columns["slot"] == slot].tolist()
    assert not {11.0, 12.0} & set(seen)
