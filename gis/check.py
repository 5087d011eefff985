"""What is odd about a layer's things: overlaps, specks, heights that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from gis.model import Layer
from twin.finding import Finding

SPECK_M2 = 4.0
OVERLAP_M2 = 0.01
LOWEST_M = 2.0
STOREY_RANGE_M = (2.2, 8.0)
_LEVELS = ("levels", "building:levels", "floors", "storeys", "MAX_FLOORS")


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
    text = next((layer.properties[n] for n in _LEVELS if n in layer.properties), None)
    if text is None:
        return
    levels = np.array([float(t) if t.replace(".", "", 1).isdigit() else np.nan for t in text])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = layer.height_m / levels
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
