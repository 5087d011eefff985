"""A synthetic park of very many elements: one generated tower, of which every building of the park is a copy."""

from __future__ import annotations

import math
from pathlib import Path

from assets.demo.blocks import CRS, ORIGIN, Block
from assets.demo.building import write_building

#: Far enough apart that no tower stands in another's light.
APART_M = 240.0
#: What a build counts in the tower below.
ELEMENTS_A_TOWER = 8_132


def tower(storeys: int = 40) -> Block:
    """The sample park's tower with more storeys."""
    return Block(id="tower", name="Tower", name_zh="塔楼", zone="", program="tower", facade="curtain", x=0, y=0,
                 length=60, width=46, storeys=storeys, ground_m=5.4)


def make_dense_park(directory: Path, buildings: int, block: Block | None = None) -> Path:
    """Write a park of equal towers on a square grid, no map round them, and return its folder.

    Every building names the same IFC file, so it is read once; all else is done for each building as for any other.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_building(block or tower(), directory / "tower.ifc")
    lines = ["# Synthetic: `parktwin bench scene --only million`", "[park]", 'id = "dense"', 'name = "Dense park"',
             f'crs = "{CRS}"', f"origin = [{', '.join(map(str, ORIGIN))}]", 'timezone = "Asia/Shanghai"', "demo = true"]
    across = math.ceil(math.sqrt(buildings))
    for k in range(buildings):
        row, column = divmod(k, across)
        lines += ["", "[[building]]", f'id = "b{k:03d}"', f'name = "Tower {k + 1}"', 'ifc = ["tower.ifc"]',
                  f"placement = {{ at = [{column * APART_M}, {row * APART_M}, 0.0] }}"]
    (directory / "park.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory
