"""Division of many things in a plane into cells that one tile can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEEPEST = 16


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A square of the plane and the rows that lie in it; a cell too heavy for one tile has children, which share its rows."""

    name: str
    rows: NDArray[np.intp]
    children: tuple[Cell, ...] = ()

    def leaves(self) -> Iterator[Cell]:
        """The cells without children, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def divide(xy: NDArray[np.float64], weight: NDArray[np.float64], most: float, name: str) -> Cell:
    """Quarter the box around points until no cell weighs more than `most` (or holds one place only).

    Args:
        xy: (n, 2) metres; weight: (n,).
        name: of the whole; quarters append 0 to 3.
    """
    return _quartered(xy, weight, most, name, np.arange(len(xy)), DEEPEST)


def _quartered(xy: NDArray[np.float64], weight: NDArray[np.float64], most: float, name: str, rows: NDArray[np.intp],
               deepest: int) -> Cell:
    low, high = xy[rows].min(0), xy[rows].max(0)
    if weight[rows].sum() <= most or deepest == 0 or (low == high).all():
        return Cell(name, rows)
    east, north = (xy[rows] > (low + high) / 2).T
    quarter = east.astype(int) + 2 * north.astype(int)
    return Cell(name, rows, tuple(
        _quartered(xy, weight, most, f"{name}{q}", rows[quarter == q], deepest - 1)
        for q in range(4) if (quarter == q).any()))
