"""What a connector heard since it last handed over: columns that grow a reading or a whole message at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from twin.ports import Readings
from twin.wire import Quality


class Heard:
    """Readings in the order they were heard. Not safe from several threads.

    Single readings grow lists; whole messages are blocks of columns, before which the lists become a block themselves.
    """

    def __init__(self) -> None:
        self._slot: list[int] = []
        self._value: list[float] = []
        self._quality: list[int] = []
        self._at: list[float] = []
        self._blocks: list[Readings] = []

    def __len__(self) -> int:
        return len(self._slot) + sum(len(block.slot) for block in self._blocks)

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
        self._quality.extend([int(Quality.GOOD)] * len(slots))
        self._at.extend([at] * len(slots))

    def add_block(self, slots: NDArray[np.uint32], values: Iterable[float], at: float) -> None:
        """As `add_good`, for very many; the array of slots is not to be changed after."""
        self._close()
        count = len(slots)
        self._blocks.append(_sound(Readings(slots, np.fromiter(values, np.float64, count),
                                            np.full(count, int(Quality.GOOD), np.uint8), np.full(count, at))))

    def taken(self) -> Readings:
        """All of them, and none are left."""
        self._close()
        blocks, self._blocks = self._blocks, []
        return Readings.joined(blocks)

    def _close(self) -> None:
        """The lists as a block."""
        if self._slot or not self._blocks:
            self._blocks.append(_sound(Readings(np.array(self._slot, np.uint32), np.array(self._value, np.float64),
                                                np.array(self._quality, np.uint8), np.array(self._at, np.float64))))
            for column in (self._slot, self._value, self._quality, self._at):
                column.clear()


def _sound(readings: Readings) -> Readings:
    """What is not finite is NaN and bad, in place."""
    is_lost = ~np.isfinite(readings.value)
    if is_lost.any():
        readings.value[is_lost] = np.nan
        readings.quality[is_lost & (readings.quality < Quality.BAD)] = Quality.BAD
    return readings
