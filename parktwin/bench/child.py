"""Run a contender in a process of its own and say what it took: wall, CPU seconds, peak memory of the whole tree."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TREE = Path(__file__).resolve().parents[2]
_SAMPLE_SECS = 0.05


class Failed(Exception):
    """A contender came back with an error; the text is the last of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run took.

    Args:
        wall_s, cpu_s: elapsed, and user + system of the process and all it waited for.
        peak_mb: highest sum of resident memory over the process and its children, sampled 20 times a second; what several
            of them share counts once.
        said: what it wrote to standard output.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    said: str = ""


def run(command: Sequence[str], *, timeout_s: float = 3600.0, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end; Python code is compiled once, as it is where a package was installed.

    Raises:
        Failed: it ended with an error, ran out of time or is not there.
    """
    path = os.pathsep.join([str(_TREE), os.environ.get("PYTHONPATH", "")])
    around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env={**around, "PYTHONPATH": path, **(environment or {})})
        except OSError as error:
            raise Failed(str(error)) from error
        timer = threading.Timer(timeout_s, process.kill)
        timer.start()
        watch = _Watch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        timer.cancel()
        watch.is_over.set()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, complaint = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if process.returncode != 0:
        last = (complaint.strip() or said.strip()).splitlines()[-1:] or [f"exit {process.returncode}"]
        raise Failed(last[0][:300])
    return Cost(wall_s=wall, cpu_s=usage.ru_utime + usage.ru_stime,
                peak_mb=watch.peak_bytes / 1e6, said=said)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this tree."""
    return [sys.executable, "-m", module, *arguments]


class _Watch(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak_bytes, self.is_over = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(_SAMPLE_SECS):
            self.peak_bytes = max(self.peak_bytes, sum(_resident(p) for p in _tree_of(self.pid)))


def _tree_of(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(p) for p in task.read_text().split()]
            except OSError:
                continue
    return found


def _resident(pid: int) -> int:
    """Bytes of a process in memory, of pages it shares with others its share of them."""
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as rows:
            return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:")), 0)
    except OSError:
        return 0
