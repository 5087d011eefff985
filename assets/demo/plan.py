"""A storey as a plan: rooms in bands, walls with gaps in them, doors, stairs and lifts. Pure geometry.

Everything is in the building's own frame: metres, x along the length, y along the depth, z up from the storey's floor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from assets.demo.words import OPEN_USES, SEALED_USES, USES

EXTERNAL_M = 0.25
PARTITION_M = 0.12
SLAB_M = 0.25
SHAFT_DEPTH_M = 2.4

Rect = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A room. Its rectangle runs along wall axes (inner faces at the outside walls)."""

    use: str
    number: str
    rect: Rect
    band: int

    @property
    def middle(self) -> tuple[float, float]:
        """The room's centre."""
        x0, y0, x1, y1 = self.rect
        return (x0 + x1) / 2, (y0 + y1) / 2

    @property
    def area(self) -> float:
        """Square metres."""
        x0, y0, x1, y1 = self.rect
        return (x1 - x0) * (y1 - y0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A hole in a wall: from `at` metres along it, with what fills it (a catalogue make, or "" for nothing)."""

    at: float
    width: float
    sill: float
    height: float
    make: str
    name: str = ""
    space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A straight wall on its axis from (x0, y0) to (x1, y1); gaps are measured from its start."""

    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float
    height: float
    is_external: bool
    gaps: tuple[Gap, ...] = ()
    style: str = "partition"

    @property
    def length(self) -> float:
        """Metres along the axis; walls run along x or y."""
        return abs(self.x1 - self.x0) + abs(self.y1 - self.y0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stair:
    """A dog-leg stair in its well: lands `is_north` when the flights stand at the far (north) end of the well."""

    rect: Rect
    number: str
    is_north: bool


@dataclass(slots=True, kw_only=True)
class Storey:
    """One storey: what it is made of, ready to be written and furnished."""

    number: int
    name: str
    elevation: float
    height: float
    outline: Rect
    cells: list[Cell] = field(default_factory=list)
    walls: list[Wall] = field(default_factory=list)
    stairs: list[Stair] = field(default_factory=list)
    lifts: list[Cell] = field(default_factory=list)
    holes: list[Rect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Band:
    """A strip of rooms from y0 to y1: rows are (use, share) lists between fixed x cuts."""

    y0: float
    y1: float
    rows: tuple[tuple[tuple[str, float], ...], ...]
    cuts: tuple[float, ...] = ()  # inner x cuts between the rows

    @property
    def is_corridor(self) -> bool:
        """Whether people pass along it."""
        return self.rows[0][0][0] in ("corridor", "aisle")


def fit(row: tuple[tuple[str, float], ...], x0: float, x1: float) -> list[tuple[str, float, float]]:
    """Rooms side by side that fill x0..x1 exactly: fixed widths first, shares of the rest."""
    fixed = sum(USES[use].width_m for use, share in row if not share)
    shares = sum(share for _, share in row) or 1.0
    rest = x1 - x0 - fixed
    out, x = [], x0
    for use, share in row:
        width = share / shares * rest if share else USES[use].width_m
        out.append((use, round(x, 3), round(x + width, 3)))
        x += width
    last = out[-1]
    out[-1] = (last[0], last[1], round(x1, 3))
    return out


def lay_out(storey: Storey, bands: list[Band]) -> None:
    """Fill a storey with its rooms, partitions, doors, stairs and lifts."""
    x0, _, x1, _ = storey.outline
    inner_x0, inner_x1 = x0 + EXTERNAL_M, x1 - EXTERNAL_M
    rows: list[list[Cell]] = []
    count = 0
    for index, band in enumerate(bands):
        edges = (inner_x0, *band.cuts, inner_x1)
        row: list[Cell] = []
        for part, a, b in zip(band.rows, edges[:-1], edges[1:], strict=True):
            for use, left, right in fit(part, a, b):
                count += 1
                number = f"{storey.number}{count:02d}"
                row.extend(_cells(use, number, (left, band.y0, right, band.y1), index, bands))
        rows.append(row)
    for row in rows:
        storey.cells.extend(row)
    for index in range(len(bands)):
        _cross_walls(storey, rows[index])
        if index + 1 < len(bands):
            _long_wall(storey, bands, rows, index)
    _cores(storey, bands)


def _cells(use: str, number: str, rect: Rect, band: int, bands: list[Band]) -> list[Cell]:
    """One room; a lift cell splits into the shaft at the corridor and the riser behind it."""
    if use != "lift":
        return [Cell(use=use, number=number, rect=rect, band=band)]
    x0, y0, x1, y1 = rect
    if _door_side(band, bands) < 0:  # corridor to the south
        shaft, riser = (x0, y0, x1, y0 + SHAFT_DEPTH_M), (x0, y0 + SHAFT_DEPTH_M, x1, y1)
    else:
        shaft, riser = (x0, y1 - SHAFT_DEPTH_M, x1, y1), (x0, y0, x1, y1 - SHAFT_DEPTH_M)
    return [
        Cell(use="lift", number=number, rect=shaft, band=band),
        Cell(use="riser", number=f"{number}R", rect=riser, band=band),
    ]


def _door_side(band: int, bands: list[Band]) -> int:
    """-1 when a band's doors open to the band south of it, +1 to the north, 0 when neither is a corridor."""
    if band > 0 and bands[band - 1].is_corridor:
        return -1
    if band + 1 < len(bands) and bands[band + 1].is_corridor:
        return 1
    return 0


def _cross_walls(storey: Storey, row: list[Cell]) -> None:
    """Partitions between neighbours of one band, and between a shaft and its riser."""
    height = storey.height - SLAB_M
    for left, right in pairwise(row):
        if left.rect[0] == right.rect[0]:  # shaft and riser of one cell
            y = max(left.rect[1], right.rect[1])
            storey.walls.append(_partition(left.rect[0], y, left.rect[2], y, height))
    seen = set()
    for cell in row:
        x = cell.rect[0]
        if x == row[0].rect[0] or x in seen:
            continue
        seen.add(x)
        y0 = min(c.rect[1] for c in row if c.rect[0] == x)
        y1 = max(c.rect[3] for c in row if c.rect[0] == x)
        before = next(c for c in row if c.rect[2] == x)
        riser = next((c for c in row if c.rect[2] == x and c.use == "riser"), None)
        hatch = (_hatch(storey, riser, y0),) if riser else ()
        if not (cell.use == before.use and cell.use in OPEN_USES):
            storey.walls.append(_partition(x, y0, x, y1, height, hatch))


def _hatch(storey: Storey, riser: Cell, start: float) -> Gap:
    """The inspection door of a riser, in the wall that starts at y = start."""
    return Gap(
        at=round(riser.middle[1] - start - 0.35, 3),
        width=0.7,
        sill=0.0,
        height=1.9,
        make="door_07",
        name=f"{storey.name}-{riser.number}-D1",
        space=riser.number,
    )


def _partition(x0: float, y0: float, x1: float, y1: float, height: float, gaps: tuple[Gap, ...] = ()) -> Wall:
    return Wall(x0=x0, y0=y0, x1=x1, y1=y1, thickness=PARTITION_M, height=height, is_external=False, gaps=gaps)


def _long_wall(storey: Storey, bands: list[Band], rows: list[list[Cell]], index: int) -> None:
    """The wall between band `index` and the one north of it, with the doors of the rooms along it."""
    y = bands[index].y1
    height = storey.height - SLAB_M
    below_is_corridor = bands[index].is_corridor
    room_row = rows[index + 1] if below_is_corridor else rows[index]
    side = -1 if below_is_corridor else 1
    band = index + 1 if below_is_corridor else index
    opens_here = _door_side(band, bands) == side
    cells = [c for c in room_row if (c.rect[1] if below_is_corridor else c.rect[3]) == y]
    cells.sort(key=lambda c: c.rect[0])
    run: list[Cell] = []
    for cell in [*cells, None]:
        if cell is not None and cell.use not in OPEN_USES:
            run.append(cell)
            continue
        if run:
            gaps = tuple(g for c in run if opens_here for g in _doors(c, run[0].rect[0], storey, height))
            storey.walls.append(_partition(run[0].rect[0], y, run[-1].rect[2], y, height, gaps))
        run = []


def _doors(cell: Cell, start: float, storey: Storey, height: float) -> list[Gap]:
    """The doors of one room into the corridor, by its use and size."""
    x0, _, x1, _ = cell.rect
    use = USES[cell.use]
    if cell.use == "riser":
        return []
    name = f"{storey.name}-{cell.number}"
    top = min(2.1 if use.door_m < 2 else 3.6, height - 0.2)
    if cell.use == "lift":
        quarter = (x1 - x0) / 4
        return [
            Gap(
                at=round(x0 - start + k * quarter - 0.55, 3),
                width=1.1,
                sill=0.0,
                height=2.1,
                make="lift_door",
                name=f"{name}-L{k // 2 + 1}",
                space=cell.number,
            )
            for k in (1, 3)
        ]
    make = f"door_{round(use.door_m * 10):02d}"
    width = use.door_m
    spots = [x0 + 0.45] if cell.use not in ("stair",) else [(x0 + x1 - width) / 2]
    if x1 - x0 > 9 and cell.use not in SEALED_USES:
        spots.append(x1 - 0.45 - width)
    return [
        Gap(
            at=round(x - start, 3),
            width=width,
            sill=0.0,
            height=top,
            make=make,
            name=f"{name}-D{k + 1}",
            space=cell.number,
        )
        for k, x in enumerate(spots)
    ]


def _cores(storey: Storey, bands: list[Band]) -> None:
    """Stairs and lifts of the storey."""
    for cell in storey.cells:
        if cell.use == "stair":
            storey.stairs.append(Stair(rect=cell.rect, number=cell.number, is_north=_door_side(cell.band, bands) < 0))
        elif cell.use == "lift":
            storey.lifts.append(cell)


def inner(rect: Rect, by: float = PARTITION_M / 2) -> Rect:
    """A room's clear floor: its rectangle less half a partition all round."""
    x0, y0, x1, y1 = rect
    return x0 + by, y0 + by, x1 - by, y1 - by


def floor_of(cell: Cell, outline: Rect) -> Rect:
    """A room's clear floor; rooms open to the corridor reach right up to it."""
    x0, y0, x1, y1 = inner(cell.rect)
    if cell.use in OPEN_USES:
        y0 = y0 if abs(cell.rect[1] - outline[1] - EXTERNAL_M) < 0.01 else y0 - PARTITION_M
        y1 = y1 if abs(cell.rect[3] - outline[3] + EXTERNAL_M) < 0.01 else y1 + PARTITION_M
    return x0, y0, x1, y1
