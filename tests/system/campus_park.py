"""A park of real files: the campus' map, two of the real IFC models on it, and one that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

from scenes.compile import BuildResult, compile_park
from twin.parkfile import load_park

SHARED = Path(os.environ.get("PARKTWIN_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"
PARK = """
[park]
id = "campus"
name = "Point Grey Campus"
crs = "EPSG:26910"
origin = [482000.0, 5456500.0, 0.0]

[[building]]
id = "duplex"
ifc = ["{ifc}/duplex-architecture.ifc", "{ifc}/duplex-electrical.ifc"]
placement = {{ at = [700.0, -40.0, 0.0], rotation = 20.0 }}

[[building]]
id = "house"
ifc = "{ifc}/building-architecture.ifc"
placement = {{ at = [760.0, -40.0, 0.0], rotation = 0.0 }}

[[building]]
id = "broken"
ifc = "broken.ifc"
placement = {{ at = [0.0, 0.0, 0.0] }}

[[layer]]
id = "buildings"
source = "{gis}/ubcv_buildings.geojson"
kind = "buildings"
id_field = "BLDG_UID"
height_field = "BLDG_HEIGHT"

[[layer]]
id = "roads"
source = "{gis}/ubcv_roads.geojson"
kind = "roads"

[[layer]]
id = "water"
source = "{gis}/ubcv_municipal_waterfeatures.geojson"
kind = "water"

[[layer]]
id = "trees"
source = "{gis}/ubcv_campus_trees.csv"
kind = "trees"
"""


def build_campus(root: Path) -> BuildResult:
    """Write the park's folder into `root` and compile it."""
    (root / "park.toml").write_text(PARK.format(ifc=SHARED / "ifc", gis=SHARED / "campus/gis"))
    (root / "broken.ifc").write_text("ISO-10303-21; this is no model")
    return compile_park(load_park(root, strict=False))
