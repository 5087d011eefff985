"""What stands in a storey besides walls: furniture, equipment, fittings, each an `Item` of the catalogue at a place."""

from __future__ import annotations

from dataclasses import dataclass

from assets.demo.blocks import Block
from assets.demo.plan import Cell, Storey, inner
from assets.demo.words import SERVICE_USES

#: use → make, pitch along x and y (metres), most pieces in a room
_GRIDS: dict[str, tuple[str, float, float, int]] = {
    "office": ("desk", 2.1, 2.7, 15),
    "lab": ("bench", 3.9, 2.5, 9),
    "test": ("bench", 3.9, 2.6, 6),
    "qc": ("bench", 4.0, 2.6, 8),
    "training": ("table6", 3.2, 2.9, 9),
    "seminar": ("table6", 3.2, 2.9, 6),
    "multi": ("table6", 3.4, 3.1, 12),
    "archive": ("shelf", 3.0, 1.9, 12),
    "store": ("shelf", 3.2, 2.2, 12),
    "server": ("rack", 0.75, 2.4, 20),
    "datahall": ("rack", 0.68, 2.4, 80),
    "ups": ("ups", 1.3, 2.2, 10),
    "battery": ("ups", 1.2, 2.0, 12),
    "dining": ("dining4", 2.4, 2.6, 48),
    "cafe": ("dining4", 2.9, 3.0, 14),
    "kitchen": ("counter", 4.6, 2.4, 12),
    "manager": ("desk", 3.4, 3.6, 1),
    "control": ("desk", 2.4, 2.8, 6),
    "security": ("desk", 2.4, 2.8, 6),
    "ioc": ("desk", 2.4, 2.8, 16),
    "production": ("machine", 9.0, 7.0, 42),
    "exhibition": ("counter", 6.5, 4.6, 6),
    "laundry": ("counter", 4.2, 1.9, 2),
    "meeting": ("meeting8", 5.0, 4.6, 2),
    "pantry": ("counter", 4.4, 3.4, 2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A placed thing: `key` is unique in its building, z metres above the storey's floor, turned by quarter turns."""

    key: str
    make: str
    x: float
    y: float
    z: float = 0.0
    quarter: int = 0
    name: str = ""
    space: str = ""
    device: str = ""  # the kind of device this is, when it is one


def furnish(block: Block, storey: Storey) -> list[Item]:
    """Everything placed in a storey's rooms."""
    items: list[Item] = []
    for cell in storey.cells:
        items.extend(_furniture(storey, cell))
        items.extend(_plant(block, storey, cell))
        if cell.use not in ("lift", "riser", "stair", "link"):
            items.extend(_lights(storey, cell))
    items.extend(_columns(block, storey))
    return items


def _grid(cell: Cell, pitch_x: float, pitch_y: float, most: int) -> list[tuple[float, float]]:
    """Places on a grid inside a room, 1.5 m clear on the door side, centred, at most so many (whole rows first)."""
    x0, y0, x1, y1 = inner(cell.rect, 0.55)
    if cell.band:
        y0 += 1.2
    else:
        y1 -= 1.2
    nx, ny = max(1, int((x1 - x0) / pitch_x + 0.25)), max(1, int((y1 - y0) / pitch_y + 0.25))
    xs = [x0 + (k + 0.5) * (x1 - x0) / nx for k in range(nx)]
    ys = [y0 + (k + 0.5) * (y1 - y0) / ny for k in range(ny)]
    spots = [(x, y) for y in ys for x in xs]
    step = max(1.0, len(spots) / most)
    return [spots[int(k * step)] for k in range(min(most, len(spots)))]


def _furniture(storey: Storey, cell: Cell) -> list[Item]:
    tag = f"{storey.name}/{cell.number}"
    if cell.use == "dorm":
        return _dorm(storey, cell)
    if cell.use in ("lobby", "reception"):
        x, y = cell.middle
        return [
            Item(key=f"{tag}/reception", make="reception", x=x - 2.4, y=y + 1.5, space=cell.number),
            Item(key=f"{tag}/sofa1", make="sofa", x=x + 2.4, y=y + 2.0, space=cell.number),
            Item(key=f"{tag}/sofa2", make="sofa", x=x + 2.4, y=y - 1.2, quarter=2, space=cell.number),
        ]
    if cell.use == "wc":
        x0, y0, x1, y1 = inner(cell.rect, 0.6)
        return [
            Item(key=f"{tag}/basin{k}", make="basin", x=(x0 + x1) / 2, y=y, quarter=2 * k, space=cell.number)
            for k, y in enumerate((y0, y1))
        ] + [
            Item(key=f"{tag}/pan{k}", make="wc_pan", x=x0 + 0.1, y=y0 + 1.2 + k * 1.1, quarter=1, space=cell.number)
            for k in range(3)
        ]
    grid = _GRIDS.get(cell.use)
    if grid is None:
        return []
    make, pitch_x, pitch_y, most = grid
    width, depth = cell.rect[2] - cell.rect[0], cell.rect[3] - cell.rect[1]
    turn = 1 if make == "meeting8" and depth > width else 0
    return [
        Item(key=f"{tag}/{make}{k}", make=make, x=round(x, 3), y=round(y, 3), quarter=turn, space=cell.number)
        for k, (x, y) in enumerate(_grid(cell, pitch_x, pitch_y, most))
    ]


def _dorm(storey: Storey, cell: Cell) -> list[Item]:
    x0, y0, x1, y1 = inner(cell.rect, 0.1)
    far, near = (y1, -1) if cell.band else (y0, 1)
    tag = f"{storey.name}/{cell.number}"
    return [
        Item(key=f"{tag}/bed0", make="bed", x=x0 + 0.5, y=far + near * 1.4, space=cell.number),
        Item(key=f"{tag}/bed1", make="bed", x=x1 - 0.5, y=far + near * 1.4, space=cell.number),
        Item(key=f"{tag}/desk0", make="desk", x=x1 - 0.9, y=far + near * 3.5, quarter=3, space=cell.number),
    ]


def _plant(block: Block, storey: Storey, cell: Cell) -> list[Item]:
    """Equipment of technical rooms; each piece is also a device with a readable id."""
    tag, (x, y) = f"{block.id.upper()}-{storey.name}", cell.middle
    x0, y0, x1, y1 = inner(cell.rect, 0.5)

    def one(make: str, device: str, label: str, k: int, at: tuple[float, float], quarter: int = 0) -> Item:
        name = f"{tag}-{label}-{k:02d}" if device else f"{label} {k:02d}"
        return Item(
            key=f"{storey.name}/{cell.number}/{make}{k}",
            make=make,
            x=round(at[0], 3),
            y=round(at[1], 3),
            quarter=quarter,
            name=name,
            space=cell.number,
            device=device,
        )

    def along(count: int, at_y: float) -> list[tuple[float, float]]:
        return [(x0 + (k + 0.5) * (x1 - x0) / count, at_y) for k in range(count)]

    if cell.use == "ahu":
        first = sum(c.use == "ahu" and c.number < cell.number for c in storey.cells) + 1
        return [one("ahu", "ahu", "AHU", first, (x, y), 1)]
    if cell.use == "elec":
        return [one("board", "", "Distribution board", k + 1, (x0 + 0.3, y0 + 1.5 + k * 1.6), 1) for k in range(2)]
    if cell.use == "cooling":
        third = (y1 - y0) / 3
        return [
            *[one("chiller", "chiller", "CH", k + 1, p, 1) for k, p in enumerate(along(3, y0 + third * 0.85))],
            *[one("pump", "pump", "CHWP", k + 1, p) for k, p in enumerate(along(4, y0 + third * 2.0))],
            *[one("pump", "pump", "CWP", k + 5, p) for k, p in enumerate(along(4, y0 + third * 2.5))],
        ]
    if cell.use == "boiler":
        return [one("exchanger", "", "Heat exchanger", k + 1, p, 1) for k, p in enumerate(along(3, y0 + 3.0))] + [
            one("pump", "pump", "HWP", k + 1, p) for k, p in enumerate(along(3, y0 + 7.0))
        ]
    if cell.use == "pumps":
        return [one("pump", "fire_pump", "FP", k + 1, p) for k, p in enumerate(along(4, y))]
    if cell.use == "substation":
        return [one("transformer", "transformer", "TR", k + 1, p) for k, p in enumerate(along(4, y + 1.5))]
    if cell.use == "ups" and block.program == "datacentre" and storey.number == 1:
        return [one("transformer", "transformer", "TR", int(cell.number[-2:]), (x, y1 - 1.2))]
    return []


def _lights(storey: Storey, cell: Cell) -> list[Item]:
    """Ceiling lights: along a corridor every 9 m, two to six in a room."""
    x0, y0, x1, y1 = cell.rect
    height = storey.height - 0.6
    is_long = cell.use in ("corridor", "aisle", "parking", "production")
    count = max(1, round((x1 - x0) / (9.0 if is_long else 5.0)))
    rows = 1 if is_long or y1 - y0 < 6 or cell.use in SERVICE_USES else 2
    return [
        Item(
            key=f"{storey.name}/{cell.number}/light{j}{k}",
            make="light",
            x=round(x0 + (k + 0.5) * (x1 - x0) / count, 3),
            y=round(y0 + (j + 0.5) * (y1 - y0) / rows, 3),
            z=height,
            space=cell.number,
        )
        for j in range(rows)
        for k in range(count)
    ]


def _columns(block: Block, storey: Storey) -> list[Item]:
    """Concrete columns along both sides of the corridors every 8 to 9 m, standing against partitions."""
    if block.program == "gatehouse":
        return []
    items = []
    lines = sorted({y for c in storey.cells if c.use in ("corridor", "aisle") for y in (c.rect[1], c.rect[3])})
    x0, _, x1, _ = storey.outline
    count = max(2, round((x1 - x0) / 8.6))
    blocked = [(c.rect[0] - 0.4, c.rect[2] + 0.4) for c in storey.cells if c.use in ("lift", "stair", "link")]
    for j, y in enumerate(lines):
        for k in range(1, count):
            x = round(x0 + k * (x1 - x0) / count, 3)
            if not any(a < x < b for a, b in blocked) and not _meets_gap(storey, x, y):
                items.append(Item(key=f"{storey.name}/column{j}-{k}", make="column", x=x, y=y))
    return items


def _meets_gap(storey: Storey, x: float, y: float) -> bool:
    """Whether a column at (x, y) would stand in a doorway."""
    return any(
        wall.y0 == wall.y1 == y and any(wall.x0 + g.at - 0.4 < x < wall.x0 + g.at + g.width + 0.4 for g in wall.gaps)
        for wall in storey.walls
        if not wall.is_external
    )
