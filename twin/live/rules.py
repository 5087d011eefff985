"""Alarm rules and derived points of every device as columns, ready for the kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.expressions import Program, compile_expression, difference
from twin.packs import AlarmRule, DeviceKind, PointSpec
from twin.registry import PointTable

HIGH, LOW, STATE, STALE, RATE, DEVIATION, TRUE = range(7)
KINDS = {"high": HIGH, "low": LOW, "state": STATE, "stale": STALE, "rate": RATE, "deviation": DEVIATION, "expression": TRUE}


@dataclass(frozen=True, slots=True)
class Cell:
    """A slot worked out by a program; `inputs` are slots in the program's order."""

    slot: int
    program: Program
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One row a (point, rule), sorted by slot; `start[slot]:start[slot+1]` are a slot's rows.

    `slot` is what the rule watches: a point's slot, or (from `points` on) a hidden one that is worked out for a deviation,
    an expression or what suppresses a rule by design; `shown` is the slot of the point people see. `limit` is the state's
    number for state rules and per minute for rate rules; delays are seconds. `suppresses`: for rows that raise no alarm of
    their own, the row they suppress by design while they hold; -1 for alarm rules. `cells`: what is worked out.
    """

    points: int
    slots: int
    start: NDArray[np.int64]
    slot: NDArray[np.int64]
    shown: NDArray[np.int64]
    kind: NDArray[np.uint8]
    limit: NDArray[np.float64]
    hysteresis: NDArray[np.float64]
    on_delay: NDArray[np.float64]
    off_delay: NDArray[np.float64]
    suppresses: NDArray[np.int64]
    device: NDArray[np.str_]
    specs: tuple[AlarmRule, ...]
    keys: tuple[str, ...]
    cells: tuple[Cell, ...]

    def __len__(self) -> int:
        return len(self.specs)


@dataclass(slots=True)
class _Row:
    slot: int
    shown: int
    spec: AlarmRule
    device: str
    key: str
    kind: int
    limit: float
    off_delay: float
    suppresses: str = ""


def rule_table(points: PointTable) -> RuleTable:
    """Every alarm rule of every device, keyed `<device>.<rule key>`, and every cell they and derived points need."""
    rows: list[_Row] = []
    cells: list[Cell] = []
    free = len(points)
    for index, kind in enumerate(points.kind):
        device, first = points.devices[index].id, int(points.first[index])
        slot_of = {spec.key: first + k for k, spec in enumerate(kind.points)}
        cells += [Cell(slot_of[spec.key], *_derived(points, kind, spec, slot_of)) for spec in kind.points if spec.expr]
        for rule in kind.alarms:
            slot = shown = slot_of.get(rule.point, -1)
            if shown < 0:
                continue
            program = _watched(kind, rule)
            if program is not None:
                slot, free = free, free + 1
                cells.append(Cell(slot, program, tuple(slot_of[name] for name in program.inputs)))
            limit = points.spec[shown].number_of(rule.state or "") if rule.rule == "state" else rule.limit or 0.0
            key = f"{device}.{rule.key}"
            rows.append(_Row(slot, shown, rule, device, key, KINDS[rule.rule], limit, rule.off_delay_secs))
            if rule.suppress_when:
                program = _compiled(kind, rule.suppress_when)
                cells.append(Cell(free, program, tuple(slot_of[name] for name in program.inputs)))
                rows.append(_Row(free, shown, rule, device, f"{key}\0", TRUE, 0.0, rule.suppress_off_delay_secs, key))
                free += 1
    rows.sort(key=lambda row: row.slot)
    return _table(rows, len(points), free, tuple(cells))


def _table(rows: Sequence[_Row], points: int, slots: int, cells: tuple[Cell, ...]) -> RuleTable:
    number = {row.key: k for k, row in enumerate(rows)}
    slot = np.array([row.slot for row in rows], np.int64)
    is_alarm = [not row.suppresses for row in rows]
    return RuleTable(
        points=points, slots=slots, start=np.searchsorted(slot, np.arange(slots + 1)).astype(np.int64), slot=slot,
        shown=np.array([row.shown for row in rows], np.int64), kind=np.array([row.kind for row in rows], np.uint8),
        limit=np.array([row.limit for row in rows], np.float64),
        hysteresis=np.array([row.spec.hysteresis if alarm else 0.0 for row, alarm in zip(rows, is_alarm, strict=True)]),
        on_delay=np.array([row.spec.on_delay_secs if alarm else 0.0 for row, alarm in zip(rows, is_alarm, strict=True)]),
        off_delay=np.array([row.off_delay for row in rows], np.float64),
        suppresses=np.array([number[row.suppresses] if row.suppresses else -1 for row in rows], np.int64),
        device=np.array([row.device for row in rows], np.str_), specs=tuple(row.spec for row in rows),
        keys=tuple(row.key for row in rows), cells=cells)


def states_of(points: Sequence[PointSpec]) -> Mapping[str, Sequence[str]]:
    """The names an expression of a kind may use, with their states."""
    return {point.key: point.states for point in points}


def _watched(kind: DeviceKind, rule: AlarmRule) -> Program | None:
    if rule.rule == "deviation":
        return difference(rule.point, rule.against)
    return _compiled(kind, rule.when) if rule.rule == "expression" else None


def _derived(points: PointTable, kind: DeviceKind, spec: PointSpec,
             slot_of: Mapping[str, int]) -> tuple[Program, tuple[int, ...]]:
    """A derived point's program and where its inputs are: points of its device, or the ones `inputs` names."""
    if not spec.inputs:
        program = _compiled(kind, spec.expr)
        return program, tuple(slot_of[name] for name in program.inputs)
    slots = {name: points.slot_of(point) for name, point in spec.inputs.items()}
    found = {name: slot for name, slot in slots.items() if slot is not None}
    program = compile_expression(spec.expr, {name: points.spec[slot].states for name, slot in found.items()})
    return program, tuple(found[name] for name in program.inputs)


def _compiled(kind: DeviceKind, text: str) -> Program:
    return _program(text, tuple((point.key, point.states) for point in kind.points))


@lru_cache(maxsize=4096)
def _program(text: str, names: tuple[tuple[str, tuple[str, ...]], ...]) -> Program:
    return compile_expression(text, dict(names))
