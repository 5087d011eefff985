"""Read a building: one IFC file a discipline, each in a process of its own, then federated."""

from __future__ import annotations

import json
import os
import pickle
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_bim.discipline import Discipline
from models_bim.federate import federate
from models_bim.lost import lost
from models_bim.model import BimModel
from models_bim.shape import FAST, NO_SHAPES
from twin.errors import SourceError, TwinError
from twin.finding import Finding, as_finding
from twin.steps import code_digest, digest_of_file, key_of
from twin.workshop import GIVEN_UP

if TYPE_CHECKING:  # whoever reads in other processes has no need of what reads
    from models_bim.glance import Glance

Progress = Callable[[str, str, int, int], None]
_TREE = Path(__file__).resolve().parent.parent
_ANOTHER, _SMALLER = "export the model again, or split it", "split the model by discipline, or allow more time"
_LOOK_SECS = 0.5  # how soon a stopped build is noticed
#: A file may take this long, and this much more for each of its megabytes: ten times what a slow machine needs.
BASE_TIMEOUT_SECS, TIMEOUT_SECS_PER_MB = 120.0, 12.0
CAREFUL = 0.4  # share of that for each kernel, where things are drawn one by one


class _Crashed(Exception):
    """The reading process died of a signal."""


class _TooSlow(SourceError):
    """It took longer than it may."""


def read_building(
    paths: Sequence[Path],
    *,
    progress: Progress = lambda file, step, done, total: None,
    memory_bytes: int | None = None,
    timeout_secs: float | None = None,
    jobs: int | None = None,
) -> BimModel:
    """Federate the IFC files of one building, read at once.

    A file that cannot be read becomes an error finding and the others go on.

    Args:
        paths: one file a discipline.
        progress: called with (file name, step, done, total), from several threads.
        memory_bytes: address space each reading process may take; None for three quarters of the machine's memory.
        timeout_secs: wall time each file may take; None for two minutes and 12 s a megabyte.
        jobs: files read at a time; None for one a core.

    Raises:
        SourceError: none of the files can be read.
    """

    def read(path: Path) -> Discipline | SourceError:
        try:
            return read_file(path, progress=progress, memory_bytes=memory_bytes, timeout_secs=timeout_secs)
        except SourceError as error:
            return error

    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool:
        return federated(list(pool.map(read, paths)))


def federated(read: Sequence[Discipline | TwinError], keys: Sequence[str] = ()) -> BimModel:
    """One building of what was read of its files, in their order; `keys` name the files' contents.

    Raises:
        SourceError: none of the files could be read.
    """
    failures = [r for r in read if isinstance(r, TwinError)]
    disciplines = [r for r in read if isinstance(r, Discipline)]
    if not disciplines:
        raise failures[0]
    model = replace(federate(disciplines), digest=key_of(*keys) if keys and not failures else "")
    return replace(model, findings=(*map(as_finding, failures), *model.findings))


@dataclass(frozen=True, slots=True)
class ReadModel:
    """The step (`twin.workshop.Step`) that reads one IFC file. Its key is of the content and the name: both are read."""

    path: Path
    key: str

    @classmethod
    def of(cls, path: Path) -> ReadModel:
        """The step for a file as it is now."""
        content = digest_of_file(path) if path.is_file() else ""
        return cls(path, key_of("ifc", version("ifcopenshell"), code_digest("models_bim", "twin"), path.name, content))

    @property
    def name(self) -> str:
        """For messages."""
        return f"reading {self.path.name}"

    @property
    def files(self) -> tuple[Path, ...]:
        """The model itself."""
        return (self.path,)

    def do(self, here: Callable[[Path], Path]) -> Discipline | TwinError:
        """What is in the file, or what is wrong with it."""
        try:
            return read_file(here(self.path))
        except SourceError as error:
            return error


def read_file(
    path: Path,
    *,
    progress: Progress = lambda file, step, done, total: None,
    memory_bytes: int | None = None,
    timeout_secs: float | None = None,
) -> Discipline:
    """Read one file in its own process; where a kernel crashes or hangs it is read again so that only the things it does so
    on are lost.

    Args: as those of `read_building`.

    Raises:
        SourceError: unreadable, too large for the memory allowed, too slow, or the kernel crashed on it twice.
    """
    memory_bytes = memory_bytes if memory_bytes is not None else _three_quarters_of_memory()
    timeout_secs = timeout_secs if timeout_secs is not None else _patience(path)
    cause: SourceError | None = None
    for is_lazy in (True, False):
        try:
            return _read_in_process(path, FAST, progress, memory_bytes, timeout_secs, is_lazy=is_lazy)
        except _Crashed:
            progress(path.name, "crashed, trying it another way", 0, 1)
        except _TooSlow as slow:
            cause = slow
            break
    progress(path.name, "trying it thing by thing", 0, 1)
    try:
        discipline = _read_in_process(path, FAST, progress, memory_bytes, timeout_secs, careful_secs=CAREFUL * timeout_secs)
    except (_Crashed, _TooSlow) as crash:
        error = cause or lost(path, f"the geometry kernel crashed on {path.name} ({crash})", _ANOTHER, "crashed",
                              how=str(crash))
        return _without_shapes(path, error, progress, memory_bytes, timeout_secs)
    discipline.findings.append(Finding(
        "warning", "the geometry kernel crashed on the file, or hung; it was drawn thing by thing", path.name, _ANOTHER,
        code="ifc.crashed"))
    return discipline


def glance_file(path: Path, *, memory_bytes: int | None = None, timeout_secs: float | None = None) -> Glance:
    """What can be told of one file without drawing it, found in a process of its own.

    Args:
        memory_bytes: address space it may take; None for 2 GiB, or six times the file where that is more.
        timeout_secs: wall time it may take; None for two minutes and 12 s a megabyte.

    Raises:
        SourceError: unreadable, too large for the memory allowed, too slow, or it ended the process that read it.
    """
    size = path.stat().st_size if path.is_file() else 0
    memory_bytes = memory_bytes if memory_bytes is not None else max(2 * 2**30, 6 * size)
    timeout_secs = timeout_secs if timeout_secs is not None else _patience(path)
    try:
        return _in_process({"verb": "glance", "path": str(path.resolve()), "memory_bytes": memory_bytes}, path,
                           lambda file, step, done, total: None, timeout_secs)
    except _Crashed as crash:
        raise lost(path, f"{path.name} ended the process that looked at it ({crash})", "export it again", "ended",
                   how=str(crash)) from crash


def _without_shapes(path: Path, cause: SourceError, progress: Progress, memory_bytes: int, timeout_secs: float) -> Discipline:
    """What a file says, where the kernels die of what it draws."""
    try:
        discipline = _read_in_process(path, NO_SHAPES, progress, memory_bytes, timeout_secs)
    except (_Crashed, _TooSlow) as again:
        raise cause from again
    if not discipline.rows:
        raise cause
    discipline.findings.append(Finding(
        "error", f"{cause.what}; nothing of it is drawn, its structure and properties are there", path.name, _ANOTHER,
        code=cause.code.replace("lost", "undrawn"), fill=as_finding(cause).fill))
    return discipline


def _read_in_process(
    path: Path,
    library: str,
    progress: Progress,
    memory_bytes: int,
    timeout_secs: float,
    *,
    is_lazy: bool = False,
    careful_secs: float = 0.0,
) -> Discipline:
    request = {"verb": "read", "path": str(path.resolve()), "library": library, "memory_bytes": memory_bytes,
               "is_lazy": is_lazy, "careful_secs": careful_secs}
    return _in_process(request, path, progress, timeout_secs)


def _in_process(request: dict[str, object], path: Path, progress: Progress, timeout_secs: float) -> Any:
    """What the worker answers to a request."""
    with tempfile.TemporaryDirectory(prefix="parktwin-ifc-") as folder:
        result = Path(folder) / "discipline"
        environment = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join([str(_TREE), os.environ.get("PYTHONPATH", "")]),
        }
        with subprocess.Popen(
            [sys.executable, "-m", "models_bim.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as process:
            try:
                error = _converse(process, {**request, "result": str(result)}, path, progress, timeout_secs)
            finally:
                if process.poll() is None:
                    process.kill()
        if error is not None:
            raise error
        if process.returncode != 0:
            raise _Crashed(f"exit {process.returncode}")
        return pickle.loads(result.read_bytes())  # noqa: S301 - written by our own worker a moment ago


def _converse(
    process: subprocess.Popen[bytes],
    request: dict[str, object],
    path: Path,
    progress: Progress,
    timeout_secs: float,
) -> SourceError | None:
    """Send the request, follow the progress lines to their end, wait; returns what the worker found wrong."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.close()
    deadline = time.monotonic() + timeout_secs
    error: SourceError | None = None
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            remaining = deadline - time.monotonic()
            if GIVEN_UP.is_set() or remaining <= 0:
                process.kill()
                return _given_up(path) if GIVEN_UP.is_set() else _TooSlow(
                    f"{path.name} was not read within {timeout_secs:g} s", mend=_SMALLER, where=path.name, code="lost.slow",
                    fill={"file": path.name, "secs": f"{timeout_secs:g}"})
            if not selector.select(min(_LOOK_SECS, remaining)):
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                error = _heard(json.loads(line), path, progress) or error
    process.wait()
    return error


def _given_up(path: Path) -> SourceError:
    return lost(path, f"reading {path.name} was stopped", "build again; what was read is kept", "stopped")


def _heard(message: dict[str, Any], path: Path, progress: Progress) -> SourceError | None:
    if message.get("stopped"):
        return _given_up(path)
    if message.get("memory"):
        return lost(path, f"{path.name} needs more memory than is allowed", "split the model by discipline", "memory")
    if "error" in message:
        return SourceError(str(message["error"]), mend=str(message["mend"]), where=path.name, code=str(message["code"]),
                           fill=message["fill"])
    progress(path.name, str(message["step"]), int(str(message["done"])), int(str(message["total"])))
    return None


def _patience(path: Path) -> float:
    return BASE_TIMEOUT_SECS + TIMEOUT_SECS_PER_MB * (path.stat().st_size / 1e6 if path.is_file() else 0.0)


def _three_quarters_of_memory() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 / 4)
