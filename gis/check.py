"""What is odd about a layer's things: overlaps, specks, heights that cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import shapely

from gis.floors import counted_floors
from gis.model import Layer
from twin.finding import Finding

SPECK_M2 = 4.0
OVERLAP_M2 = 0.01
LOWEST_M = 2.0
DOOR_M = 5.0
OWN_DOOR_M = 25.0
STOREY_RANGE_M = (2.2, 8.0)


def check_layer(layer: Layer) -> tuple[Finding, ...]:
    """Findings about a layer as read; the layer itself is left as it is."""
    if layer.kind != "buildings" or not len(layer):
        return ()
    return (*_specks(layer), *_overlaps(layer), *_odd_heights(layer), *_without_height(layer))


def _named(layer: Layer, rows: np.ndarray, limit: int = 5) -> str:
    return ", ".join(f"{layer.id}:{layer.ids[k]}" for k in rows[:limit]) + (", …" if len(rows) > limit else "")


def _specks(layer: Layer) -> Iterator[Finding]:
    small = np.flatnonzero(shapely.area(layer.geometry) < SPECK_M2)
    if len(small):
        yield Finding("warning", f"layer '{layer.id}': footprints under {SPECK_M2:.0f} m²", _named(layer, small),
                      "delete what is no building", len(small))


def _overlaps(layer: Layer) -> Iterator[Finding]:
    tree = shapely.STRtree(layer.geometry)
    a, b = tree.query(layer.geometry, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.area(shapely.intersection(layer.geometry[a], layer.geometry[b]))
    deep = shared > OVERLAP_M2
    if deep.any():
        pairs = [f"{layer.ids[i]} with {layer.ids[j]}" for i, j in zip(a[deep], b[deep], strict=True)]
        yield Finding("warning", f"layer '{layer.id}': footprints overlap", "; ".join(pairs[:5]),
                      "cut one of each pair", len(pairs))


def _odd_heights(layer: Layer) -> Iterator[Finding]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = layer.height_m / counted_floors(layer)
    odd = np.flatnonzero(np.isfinite(ratio) & ((ratio < STOREY_RANGE_M[0]) | (ratio > STOREY_RANGE_M[1])))
    if len(odd):
        yield Finding("warning", f"layer '{layer.id}': height and number of floors do not fit each other",
                      _named(layer, odd), "correct one of the two", len(odd))


def _without_height(layer: Layer) -> Iterator[Finding]:
    low = np.flatnonzero((layer.height_m > 0) & (layer.height_m < LOWEST_M))
    if len(low):
        yield Finding("warning", f"layer '{layer.id}': buildings lower than {LOWEST_M:.0f} m", _named(layer, low),
                      "correct the height; one under 1 m is drawn at a guessed height", len(low))
    unknown = np.flatnonzero(~(layer.height_m > 0))
    if len(unknown):
        yield Finding("note", f"layer '{layer.id}': buildings without a height drawn at a guessed one",
                      _named(layer, unknown), "name a height_field in park.toml", len(unknown))


def check_entrances(layers: Sequence[Layer], others: Sequence[shapely.Geometry] = ()) -> Iterator[Finding]:
    """Entrances that lie far from every wall.

    Args:
        others: outlines (park metres) of buildings that are in no layer.
    """
    walls = [g for layer in layers if layer.kind == "buildings" for g in shapely.boundary(layer.geometry)]
    walls += [shapely.boundary(g) for g in others]
    tree = shapely.STRtree(walls)
    for layer in layers:
        if layer.kind != "entrances" or not len(layer) or not walls:
            continue
        metres = tree.query_nearest(layer.geometry, return_distance=True, all_matches=False)[1]
        far = np.flatnonzero(metres > DOOR_M)
        if len(far):
            worst = far[np.argsort(-metres[far], kind="stable")]
            yield Finding("warning", f"layer '{layer.id}': entrances more than {DOOR_M:.0f} m from every wall, the farthest "
                                     f"{metres[worst[0]]:,.0f} m", _named(layer, worst), "move them to their doors", len(far))
        yield from _of_named_buildings(layer, [other for other in layers if other.kind == "buildings" and len(other)])


def _of_named_buildings(layer: Layer, buildings: Sequence[Layer]) -> Iterator[Finding]:
    """Entrances that say which building they are of, and lie far from it or name none."""
    shape_of = {str(i): g for other in buildings for i, g in zip(other.ids, shapely.boundary(other.geometry), strict=True)}
    named = max(layer.properties.values(), key=lambda column: sum(str(v) in shape_of for v in column), default=None)
    if named is None or sum(str(v) in shape_of for v in named) < len(layer) / 2:
        return
    lost = np.flatnonzero([bool(v) and str(v) not in shape_of for v in named])
    if len(lost):
        yield Finding("warning", f"layer '{layer.id}': entrances of buildings that are in no layer", _named(layer, lost),
                      "add the buildings or correct which one is meant", len(lost))
    known = np.flatnonzero([str(v) in shape_of for v in named])
    metres = shapely.distance(layer.geometry[known], np.array([shape_of[str(named[k])] for k in known], dtype=object))
    far = known[metres > OWN_DOOR_M][np.argsort(-metres[metres > OWN_DOOR_M], kind="stable")]
    if len(far):
        yield Finding("warning", f"layer '{layer.id}': entrances more than {OWN_DOOR_M:.0f} m from the building they name, "
                                 f"the farthest {metres.max():,.0f} m", _named(layer, far),
                      "correct which building is meant, or where they lie", len(far))
