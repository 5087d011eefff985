"""Old days made thin: of each point one row a bucket, with count, sum, low, high and the last word.

    thin/<day>.<log>.<secs>.parquet           a UTC day's readings up to that log, a row a point and bucket

It stands in for the day's readings up to its log; of two of one day the later log counts, then the coarser buckets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.history import files
from twin.history.wal import COLUMNS, READINGS, Columns
from twin.wire import Quality

#: `time_ms` is where the bucket begins; count, total, low and high are of its good readings (NaN for none), `last*` of any.
THIN = (("point", "<u4"), ("time_ms", "<i8"), ("count", "<u4"), ("total", "<f8"), ("low", "<f8"), ("high", "<f8"),
        ("last", "<f8"), ("last_ms", "<i8"), ("quality", "<u1"))


@dataclass(frozen=True, slots=True)
class ThinPiece:
    """One thin file: a UTC day (days since 1970), the last log in it, seconds a bucket."""

    path: Path
    day: int
    log: int
    secs: int


def thin_pieces(root: Path) -> dict[int, ThinPiece]:
    """The thin file that counts of each day that has one."""
    found: dict[int, ThinPiece] = {}
    for piece in (ThinPiece(*parts) for parts in files.thin_files(root)):
        if piece.day not in found or (found[piece.day].log, found[piece.day].secs) < (piece.log, piece.secs):
            found[piece.day] = piece
    return found


def clean_thin(root: Path) -> None:
    """Remove thin files that another one of their day stands in for."""
    counted = {piece.path for piece in thin_pieces(root).values()}
    for path, *_ in files.thin_files(root):
        if path not in counted:
            path.unlink(missing_ok=True)


def thin_day(root: Path, day: int, secs: int) -> bool:
    """One row a point and bucket in place of a day's readings; False when it is as thin already.

    The day must have ended: what comes late is joined in the next time.
    """
    files.compact_day(root, day, READINGS)
    raw = [piece for piece in files.pieces(root, READINGS) if piece.day == day]
    thin = thin_pieces(root).get(day)
    if not raw and (thin is None or thin.secs >= secs):
        return False
    parts = [of_readings({name: table[name].to_numpy() for name, _ in COLUMNS[READINGS]})
             for table in (pq.read_table(piece.path) for piece in raw)]
    if thin is not None:
        parts.append(_read(thin.path))
        secs = max(secs, thin.secs)
    rows = {name: np.concatenate([part[name] for part in parts]) for name, _ in THIN}
    log = max([piece.log for piece in raw] + ([thin.log] if thin else []))
    (root / "thin").mkdir(exist_ok=True)
    target = root / "thin" / f"{day}.{log:08d}.{secs}.parquet"
    files.write_whole(target, bucketed(rows, secs))
    for path in [piece.path for piece in raw] + ([thin.path] if thin else []):
        if path != target:
            path.unlink(missing_ok=True)
    return True


def of_readings(rows: Columns) -> Columns:
    """Each reading as a bucket of its own."""
    good = (rows["quality"] <= Quality.UNCERTAIN) & np.isfinite(rows["value"])
    value = np.where(good, rows["value"], np.nan)
    return {"point": rows["point"], "time_ms": rows["time_ms"], "count": good.astype(np.uint32),
            "total": np.where(good, rows["value"], 0.0), "low": value, "high": value, "last": rows["value"],
            "last_ms": rows["time_ms"], "quality": rows["quality"]}


def bucketed(rows: Columns, secs: int) -> Columns:
    """Rows joined into buckets of a width, by (point, bucket)."""
    start = rows["time_ms"] // (secs * 1000) * (secs * 1000)
    order = np.lexsort((rows["last_ms"], start, rows["point"]))
    point, start = rows["point"][order], start[order]
    is_new = (np.diff(point.astype(np.int64)) != 0) | (np.diff(start) != 0)
    first = np.flatnonzero(np.concatenate([[True], is_new]))[: len(point)]
    if not len(first):
        return {name: np.zeros(0, dtype) for name, dtype in THIN}
    last = np.append(first[1:], len(point)) - 1
    row = {name: column[order] for name, column in rows.items()}
    return {"point": point[first], "time_ms": start[first], "count": np.add.reduceat(row["count"], first).astype(np.uint32),
            "total": np.add.reduceat(row["total"], first), "low": np.fmin.reduceat(row["low"], first),
            "high": np.fmax.reduceat(row["high"], first), "last": row["last"][last], "last_ms": row["last_ms"][last],
            "quality": row["quality"][last]}


def thin_rows(root: Path, from_ms: int, to_ms: int, who: list[int] | None) -> list[tuple[Columns, int]]:
    """(rows, seconds a bucket) of buckets that begin in from ≤ time < to, of some points or all."""
    where = (pc.field("time_ms") >= from_ms) & (pc.field("time_ms") < to_ms)
    if who is not None:
        where &= pc.field("point").isin(who)
    return [(_read(piece.path, where), piece.secs) for piece in thin_pieces(root).values()
            if piece.day * files.DAY_MS < to_ms and (piece.day + 1) * files.DAY_MS > from_ms]


def last_words(rows: Columns) -> Columns:
    """The last reading of every bucket, as a reading."""
    return {"point": rows["point"], "time_ms": rows["last_ms"], "value": rows["last"], "quality": rows["quality"]}


def _read(path: Path, where: pc.Expression | None = None) -> Columns:
    table = pq.read_table(path, filters=where)
    return {name: table[name].to_numpy() for name, _ in THIN}
