"""The history folder: which file holds what, such that a crash at any moment neither loses nor doubles a row.

    wal/00000012.log                          the log being written, or not yet turned into segments
    segments/<day>.<log>.<kind>.parquet       one day's rows of one log
    days/<day>.<log>.<kind>.parquet           everything of a day up to that log, sorted by (point or track, time)
    thin/<day>.<log>.<secs>.parquet           a day's readings up to that log, thinned (`twin.history.thin`)

Files appear whole (temporary name, then rename). A segment counts only when its log is gone and no day file covers it;
of two day files of one day the later counts; what a thin file covers does not. So deleting the old after the new is there
may be left half done.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.history.wal import COLUMNS, NAMES, READINGS, Batch, Columns, joined, whole

DAY_MS = 86_400_000
ROW_GROUP = 32_768


@dataclass(frozen=True, slots=True)
class Piece:
    """One Parquet file: a UTC day (days since 1970), the last log in it, kind."""

    path: Path
    day: int
    log: int
    kind: int


def log_path(root: Path, number: int) -> Path:
    """Where a log of this number is."""
    return root / "wal" / f"{number:08d}.log"


def logs(root: Path) -> list[tuple[int, Path]]:
    """Logs not yet turned into segments, oldest first."""
    return sorted((int(path.stem), path) for path in (root / "wal").glob("*.log"))


def pieces(root: Path, kind: int) -> list[Piece]:
    """The Parquet files that count, each row in exactly one of them."""
    open_logs = {number for number, _ in logs(root)}
    newest: dict[int, Piece] = {}
    for piece in _listed(root / "days", kind):
        if piece.day not in newest or newest[piece.day].log < piece.log:
            newest[piece.day] = piece
    thin = _thinned(root) if kind == READINGS else {}
    covered = thin | {day: piece.log for day, piece in newest.items()}
    segments = [piece for piece in _listed(root / "segments", kind)
                if piece.log not in open_logs and piece.log > covered.get(piece.day, -1)]
    days = [piece for piece in newest.values() if piece.log > thin.get(piece.day, -1)]
    return sorted([*days, *segments], key=lambda piece: (piece.day, piece.log))


def last_log(root: Path) -> int:
    """The highest number any log had whose rows are still there; 0 when there are none."""
    listed = [piece.log for kind in COLUMNS for folder in ("segments", "days") for piece in _listed(root / folder, kind)]
    return max([*listed, *(number for number, _ in logs(root)), *_thinned(root).values()], default=0)


def write_segments(root: Path, log: int, batches: list[Batch]) -> None:
    """One log's rows, a file a day and kind. May be repeated."""
    for kind in COLUMNS:
        rows = joined(batches, kind)
        days = rows["time_ms"] // DAY_MS
        for day in np.unique(days):
            chosen = days == day
            write_whole(root / "segments" / _name(int(day), log, kind), _sorted(
                {name: column[chosen] for name, column in rows.items()}, kind))


def compact_day(root: Path, day: int, kind: int) -> Path | None:
    """One file for all there is of a day, then the old ones go; None when there was nothing to join."""
    parts = [piece for piece in pieces(root, kind) if piece.day == day]
    if not parts or (len(parts) == 1 and parts[0].path.parent.name == "days"):
        return None
    rows = joined([Batch(kind, read_piece(piece)) for piece in parts], kind)
    target = root / "days" / _name(day, max(piece.log for piece in parts), kind)
    write_whole(target, _sorted(rows, kind))
    for piece in parts:
        if piece.path != target:
            piece.path.unlink(missing_ok=True)
    return target


def read_piece(piece: Piece, who: NDArray[np.integer] | None = None) -> Columns:
    """Its rows with all columns of its kind; with `who`, all of those points (or tracks), and some of others."""
    with pq.ParquetFile(piece.path) as file:
        groups = list(range(file.metadata.num_row_groups))
        if who is not None:
            wanted = np.sort(who)
            groups = [group for group in groups if _may_tell_of(file.metadata.row_group(group), piece.kind, wanted)]
        table = file.read_row_groups(groups)
    return whole({name: table[name].to_numpy() for name in table.column_names}, piece.kind, len(table))


def _may_tell_of(group: pq.RowGroupMetaData, kind: int, wanted: NDArray[np.integer]) -> bool:
    """Whether some of `wanted`, sorted, may be in a row group, by its statistics."""
    column = next(column for at in range(group.num_columns)
                  if (column := group.column(at)).path_in_schema == COLUMNS[kind][0][0])
    told = column.statistics
    if told is None or not told.has_min_max:
        return True
    at = int(np.searchsorted(wanted, told.min))
    return at < len(wanted) and bool(wanted[at] <= told.max)


def clean(root: Path) -> None:
    """Remove what a crash left half done: temporary files, and day files or segments a later day file covers."""
    for folder in ("wal", "segments", "days", "thin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for path in (root / folder).glob("*.tmp"):
            path.unlink(missing_ok=True)
    open_logs = {number for number, _ in logs(root)}
    for kind in COLUMNS:
        counted = {piece.path for piece in pieces(root, kind)}
        for piece in [*_listed(root / "segments", kind), *_listed(root / "days", kind)]:
            if piece.path not in counted and piece.log not in open_logs:
                piece.path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def thin_files(root: Path) -> list[tuple[Path, int, int, int]]:
    """(path, day, last log in it, seconds a bucket) of every thin file."""
    found = []
    for path in (root / "thin").glob("*.parquet"):
        day, log, secs, _ = path.name.split(".")
        found.append((path, int(day), int(log), int(secs)))
    return found


def _thinned(root: Path) -> dict[int, int]:
    """Day → the last log its thin file stands for."""
    found: dict[int, int] = {}
    for _, day, log, _ in thin_files(root):
        found[day] = max(found.get(day, -1), log)
    return found


def _listed(folder: Path, kind: int) -> list[Piece]:
    found = []
    for path in folder.glob(f"*.{NAMES[kind]}.parquet"):
        day, log, _, _ = path.name.split(".")
        found.append(Piece(path, int(day), int(log), kind))
    return found


def _name(day: int, log: int, kind: int) -> str:
    return f"{day}.{log:08d}.{NAMES[kind]}.parquet"


def _sorted(rows: Columns, kind: int) -> Columns:
    """By (point or track, time); of rows with the same two the first stays."""
    who = COLUMNS[kind][0][0]
    order = np.lexsort((rows["time_ms"], rows[who]))
    rows = {name: column[order] for name, column in rows.items()}
    same = (np.diff(rows[who].astype(np.int64)) == 0) & (np.diff(rows["time_ms"]) == 0)
    keep = np.concatenate([[True], ~same])[: len(order)]
    return {name: column[keep] for name, column in rows.items()}


def write_whole(path: Path, rows: Columns) -> None:
    """A Parquet file that is there whole or not at all, also after a crash."""
    temporary = path.with_suffix(".tmp")
    pq.write_table(pa.table(rows), temporary, compression="zstd", row_group_size=ROW_GROUP,
                   column_encoding={"time_ms": "DELTA_BINARY_PACKED"}, use_dictionary=["quality", next(iter(rows))])
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_folder(path.parent)
