"""The base load of the faults: 1,000 points a second over a real broker, and five browsers that note how old a value is."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

import aiomqtt
import numpy as np
import websockets
from replica_rig import Server
from websockets.exceptions import ConnectionClosed

from twin.live.frames import decode
from twin.wire import FrameKind

CHARGERS, POINTS, TICK_SECS, BROWSERS = 250, ("power", "energy", "cable_temp", "limit"), 0.1, 5
#: Rows of devices.csv that the load speaks for.
DEVICES = "".join(f"CHG-{i},charger,Charger {i},充电桩 {i},,,,,{i % 100},{i // 100},0,\n" for i in range(CHARGERS))
MARK = "ENV-1"


class BaseLoad:
    """In a thread of its own while the block lasts; each charger speaks once a second, the mark at every tick."""

    def __init__(self, server: Server, broker: int) -> None:
        self.server, self.broker = server, broker
        self.ages: list[tuple[float, float, int]] = []  # (monotonic seconds of arrival, age in ms, browser)
        self._said: dict[float, float] = {}
        device = next(row for row in server.get("devices")["devices"] if row["id"] == MARK)
        kind = next(kind for kind in server.get("devices")["kinds"] if kind["id"] == device["kind"])
        self._slot = device["slot"] + [point["key"] for point in kind["points"]].index("temp")
        self._ends, self._speaks = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> BaseLoad:
        self._thread.start()
        assert self._speaks.wait(30), "the load has a line to the broker"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ends.set()
        self._thread.join(20)

    def p95_ms(self, begin: float, end: float) -> float:
        """How old a value is when a browser has it, over a span of monotonic time."""
        return float(np.percentile([age for at, age, _ in self.ages if begin <= at < end], 95))

    def longest_gap_secs(self, begin: float, end: float) -> float:
        """The longest that a browser waited for the next value."""
        return max(float(np.diff([begin, *(at for at, _, who in self.ages if who == one and begin <= at < end), end]).max())
                   for one in range(BROWSERS))

    def tell(self, device: str, values: dict[str, Any]) -> Future[None]:
        """More telemetry, at QoS 1; from any thread, while the load lasts. Done when the broker has it."""
        return asyncio.run_coroutine_threadsafe(self._tell(self._field, device, values, qos=1), self._loop)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        browsers = [asyncio.create_task(self._browse(one)) for one in range(BROWSERS)]
        await self._speak()
        for task in browsers:
            task.cancel()
        await asyncio.gather(*browsers, return_exceptions=True)  # their lines are closed, or a later test is told of them

    async def _speak(self) -> None:
        rng, share = np.random.default_rng(5), round(CHARGERS * TICK_SECS)
        async with aiomqtt.Client("127.0.0.1", self.broker) as field:
            self._field = field
            self._speaks.set()
            begin, tick = time.monotonic(), 0
            while not self._ends.is_set():
                for i in range(share):
                    values = dict(zip(POINTS, rng.uniform(5, 60, len(POINTS)).round(2).tolist(), strict=True))
                    await self._tell(field, f"CHG-{(tick * share + i) % CHARGERS}", values)
                mark = round(10 + tick % 2 * 9 + tick // 2 % 8000 / 1000, 3)
                self._said[mark] = time.monotonic()
                await self._tell(field, MARK, {"temp": mark})
                tick += 1
                await asyncio.sleep(max(0.0, begin + tick * TICK_SECS - time.monotonic()))

    async def _tell(self, field: aiomqtt.Client, device: str, values: dict[str, Any], qos: int = 0) -> None:
        body = json.dumps({"ts": round(time.time() * 1000), "v": values})
        await field.publish(f"parktwin/tiny/{device}/telemetry", body, qos=qos)

    async def _browse(self, one: int) -> None:
        assert self.server.http is not None
        cookie = {"Cookie": f"parktwin={self.server.http.cookies['parktwin']}"}
        name = self.server.name
        async with websockets.connect(f"ws://{name}/live", origin=websockets.Origin(f"http://{name}"), compression=None,
                                      additional_headers=cookie, max_size=None, proxy=None) as page:
            with suppress(ConnectionClosed):
                async for message in page:
                    if isinstance(message, bytes) and (frame := decode(message)).kind is FrameKind.VALUES:
                        for value in frame.columns["value"][frame.columns["slot"] == self._slot]:
                            if (said := self._said.get(round(float(value), 3))) is not None:
                                self.ages.append((time.monotonic(), (time.monotonic() - said) * 1000, one))
