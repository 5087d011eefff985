"""Results of finished steps, kept by the digest of everything that went in, so that a build repeats only what changed.

The store lies in the user's cache folder, never in a park's: what is kept is unpickled, and a park may come from anyone.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Final, TypeVar, cast

MOST_BYTES = 4 * 2**30
ABSENT: Final = object()
Result = TypeVar("Result")


class StepStore:
    """A folder of results; without a folder nothing is kept.

    Losing it costs time and nothing else: an entry that cannot be read is made again, a full disk keeps none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def find(self, key: str) -> object:
        """What is kept under `key`, or `ABSENT`."""
        if self.folder is None or not key:
            return ABSENT
        path = self.folder / key[:2] / key
        with suppress(Exception):  # absent, damaged, or of another version of a library
            kept: object = pickle.loads(path.read_bytes())  # noqa: S301 - written by this user
            os.utime(path)
            return kept
        return ABSENT

    def keep(self, key: str, made: object) -> None:
        """Keep a result; without a key or a folder, or on a full disk, it is not kept."""
        if self.folder is not None and key:
            with suppress(OSError):
                self._keep(self.folder / key[:2] / key, made)

    def recall(self, key: str, make: Callable[[], Result]) -> Result:
        """The result of `key`, made now if it is not there."""
        kept = self.find(key)
        if kept is not ABSENT:
            return cast(Result, kept)
        made = make()
        self.keep(key, made)
        return made

    def trim(self, most_bytes: int = MOST_BYTES) -> None:
        """Drop what was not used longest until the rest fits."""
        if self.folder is None:
            return
        rows: list[tuple[float, int, Path]] = []
        for path in self.folder.rglob("*"):
            with suppress(OSError):  # another build may be dropping it too
                state = path.lstat()
                if S_ISREG(state.st_mode):
                    rows.append((state.st_mtime, state.st_size, path))
        total = 0
        for _, size, path in sorted(rows, reverse=True):
            total += size
            if total > most_bytes:
                with suppress(OSError):
                    path.unlink()

    def _keep(self, path: Path, made: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                pickle.dump(made, out, protocol=5)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def user_steps() -> StepStore:
    """The user's own store: `$XDG_CACHE_HOME/parktwin/steps`, or below `~/.cache`."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "parktwin" / "steps"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o022:
            return StepStore(folder)
    return StepStore(None)  # nobody else may have put anything there


def key_of(*parts: bytes | str) -> str:
    """SHA-256 of parts, each with its length, in hex."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "little") + raw)
    return total.hexdigest()


@lru_cache
def code_digest(*rooms: str) -> str:
    """A digest of the Python files of some rooms of the house: other code may well come to another result."""
    root = Path(__file__).resolve().parent.parent
    total = hashlib.sha256()
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            total.update(path.relative_to(root).as_posix().encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
