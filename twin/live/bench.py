"""How fast the walk is: readings a second through values, quality, deadband and alarm conditions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from twin.live.state import StateStore
from twin.packs import load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable

T0 = 1_700_000_000.0
_MEANS = np.array([24.0, 50.0, 900.0, 40.0, 45.0])


@dataclass(frozen=True, slots=True)
class WalkRate:
    """What was measured: best of the rounds, on one core."""

    points: int
    rules: int
    updates: int
    updates_per_sec: float
    events: int
    sweep_ms: float


def walk_rate(points: int = 100_000, rounds: int = 20, order: Literal["devices", "shuffled"] = "devices") -> WalkRate:
    """Best rate of `StateStore.apply` over batches that touch every point once, seeded.

    `devices`: as a gateway reports, device by device, devices shuffled; `shuffled`: every point anywhere.
    """
    table = table_of(points)
    store = StateStore(table)
    rng = np.random.default_rng(1)
    batches = [batch_of(rng, len(table), order, T0 + 30.0 * k) for k in range(rounds + 1)]
    store.apply(batches[0], T0)  # compiles, or loads what was compiled
    best, events = float("inf"), 0
    for k, batch in enumerate(batches[1:], start=1):
        began = time.perf_counter()
        applied = store.apply(batch, T0 + 30.0 * k)
        best = min(best, time.perf_counter() - began)
        events += len(applied.events)
    store.sweep(T0 + 30.0 * rounds)
    began = time.perf_counter()
    store.sweep(T0 + 30.0 * rounds + 0.1)
    sweep_ms = (time.perf_counter() - began) * 1000
    return WalkRate(len(table), len(store.rules), rounds * len(table), len(table) / best, events, sweep_ms)


def table_of(points: int) -> PointTable:
    """About so many points of climate sensors, with the rules of their kind."""
    kinds = load_packs().kinds
    each = len(kinds["env_sensor"].points)
    return PointTable([Device(id=f"e{i}", kind="env_sensor", name="") for i in range(points // each)], kinds)


def batch_of(rng: np.random.Generator, n: int, order: str, now: float) -> Readings:
    """Every point of such a table once, in an order of `walk_rate`."""
    each = len(_MEANS)
    if order == "shuffled":
        slots = rng.permutation(n)
    else:
        slots = (rng.permutation(n // each)[:, None] * each + np.arange(each)).ravel()
    value = _MEANS[slots % each] * rng.normal(1.0, 0.25, n)
    return Readings(slots.astype(np.uint32), value, np.zeros(n, np.uint8), np.full(n, now))


if __name__ == "__main__":
    for order in ("devices", "shuffled"):
        print(order, walk_rate(order=order))  # type: ignore[arg-type]
