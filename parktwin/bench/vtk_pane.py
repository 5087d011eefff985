"""Panel's VTK pane in the same browser: how long 10,000 boxes of other colours take to the screen, and their bytes."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from parktwin.bench.child import Failed, python

ROUNDS, PATIENCE_SECS = 3, 90.0
#: A patch in the middle of the pane, where the boxes that change are seen.
PATCH = {"x": 300.0, "y": 150.0, "width": 60.0, "height": 60.0}


@dataclass(frozen=True, slots=True)
class PaneCost:
    """First picture (s), from a change in Python to the screen (s, mean), bytes that a change sends."""

    first_s: float
    change_s: float
    change_bytes: int


def measure_pane(triangles: int) -> PaneCost:
    """Of a scene with so many triangles, in a window of its own.

    Raises:
        Failed: the pane never showed anything, or never changed.
    """
    from tools.browser import chromium

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(python("parktwin.bench.peers.vtk_pane", str(port), str(triangles)),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={k: v for k, v in os.environ.items() if k != "DISPLAY"})
    try:
        _wait_until_listening(port)
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 700, "height": 460})
            sent: list[int] = []
            page.on("websocket", lambda line: line.on("framereceived", lambda data: sent.append(len(data))))
            began = time.perf_counter()
            page.goto(f"http://127.0.0.1:{port}")

            def until(red_wins: bool) -> float:
                while time.perf_counter() - began < PATIENCE_SECS:
                    red, green = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=PATCH))).convert("RGB"),  # type: ignore[arg-type]
                                            np.float64)[:, :, :2].mean((0, 1))
                    if max(red, green) > 20 and (red > green) == red_wins:
                        return time.perf_counter() - began
                raise Failed("Panel's VTK pane did not come to what it was asked to show")

            first = until(red_wins=True)
            secs, bytes_ = [], []
            for turn in range(ROUNDS):
                time.sleep(1)
                sent.clear()
                began = time.perf_counter()
                page.get_by_role("button", name="recolour").click()
                secs.append(until(red_wins=turn % 2 == 1))
                bytes_.append(sum(sent))
            return PaneCost(first, float(np.mean(secs)), int(np.mean(bytes_)))
    finally:
        server.kill()
        server.wait(20)


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Failed("Panel's VTK pane is not served") from error
        time.sleep(0.2)
