"""`parktwin check` on real small files."""

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from parktwin.check import check_park, show
from twin.finding import Finding

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models_bim"))
from ifc_maker import Maker, two_rooms

PARK = """[park]
id = "demo"
name = "Demo"
crs = "EPSG:4549"
origin = [500000, 3400000, 0]
registry = "devices.csv"
[[building]]
id = "a1"
ifc = ["a1.ifc", "broken.ifc"]
[[layer]]
id = "roads"
source = "roads.geojson"
kind = "roads"
crs = "EPSG:4549"
"""


@pytest.fixture
def park(tmp_path: Path) -> Path:
    (tmp_path / "park.toml").write_text(PARK)
    maker = Maker()
    two_rooms(maker)
    maker.write(tmp_path / "a1.ifc")
    (tmp_path / "broken.ifc").write_text("nothing")
    line = {"type": "LineString", "coordinates": [[900000, 3400000], [900100, 3400000]]}
    features = [{"type": "Feature", "properties": {"id": 1}, "geometry": line}]
    (tmp_path / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (tmp_path / "devices.csv").write_text("id,kind,name,building,guid\nd1,smoke,D,a1,none-such\nd2,nokind,D,a1,\n")
    return tmp_path


def test_everything_wrong_is_found_and_what_can_be_built_still_counts(park: Path) -> None:
    findings, is_buildable = check_park(park)
    told = " / ".join(f"{f.where} {f.what}" for f in findings)
    assert is_buildable
    for part in (
        "broken.ifc is not an IFC file",
        "a1.ifc says nothing about where it stands",
        "everything lies ",
        "devices.csv:2 device 'd1' points to element 'none-such'",
        "devices.csv:3 kind 'nokind'",
    ):
        assert part in told
    assert all(f.mend for f in findings if f.level == "error")


def test_park_without_any_readable_source_cannot_be_built(park: Path) -> None:
    (park / "a1.ifc").unlink()
    (park / "roads.geojson").write_text("{")
    assert check_park(park)[1] is False


def test_names_out_of_files_are_text_and_never_markup() -> None:
    console = Console(width=200, record=True)
    show([Finding("error", "layer '[red]x[/nope]'", "a[b].ifc", "mend [it]")], console)
    text = console.export_text()
    assert "[red]x[/nope]" in text
    assert "a[b].ifc" in text
