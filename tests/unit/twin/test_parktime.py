"""The park's clock follows its place, or what its file says."""

from pathlib import Path

import pytest

from twin.park import ParkSpec
from twin.parkfile import read_park
from twin.parktime import offset_hours, zone_of


def park(crs: str, origin: tuple[float, float, float], timezone: str = "") -> ParkSpec:
    return ParkSpec(root=Path(), id="p", name="P", name_zh=None, crs=crs, origin=origin, timezone=timezone)


@pytest.mark.parametrize(("crs", "origin", "zone", "hours"), [
    ("EPSG:4549", (519200.0, 3342600.0, 0.0), "Asia/Shanghai", 8.0),
    ("EPSG:32631", (500000.0, 5400000.0, 0.0), "Etc/UTC", 0.0),
    ("EPSG:26910", (482000.0, 5456500.0, 0.0), "Etc/GMT+8", -8.0)])
def test_place_decides_where_the_file_is_silent(crs: str, origin: tuple[float, float, float], zone: str,
                                                hours: float) -> None:
    assert zone_of(park(crs, origin)) == zone
    assert offset_hours(zone, 1_780_000_000.0) == hours


def test_the_file_wins_and_summer_time_counts() -> None:
    zone = zone_of(park("EPSG:26910", (482000.0, 5456500.0, 0.0), "America/Vancouver"))
    assert offset_hours(zone, 1_783_000_000.0) == -7.0, "July 2026"
    assert offset_hours(zone, 1_768_000_000.0) == -8.0, "January 2026"


def test_an_unknown_zone_is_told_and_the_park_stands(tmp_path: Path) -> None:
    (tmp_path / "park.toml").write_text(
        '[park]\nname = "P"\ncrs = "EPSG:4549"\norigin = [519200.0, 3342600.0, 0.0]\ntimezone = "Mars/Olympus"\n')
    spec, faults = read_park(tmp_path)
    assert spec is not None
    assert spec.timezone == ""
    assert [(fault.line, "IANA" in fault.mend) for fault in faults] == [(5, True)]
