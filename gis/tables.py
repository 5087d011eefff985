"""A layer's source file as rows with geometry, whatever its format: opened, narrowed to what the layer shows."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from shapely import GEOSException

from gis.columns import X_NAMES, Y_NAMES, column
from gis.dxf import is_dxf, read_dxf
from gis.osm import is_osm, read_osm
from twin.errors import SourceError, first_line
from twin.finding import Finding
from twin.park import LayerSpec

#: What is read through GDAL as it is, by suffix. Nothing else is opened: some GDAL drivers reach for other hosts.
PLAIN = (".geojson", ".json", ".geojsonl", ".gpkg", ".shp", ".fgb", ".gml", ".kml", ".gpx", ".topojson", ".tab", ".mif",
         ".zip")
FORMATS = "GeoJSON, GeoPackage, Shapefile, GeoParquet, FlatGeobuf, GML, KML, CityJSON, CityGML, OSM, DXF or CSV"
_GDALS_OWN_FILE = re.compile(r"^\S+\.cpp, \d+: ")  # some of its messages begin with where they were compiled
# A column of texts and numbers is read as texts, and numbers are found in them.
warnings.filterwarnings("ignore", message="Could not parse column .* as JSON", category=UserWarning)

# No layer makes this process reach out: what GDAL would still fetch (schemas a GML names) meets a closed door.
pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": "127.0.0.1:9", "GML_DOWNLOAD_SCHEMA": "NO", "GDAL_HTTP_MAX_RETRY": "0"})


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of a source and how many metres its unit is (None where a coordinate system says so)."""

    rows: gpd.GeoDataFrame
    unit_m: float | None = None


def spot(spec: LayerSpec) -> str:
    """Where a layer's faults are mended."""
    return spec.where


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
            rows = read_osm(spec, findings)
        elif is_dxf(spec.source):
            rows, unit = read_dxf(spec, findings)
        else:
            rows = _read_plain(spec)
    except (DataSourceError, DataLayerError, GEOSException, UnicodeDecodeError, ValueError, OSError) as error:
        why = _GDALS_OWN_FILE.sub("", first_line(error))
        raise SourceError(f"layer '{spec.id}': {spec.source.name} cannot be read ({why})",
                          where=spot(spec), mend="export it again as GeoJSON or GeoPackage") from error
    return Table(_only(spec, rows, findings), unit)


def _read_plain(spec: LayerSpec) -> gpd.GeoDataFrame:
    if spec.source.suffix.lower() not in PLAIN:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is of no format that is read here", where=spot(spec),
                          mend=f"export it as {FORMATS}")
    _refuse_stand_ins(spec)
    rows = pyogrio.read_dataframe(_offline(spec.source), layer=spec.table, use_arrow=False, datetime_as_string=True,
                                 on_invalid="fix")  # rings that do not close are closed, what cannot be is left empty
    if not isinstance(rows, gpd.GeoDataFrame):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds a table without geometry", where=spot(spec),
                          mend="name the right `table` in park.toml")
    return rows


def _refuse_stand_ins(spec: LayerSpec) -> None:
    """GDAL opens files by what is in them: one that only points to others, or to other hosts, is not opened.

    Raises:
        SourceError: the file is such a one.
    """
    with spec.source.open("rb") as source:
        head = source.read(4096)
    if b"<OGRVRT" in head or b"<VRTDataset" in head or b"<GDALG" in head or b'"gdalg"' in head:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} only points to other files", where=spot(spec),
                          mend="name the file it points to")


def _offline(path: Path) -> Path | bytes:
    """A file as it may be handed to GDAL: links to coordinate systems, which it would fetch, are taken out."""
    if path.suffix.lower() not in (".geojson", ".json", ".topojson"):
        return path
    data = path.read_bytes()
    if b'"crs"' not in data or (b'"link"' not in data and b'"url"' not in data and b'"URL"' not in data):
        return path
    return json.dumps(json.loads(data, object_hook=_without_links)).encode()


def _without_links(item: dict[str, Any]) -> dict[str, Any]:
    crs = item.get("crs")
    if isinstance(crs, dict) and str(crs.get("type", "")).lower() in ("link", "url"):
        return {k: v for k, v in item.items() if k != "crs"}
    return item


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
