"""Layers and rooms are written as GeoParquet that GeoPandas reads as it was meant."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from scenes.geoparquet import write_geoparquet

SHAPES = np.array([shapely.Point(519_200.5, 3_342_600.25),
                   shapely.LineString([[519_300, 3_342_700, 5], [519_310, 3_342_700, 6]]),
                   shapely.box(519_200, 3_342_600, 519_210, 3_342_620)], dtype=object)


def test_geopandas_reads_what_was_written(tmp_path: Path) -> None:
    columns = {"node": np.array([3, 4, 5], np.uint32), "name": np.array(["门", "", "b"])}
    write_geoparquet(tmp_path / "new" / "a.parquet", columns, SHAPES, "EPSG:4549", 65_536)
    frame = gpd.read_parquet(tmp_path / "new" / "a.parquet")
    assert frame.crs.to_epsg() == 4549
    assert [a.equals_exact(b) and a.has_z == b.has_z for a, b in zip(frame.geometry, SHAPES, strict=True)] == [True] * 3
    assert frame["node"].tolist() == [3, 4, 5]
    assert frame["name"].tolist() == ["门", "", "b"]
    geo = json.loads(pq.read_schema(tmp_path / "new" / "a.parquet").metadata[b"geo"])["columns"]["geometry"]
    assert geo["geometry_types"] == ["LineString Z", "Point", "Polygon"]
    assert geo["bbox"] == pytest.approx([519_200, 3_342_600, 519_310, 3_342_700])


def test_a_layer_of_nothing_is_a_table_without_rows(tmp_path: Path) -> None:
    write_geoparquet(tmp_path / "a.parquet", {"node": np.zeros(0, np.uint32)}, np.zeros(0, dtype=object), "EPSG:4549", 65_536)
    frame = gpd.read_parquet(tmp_path / "a.parquet")
    assert len(frame) == 0
    assert frame.crs.to_epsg() == 4549
