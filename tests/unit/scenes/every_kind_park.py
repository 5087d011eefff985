"""A park with one layer of every kind on sloping ground, its files written with GeoPandas and rasterio alone."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine

CRS, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 0.0)
SLOPE = 0.04  # metres up for a metre east


def ground_z(x: float) -> float:
    """Height of the ground at an easting of the park."""
    return 5.0 + SLOPE * x


def _points(*xy: tuple[float, float]) -> list[shapely.Geometry]:
    return [shapely.Point(*p) for p in xy]


#: Kind → geometries (park metres) and attribute columns.
LAYERS: dict[str, tuple[list[shapely.Geometry], dict[str, list]]] = {
    "buildings": ([shapely.box(20, 60, 60, 90), shapely.box(90, 60, 120, 80)],
                  {"height": [18.0, 9.5], "use": ["office", "housing"], "owner": ["Anna", ""],
                   "NODE_ID": ["x", "y"]}),
    "roads": ([shapely.LineString([(0, 40), (200, 40)]), shapely.LineString([(75, 0), (75, 120)])],
              {"width": [8.0, 6.0], "surface": ["asphalt", "asphalt"]}),
    "paths": ([shapely.LineString([(10, 50), (180, 52)])], {"width": [2.5], "lit": ["yes"]}),
    "paving": ([shapely.box(62, 58, 72, 92)], {"stone": ["granite"]}),
    "greens": ([shapely.box(100, 5, 150, 30)], {"mown": ["weekly"]}),
    "water": ([shapely.Point(170, 80).buffer(15)], {"depth": [2.0]}),
    "parking": ([shapely.box(5, 5, 45, 30)], {"bays": [40]}),
    "landuse": ([shapely.box(-10, -10, 100, 120), shapely.box(100, -10, 210, 120)], {"use": ["office", "park"]}),
    "parcels": ([shapely.box(0, 0, 80, 100), shapely.box(80, 0, 200, 100)], {"parcel": ["P-1", "P-2"]}),
    "fence": ([shapely.LineString([(-5, -5), (205, -5), (205, 110)])], {"mesh": ["50"]}),
    "trees": (_points((15, 45), (40, 47), (110, 20), (120, 22)), {"species": ["ginkgo", "pine", "oak", ""],
                                                                    "height": [9.0, 12.0, 8.0, 7.0]}),
    "lamps": (_points((30, 45), (130, 45)), {"lumen": [4000, 4000]}),
    "bollards": (_points((64, 57), (66, 57)), {"steel": ["304", "304"]}),
    "gates": (_points((0, 40)), {"guard": ["yes"]}),
    "furniture": (_points((50, 54), (52, 54), (66, 70), (70, 80), (160, 54), (140, 46)),
                  {"type": ["bench", "litter bin", "消防栓", "fountain", "bus stop", "manhole"],
                   "maker": ["A", "B", "C", "D", "E", "F"]}),
    "pipes": ([shapely.LineString([(0, 36), (200, 36)]), shapely.LineString([(0, 34, 2.0), (100, 34, 1.5)])],
              {"medium": ["water", "sewer"], "depth": [1.4, np.nan], "diameter": [300, 500]}),
    "cables": ([shapely.LineString([(0, 44), (200, 44)])], {"depth": [0.8], "kv": ["10"]}),
}


def write_park(root: Path) -> Path:
    """The park's folder: a GeoPackage of every kind, a GeoTIFF and the park file."""
    tables = ["[park]", 'name = "Every kind"', f'crs = "{CRS}"', f"origin = {list(ORIGIN)}", ""]
    for kind, (shapes, columns) in LAYERS.items():
        there = [shapely.transform(g, lambda c: c + np.r_[ORIGIN[:2], [0.0] * (c.shape[1] - 2)], include_z=g.has_z)
                 for g in shapes]
        ids = [f"{kind[:2]}{k}" for k in range(len(shapes))]
        gpd.GeoDataFrame({"id": ids, **columns}, geometry=there, crs=CRS).to_file(root / "park.gpkg", layer=kind)
        more = {"pipes": 'width_field = "diameter"'}.get(kind, "")
        tables += ["[[layer]]", f'id = "{kind}"', f'kind = "{kind}"', 'source = "park.gpkg"', f'table = "{kind}"', more, ""]
    _terrain(root / "ground.tif")
    tables += ["[[layer]]", 'id = "ground"', 'kind = "terrain"', 'source = "ground.tif"', ""]
    (root / "park.toml").write_text("\n".join(tables), encoding="utf-8")
    return root


def _terrain(path: Path) -> None:
    cell, west, north = 5.0, -60.0, 160.0
    x = west + cell * (np.arange(64) + 0.5)
    heights = np.tile(5.0 + SLOPE * x, (48, 1)).astype(np.float32)
    place = Affine(cell, 0, ORIGIN[0] + west, 0, -cell, ORIGIN[1] + north)
    with rasterio.open(path, "w", driver="GTiff", height=48, width=64, count=1, dtype="float32", crs=CRS,
                       transform=place) as raster:
        raster.write(heights, 1)
