"""Alarm rules of every point as columns, ready for the kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.packs import AlarmRule
from twin.registry import PointTable

HIGH, LOW, STATE, STALE, RATE = range(5)
KINDS = {"high": HIGH, "low": LOW, "state": STATE, "stale": STALE, "rate": RATE}


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One row a (point, rule), sorted by slot; `start[slot]:start[slot+1]` are a slot's rows.

    `limit` is the state's number for state rules and per minute for rate rules; delays are seconds.
    """

    start: NDArray[np.int64]
    slot: NDArray[np.int64]
    kind: NDArray[np.uint8]
    limit: NDArray[np.float64]
    hysteresis: NDArray[np.float64]
    on_delay: NDArray[np.float64]
    off_delay: NDArray[np.float64]
    device: NDArray[np.str_]
    specs: tuple[AlarmRule, ...]
    keys: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.specs)


def rule_table(points: PointTable) -> RuleTable:
    """Every alarm rule of every device, keyed `<device>.<rule key>`."""
    rows: list[tuple[int, AlarmRule, str]] = []
    for index, kind in enumerate(points.kind):
        device = points.devices[index].id
        for rule in kind.alarms:
            slot = points.slot(device, rule.point)
            if slot is not None:
                rows.append((slot, rule, f"{device}.{rule.key}"))
    rows.sort(key=lambda row: row[0])
    slots = np.array([slot for slot, _, _ in rows], np.int64)
    limit = [points.spec[slot].number_of(rule.state or "") if rule.rule == "state" else rule.limit or 0.0
             for slot, rule, _ in rows]
    return RuleTable(
        start=np.searchsorted(slots, np.arange(len(points) + 1)).astype(np.int64), slot=slots,
        kind=np.array([KINDS[rule.rule] for _, rule, _ in rows], np.uint8), limit=np.array(limit, np.float64),
        hysteresis=np.array([rule.hysteresis for _, rule, _ in rows], np.float64),
        on_delay=np.array([rule.on_delay_secs for _, rule, _ in rows], np.float64),
        off_delay=np.array([rule.off_delay_secs for _, rule, _ in rows], np.float64),
        device=np.array([key.partition(".")[0] for _, _, key in rows], np.str_),
        specs=tuple(rule for _, rule, _ in rows), keys=tuple(key for _, _, key in rows))
