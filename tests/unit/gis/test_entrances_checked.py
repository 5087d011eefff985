"""Entrances that cannot be doors are told."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gis.check import check_entrances
from gis.model import Layer
from gis.read import read_layer
from twin.park import LayerKind, LayerSpec


def _layer(folder: Path, kind: LayerKind, geometry: list[shapely.Geometry], ids: list[str]) -> Layer:
    path = folder / f"{kind}.geojson"
    gpd.GeoDataFrame({"BLDG_UID": ids}, geometry=geometry, crs="EPSG:4549").to_file(path)
    return read_layer(LayerSpec(id=kind, source=path, kind=kind, crs="park"), "EPSG:4549", (0.0, 0.0, 0.0))


@pytest.fixture
def layers(tmp_path: Path) -> list[Layer]:
    buildings = _layer(tmp_path, "buildings", [shapely.box(0, 0, 20, 20), shapely.box(200, 0, 220, 20)], ["A", "B"])
    doors = [(10, 0), (19, 1), (50, 10), (210, 0), (200, 5), (0, 9)]
    return [buildings, _layer(tmp_path, "entrances", [shapely.Point(*d) for d in doors], ["A", "A", "A", "B", "A", "Z"])]


def test_far_from_every_wall_from_their_own_and_of_nothing(layers: list[Layer]) -> None:
    told = list(check_entrances(layers))
    assert [(f.count, f.where) for f in told] == [
        (1, "entrances:A~3"), (1, "entrances:Z"), (2, "entrances:A~4, entrances:A~3")]
    assert "30 m" in told[0].what
    assert "180 m" in told[2].what


def test_buildings_with_models_have_walls_too(layers: list[Layer]) -> None:
    assert not [f for f in check_entrances(layers, [shapely.box(40, 0, 50, 20)]) if "every wall" in f.what]


def test_without_buildings_nothing_is_said(layers: list[Layer]) -> None:
    assert list(check_entrances(layers[1:])) == []
