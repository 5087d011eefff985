"""What runs on a worker of a Dask cluster: who it is, where a step's files lie there, and the step."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scenes.kept import CODE_ROOMS
from scenes.meshopt import packing
from twin.steps import code_digest, digest_of_file
from twin.workshop import Step

#: Whose other versions may well draw other bytes.
LIBRARIES = ("distributed", "embreex", "geopandas", "ifcopenshell", "mapbox-earcut", "numba", "numpy", "pandas", "pydelatin",
             "pyogrio", "pyproj", "rasterio", "scipy", "shapely", "wasmtime")


@lru_cache
def identity() -> dict[str, str]:
    """What this process builds with: the same on two machines makes the same bytes of the same input."""
    return {"parktwin": f"code {code_digest(*CODE_ROOMS)}", "tile packing": packing()[:16],
            "Python": ".".join(map(str, sys.version_info[:2])), "machine": platform.machine(),
            **{name: _version(name) for name in LIBRARIES}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


@dataclass(frozen=True, slots=True)
class Away:
    """A worker's answer where a file of a step is not there: its path, and the worker's name."""

    path: str
    worker: str


@dataclass(frozen=True, slots=True)
class Cargo:
    """Files of a step on their way: their paths on the client, SHA-256 each, and their bytes, if sent."""

    paths: tuple[Path, ...]
    digests: tuple[str, ...]
    contents: tuple[bytes, ...] | None

    @classmethod
    def of(cls, paths: tuple[Path, ...], *, with_content: bool) -> Cargo:
        """Files as they are now; what is not there goes without."""
        there = tuple(path for path in paths if path.is_file())
        contents = tuple(path.read_bytes() for path in there) if with_content else None
        return cls(there, tuple(digest_of_file(path) for path in there), contents)

    @property
    def has_content(self) -> bool:
        """Whether the bytes themselves travel."""
        return self.contents is not None

    @contextmanager
    def unpacked(self) -> Iterator[dict[Path, Path] | Path]:
        """Where each file lies on this machine; or the first that does not."""
        if self.contents is None:
            missing = next((p for p, d in zip(self.paths, self.digests, strict=True) if not _is_here(p, d)), None)
            yield missing or {path: path for path in self.paths}
            return
        with TemporaryDirectory(prefix="parktwin-step-") as folder:
            for path, content in zip(self.paths, self.contents, strict=True):
                (Path(folder) / path.name).write_bytes(content)
            yield {path: Path(folder) / path.name for path in self.paths}


def _is_here(path: Path, digest: str) -> bool:
    try:
        return path.is_file() and digest_of_file(path) == digest
    except OSError:
        return False


def work(step: Step[Any], cargo: Cargo) -> Any:
    """Do a step on a worker; `Away` where it has to be sent again with its files."""
    with cargo.unpacked() as here:
        if isinstance(here, Path):
            return Away(str(here), platform.node())
        return step.do(lambda path: here.get(path, path))
