"""Questions to the history folder, answered from logs, segments and day files alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.history import files
from twin.history.files import DAY_MS
from twin.history.thin import last_words, thin_pieces, thin_rows
from twin.history.wal import COLUMNS, POSITIONS, READINGS, Columns, joined, read_wal
from twin.ports import Positions
from twin.wire import Quality

_TRIES = 3
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
    """The last row of every point in (time − look back, time]."""
    since = time_ms - look_back_ms
    parts = [*_parts(root, READINGS, since, time_ms + 1, None), *_last_words(root, since, time_ms + 1, None)]
    rows = _rows([_last_of_each(part) for part in parts], READINGS)
    last = np.argsort(rows["time_ms"], kind="stable")
    found = np.full(int(max(numbers.max(initial=0), rows["point"].max(initial=0))) + 1, -1, np.int64)
    found[rows["point"][last]] = last
    row = found[numbers]
    known = row >= 0
    value, quality = np.full(len(numbers), np.nan), np.full(len(numbers), int(Quality.NEVER), np.uint8)
    times = np.zeros(len(numbers), np.int64)
    value[known], quality[known] = rows["value"][row[known]], rows["quality"][row[known]]
    times[known] = rows["time_ms"][row[known]]
    return AsOf(value, quality, times)


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


def _last_of_each(rows: Columns) -> Columns:
    """The newest row of every point."""
    point, time_ms = rows["point"].astype(np.int64), rows["time_ms"]
    step = np.diff(point)
    if np.any((step < 0) | ((step == 0) & (np.diff(time_ms) < 0))):  # a log is not in order, the other files are
        order = np.lexsort((time_ms, point))
        rows, point = {name: column[order] for name, column in rows.items()}, point[order]
    last = np.flatnonzero(np.append(point[1:] != point[:-1], True))[: len(point)]
    return {name: column[last] for name, column in rows.items()}


def _parts(root: Path, kind: int, from_ms: int, to_ms: int, who: Who) -> list[Columns]:
    for attempt in range(_TRIES):
        try:
            return _gather(root, kind, from_ms, to_ms, who)
        except FileNotFoundError:  # a log became a segment, or segments a day file, while we read: look again
            if attempt == _TRIES - 1:
                raise
    raise AssertionError


def _gather(root: Path, kind: int, from_ms: int, to_ms: int, who: Who) -> list[Columns]:
    name = COLUMNS[kind][0][0]
    wal = [batch for _, path in files.logs(root) for batch in read_wal(path)]
    parts = [_chosen(joined(wal, kind), name, from_ms, to_ms, who)]
    where = (pc.field("time_ms") >= from_ms) & (pc.field("time_ms") < to_ms)
    if who is not None:
        where &= pc.field(name).isin(np.atleast_1d(who).tolist())
    for piece in files.pieces(root, kind):
        if piece.day * DAY_MS < to_ms and (piece.day + 1) * DAY_MS > from_ms:
            parts.append(files.read_piece(piece, where))
    return parts


def _chosen(rows: Columns, name: str, from_ms: int, to_ms: int, who: Who) -> Columns:
    keep = (rows["time_ms"] >= from_ms) & (rows["time_ms"] < to_ms)
    if who is not None:
        keep &= np.isin(rows[name], who)
    return {column: values[keep] for column, values in rows.items()}
