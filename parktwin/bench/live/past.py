"""History: bytes a sample and answers, beside SQLite and PostgreSQL holding the same rows."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from parktwin.bench.rows import Row
from twin.history import files, read
from twin.history.wal import READINGS, Batch, Columns

START_DAY = 20_000
SAMPLES_A_DAY = 166  # of a point: what deadbands leave of a reading a minute or so
ROUNDS = 5
POSTGRES = os.environ.get("PARKTWIN_POSTGRES", "postgresql://postgres:postgres@127.0.0.1:5432/postgres").replace(
    "+psycopg", "")
TABLE = "parktwin_bench_history"
ASKS = (("everything as of an instant", "as_of"), ("ten minutes of everything", "ten_minutes"),
        ("one point, all days, 1,000 buckets", "one_point"))


def measure(scratch: Path, quick: bool) -> list[Row]:
    """The same rows into each, then the same questions, turn by turn."""
    points, days = (500, 3) if quick else (10_000, 3)
    made = [_day(day, points) for day in range(days)]
    samples = sum(len(rows["point"]) for rows in made)
    ours = _ours(scratch / "history", made)
    note = f"{points:,} points × {days} days, {samples / 1e6:.1f} M samples"
    rows = [Row(what="history, bytes a sample", unit="B", ours=ours / samples, target=6.0, note=note)]
    mine = _Ours(scratch / "history", points)
    for name, opened in (("SQLite", _sqlite(scratch / "peer.sqlite", made)), ("PostgreSQL", _postgres(made))):
        try:
            with opened as (peer, size):
                rows.append(Row(what=f"history, bytes a sample beside {name}", unit="B", ours=ours / samples,
                                peer=size / samples, peer_name=name))
                rows += [_row(what, getattr(mine, ask), getattr(peer, ask), name) for what, ask in ASKS]
        except OSError as error:
            rows.append(Row(what=f"history beside {name}: not measured", unit="", ours=float("nan"), note=str(error)))
    rows.append(Row(what="everything as of an instant, against its own target", unit="ms", target=60.0,
                    ours=statistics.median(_millis(mine.as_of) for _ in range(ROUNDS))))
    rows.append(_scrub(scratch / "history", points))
    return rows


def _row(what: str, mine: Callable[[], int], peer: Callable[[], int], name: str) -> Row:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_millis(mine))
        theirs.append(_millis(peer))
    return Row(what=what, unit="ms", ours=statistics.median(ours), peer=statistics.median(theirs), peer_name=name)


def _millis(ask: Callable[[], int]) -> float:
    began = time.perf_counter()
    found = ask()
    took = (time.perf_counter() - began) * 1000
    assert found, "every question has an answer"
    return took


def _scrub(root: Path, points: int) -> Row:
    """Jumps inside a day that is loaded."""
    day = read.rows_between(root, READINGS, START_DAY * files.DAY_MS, (START_DAY + 1) * files.DAY_MS)
    key = day["point"].astype(np.int64) * files.DAY_MS + day["time_ms"] % files.DAY_MS
    rng, took = np.random.default_rng(3), []
    for at in rng.integers(files.DAY_MS // 2, files.DAY_MS, 50):
        began = time.perf_counter()
        row = np.searchsorted(key, np.arange(points) * files.DAY_MS + at, side="right") - 1
        value = day["value"][row]
        took.append((time.perf_counter() - began) * 1000)
        assert len(value) == points
    return Row(what=f"a jump inside a loaded day, {points:,} points", unit="ms", ours=statistics.median(took), target=5.0)


def _day(day: int, points: int) -> Columns:
    rng = np.random.default_rng(day)
    n = points * SAMPLES_A_DAY
    point = np.repeat(np.arange(points, dtype=np.uint32), SAMPLES_A_DAY)
    at = np.sort(rng.integers(0, files.DAY_MS, (points, SAMPLES_A_DAY)), axis=1).ravel()
    value = np.round(20 + np.cumsum(rng.normal(0, 0.1, (points, SAMPLES_A_DAY)), axis=1).ravel(), 1)
    return {"point": point, "time_ms": at + (START_DAY + day) * files.DAY_MS, "value": value,
            "quality": np.zeros(n, np.uint8)}


def _ours(root: Path, made: list[Columns]) -> int:
    files.clean(root)
    for number, rows in enumerate(made, start=1):
        files.write_segments(root, number, [Batch(READINGS, rows)])
        files.compact_day(root, START_DAY + number - 1, READINGS)
    return sum(path.stat().st_size for path in (root / "days").glob("*.parquet"))


class _Ours:
    def __init__(self, root: Path, points: int) -> None:
        self.root, self.numbers = root, np.arange(points, dtype=np.uint32)
        self.at = (START_DAY + 1) * files.DAY_MS + files.DAY_MS // 2
        self.end = max(piece.day for piece in files.pieces(root, READINGS)) + 1

    def as_of(self) -> int:
        return int(np.isfinite(read.as_of(self.root, self.numbers, self.at, files.DAY_MS).value).sum())

    def ten_minutes(self) -> int:
        return len(read.rows_between(self.root, READINGS, self.at, self.at + 600_000)["value"])

    def one_point(self) -> int:
        found = read.series(self.root, 7, START_DAY * files.DAY_MS, self.end * files.DAY_MS, 1000)
        return int(np.isfinite(found.mean).sum())


class _Sql:
    """The same three questions in SQL; `mark` is the driver's place holder."""

    def __init__(self, ask: Callable[[str, tuple[Any, ...]], list[Any]], mark: str, days: int) -> None:
        self._ask, self._mark = ask, mark
        self.at = (START_DAY + 1) * files.DAY_MS + files.DAY_MS // 2
        self.begin, self.end = START_DAY * files.DAY_MS, (START_DAY + days) * files.DAY_MS

    def as_of(self) -> int:
        return len(self._ask(
            f"SELECT h.point, h.value FROM {TABLE} h JOIN (SELECT point, max(time_ms) AS last FROM {TABLE} "  # noqa: S608
            f"WHERE time_ms > {self._mark} AND time_ms <= {self._mark} GROUP BY point) l "
            "ON h.point = l.point AND h.time_ms = l.last", (self.at - files.DAY_MS, self.at)))

    def ten_minutes(self) -> int:
        return len(self._ask(f"SELECT point, time_ms, value, quality FROM {TABLE} "  # noqa: S608
                             f"WHERE time_ms >= {self._mark} AND time_ms < {self._mark}", (self.at, self.at + 600_000)))

    def one_point(self) -> int:
        width = (self.end - self.begin) // 1000
        return len(self._ask(
            f"SELECT (time_ms - {self.begin}) / {width} AS bucket, avg(value), min(value), max(value) FROM {TABLE} "  # noqa: S608
            f"WHERE point = 7 AND time_ms >= {self._mark} AND time_ms < {self._mark} GROUP BY bucket",
            (self.begin, self.end)))


@contextmanager
def _sqlite(path: Path, made: list[Columns]) -> Iterator[tuple[_Sql, int]]:
    base = sqlite3.connect(path)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute(f"CREATE TABLE {TABLE} (point INTEGER, time_ms INTEGER, value REAL, quality INTEGER, "
                 "PRIMARY KEY (point, time_ms)) WITHOUT ROWID")
    for rows in made:
        base.executemany(f"INSERT OR IGNORE INTO {TABLE} VALUES (?, ?, ?, ?)",  # noqa: S608
                         zip(*(rows[name].tolist() for name in ("point", "time_ms", "value", "quality")), strict=True))
    base.execute(f"CREATE INDEX by_time ON {TABLE} (time_ms)")
    base.commit()
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield _Sql(lambda text, values: base.execute(text, values).fetchall(), "?", len(made)), path.stat().st_size
    base.close()


@contextmanager
def _postgres(made: list[Columns]) -> Iterator[tuple[_Sql, int]]:
    import psycopg

    try:
        base = psycopg.connect(POSTGRES, connect_timeout=3, autocommit=True)
    except psycopg.OperationalError as error:
        raise OSError(f"no PostgreSQL ({str(error).splitlines()[0]}); set PARKTWIN_POSTGRES") from error
    with base, base.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE UNLOGGED TABLE {TABLE} "
                       "(point integer, time_ms bigint, value double precision, quality smallint)")
        try:
            for rows in made:
                with cursor.copy(f"COPY {TABLE} FROM STDIN") as copy:
                    for row in zip(*(rows[name].tolist() for name in ("point", "time_ms", "value", "quality")), strict=True):
                        copy.write_row(row)
            cursor.execute(f"CREATE INDEX ON {TABLE} (point, time_ms)")
            cursor.execute(f"CREATE INDEX ON {TABLE} (time_ms)")
            cursor.execute(f"ANALYZE {TABLE}")
            size = cursor.execute(f"SELECT pg_total_relation_size('{TABLE}')").fetchone()
            asked = _Sql(lambda text, values: cursor.execute(text, values).fetchall(), "%s", len(made))
            yield asked, int(size[0] if size else 0)
        finally:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
