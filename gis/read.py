"""One layer file in, one typed layer out: parsed, placed, repaired, and everything odd about it written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis import columns as col
from gis.city import is_city_gml, is_city_json, read_city
from gis.citygml import read_city_gml
from gis.cityjson import read_city_json
from gis.crs import PARK, MissingCrs, datum_name, moved, parse_crs, to_park
from gis.model import Layer
from gis.parts import with_parts
from gis.tables import Table, read_table, spot
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerKind, LayerSpec

AREAL: frozenset[LayerKind] = frozenset(
    {"buildings", "greens", "parking", "landuse", "boundary", "paving", "parcels"})
#: Kinds whose heights are kept where the source has them: what lies under the ground lies at its own level.
LEVELLED: frozenset[LayerKind] = frozenset({"pipes", "cables"})
#: How many raw points of a source are kept, to tell what it may have been meant in.
SAMPLE = 400
HIGHEST_M = 1_000.0  # nothing that stands is higher


def read_layer(spec: LayerSpec, park_crs: str, origin: tuple[float, float, float]) -> Layer:
    """Read one vector layer into the park frame.

    Args:
        spec: the `[[layer]]` table of park.toml.
        park_crs: the park's projected CRS.
        origin: map metres subtracted from every coordinate.

    Raises:
        SourceError: the file is missing or unreadable.
        MissingCrs: it has no coordinate system and none may be guessed.
    """
    where = str(spec.source.name)
    if not spec.source.exists():
        raise SourceError(f"layer '{spec.id}' names {where}, which does not exist", where=spot(spec),
                          mend="correct `source` in park.toml or put the file there")
    findings: list[Finding] = []
    if is_city_json(spec.source) or is_city_gml(spec.source):
        return _read_city(spec, park_crs, origin, findings)
    source = read_table(spec, findings)
    crs = _crs_of(spec, source.rows, findings)
    table = _drop_empty(spec, source.rows, findings)
    geometry = np.asarray(table.geometry.values, dtype=object)
    raw = shapely.get_coordinates(shapely.centroid(geometry[np.linspace(0, len(geometry) - 1, min(len(geometry), SAMPLE))
                                                            .astype(int)]))
    geometry = _placed(spec, geometry, source, crs, park_crs, origin) if len(geometry) else geometry
    outside = ~np.isfinite(shapely.bounds(geometry)).all(axis=1) if len(geometry) else np.zeros(0, bool)
    if len(geometry) and outside.mean() > 0.5:
        raise _missing(spec, table, f"has coordinates that {crs} cannot have (such as {raw[0, 0]:,.1f}, {raw[0, 1]:,.1f})")
    if outside.any():
        findings.append(Finding("warning", f"layer '{spec.id}': features outside what {crs} can have left out",
                                f"{where}: rows {_some(np.flatnonzero(outside) + 1)}", "correct their coordinates",
                                int(outside.sum())))
        geometry, table = geometry[~outside], table[~outside]
    geometry, kept = _repair(spec, geometry, findings)
    columns = pd.DataFrame(table.drop(columns=table.geometry.name)).iloc[kept].reset_index(drop=True)
    layer = replace(_layer(spec, crs, geometry, columns, findings), raw=raw)
    return with_parts(layer) if spec.kind == "buildings" else layer


def _read_city(spec: LayerSpec, park_crs: str, origin: tuple[float, float, float], findings: list[Finding]) -> Layer:
    """A layer out of a city model: footprints to stand in for the objects, and their own faces."""
    model = read_city_json(spec.source) if is_city_json(spec.source) else read_city_gml(spec.source)
    rows = read_city(spec, model, park_crs, origin, findings)
    geometry, kept = _repair(spec, rows.geometry, findings)
    layer = _layer(spec, rows.crs, geometry, rows.columns.iloc[kept].reset_index(drop=True), findings)
    return replace(layer, raw=rows.raw, shells=tuple(rows.shells[k] for k in kept) if rows.shells else ())


def _placed(spec: LayerSpec, geometry: NDArray[np.object_], source: Table, crs: str, park_crs: str,
            origin: tuple[float, float, float]) -> NDArray[np.object_]:
    """Geometries in the park frame: turned, scaled and shifted as park.toml says, then brought from their CRS."""
    if spec.kind not in LEVELLED:
        geometry = shapely.force_2d(geometry)
    unit_m = spec.unit_m or source.unit_m or 1.0
    if unit_m != 1.0:
        geometry = moved(geometry, lambda xy: xy * unit_m, lambda z: z * unit_m)
    if spec.is_north_first:
        geometry = moved(geometry, lambda xy: xy[:, ::-1])
    if spec.placement is not None:
        turn, at = np.radians(spec.placement.rotation_deg), np.array(spec.placement.at)
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        geometry = moved(geometry, lambda xy: xy @ matrix + at[:2], lambda z: z + at[2])
    return to_park(geometry, crs, park_crs, origin)


def _crs_of(spec: LayerSpec, table: gpd.GeoDataFrame, findings: list[Finding]) -> str:
    if spec.placement is not None:
        return PARK
    if spec.crs:
        declared = parse_crs(spec.crs, spot(spec))
        if table.crs is not None and not datum_name(spec.crs) and not (
                declared is not None and table.crs.equals(declared)):
            findings.append(Finding("note", f"layer '{spec.id}': park.toml says {spec.crs}, the file says "
                                            f"{table.crs.to_string()}; park.toml is followed", spec.source.name))
        return spec.crs
    if table.crs is not None:
        if table.crs.is_geographic and not _looks_geographic(table):
            raise _missing(spec, table, "holds metres but declares no coordinate system")
        return str(table.crs.to_string())
    if spec.source.suffix.lower() == ".csv" and _looks_geographic(table) and _names_degrees(spec, table):
        findings.append(Finding("note", f"layer '{spec.id}': longitude and latitude taken as WGS 84", spec.source.name,
                                'add crs = "EPSG:4326" to say so, or GCJ-02 or BD-09 where it came from a web map'))
        return "EPSG:4326"
    raise _missing(spec, table, "has no coordinate system")


def _missing(spec: LayerSpec, table: gpd.GeoDataFrame, what: str) -> MissingCrs:
    error = MissingCrs(f"layer '{spec.id}': {spec.source.name} {what}", where=spot(spec),
                       mend='add crs = "EPSG:…" to the layer (never guessed: a wrong zone is off by metres), '
                            'or placement = { at = [x, y, z] } where it has none')
    if len(table):
        error.sample = shapely.get_coordinates(shapely.centroid(np.asarray(table.geometry.values, dtype=object)))
    return error


def _looks_geographic(table: gpd.GeoDataFrame) -> bool:
    xmin, ymin, xmax, ymax = table.total_bounds
    return bool(np.isnan(xmin) or (xmin >= -180.0 and xmax <= 180.0 and ymin >= -90.0 and ymax <= 90.0))


def _names_degrees(spec: LayerSpec, table: gpd.GeoDataFrame) -> bool:
    name = spec.x_field or col.column(table, None, col.X_NAMES) or ""
    return name.lower().startswith(("lon", "lng"))


def _drop_empty(spec: LayerSpec, table: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    geometry = np.asarray(table.geometry.values, dtype=object)
    bad = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    bad |= ~np.isfinite(shapely.bounds(geometry)).all(axis=1) if len(geometry) else bad
    if bad.any():
        findings.append(Finding("warning", f"layer '{spec.id}': features without usable coordinates left out",
                                f"{spec.source.name}: rows {_some(np.flatnonzero(bad) + 1)}",
                                "give them coordinates or delete them", int(bad.sum())))
    return table[~bad]


def _repair(spec: LayerSpec, geometry: NDArray[np.object_], findings: list[Finding],
            ) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Valid geometries of the sort the kind needs, and the rows they came from."""
    broken = ~shapely.is_valid(geometry)
    if broken.any():
        geometry = geometry.copy()
        geometry[broken] = [_made_valid(g) for g in geometry[broken]]
        findings.append(Finding("warning", f"layer '{spec.id}': self-crossing geometries repaired",
                                f"{spec.source.name}: rows {_some(np.flatnonzero(broken) + 1)}",
                                "repair the source so that the repair need not be guessed", int(broken.sum())))
    if spec.kind in AREAL:
        geometry = np.array([_areas_only(g) for g in geometry], dtype=object)
    elif spec.kind == "water":  # a river may be a line of some width, a shore drawn as a line is the water in it
        geometry = np.array([g if shapely.get_dimensions(g) == 1 and not shapely.is_closed(g) else _areas_only(g)
                             for g in geometry], dtype=object)
    lost = shapely.is_empty(geometry) if len(geometry) else np.zeros(0, bool)
    if lost.any():
        findings.append(Finding("warning", f"layer '{spec.id}': features that cover no area left out of kind "
                                           f"'{spec.kind}'", spec.source.name,
                                "check the layer's kind", int(lost.sum())))
    return geometry[~lost], np.flatnonzero(~lost)


def _made_valid(geometry: shapely.Geometry) -> shapely.Geometry:
    """A valid geometry of the same points; an empty one where not even that can be made of them."""
    try:
        return shapely.make_valid(geometry)
    except shapely.GEOSException:  # coordinates beyond all measure
        return shapely.Polygon()


def _areas_only(geometry: shapely.Geometry) -> shapely.Geometry:
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    if geometry.geom_type == "LineString" and geometry.is_closed and len(geometry.coords) > 3:
        return _made_valid(shapely.Polygon(geometry.coords))
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _layer(spec: LayerSpec, crs: str, geometry: NDArray[np.object_], columns: pd.DataFrame,
           findings: list[Finding]) -> Layer:
    n = len(columns)
    medium = [m.lower() for m in col.texts(columns, spec.medium_field, col.MEDIUM_NAMES)]
    return Layer(
        id=spec.id, kind=spec.kind, name=spec.name or spec.id, name_zh=spec.name_zh or "",
        source=spec.source.name, crs=crs, ids=_ids(spec, columns, findings),
        names=col.texts(columns, spec.name_field, col.NAME_NAMES),
        names_zh=col.texts(columns, None, ("name_zh", "name:zh")), geometry=geometry,
        height_m=_heights(spec, columns, findings),
        width_m=col.numbers(columns, spec.width_field, col.WIDTH_NAMES),
        depth_m=np.abs(col.numbers(columns, spec.depth_field, col.DEPTH_NAMES)),
        medium=np.array(medium, dtype=object) if spec.kind in LEVELLED else np.full(n, "", dtype=object),
        properties={str(name): col.as_text(columns[name]) for name in columns.columns}, findings=tuple(findings),
    )


def _heights(spec: LayerSpec, columns: pd.DataFrame, findings: list[Finding]) -> NDArray[np.float64]:
    """Heights (n,) in metres; NaN where there is none, or one that nothing has."""
    heights = col.numbers(columns, spec.height_field, col.HEIGHT_NAMES)
    absurd = np.flatnonzero(np.abs(heights) > HIGHEST_M)
    if len(absurd):
        rows = ", ".join(str(k + 1) for k in absurd[:5]) + (", …" if len(absurd) > 5 else "")
        what = f"layer '{spec.id}': heights over {HIGHEST_M:,.0f} m are taken for unknown ones"
        findings.append(Finding("warning", what, f"{spec.source.name}: rows {rows}",
                                "correct them, or name the right height_field", len(absurd)))
        heights[absurd] = np.nan
    return heights


def _ids(spec: LayerSpec, columns: pd.DataFrame, findings: list[Finding]) -> NDArray[np.object_]:
    name = col.column(columns, spec.id_field, col.ID_NAMES)
    if spec.id_field and name is None:
        findings.append(Finding("warning", f"layer '{spec.id}': no column '{spec.id_field}'; rows are numbered instead",
                                spot(spec), "correct id_field in park.toml"))
    raw = col.as_text(columns[name]) if name else np.array([""] * len(columns), dtype=object)
    seen: dict[str, int] = {}
    repeated: list[str] = []
    ids = np.empty(len(columns), dtype=object)
    for row, value in enumerate(raw):
        base = value or str(row + 1)
        seen[base] = seen.get(base, 0) + 1
        if seen[base] > 1:
            repeated.append(base)
        ids[row] = base if seen[base] == 1 else f"{base}~{seen[base]}"
    if repeated:
        findings.append(Finding("warning", f"layer '{spec.id}': ids used more than once; later ones got a suffix ~n",
                                f"{spec.source.name}: {_some(repeated)}", "give every feature its own id",
                                len(repeated)))
    return ids


def _some(values: object, limit: int = 5) -> str:
    listed = [str(v) for v in list(values)]  # type: ignore[call-overload]
    return ", ".join(listed[:limit]) + (", …" if len(listed) > limit else "")


def is_terrain(path: Path) -> bool:
    """Whether a layer file is a raster of heights rather than features."""
    return path.suffix.lower() in (".tif", ".tiff", ".asc")
