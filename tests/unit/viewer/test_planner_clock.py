"""The planner's hours are the park's: true solar time turned into the clock of the place, run in node as pages run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from in_node import run_in_node

from scenes.schemes.sunlight import Sky

RUN = """
import { clockOf, setZone, two, zoneName } from "SOURCE/app/parktime";
import { hourText, instantOfSolar, solsticeOf, sunAt } from "SOURCE/planner/solar";
const [zone, sun] = JSON.parse(process.argv[2]);
setZone(zone);
const noon = instantOfSolar(sun, 12);
console.log(JSON.stringify({ clock: clockOf(noon), names: ["en-GB", "zh-CN"].map((l) => zoneName(noon, l)),
  text: hourText(12.25),
  solstice: solsticeOf(sun.latitude), two: two(7), between: sunAt(sun, 10.125) }));
"""


def _at(tmp_path: Path, zone: str, latitude: float, longitude: float, month_day: tuple[int, int]) -> dict[str, Any]:
    sky = Sky(latitude=latitude, longitude=longitude, month_day=month_day)
    sun = {"date": f"2026-{month_day[0]:02d}-{month_day[1]:02d}", "noon_utc": sky.noon_utc_hours(), "latitude": latitude,
           "path": [[10.0, 0.0, -1.0, 0.0], [10.25, 0.0, 0.0, 1.0]]}
    found: dict[str, Any] = json.loads(run_in_node(tmp_path, RUN, json.dumps([zone, sun])))
    return found


@pytest.mark.parametrize(("zone", "latitude", "longitude", "month_day", "clock", "english"), [
    ("Asia/Shanghai", 30.2, 120.2, (1, 20), "12:10", "China Standard Time"),
    ("America/Vancouver", 49.26, -123.25, (6, 21), "13:14", "Pacific Daylight Time"),
    ("Australia/Sydney", -33.9, 151.0, (6, 21), "11:57", "Australian Eastern Standard Time"),
    ("Asia/Kolkata", 12.97, 77.6, (1, 20), "12:30", "India Standard Time"),
    ("Pacific/Auckland", -36.85, 174.76, (12, 22), "13:19", "New Zealand Daylight Time")])
def test_true_noon_is_told_by_the_clock_of_the_park(tmp_path: Path, zone: str, latitude: float, longitude: float,
                                                    month_day: tuple[int, int], clock: str, english: str) -> None:
    found = _at(tmp_path, zone, latitude, longitude, month_day)
    assert found["clock"][:5] == clock
    assert found["names"][0] == english
    assert found["names"][1] != english


def test_the_shortest_day_turns_with_the_hemisphere(tmp_path: Path) -> None:
    assert _at(tmp_path, "Asia/Shanghai", 30.2, 120.2, (1, 20))["solstice"] == "12-22"
    south = _at(tmp_path, "Australia/Sydney", -33.9, 151.2, (6, 21))
    assert south["solstice"] == "06-21"
    assert (south["text"], south["two"]) == ("12:15", "07")
    assert south["between"] == pytest.approx([0.0, -(0.5**0.5), 0.5**0.5])
