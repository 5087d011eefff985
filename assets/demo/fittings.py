"""Sensors and other small devices that are part of the building model: bound to the registry by GlobalId."""

from __future__ import annotations

from typing import Any

from assets.demo.blocks import Block
from assets.demo.furnish import Item
from assets.demo.plan import Cell, Storey
from assets.demo.words import USES

#: buildings whose room sensors are modelled in the IFC; the others' are bound by space
MODELLED = frozenset({"a1", "a3", "t1"})


def is_occupied(use: str) -> bool:
    """Whether people work or live in rooms of this use."""
    return USES[use].people_per_m2 >= 0.02


def wants_smoke(block: Block, cell: Cell) -> bool:
    """Whether a room has a smoke detector of its own: all of A3, the larger and riskier elsewhere."""
    if cell.use in ("riser", "lift", "stair", "link", "wc"):
        return False
    if block.id == "a3" or cell.use in (
        "server",
        "datahall",
        "ups",
        "battery",
        "substation",
        "kitchen",
        "corridor",
        "aisle",
    ):
        return True
    if cell.use == "dorm":
        return int(cell.number[-2:]) % 4 == 1
    return cell.area > 62 and is_occupied(cell.use)


def fittings(block: Block, storey: Storey) -> list[Item]:
    """Room sensors, smoke detectors and fan coils of a storey, with their device ids."""
    items: list[Item] = []
    tag = f"{block.id.upper()}-F{storey.number}"
    ceiling = round(storey.height - 0.55, 3)
    for cell in storey.cells:
        x0, y0, x1, y1 = cell.rect
        x, y = cell.middle
        at: dict[str, Any] = {"space": cell.number}
        key = f"{storey.name}/{cell.number}"
        is_large = cell.area > 48 or block.id == "a3"
        if (
            is_large
            and is_occupied(cell.use)
            and cell.use != "lobby"
            and block.program in ("rd", "lab", "tower", "visitor", "canteen")
        ):
            items.append(
                Item(
                    key=f"{key}/fcu",
                    make="fcu",
                    x=round(x + 1.6, 3),
                    y=round(y, 3),
                    z=ceiling - 0.1,
                    name=f"{tag}-FCU-{cell.number}",
                    device="fcu",
                    **at,
                )
            )
        if is_large and block.id in MODELLED and is_occupied(cell.use):
            items.append(
                Item(
                    key=f"{key}/env",
                    make="env_sensor",
                    x=round(x0 + 0.12, 3),
                    y=round(y, 3),
                    z=1.5,
                    quarter=1,
                    name=f"{tag}-ENV-{cell.number}",
                    device="env_sensor",
                    **at,
                )
            )
        if block.id in MODELLED and wants_smoke(block, cell):
            items.append(
                Item(
                    key=f"{key}/smoke",
                    make="smoke",
                    x=round(x, 3),
                    y=round(y, 3),
                    z=ceiling + 0.24,
                    name=f"{tag}-SMK-{cell.number}",
                    device="smoke",
                    **at,
                )
            )
        if cell.use == "corridor" and block.id in MODELLED:
            items.append(
                Item(
                    key=f"{key}/damper",
                    make="damper",
                    x=round(x0 + 2.0, 3),
                    y=round((y0 + y1) / 2, 3),
                    z=ceiling,
                    name=f"{tag}-VAV-{cell.number}",
                )
            )
            items.append(
                Item(
                    key=f"{key}/camera",
                    make="camera",
                    x=round(x1 - 1.0, 3),
                    y=round((y0 + y1) / 2, 3),
                    z=ceiling - 0.2,
                    name=f"{tag}-CAM-{cell.number}",
                    device="camera",
                    **at,
                )
            )
    return items
