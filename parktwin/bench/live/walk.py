"""State and alarms: values a second through columns and through objects, and how long a tick of the whole core takes."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np

from parktwin.bench.live.object_store import apply, points_of
from parktwin.bench.rows import Row
from twin.events import EventStore
from twin.live.bench import T0, batch_of, table_of
from twin.live.core import LiveCore
from twin.live.state import StateStore
from twin.ports import Readings

ROUNDS = 5
TICKS = 300
UPDATES_A_TICK = 1000


class _Clock:
    def __init__(self) -> None:
        self.time = T0

    def now(self) -> float:
        return self.time


def measure(scratch: Path, quick: bool) -> list[Row]:
    """Rates by number of points, then the tick."""
    rows = [row for points in ((1_000, 10_000) if quick else (1_000, 10_000, 100_000)) for row in _rates(points)]
    return [*rows, _tick(scratch, 10_000 if quick else 100_000)]


def _rates(count: int) -> list[Row]:
    """Ours and the objects', the same batches, turn by turn."""
    table = table_of(count)
    store = StateStore(table)
    objects = points_of(table, store.rules)
    rng = np.random.default_rng(1)
    batches = [batch_of(rng, len(table), "devices", T0 + 30.0 * k) for k in range(ROUNDS + 1)]
    store.apply(batches[0], T0)  # compiles, or loads what was compiled
    apply(objects, batches[0], T0, 0)
    ours, peer = [], []
    for k, batch in enumerate(batches[1:], start=1):
        began = time.process_time()
        store.apply(batch, T0 + 30.0 * k)
        ours.append(time.process_time() - began)
        began = time.process_time()
        apply(objects, batch, T0 + 30.0 * k, k)
        peer.append(time.process_time() - began)
    size = len(table) / 1e6
    mine, theirs = size / statistics.median(ours), size / statistics.median(peer)
    is_all = count >= 100_000
    rows = [Row(what=f"values through state and alarms, {count:,} points", unit="M/s a core", ours=mine, peer=theirs,
                peer_name="a Python object a point", target=20.0 if is_all else None, bound="at least",
                note=f"{len(store.rules):,} rules, of which the peer has the high and low limits; all points once a round")]
    if is_all:
        rows.append(Row(what=f"the same, against its own target, {count:,} points", unit="M/s a core", ours=mine, target=5.0,
                        bound="at least"))
    return rows


def _tick(scratch: Path, count: int) -> Row:
    """The whole core at 10,000 values a second, ten ticks a second, on a virtual clock."""
    clock, table = _Clock(), table_of(count)
    events = EventStore.at(scratch / "tick.sqlite")
    core = LiveCore(table, events, clock=clock)
    rng = np.random.default_rng(2)
    first = batch_of(rng, len(table), "shuffled", T0)
    core.ingest(Readings(first.slot, np.full(len(table), 21.0), first.quality, first.source_time))
    core.tick()
    took = []
    for _ in range(TICKS):
        clock.time += 0.1
        slot = rng.integers(0, len(table), UPDATES_A_TICK).astype(np.uint32)
        core.ingest(Readings(slot, rng.normal(21.0, 0.5, UPDATES_A_TICK), np.zeros(UPDATES_A_TICK, np.uint8),
                             np.full(UPDATES_A_TICK, clock.time)))
        began = time.perf_counter()
        core.tick()
        took.append((time.perf_counter() - began) * 1000)
    events.close()
    return Row(what=f"a tick of the core, p99, {count:,} points, {UPDATES_A_TICK * 10:,} values/s", unit="ms",
               ours=float(np.percentile(took, 99)), target=2.0,
               note=f"median {statistics.median(took):.2f} ms of {TICKS} ticks")
