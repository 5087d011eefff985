"""The spine, end to end: compile, values in, age of a value in a client, first frame and frames a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
from websockets.sync.client import connect
from websockets.typing import Origin

from assets.demo.make import make_park
from parktwin.bench.peers.ifcopenshell_glb import convert
from parktwin.bench.rows import Row
from parktwin.bench.server import wait_until_ready
from scenes.compile import compile_park
from twin.live import bench as walk
from twin.live.frames import decode
from twin.parkfile import load_park
from twin.wire import FrameKind

PORT = 5091
BASE = f"http://127.0.0.1:{PORT}"
FRAMES = 200


def measure(park: Path | None, scratch: Path, *, with_browser: bool) -> list[Row]:
    """Every row, in the order a person would ask."""
    root = park or scratch / "park"
    if park is None:
        make_park(root)
    conditions = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    rows = [*_build(root, scratch, conditions), _walk(conditions)]
    server = subprocess.Popen([sys.executable, "-m", "parktwin", "serve", str(root), "--demo", "--port", str(PORT)],
                              stdout=subprocess.DEVNULL)
    try:
        cookie = _signed_in()
        rows += _latency(cookie, conditions)
        if with_browser:
            from parktwin.bench.page import measure_page

            rows += measure_page(BASE, conditions)
    finally:
        server.terminate()
        server.wait(20)
    return rows


def _build(root: Path, scratch: Path, conditions: str) -> list[Row]:
    started = time.perf_counter()
    compile_park(load_park(root), force=True)
    ours = time.perf_counter() - started
    sent = sum(_sent_bytes(p) for p in (root / "build" / "tiles").rglob("*.glb"))
    started = time.perf_counter()
    peer_bytes = sum(convert(path, scratch / f"{path.stem}.glb") for path in sorted(root.rglob("*.ifc")))
    peer = time.perf_counter() - started
    note = "ours also reads GIS, bakes light, writes storey and shell levels, tables and the walking graph"
    return [Row(what="build the park", unit="s", ours=ours, peer=peer, peer_name="ifcopenshell GLB of the same IFC files",
                note=note, conditions=conditions),
            Row(what="tiles as sent (brotli)", unit="MB", ours=sent / 1e6, peer=peer_bytes / 1e6,
                peer_name="ifcopenshell GLB, uncompressed", conditions=conditions)]


def _sent_bytes(path: Path) -> int:
    packed = path.with_name(path.name + ".br")
    return (packed if packed.exists() else path).stat().st_size


def _walk(conditions: str) -> Row:
    rate = walk.walk_rate()
    return Row(what="values through state and alarms, 100k points", unit="M/s", ours=rate.updates_per_sec / 1e6, target=5.0,
               bound="at least", conditions=conditions)


def _signed_in(patience_secs: float = 120.0) -> str:
    """The demo session's cookie, once the server is ready."""
    wait_until_ready(BASE, patience_secs)
    request = urllib.request.Request(f"{BASE}/demo", data=b"next=/livez", method="POST")  # noqa: S310
    opener = urllib.request.build_opener(_KeepRedirect)
    with opener.open(request) as answer:
        return str(answer.headers["set-cookie"]).split(";")[0]


class _KeepRedirect(urllib.request.HTTPRedirectHandler):
    """Shows the redirect itself: its cookie is what is wanted."""

    def http_error_303(self, req, fp, code, msg, headers):  # type: ignore[no-untyped-def]
        return fp


def _latency(cookie: str, conditions: str) -> list[Row]:
    """Age of values when a client has them: server's age at encoding plus the way to the client (same clock)."""
    ages: list[float] = []
    with connect(f"ws://127.0.0.1:{PORT}/live", additional_headers={"Cookie": cookie}, origin=Origin(BASE), max_size=None,
                 compression=None) as socket:
        seen = 0
        while seen < FRAMES:
            data = socket.recv(timeout=30)
            if isinstance(data, str):
                continue
            frame = decode(data)
            if frame.kind != FrameKind.VALUES or len(frame.columns["slot"]) == 0:
                continue
            seen += 1
            if seen > 2:  # the first is the whole state, of any age
                ages += (frame.columns["age_ms"] + (time.time() * 1000 - frame.server_time_ms)).tolist()
    return [Row(what=f"age of a value in a client, p{p}", unit="ms", ours=float(np.percentile(ages, p)),
                target=200.0 if p == 99 else None, conditions=conditions,
                note=f"{len(ages)} values over {FRAMES} frames; tick 100 ms") for p in (50, 99)]
