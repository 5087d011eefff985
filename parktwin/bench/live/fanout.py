"""The servers of `browsers`: `hub` is our socket route over a real core, `sequential` awaits one send after the other.

Both have the same core under the same load: 10,000 points, 10,000 values a second, ten ticks a second.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from ioc.access.discreet import Discretion
from ioc.live.broadcast import Broadcast
from ioc.live.hub import Client, Hub, pump
from ioc.live.runner import CoreRunner
from twin.events import EventStore
from twin.graph import SceneGraph
from twin.history.store import History
from twin.live.bench import table_of
from twin.live.core import LiveCore
from twin.live.tick import Tick
from twin.memory import settle
from twin.ports import Connector, Readings, Sink

POINTS = 10_000
UPDATES_A_TICK = 1000


class Field:
    """Says a thousand values every tenth of a second."""

    name = "bench"

    async def run(self, sink: Sink) -> None:
        """Until cancelled."""
        rng, due = np.random.default_rng(1), time.monotonic()
        sink.link(self.name, True, "")
        while True:
            slot = rng.integers(0, POINTS, UPDATES_A_TICK).astype(np.uint32)
            sink.ingest(Readings(slot, rng.uniform(15, 30, UPDATES_A_TICK), np.zeros(UPDATES_A_TICK, np.uint8),
                                 np.full(UPDATES_A_TICK, time.time())))
            due += 0.1
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def main(kind: str) -> None:
    """Serve on a free port, told on the first line, until killed."""
    scratch = Path(tempfile.mkdtemp(prefix="parktwin-fanout-"))
    table = table_of(POINTS)
    graph = SceneGraph({"id": np.array(["", "park"], object), "kind": np.array(["none", "park"], object),
                        "parent": np.zeros(2, np.uint32)})
    core = LiveCore(table, EventStore.at(scratch / "events.sqlite"), graph=None)
    hub, history = Hub(), History(scratch / "history", table.ids)
    sockets: set[WebSocket] = set()
    loops: list[asyncio.AbstractEventLoop] = []

    def sequential(tick: Tick) -> None:
        history.put(tick.readings)
        frame = core.values_frame(tick.slots, tick.time)
        if loops:
            asyncio.run_coroutine_threadsafe(send_all(frame), loops[0])

    async def send_all(frame: bytes) -> None:
        for one in list(sockets):
            try:
                await one.send_bytes(frame)
            except (WebSocketDisconnect, RuntimeError):
                sockets.discard(one)

    at_once = Broadcast(core, hub, history, graph, lambda channel: ([], []), lambda index: [],
                        Discretion(graph, ()))
    runner = CoreRunner(core, cast(Connector, Field()), at_once if kind == "hub" else sequential)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        hub.attach(loops[0])
        runner.start()
        settle()
        yield

    app = FastAPI(lifespan=life)

    @app.websocket("/live")
    async def live(one: WebSocket) -> None:
        await one.accept()
        if kind != "hub":
            sockets.add(one)
            await one.receive()
            return
        client = Client()
        hub.clients.add(client)
        leaving = asyncio.create_task(one.receive())
        pumping = asyncio.create_task(pump(client, one.send_text, one.send_bytes,
                                           lambda since: runner.call(lambda: core.snapshot(since))))
        await asyncio.wait({leaving, pumping}, return_when=asyncio.FIRST_COMPLETED)
        hub.clients.discard(client)
        pumping.cancel()

    with socket.create_server(("127.0.0.1", 0), backlog=2048) as door:
        print(door.getsockname()[1], flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws_per_message_deflate=False, backlog=2048))
        server.run(sockets=[door])


if __name__ == "__main__":
    main(sys.argv[1])
