"""Questions to the history folder, answered from logs, segments and day files alike."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.history import files
from twin.history.files import DAY_MS
from twin.history.thin import last_words, thin_pieces, thin_rows
from twin.history.wal import COLUMNS, POSITIONS, READINGS, Columns, joined, read_wal
from twin.ports import Positions
from twin.wire import Quality

_TRIES = 3
#: From so many points on, whole files are read at once.
FEW = 64
T = TypeVar("T")
Who = int | NDArray[np.uint32] | None


@dataclass(frozen=True, slots=True)
class Series:
    """A point over time: bucket starts (ms), and mean, low and high of the good readings in each; NaN for none."""

    t: NDArray[np.int64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AsOf:
    """Per slot what was last said: value, quality (see `twin.wire.Quality`), source time (ms; 0 for never)."""

    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    time_ms: NDArray[np.int64]


def series(root: Path, point: int, from_ms: int, to_ms: int, buckets: int) -> Series:
    """One point between two instants (to_ms excluded), unweighted means."""
    rows = _rows(_parts(root, READINGS, from_ms, to_ms, point), READINGS)
    good = (rows["quality"] <= Quality.UNCERTAIN) & np.isfinite(rows["value"])
    value, time_ms = rows["value"][good], rows["time_ms"][good]
    edges = from_ms + (np.arange(buckets) * (to_ms - from_ms)) // buckets
    at = np.searchsorted(edges, time_ms, side="right") - 1
    count = np.bincount(at, minlength=buckets)
    total = np.bincount(at, weights=value, minlength=buckets).astype(np.float64)
    low, high = np.full(buckets, np.inf), np.full(buckets, -np.inf)
    np.minimum.at(low, at, value)
    np.maximum.at(high, at, value)
    for thin, secs in thin_rows(root, from_ms // DAY_MS * DAY_MS, to_ms, [point]):
        row, at = _spread(thin, secs, edges, to_ms)
        count += np.bincount(at, weights=thin["count"][row], minlength=buckets).astype(np.int64)
        total += np.bincount(at, weights=thin["total"][row], minlength=buckets)
        np.fmin.at(low, at, thin["low"][row])
        np.fmax.at(high, at, thin["high"][row])
    empty = count == 0
    low[empty] = high[empty] = np.nan
    return Series(edges, np.where(empty, np.nan, total / np.maximum(count, 1)), low, high)


def as_of(root: Path, numbers: NDArray[np.uint32], time_ms: int, look_back_ms: int) -> AsOf:
    """The last row of every point in [time − look back, time]."""
    return _tried(lambda: _as_of(root, numbers, time_ms, look_back_ms))


def positions(root: Path, from_ms: int, to_ms: int, *, track: int | None = None, raw: bool = False) -> Positions:
    """Fixes between two instants, by time, where they were shown; those that came too late to be shown are left out.

    Args:
        root: the history folder.
        from_ms, to_ms: milliseconds since 1970 UTC, the end excluded.
        track: of one track; None: of all.
        raw: as they came, all of them.
    """
    rows = rows_between(root, POSITIONS, from_ms, to_ms, who=track)
    came = np.stack([rows["x"], rows["y"], rows["z"]], axis=1)
    shown = np.stack([rows["shown_x"], rows["shown_y"], rows["shown_z"]], axis=1)
    is_noisy = rows["accuracy"] > 0  # NaN: of a time when it was not written, and what came was shown
    kept = np.flatnonzero(~is_noisy | np.isfinite(shown).all(axis=1) | raw)
    order = kept[np.argsort(rows["time_ms"][kept], kind="stable")]
    xyz = came if raw else np.where(is_noisy[:, None], shown, came)
    sigma = np.nan_to_num(rows["accuracy"] if raw else np.where(is_noisy, rows["spread"], 0.0)).astype(np.float32)
    return Positions(rows["track"][order], xyz[order].astype(np.float64), rows["heading"][order],
                     rows["time_ms"][order] / 1000.0, sigma[order])


def means(root: Path, points: NDArray[np.uint32], edges_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    """f64 (spans, points): unweighted mean of each point's good readings between neighbouring edges; NaN for none."""
    spans = len(edges_ms) - 1
    order = np.argsort(points, kind="stable")
    total, count = np.zeros(spans * len(points)), np.zeros(spans * len(points))
    for part in _parts(root, READINGS, int(edges_ms[0]), int(edges_ms[-1]), points):
        good = (part["quality"] <= Quality.UNCERTAIN) & np.isfinite(part["value"])
        column = order[np.searchsorted(points, part["point"][good], sorter=order)]
        span = np.searchsorted(edges_ms, part["time_ms"][good], side="right") - 1
        total += np.bincount(span * len(points) + column, weights=part["value"][good], minlength=len(total))
        count += np.bincount(span * len(points) + column, minlength=len(count))
    for thin, _ in thin_rows(root, int(edges_ms[0]), int(edges_ms[-1]), np.unique(points).tolist()):
        column = order[np.searchsorted(points, thin["point"], sorter=order)]
        at = (np.searchsorted(edges_ms, thin["time_ms"], side="right") - 1) * len(points) + column
        total += np.bincount(at, weights=thin["total"], minlength=len(total))
        count += np.bincount(at, weights=thin["count"], minlength=len(count))
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return mean.reshape(spans, len(points))


def rows_between(root: Path, kind: int, from_ms: int, to_ms: int, who: Who = None) -> Columns:
    """All rows of a kind with from_ms ≤ time < to_ms, of one or some points (or tracks) when `who` is given.

    Of thinned days the last reading of every bucket.
    """
    parts = _parts(root, kind, from_ms, to_ms, who)
    if kind == READINGS:
        parts += _last_words(root, from_ms, to_ms, who)
    return _rows(parts, kind)


def first_ms(root: Path) -> int | None:
    """The time of the oldest reading; None where there is none."""
    days = [piece.day for piece in files.pieces(root, READINGS)] + list(thin_pieces(root))
    until = (min(days) + 1) * DAY_MS if days else 2**62
    times = rows_between(root, READINGS, 0, until)["time_ms"]
    return int(times.min()) if len(times) else None


def _spread(thin: Columns, secs: int, edges: NDArray[np.int64], to_ms: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(row, bucket asked for): a row counts where it begins, or in every bucket it spans when those are finer than it."""
    begin, end = thin["time_ms"], thin["time_ms"] + secs * 1000
    if len(edges) > 1 and edges[1] - edges[0] >= secs * 1000:
        end = begin + 1
    row = np.flatnonzero((end > edges[0]) & (begin < to_ms))
    first = np.maximum(np.searchsorted(edges, begin[row], side="right") - 1, 0)
    last = np.searchsorted(edges, end[row] - 1, side="right") - 1
    spans = last - first + 1
    step = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans, spans)
    return np.repeat(row, spans), np.repeat(first, spans) + step


def _rows(parts: list[Columns], kind: int) -> Columns:
    return {column: np.concatenate([part[column] for part in parts]) for column, _ in COLUMNS[kind]}


def _last_words(root: Path, from_ms: int, to_ms: int, who: Who) -> list[Columns]:
    """The last readings of the buckets of thinned days."""
    points = None if who is None else np.atleast_1d(who).tolist()
    found = thin_rows(root, from_ms // DAY_MS * DAY_MS, to_ms, points)
    return [_chosen(last_words(rows), "point", from_ms, to_ms, None) for rows, _ in found]


def _as_of(root: Path, numbers: NDArray[np.uint32], time_ms: int, look_back_ms: int) -> AsOf:
    """From the newest day backwards, until everybody asked for was heard."""
    since = time_ms - look_back_ms
    latest = _Latest(int(numbers.max()) + 1 if len(numbers) else 0)
    for words in (*_last_words(root, since, time_ms + 1, None), _in_order(_logged(root, READINGS, since, time_ms + 1, None))):
        latest.hear(words, since, time_ms)
    pieces = [piece for piece in files.pieces(root, READINGS) if _is_within(piece, since, time_ms + 1)]
    for day in sorted({piece.day for piece in pieces}, reverse=True):
        waiting = numbers[latest.time_ms[numbers] < (day + 1) * DAY_MS]
        if len(waiting):
            few = waiting if len(waiting) < FEW else None
            for piece in (piece for piece in pieces if piece.day == day):
                latest.hear(files.read_piece(piece, few), since, time_ms)
    return AsOf(latest.value[numbers], latest.quality[numbers], latest.time_ms[numbers])


class _Latest:
    """What each of some points said last, of all that was read so far."""

    def __init__(self, count: int) -> None:
        self.value, self.quality = np.full(count, np.nan), np.full(count, int(Quality.NEVER), np.uint8)
        self.time_ms = np.zeros(count, np.int64)

    def hear(self, rows: Columns, since_ms: int, until_ms: int) -> None:
        """Rows by (point, time): of each point the last in [since, until] counts."""
        point, time_ms = rows["point"], rows["time_ms"]
        if not len(point):
            return
        is_past = time_ms <= until_ms
        is_last = np.append((point[1:] != point[:-1]) | ~is_past[1:], True)
        row = np.flatnonzero(is_past & is_last)
        row = row[(time_ms[row] >= since_ms) & (point[row] < len(self.time_ms))]
        row = row[time_ms[row] > self.time_ms[point[row]]]
        at = point[row]
        self.value[at], self.quality[at], self.time_ms[at] = rows["value"][row], rows["quality"][row], time_ms[row]


def _in_order(rows: Columns) -> Columns:
    """By (point, time); a log is as things were heard."""
    order = np.lexsort((rows["time_ms"], rows["point"]))
    return {name: column[order] for name, column in rows.items()}


def _parts(root: Path, kind: int, from_ms: int, to_ms: int, who: Who) -> list[Columns]:
    return _tried(lambda: _gather(root, kind, from_ms, to_ms, who))


def _tried(read: Callable[[], T]) -> T:
    """A log may become a segment, or segments a day file, while we read: then look again."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(FileNotFoundError):
            return read()
    return read()


def _gather(root: Path, kind: int, from_ms: int, to_ms: int, who: Who) -> list[Columns]:
    parts = [_logged(root, kind, from_ms, to_ms, who)]
    for piece in files.pieces(root, kind):
        if _is_within(piece, from_ms, to_ms):
            rows = files.read_piece(piece, None if who is None else np.atleast_1d(who))
            parts.append(_chosen(rows, COLUMNS[kind][0][0], from_ms, to_ms, who))
    return parts


def _logged(root: Path, kind: int, from_ms: int, to_ms: int, who: Who) -> Columns:
    """What is in no other file yet."""
    wal = [batch for _, path in files.logs(root) for batch in read_wal(path)]
    return _chosen(joined(wal, kind), COLUMNS[kind][0][0], from_ms, to_ms, who)


def _is_within(piece: files.Piece, from_ms: int, to_ms: int) -> bool:
    return piece.day * DAY_MS < to_ms and (piece.day + 1) * DAY_MS > from_ms


def _chosen(rows: Columns, name: str, from_ms: int, to_ms: int, who: Who) -> Columns:
    keep = (rows["time_ms"] >= from_ms) & (rows["time_ms"] < to_ms)
    if who is not None:
        keep &= np.isin(rows[name], who)
    row = np.flatnonzero(keep)
    return rows if len(row) == len(keep) else {column: values[row] for column, values in rows.items()}
