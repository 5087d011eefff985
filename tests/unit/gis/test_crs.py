"""Coordinates end in park metres, exactly."""

import numpy as np
import pytest
from pyproj import Transformer

from gis.crs import (
    bd09_from_wgs84,
    convergence_deg,
    datum_name,
    gcj02_from_wgs84,
    park_from_map_xy,
    parse_crs,
    wgs84_from_offset,
)
from twin.errors import SourceError

ORIGIN = (500_000.0, 3_300_000.0, 0.0)


def _cities() -> tuple[np.ndarray, np.ndarray]:
    seed = np.random.default_rng(7)
    return seed.uniform(75, 133, 2000), seed.uniform(18, 52, 2000)


def test_gcj02_shifts_beijing_by_the_known_offset() -> None:
    lon, lat = gcj02_from_wgs84(np.array([116.404]), np.array([39.915]))
    assert (lon[0], lat[0]) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)


@pytest.mark.parametrize(("datum", "forward"), [("GCJ-02", gcj02_from_wgs84), ("BD-09", bd09_from_wgs84)])
def test_offset_datums_come_back_within_a_hundredth_of_a_millimetre(datum: str, forward) -> None:
    lon, lat = _cities()
    back_lon, back_lat = wgs84_from_offset(datum, *forward(lon, lat))
    metres = np.hypot((back_lon - lon) * 111_320 * np.cos(np.radians(lat)), (back_lat - lat) * 110_574)
    assert metres.max() < 1e-5


def test_longitude_comes_first_whatever_the_authority_says() -> None:
    there = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True).transform(120.1, 30.2)
    here = park_from_map_xy(np.array([[120.1, 30.2]]), "EPSG:4326", "EPSG:4549", ORIGIN)
    assert here[0] == pytest.approx([there[0] - ORIGIN[0], there[1] - ORIGIN[1]], abs=1e-6)


def test_gcj02_layer_lands_where_its_wgs84_twin_does() -> None:
    lon, lat = np.array([120.1, 120.11]), np.array([30.2, 30.21])
    shifted = np.column_stack(gcj02_from_wgs84(lon, lat))
    here = park_from_map_xy(shifted, "GCJ-02", "EPSG:4549", ORIGIN)
    true = park_from_map_xy(np.column_stack([lon, lat]), "EPSG:4326", "EPSG:4549", ORIGIN)
    assert np.abs(here - true).max() < 1e-4


@pytest.mark.parametrize("text", ["gcj02", "GCJ-02", "Gcj_02"])
def test_datum_names_are_read_in_any_spelling(text: str) -> None:
    assert datum_name(text) == "GCJ-02"


def test_unknown_crs_is_named_with_a_mend() -> None:
    with pytest.raises(SourceError, match=r"park\.toml:12: 'EPSG:0' .*EPSG:4549"):
        parse_crs("EPSG:0", "park.toml:12")


def test_convergence_is_nil_on_the_central_meridian_and_east_of_it_negative() -> None:
    assert convergence_deg(120.0, 30.0, "EPSG:4549") == pytest.approx(0.0, abs=1e-6)
    assert convergence_deg(121.0, 30.0, "EPSG:4549") == pytest.approx(0.5, abs=0.01)
