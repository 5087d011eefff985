"""Our own `POST /api/v1/ingest` on a real server, and a poster that keeps posting what it was told to say."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time

import httpx
import uvicorn
from fastapi import FastAPI
from rig import ServerRig, until

from connectors.http_in import HttpInConnector
from ioc.http import ingest
from twin.ports import Connector

TOKEN = "rig-token-0123456789abcdef"


class HttpRig(ServerRig):
    name = "http-in"
    tells_time, writes = True, False
    rows = """device,point,address,scale,states
AHU-1,supply_temp,boiler room/T1,0.1,
AHU-1,status,boiler room/mode,,0=off 1=run 2=fault
AHU-1,supply_setpoint,boiler room/sp,,
"""
    url = "http-in"

    def connector(self) -> Connector:
        os.environ["PARKTWIN_RIG_TOKEN"] = TOKEN
        self.door = HttpInConnector(self.source(password="env:PARKTWIN_RIG_TOKEN"), self.folder, self.points,
                                    self.bindings())
        self.door.quiet_secs = 0.5
        return self.door

    async def start(self) -> None:
        app = FastAPI()

        async def is_kept() -> bool:
            return True  # the rig's sink has no disk

        app.include_router(ingest.router([self.door], is_kept), prefix="/api/v1")
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning",
                                                    timeout_graceful_shutdown=1))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        await until(lambda: self.server.started, "the server listens")
        self.body = json.dumps({"ts": time.time() * 1000, "a": {"boiler room/sp": 16.0}}).encode()
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20,
                                      headers={"authorization": f"Bearer {TOKEN}"})
        self.posting = asyncio.create_task(self.keep_posting())

    async def stop(self) -> None:
        self.posting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.posting
        await self.http.aclose()
        self.server.should_exit = True
        await asyncio.to_thread(self.thread.join, 15)

    async def keep_posting(self) -> None:
        while True:
            await self.http.post("/api/v1/ingest", content=self.body)
            await asyncio.sleep(0.05)

    async def say(self, temp: float, status: str, at: float) -> None:
        mode = {"off": 0, "run": 1, "fault": 2}[status]
        self.body = json.dumps([{"ts": at * 1000, "a": {"boiler room/T1": temp * 10, "boiler room/mode": mode}}]).encode()

    async def say_bad(self) -> None:
        self.body = json.dumps({"ts": time.time() * 1000, "a": {"boiler room/T1": None}}).encode()

    async def say_nonsense(self) -> None:
        answer = await self.http.post("/api/v1/ingest", content=b'{"ts": "yesterday"}')
        assert answer.status_code == 422
        assert "batch" in answer.json()["detail"]
