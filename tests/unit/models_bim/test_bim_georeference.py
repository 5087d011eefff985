"""Where a building stands, from what its files say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ifc_maker import Maker
from pyproj import Transformer

from models_bim.federate import federate
from models_bim.georeference import Placed, place
from models_bim.model import BimModel, Georeading
from models_bim.worker import read_discipline
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import ParkSpec, Placement

ORIGIN = (500_000.0, 3_400_000.0, 10.0)
PARK = ParkSpec(root=Path("."), id="p", name="P", name_zh=None, crs="EPSG:4549", origin=ORIGIN)
HERE = {"eastings": 500_120.0, "northings": 3_400_080.0, "height": 12.0}


def _model(tmp_path: Path, *readings: Georeading) -> BimModel:
    maker = Maker()
    maker.box("IfcWall", (0, 0, 0), (20, 10, 3), maker.storey("L1", 0.0))
    return replace(federate([read_discipline(maker.write(tmp_path / "a.ifc"))]), georeadings=readings)


def _map(**values: object) -> Georeading:
    return Georeading(kind="map", where="a.ifc#1", **{"crs": "EPSG:4549", "scale": 1.0, "map_unit_m": 1.0, **HERE, **values})


def _told(placed: Placed) -> list[Finding]:
    """What is said beside how the building stands."""
    first, *rest = placed.findings
    assert first.what.startswith("building 'a1' stands by its ")
    return rest


def test_placement_in_the_park_file_wins(tmp_path: Path) -> None:
    placed = place(_model(tmp_path, _map()), PARK, "a1", Placement(at=(5.0, 6.0, 7.0), rotation_deg=90.0))
    assert placed.park_from_ifc @ [1, 0, 0, 1] == pytest.approx([5, 7, 7, 1])


def test_map_conversion_as_written(tmp_path: Path) -> None:
    placed = place(_model(tmp_path, _map(x_axis=(0.0, 2.0))), PARK, "a1", None)
    assert placed.park_from_ifc @ [1, 0, 0, 1] == pytest.approx([120, 81, 2, 1])
    assert _told(placed) == []


@pytest.mark.parametrize(
    "reading",
    [
        _map(eastings=500_120_000.0, northings=3_400_080_000.0, height=12_000.0, map_unit_m=0.001, file_unit_m=0.001),
        _map(scale=0.001, file_unit_m=0.001),
        _map(scale=None, file_unit_m=0.001),
        _map(map_unit_m=None),
    ],
)
def test_every_correct_way_of_writing_it_lands_on_the_same_spot(tmp_path: Path, reading: Georeading) -> None:
    placed = place(_model(tmp_path, reading), PARK, "a1", None)
    assert placed.park_from_ifc @ [10, 0, 0, 1] == pytest.approx([130, 80, 2, 1], abs=1e-6)
    assert _told(placed) == []


def test_metres_declared_but_millimetres_stored_is_found_and_said(tmp_path: Path) -> None:
    reading = _map(eastings=500_120_000.0, northings=3_400_080_000.0, height=12_000.0, map_unit_m=1.0, file_unit_m=0.001)
    placed = place(_model(tmp_path, reading), PARK, "a1", None)
    assert placed.park_from_ifc @ [0, 0, 0, 1] == pytest.approx([120, 80, 2, 1], abs=1e-6)
    assert [f.level for f in _told(placed)] == ["warning"]


def test_all_zero_conversion_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="placement") as caught:
        place(_model(tmp_path, _map(eastings=0.0, northings=0.0)), PARK, "a1", None)
    assert "nothing says where building 'a1' stands" in caught.value.what


def test_place_far_from_the_park_is_refused_with_the_distance(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"600 km from the park"):
        place(_model(tmp_path, _map(northings=4_000_080.0)), PARK, "a1", None)


def test_two_equal_statements_that_disagree_are_not_chosen_between(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="two places 500 m apart"):
        place(_model(tmp_path, _map(), _map(eastings=500_620.0)), PARK, "a1", None)


def test_tie_names_every_reading_and_the_park_file_answers(tmp_path: Path) -> None:
    model = _model(tmp_path, _map(), replace(_map(eastings=500_620.0), where="b.ifc#7"))
    with pytest.raises(SourceError) as caught:
        place(model, PARK, "a1", None)
    assert "'map of a.ifc#1' at 130 m east, 85 m north; 'map of b.ifc#7' at 630 m east, 85 m north" in caught.value.what
    assert 'georeference = "map of a.ifc#1"' in caught.value.mend
    for answer, east in (("map of a.ifc#1", 120.0), ("map of b.ifc#7", 620.0)):
        assert place(model, PARK, "a1", None, answer).park_from_ifc[0, 3] == pytest.approx(east)


def test_park_file_may_prefer_the_reading_that_would_lose(tmp_path: Path) -> None:
    lon, lat = Transformer.from_crs("EPSG:4549", 4326, always_xy=True).transform(500_400.0, 3_400_080.0)
    model = _model(tmp_path, _map(), Georeading(kind="site", where="a.ifc#2", latitude=lat, longitude=lon, elevation=12.0))
    assert place(model, PARK, "a1", None, "Site").park_from_ifc[0, 3] == pytest.approx(400.0, abs=1e-3)


def test_answer_that_is_no_reading_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no reading 'mapp'; it has 'map' at 130 m east, 85 m north"):
        place(_model(tmp_path, _map()), PARK, "a1", None, "mapp")


def test_residual_of_another_crs_is_stated_in_metres(tmp_path: Path) -> None:
    there = Transformer.from_crs("EPSG:4549", "EPSG:4550", always_xy=True)
    east, north = there.transform(500_120.0, 3_400_080.0)
    placed = place(_model(tmp_path, _map(crs="EPSG:4550", eastings=east, northings=north)), PARK, "a1", None)
    stated = float(placed.findings[0].what.split("residual ")[1].split(" m)")[0])
    assert stated < 0.001


def test_the_same_statement_twice_is_no_tie(tmp_path: Path) -> None:
    assert _told(place(_model(tmp_path, _map(), _map()), PARK, "a1", None)) == []


def test_another_crs_is_brought_over_within_a_millimetre(tmp_path: Path) -> None:
    to_utm = Transformer.from_crs("EPSG:4549", "EPSG:4528", always_xy=True)  # the same datum, another zone numbering
    east, north = to_utm.transform(500_120.0, 3_400_080.0)
    placed = place(_model(tmp_path, _map(crs="EPSG:4528", eastings=east, northings=north)), PARK, "a1", None)
    corner = Transformer.from_crs("EPSG:4528", "EPSG:4549", always_xy=True).transform(east + 20, north + 10)
    expected = np.array(corner) - np.array(ORIGIN[:2])
    assert (placed.park_from_ifc @ [20, 10, 0, 1])[:2] == pytest.approx(expected, abs=1e-3)


def test_neighbouring_zone_is_turned_by_its_convergence(tmp_path: Path) -> None:
    there = Transformer.from_crs("EPSG:4549", "EPSG:4550", always_xy=True)  # CM 120E → CM 123E
    east, north = there.transform(500_120.0, 3_400_080.0)
    placed = place(_model(tmp_path, _map(crs="EPSG:4550", eastings=east, northings=north)), PARK, "a1", None)
    back = Transformer.from_crs("EPSG:4550", "EPSG:4549", always_xy=True)
    expected = np.array(back.transform(east + 20, north + 10)) - np.array(ORIGIN[:2])
    assert (placed.park_from_ifc @ [20, 10, 0, 1])[:2] == pytest.approx(expected, abs=2e-3)
    assert abs(np.degrees(np.arctan2(placed.park_from_ifc[1, 0], placed.park_from_ifc[0, 0]))) > 1.0


def test_site_position_is_turned_to_true_north(tmp_path: Path) -> None:
    lon, lat = Transformer.from_crs("EPSG:4549", 4326, always_xy=True).transform(500_120.0, 3_400_080.0)
    reading = Georeading(kind="site", where="a.ifc#2", latitude=lat, longitude=lon, elevation=12.0, true_north=(1.0, 0.0))
    placed = place(_model(tmp_path, reading), PARK, "a1", None)
    assert placed.how == "site latitude and longitude"
    assert placed.park_from_ifc @ [1, 0, 0, 1] == pytest.approx([120, 81, 2, 1], abs=1e-3)  # ifc x points true north


def test_map_conversion_beats_a_site_that_says_elsewhere(tmp_path: Path) -> None:
    lon, lat = Transformer.from_crs("EPSG:4549", 4326, always_xy=True).transform(510_000.0, 3_400_080.0)
    placed = place(
        _model(tmp_path, _map(), Georeading(kind="site", where="s", latitude=lat, longitude=lon)), PARK, "a1", None
    )
    assert placed.how == "map conversion"
    assert any("9,8" in f.what for f in placed.findings)


def test_ifc2x3_property_set_on_the_site_is_read(tmp_path: Path) -> None:
    maker = Maker(schema="IFC2X3")
    maker.box("IfcWall", (0, 0, 0), (20, 10, 3), maker.storey("L1", 0.0))
    length = {
        k: maker.new("IfcLengthMeasure", v)
        for k, v in (("Eastings", 500_120.0), ("Northings", 3_400_080.0), ("OrthogonalHeight", 12.0))
    }
    maker.properties(maker.site, "ePSet_MapConversion", length)
    maker.properties(maker.site, "ePset_ProjectedCRS", {"Name": maker.new("IfcLabel", "EPSG:4549")})
    model = federate([read_discipline(maker.write(tmp_path / "b.ifc"))])
    assert place(model, PARK, "a1", None).park_from_ifc[:3, 3] == pytest.approx([120, 80, 2])


def test_southern_and_western_degrees_may_be_signed_once(tmp_path: Path) -> None:
    maker = Maker()
    maker.site.RefLatitude, maker.site.RefLongitude = (-33, 51, 24), (151, -12, -36)
    reading = read_discipline(maker.write(tmp_path / "c.ifc")).georeadings[0]
    assert (reading.latitude, reading.longitude) == pytest.approx((-33.856667, -151.21), abs=1e-6)
