"""What is in each storey of each kind of building: the bands of rooms, the façade and the entrances."""

from __future__ import annotations

from functools import cache

from assets.demo.blocks import Block
from assets.demo.facade import Entrance, enclose
from assets.demo.plan import EXTERNAL_M, Band, Rect, Storey, fit, lay_out
from assets.demo.words import USES

Row = tuple[tuple[str, float], ...]


def _row(text: str) -> Row:
    """'stair office*1.6 meeting' → rooms with their shares; uses with a fixed width have share 0."""
    out = []
    for word in text.split():
        use, _, share = word.partition("*")
        out.append((use, float(share) if share else (0.0 if USES[use].width_m else 1.0)))
    return tuple(out)


#: program → rows south and north of the corridor: for the ground floor, then for the storeys above (taken in turn)
_ROWS: dict[str, tuple[tuple[str, str], ...]] = {
    "rd": (
        (
            "seminar multi*1.6 pantry*.7 lobby*1.5 elec training*1.2 stair",
            "stair exhibition*1.6 meeting lift wc ahu server*1.2 archive security*.8",
        ),
        (
            "seminar multi*1.6 pantry*.7 lab*1.2 elec test training*1.2 stair",
            "stair office*1.6 meeting lab*1.2 lift wc ahu server*1.2 archive manager*.8",
        ),
        (
            "office*1.8 meeting*.8 pantry*.7 office*1.6 elec meeting*.8 manager*.7 stair",
            "stair office*1.7 lab*1.3 lift wc ahu office*1.6 test",
        ),
    ),
    "lab": (
        ("lab*1.3 lobby elec lab*1.2 stair", "stair store*.8 lift wc ahu meeting lab*1.3"),
        ("lab*1.3 test elec lab*1.3 stair", "stair office*1.2 lift wc ahu meeting*.8 lab*1.3"),
    ),
    "datacentre": (
        ("datahall*2 ups*.8 elec battery*.6 stair", "stair lobby*.6 control*.8 lift ahu ahu ahu store*.8 ups*.8 wc"),
        ("datahall*2 datahall*2 elec stair", "stair control*.7 lift ahu ahu ahu ahu ups battery*.7"),
    ),
    "energy": (
        ("cooling*2.4 boiler*1.1 stair", "stair substation*1.7 elec pumps*1.2 lobby*.6 wc"),
        ("control office store*.8 stair", "stair meeting elec store*1.2 archive wc"),
    ),
    "canteen": (
        ("dining*2 lobby*.8 dining*1.4 stair", "stair kitchen*2 store*.6 lift wc ahu"),
        ("dining*1.6 cafe dining*1.2 stair", "stair kitchen*1.2 meeting*.8 lift wc ahu"),
    ),
    "dorm": (
        (
            "dorm dorm dorm dorm dorm dorm lobby*1.6 laundry dorm dorm dorm dorm dorm stair",
            "stair dorm dorm dorm dorm dorm dorm lift wc elec dorm dorm dorm dorm",
        ),
        (
            "dorm dorm dorm dorm dorm dorm pantry*1.2 dorm dorm dorm dorm dorm dorm stair",
            "stair dorm dorm dorm dorm dorm dorm lift laundry*.8 elec dorm dorm dorm dorm",
        ),
    ),
    "visitor": (
        ("exhibition*2 lobby reception*.9", "stair store*.8 cafe*1.2 wc elec"),
        ("ioc*2 meeting security*.9", "stair manager meeting*1.2 wc elec"),
    ),
    "gatehouse": (("security reception", ""),),
    "hall": (("production", "stair office qc*1.2 elec production*8 ahu store*1.4 wc stair"),),
    "deck": (("parking", "stair parking lift elec"),),
}
_DEPTHS = {"energy": 0.52, "canteen": 0.62, "hall": 0.5, "visitor": 0.55, "datacentre": 0.6}
_CORRIDOR = {"dorm": 1.9, "hall": 5.0, "deck": 6.5, "rd": 2.6, "datacentre": 3.0, "gatehouse": 1.6}

_TOWER_CORE = _row("link stair lift lift wc*1 ahu elec stair link")
_TOWER_OFFSET = (14.0, 8.0)
_TOWER_SIZE = (32.0, 30.0)
_TOWER_BAND, _TOWER_CORRIDOR = 8.5, 2.2
PODIUM_STOREYS = 3


@cache
def storeys_of(block: Block) -> tuple[Storey, ...]:
    """Every storey of a building, bottom up, laid out and enclosed."""
    return tuple(_storey(block, index) for index in range(block.storeys))


def outline_of(block: Block, index: int) -> Rect:
    """The outside rectangle of a storey in the building's frame."""
    if block.program == "tower" and index >= PODIUM_STOREYS:
        (x, y), (w, d) = _TOWER_OFFSET, _TOWER_SIZE
        return x, y, x + w, y + d
    return 0.0, 0.0, block.length, block.width


def _storey(block: Block, index: int) -> Storey:
    elevation = block.elevation(index)
    storey = Storey(
        number=index + 1,
        name=f"{index + 1}F",
        elevation=elevation,
        height=round(block.elevation(index + 1) - elevation, 3),
        outline=outline_of(block, index),
    )
    bands = _tower_bands(block, index) if block.program == "tower" else _bands(block, index)
    lay_out(storey, bands)
    kind = (
        "shop"
        if block.program == "tower" and index == 0
        else "ribbon"
        if block.program == "tower" and index < PODIUM_STOREYS
        else block.facade
    )
    style = "wall_light" if block.program == "tower" else None
    enclose(storey, kind, _entrances(block, storey, bands) if index == 0 else [], style)
    _holes(storey, index, block)
    return storey


def _bands(block: Block, index: int) -> list[Band]:
    rows = _ROWS[block.program]
    south, north = rows[0] if index == 0 else rows[1 + (index - 1) % (len(rows) - 1)] if len(rows) > 1 else rows[0]
    corridor = _CORRIDOR.get(block.program, 2.4)
    y0, y1 = EXTERNAL_M, block.width - EXTERNAL_M
    if not north:
        return [Band(y0, y1 - corridor, (_row(south),)), Band(y1 - corridor, y1, (_row("corridor*1"),))]
    split = round(y0 + (y1 - y0 - corridor) * _DEPTHS.get(block.program, 0.5), 3)
    aisle = "aisle*1" if block.program in ("hall", "deck") else "corridor*1"
    return [
        Band(y0, split, (_row(south),)),
        Band(split, split + corridor, (_row(aisle),)),
        _over_the_shaft(Band(split + corridor, y1, (_row(north),)), rows[0][1], block.length),
    ]


def _over_the_shaft(band: Band, ground: str, length: float) -> Band:
    """The same band with its lift shaft where the ground floor has it."""
    row = band.rows[0]
    at = [k for k, (use, _) in enumerate(row) if use == "lift"]
    if not at or len(row) == at[0] + 2:
        return band
    x0, x1 = EXTERNAL_M, length - EXTERNAL_M
    left, right = next((a, b) for use, a, b in fit(_row(ground), x0, x1) if use == "lift")
    return Band(band.y0, band.y1, (row[: at[0]], row[at[0] : at[0] + 1], row[at[0] + 1 :]), (left, right))


def _tower_bands(block: Block, index: int) -> list[Band]:
    _, y0, _, y1 = outline_of(block, index)
    core = _TOWER_OFFSET[1] + EXTERNAL_M + _TOWER_BAND
    lines = [
        core,
        core + _TOWER_CORRIDOR,
        core + _TOWER_CORRIDOR + _TOWER_BAND,
        core + 2 * _TOWER_CORRIDOR + _TOWER_BAND,
    ]
    corridor = (_row("corridor*1"),)
    if index >= PODIUM_STOREYS:
        south, north = (
            ("office*2 meeting*.7 office*1.6 manager*.6", "office*1.7 pantry*.5 office*1.7 meeting*.7"),
            ("office*1.6 meeting*.6 training office*1.4", "manager*.5 seminar*.8 office*2 meeting*.7"),
            ("office*3 meeting*.8 meeting*.8", "office*2.6 pantry*.6 office*1.4"),
        )[index % 3]
        middle: tuple[Row, ...] = (_TOWER_CORE,)
        cuts: tuple[float, ...] = ()
    else:
        south, north = (
            ("cafe lobby*1.8 exhibition*1.4", "security*.5 store*.6 multi*1.4 reception*.8"),
            ("training multi*1.5 office*1.6", "office*1.4 seminar*.8 office*1.4"),
            ("ioc*1.4 office*1.8 meeting*.7", "office*1.5 server*.7 office*1.4"),
        )[index]
        left, right = (("store", "archive"), ("meeting", "pantry"), ("server", "meeting"))[index]
        middle = (_row(f"{left}*1"), _TOWER_CORE, _row(f"{right}*1"))
        cuts = (_TOWER_OFFSET[0] + EXTERNAL_M, _TOWER_OFFSET[0] + _TOWER_SIZE[0] - EXTERNAL_M)
    return [
        Band(y0 + EXTERNAL_M, lines[0], (_row(south),)),
        Band(lines[0], lines[1], corridor),
        Band(lines[1], lines[2], middle, cuts),
        Band(lines[2], lines[3], corridor),
        Band(lines[3], y1 - EXTERNAL_M, (_row(north),)),
    ]


def _entrances(block: Block, storey: Storey, bands: list[Band]) -> list[Entrance]:
    """The main entrance at the lobby (or nearest public room), fire exits at both ends of every corridor."""
    ways = []
    if block.program not in ("hall", "deck"):
        front = next((c for c in storey.cells if c.use in ("lobby", "reception") and c.band == 0), None)
        front = front or next((c for c in storey.cells if c.use == "lobby"), storey.cells[0])
        middle = front.middle[0]
        if front.band == 0:
            ways.append(Entrance(side="s", at=middle - storey.outline[0], width=3.6, height=3.0, is_main=True))
        else:
            ways.append(Entrance(side="n", at=storey.outline[2] - middle, width=2.4, height=2.6, is_main=True))
    for band in bands:
        if band.is_corridor:
            y = (band.y0 + band.y1) / 2
            width = {"hall": 4.2, "deck": 6.0}.get(block.program, 1.4)
            height = 4.2 if block.program == "hall" else 2.3
            ways.append(Entrance(side="w", at=storey.outline[3] - EXTERNAL_M - y, width=width, height=height))
            if block.program != "gatehouse":
                ways.append(Entrance(side="e", at=y - storey.outline[1] - EXTERNAL_M, width=width, height=height))
    if block.program == "deck":
        ways += [Entrance(side="s", at=x) for x in (16.0, 42.0)]
    if block.program == "hall":
        ways += [Entrance(side="s", at=x, width=4.2, height=4.2) for x in (24.0, 70.0, 116.0)]
    return ways


def _holes(storey: Storey, index: int, block: Block) -> None:
    """Where the floor is left out: the stair flights from below and the lift shafts (not in the ground slab)."""
    if index == 0:
        return
    for stair in storey.stairs:
        storey.holes.append(stair_hole(stair.rect, stair.is_north))
    storey.holes.extend((c.rect[0] + 0.1, c.rect[1] + 0.1, c.rect[2] - 0.1, c.rect[3] - 0.1) for c in storey.lifts)


#: length along y that the two flights and the half landing need
STAIR_RUN_M, STAIR_LANDING_M = 3.6, 1.4


def stair_hole(rect: Rect, is_north: bool) -> Rect:
    """The opening above a stair: its well less the upper landing."""
    x0, y0, x1, y1 = rect
    span = STAIR_RUN_M + STAIR_LANDING_M
    return (x0 + 0.1, y1 - span, x1 - 0.1, y1 - 0.1) if is_north else (x0 + 0.1, y0 + 0.1, x1 - 0.1, y0 + span)
