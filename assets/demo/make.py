"""Writes a whole park folder: buildings as IFC4, GIS layers, devices.csv, park.toml. Same seed, same bytes."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from assets.demo.blocks import BLOCKS, CRS, ORIGIN, PARK_ID, PARK_NAME, PARK_NAME_ZH, ZONES, Block
from assets.demo.building import write_building
from assets.demo.gisfiles import write_layers
from assets.demo.registry import write_devices
from assets.demo.scan import SCAN_FILE, SCAN_NAME, SCAN_NAME_ZH, write_scan
from assets.demo.schemes import write_schemes

#: id, file, kind, names, further settings of park.toml
_LAYERS: tuple[tuple[str, str, str, str, str, dict[str, str | bool]], ...] = (
    ("terrain", "terrain.tif", "terrain", "Terrain", "地形", {}),
    ("roads", "roads.geojson", "roads", "Roads", "道路", {"width_field": "width"}),
    ("paths", "paths.geojson", "paths", "Footpaths", "步道", {"width_field": "width"}),
    ("paving", "site.gpkg", "paving", "Paving", "铺装", {"table": "paving"}),
    ("greens", "greens.geojson", "greens", "Lawns", "绿地", {}),
    ("water", "water.geojson", "water", "Water", "水体", {}),
    ("parking", "parking.geojson", "parking", "Car parks", "停车场", {}),
    (
        "trees",
        "trees.csv",
        "trees",
        "Trees",
        "树木",
        {"height_field": "height", "width_field": "crown", "x_field": "x", "y_field": "y", "crs": CRS},
    ),
    (
        "lamps",
        "lamps.csv",
        "lamps",
        "Street lamps",
        "路灯",
        {"height_field": "height", "x_field": "x", "y_field": "y", "crs": CRS},
    ),
    ("bollards", "site.gpkg", "bollards", "Bollards", "隔离桩", {"table": "bollards", "height_field": "height"}),
    ("fence", "fence.geojson", "fence", "Fence", "围栏", {"height_field": "height"}),
    ("gates", "gates.geojson", "gates", "Gates", "大门", {}),
    ("entrances", "entrances.geojson", "entrances", "Entrances", "出入口", {}),
    (
        "pipes",
        "pipes.gpkg",
        "pipes",
        "Buried pipes",
        "地下管线",
        {"table": "pipes", "width_field": "diameter_m", "depth_field": "depth_m", "medium_field": "medium"},
    ),
    ("city", "city.gpkg", "buildings", "Surroundings", "周边建筑", {"table": "blocks", "height_field": "height"}),
    ("boundary", "boundary.geojson", "boundary", "Site boundary", "园区红线", {}),
    ("kiln", SCAN_FILE, "pointcloud", SCAN_NAME, SCAN_NAME_ZH, {"shown": False}),
)


def make_park(directory: Path, *, seed: int = 7, workers: int | None = None) -> Path:
    """Write the sample park's folder and return it.

    Args:
        directory: made when missing; files of the same names are replaced, nothing else is touched.
        seed: chance for trees, city blocks and meter readings.
        workers: processes that write buildings (None: one a core, 1: in this process).
    """
    bim = directory / "bim"
    bim.mkdir(parents=True, exist_ok=True)
    write_layers(directory / "gis", seed)
    jobs = [(block, bim / f"{block.id}.ifc") for block in BLOCKS]
    count = workers or min(4, os.cpu_count() or 1)
    if count > 1:
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            list(pool.map(_write, jobs))
    else:
        for job in jobs:
            _write(job)
    write_scan(directory / "gis" / SCAN_FILE, seed)
    write_devices(directory / "devices.csv")
    write_schemes(directory)
    (directory / "park.toml").write_text(park_toml(), encoding="utf-8")
    (directory / "fences.toml").write_text(FENCES, encoding="utf-8")
    (directory / "energy.toml").write_text(TENANTS, encoding="utf-8")
    return directory


def _write(job: tuple[Block, Path]) -> None:
    write_building(*job)


FENCES = """# Geofences of the sample park; see docs/how-to/add-a-fence.md. More can be drawn in the browser.
[[fence]]
id = "energy-centre-visitors"
name = "Energy centre: no visitors"
name_zh = "能源中心：访客禁入"
rule = "forbidden"
kinds = ["person"]
roles = ["visitor", "unknown"]
priority = 2
node = "b3"
[fence.response]
owner = "Guard post"
owner_zh = "安保岗"
deadline_mins = 5
steps = ["See who it is on the nearest camera", "Send the nearest guard and lead the visitor out"]
steps_zh = ["调取最近摄像机确认人员", "派最近安保带离"]
"""
TENANTS = """# Enterprises of the sample park; see docs/how-to/energy.md.
[[tenant]]
id = "linghang"
name = "Linghang Robotics"
name_zh = "领航机器人"
places = ["a1", "a2"]
[[tenant]]
id = "qingyuan"
name = "Qingyuan Biotech"
name_zh = "清源生物"
places = ["a3", "a4"]
[[tenant]]
id = "yunce"
name = "Yunce Data"
name_zh = "云策数据"
places = ["a5", "b1"]
"""


def park_toml() -> str:
    """The park file's text."""
    x, y, z = ORIGIN
    lines = [
        "# The sample park: written by `parktwin demo`; every file it names is generated.",
        "[park]",
        f'id = "{PARK_ID}"',
        f'name = "{PARK_NAME}"',
        f'name_zh = "{PARK_NAME_ZH}"',
        f'crs = "{CRS}"',
        f"origin = [{x}, {y}, {z}]",
        'timezone = "Asia/Shanghai"',
        "demo = true",
        'registry = "devices.csv"',
        "",
        "[live]",
        'source = "simulator"',
        "",
    ]
    for key, name, zh in ZONES:
        lines += ["[[zone]]", f'id = "{key}"', f'name = "{name}"', f'name_zh = "{zh}"', ""]
    for block in BLOCKS:
        lines += [
            "[[building]]",
            f'id = "{block.id}"',
            f'ifc = ["bim/{block.id}.ifc"]',
            f'name = "{block.name}"',
            f'name_zh = "{block.name_zh}"',
            f'zone = "{block.zone}"',
        ]
        if not block.is_georeferenced:
            lines.append(f"placement = {{ at = [{float(block.x)}, {float(block.y)}, 0.0], rotation = {block.turn_deg} }}")
        lines.append("")
    for key, source, kind, name, zh, more in _LAYERS:
        lines += [
            "[[layer]]",
            f'id = "{key}"',
            f'source = "gis/{source}"',
            f'kind = "{kind}"',
            f'name = "{name}"',
            f'name_zh = "{zh}"',
        ]
        lines += [f"{field} = {json.dumps(value)}" for field, value in more.items()]
        lines.append("")
    return "\n".join(lines)
