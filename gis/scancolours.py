"""The colour of scanned points: their own, else what they were classified as, else how strongly they echoed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import laspy
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
By = Literal["their own colour", "class", "class and intensity", "intensity", "nothing, as the file has no colour"]
PLAIN = (176, 178, 180)
#: ASPRS LAS 1.4 classes → sRGB; what is not named is plain.
CLASSES: dict[int, tuple[int, int, int]] = {
    2: (168, 150, 122), 3: (150, 176, 108), 4: (118, 158, 84), 5: (84, 134, 68), 6: (196, 164, 142), 9: (110, 156, 190),
    10: (140, 132, 128), 11: (138, 140, 144), 13: (206, 186, 108), 14: (206, 186, 108), 15: (160, 160, 172),
    16: (206, 186, 108), 17: (176, 166, 152),
}
_CLASSIFIED = frozenset(CLASSES)


@dataclass(frozen=True, slots=True)
class Painter:
    """How the points of a scan are coloured, settled once from a sample.

    Args:
        shift: bits a stored colour is moved down by, 8 where sixteen are used.
        low, high: intensities that are drawn dark and light.
    """

    by: By
    shift: int = 0
    low: float = 0.0
    high: float = 1.0

    @property
    def is_own(self) -> bool:
        """Whether the points bring their colours."""
        return self.by == "their own colour"

    def paint(self, points: laspy.ScaleAwarePointRecord) -> U8:
        """(n, 3) sRGB."""
        if self.is_own:
            rgb = np.column_stack([points.red, points.green, points.blue]) >> self.shift
            return np.minimum(rgb, 255).astype(np.uint8)
        if self.by == "nothing, as the file has no colour":
            return np.tile(np.array(PLAIN, np.uint8), (len(points), 1))
        base = np.tile(np.array(PLAIN, np.float64), (len(points), 1))
        if self.by != "intensity":
            base = _PALETTE[np.asarray(points.classification, dtype=np.intp)]
        if self.by != "class":
            echo = (np.asarray(points.intensity, np.float64) - self.low) / max(self.high - self.low, 1.0)
            spread = (0.35, 1.05) if self.by == "intensity" else (0.72, 0.4)
            base = base * (spread[0] + spread[1] * np.clip(echo, 0.0, 1.0))[:, None]
        return np.clip(base, 0, 255).astype(np.uint8)


def painter_of(sample: laspy.ScaleAwarePointRecord) -> Painter:
    """The way a scan is coloured: eight bits in sixteen are known by their never passing 255."""
    names = set(sample.point_format.dimension_names)
    if {"red", "green", "blue"} <= names:
        top = int(max(np.max(sample.red), np.max(sample.green), np.max(sample.blue)))
        if top > 0:
            return Painter("their own colour", shift=8 if top > 255 else 0)
    echo = np.asarray(sample.intensity, np.float64)
    low, high = (float(v) for v in np.percentile(echo, (2, 98)))
    is_classified = bool(_CLASSIFIED & set(np.unique(np.asarray(sample.classification)).tolist()))
    if high > low:
        return Painter("class and intensity" if is_classified else "intensity", low=low, high=high)
    return Painter("class" if is_classified else "nothing, as the file has no colour")


_PALETTE = np.array([CLASSES.get(code, PLAIN) for code in range(256)], dtype=np.float64)
