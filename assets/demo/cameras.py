"""Cameras where people and goods pass: corridors from both ends, lobbies, halls, decks; each with its heading.

Nobody watches offices, meeting rooms or bedrooms. A heading is degrees clockwise from grid north, as the registry wants it.
"""

from __future__ import annotations

import math
from typing import Any

from assets.demo.blocks import Block
from assets.demo.plan import Cell, Storey
from assets.demo.registry_row import Row, floor_tag, room_names

WATCHED = frozenset({
    "lobby", "reception", "exhibition", "dining", "cafe", "production", "parking", "datahall", "server", "multi",
})
ENDS = frozenset({"corridor", "aisle"})
APART_M, LONG_M, BELOW_CEILING_M, OFF_WALL_M = 20.0, 24.0, 0.8, 0.6


def heading(dx: float, dy: float) -> float:
    """Degrees clockwise from grid north of a direction in the park frame."""
    return round(math.degrees(math.atan2(dx, dy)) % 360.0, 1)


def looking(block: Block, dx: float, dy: float) -> float:
    """The heading of a direction in a building's own frame."""
    turn = math.radians(block.turn_deg)
    return heading(dx * math.cos(turn) - dy * math.sin(turn), dx * math.sin(turn) + dy * math.cos(turn))


def room_cameras(block: Block, storey: Storey, modelled: set[tuple[str, str]]) -> list[Row]:
    """The cameras of a storey that are bound by place; corridors whose camera is in the model only get their far end."""
    rows: list[Row] = []
    for cell in storey.cells:
        first = int(("camera", cell.number) in modelled)
        if cell.use in ENDS:
            spots = _ends(cell)[first:]
        elif cell.use in WATCHED and cell.area > 20.0:
            spots = _along_walls(cell)
        else:
            continue
        rows.extend(_row(block, storey, cell, k, *spot) for k, spot in enumerate(spots, first))
    return rows


def _ends(cell: Cell) -> list[tuple[float, float, float, float]]:
    """(x, y, dx, dy) at both ends of a corridor, each looking along it; a short one has the first alone."""
    x0, y0, x1, y1 = cell.rect
    if x1 - x0 >= y1 - y0:
        ends = [(x1 - 1.0, (y0 + y1) / 2, -1.0, 0.0), (x0 + 1.0, (y0 + y1) / 2, 1.0, 0.0)]
    else:
        ends = [((x0 + x1) / 2, y1 - 1.0, 0.0, -1.0), ((x0 + x1) / 2, y0 + 1.0, 0.0, 1.0)]
    return ends if max(x1 - x0, y1 - y0) >= LONG_M else ends[:1]


def _along_walls(cell: Cell) -> list[tuple[float, float, float, float]]:
    """(x, y, dx, dy) along the long walls of a room, by turns from one side and the other, looking across."""
    x0, y0, x1, y1 = cell.rect
    is_wide = x1 - x0 >= y1 - y0
    length = x1 - x0 if is_wide else y1 - y0
    count = max(1, math.ceil(length / APART_M))
    spots = []
    for k in range(count):
        along = (k + 0.5) * length / count
        near = k % 2 == 0
        if is_wide:
            spots.append((x0 + along, y0 + OFF_WALL_M if near else y1 - OFF_WALL_M, 0.0, 1.0 if near else -1.0))
        else:
            spots.append((x0 + OFF_WALL_M if near else x1 - OFF_WALL_M, y0 + along, 1.0 if near else -1.0, 0.0))
    return spots


def _row(block: Block, storey: Storey, cell: Cell, number: int, x: float, y: float, dx: float, dy: float) -> Row:
    room, room_zh = room_names(block, storey, cell)
    px, py = block.park_from_local(x, y)
    named: dict[str, Any] = {"place": room, "place_zh": room_zh}
    if number:
        named = {"place": f"{room} {number + 1}", "place_zh": f"{room_zh}{number + 1} 号"}
    return Row(id=f"{floor_tag(block, storey)}-CAM-{cell.number}" + (f"-{number + 1}" if number else ""), kind="camera",
               building=block.id, storey=storey.name, space=cell.number, heading=looking(block, dx, dy),
               at=(px, py, storey.elevation + storey.height - BELOW_CEILING_M), **named)
