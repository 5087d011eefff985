"""History as the server uses it: put ticks in, ask what was."""

from __future__ import annotations

import fcntl
import json
import logging
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from twin.errors import TwinError
from twin.history import files, read
from twin.history.keeping import Keeping, Kept, keep
from twin.history.read import AsOf, Series
from twin.history.wal import POSITIONS, READINGS, Batch, WalFile, read_wal
from twin.memory import give_back
from twin.ports import Positions, Readings, Shown
from twin.texts import FILE, Texts

_log = logging.getLogger(__name__)
GROUP_SECS = 0.05


class HistoryError(TwinError):
    """History cannot answer or be opened."""


class History:
    """Readings and positions of a park on disk. `put*` may be called from one thread, questions from any.

    Points keep their number for good, whatever happens to the registry (`points.json`).

    Args:
        root: the folder, made when absent; a crash's leftovers are put right at once.
        point_ids: the ids of the slots of now, in slot order.
        roll_rows, roll_secs: when a log is turned into segments.
        queue_batches: how many batches may wait for the disk before new ones are dropped (and counted).
        texts: what text points say; written beside the readings, before any reading that names it.
        text_ids: the text points among the ids.
    """

    def __init__(self, root: Path, point_ids: Sequence[str], *, roll_rows: int = 400_000, roll_secs: float = 600.0,
                 queue_batches: int = 4096, texts: Texts | None = None, text_ids: Sequence[str] = ()) -> None:
        self.root = root
        self.dropped = 0
        self.fault: str | None = None
        self.durable = 0
        self._is_stuck = False
        self._roll_rows, self._roll_secs = roll_rows, roll_secs
        self._lock = hold(root)
        files.clean(root)
        self._texts = (Texts() if texts is None else texts).open(root / FILE, text_ids)
        self._texts.sync()
        self._numbers, self._slot = point_numbers(root / "points.json", point_ids)
        self._ids = list(point_ids)
        self._queue: queue.Queue[tuple[int, Batch | None]] = queue.Queue(queue_batches)
        self._ticket = 0
        self._done = threading.Condition()
        self._recover()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    # ---- in -----------------------------------------------------------------------------------------------------
    def put(self, readings: Readings) -> int:
        """Queue readings; gives a ticket, durable once `durable` has reached it."""
        if not len(readings.slot):
            return self._ticket
        return self._put(Batch(READINGS, {
            "point": self._numbers[readings.slot], "time_ms": np.rint(readings.source_time * 1000).astype(np.int64),
            "value": readings.value, "quality": readings.quality}))

    def put_positions(self, fixes: Positions, shown: Shown | None = None) -> int:
        """Queue fixes with what was made of them (None: they were shown as they came); as `put`."""
        if not len(fixes.track):
            return self._ticket
        came, sigma = fixes.xyz.astype(np.float32), fixes.sigma()
        places, spread = (fixes.xyz, sigma) if shown is None else (shown.xyz, shown.spread)
        made = np.where(sigma[:, None] > 0, places, np.nan).astype(np.float32)
        return self._put(Batch(POSITIONS, {
            "track": fixes.track, "time_ms": np.rint(fixes.source_time * 1000).astype(np.int64), "x": came[:, 0],
            "y": came[:, 1], "z": came[:, 2], "heading": fixes.heading, "accuracy": sigma, "shown_x": made[:, 0],
            "shown_y": made[:, 1], "shown_z": made[:, 2], "spread": np.where(sigma > 0, spread, np.nan)}))

    @property
    def ticket(self) -> int:
        """The ticket of what was put last."""
        return self._ticket

    def flush(self, timeout_secs: float = 10.0) -> bool:
        """Wait until everything put so far is durable; False when that took too long."""
        ticket = self._ticket
        with self._done:
            return self._done.wait_for(lambda: self.durable >= ticket, timeout_secs)

    def close(self) -> None:
        """Write what waits, then stop."""
        self._queue.put((self._ticket, None))
        self._thread.join(timeout=30)
        self._lock.close()

    # ---- out ----------------------------------------------------------------------------------------------------
    def query(self, point_id: str, from_ms: float, to_ms: float, buckets: int) -> Series:
        """A point over time, cut into equal buckets.

        Raises:
            HistoryError: unknown point, or a range or number of buckets that makes no sense.
        """
        if not from_ms < to_ms or not 1 <= buckets <= 5000:
            raise HistoryError("the range is empty or the buckets are too many", mend="from < to, 1 to 5000 buckets")
        if point_id not in self._slot:
            raise HistoryError(f"no point '{point_id}'", mend="use <device>.<point>")
        return read.series(self.root, int(self._numbers[self._slot[point_id]]), int(from_ms), int(to_ms), buckets)

    def as_of(self, time_secs: float, look_back_secs: float = 86_400.0) -> AsOf:
        """What every slot of now last said at or before an instant; NaN and `NEVER` where nothing is known."""
        return read.as_of(self.root, self._numbers, int(time_secs * 1000), int(look_back_secs * 1000))

    def means(self, slots: NDArray[np.integer], edges_secs: NDArray[np.float64]) -> NDArray[np.float64]:
        """f64 (spans, slots): mean of what each slot said between neighbouring instants; NaN where it said nothing."""
        return read.means(self.root, self._numbers[slots], np.rint(np.asarray(edges_secs) * 1000).astype(np.int64))

    def track_between(self, track: int, from_secs: float, to_secs: float, *, raw: bool = False) -> Positions:
        """One track's fixes of a time span, by time: where they were shown, or as they came."""
        return read.positions(self.root, int(from_secs * 1000), int(to_secs * 1000), track=track, raw=raw)

    def state_at(self, time_ms: int, look_back_ms: int) -> AsOf:
        """As `as_of`, in whole milliseconds: the last row of each slot with time − look back ≤ row ≤ time."""
        return read.as_of(self.root, self._numbers, time_ms, look_back_ms)

    def readings_in(self, from_ms: int, to_ms: int) -> Readings:
        """Readings of the slots of now with from ≤ time < to, by time."""
        rows = read.rows_between(self.root, READINGS, from_ms, to_ms)
        slot_of = np.full(int(max(self._numbers.max(initial=0), rows["point"].max(initial=0))) + 1, -1, np.int64)
        slot_of[self._numbers] = np.arange(len(self._numbers))
        slot = slot_of[rows["point"]]
        keep = np.flatnonzero(slot >= 0)
        keep = keep[np.argsort(rows["time_ms"][keep], kind="stable")]
        return Readings(slot[keep].astype(np.uint32), rows["value"][keep], rows["quality"][keep],
                        rows["time_ms"][keep] / 1000.0)

    def readings_of(self, slots: NDArray[np.integer], from_ms: int, to_ms: int) -> Readings:
        """Readings of some slots of now with from ≤ time < to, by time."""
        wanted = self._numbers[slots]
        rows = read.rows_between(self.root, READINGS, from_ms, to_ms, who=wanted)
        order = np.argsort(wanted)
        slot = np.asarray(slots)[order][np.searchsorted(wanted, rows["point"], sorter=order)]
        by_time = np.argsort(rows["time_ms"], kind="stable")
        return Readings(slot[by_time].astype(np.uint32), rows["value"][by_time], rows["quality"][by_time],
                        rows["time_ms"][by_time] / 1000.0)

    def fixes_in(self, from_ms: int, to_ms: int) -> Positions:
        """Fixes with from ≤ time < to, by time, where they were shown."""
        return read.positions(self.root, from_ms, to_ms)

    def first_ms(self) -> int | None:
        """The time of the oldest reading on disk; None where there is none."""
        return read.first_ms(self.root)

    def compact(self, before_secs: float) -> int:
        """Make day files of every UTC day that ended before an instant; gives how many were written.

        None while a log found no room to become segments: a day file must not come to stand for it.
        """
        if self._is_stuck:
            return 0
        last = int(before_secs * 1000) // files.DAY_MS
        todo = {(piece.day, kind) for kind in (READINGS, POSITIONS) for piece in files.pieces(self.root, kind)
                if piece.day < last}
        return sum(files.compact_day(self.root, day, kind) is not None for day, kind in sorted(todo))

    def keep(self, keeping: Keeping, now_secs: float) -> Kept:
        """Thin and delete what is old, as the park file says."""
        return Kept() if self._is_stuck else keep(self.root, keeping, int(now_secs * 1000))

    # ---- inside -------------------------------------------------------------------------------------------------
    def _put(self, batch: Batch) -> int:
        try:
            self._queue.put_nowait((self._ticket + 1, batch))
        except queue.Full:
            self.dropped += len(batch)
            return self._ticket
        self._ticket += 1
        return self._ticket

    def _recover(self) -> None:
        """Logs of a former run become segments."""
        for number, path in files.logs(self.root):
            self._retire(number, path)
        self._number = files.last_log(self.root) + 1
        self._wal = WalFile(files.log_path(self.root, self._number))

    def _retire(self, number: int, path: Path) -> None:
        files.write_segments(self.root, number, read_wal(path))
        path.unlink()
        files.sync_folder(path.parent)
        give_back()

    def _run(self) -> None:
        rolled = time.monotonic()
        while True:
            group = self._group()
            stop = bool(group) and group[-1][1] is None
            batches = [batch for _, batch in group if batch is not None]
            if batches:
                self._persist(batches)
            if group:
                with self._done:
                    self.durable = group[-1][0]
                    self._done.notify_all()
            is_due = self._wal.rows >= self._roll_rows or time.monotonic() - rolled >= self._roll_secs
            if is_due and self._wal.rows and not stop:
                self._roll()
                rolled = time.monotonic()
            if stop:
                self._wal.close()
                return

    def _group(self) -> list[tuple[int, Batch | None]]:
        """What is to be made durable together: all that comes within 50 ms of the first."""
        try:
            group = [self._queue.get(timeout=1.0)]
        except queue.Empty:
            return []
        deadline = time.monotonic() + GROUP_SECS
        while group[-1][1] is not None and (left := deadline - time.monotonic()) > 0:
            try:
                group.append(self._queue.get(timeout=left))
            except queue.Empty:
                break
        return group

    def _persist(self, batches: list[Batch]) -> None:
        """Until it is on disk: a full disk is told in `fault` and tried again every second."""
        while True:
            try:
                for batch in batches:
                    self._wal.append(batch)
                self._texts.sync()
                self._wal.sync()
                self.fault = None
                return
            except OSError as error:
                self.fault = str(error)
                _log.error("history cannot write: %s", error)
                time.sleep(1.0)
                self._wal.rewind()

    def _roll(self) -> None:
        try:
            fresh = WalFile(files.log_path(self.root, self._number + 1))
            self._wal.close()
            self._wal, self._number = fresh, self._number + 1
            for number, path in files.logs(self.root)[:-1]:  # with those that found no room before
                self._retire(number, path)
            self._is_stuck = False
        except OSError as error:
            self.fault, self._is_stuck = str(error), True
            _log.error("history cannot turn its log into segments: %s", error)


def hold(root: Path) -> TextIO:
    """The right to write a history folder, until the file that is given is closed (or the process ends).

    Raises:
        HistoryError: another process has it.
    """
    root.mkdir(parents=True, exist_ok=True)
    held = (root / "lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise HistoryError(f"another server writes the history in {root}", mend="stop it first") from error
    return held


def point_numbers(path: Path, point_ids: Sequence[str]) -> tuple[NDArray[np.uint32], dict[str, int]]:
    """Number of every slot, adding points never seen before to the file; and slot by id."""
    known: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = len(known)
    for point_id in point_ids:
        known.setdefault(point_id, len(known))
    if len(known) > before:
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
        temporary.rename(path)
    numbers = np.array([known[point_id] for point_id in point_ids], np.uint32)
    return numbers, {point_id: slot for slot, point_id in enumerate(point_ids)}
