"""tileset.json (3D Tiles 1.1): boxes, errors, who replaces whom, and where on Earth the park's frame stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from gis.crs import convergence_deg, lonlat_of

ROOT_ERROR_M = 400.0
#: Takes a path relative to `tiles/` and the bytes of the file.
Write = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: its file (None for a group), its box in the park frame, its layer, and what it refines into.

    Args:
        box: xmin, ymin, zmin, xmax, ymax, zmax in park metres.
        error_m: metres of detail this tile leaves out (0 for the finest).
        replace: children take this tile's place (else they are drawn with it).
    """

    uri: str | None
    layer: str
    box: tuple[float, ...]
    error_m: float = 0.0
    children: tuple[Tile, ...] = ()
    replace: bool = False
    extras: dict[str, Any] = field(default_factory=dict)


def ecef_from_park(park_crs: str, origin: tuple[float, float, float]) -> NDArray[np.float64]:
    """The 4×4 transform from the park frame to Earth-centred metres: ENU at the origin, turned by grid convergence.

    The origin's height is taken as ellipsoidal (no geoid is applied). Column vectors: ecef = M @ park.
    """
    lon, lat = lonlat_of(np.zeros((1, 2)), park_crs, origin)[0]
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    place = np.array(to_ecef.transform(lon, lat, origin[2]))
    lam, phi = np.radians([lon, lat])
    east = np.array([-np.sin(lam), np.cos(lam), 0.0])
    north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    turn = np.radians(convergence_deg(lon, lat, park_crs))
    grid_east = np.cos(turn) * east - np.sin(turn) * north
    grid_north = np.sin(turn) * east + np.cos(turn) * north
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2], matrix[:3, 3] = grid_east, grid_north, np.cross(east, north), place
    return matrix


def bounding_box(box: tuple[float, ...]) -> dict[str, list[float]]:
    """A 3D Tiles box of an axis-aligned one, never thinner than a centimetre."""
    low, high = np.array(box[:3]), np.array(box[3:])
    half = np.maximum((high - low) / 2, 0.005)
    centre = (low + high) / 2
    return {"box": [*centre.tolist(), half[0], 0.0, 0.0, 0.0, half[1], 0.0, 0.0, 0.0, half[2]]}


def around(boxes: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The box around boxes."""
    table = np.array(boxes)
    return (*table[:, :3].min(0).tolist(), *table[:, 3:].max(0).tolist())


def tileset_json(tiles: list[Tile], ecef: NDArray[np.float64]) -> str:
    """The whole tileset as text: one root without content, every tile added below it."""
    root = {
        "boundingVolume": bounding_box(around([tile.box for tile in tiles])),
        "geometricError": ROOT_ERROR_M, "refine": "ADD",
        "transform": [float(v) for v in ecef.T.ravel()],
        "extras": {"layer": "park"}, "children": [_entry(tile) for tile in tiles],
    }
    return json.dumps({"asset": {"version": "1.1", "generator": "parktwin"}, "geometricError": ROOT_ERROR_M * 2,
                       "root": root}, indent=1)


def _entry(tile: Tile) -> dict[str, Any]:
    out: dict[str, Any] = {"boundingVolume": bounding_box(tile.box), "geometricError": tile.error_m,
                           "refine": "REPLACE" if tile.replace else "ADD",
                           "extras": {"layer": tile.layer, **tile.extras}}
    if tile.uri:
        out["content"] = {"uri": tile.uri}
    if tile.children:
        out["children"] = [_entry(child) for child in tile.children]
    return out
