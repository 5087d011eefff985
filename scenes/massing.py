"""Many buildings as they read from very far: a turned box each, the largest only."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.mesh import Mesh, Surface, make_mesh

MOST_BOXES = 1_500
#: What a box leaves out of a building, metres; each level above leaves out twice as much.
BOX_ERROR_M = 8.0


def massing(bodies: list[Mesh]) -> Mesh:
    """A box for each of the largest bodies: walls and roof, coloured as theirs are on average.

    Args:
        bodies: one mesh a building, park metres; the node of its first vertex is the box's.
    """
    size = np.array([np.ptp(m.position, axis=0).max() for m in bodies])
    chosen = np.sort(np.argsort(-size, kind="stable")[:MOST_BOXES])
    return boxes([bodies[k] for k in chosen])


def boxes(bodies: list[Mesh]) -> Mesh:
    """(5 faces, 20 vertices, 10 triangles) a body."""
    n = len(bodies)
    points = shapely.points(np.concatenate([m.position[:, :2] for m in bodies]))
    plan = shapely.oriented_envelope(shapely.multipoints(points, indices=np.repeat(np.arange(n), [len(m) for m in bodies])))
    ring = np.zeros((n, 4, 2))
    for k, (shape, body) in enumerate(zip(plan, bodies, strict=True)):
        whole = shape if shape.geom_type == "Polygon" else shapely.box(*_bounds(body))
        ring[k] = np.asarray(shapely.orient_polygons(whole).exterior.coords)[:4]
    low, high = (np.array([getattr(m.position[:, 2], end)() for m in bodies]) for end in ("min", "max"))
    after = np.roll(ring, -1, axis=1)
    foot, top = np.tile(low[:, None], (1, 4)), np.tile(high[:, None], (1, 4))
    corner = [np.dstack([ring, foot]), np.dstack([after, foot]), np.dstack([after, top]), np.dstack([ring, top])]
    walls = np.stack(corner, axis=2)  # (n, wall, corner, xyz)
    roof = np.dstack([ring, top])[:, None]
    position = np.concatenate([walls, roof], axis=1).reshape(-1, 3)
    quad = np.array([[0, 1, 2], [0, 2, 3]])
    faces = (np.arange(5 * n)[:, None, None] * 4 + quad).reshape(-1, 3)
    is_roof = np.tile(np.repeat([False, False, False, False, True], 4), n)
    rgb = np.array([[_colour(m, up) for up in (False, True)] for m in bodies])  # (n, wall | roof, rgb)
    colour = np.where(is_roof[:, None], np.repeat(rgb[:, 1], 20, axis=0), np.repeat(rgb[:, 0], 20, axis=0))
    return make_mesh(position, faces, colour=colour, surface=np.where(is_roof, Surface.ROOF, Surface.PLAIN),
                     node=np.repeat([m.node[0] for m in bodies], 20))


def _bounds(body: Mesh) -> tuple[float, float, float, float]:
    low, high = body.position[:, :2].min(0) - 0.05, body.position[:, :2].max(0) + 0.05
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _colour(body: Mesh, is_up: bool) -> NDArray[np.float64]:
    chosen = (body.normal[:, 2] > 0.7) == is_up
    return (body.colour[chosen] if chosen.any() else body.colour).mean(0)
