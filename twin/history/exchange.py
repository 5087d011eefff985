"""History in and out as tables anyone reads: CSV or Parquet with `time` (UTC), `point`, `value`, `quality`, `text`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.errors import TwinError
from twin.history import files, read
from twin.history.store import hold, point_numbers
from twin.history.thin import thin_pieces
from twin.history.wal import READINGS, Batch
from twin.texts import FILE, Texts
from twin.wire import Quality

SCHEMA = pa.schema([("time", pa.timestamp("ms", "UTC")), ("point", pa.string()), ("value", pa.float64()),
                    ("quality", pa.string()), ("text", pa.dictionary(pa.int32(), pa.string()))])
#: For those who know no dictionaries.
PLAIN = SCHEMA.set(4, pa.field("text", pa.string()))
FORMATS = ("csv", "parquet")
_NO_TIME = -(2**62)
_WORDS = pa.array([quality.name.lower() for quality in sorted(Quality)])


class ExchangeError(TwinError):
    """A table of history cannot be read or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: rows taken, rows left out by reason, points nobody knows."""

    rows: int
    left_out: dict[str, int]
    unknown: tuple[str, ...]


def tables(root: Path, ids: dict[int, str], *, from_ms: int, to_ms: int,
           points: Sequence[str] = ("*",)) -> Iterator[pa.Table]:
    """Readings of a span, a table a UTC day, each by point and time.

    Args:
        root: the history folder; a server may be writing it.
        ids: point id by the history's own number (`point_ids`).
        from_ms, to_ms: milliseconds since 1970 UTC, the end excluded.
        points: patterns of point ids, as `AHU-*.temp`.
    """
    chosen = {number: name for number, name in ids.items() if any(fnmatch(name, pattern) for pattern in points)}
    numbers = np.array(sorted(chosen), np.uint32)
    names = pa.array([chosen[int(number)] for number in numbers], pa.string())
    first = read.first_ms(root)
    if first is None or not len(numbers):
        return
    said = Texts().open(root / FILE)
    words = pa.array([said.text(code) for code in range(len(said))], pa.string())
    is_text = np.array([chosen[int(number)] in said.points for number in numbers], np.bool_)
    begin, end = max(from_ms, first), min(to_ms, (_last_day(root) + 1) * files.DAY_MS)
    for day in range(begin // files.DAY_MS, (end + files.DAY_MS - 1) // files.DAY_MS):
        rows = read.rows_between(root, READINGS, max(begin, day * files.DAY_MS), min(end, (day + 1) * files.DAY_MS),
                                 None if len(numbers) == len(ids) else numbers)
        keep = np.flatnonzero(np.isin(rows["point"], numbers))
        keep = keep[np.lexsort((rows["time_ms"][keep], rows["point"][keep]))]
        if len(keep):
            at = np.searchsorted(numbers, rows["point"][keep])
            value, texts = rows["value"][keep], is_text[at]
            has_word = texts & (value >= 0) & (value < len(words))
            codes = pa.array(np.where(has_word, value, 0).astype(np.int32), mask=~has_word)
            yield pa.table([pa.array(rows["time_ms"][keep], pa.timestamp("ms", "UTC")), names.take(pa.array(at)),
                            pa.array(value, mask=texts), _WORDS.take(pa.array(rows["quality"][keep])),
                            pa.DictionaryArray.from_arrays(codes, words)], schema=SCHEMA)


def _last_day(root: Path) -> int:
    """The UTC day after which nothing is on disk: far off where a log is still open."""
    if files.logs(root):
        return 2**31 // 86_400 * 2
    return max([piece.day for piece in files.pieces(root, READINGS)] + list(thin_pieces(root)), default=0)


def point_ids(root: Path) -> dict[int, str]:
    """Every point there ever was, by the history's own number."""
    path = root / "points.json"
    known: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {number: name for name, number in known.items()}


def write_table(found: Iterator[pa.Table], out: IO[bytes], form: str) -> int:
    """Write the tables one behind the other as `csv` or `parquet`; gives the rows written."""
    rows = 0
    writer: Any = pacsv.CSVWriter(out, PLAIN) if form == "csv" else pq.ParquetWriter(out, SCHEMA, compression="zstd")
    with writer:
        for table in found:
            writer.write_table(table.cast(PLAIN) if form == "csv" else table.unify_dictionaries())
            rows += len(table)
    return rows


def import_table(root: Path, path: Path, known: Sequence[str], told: Callable[[int], None] = lambda rows: None) -> Imported:
    """Take a table's rows into history, batch by batch. A point and time that is there already stays as it is.

    Args:
        root: the history folder, which no server may be writing.
        path: `.csv` (`time` as ISO 8601 with its offset, UTC where it has none) or `.parquet`, columns as above;
            `quality` may be missing (good).
        known: ids of the park's points; rows of others are left out and counted.
        told: called with the rows taken so far.

    Raises:
        ExchangeError: the file is no such table; nothing is taken.
        HistoryError: a server writes the folder.
    """
    with hold(root):
        files.clean(root)
        before = files.last_log(root)
        try:
            return _taken(root, path, known, told)
        except BaseException:
            for written in (root / "segments").glob("*.parquet"):
                if int(written.name.split(".")[1]) > before:
                    written.unlink()
            raise


def _taken(root: Path, path: Path, known: Sequence[str], told: Callable[[int], None]) -> Imported:
    numbers, slot = point_numbers(root / "points.json", known)
    log, rows = files.last_log(root), 0
    said = Texts().open(root / FILE)
    thinned = np.array(sorted(thin_pieces(root)), np.int64)
    left_out: Counter[str] = Counter()
    unknown: set[str] = set()
    days: set[int] = set()
    for table in _read(path):
        names = table["point"].to_pylist()
        point = np.array([slot.get(name, -1) for name in names], np.int64)
        unknown |= {name or "" for name, number in zip(names, point, strict=True) if number < 0}
        value, quality = table["value"].fill_null(np.nan).to_numpy(), _qualities(table)
        if "text" in table.column_names:
            value = value.copy()
            for row, text in enumerate(table["text"].to_pylist()):
                if text is not None and not np.isfinite(value[row]):
                    value[row] = said.code(text)
        time_ms = table["time"].cast(pa.int64()).fill_null(_NO_TIME).to_numpy()
        day = time_ms // files.DAY_MS
        keep = np.ones(len(table), np.bool_)
        for reason, wrong in (("unknown point", point < 0), ("no time", time_ms == _NO_TIME),
                              ("no such quality", quality < 0), ("of a day that was thinned", np.isin(day, thinned))):
            left_out[reason] += int((wrong & keep).sum())
            keep &= ~wrong
        quality[~np.isfinite(value) & (quality <= Quality.UNCERTAIN)] = Quality.BAD
        if keep.any():
            said.sync()
            log += 1
            files.write_segments(root, log, [Batch(READINGS, {
                "point": numbers[point[keep]], "time_ms": time_ms[keep], "value": value[keep],
                "quality": quality[keep].astype(np.uint8)})])
            days |= set(np.unique(day[keep]).tolist())
            rows += int(keep.sum())
            told(rows)
    for number in sorted(days):
        files.compact_day(root, number, READINGS)
    return Imported(rows=rows, left_out=dict(+left_out), unknown=tuple(sorted(unknown)))


def _qualities(table: pa.Table) -> NDArray[np.int64]:
    """By number; −1 for a word that is none."""
    if "quality" not in table.column_names:
        return np.zeros(len(table), np.int64)
    words = {quality.name.lower(): int(quality) for quality in Quality}
    return np.array([words.get((word or "good").strip().lower(), -1) for word in table["quality"].to_pylist()], np.int64)


def _read(path: Path) -> Iterator[pa.Table]:
    """The file in batches, with the columns and types of `SCHEMA`."""
    try:
        if path.suffix == ".parquet":
            source = pq.ParquetFile(path)
            _check(source.schema_arrow.names, path)
            batches = (pa.Table.from_batches([batch]) for batch in source.iter_batches(500_000))
        elif path.suffix == ".csv":
            types = pacsv.ConvertOptions(column_types={"time": pa.string(), "point": pa.string(), "value": pa.float64(),
                                                       "quality": pa.string(), "text": pa.string()}, strings_can_be_null=True)
            with pacsv.open_csv(path, convert_options=types) as opened:
                _check(opened.schema.names, path)
            batches = (pa.Table.from_batches([batch]) for batch in pacsv.open_csv(path, convert_options=types))
        else:
            raise ExchangeError(f"{path.name} is neither .csv nor .parquet", mend="save it as one of them", where=str(path))
        for table in batches:
            yield pa.table({name: _typed(table[name], PLAIN.field(name).type) for name in PLAIN.names
                            if name in table.column_names})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ExchangeError(f"{path.name} cannot be read ({str(error).splitlines()[0]})", where=str(path),
                            mend="columns time (ISO 8601), point (<device>.<point>), value and, if any, quality") from error


def _typed(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Times in words may have an offset each; without one they are UTC."""
    if pa.types.is_timestamp(wanted) and pa.types.is_string(column.type):
        times = pd.to_datetime(column.to_pandas(), utc=True, format="ISO8601").dt.as_unit("ms")
        return pa.chunked_array([pa.array(times, wanted, from_pandas=True)])
    return column.cast(wanted)


def _check(names: Sequence[str], path: Path) -> None:
    missing = [name for name in ("time", "point", "value") if name not in names]
    if missing:
        raise ExchangeError(f"{path.name} has no column {', '.join(missing)}", where=str(path),
                            mend="name its columns time, point, value and, if any, quality")
