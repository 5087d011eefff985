"""What a connector heard since it last handed over: columns that grow a reading or a whole message at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from twin.ports import Readings
from twin.wire import Quality


class Heard:
    """Readings in the order they were heard. Not safe from several threads."""

    def __init__(self) -> None:
        self._slot: list[int] = []
        self._value: list[float] = []
        self._quality: list[int] = []
        self._at: list[float] = []

    def __len__(self) -> int:
        return len(self._slot)

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

    def taken(self) -> Readings:
        """All of them, and none are left."""
        value, quality = np.array(self._value, np.float64), np.array(self._quality, np.uint8)
        is_lost = ~np.isfinite(value)
        value[is_lost] = np.nan
        quality[is_lost & (quality < Quality.BAD)] = Quality.BAD
        readings = Readings(np.array(self._slot, np.uint32), value, quality, np.array(self._at, np.float64))
        for column in (self._slot, self._value, self._quality, self._at):
            column.clear()
        return readings
