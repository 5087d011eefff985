"""History as a Delta table, in a folder or an object store: what Dask, Spark, DuckDB or Polars read without us.

One row a reading (`twin.history.exchange.SCHEMA`), partitioned by `day` (UTC) and `log` (the last log in it). A day is
published when it has ended, and again, in its place, when something came late; a commit holds whole days or nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from twin.errors import TwinError
from twin.history import files
from twin.history.exchange import PLAIN, point_ids, tables
from twin.history.thin import thin_pieces
from twin.history.wal import READINGS


class LakeError(TwinError):
    """The table cannot be reached or written."""


def publish(root: Path, url: str, *, until_ms: int, options: Mapping[str, str] | None = None,
            told: Callable[[str, int], None] = lambda day, rows: None) -> int:
    """Bring a Delta table up to date with the days that have ended; gives the days written.

    Args:
        root: the history folder; a server may be writing it.
        url: a folder, `s3://…`, `az://…`, `gs://…`; made when absent.
        until_ms: now, milliseconds since 1970 UTC; its day is not published yet.
        options: of the object store (keys, endpoint); by default those of its environment variables.
        told: called with the day and its rows after each commit.

    Raises:
        LakeError: deltalake is not installed, or the store refuses.
    """
    try:
        import deltalake
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise LakeError("publishing history needs the package deltalake", mend='pip install "parktwin[lake]"') from error
    try:
        return _publish(deltalake, root, url, until_ms, dict(options or {}), told)
    except (DeltaError, OSError) as error:
        raise LakeError(f"{url} cannot be written ({str(error).splitlines()[0]})",
                        mend="check the address and the store's credentials in the environment") from error


def _publish(deltalake: Any, root: Path, url: str, until_ms: int, options: dict[str, str],
             told: Callable[[str, int], None]) -> int:
    there: dict[str, str] = {}
    if deltalake.DeltaTable.is_deltatable(url, storage_options=options):
        there = {part["day"]: part["log"] for part in deltalake.DeltaTable(url, storage_options=options).partitions()}
    ids, written = point_ids(root), 0
    for day, log in sorted(_ended(root, until_ms // files.DAY_MS).items()):
        name = (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()
        if there.get(name) == str(log):
            continue
        parts = list(tables(root, ids, from_ms=day * files.DAY_MS, to_ms=(day + 1) * files.DAY_MS))
        if not parts:
            continue
        table = pa.concat_tables([part.cast(PLAIN) for part in parts])
        table = table.append_column("day", pa.array([name] * len(table))).append_column("log", pa.array([log] * len(table)))
        how = {"mode": "overwrite", "predicate": f"day = '{name}'"} if name in there else {"mode": "append"}
        if there:  # one written before there were texts gets the column now
            how["schema_mode"] = "merge"
        deltalake.write_deltalake(url, table, partition_by=["day", "log"], storage_options=options, **how)
        written += 1
        told(name, len(table))
    return written


def _ended(root: Path, today: int) -> dict[int, int]:
    """UTC day → the last log with rows of it, of days that have ended."""
    found = {day: piece.log for day, piece in thin_pieces(root).items()}
    for piece in files.pieces(root, READINGS):
        found[piece.day] = max(found.get(piece.day, -1), piece.log)
    return {day: log for day, log in found.items() if day < today}
