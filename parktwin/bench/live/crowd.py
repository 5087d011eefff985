"""The browsers of `browsers`, in a process of their own: `python -m … PORT COUNT STALLED SECS SERVER_PID`; prints JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from twin.live.frames import decode
from twin.wire import FrameKind

SAMPLED = 20


async def crowd(port: int, count: int, stalled: int, secs: float, server: int) -> dict[str, float]:
    """Connect, let it settle, then listen: ages are taken by some browsers, bytes by all."""
    url = f"ws://127.0.0.1:{port}/live"
    lines: list[ClientConnection] = []
    for start in range(0, count, 50):
        lines += await asyncio.gather(*(connect(url, max_size=None, compression=None, ping_interval=None, proxy=None)
                                        for _ in range(min(50, count - start))))
    idle = [await connect(url, max_size=None, compression=None, ping_interval=None, proxy=None, max_queue=1)
            for _ in range(stalled)]
    for line in idle:
        line.transport.pause_reading()
    ages: list[np.ndarray] = []
    tally = {"bytes": 0, "values": 0}
    begin = time.monotonic() + 2.0
    end = begin + secs

    async def listen(line: ClientConnection, is_sampled: bool) -> None:
        async for message in line:
            now = time.monotonic()
            if now >= end:
                return
            if now < begin or isinstance(message, str):
                continue
            tally["bytes"] += len(message)
            if is_sampled:
                frame = decode(message)
                if frame.kind is FrameKind.VALUES:
                    tally["values"] += len(frame.columns["slot"])
                    ages.append(frame.columns["age_ms"] + (time.time() * 1000 - frame.server_time_ms))

    listening = [asyncio.create_task(listen(line, k < SAMPLED)) for k, line in enumerate(lines)]
    await asyncio.sleep(max(0.0, begin - time.monotonic()))
    cpu = _cpu(server)
    await asyncio.sleep(secs)
    cpu = _cpu(server) - cpu
    for task in listening:
        task.cancel()
    every = np.concatenate(ages) if ages else np.array([np.inf])
    for line in [*lines, *idle]:
        line.transport.abort()
    return {"cpu": cpu / secs, "p50": float(np.percentile(every, 50)), "p99": float(np.percentile(every, 99)),
            "mb_s": tally["bytes"] / secs / 1e6, "updates": tally["values"] / min(SAMPLED, count) / secs}


def _cpu(pid: int) -> float:
    """Seconds of user and system time of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        parts = file.read().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    import uvloop

    port_text, count_text, stalled_text, secs_text, pid_text = sys.argv[1:]
    print(json.dumps(uvloop.run(crowd(int(port_text), int(count_text), int(stalled_text), float(secs_text), int(pid_text)))))
