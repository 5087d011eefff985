"""What is worked out from other points, as columns for the kernel: programs, their inputs, and what depends on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.expressions import DEEPEST, Program
from twin.live import kernel
from twin.live.rules import Cell


@dataclass(frozen=True, slots=True)
class CellTable:
    """Cells in an order in which each comes after those it needs; `after` lists, for every slot, the cells that follow it.

    `room[slot]`: the most events one reading of the slot (or working out its cell) can make.
    """

    rows: NDArray[np.void]
    op: NDArray[np.uint8]
    arg: NDArray[np.float64]
    inputs: NDArray[np.int32]
    befores: NDArray[np.int32]
    after_start: NDArray[np.int64]
    after: NDArray[np.int32]
    room: NDArray[np.int64]
    stack: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)


def cell_table(cells: Sequence[Cell], slots: int, rules: NDArray[np.integer]) -> CellTable:
    """The columns of some cells.

    Args:
        cells: in any order; none may need itself, by itself or by way of others (`loop_of` finds those).
        slots: how many slots there are.
        rules: rules a slot.
    """
    ordered = _ordered(cells)
    number = {cell.slot: k for k, cell in enumerate(ordered)}
    needs = _needs(ordered, number)
    rows = np.zeros(len(ordered), kernel.CELL_ROW)
    rows["waits"], rows["quiet"] = np.nan, np.inf
    programs: dict[Program, int] = {}
    op, arg, inputs, befores = list[int](), list[float](), list[int](), list[int]()
    follows: list[tuple[int, int]] = []
    for k, cell in enumerate(ordered):
        if cell.program not in programs:
            programs[cell.program] = len(op)
            op += cell.program.ops
            arg += cell.program.args
        rows[k]["slot"], rows[k]["op"], rows[k]["ops"] = cell.slot, programs[cell.program], len(cell.program.ops)
        rows[k]["input"], rows[k]["inputs"] = len(inputs), len(cell.inputs)
        inputs += cell.inputs
        before = sorted(needs[k])
        rows[k]["before"], rows[k]["befores"] = len(befores), len(before)
        befores += before
        follows += [(slot, k) for slot in {s for j in (k, *before) for s in ordered[j].inputs}]
    start, after = _grouped(follows, slots)
    own = 2 * np.asarray(rules, np.int64)
    room = own.copy()
    with_before = [int(own[cell.slot]) + sum(int(own[ordered[j].slot]) for j in needs[k]) for k, cell in enumerate(ordered)]
    for k, cell in enumerate(ordered):
        room[cell.slot] = with_before[k]
    for slot in {slot for slot, _ in follows}:
        room[slot] += sum(with_before[k] for k in after[start[slot]:start[slot + 1]].tolist())
    return CellTable(rows, np.array(op, np.uint8), np.array(arg, np.float64), np.array(inputs, np.int32),
                     np.array(befores, np.int32), start, after, room, np.zeros(DEEPEST + 2))


def loop_of(cells: Sequence[Cell]) -> list[int]:
    """Slots of cells that need themselves, by themselves or by way of others; empty when there are none."""
    here = {cell.slot: cell for cell in cells}
    done: set[int] = set()
    while True:
        ready = [slot for slot, cell in here.items() if slot not in done
                 and all(need in done for need in cell.inputs if need in here)]
        if not ready:
            return [slot for slot in here if slot not in done]
        done.update(ready)


def _ordered(cells: Sequence[Cell]) -> list[Cell]:
    here = {cell.slot: cell for cell in cells}
    depth: dict[int, int] = {}

    def level(slot: int) -> int:
        if slot not in depth:
            depth[slot] = 1 + max((level(need) for need in here[slot].inputs if need in here), default=0)
        return depth[slot]

    return sorted(cells, key=lambda cell: (level(cell.slot), cell.slot))


def _needs(ordered: Sequence[Cell], number: dict[int, int]) -> list[set[int]]:
    """For each cell the cells it needs, directly or by way of others."""
    out: list[set[int]] = []
    for cell in ordered:
        direct = {number[slot] for slot in cell.inputs if slot in number}
        out.append(direct.union(*(out[k] for k in direct)))
    return out


def _grouped(pairs: list[tuple[int, int]], slots: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """(slot, cell) pairs as `start` and `cells`: those of a slot lie from start[slot] to start[slot + 1], in order."""
    pairs.sort()
    slot = np.array([pair[0] for pair in pairs], np.int64)
    return (np.searchsorted(slot, np.arange(slots + 1)).astype(np.int64),
            np.array([pair[1] for pair in pairs], np.int32))
