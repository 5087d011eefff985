"""Two things in one place: the same building twice, or two that cannot both stand there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.model import Layer
from twin.finding import Finding

SAME_SHARE = 0.5  # a footprint this much under (or over) a standing building is that building
TWIN_SHARE = 0.9  # footprints of one layer that share this much are one building entered twice
CLASH_SHARE = 0.2  # BIM buildings that share more ground than this cannot both be placed right


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A building that has its place: its id, the ground it covers (park metres) and its node."""

    id: str
    footprint: shapely.Geometry
    node: int


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


def already_there(layer: Layer, standing: list[Standing], findings: list[Finding],
                  ) -> tuple[NDArray[np.bool_], NDArray[np.uint32]]:
    """Which footprints (n,) of a layer nothing stands on yet, and the node of what stands on the others."""
    stay, node = np.ones(len(layer), dtype=np.bool_), np.zeros(len(layer), dtype=np.uint32)
    if not len(layer) or not standing:
        return stay, node
    shapes = np.array([s.footprint for s in standing], dtype=object)
    row, k = shapely.STRtree(shapes).query(layer.geometry, predicate="intersects")
    own, other = shapely.area(layer.geometry[row]), shapely.area(shapes[k])
    shared = shapely.area(shapely.intersection(layer.geometry[row], shapes[k]))
    is_bim = np.array([":" not in standing[c].id for c in k], dtype=np.bool_)
    measure = np.where(is_bim, np.minimum(own, other), own)  # a podium is not the tower that stands on it
    is_same = (shared > SAME_SHARE * measure) & (measure > 0)
    others: Counter[str] = Counter()
    sample: dict[str, str] = {}
    for r, c in sorted(zip(row[is_same].tolist(), k[is_same].tolist(), strict=True)):
        if not stay[r]:
            continue
        stay[r], node[r] = False, standing[c].node
        there = standing[c].id.split(":")[0]
        if ":" in standing[c].id:
            others[there] += 1
            sample.setdefault(there, f"{layer.ids[r]} is {standing[c].id}")
            continue
        findings.append(Finding("note", f"footprint {layer.ids[r]} is building '{there}', which has its own model; "
                                        "the footprint is not drawn, its attributes are kept with the building",
                                f"{layer.id}:{layer.ids[r]}"))
    for there, count in sorted(others.items()):
        findings.append(Finding("note", f"buildings of layer '{layer.id}' are in layer '{there}' too ({sample[there]}); "
                                        "drawn once, attributes of both kept", layer.id, count=count))
    return stay, node


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
