"""What a browser that lags gets, and what it costs."""

from __future__ import annotations

import asyncio

from ioc.live.hub import MAX_TEXT_CHARS, MAX_WAITING, Client, Hub, Outgoing, pump
from twin.wire import Kpis


def tick(seq: int, texts: tuple[str, ...] = ()) -> Outgoing:
    return Outgoing(seq, texts, (f"frame {seq}".encode(),), since=seq - 1)


async def test_a_browser_that_lags_gets_every_text_and_one_union_of_the_values() -> None:
    client, sent, asked = Client(), [], []
    for seq in range(1, MAX_WAITING + 40):
        client.put(tick(seq, (f"text {seq}",)))
    assert len(client.frames) == 0, "values do not pile up"

    async def send(message: str | bytes) -> None:
        sent.append(message)

    async def catch_up(since: int) -> tuple[bytes, bytes]:
        asked.append(since)
        return b"union", b"places"

    pumping = asyncio.create_task(pump(client, send, send, catch_up))
    await asyncio.sleep(0.01)
    assert [m for m in sent if isinstance(m, str)] == [f"text {seq}" for seq in range(1, MAX_WAITING + 40)]
    assert [m for m in sent if isinstance(m, bytes)] == [b"union", b"places"]
    assert asked == [0], "since before the first frame that was dropped"
    client.put(tick(99))
    await asyncio.sleep(0.01)
    assert sent[-1] == b"frame 99", "then the values come as they are"
    pumping.cancel()


async def test_a_browser_that_takes_nothing_is_let_go_and_the_others_are_not() -> None:
    hub, dead, alive = Hub(), Client(), Client()
    hub.attach(asyncio.get_running_loop())
    hub.clients |= {dead, alive}
    for seq in range(42):
        hub.publish(tick(seq, ("x" * (MAX_TEXT_CHARS // 40),)))
        await asyncio.sleep(0)
        alive.forget()
    assert dead.overrun.is_set()
    assert hub.clients == {alive}
    assert not dead.texts
    assert not dead.frames


async def test_what_is_told_to_everyone_counts_as_well() -> None:
    hub, dead = Hub(), Client()
    hub.attach(asyncio.get_running_loop())
    hub.clients.add(dead)
    for _ in range(3):
        hub.tell(Kpis(node="x" * (MAX_TEXT_CHARS // 2), cards=[]))
        await asyncio.sleep(0)
    assert dead.overrun.is_set()
    assert not hub.clients
    assert not dead.texts
