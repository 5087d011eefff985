"""The build folder as something that is whole or absent: written aside, squeezed, then put in place in one move."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli

from twin.steps import digest_of_file

SQUEEZED = (".glb", ".json")


class BuildFolder:
    """Files of a build under way.

    The last good build stays until `put_in_place`, whatever happens in between.
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_name(final.name + ".tmp")
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def write(self, name: str, data: bytes) -> None:
        """Write one file, its folders made."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def write_tile(self, name: str, data: bytes) -> None:
        """Write one file under `tiles/`."""
        self.write(f"tiles/{name}", data)

    def squeeze(self, workers: int = 2) -> None:
        """Write `.gz` and `.br` beside every tile and table that shrinks, for the server to hand out as they are."""
        files = sorted(p for p in (self.path / "tiles").rglob("*") if p.suffix in SQUEEZED)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(_squeeze, files))

    def put_in_place(self) -> None:
        """Make this build the park's build; the old one is gone only once the new one stands."""
        old = self.final.with_name(self.final.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.final.exists():
            self.final.rename(old)
        self.path.rename(self.final)
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Leave nothing of an unfinished build."""
        shutil.rmtree(self.path, ignore_errors=True)


def _squeeze(path: Path) -> None:
    data = path.read_bytes()
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 6, mtime=0))
    path.with_name(path.name + ".br").write_bytes(brotli.compress(data, quality=7, lgwin=22))


def digest(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of each file that exists, by name (path as given)."""
    return {str(path): digest_of_file(path) for path in paths if path.is_file()}


def tree_digest(folder: Path) -> str:
    """One SHA-256 over names and bytes of every file in a folder."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(path.read_bytes())
    return total.hexdigest()
