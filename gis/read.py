"""One layer file in, one typed layer out: parsed, placed, repaired, and everything odd about it written down."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from gis.crs import datum_name, parse_crs, to_park
from gis.model import Layer
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerKind, LayerSpec

AREAL: frozenset[LayerKind] = frozenset({"buildings", "greens", "water", "parking", "landuse", "boundary", "paving"})
_X_NAMES = ("x", "lon", "long", "longitude", "lng", "easting")
_Y_NAMES = ("y", "lat", "latitude", "northing")
_ID_NAMES = ("id", "fid", "bldg_uid", "asset_uid", "treeid", "objectid", "globalid", "osm_id", "gml_id")
_NAME_NAMES = ("name", "placename", "label", "common_name")
_HEIGHT_NAMES = ("height", "bldg_height", "height_m", "theight")
_WIDTH_NAMES = ("width", "width_m", "crownwidth1", "diameter", "diameter_mm")
_DEPTH_NAMES = ("depth", "depth_m")
_MEDIUM_NAMES = ("medium", "system", "type")


def read_layer(spec: LayerSpec, park_crs: str, origin: tuple[float, float, float]) -> Layer:
    """Read one vector layer (GeoJSON, GeoPackage, Shapefile, CSV of points) into the park frame.

    Args:
        spec: the `[[layer]]` table of park.toml.
        park_crs: the park's projected CRS.
        origin: map metres subtracted from every coordinate.

    Raises:
        SourceError: the file is missing, unreadable, or has no coordinate system and may not be guessed.
    """
    where = str(spec.source.name)
    if not spec.source.exists():
        raise SourceError(f"layer '{spec.id}' names {where}, which does not exist", where=_spot(spec),
                          mend="correct `source` in park.toml or put the file there")
    findings: list[Finding] = []
    table = _read_csv(spec) if spec.source.suffix.lower() == ".csv" else _read_vector(spec)
    crs = _crs_of(spec, table, findings)
    table = _drop_empty(spec, table, findings)
    geometry = np.asarray(table.geometry.values, dtype=object)
    geometry = to_park(geometry, crs, park_crs, origin) if len(geometry) else geometry
    geometry, kept = _repair(spec, geometry, findings)
    columns = pd.DataFrame(table.drop(columns=table.geometry.name)).iloc[kept].reset_index(drop=True)
    return _layer(spec, crs, geometry, columns, findings)


def _spot(spec: LayerSpec) -> str:
    return f"park.toml:{spec.line}" if spec.line else "park.toml"


def _read_vector(spec: LayerSpec) -> gpd.GeoDataFrame:
    try:
        table = pyogrio.read_dataframe(spec.source, layer=spec.table, use_arrow=False, datetime_as_string=True)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} cannot be read ({str(error).splitlines()[0]})",
                          where=_spot(spec), mend="export it again as GeoJSON or GeoPackage") from error
    if not isinstance(table, gpd.GeoDataFrame):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds a table without geometry", where=_spot(spec),
                          mend="name the right `table` in park.toml")
    return table


def _read_csv(spec: LayerSpec) -> gpd.GeoDataFrame:
    try:
        rows = pd.read_csv(spec.source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is not a readable CSV ({error})", where=_spot(spec),
                          mend="save it as UTF-8 with one header row") from error
    x_name = _column(rows, spec.x_field, _X_NAMES)
    y_name = _column(rows, spec.y_field, _Y_NAMES)
    if x_name is None or y_name is None:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} has no coordinate columns", where=_spot(spec),
                          mend="name them with x_field and y_field")
    x = pd.to_numeric(rows[x_name], errors="coerce").to_numpy(dtype=np.float64)
    y = pd.to_numeric(rows[y_name], errors="coerce").to_numpy(dtype=np.float64)
    points = np.full(len(rows), None, dtype=object)
    known = np.isfinite(x) & np.isfinite(y)
    points[known] = shapely.points(x[known], y[known])
    return gpd.GeoDataFrame(rows, geometry=points)


def _crs_of(spec: LayerSpec, table: gpd.GeoDataFrame, findings: list[Finding]) -> str:
    if spec.crs:
        declared = parse_crs(spec.crs, _spot(spec))
        if table.crs is not None and not datum_name(spec.crs) and not table.crs.equals(declared):
            findings.append(Finding("note", f"layer '{spec.id}': park.toml says {spec.crs}, the file says "
                                            f"{table.crs.to_string()}; park.toml is followed", spec.source.name))
        return spec.crs
    if table.crs is not None:
        if table.crs.is_geographic and not _looks_geographic(table):
            raise SourceError(f"layer '{spec.id}': {spec.source.name} holds metres but declares no coordinate system",
                              where=_spot(spec), mend='add crs = "EPSG:…" to the layer')
        return str(table.crs.to_string())
    if spec.source.suffix.lower() == ".csv" and _looks_geographic(table) and _names_degrees(spec, table):
        findings.append(Finding("note", f"layer '{spec.id}': longitude and latitude taken as WGS 84", spec.source.name,
                                'add crs = "EPSG:4326" to say so, or GCJ-02 or BD-09 where it came from a web map'))
        return "EPSG:4326"
    raise SourceError(f"layer '{spec.id}': {spec.source.name} has no coordinate system", where=_spot(spec),
                      mend='add crs = "EPSG:…" to the layer (never guessed: a wrong zone is off by metres)')


def _looks_geographic(table: gpd.GeoDataFrame) -> bool:
    xmin, ymin, xmax, ymax = table.total_bounds
    return bool(np.isnan(xmin) or (xmin >= -180.0 and xmax <= 180.0 and ymin >= -90.0 and ymax <= 90.0))


def _names_degrees(spec: LayerSpec, table: gpd.GeoDataFrame) -> bool:
    name = spec.x_field or _column(table, None, _X_NAMES) or ""
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
        geometry[broken] = shapely.make_valid(geometry[broken])
        findings.append(Finding("warning", f"layer '{spec.id}': self-crossing geometries repaired",
                                f"{spec.source.name}: rows {_some(np.flatnonzero(broken) + 1)}",
                                "repair the source so that the repair need not be guessed", int(broken.sum())))
    if spec.kind in AREAL:
        geometry = np.array([_areas_only(g) for g in geometry], dtype=object)
    lost = shapely.is_empty(geometry) if len(geometry) else np.zeros(0, bool)
    if lost.any():
        findings.append(Finding("warning", f"layer '{spec.id}': features that cover no area left out of kind "
                                           f"'{spec.kind}'", spec.source.name,
                                "check the layer's kind", int(lost.sum())))
    return geometry[~lost], np.flatnonzero(~lost)


def _areas_only(geometry: shapely.Geometry) -> shapely.Geometry:
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    if geometry.geom_type == "LineString" and geometry.is_closed and len(geometry.coords) > 3:
        return shapely.make_valid(shapely.Polygon(geometry.coords))
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _layer(spec: LayerSpec, crs: str, geometry: NDArray[np.object_], columns: pd.DataFrame,
           findings: list[Finding]) -> Layer:
    n = len(columns)
    text = {str(name): _text(columns[name]) for name in columns.columns}
    return Layer(
        id=spec.id, kind=spec.kind, name=spec.name or spec.id, name_zh=spec.name_zh or "",
        source=spec.source.name, crs=crs, ids=_ids(spec, columns, findings),
        names=_texts(columns, spec.name_field, _NAME_NAMES, n),
        names_zh=_texts(columns, None, ("name_zh", "name:zh"), n), geometry=geometry,
        height_m=_numbers(columns, spec.height_field, _HEIGHT_NAMES, n),
        width_m=_numbers(columns, spec.width_field, _WIDTH_NAMES, n),
        depth_m=np.abs(_numbers(columns, spec.depth_field, _DEPTH_NAMES, n)),
        medium=np.array([m.lower() for m in _texts(columns, spec.medium_field, _MEDIUM_NAMES, n)], dtype=object)
        if spec.kind == "pipes" else np.full(n, "", dtype=object),
        properties=text, findings=tuple(findings),
    )


def _ids(spec: LayerSpec, columns: pd.DataFrame, findings: list[Finding]) -> NDArray[np.object_]:
    name = _column(columns, spec.id_field, _ID_NAMES)
    if spec.id_field and name is None:
        findings.append(Finding("warning", f"layer '{spec.id}': no column '{spec.id_field}'; rows are numbered instead",
                                _spot(spec), "correct id_field in park.toml"))
    raw = _text(columns[name]) if name else np.array([""] * len(columns), dtype=object)
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


def _column(columns: pd.DataFrame, wanted: str | None, usual: tuple[str, ...]) -> str | None:
    """The column a field setting means, or the first usual name present (any case)."""
    lower = {str(name).lower(): str(name) for name in columns.columns}
    names = (wanted.lower(),) if wanted else usual
    return next((lower[name] for name in names if name in lower), None)


def _text(column: pd.Series) -> NDArray[np.object_]:
    values = np.empty(len(column), dtype=object)
    missing = column.isna().to_numpy()
    for row, value in enumerate(column):
        if missing[row]:
            values[row] = ""
        elif isinstance(value, float) and value.is_integer():
            values[row] = str(int(value))
        else:
            values[row] = str(value).strip()
    return values


def _texts(columns: pd.DataFrame, wanted: str | None, usual: tuple[str, ...], n: int) -> NDArray[np.object_]:
    name = _column(columns, wanted, usual)
    return _text(columns[name]) if name else np.full(n, "", dtype=object)


def _numbers(columns: pd.DataFrame, wanted: str | None, usual: tuple[str, ...], n: int) -> NDArray[np.float64]:
    name = _column(columns, wanted, usual)
    if name is None:
        return np.full(n, np.nan)
    return pd.to_numeric(columns[name], errors="coerce").to_numpy(dtype=np.float64, copy=True)


def _some(values: object, limit: int = 5) -> str:
    listed = [str(v) for v in list(values)]  # type: ignore[call-overload]
    return ", ".join(listed[:limit]) + (", …" if len(listed) > limit else "")


def is_terrain(path: Path) -> bool:
    """Whether a layer file is a raster of heights rather than features."""
    return path.suffix.lower() in (".tif", ".tiff", ".asc", ".vrt")
