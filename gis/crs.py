"""Coordinates in: any CRS, and the two Chinese web-map datums, to the park frame (float64 metres, x east, y north)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError

from twin.errors import SourceError

#: Names a layer may give as `crs` although they are no EPSG codes: offset longitude/latitude of Chinese web maps.
OFFSET_DATUMS = ("GCJ-02", "BD-09")
#: The crs of coordinates that are park metres already.
PARK = "park"
_SEMI_MAJOR_M = 6378245.0  # Krasovsky 1940, as GCJ-02 defines its offsets
_ECCENTRICITY_SQ = 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0

Array = NDArray[np.float64]


class MissingCrs(SourceError):
    """A source that does not say its coordinate system. `sample` (n, 2): coordinates as they stand in the file."""

    sample: NDArray[np.float64] = np.zeros((0, 2))


def datum_name(crs: str) -> str | None:
    """'GCJ-02' or 'BD-09' when a layer's crs text means one of them (any case, with or without dash), else None."""
    plain = crs.upper().replace("-", "").replace("_", "").replace(" ", "")
    return {"GCJ02": "GCJ-02", "GCJ": "GCJ-02", "BD09": "BD-09", "BD09LL": "BD-09"}.get(plain)


def gcj02_from_wgs84(lon: Array, lat: Array) -> tuple[Array, Array]:
    """GCJ-02 degrees of WGS 84 degrees (any shape)."""
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    root = np.sqrt(np.abs(x))
    dlat = (-100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
            + (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
            + (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3)
    dlon = (300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
            + (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
            + (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3)
    phi = np.radians(lat)
    magic = 1 - _ECCENTRICITY_SQ * np.sin(phi) ** 2
    dlat = np.degrees(dlat * magic * np.sqrt(magic) / (_SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQ)))
    dlon = np.degrees(dlon * np.sqrt(magic) / (_SEMI_MAJOR_M * np.cos(phi)))
    return lon + dlon, lat + dlat


def bd09_from_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    """BD-09 degrees of GCJ-02 degrees."""
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_from_wgs84(lon: Array, lat: Array) -> tuple[Array, Array]:
    """BD-09 degrees of WGS 84 degrees."""
    return bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))


def wgs84_from_offset(datum: str, lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 degrees of GCJ-02 or BD-09 degrees, by fixed-point iteration on the exact forward formula (< 0.01 mm)."""
    forward = gcj02_from_wgs84 if datum == "GCJ-02" else bd09_from_wgs84
    guess_lon, guess_lat = np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)
    for _ in range(4 if datum == "GCJ-02" else 5):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        guess_lon = guess_lon + (lon - there_lon)
        guess_lat = guess_lat + (lat - there_lat)
    return guess_lon, guess_lat


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(CRS.from_user_input(source), CRS.from_user_input(target), always_xy=True)


def parse_crs(text: str, where: str) -> CRS | None:
    """A pyproj CRS of park.toml's text; None for "park".

    Raises:
        SourceError: when PROJ does not know it.
    """
    if text.lower() == PARK:
        return None
    try:
        return CRS.from_user_input("EPSG:4326" if datum_name(text) else text)
    except CRSError as error:
        raise SourceError(f"'{text}' is not a coordinate system PROJ knows", where=where,
                          mend="write an authority code such as EPSG:4549, or GCJ-02 or BD-09") from error


def park_from_map_xy(xy: Array, crs: str, park_crs: str, origin: tuple[float, float, float]) -> Array:
    """Park-frame metres (n, 2) of coordinates (n, 2) in `crs`, longitude (easting) first, always."""
    if crs.lower() == PARK:
        return np.array(xy, dtype=np.float64)
    x, y = xy[:, 0], xy[:, 1]
    datum = datum_name(crs)
    if datum:
        x, y = wgs84_from_offset(datum, x, y)
        crs = "EPSG:4326"
    x, y = _transformer(crs, park_crs).transform(x, y)
    return np.column_stack([np.asarray(x) - origin[0], np.asarray(y) - origin[1]])


def map_from_park_xy(xy: Array, crs: str, park_crs: str, origin: tuple[float, float, float]) -> Array:
    """Coordinates (n, 2) in `crs` of park-frame metres (n, 2): `park_from_map_xy` backwards, longitude first."""
    if crs.lower() == PARK:
        return np.array(xy, dtype=np.float64)
    datum = datum_name(crs)
    x, y = _transformer(park_crs, "EPSG:4326" if datum else crs).transform(xy[:, 0] + origin[0], xy[:, 1] + origin[1])
    if datum:
        x, y = (gcj02_from_wgs84 if datum == "GCJ-02" else bd09_from_wgs84)(np.asarray(x), np.asarray(y))
    return np.column_stack([x, y])


def to_park(geometry: NDArray[np.object_], crs: str, park_crs: str, origin: tuple[float, float, float],
            ) -> NDArray[np.object_]:
    """The same geometries in the park frame, float64; heights, where there are any, minus the origin's."""
    rise = 0.0 if crs.lower() == PARK else origin[2]
    return moved(geometry, lambda xy: park_from_map_xy(xy, crs, park_crs, origin), lambda z: z - rise)


def moved(geometry: NDArray[np.object_], move: Callable[[Array], Array], lift: Callable[[Array], Array] = lambda z: z,
          ) -> NDArray[np.object_]:
    """Geometries with `move` done to their xy (n, 2) and `lift` to their heights (n,); those without stay without."""
    out = np.array(geometry, dtype=object)
    solid = shapely.has_z(out)
    out[~solid] = shapely.transform(out[~solid], move)
    out[solid] = shapely.transform(out[solid], lambda xyz: np.column_stack([move(xyz[:, :2]), lift(xyz[:, 2])]),
                                   include_z=True)
    return out


def lonlat_of(xy_in_park: Array, park_crs: str, origin: tuple[float, float, float]) -> Array:
    """WGS 84 longitude and latitude in degrees (n, 2) of park-frame points (n, 2)."""
    lon, lat = _transformer(park_crs, "EPSG:4326").transform(xy_in_park[:, 0] + origin[0], xy_in_park[:, 1] + origin[1])
    return np.column_stack([lon, lat])


def convergence_deg(lon: float, lat: float, park_crs: str) -> float:
    """Grid convergence: degrees from grid north to true north, positive where true north lies west of grid north.

    Measured with the grid itself (a metre north on the ellipsoid), so it holds for every projection.
    """
    north = Geod(ellps="WGS84").fwd(lon, lat, 0.0, 10.0)
    x, y = _transformer("EPSG:4326", park_crs).transform([lon, north[0]], [lat, north[1]])
    return float(np.degrees(np.arctan2(-(x[1] - x[0]), y[1] - y[0])))


def is_metric(crs: CRS) -> bool:
    """Whether a CRS is a projected one counted in metres (what a park needs)."""
    return crs.is_projected and all(abs(axis.unit_conversion_factor - 1.0) < 1e-12 for axis in crs.axis_info[:2])


__all__ = [
    "OFFSET_DATUMS",
    "PARK",
    "MissingCrs",
    "convergence_deg",
    "datum_name",
    "is_metric",
    "lonlat_of",
    "map_from_park_xy",
    "moved",
    "park_from_map_xy",
    "parse_crs",
    "to_park",
    "wgs84_from_offset",
]
