"""Two things in one place: the same building twice, or two that cannot both stand there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.model import Layer
from twin.finding import Finding

TWIN_SHARE = 0.9  # footprints of one layer that share this much are one building entered twice
CLASH_SHARE = 0.2  # BIM buildings that share more ground than this cannot both be placed right


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A building that has its place: its id, the ground it covers (park metres) and its node.

    `names` are all it is called; `declared` the map's footprints that park.toml says are this building, on `line`.
    """

    id: str
    footprint: shapely.Geometry
    node: int
    names: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    line: int = 0

    @property
    def is_model(self) -> bool:
        """Whether it is a building of park.toml and no footprint of a layer."""
        return ":" not in self.id


def shared_places(standing: list[Standing]) -> Iterator[Finding]:
    """Buildings with models of their own that stand in one another."""
    for k, one in enumerate(standing):
        for other in standing[k + 1:]:
            smaller = min(one.footprint.area, other.footprint.area)
            if smaller <= 0.0:
                continue
            share = one.footprint.intersection(other.footprint).area / smaller
            if share > CLASH_SHARE:
                yield Finding("warning", f"buildings '{one.id}' and '{other.id}' stand in one place "
                                         f"({share:.0%} of the smaller one's ground)", f"{one.id}, {other.id}",
                              "correct the placement of one of them in park.toml")


def twins(layer: Layer, findings: list[Finding]) -> NDArray[np.intp]:
    """The row (n,) of the footprint that each footprint repeats, −1 where it is the first of its place."""
    first = np.full(len(layer), -1, dtype=np.intp)
    if not len(layer):
        return first
    a, b = shapely.STRtree(layer.geometry).query(layer.geometry, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.area(shapely.intersection(layer.geometry[a], layer.geometry[b]))
    larger = np.maximum(shapely.area(layer.geometry[a]), shapely.area(layer.geometry[b]))
    for one, other in sorted(zip(a[shared > TWIN_SHARE * larger].tolist(), b[shared > TWIN_SHARE * larger].tolist(),
                                 strict=True)):
        if first[one] < 0 and first[other] < 0:
            first[other] = one
    if (first >= 0).any():
        pairs = [f"{layer.ids[first[k]]} and {layer.ids[k]}" for k in np.flatnonzero(first >= 0)[:5]]
        findings.append(Finding("warning", f"layer '{layer.id}': two buildings in one place; the second is not drawn, "
                                           "its attributes are kept with the first", f"{layer.source}: {'; '.join(pairs)}",
                                "delete one of each pair", int((first >= 0).sum())))
    return first
