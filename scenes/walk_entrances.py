"""Where indoors meets outdoors: entrances the map draws, and every entrance joined to the nearest path."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.merge import Merged
from scenes.walk_parts import WalkParts
from twin.finding import Finding

JOIN_M = 80.0  # an entrance this near to a path is taken to lead to it
_AT_BUILDING_M = 3.0  # an entrance drawn this near to a building is its own
_CANDIDATES = 24
_DETOUR = 10.0  # a metre through a building counts as so many round it


def drawn_entrances(merged: Merged) -> NDArray[np.float64]:
    """Entrances as layers of kind `entrances` draw them, (n, 2) park metres; lines and areas by their middle."""
    shapes = [layer.geometry for layer, _ in merged.layers if layer.kind == "entrances" and len(layer)]
    return shapely.get_coordinates(shapely.centroid(np.concatenate(shapes))) if shapes else np.zeros((0, 2))


def drawn_at(entrances: NDArray[np.float64], footprint: shapely.Geometry) -> NDArray[np.float64]:
    """Those (k, 2) that stand at a building."""
    if footprint.is_empty or not len(entrances):
        return np.zeros((0, 2))
    return entrances[shapely.dwithin(shapely.points(entrances), footprint, _AT_BUILDING_M)]


def join_entrances(parts: WalkParts, entrances: dict[str, list[int]], outside: list[int],
                   footprints: dict[str, shapely.Geometry]) -> list[Finding]:
    """Join entrances to the paths outside, round buildings where that can be; tells buildings no path comes near to.

    Args:
        entrances: building id → rows of its entrances.
        outside: rows of points along paths and roads; where there are none nothing is joined and nothing told.
        footprints: building id → the ground it covers.
    """
    if not outside:
        return []
    xy = np.array([parts.xyz[row][:2] for row in outside])
    tree, findings = shapely.STRtree(shapely.points(xy)), list[Finding]()
    cores = [(building, shape.buffer(-0.5)) for building, shape in footprints.items()]
    solid = shapely.STRtree([shape for _, shape in cores])
    for building, rows in entrances.items():
        nearest = np.inf
        for row in rows:
            here = np.array(parts.xyz[row][:2])
            nearest = min(nearest, float(tree.query_nearest(shapely.Point(here), return_distance=True)[1][0]))
            near = tree.query(shapely.Point(here), predicate="dwithin", distance=JOIN_M)
            metres = np.hypot(*(xy[near] - here).T)
            order = np.lexsort((near, metres))[:_CANDIDATES]
            near, metres = near[order], metres[order]
            if len(near):
                lines = shapely.linestrings(np.stack([np.broadcast_to(here, (len(near), 2)), xy[near]], axis=1))
                parts.join(row, outside[int(near[(metres + _DETOUR * _inside(lines, solid)).argmin()])], "walk")
        if rows and nearest > JOIN_M:
            findings.append(Finding("warning", f"no path comes near the entrances of building '{building}' (the nearest is "
                                               f"{nearest:.0f} m off): nobody is led to it from outside", building,
                                    "draw the path to its door in a layer of kind paths, or correct where it is placed"))
    return findings


def _inside(lines: NDArray[np.object_], solid: shapely.STRtree) -> NDArray[np.float64]:
    """Metres (n,) of each line that run through buildings."""
    found = np.zeros(len(lines))
    line, shape = solid.query(lines, predicate="intersects")
    np.add.at(found, line, shapely.length(shapely.intersection(lines[line], solid.geometries[shape])))
    return found
