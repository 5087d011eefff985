"""A real Dask scheduler with workers of its own, each a process started from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from distributed import Client

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECS = 60.0


class Rig:
    """A scheduler on a free loopback port, and its workers by the order they were started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        told = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0",
                                     "--scheduler-file", str(told))
        deadline = time.monotonic() + START_SECS
        while not (told.is_file() and told.read_text()):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        self.address: str = json.loads(told.read_text())["address"]

    def add_worker(self, *, code: Path = REPOSITORY, hidden: Path | None = None) -> subprocess.Popen[bytes]:
        """One more worker with one thread, and no nanny that would start it again.

        Args:
            code: the checkout it imports.
            hidden: a folder it does not see (needs root).
        """
        name = f"w{len(self.workers)}"
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name, "--local-directory",
                   str(self.folder / name), "--host", "127.0.0.1"]
        self.workers.append(self._start("worker", self.address, *options, code=code, hidden=hidden))
        return self.workers[-1]

    def wait_for(self, workers: int) -> None:
        """Until so many workers have come to the scheduler."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Client(self.address, set_as_default=False, timeout=START_SECS) as client:
                client.wait_for_workers(workers, timeout=START_SECS)

    def _start(self, *command: str, code: Path = REPOSITORY, hidden: Path | None = None) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "dask", *command]
        if hidden is not None:
            words = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(hidden), *words]
        process = subprocess.Popen(words, cwd=self.folder, env={**os.environ, "PYTHONPATH": str(code)},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process


@contextmanager
def rig(folder: Path, workers: int = 0) -> Iterator[Rig]:
    """A cluster for as long as it is needed."""
    made = Rig(folder)
    try:
        for _ in range(workers):
            made.add_worker()
        yield made
    finally:
        for process in made.processes[::-1]:
            process.send_signal(signal.SIGTERM)
        for process in made.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait(10)
