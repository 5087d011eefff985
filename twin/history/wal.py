"""The write-ahead log: batches as CRC'd records, made durable in groups. A torn tail is dropped, never guessed at.

    u32 payload bytes · u32 crc32 of the payload · payload = u8 kind · u32 n · columns one behind the other
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FRAME = struct.Struct("<II")
_HEAD = struct.Struct("<BI")
READINGS, POSITIONS = 1, 2
#: kind → columns. Times are milliseconds since 1970 UTC; `point` is the history's own number of a point. x, y, z and
#: `accuracy` are a fix as it came; `shown_*` and `spread` what was made of it, NaN for exact fixes and those that came late.
#: Columns may be added at the end of a kind: files written before read as NaN there.
COLUMNS: dict[int, tuple[tuple[str, str], ...]] = {
    READINGS: (("point", "<u4"), ("time_ms", "<i8"), ("value", "<f8"), ("quality", "<u1")),
    POSITIONS: (("track", "<u4"), ("time_ms", "<i8"), ("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("heading", "<f4"),
                ("accuracy", "<f4"), ("shown_x", "<f4"), ("shown_y", "<f4"), ("shown_z", "<f4"), ("spread", "<f4")),
}
NAMES = {READINGS: "readings", POSITIONS: "positions"}
Columns = dict[str, NDArray]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one kind, as columns named in `COLUMNS`."""

    kind: int
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["time_ms"])


class WalFile:
    """One log being written. Not safe from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._file = path.open("ab")
        self._good = path.stat().st_size, 0

    def append(self, batch: Batch) -> None:
        """Hand a batch to the operating system; durable after `sync`."""
        payload = _HEAD.pack(batch.kind, len(batch)) + b"".join(
            np.ascontiguousarray(batch.columns[name], dtype).tobytes() for name, dtype in COLUMNS[batch.kind])
        self._file.write(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
        self.rows += len(batch)

    def sync(self) -> None:
        """Return when all that was appended is on the disk."""
        self._file.flush()
        os.fdatasync(self._file.fileno())
        self._good = self._file.tell(), self.rows

    def rewind(self) -> None:
        """After a failed write: back to where it was durable, so that what is written again stands there once."""
        with contextlib.suppress(OSError):  # what it could not write it cannot write now
            self._file.close()
        size, self.rows = self._good
        os.truncate(self.path, size)
        self._file = self.path.open("ab")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_wal(path: Path) -> list[Batch]:
    """Every whole record, in order; stops at the first that is torn.

    Raises:
        FileNotFoundError: the log was turned into a segment meanwhile.
    """
    return [batch for _, batch in _records(memoryview(path.read_bytes()))]


def _records(data: memoryview) -> Iterator[tuple[int, Batch]]:
    """Size and batch of each; the columns are views of `data`: a log of many small records leaves no crumbs of memory."""
    at = 0
    while at + _FRAME.size <= len(data):
        size, crc = _FRAME.unpack_from(data, at)
        payload = data[at + _FRAME.size: at + _FRAME.size + size]
        if len(payload) < size or size < _HEAD.size or zlib.crc32(payload) != crc:
            return
        at += _FRAME.size + size
        yield _FRAME.size + size, _batch(payload)


def _batch(payload: memoryview) -> Batch:
    kind, n = _HEAD.unpack_from(payload)
    columns, at = {}, _HEAD.size
    for name, dtype in COLUMNS[kind]:
        if at < len(payload):
            columns[name] = np.frombuffer(payload, dtype, n, at)
        at += n * np.dtype(dtype).itemsize
    return Batch(kind, whole(columns, kind, n))


def whole(columns: Columns, kind: int, n: int) -> Columns:
    """`n` rows of a kind with all its columns: NaN in those that were not written then."""
    return {name: columns[name] if name in columns else np.full(n, np.nan, dtype) for name, dtype in COLUMNS[kind]}


def joined(batches: list[Batch], kind: int) -> Columns:
    """All rows of one kind, in order."""
    parts = [batch.columns for batch in batches if batch.kind == kind]
    return {name: np.concatenate([part[name] for part in parts] or [np.zeros(0, dtype)])
            for name, dtype in COLUMNS[kind]}
