"""A park of two small buildings, and the same models exported again with other GUIDs or from another origin."""

from __future__ import annotations

from pathlib import Path

import ifcopenshell
import ifcopenshell.guid

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from scenes.compile import BuildResult, compile_park
from twin.overrides import Override, key_of, written
from twin.parkfile import load_park

PARK = """[park]
id = "two"
name = "Two"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
registry = "devices.csv"
[[zone]]
id = "south"
name = "South"
[[building]]
id = "west"
ifc = "west.ifc"
zone = "south"
placement = { at = [20.0, 20.0, 0.0], rotation = 10.0 }
[[building]]
id = "lost"
ifc = "lost.ifc"
"""
DEVICES = "id,kind,name,building,x,y,z\nM1,meter,Main meter,west,22,22,1\n"


def write_park(root: Path) -> Path:
    """The park folder, not built yet; building 'lost' says nowhere where it stands."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "park.toml").write_text(PARK)
    (root / "devices.csv").write_text(DEVICES)
    for name in ("west", "lost"):
        write_building(next(block for block in BLOCKS if block.id == "g2"), root / f"{name}.ifc")
    return root


def export_again(path: Path, *, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
    """Every GUID new; the whole building shifted in its own coordinates (metres), as from another origin."""
    model = ifcopenshell.open(str(path))
    for entity in model.by_type("IfcRoot"):
        entity.GlobalId = ifcopenshell.guid.new()
    if any(shift):
        for placement in [p for p in model.by_type("IfcLocalPlacement") if not p.PlacementRelTo]:
            axes = placement.RelativePlacement  # others may share it
            moved = tuple(a + b for a, b in zip(axes.Location.Coordinates, shift, strict=True))
            spot = model.create_entity("IfcCartesianPoint", moved)
            placement.RelativePlacement = model.create_entity("IfcAxis2Placement3D", spot, axes.Axis, axes.RefDirection)
    model.write(str(path))


def keep(root: Path, *overrides: Override) -> None:
    """Write the park's overrides.toml."""
    (root / "overrides.toml").write_text(written("", {key_of(o): o for o in overrides}), encoding="utf-8")


def build(root: Path) -> BuildResult:
    """Compile what has changed."""
    return compile_park(load_park(root), jobs=1)
