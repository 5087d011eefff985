"""The build folder as something that is whole or absent: written aside, squeezed, then put in place in one move."""

from __future__ import annotations

import ctypes
import errno
import gzip
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import brotli

from twin.errors import TwinError
from twin.steps import StepStore, digest_of_file, key_of

SQUEEZED = (".glb", ".json")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_AT_CWD, _RENAME_EXCHANGE = -100, 2  # <fcntl.h>, <linux/fs.h>


class DiskFullError(TwinError):
    """The disk a build is written to has no room for it."""


@contextmanager
def build_folder(final: Path, *, keeps_former: bool = False) -> Iterator[BuildFolder]:
    """A folder to build in, beside the park's build and on its disk; it becomes the park's build on leaving.

    Whatever is raised meanwhile leaves the last good build where it stands, and nothing else. With `keeps_former` the
    build that is replaced stays aside until `forget_former` or `take_back`.

    Raises:
        DiskFullError: it did not fit; says how much room is wanted, and where.
    """
    folder = BuildFolder(final, keeps_former)
    try:
        folder.open()
        yield folder
        folder.put_in_place()
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise folder.too_small() from error
    finally:
        folder.discard()


class BuildFolder:
    """Files of a build under way.

    The last good build stays until `put_in_place`, whatever happens in between.
    """

    def __init__(self, final: Path, keeps_former: bool = False) -> None:
        self.final, self.keeps_former = final, keeps_former
        self.path = final.with_name(final.name + ".tmp")
        self.old = _former(final)

    def open(self) -> None:
        """Make the folder, empty; a build that was caught between two moves is put back first."""
        if not self.final.exists() and self.old.is_dir():
            self.old.rename(self.final)
        self.discard()
        self.path.mkdir(parents=True)

    def write(self, name: str, data: bytes) -> None:
        """Write one file, its folders made."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def write_tile(self, name: str, data: bytes) -> None:
        """Write one file under `tiles/`."""
        self.write(f"tiles/{name}", data)

    def squeeze(self, store: StepStore, workers: int = 2) -> None:
        """Write `.gz` and `.br` beside every tile and table that shrinks, for the server to hand out as they are.

        Args:
            store: where those of files that were squeezed before come from.
        """
        files = sorted(p for p in (self.path / "tiles").rglob("*") if p.suffix in SQUEEZED)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda path: _squeeze(path, store), files))

    def put_in_place(self) -> None:
        """Make this build the park's build in one move; the old one is gone only once the new one stands."""
        if self.final.exists():
            forget_former(self.final)
            if _exchanged(self.path, self.final):
                self.path.rename(self.old)
            else:
                self.final.rename(self.old)
        if not self.final.exists():
            self.path.rename(self.final)
        if not self.keeps_former:
            forget_former(self.final)

    def discard(self) -> None:
        """Leave nothing of an unfinished build, or of the one that was replaced."""
        shutil.rmtree(self.path, ignore_errors=True)

    def too_small(self) -> DiskFullError:
        """What to say where this build does not fit."""
        written, standing = _size(self.path), _size(self.final)
        self.discard()
        free = shutil.disk_usage(self.final.parent).free
        wanted = f"about {_mb(standing)}, as the last one" if standing > written else f"more than {_mb(written)}"
        stays = "; the last good build still stands" if standing else ""
        return DiskFullError(f"the disk is full: a build of this park takes {wanted}, and {_mb(free)} are free there{stays}",
                             mend="make room and build again; what was done is kept", where=str(self.final.parent))


def take_back(final: Path) -> bool:
    """Put the build that was kept aside back in place of one that is no use; False where there is none."""
    old = _former(final)
    if not old.is_dir():
        return False
    shutil.rmtree(final, ignore_errors=True)
    old.rename(final)
    return True


def forget_former(final: Path) -> None:
    """Remove the build that was kept aside, if any."""
    shutil.rmtree(_former(final), ignore_errors=True)


def _former(final: Path) -> Path:
    return final.with_name(final.name + ".old")


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two folders could change names in one move (Linux)."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _RENAME_EXCHANGE) == 0


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _squeeze(path: Path, store: StepStore) -> None:
    if path.with_name(path.name + ".br").exists():  # taken over whole from the build before
        return
    data = path.read_bytes()
    key = key_of("squeezed", brotli.version, data)
    packed = store.recall(key, lambda: (gzip.compress(data, 6, mtime=0), brotli.compress(data, quality=7, lgwin=22)))
    for suffix, small in zip((".gz", ".br"), packed, strict=True):
        path.with_name(path.name + suffix).write_bytes(small)


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
