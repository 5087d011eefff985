"""Everything that is placed many times: what IFC class it is, and the coloured meshes it is made of.

A make is drawn standing on z = 0 around its own origin, front towards −y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from assets.demo.meshes import Mesh, frame

#: style key → sRGB 0..255, opacity 0..1
STYLES: dict[str, tuple[int, int, int, float]] = {
    "wall_warm": (239, 237, 232, 1),
    "wall_light": (223, 226, 228, 1),
    "wall_grey": (205, 213, 218, 1),
    "wall_sand": (230, 221, 208, 1),
    "wall_cream": (236, 229, 218, 1),
    "partition": (241, 240, 236, 1),
    "slab": (196, 197, 194, 1),
    "roof": (211, 211, 207, 1),
    "parapet": (226, 224, 218, 1),
    "column": (214, 214, 210, 1),
    "glass": (96, 134, 166, 0.45),
    "frame": (92, 104, 116, 1),
    "frame_light": (228, 230, 231, 1),
    "door": (171, 138, 99, 1),
    "door_steel": (150, 160, 168, 1),
    "stair": (201, 199, 193, 1),
    "steel": (168, 176, 182, 1),
    "dark": (70, 80, 90, 1),
    "pv": (66, 86, 107, 1),
    "plant": (221, 217, 208, 1),
    "louvre": (186, 191, 194, 1),
    "wood": (214, 188, 150, 1),
    "chair": (88, 110, 132, 1),
    "white": (246, 246, 244, 1),
    "screen": (44, 54, 66, 1),
    "sofa": (122, 142, 138, 1),
    "duct": (190, 197, 202, 1),
    "pipe_red": (196, 74, 64, 1),
    "pipe_blue": (66, 128, 190, 1),
    "pipe_green": (86, 150, 110, 1),
    "rack": (52, 60, 70, 1),
    "machine": (126, 152, 176, 1),
    "machine_b": (214, 160, 72, 1),
    "bed": (176, 196, 214, 1),
    "lamp": (255, 252, 236, 1),
    "chiller": (120, 160, 190, 1),
    "tower": (200, 210, 214, 1),
    "brick": (186, 120, 100, 1),
    "accent": (43, 108, 176, 1),
    "rib": (196, 204, 210, 1),
    "green": (142, 164, 132, 1),
}


@dataclass(frozen=True, slots=True)
class Make:
    """One thing of the catalogue: IFC class and predefined type of its occurrences, and its parts by style."""

    cls: str
    type_cls: str
    predefined: str | None
    name: str
    parts: tuple[tuple[str, Mesh], ...]


def _desk() -> tuple[tuple[str, Mesh], ...]:
    wood = Mesh().box(-0.8, -0.35, 0.70, 0.8, 0.35, 0.74, skip="b")
    wood.face((-0.78, 0.3, 0.1), (0.78, 0.3, 0.1), (0.78, 0.3, 0.70), (-0.78, 0.3, 0.70))
    chair = _chair(Mesh(), 0.0, -0.72, -0.25)
    screen = Mesh().face((-0.28, 0.1, 0.84), (0.28, 0.1, 0.84), (0.28, 0.1, 1.2), (-0.28, 0.1, 1.2))
    return ("wood", wood), ("chair", chair), ("screen", screen)


def _chair(mesh: Mesh, x: float, y: float, back: float) -> Mesh:
    """A seat 0.42 m square with its back `back` metres off along y."""
    mesh.box(x - 0.21, y - 0.21, 0.36, x + 0.21, y + 0.21, 0.46, skip="b")
    z0, z1, yb = 0.46, 0.88, y + back
    return mesh.face((x - 0.21, yb, z0), (x + 0.21, yb, z0), (x + 0.21, yb, z1), (x - 0.21, yb, z1))


def _table(seats: int, length: float, depth: float) -> tuple[tuple[str, Mesh], ...]:
    top = Mesh().box(-length / 2, -depth / 2, 0.70, length / 2, depth / 2, 0.75, skip="b")
    top.box(-length / 4, -0.1, 0.0, length / 4, 0.1, 0.70, skip="tb")
    chairs = Mesh()
    for k in range(seats // 2):
        x = (k + 0.5) * length / (seats // 2) - length / 2
        for sign in (-1, 1):
            _chair(chairs, x, sign * (depth / 2 + 0.35), sign * 0.21)
    return ("wood", top), ("chair", chairs)


def _box(style: str, w: float, d: float, h: float, z: float = 0.0) -> tuple[str, Mesh]:
    return style, Mesh().box(-w / 2, -d / 2, z, w / 2, d / 2, z + h)


def _ahu() -> tuple[tuple[str, Mesh], ...]:
    body = Mesh().box(-1.6, -0.8, 0.15, 1.6, 0.8, 1.75)
    seams = Mesh()
    for x in (-0.8, 0.0, 0.8):
        seams.box(x - 0.03, -0.83, 0.15, x + 0.03, 0.83, 1.78, skip="b")
    return ("plant", body), ("louvre", seams), ("duct", Mesh().box(-1.2, -0.4, 1.75, -0.3, 0.4, 2.5, skip="b"))


def _roof_unit() -> tuple[tuple[str, Mesh], ...]:
    body = Mesh().box(-2.2, -1.3, 0.3, 2.2, 1.3, 2.3)
    fins = Mesh()
    for k in range(6):
        fins.box(-1.9 + k * 0.7, -1.36, 0.6, -1.5 + k * 0.7, -1.3, 2.0, skip="n")
    fan = Mesh().prism(-1.0, 0.0, 2.3, 2.55, 0.7).prism(1.0, 0.0, 2.3, 2.55, 0.7)
    return ("plant", body), ("louvre", fins), ("dark", fan)


def _cooling_tower() -> tuple[tuple[str, Mesh], ...]:
    body = Mesh().box(-2.0, -2.0, 0.4, 2.0, 2.0, 3.6).box(-2.1, -2.1, 2.9, 2.1, 2.1, 3.1)
    return (
        ("tower", body),
        ("louvre", Mesh().box(-1.7, -2.05, 0.7, 1.7, 2.05, 1.9, skip="bt")),
        ("dark", Mesh().prism(0, 0, 3.6, 4.5, 1.4, 12, 0.86)),
    )


def _chiller() -> tuple[tuple[str, Mesh], ...]:
    shells = Mesh().box(-2.2, -0.9, 0.25, 2.2, -0.1, 1.05).box(-2.2, 0.1, 0.25, 2.2, 0.9, 1.05)
    return (
        ("chiller", shells),
        ("steel", Mesh().box(-1.2, -0.5, 1.05, 0.8, 0.5, 1.9)),
        ("dark", Mesh().box(1.2, -0.4, 1.05, 1.7, 0.4, 2.0)),
    )


def _pump() -> tuple[tuple[str, Mesh], ...]:
    return (
        ("pipe_green", Mesh().box(-0.5, -0.25, 0.1, 0.1, 0.25, 0.65)),
        ("dark", Mesh().box(0.1, -0.2, 0.12, 0.7, 0.2, 0.55)),
        ("steel", Mesh().box(-0.35, -0.1, 0.65, -0.1, 0.1, 1.2, skip="b")),
    )


def _transformer() -> tuple[tuple[str, Mesh], ...]:
    body = Mesh().box(-1.0, -0.6, 0.1, 1.0, 0.6, 1.9)
    fins = Mesh()
    for k in range(6):
        fins.box(-0.9 + k * 0.33, -0.75, 0.3, -0.75 + k * 0.33, 0.75, 1.6, skip="b")
    return ("machine", body), ("steel", fins)


def _pv() -> tuple[tuple[str, Mesh], ...]:
    return (
        "pv",
        Mesh()
        .face((-1.9, -0.95, 0.25), (1.9, -0.95, 0.25), (1.9, 0.95, 0.75), (-1.9, 0.95, 0.75))
        .face((-1.9, 0.95, 0.72), (1.9, 0.95, 0.72), (1.9, -0.95, 0.22), (-1.9, -0.95, 0.22)),
    ), ("steel", Mesh().face((1.9, 0.95, 0.0), (-1.9, 0.95, 0.0), (-1.9, 0.95, 0.72), (1.9, 0.95, 0.72)))


def _machine() -> tuple[tuple[str, Mesh], ...]:
    return (
        ("machine", Mesh().box(-1.8, -1.0, 0.0, 1.8, 1.0, 1.9).box(-0.6, -0.6, 1.9, 0.6, 0.6, 2.5, skip="b")),
        ("machine_b", Mesh().box(1.8, -0.5, 0.6, 3.4, 0.5, 0.95)),
        ("screen", Mesh().box(-1.0, -1.05, 1.1, 0.4, -1.0, 1.6, skip="n")),
    )


def _bed() -> tuple[tuple[str, Mesh], ...]:
    return ("wood", Mesh().box(-0.45, -1.0, 0.1, 0.45, 1.0, 0.4, skip="bt")), (
        "bed",
        Mesh().box(-0.43, -0.98, 0.4, 0.43, 0.98, 0.55, skip="b"),
    )


def _sofa() -> tuple[tuple[str, Mesh], ...]:
    return (("sofa", Mesh().box(-1.1, -0.4, 0.0, 1.1, 0.4, 0.42).box(-1.1, 0.2, 0.42, 1.1, 0.4, 0.85, skip="b")),)


@cache
def makes() -> dict[str, Make]:
    """Every placed thing by its key."""
    f, e = "IfcFurniture", "IfcUnitaryEquipment"
    rows: list[tuple[str, str, str | None, str, tuple[tuple[str, Mesh], ...]]] = [
        ("desk", f, "DESK", "Workstation", _desk()),
        ("meeting8", f, "TABLE", "Meeting table for 8", _table(8, 3.2, 1.2)),
        ("table6", f, "TABLE", "Seminar table for 6", _table(6, 2.2, 1.0)),
        ("dining4", f, "TABLE", "Dining table for 4", _table(4, 1.4, 0.8)),
        ("bench", f, "TABLE", "Laboratory bench", (_box("white", 3.0, 0.85, 0.9), _box("steel", 2.8, 0.2, 0.7, 0.9))),
        ("shelf", f, "SHELF", "Shelf", (_box("louvre", 2.4, 0.6, 2.0),)),
        ("counter", f, "TABLE", "Counter", (_box("white", 3.6, 0.8, 0.95),)),
        ("reception", f, "DESK", "Reception desk", (_box("wood", 4.0, 0.8, 1.05), _box("white", 4.2, 0.9, 0.06, 1.05))),
        ("sofa", f, "SOFA", "Sofa", _sofa()),
        ("bed", f, "BED", "Bed", _bed()),
        ("rack", "IfcCommunicationsAppliance", "NETWORKAPPLIANCE", "Server rack", (_box("rack", 0.6, 1.1, 2.1),)),
        ("ups", "IfcElectricFlowStorageDevice", "UPS", "UPS cabinet", (_box("white", 0.9, 0.9, 2.0),)),
        (
            "board",
            "IfcElectricDistributionBoard",
            "DISTRIBUTIONBOARD",
            "Distribution board",
            (_box("steel", 0.9, 0.4, 2.0),),
        ),
        ("transformer", "IfcTransformer", "VOLTAGE", "Dry-type transformer", _transformer()),
        ("ahu", e, "AIRHANDLER", "Air handling unit", _ahu()),
        ("roof_unit", e, "ROOFTOPUNIT", "Rooftop unit", _roof_unit()),
        ("fcu", e, "USERDEFINED", "Fan coil unit", (_box("duct", 1.1, 0.6, 0.26),)),
        ("chiller", "IfcChiller", "WATERCOOLED", "Centrifugal chiller", _chiller()),
        ("cooling_tower", "IfcCoolingTower", "MECHANICALINDUCEDDRAFT", "Cooling tower", _cooling_tower()),
        ("pump", "IfcPump", "CIRCULATOR", "Pump", _pump()),
        ("exchanger", "IfcHeatExchanger", "PLATE", "Plate heat exchanger", (_box("pipe_red", 1.6, 0.7, 1.5, 0.15),)),
        ("machine", "IfcBuildingElementProxy", None, "Production cell", _machine()),
        ("pv", "IfcSolarDevice", "SOLARPANEL", "PV panel", _pv()),
        (
            "light",
            "IfcLightFixture",
            "DIRECTIONSOURCE",
            "LED panel",
            (("lamp", Mesh().face((-0.6, 0.15, 0.0), (0.6, 0.15, 0.0), (0.6, -0.15, 0.0), (-0.6, -0.15, 0.0))),),
        ),
        ("basin", "IfcSanitaryTerminal", "WASHHANDBASIN", "Washbasin", (_box("white", 1.6, 0.5, 0.2, 0.7),)),
        ("wc_pan", "IfcSanitaryTerminal", "TOILETPAN", "Toilet", (_box("white", 0.4, 0.6, 0.42),)),
        ("env_sensor", "IfcSensor", "TEMPERATURESENSOR", "Room climate sensor", (_box("white", 0.09, 0.03, 0.09),)),
        ("smoke", "IfcSensor", "SMOKESENSOR", "Smoke detector", (_box("white", 0.12, 0.12, 0.05),)),
        ("damper", "IfcActuator", "ELECTRICACTUATOR", "Damper actuator", (_box("accent", 0.2, 0.14, 0.14),)),
        ("camera", "IfcAudioVisualAppliance", "CAMERA", "Dome camera", (_box("dark", 0.14, 0.14, 0.12),)),
        ("column", "IfcColumn", "COLUMN", "Concrete column", ()),
    ]
    return {key: Make(cls, f"{cls}Type", kind, name, parts) for key, cls, kind, name, parts in rows}


def window_parts(width: float, height: float, style: str) -> tuple[tuple[str, Mesh], ...]:
    """Frame and pane of a window standing in a gap of this size (origin at its lower left, outside towards −y)."""
    is_curtain = style == "curtain"
    mullions = max(0, round(width / 1.5) - 1) if is_curtain else int(width > 2.2)
    bars = frame(width, height, 0.07, 0.10, mullions)
    pane = Mesh().face(
        (0.03, 0.05, 0.03), (width - 0.03, 0.05, 0.03), (width - 0.03, 0.05, height - 0.03), (0.03, 0.05, height - 0.03)
    )
    pane.face(
        (0.03, 0.06, height - 0.03), (width - 0.03, 0.06, height - 0.03), (width - 0.03, 0.06, 0.03), (0.03, 0.06, 0.03)
    )
    return ("frame" if is_curtain else "frame_light", bars), ("glass", pane)


def door_parts(make: str, width: float, height: float) -> tuple[tuple[str, Mesh], ...]:
    """Leaf and frame of a door in a gap of this size (origin lower left on the wall axis)."""
    if make == "entrance":
        return window_parts(width, height, "curtain")
    bars = Mesh().box(0.0, -0.07, 0.0, 0.05, 0.07, height, skip="btw")
    bars.box(width - 0.05, -0.07, 0.0, width, 0.07, height, skip="bte")
    bars.box(0.05, -0.07, height - 0.05, width - 0.05, 0.07, height, skip="wet")
    leaf = Mesh().box(0.05, -0.025, 0.0, width - 0.05, 0.025, height - 0.05, skip="b")
    return ("frame_light", bars), ("door_steel" if make == "lift_door" or width > 2 else "door", leaf)
