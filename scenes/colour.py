"""Colours on their way into glTF and back: display values (sRGB bytes) with us, linear light in sixteen bits there.

glTF says that `COLOR_0` is linear. Linear bytes would leave the dark in steps; sixteen bits give every sRGB byte back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def linear(srgb: NDArray) -> NDArray[np.float64]:
    """Linear light 0..1 of sRGB values 0..255, any shape (IEC 61966-2-1)."""
    share = np.asarray(srgb, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


_LINEAR = np.rint(linear(np.arange(256)) * 65535).astype("<u2")
_MIDWAY = (_LINEAR[1:].astype(np.int64) + _LINEAR[:-1] + 1) // 2


def to_gltf(srgb: NDArray[np.uint8], shade: NDArray[np.uint8] | None = None) -> NDArray[np.uint16]:
    """`COLOR_0` (n, 4) as normalised u16: sRGB (n, 3) made linear; alpha full, or `shade` (n,) as its high byte."""
    alpha = np.full(len(srgb), 65535, "<u2") if shade is None else shade.astype("<u2") << 8
    return np.column_stack([_LINEAR[srgb], alpha])


def from_gltf(colour: NDArray) -> NDArray[np.uint8]:
    """Bytes (n, 4) that `to_gltf` was given; builds of before wrote these bytes themselves."""
    if colour.dtype == np.uint8:
        return colour
    return np.column_stack([np.searchsorted(_MIDWAY, colour[:, :3], side="right"), colour[:, 3] >> 8]).astype(np.uint8)
