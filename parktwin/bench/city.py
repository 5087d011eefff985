"""A synthetic city of footprints: as many as wanted, of the shapes and sizes cities have, the same ones every time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.model import Layer

PLOT_M = 60.0
SEED = 7
_USES = ("residential", "office", "industrial", "education", "")


def footprints(count: int) -> tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.object_]]:
    """Polygons (count,) on plots of a square grid round the origin, heights in metres, uses.

    Half are rectangles; the rest are L and U shapes, courtyards with a hole, and round towers, each turned its own way.
    """
    draw = np.random.default_rng(SEED)
    side = int(np.ceil(np.sqrt(count)))
    size = draw.uniform(12.0, 42.0, (count, 2))
    turn = draw.uniform(0.0, np.pi, count)
    middle = (np.column_stack([np.arange(count) % side, np.arange(count) // side]) - side / 2) * PLOT_M
    kind = draw.choice(len(_OUTLINES), count, p=(0.5, 0.2, 0.1, 0.12, 0.08))
    heights = np.clip(draw.lognormal(2.6, 0.6, count), 3.0, 160.0)
    shapes = [_placed(_OUTLINES[k], size[row], turn[row], middle[row]) for row, k in enumerate(kind)]
    return np.array(shapes, dtype=object), heights, draw.choice(np.array(_USES, dtype=object), count)


def layer_of(count: int) -> Layer:
    """The same footprints as a layer in the park frame."""
    shapes, heights, uses = footprints(count)
    nothing = np.full(count, np.nan)
    blank = np.full(count, "", dtype=object)
    ids = np.array([f"{k}" for k in range(count)], dtype=object)
    return Layer(id="city", kind="buildings", name="City", name_zh="", source="synthetic", crs="park", ids=ids, names=blank,
                 names_zh=blank, geometry=shapes, height_m=heights, width_m=nothing, depth_m=nothing, medium=blank,
                 properties={"use": uses})


def write_geojson(path: Path, count: int) -> Path:
    """The same footprints as GeoJSON, with plain metres for coordinates."""
    shapes, heights, uses = footprints(count)
    features = [{"type": "Feature", "properties": {"height": round(float(h), 3), "use": u},
                 "geometry": json.loads(g)} for g, h, u in zip(shapely.to_geojson(shapes), heights, uses, strict=True)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


_BOX = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
_ROUND = tuple((0.5 * float(np.cos(a)), 0.5 * float(np.sin(a))) for a in np.arange(20) * 2 * np.pi / 20)
_OUTLINES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (_BOX,),
    (((-0.5, -0.5), (0.5, -0.5), (0.5, -0.1), (0.0, -0.1), (0.0, 0.5), (-0.5, 0.5)),),
    (((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.2, 0.5), (0.2, -0.1), (-0.2, -0.1), (-0.2, 0.5), (-0.5, 0.5)),),
    (_BOX, ((-0.2, -0.2), (-0.2, 0.2), (0.2, 0.2), (0.2, -0.2))),
    (_ROUND,),
)


def _placed(rings: tuple[tuple[tuple[float, float], ...], ...], size: NDArray[np.float64], turn: float,
            middle: NDArray[np.float64]) -> shapely.Polygon:
    cos, sin = np.cos(turn), np.sin(turn)
    outline, *holes = [np.array(ring) * size @ np.array([[cos, sin], [-sin, cos]]) + middle for ring in rings]
    return shapely.Polygon(outline, holes)
