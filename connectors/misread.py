"""A source that says WGS 84 and gives GCJ-02 or BD-09: half a kilometre off, often still in or near the park.

People and vehicles are on ways and in rooms. Where hardly any place a source tells is near one, and read otherwise nearly
all of them are, the source is read wrongly. Places count once (ten-metre squares), so that nothing that stands still
decides it; a source whose places are mostly on ways as they are read is never looked at again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyproj.exceptions import CRSError
from scipy.spatial import cKDTree

from gis.crs import datum_name, park_from_map_xy, parse_crs
from twin.walk import WalkGraph

SQUARE_M, NEAR_M, STEP_M = 10.0, 12.0, 8.0
#: So many different places are looked at together; of them at most, and read otherwise at least, such a share is near ways.
PLACES, AT_MOST, AT_LEAST, PLAINLY = 100, 0.05, 0.8, 0.5
OFFSET = ("GCJ-02", "BD-09")


def ways_of(walk: WalkGraph) -> NDArray[np.float64]:
    """f64 (n, 2) points on all ways of a park, no further apart than eight metres."""
    start, end = walk.xyz[walk.edge[:, 0], :2], walk.xyz[walk.edge[:, 1], :2]
    parts = np.maximum(1, np.ceil(np.linalg.norm(end - start, axis=1) / STEP_M).astype(np.int64))
    which = np.repeat(np.arange(len(parts)), parts)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[which]
    return np.vstack([walk.xyz[:, :2], start[which] + (end - start)[which] * share[:, None]])


class Misread:
    """Watches what one source tells in degrees. Not safe from several threads.

    Args:
        declared: `positions` of the source.
        park_crs, origin: of the park.
        ways: points (n, 2) on its ways, park metres; none: nothing is ever noticed.
    """

    def __init__(self, declared: str, park_crs: str, origin: tuple[float, float, float], ways: NDArray[np.float64]) -> None:
        self.noticed = ""
        self._crs, self._origin = park_crs, origin
        self._ways = cKDTree(ways) if len(ways) and _is_degrees(declared) else None
        self._places: dict[tuple[int, int], tuple[float, float]] = {}

    def hear(self, degrees: NDArray[np.float64], read: NDArray[np.float64]) -> None:
        """Take fixes: as they came (n, 2), and as they were read in park metres (n, 2)."""
        if self._ways is None:
            return
        for square, at in zip(np.floor(read / SQUARE_M).astype(np.int64).tolist(), degrees.tolist(), strict=True):
            self._places.setdefault((square[0], square[1]), (at[0], at[1]))
        if len(self._places) >= PLACES:
            self._judge((np.array(list(self._places)) + 0.5) * SQUARE_M, np.array(list(self._places.values())))
            self._places = {}

    def _judge(self, read: NDArray[np.float64], degrees: NDArray[np.float64]) -> None:
        share = self._near(read)
        if share > PLAINLY:
            self._ways = None
        if share > AT_MOST:
            return
        others = {crs: self._near(park_from_map_xy(degrees, crs, self._crs, self._origin)) for crs in OFFSET}
        best = max(others, key=lambda crs: others[crs])
        if others[best] >= AT_LEAST:
            self.noticed = (f'positions lie beside all ways and rooms; read as {best}, {others[best]:.0%} are on them: '
                            f'write positions = "{best}"')
            self._ways = None

    def _near(self, xy: NDArray[np.float64]) -> float:
        assert self._ways is not None
        return float((self._ways.query(xy, distance_upper_bound=NEAR_M)[0] <= NEAR_M).mean())


def _is_degrees(declared: str) -> bool:
    if datum_name(declared) or declared.startswith("building:"):
        return False
    try:
        crs = parse_crs(declared, "")
    except CRSError:
        return False
    return crs is not None and crs.is_geographic
