"""A layer's source file as rows with geometry, whatever its format: opened, narrowed to what the layer shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from gis.columns import X_NAMES, Y_NAMES, column
from gis.dxf import is_dxf, read_dxf
from gis.osm import is_osm, read_osm
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerSpec

#: What is read through GDAL as it is, by suffix. Nothing else is opened: some GDAL drivers reach for other hosts.
PLAIN = (".geojson", ".json", ".geojsonl", ".gpkg", ".shp", ".fgb", ".gml", ".kml", ".gpx", ".topojson", ".tab", ".mif",
         ".zip")
FORMATS = "GeoJSON, GeoPackage, Shapefile, GeoParquet, FlatGeobuf, GML, KML, CityJSON, CityGML, OSM, DXF or CSV"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of a source and how many metres its unit is (None where a coordinate system says so)."""

    rows: gpd.GeoDataFrame
    unit_m: float | None = None


def spot(spec: LayerSpec) -> str:
    """Where a layer's faults are mended."""
    return f"park.toml:{spec.line}" if spec.line else "park.toml"


def read_table(spec: LayerSpec, findings: list[Finding]) -> Table:
    """The rows of a layer's source that it shows.

    Raises:
        SourceError: the file cannot be read, or not as what it says it is.
    """
    unit = None
    try:
        if spec.source.suffix.lower() == ".csv":
            rows = _read_csv(spec)
        elif spec.source.suffix.lower() in (".parquet", ".geoparquet"):
            rows = gpd.read_parquet(spec.source)
        elif is_osm(spec.source):
            rows = read_osm(spec)
        elif is_dxf(spec.source):
            rows, unit = read_dxf(spec, findings)
        else:
            rows = _read_plain(spec)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError, OSError) as error:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} cannot be read ({str(error).splitlines()[0]})",
                          where=spot(spec), mend="export it again as GeoJSON or GeoPackage") from error
    return Table(_only(spec, rows, findings), unit)


def _read_plain(spec: LayerSpec) -> gpd.GeoDataFrame:
    if spec.source.suffix.lower() not in PLAIN:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is of no format that is read here", where=spot(spec),
                          mend=f"export it as {FORMATS}")
    rows = pyogrio.read_dataframe(spec.source, layer=spec.table, use_arrow=False, datetime_as_string=True)
    if not isinstance(rows, gpd.GeoDataFrame):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds a table without geometry", where=spot(spec),
                          mend="name the right `table` in park.toml")
    return rows


def _read_csv(spec: LayerSpec) -> gpd.GeoDataFrame:
    try:
        rows = pd.read_csv(spec.source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is not a readable CSV ({error})", where=spot(spec),
                          mend="save it as UTF-8 with one header row") from error
    x_name, y_name = column(rows, spec.x_field, X_NAMES), column(rows, spec.y_field, Y_NAMES)
    if x_name is None or y_name is None:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} has no coordinate columns", where=spot(spec),
                          mend="name them with x_field and y_field")
    x = pd.to_numeric(rows[x_name], errors="coerce").to_numpy(dtype=np.float64)
    y = pd.to_numeric(rows[y_name], errors="coerce").to_numpy(dtype=np.float64)
    points = np.full(len(rows), None, dtype=object)
    known = np.isfinite(x) & np.isfinite(y)
    points[known] = shapely.points(x[known], y[known])
    return gpd.GeoDataFrame(rows, geometry=points)


def _only(spec: LayerSpec, rows: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    """The rows that `only` lets through."""
    keep = np.ones(len(rows), dtype=np.bool_)
    for wanted, values in spec.only:
        name = column(rows, wanted, ())
        if name is None:
            shown = ", ".join(str(c) for c in rows.columns if c != rows.geometry.name)
            raise SourceError(f"layer '{spec.id}': {spec.source.name} has no column '{wanted}' for `only`",
                              where=spot(spec), mend=f"use one of {shown[:300]}")
        keep &= rows[name].astype(str).isin(values).to_numpy()
    if len(rows) and not keep.any():
        name = column(rows, spec.only[0][0], ()) or ""
        there = sorted({str(v) for v in rows[name].dropna().unique()[:12]})
        findings.append(Finding("warning", f"layer '{spec.id}': `only` lets nothing through", spec.source.name,
                                f"'{name}' holds {', '.join(there)}"))
    return rows[keep]


def sidecars(path: Path) -> list[Path]:
    """A source and the files that belong to it."""
    if path.suffix.lower() in (".shp", ".tab", ".mif"):
        return sorted(path.parent.glob(f"{path.stem}.*"))
    return [path]
