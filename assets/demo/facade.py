"""Outside walls of a storey: how windows are spaced by façade kind, and where its entrances are."""

from __future__ import annotations

from dataclasses import dataclass

from assets.demo.plan import EXTERNAL_M, Gap, Storey, Wall


@dataclass(frozen=True, slots=True)
class Facade:
    """Rhythm of a façade: bay width, share that is glass, sill height, what is solid above the glass (metres)."""

    bay: float
    share: float
    sill: float
    head: float
    style: str
    window: str = "window"


FACADES = {
    "ribbon": Facade(3.0, 0.93, 1.0, 0.85, "wall_warm"),
    "ribbon_cool": Facade(3.0, 0.93, 1.0, 0.85, "wall_light"),
    "ribbon_sand": Facade(3.0, 0.93, 1.0, 0.85, "wall_sand"),
    "punched": Facade(3.3, 0.46, 0.95, 0.55, "wall_cream"),
    "punched_grey": Facade(3.2, 0.48, 0.95, 0.75, "wall_grey"),
    "curtain": Facade(3.0, 0.92, 0.35, 0.55, "wall_light", "curtain"),
    "shop": Facade(4.0, 0.90, 0.3, 1.1, "wall_warm", "curtain"),
    "solid": Facade(9.0, 0.0, 0.0, 0.0, "wall_grey"),
    "vent": Facade(6.0, 0.45, 2.6, 0.9, "wall_grey"),
    "high": Facade(6.0, 0.62, 3.2, 2.6, "wall_grey"),
    "deck": Facade(9.0, 0.0, 0.0, 0.0, "wall_grey"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """A way in: which side (s, n, e, w), metres along that side, width, and whether it is the main one."""

    side: str
    at: float
    width: float = 1.2
    height: float = 2.4
    is_main: bool = False


def windows_along(length: float, facade: Facade, height: float, doors: list[Gap]) -> list[Gap]:
    """Windows of one wall, skipping bays that a door takes."""
    if not facade.share:
        return []
    count = max(1, round(length / facade.bay))
    bay = length / count
    width = round(bay * facade.share, 3)
    tall = round(height - facade.sill - facade.head, 3)
    gaps = []
    for k in range(count):
        at = round(k * bay + (bay - width) / 2, 3)
        if all(at + width < d.at - 0.1 or at > d.at + d.width + 0.1 for d in doors):
            gaps.append(Gap(at=at, width=width, sill=facade.sill, height=tall, make=facade.window))
    return gaps


def enclose(storey: Storey, kind: str, entrances: list[Entrance], style: str | None = None) -> None:
    """Put the four outside walls on a storey; decks get a parapet only."""
    x0, y0, x1, y1 = storey.outline
    half = EXTERNAL_M / 2
    facade = FACADES[kind]
    height = 1.15 if kind == "deck" else storey.height
    sides = {
        "s": (x0, y0 + half, x1, y0 + half),
        "e": (x1 - half, y0 + EXTERNAL_M, x1 - half, y1 - EXTERNAL_M),
        "n": (x1, y1 - half, x0, y1 - half),
        "w": (x0 + half, y1 - EXTERNAL_M, x0 + half, y0 + EXTERNAL_M),
    }
    for side, (ax, ay, bx, by) in sides.items():
        length = abs(bx - ax) + abs(by - ay)
        doors = [_door(e, length, storey) for e in entrances if e.side == side]
        if kind == "deck":
            doors = [
                Gap(at=d.at, width=d.width, sill=0.0, height=height, make=d.make if d.width < 2 else "", name=d.name)
                for d in doors
            ]
        gaps = [*doors, *windows_along(length, facade, height, doors)]
        storey.walls.append(
            Wall(
                x0=ax,
                y0=ay,
                x1=bx,
                y1=by,
                thickness=EXTERNAL_M,
                height=height,
                is_external=True,
                gaps=tuple(sorted(gaps, key=lambda g: g.at)),
                style=style or facade.style,
            )
        )


def _door(entrance: Entrance, length: float, storey: Storey) -> Gap:
    make = "entrance" if entrance.is_main else f"door_{round(entrance.width * 10):02d}"
    at = min(max(entrance.at - entrance.width / 2, 0.3), length - entrance.width - 0.3)
    return Gap(
        at=round(at, 3),
        width=entrance.width,
        sill=0.0,
        height=entrance.height,
        make=make,
        name=f"{storey.name}-{entrance.side.upper()}{round(entrance.at):03d}",
    )
