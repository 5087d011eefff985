"""What a connector heard since it last handed over: columns that grow a reading or a whole message at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ports import Readings
from twin.wire import Quality

_GOOD = int(Quality.GOOD)


class _Block(NamedTuple):
    """Columns of readings; quality and time may be one for all."""

    slot: NDArray[np.uint32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8] | int
    at: NDArray[np.float64] | float


class Heard:
    """Readings in the order they were heard. Not safe from several threads.

    Single readings grow lists; whole messages are blocks of columns, before which the lists become a block themselves.
    """

    def __init__(self) -> None:
        self._slot: list[int] = []
        self._value: list[float] = []
        self._quality: list[int] = []
        self._at: list[float] = []
        self._blocks: list[_Block] = []
        self._in_blocks = 0

    def __len__(self) -> int:
        return len(self._slot) + self._in_blocks

    def add(self, slot: int, value: float, quality: int, at: float) -> None:
        """One reading; source time in seconds since 1970 UTC."""
        self._slot.append(slot)
        self._value.append(value)
        self._quality.append(quality)
        self._at.append(at)

    def add_good(self, slots: Collection[int], values: Iterable[float], at: float) -> None:
        """Good readings of one instant, as many values as slots; what is not finite becomes bad."""
        self._slot.extend(slots)
        self._value.extend(values)
        self._quality.extend([_GOOD] * len(slots))
        self._at.extend([at] * len(slots))

    def add_block(self, slots: NDArray[np.uint32], values: NDArray[np.float64], at: float) -> None:
        """As `add_good`, for very many; the arrays are not to be changed after."""
        self._close()
        self._blocks.append(_Block(slots, values, _GOOD, at))
        self._in_blocks += len(slots)

    def taken(self) -> Readings:
        """All of them, and none are left."""
        self._close()
        blocks, self._blocks = self._blocks, []
        count, self._in_blocks = self._in_blocks, 0
        slot, value, quality, at = np.empty(count, np.uint32), np.empty(count), np.empty(count, np.uint8), np.empty(count)
        end = 0
        for block in blocks:
            begin, end = end, end + len(block.slot)
            slot[begin:end], value[begin:end], quality[begin:end], at[begin:end] = (
                block.slot, block.value, block.quality, block.at)
        is_lost = ~np.isfinite(value)
        if is_lost.any():
            value[is_lost] = np.nan
            quality[is_lost & (quality < Quality.BAD)] = Quality.BAD
        return Readings(slot, value, quality, at)

    def _close(self) -> None:
        """The lists as a block."""
        if self._slot:
            self._in_blocks += len(self._slot)
            self._blocks.append(_Block(np.array(self._slot, np.uint32), np.array(self._value, np.float64),
                                       np.array(self._quality, np.uint8), np.array(self._at, np.float64)))
            for column in (self._slot, self._value, self._quality, self._at):
                column.clear()
