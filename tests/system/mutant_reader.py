"""Reads files one by one, each in a process of its own with limits, through the product's own readers.

Run as a program: a JSON request {kind, path} a line on stdin, a JSON answer {status, text, secs} a line on stdout.
Everything is imported before the first file, and every file is read in a fork that has seen no other file.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import shapely

import gis.photomesh
import gis.read
import models_bim.worker
import scenes.background_worker
import scenes.mesh_tiles
from parktwin.check import check_park  # noqa: F401 - everything a build imports is here before the first fork
from scenes.background_folder import Frame
from scenes.background_job import Request
from twin.errors import TwinError
from twin.park import LayerSpec

MEMORY_BYTES, CPU_SECS, WALL_SECS = 3 * 2**30, 6, 30.0
WASM_BYTES = 5 * 2**30  # addresses that WebAssembly sets aside, hardly any of them ever memory
PARK_CRS, ORIGIN = "EPSG:4549", (519_200.0, 3_342_600.0, 0.0)


def main() -> None:
    """Serve requests until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        begun = time.monotonic()
        status, text = read_apart(request["kind"], request["path"], request.get("library", models_bim.worker.FAST))
        print(json.dumps({**request, "status": status, "text": text, "secs": time.monotonic() - begun}), flush=True)


def read_apart(kind: str, path: str, library: str) -> tuple[str, str]:
    """(result, message, crash or timeout; what was said) of one file."""
    ask_r, ask_w = os.pipe()
    tell_r, tell_w = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ask_w)
        os.close(tell_r)
        os.dup2(ask_r, 0)
        os.dup2(tell_w, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        status = 99
        try:
            status = {"ifc": _read_ifc, "map": lambda: _read_layer(path), "mesh": lambda: _read_mesh(path)}[kind]()
        except Exception:  # noqa: BLE001 - any is what the test looks for
            os.write(1, json.dumps({"trace": traceback.format_exc()[-1500:]}).encode() + b"\n")
        finally:
            os._exit(status)
    os.close(ask_r)
    os.close(tell_w)
    ask = {"verb": "read", "path": path, "library": library, "memory_bytes": MEMORY_BYTES, "result": path + ".result",
           "is_lazy": True, "careful_secs": 0.0}
    os.write(ask_w, json.dumps(ask).encode() + b"\n")
    os.close(ask_w)
    said, is_over = _listen(tell_r)
    if not is_over:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    Path(path + ".result").unlink(missing_ok=True)
    if not is_over or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout", ""
    told = [json.loads(row) for row in said.splitlines()]
    message = next((str(t.get("error", "out of memory")) for t in told if "error" in t or "memory" in t), "")
    if code == 0:
        return "result", ""
    return ("message", message) if message else ("crash", f"exit {code} " + "".join(t.get("trace", "") for t in told))


def _read_ifc() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECS, CPU_SECS))
    sys.stdin = os.fdopen(0)
    return models_bim.worker.main()


def _read_layer(path: str) -> int:
    spec = LayerSpec(id="x", source=Path(path), kind="buildings")
    return _told(lambda: gis.read.read_layer(spec, PARK_CRS, ORIGIN))


def _read_mesh(path: str) -> int:
    """Surveyed and tiled, as the process does that reads a background layer."""
    spec = LayerSpec(id="x", source=Path(path), kind="mesh", crs="park")
    frame = Frame(PARK_CRS, ORIGIN, (-1e12, -1e12, 1e12, 1e12), shapely.Polygon())

    def read() -> None:
        scenes.background_worker.serve(Request("survey", spec, frame, Path(path), 0))
        with tempfile.TemporaryDirectory() as folder:
            scenes.background_worker.serve(Request("tiles", spec, frame, Path(folder), 0))

    return _told(read, WASM_BYTES)


def _told(read: Callable[[], object], more_bytes: int = 0) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECS, CPU_SECS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES + more_bytes,) * 2)
    warnings.simplefilter("ignore")
    try:
        read()
    except TwinError as error:
        os.write(1, json.dumps({"error": error.what}).encode() + b"\n")
        return 2
    return 0


def _listen(source: int) -> tuple[bytes, bool]:
    """What a child says until it ends, and whether it ended in time."""
    said, deadline = b"", time.monotonic() + WALL_SECS
    while True:
        ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.close(source)
            return said, False
        chunk = os.read(source, 65536)
        if not chunk:
            os.close(source)
            return said, True
        said += chunk


if __name__ == "__main__":
    main()
