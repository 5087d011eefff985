"""The sample park's planning condition and three schemes for its living plot.

One holds to it and one does not, both as footprints with storeys; the third puts a real model (IFC) there twice.
"""

from __future__ import annotations

from pathlib import Path

Ring = tuple[tuple[float, float], ...]

RULES = """# Planning condition of the living plot: what a scheme is judged by. Shares are 0..1, lengths metres, areas m2.
[rules]
name = "Planning condition 2026-016"
name_zh = "规划条件 2026-016"
far_max = 2.5
density_max = 0.28
green_min = 0.35
height_max = 60.0
setback_min = 8.0
spacing_min = 18.0
parking_min = 200
sunlight_min = 2.0

[site]
name = "Living plot DK-07"
name_zh = "生活区地块 DK-07"
polygon = [[428.0, 47.0], [572.0, 47.0], [572.0, 141.0], [428.0, 141.0]]

# Great Cold (大寒), true solar time; sill is the height of the window sill over the floor.
[sunlight]
day = "01-20"
from_hour = 8.0
to_hour = 16.0
sill = 0.9
"""


def _box(x0: float, y0: float, x1: float, y1: float) -> Ring:
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


#: id → names, parking places, (building id, names, outline, storeys), lawns
_SCHEMES: tuple[tuple[str, str, str, int, tuple[tuple[str, str, str, Ring, int], ...], tuple[Ring, ...]], ...] = (
    ("slabs", "Slabs around a garden", "板式围合", 236, (
        ("n1", "N1", "N1 住宅", _box(438, 117, 494, 131), 11),
        ("n2", "N2", "N2 住宅", _box(512, 117, 562, 131), 11),
        ("s1", "S1", "S1 住宅", _box(438, 57, 494, 71), 9),
        ("s2", "S2", "S2 住宅", _box(512, 57, 562, 71), 9),
    ), (_box(438, 75, 562, 113), _box(429, 48, 571, 54))),
    ("towers", "Towers and a low slab", "点式高层", 320, (
        ("w1", "W1", "W1 塔楼", _box(432, 100, 458, 126), 18),
        ("s1", "S1", "S1 高层板楼", _box(478, 58, 542, 72), 23),
        ("n1", "N1", "N1 住宅", _box(478, 96, 542, 109), 5),
    ), (_box(429, 48, 571, 56), _box(462, 76, 571, 140))),
)


#: The residence D1 as it was modelled, put there twice: what an architect hands in.
_MODELLED = """[scheme]
name = "Residence D1 twice (IFC)"
name_zh = "D1 宿舍楼两栋（IFC）"
remove = ["d1", "d2", "d3"]
parking = 210

[[building]]
id = "m1"
name = "M1"
name_zh = "M1 宿舍"
use = "residential"
ifc = "bim/d1.ifc"
placement = { at = [462.0, 59.0, 0.0], rotation = 0.0 }

[[building]]
id = "m2"
name = "M2"
name_zh = "M2 宿舍"
use = "residential"
ifc = "bim/d1.ifc"
placement = { at = [470.0, 108.0, 0.0], rotation = 0.0 }

[[green]]
polygon = [[438.0, 80.0], [562.0, 80.0], [562.0, 104.0], [438.0, 104.0]]

[[green]]
polygon = [[429.0, 48.0], [571.0, 48.0], [571.0, 57.0], [429.0, 57.0]]

[[green]]
polygon = [[429.0, 106.0], [466.0, 106.0], [466.0, 140.0], [429.0, 140.0]]
"""


def write_schemes(directory: Path) -> None:
    """Write `rules.toml` and `schemes/*.toml` into the park's folder."""
    (directory / "rules.toml").write_text(RULES, encoding="utf-8")
    folder = directory / "schemes"
    folder.mkdir(exist_ok=True)
    for key, name, name_zh, parking, buildings, lawns in _SCHEMES:
        lines = ["[scheme]", f'name = "{name}"', f'name_zh = "{name_zh}"', 'remove = ["d1", "d2", "d3"]',
                 f"parking = {parking}", ""]
        for building, title, title_zh, ring, storeys in buildings:
            lines += ["[[building]]", f'id = "{building}"', f'name = "{title}"', f'name_zh = "{title_zh}"',
                      'use = "residential"', f"footprint = {_text(ring)}", f"storeys = {storeys}", ""]
        for ring in lawns:
            lines += ["[[green]]", f"polygon = {_text(ring)}", ""]
        (folder / f"{key}.toml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "twice.toml").write_text(_MODELLED, encoding="utf-8")


def _text(ring: Ring) -> str:
    return "[" + ", ".join(f"[{float(x)}, {float(y)}]" for x, y in ring) + "]"
