"""Outlines without corners that only repeat the one before."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

APART_M = 0.05
LEAST_M2 = 0.01


def tidy(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons (n,) turned counter-clockwise, corners nearer than 5 cm to the one before left out.

    A hole that would vanish is closed; an outline that would vanish stays as it is.
    """
    turned = shapely.orient_polygons(polygons)
    try:
        made = shapely.remove_repeated_points(turned, APART_M)
        return np.where(shapely.area(made) > 0.0, made, turned)
    except shapely.GEOSException:  # it stops at the first ring of which too little is left
        return np.array([_tidy(one) for one in turned], dtype=object)


def _tidy(polygon: shapely.Polygon) -> shapely.Polygon:
    holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area > LEAST_M2]
    for one in (polygon, shapely.Polygon(polygon.exterior, holes), shapely.Polygon(polygon.exterior)):
        try:
            return shapely.remove_repeated_points(one, APART_M)
        except shapely.GEOSException:
            continue
    return polygon
