"""The sample park in a browser with software GL: first frame, frames while orbiting, recolouring, heap."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assets.demo.make import make_park
from parktwin.bench.child import python, run
from parktwin.bench.recolour import pane_rows
from parktwin.bench.rows import Row
from parktwin.bench.server import wait_until_ready

Tell = Callable[[str], None]


def view_rows(park: Path | None, scratch: Path, conditions: str, tell: Tell) -> list[Row]:
    """Rows of the page, or one that says why there are none.

    Args:
        park: a compiled park; the sample park is made and built when None.
    """
    try:
        import playwright.sync_api  # noqa: F401

        from parktwin.bench.page import measure_page
    except ImportError as error:
        return [Row(what="the page in a browser", unit="s", ours=float("nan"), conditions=conditions,
                    note=f"not measured: {error} (pip install playwright, and Debian's chromium)")]
    if park is None:
        tell("the sample park, made and built")
        park = scratch / "sample"
        make_park(park)
        run(python("parktwin", "build", str(park)))
    tell("the sample park in a browser")
    with served(park) as base:
        rows = measure_page(base, conditions)
    tell("Panel's VTK pane in a browser")
    return [*rows, *pane_rows(rows, conditions)]


@contextmanager
def served(park: Path) -> Iterator[str]:
    """A server of a compiled park on a free port, ready; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "-m", "parktwin", "serve", str(park), "--demo", "--port", str(port)],
                              stdout=subprocess.DEVNULL, env={**os.environ})
    try:
        wait_until_ready(base)
        yield base
    finally:
        server.terminate()
        server.wait(20)
