"""Writes the layers of the sample park: GeoJSON, GeoPackage, CSV and GeoTIFF, in two frames."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
from affine import Affine
from shapely.affinity import translate
from shapely.geometry import Point

from assets.demo import land, planting
from assets.demo.blocks import CRS, ORIGIN
from assets.demo.land import Feature

CELL_M = 6.0
_EXTENT = (-900.0, -700.0, 1500.0, 1400.0)
_HILLS = (
    (90, 650, 24, 130, 90),
    (330, 605, 15, 120, 60),
    (560, 690, 27, 150, 95),
    (-190, 690, 20, 160, 90),
    (810, 640, 19, 130, 80),
    (1060, 720, 26, 170, 100),
    (-520, 640, 18, 150, 90),
    (1340, 660, 16, 140, 80),
)
RIVER_Z = -1.5


def write_layers(directory: Path, seed: int) -> None:
    """Every GIS source of the park folder, into `gis/`."""
    directory.mkdir(parents=True, exist_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-05T09:00:00.000Z"})
    _geojson(directory / "roads.geojson", _roads(), in_degrees=True)
    _geojson(directory / "paths.geojson", land.paths())
    _geojson(directory / "greens.geojson", land.greens())
    _geojson(directory / "water.geojson", _water(), in_degrees=True)
    _geojson(directory / "parking.geojson", _parking())
    _geojson(directory / "fence.geojson", land.fence())
    _geojson(directory / "gates.geojson", _gates())
    _geojson(directory / "entrances.geojson", land.entrances())
    _geojson(directory / "boundary.geojson", [Feature(id="site", geometry=land.SITE, name="Site", name_zh="园区红线")])
    _geopackage(directory / "site.gpkg", {"paving": land.paving(), "bollards": planting.bollards()})
    _geopackage(directory / "pipes.gpkg", {"pipes": land.pipes()})
    _geopackage(directory / "city.gpkg", {"blocks": planting.city(seed)})
    _csv(directory / "trees.csv", planting.trees(seed))
    _csv(directory / "lamps.csv", planting.lamps())
    _terrain(directory / "terrain.tif")


def _roads() -> list[Feature]:
    return [
        Feature(
            id=r.id,
            geometry=shapely.LineString(r.line),
            name=r.name,
            name_zh=r.name_zh,
            more={"width": r.width, "class": "park" if r in land.ROADS else "city"},
        )
        for r in (*land.ROADS, *land.CITY_ROADS)
    ]


def _water() -> list[Feature]:
    return [
        Feature(id="river", geometry=land.river(), name="Jiangwan River", name_zh="江湾河"),
        Feature(id="pond", geometry=land.pond(), name="Mirror Pond", name_zh="镜湖"),
    ]


def _parking() -> list[Feature]:
    return [
        Feature(id=key, geometry=area, name=name, name_zh=zh, more={"capacity": bays})
        for key, name, zh, area, bays in land.PARKING
    ]


def _gates() -> list[Feature]:
    return [
        Feature(id=key, geometry=Point(x, y), name=name, name_zh=zh, more={"width": 12.0})
        for key, name, zh, x, y in land.GATES
    ]


def _frame(features: Sequence[Feature], *, in_degrees: bool = False) -> geopandas.GeoDataFrame:
    geometry = [translate(f.geometry, ORIGIN[0], ORIGIN[1]) for f in features]
    rows = [{"id": f.id, "name": f.name, "name_zh": f.name_zh, **f.more} for f in features]
    table = geopandas.GeoDataFrame(rows, geometry=geometry, crs=CRS)
    return table.to_crs("EPSG:4326") if in_degrees else table


def _geojson(path: Path, features: Sequence[Feature], *, in_degrees: bool = False) -> None:
    """GeoJSON: longitude and latitude by the standard, or the park's grid with the older `crs` member."""
    table = _frame(features, in_degrees=in_degrees)
    table.geometry = shapely.set_precision(table.geometry.values, 1e-8 if in_degrees else 1e-3)
    data = json.loads(table.to_json(drop_id=True, show_bbox=False))
    data.pop("crs", None)
    if not in_degrees:
        data["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{CRS.replace(':', '::')}"}}
    path.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _geopackage(path: Path, tables: dict[str, Sequence[Feature]]) -> None:
    path.unlink(missing_ok=True)
    for name, features in tables.items():
        _frame(features).to_file(path, layer=name, driver="GPKG", engine="pyogrio")


def _csv(path: Path, features: Sequence[Feature]) -> None:
    rows = [
        {
            "id": f.id,
            "x": round(f.geometry.x + ORIGIN[0], 2),
            "y": round(f.geometry.y + ORIGIN[1], 2),
            "name": f.name,
            "name_zh": f.name_zh,
            **f.more,
        }
        for f in features
    ]
    pd.DataFrame(rows).to_csv(path, index=False, lineterminator="\n")


def ground_z(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height of the ground (metres) at park points: flat in the park, down to the river, up the hills."""
    middle = 441.0 + 11.0 * np.sin(x / 150.0 + 0.6) + 5.0 * np.sin(x / 61.0)
    half = 15.5 + 2.5 * np.sin(x / 97.0 + 1.0)
    bank = np.clip((np.abs(y - middle) - half) / 7.0, 0.0, 1.0)
    z = RIVER_Z * (1 - bank * bank * (3 - 2 * bank))
    rise = np.clip((y - 474.0) / 70.0, 0, 1) * np.clip((880.0 - y) / 120.0, 0, 1)
    hill = sum(h * np.exp(-((x - cx) ** 2 / (2 * sx**2) + (y - cy) ** 2 / (2 * sy**2))) for cx, cy, h, sx, sy in _HILLS)
    wave = 1.2 * np.sin(x / 41.0) * np.sin(y / 37.0)
    return z + rise * rise * (3 - 2 * rise) * (hill + wave)


def _terrain(path: Path) -> None:
    x0, y0, x1, y1 = _EXTENT
    xs = np.arange(x0 + CELL_M / 2, x1, CELL_M)
    ys = np.arange(y1 - CELL_M / 2, y0, -CELL_M)
    z = ground_z(*np.meshgrid(xs, ys)).astype(np.float32)
    place = Affine(CELL_M, 0.0, x0 + ORIGIN[0], 0.0, -CELL_M, y1 + ORIGIN[1])
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=len(xs),
        height=len(ys),
        count=1,
        dtype="float32",
        crs=CRS,
        transform=place,
        compress="deflate",
        predictor=3,
    ) as out:
        out.write(np.round(z, 3), 1)
