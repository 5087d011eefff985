"""Which things hang together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def components(count: int, pairs: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each of `count` things the lowest-numbered one it is joined to, directly or through others.

    Without the graph library of SciPy, which takes longer to load than many a building takes to draw.

    Args:
        pairs: (m, 2) numbers of things that are joined.
    """
    lowest = np.arange(count)
    one, other = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
    while True:
        low = np.minimum(lowest[one], lowest[other])
        spread = lowest.copy()
        for side in (one, other):
            np.minimum.at(spread, side, low)
            np.minimum.at(spread, lowest[side], low)
        spread = spread[spread]
        if np.array_equal(spread, lowest):
            return lowest
        lowest = spread
