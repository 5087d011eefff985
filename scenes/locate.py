"""Which room is this point in?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceShape:
    """A room in the park frame: outline (metres), height band, its node and its storey's."""

    node: int
    storey: int
    polygon: shapely.Polygon
    z0: float
    z1: float


class SpaceIndex:
    """Rooms found by position. Where rooms overlap, the one with the smaller floor is the answer."""

    def __init__(self, spaces: Sequence[SpaceShape]) -> None:
        self.spaces = tuple(spaces)
        self._tree = shapely.STRtree([space.polygon for space in self.spaces])
        self._node = np.array([s.node for s in self.spaces], dtype=np.uint32)
        self._storey = np.array([s.storey for s in self.spaces], dtype=np.uint32)
        self._z0 = np.array([s.z0 for s in self.spaces])
        self._z1 = np.array([s.z1 for s in self.spaces])
        self._area = np.array([s.polygon.area for s in self.spaces])

    def at(self, xyz: NDArray[np.float64], *, storey: int = 0, gap_m: float = 0.3) -> int:
        """The room's node at one point (park metres), 0 for none; `storey` limits it to that storey's node."""
        return int(self.locate(np.asarray(xyz, dtype=np.float64).reshape(1, 3), storey=storey, gap_m=gap_m)[0])

    def locate(self, xyz: NDArray[np.float64], *, storey: int = 0, gap_m: float = 0.3) -> NDArray[np.uint32]:
        """uint32 (n,) node of the room each point (n, 3) is in, 0 for none; `gap_m` widens the height band."""
        found = np.zeros(len(xyz), dtype=np.uint32)
        if not len(self.spaces) or not len(xyz):
            return found
        point, space = self._tree.query(shapely.points(xyz[:, :2]), predicate="intersects")
        inside = (xyz[point, 2] >= self._z0[space] - gap_m) & (xyz[point, 2] <= self._z1[space] + gap_m)
        if storey:
            inside &= self._storey[space] == storey
        point, space = point[inside], space[inside]
        # Among floors stacked within the gap the one whose band holds the point comes first, then the smaller room.
        outside = np.maximum(self._z0[space] - xyz[point, 2], xyz[point, 2] - self._z1[space]).clip(min=0)
        order = np.lexsort((self._node[space], self._area[space], outside))[::-1]
        found[point[order]] = self._node[space[order]]
        return found
