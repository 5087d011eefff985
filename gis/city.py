"""City models in (CityJSON, CityGML): objects with faces of their own, brought to the park frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from gis.crs import PARK, datum_name, park_from_map_xy
from gis.mesh import newell
from gis.model import Shell
from gis.tables import spot
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerKind, LayerSpec

F64 = NDArray[np.float64]
Rings = tuple[F64, ...]
#: Layer kind → words with which city models name the sort of an object (any case, any namespace).
SORTS: dict[LayerKind, tuple[str, ...]] = {
    "buildings": ("building", "buildingunit", "genericcityobject", "otherconstruction"),
    "roads": ("road", "railway", "track"), "paths": ("track",), "paving": ("square", "transportsquare"),
    "greens": ("plantcover",), "water": ("waterbody",), "trees": ("solitaryvegetationobject",),
    "furniture": ("cityfurniture",), "landuse": ("landuse",), "parcels": ("landuse",),
}
_UPRIGHT = 0.35  # |z| of a face's normal under which it is a wall
HIGHEST_LOD = 3.9


@dataclass(frozen=True, slots=True, eq=False)
class CityObject:
    """One object as its source has it: faces as rings (k, 3) in the source's CRS, each with a role or ""."""

    id: str
    sort: str
    attributes: dict[str, str] = field(default_factory=dict)
    faces: tuple[tuple[Rings, str], ...] = ()
    lod: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class CityModel:
    """Objects of a city model and the CRS it says it is in ("" for none)."""

    objects: tuple[CityObject, ...]
    crs: str


@dataclass(frozen=True, slots=True, eq=False)
class CityRows:
    """Objects of one kind in the park frame: footprint (n,), shell (n,), columns (n rows), raw points (k, 2)."""

    geometry: NDArray[np.object_]
    shells: tuple[Shell | None, ...]
    columns: pd.DataFrame
    raw: F64
    crs: str


def read_city(spec: LayerSpec, model: CityModel, park_crs: str, origin: tuple[float, float, float],
              findings: list[Finding]) -> CityRows:
    """The objects of a layer's kind, in the park frame.

    Raises:
        SourceError: there are none, or nothing says their CRS.
    """
    sorts = SORTS.get(spec.kind, ())
    chosen = [o for o in model.objects if o.sort.lower() in sorts and o.faces]
    if not chosen:
        there = sorted({o.sort for o in model.objects})
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds nothing of kind '{spec.kind}'", where=spot(spec),
                          mend=f"it holds {', '.join(there)}" if there else "check the file: it holds no city objects")
    crs = spec.crs or model.crs
    if not crs and spec.placement is None:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} has no coordinate system", where=spot(spec),
                          mend='add crs = "EPSG:…" to the layer')
    points = np.concatenate([ring for o in chosen for rings, _ in o.faces for ring in rings])
    crs, move = _mover(spec, crs, points, park_crs, origin, findings)
    moved = _moved(chosen, points, move)
    shells = tuple(_shell(o) for o in moved)
    footprints = np.array([_footprint(o) for o in moved], dtype=object)
    columns = pd.DataFrame([{"id": o.id, "measuredheight": _height(o), **o.attributes} for o in moved])
    flat = sum(shell is None for shell in shells)
    if flat and spec.kind == "buildings":
        findings.append(Finding("note", f"layer '{spec.id}': objects without walls or roofs drawn from their footprint",
                                spec.source.name, count=flat))
    raw = points[:: len(points) // 400 + 1, :2]
    return CityRows(footprints, shells if spec.kind == "buildings" else (), columns, raw, crs)


def _mover(spec: LayerSpec, crs: str, points: F64, park_crs: str, origin: tuple[float, float, float],
           findings: list[Finding]) -> tuple[str, Callable[[F64], F64]]:
    """The CRS taken and the function that brings (n, 3) of it to the park frame."""
    if spec.placement is not None:
        turn, at = np.radians(spec.placement.rotation_deg), np.array(spec.placement.at)
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return PARK, lambda xyz: np.column_stack([xyz[:, :2] @ matrix, xyz[:, 2]]) + at
    is_swapped = spec.is_north_first or (not spec.crs and not datum_name(crs) and _is_north_first(crs, points))
    if is_swapped and not spec.is_north_first:
        findings.append(Finding("note", f"layer '{spec.id}': coordinates are northing first, as {crs} says",
                                spec.source.name))

    def move(xyz: F64) -> F64:
        xy = xyz[:, 1::-1] if is_swapped else xyz[:, :2]
        return np.column_stack([park_from_map_xy(xy, crs, park_crs, origin), xyz[:, 2] - origin[2]])

    return crs, move


def _is_north_first(crs: str, points: F64) -> bool:
    """Whether points lie in the area of use of their CRS only when read as northing, easting.

    City models are meant to follow the authority's order of axes, and often do not: the place decides.
    """
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        return False
    x, y = (float(v) for v in np.median(points[:, :2], axis=0))
    straight, swapped = (_in_area(known, a, b) for a, b in ((x, y), (y, x)))
    return swapped and not straight


def _in_area(crs: CRS, x: float, y: float) -> bool:
    area = crs.area_of_use
    lon, lat = park_from_map_xy(np.array([[x, y]]), crs.to_string(), "EPSG:4326", (0.0, 0.0, 0.0))[0]
    if not np.isfinite([lon, lat]).all():
        return False
    return area is None or (area.west - 1 <= lon <= area.east + 1 and area.south - 1 <= lat <= area.north + 1)


def _moved(objects: list[CityObject], points: F64, move: Callable[[F64], F64]) -> list[CityObject]:
    """Every vertex moved in one go."""
    there, at, out = move(points), 0, []
    for o in objects:
        faces = []
        for rings, role in o.faces:
            new = []
            for ring in rings:
                new.append(there[at: at + len(ring)])
                at += len(ring)
            faces.append((tuple(new), role))
        out.append(replace(o, faces=tuple(faces)))
    return out


def _shell(o: CityObject) -> Shell | None:
    """Faces with a role each; None for what is no more than a footprint."""
    if o.lod < 1.0:
        return None
    roles = tuple(role or _role_of(rings[0]) for rings, role in o.faces)
    return Shell(tuple(rings for rings, _ in o.faces), roles) if "wall" in roles else None


def _role_of(ring: F64) -> str:
    normal = newell(ring)
    return "wall" if abs(normal[2]) < _UPRIGHT else "roof" if normal[2] > 0 else "ground"


def _footprint(o: CityObject) -> shapely.Geometry:
    """The ground an object covers: its ground faces, else everything seen from above; a point where that is no area."""
    ground = [rings for rings, role in o.faces if (role or _role_of(rings[0])) == "ground"]
    flat = [p for rings in ground or [r for r, _ in o.faces] if (p := _flat(rings)) is not None]
    if not flat:
        return shapely.Point(np.concatenate([rings[0] for rings, _ in o.faces])[:, :2].mean(axis=0))
    joined = shapely.union_all(shapely.make_valid(np.array(flat, dtype=object)), grid_size=0.001)
    return shapely.buffer(shapely.buffer(joined, 0.02, join_style="mitre"), -0.02, join_style="mitre")


def _flat(rings: Rings) -> shapely.Polygon | None:
    if abs(newell(rings[0])[2]) < 0.01 or len(rings[0]) < 3:
        return None
    return shapely.Polygon(rings[0][:, :2], [hole[:, :2] for hole in rings[1:] if len(hole) > 2])


def _height(o: CityObject) -> str:
    z = np.concatenate([ring[:, 2] for rings, _ in o.faces for ring in rings])
    rise = float(np.ptp(z))
    return f"{rise:.3f}" if rise > 0.01 else ""


def best_faces(faces: Iterable[tuple[float, str, Rings]]) -> tuple[float, tuple[tuple[Rings, str], ...]]:
    """Of (level of detail, role, rings): the finest level, and of it the faces whose role is said where any is."""
    every = [f for f in faces if f[0] <= HIGHEST_LOD and len(f[2][0]) > 2]
    if not every:
        return 0.0, ()
    top = max(lod for lod, _, _ in every)
    own = [(rings, role) for lod, role, rings in every if lod == top]
    said = [f for f in own if f[1]]
    return top, tuple(said or own)


def is_city_gml(path: Path) -> bool:
    """Whether a GML file is a city model and not plain features."""
    if path.suffix.lower() not in (".gml", ".xml", ".citygml"):
        return False
    with path.open("rb") as source:
        return b"citygml" in source.read(8192).lower()


def is_city_json(path: Path) -> bool:
    """Whether a JSON file is a CityJSON document or sequence."""
    if path.suffix.lower() not in (".json", ".city", ".jsonl"):
        return False
    return b'"CityJSON"' in path.read_bytes()  # its type may stand anywhere, also last
