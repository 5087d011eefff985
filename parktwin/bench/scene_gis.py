"""Footprints in, triangles out, beside three.js' ExtrudeGeometry; and whether coordinates land where they must."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gis.crs import bd09_from_wgs84, gcj02_from_wgs84, park_from_map_xy, wgs84_from_offset
from parktwin.bench.child import Failed, python, run
from parktwin.bench.city import write_geojson
from parktwin.bench.contenders import extruder
from parktwin.bench.rows import Row

F64 = NDArray[np.float64]
Tell = Callable[[str], None]
TARGET_S = {10_000: 0.5, 100_000: 2.0}
MOST_FULL = 10_000
POINTS = 100_000


def gis_rows(counts: Sequence[int], scratch: Path, rounds: int, conditions: str, tell: Tell) -> list[Row]:
    """A row a size and form; the peer's turn comes between ours."""
    rows = []
    for count in counts:
        file = write_geojson(scratch / f"city-{count}.geojson", count)
        plain: list[dict[str, float]] = []
        peer: list[dict[str, float]] = []
        fault = extruder().absent
        for _ in range(rounds):
            tell(f"{count:,} footprints")
            plain.append(_ours(count, "plain"))
            if not fault:
                try:
                    made = extruder().make([file], scratch / "extrude")
                    peer.append(json.loads(made.cost.said.splitlines()[-1]))
                except Failed as error:
                    fault = f"failed: {error}"
        full = [_ours(count, "full") for _ in range(min(rounds, 2) if count <= MOST_FULL else 0)]
        rows += _size_rows(count, plain, full, peer, fault, conditions)
    return rows


def _ours(count: int, form: str) -> dict[str, float]:
    said: dict[str, float] = json.loads(run(python("parktwin.bench.mesh_city", str(count), form)).said)
    return said


def _size_rows(count: int, plain: list[dict[str, float]], full: list[dict[str, float]], peer: list[dict[str, float]],
               fault: str, conditions: str) -> list[Row]:
    what = f"mesh {count:,} footprints"
    ours = _median(plain, "seconds")
    note = (f"synthetic footprints to triangles, both in memory, {plain[0]['triangles'] / count:.0f} triangles a building "
            f"(walls split near the ground and by length), uv, node of each vertex; {_median(plain, 'cpu'):.2f} CPU s")
    rows = [Row(what=f"{what}, as surroundings", unit="s", ours=ours, target=TARGET_S.get(count), note=note,
                conditions=conditions)]
    if peer:
        theirs = f"three.js gives walls and caps alone, {peer[0]['triangles'] / count:.0f} triangles a building"
        rows.append(Row(what=f"{what}, against ExtrudeGeometry", unit="s", ours=ours, peer=_median(peer, "seconds"),
                        peer_name="three.js", note=theirs, conditions=conditions))
    else:
        rows.append(Row(what=f"{what}, against ExtrudeGeometry", unit="s", ours=ours, note=f"no peer: {fault}",
                        conditions=conditions))
    if full:
        note = f"parapets, roof rims and rooftop plant too, {full[0]['triangles'] / count:.0f} triangles a building"
        rows.append(Row(what=f"{what}, in full form", unit="s", ours=_median(full, "seconds"), target=TARGET_S.get(count),
                        note=note, conditions=conditions))
    return rows


def _median(runs: list[dict[str, float]], key: str) -> float:
    return statistics.median(r[key] for r in runs)


def place_rows(conditions: str) -> list[Row]:
    """Errors of coordinates in millimetres: the local frame against Krüger's series, the web datums there and back."""
    draw = np.random.default_rng(11)
    lon, lat = draw.uniform(119.0, 121.0, POINTS), draw.uniform(29.0, 31.0, POINTS)
    origin = (519200.0, 3342600.0, 0.0)
    here = park_from_map_xy(np.column_stack([lon, lat]), "EPSG:4490", "EPSG:4549", origin)
    true = _kruger(np.radians(lon - 120.0), np.radians(lat)) - np.array(origin[:2])
    note = f"{POINTS:,} points 200 km across in EPSG:4549, against Krüger's series to the fifth order, worked out here"
    rows = [Row(what="local frame: error of map coordinates", unit="mm", ours=float(np.abs(here - true).max()) * 1e3,
                target=1.0, note=note, conditions=conditions)]
    lon, lat = draw.uniform(75.0, 133.0, POINTS), draw.uniform(18.0, 52.0, POINTS)
    for datum, forward in (("GCJ-02", gcj02_from_wgs84), ("BD-09", bd09_from_wgs84)):
        back_lon, back_lat = wgs84_from_offset(datum, *forward(lon, lat))
        off = np.hypot((back_lon - lon) * 111_320 * np.cos(np.radians(lat)), (back_lat - lat) * 110_574)
        rows.append(Row(what=f"{datum} there and back", unit="mm", ours=float(off.max()) * 1e3, target=0.01,
                        note=f"{POINTS:,} points over China, worst of them", conditions=conditions))
    return rows


def _kruger(dlon: F64, lat: F64) -> F64:
    """Easting and northing (n, 2) of CGCS2000 by Krüger's series in the third flattening, false easting 500 km, scale 1.

    Args:
        dlon, lat: radians, longitude from the central meridian.
    """
    a, n = 6378137.0, 1 / (2 * 298.257222101 - 1)
    ecc = 2 * np.sqrt(n) / (1 + n)
    t = np.sinh(np.arctanh(np.sin(lat)) - ecc * np.arctanh(ecc * np.sin(lat)))
    xi, eta = np.arctan2(t, np.cos(dlon)), np.arcsinh(np.sin(dlon) / np.hypot(t, np.cos(dlon)))
    alpha = (n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180 - 127 * n**5 / 288,
             13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440 + 281 * n**5 / 630,
             61 * n**3 / 240 - 103 * n**4 / 140 + 15061 * n**5 / 26880, 49561 * n**4 / 161280 - 179 * n**5 / 168,
             34729 * n**5 / 80640)
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64 + n**6 / 256)
    north = xi + sum(c * np.sin(2 * k * xi) * np.cosh(2 * k * eta) for k, c in enumerate(alpha, 1))
    east = eta + sum(c * np.cos(2 * k * xi) * np.sinh(2 * k * eta) for k, c in enumerate(alpha, 1))
    return np.column_stack([500_000.0 + radius * east, radius * north])
