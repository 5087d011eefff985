"""Tables with a geometry each row, as GeoParquet: written by Arrow alone, as GeoPandas takes longer to load than to write."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import CRS

GEOMETRY = "geometry"


def write_geoparquet(path: Path, columns: dict[str, NDArray], shapes: NDArray[np.object_], crs: str,
                     rows_a_group: int) -> None:
    """Write GeoParquet 1.1: the columns (n,) and after them `geometry`, the shapes (n,) as WKB; same input, same bytes.

    Args:
        crs: what the coordinates of the shapes are in.
    """
    table = pa.table({**{name: pa.array(values) for name, values in columns.items()},
                      GEOMETRY: pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary())})
    about = {"encoding": "WKB", "geometry_types": _types(shapes), "crs": _projjson(crs)}
    if len(shapes):
        about["bbox"] = shapely.total_bounds(shapes).tolist()
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: about}}
    path.parent.mkdir(parents=True, exist_ok=True)
    named = table.replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(named, path, compression="zstd", row_group_size=rows_a_group)


def _types(shapes: NDArray[np.object_]) -> list[str]:
    """Names of the sorts of geometry that occur, as the format spells them."""
    named = {shape.geom_type + " Z" * shape.has_z for shape in shapes}
    return sorted(named)


@lru_cache
def _projjson(crs: str) -> dict[str, Any]:
    return dict(CRS.from_user_input(crs).to_json_dict())
