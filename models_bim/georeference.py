"""Where a building stands: every reading of what its files say is tried and scored; one is taken, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError, ProjError

from models_bim.model import BimModel, Georeading
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import ParkSpec, Placement

Matrix = NDArray[np.float64]
NEAR_M = 50_000.0  # a building farther than this from the park's origin is not in the park
_SAME_PLACE_M = 1.0
_UNIT_NAMES = {1.0: "m", 0.001: "mm", 0.3048: "ft"}
_WGS84 = CRS.from_epsg(4326)
_PROBE_M = 50.0  # half side of the square over which a change of CRS is fitted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A building's place: float64 (4, 4) ifc metres → park metres, and what had to be assumed to find it."""

    park_from_ifc: Matrix
    how: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Candidate:
    """One way to read one statement. `score` counts what speaks for it; `name` is what park.toml may call it."""

    park_from_ifc: Matrix
    score: int
    name: str
    how: str
    where: str
    residual_m: float = 0.0
    is_literal: bool = True


def place(model: BimModel, spec: ParkSpec, building_id: str, placement: Placement | None,
          georeference: str | None = None) -> Placed:
    """Place a building in the park.

    A placement in park.toml wins, then the reading that its `georeference` names.
    Otherwise each map conversion and each site position is read in
    every way files are known to mean it (map unit as declared, in metres, in millimetres; scale as written or 1), and
    scored by the CRS's area of use, the distance to the park's origin and how literal it is.

    Raises:
        SourceError: nothing says where the building stands, or two readings are equally good and disagree.
    """
    if placement is not None:
        return Placed(park_from_ifc=park_from_placement(placement), how="placement in park.toml")
    middle = _middle(model)
    findings: list[Finding] = []
    candidates = [c for reading in model.georeadings for c in _candidates(reading, spec, middle, findings)]
    near = [c for c in candidates if _distance(c, middle) <= NEAR_M]
    mend = f"give building '{building_id}' a placement = {{ at = [x, y, z] }} in park.toml"
    if not near:
        raise SourceError(_why_none(model, candidates, middle, building_id), mend=mend, where=", ".join(model.files))
    near = _named(near, middle)
    if georeference is not None:
        best = _answered(georeference, near, building_id, middle)
    else:
        best = max(near, key=lambda c: c.score)
        rivals = [c for c in near if c.score == best.score and _apart(c, best, middle) > _SAME_PLACE_M]
        if rivals:
            raise SourceError(
                f"building '{building_id}' can stand in {_count(rivals)} "
                f"{max(_apart(c, best, middle) for c in rivals):,.0f} m apart: {_readings([best, *rivals], middle)}",
                mend=f'answer with georeference = "{best.name}" (or another of these) in the building, or {mend}',
                where=best.where,
            )
    return Placed(park_from_ifc=best.park_from_ifc, how=best.how,
                  findings=(*findings, *_told(best, near, middle, building_id)))


def _count(rivals: list[_Candidate]) -> str:
    return "two places" if len(rivals) == 1 else f"{len(rivals) + 1} places up to"


def _named(near: list[_Candidate], middle: Matrix) -> list[_Candidate]:
    """Candidates whose names tell them apart: those of one name that disagree get their file with it."""
    return [
        replace(c, name=f"{c.name} of {c.where}")
        if any(o.name == c.name and _apart(o, c, middle) > _SAME_PLACE_M for o in near)
        else c
        for c in near
    ]


def _answered(answer: str, near: list[_Candidate], building_id: str, middle: Matrix) -> _Candidate:
    for candidate in near:
        if candidate.name.casefold() == answer.strip().casefold():
            return candidate
    raise SourceError(
        f"building '{building_id}' has no reading '{answer}'; it has {_readings(near, middle)}",
        mend="name one of these as its georeference in park.toml, or leave it out",
        where=near[0].where,
    )


def _readings(candidates: list[_Candidate], middle: Matrix) -> str:
    """Readings with where each puts the middle of the building, best first, the same place once."""
    seen: list[_Candidate] = []
    for c in sorted(candidates, key=lambda c: -c.score):
        if not any(o.name == c.name for o in seen):
            seen.append(c)
    spots = [(c.park_from_ifc @ middle)[:2] for c in seen[:6]]
    return "; ".join(f"'{c.name}' at {x:,.0f} m east, {y:,.0f} m north" for c, (x, y) in zip(seen, spots, strict=False))


def _told(best: _Candidate, near: list[_Candidate], middle: Matrix, building_id: str) -> Iterator[Finding]:
    places = len({c.name for c in near if _apart(c, best, middle) > _SAME_PLACE_M})
    yield Finding(
        "note",
        f"building '{building_id}' stands by its {best.how} (reading '{best.name}', residual {best.residual_m:.4f} m); "
        f"{places} other reading{'' if places == 1 else 's'} would put it elsewhere",
        best.where,
        code="ifc.place",
        fill={"building": building_id, "how": best.how, "reading": best.name, "residual": f"{best.residual_m:.4f}",
              "others": str(places)},
    )
    if not best.is_literal:
        yield Finding(
            "warning",
            f"the georeference only makes sense as {best.how}",
            best.where,
            "export it with its unit and scale, or give a placement in park.toml",
            code="ifc.place.guessed",
            fill={"how": best.how},
        )
    if best.residual_m > 0.001:
        yield Finding(
            "note",
            f"brought from another CRS as one turn and scale, {best.residual_m * 1000:.1f} mm off at "
            f"{_PROBE_M:g} m from its middle",
            best.where,
            code="ifc.place.bent",
            fill={"off": f"{best.residual_m * 1000:.1f}", "at": f"{_PROBE_M:g}"},
        )
    others = {c.how: _apart(c, best, middle) for c in near if _apart(c, best, middle) > 20.0 and c.is_literal}
    for how, apart in sorted(others.items()):
        yield Finding(
            "note",
            f"another statement ({how}) puts it {apart:,.0f} m away; not used",
            best.where,
            "correct the one that is wrong",
            code="ifc.place.other",
            fill={"how": how, "apart": f"{apart:,.0f}"},
        )


def _candidates(reading: Georeading, spec: ParkSpec, middle: Matrix, findings: list[Finding]) -> Iterator[_Candidate]:
    if reading.kind == "site":
        yield from _from_site(reading, spec, middle)
        return
    if reading.eastings == 0 and reading.northings == 0:
        findings.append(
            Finding(
                "note",
                "the map conversion is all zero and says nothing",
                reading.where,
                "export the project's survey point",
                code="ifc.map.zero",
            )
        )
        return
    crs = _crs(reading.crs)
    if crs is None and reading.crs:
        findings.append(
            Finding(
                "warning",
                f"the map conversion names CRS '{reading.crs}', which is not known; the park's is taken",
                reading.where,
                "name it as an EPSG code",
                code="ifc.map.crs",
                fill={"crs": reading.crs},
            )
        )
    units = {reading.map_unit_m if reading.map_unit_m is not None else reading.file_unit_m: True}
    for other in (1.0, 0.001, 0.3048):
        units.setdefault(other, False)
    for unit, is_literal in units.items():
        yield from _from_map(reading, crs, unit, is_literal, spec, middle)


def _from_map(
    reading: Georeading,
    crs: CRS | None,
    unit_m: float,
    is_literal: bool,
    spec: ParkSpec,
    middle: Matrix,
) -> Iterator[_Candidate]:
    stretch = (reading.scale or 0.0) * unit_m / reading.file_unit_m
    is_scaled = 0.9 < stretch < 1.1
    factor = stretch if is_scaled else 1.0
    turn = np.array(reading.x_axis) / np.hypot(*reading.x_axis)
    map_from_ifc = np.eye(4)
    map_from_ifc[:2, :2] = factor * np.array([[turn[0], -turn[1]], [turn[1], turn[0]]])
    map_from_ifc[2, 2] = factor
    map_from_ifc[:3, 3] = np.array([reading.eastings, reading.northings, reading.height]) * unit_m
    park_crs = CRS.from_user_input(spec.crs)
    moved = _park_from_map(map_from_ifc, crs or park_crs, park_crs, spec.origin, middle)
    if moved is None:
        return
    park_from_ifc, residual, in_area = moved
    unit = "" if is_literal else f" with map units of {unit_m:g} m"
    unscaled = "" if is_scaled or reading.scale is None else " unscaled"
    yield _Candidate(
        name=("map" if is_literal else f"map in {_UNIT_NAMES.get(unit_m, f'{unit_m:g} m')}") + unscaled,
        park_from_ifc=park_from_ifc,
        residual_m=residual,
        where=reading.where,
        is_literal=is_literal,
        how=f"map conversion{unit}{'' if is_scaled or reading.scale is None else ', scale left aside'}",
        score=10 + 4 * in_area + 2 * is_literal + is_scaled + (crs is not None),
    )


def _park_from_map(
    map_from_ifc: Matrix,
    crs: CRS,
    park_crs: CRS,
    origin: tuple[float, float, float],
    middle: Matrix,
) -> tuple[Matrix, float, bool] | None:
    """Into the park's CRS by the best turn, scale and shift around the building; None where the two cannot meet."""
    centre = (map_from_ifc @ middle)[:2]
    square = np.array([[0, 0], [1, 1], [1, -1], [-1, -1], [-1, 1]]) * _PROBE_M + centre
    try:
        lon, lat = _transformer(crs, _WGS84).transform(centre[0], centre[1], errcheck=True)
        there = (
            square
            if crs == park_crs
            else np.column_stack(
                _transformer(crs, park_crs).transform(square[:, 0], square[:, 1], errcheck=True)
            )
        )
    except ProjError:
        return None
    if not np.isfinite(there).all():
        return None
    linear, shift, residual = _similarity(square - centre, there)
    park_from_map = np.eye(4)
    park_from_map[:2, :2] = linear
    park_from_map[:2, 3] = shift - linear @ centre - np.array(origin[:2])
    park_from_map[2, 3] = -origin[2]
    area = crs.area_of_use
    in_area = area is None or (area.west <= lon <= area.east and area.south <= lat <= area.north)
    return park_from_map @ map_from_ifc, residual, in_area


def _similarity(here: Matrix, there: Matrix) -> tuple[Matrix, Matrix, float]:
    """Least-squares turn and scale (2, 2) and shift (2,) with the largest residual, metres."""
    shift = there.mean(axis=0) - here.mean(axis=0)
    a, b = here - here.mean(axis=0), there - there.mean(axis=0)
    norm = (a * a).sum()
    c, s = (a * b).sum() / norm, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / norm
    linear = np.array([[c, -s], [s, c]])
    return linear, shift, float(np.abs(here @ linear.T + shift - there).max())


def _from_site(reading: Georeading, spec: ParkSpec, middle: Matrix) -> Iterator[_Candidate]:
    if not (reading.latitude or reading.longitude):
        return
    crs = CRS.from_user_input(spec.crs)
    try:
        spot = _transformer(_WGS84, crs).transform(
            reading.longitude, reading.latitude, errcheck=True
        )
    except ProjError:
        return
    north_in_ifc = np.arctan2(reading.true_north[1], reading.true_north[0]) - np.pi / 2
    turn = -north_in_ifc - np.radians(Proj(crs).get_factors(reading.longitude, reading.latitude).meridian_convergence)
    park_from_ifc = np.eye(4)
    park_from_ifc[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    target = np.array([*spot, reading.elevation]) - np.array(spec.origin)
    park_from_ifc[:3, 3] = target - park_from_ifc[:3, :3] @ np.array(reading.site_origin_in_ifc)
    yield _Candidate(park_from_ifc=park_from_ifc, score=5, name="site", how="site latitude and longitude",
                     where=reading.where)


def park_from_placement(placement: Placement) -> Matrix:
    """float64 (4, 4) building's own metres → park metres."""
    turn = np.radians(placement.rotation_deg)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    matrix[:3, 3] = placement.at
    return matrix


def _middle(model: BimModel) -> Matrix:
    """(4,) the middle of the building in ifc metres, homogeneous."""
    known = model.boxes[np.isfinite(model.boxes[:, 0])]
    middle = (known[:, :3].min(axis=0) + known[:, 3:].max(axis=0)) / 2 if len(known) else np.zeros(3)
    return np.append(middle, 1.0)


def _distance(candidate: _Candidate, middle: Matrix) -> float:
    return float(np.hypot(*(candidate.park_from_ifc @ middle)[:2]))


def _apart(one: _Candidate, other: _Candidate, middle: Matrix) -> float:
    return float(np.linalg.norm(((one.park_from_ifc - other.park_from_ifc) @ middle)[:2]))


def _why_none(model: BimModel, candidates: list[_Candidate], middle: Matrix, building_id: str) -> str:
    if not candidates:
        return f"nothing says where building '{building_id}' stands (no map conversion, no site position)"
    nearest = min(candidates, key=lambda c: _distance(c, middle))
    return (
        f"building '{building_id}' would stand {_distance(nearest, middle) / 1000:,.0f} km from the park's origin "
        f"({nearest.how})"
    )


@lru_cache(maxsize=64)
def _transformer(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


@lru_cache(maxsize=64)
def _crs(name: str) -> CRS | None:
    try:
        return CRS.from_user_input(name) if name else None
    except CRSError:
        return None
