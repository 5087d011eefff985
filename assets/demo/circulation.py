"""Stairs and lifts of a building."""

from __future__ import annotations

from assets.demo.blocks import Block
from assets.demo.ifcmodel import Entity, Model, guid_of
from assets.demo.meshes import Mesh
from assets.demo.parts import flight_maps
from assets.demo.plan import Storey, inner
from assets.demo.programs import STAIR_LANDING_M, STAIR_RUN_M, storeys_of


def write_stair(
    model: Model, storey: Storey, entity: Entity, number: int, rect: tuple[float, float, float, float], is_north: bool
) -> None:
    """Two flights and a half landing; the first flight climbs away from the corridor, the second comes back."""
    x0, y0, x1, y1 = inner(rect, 0.1)
    width = round(x1 - x0, 3)
    flight, landing = flight_maps(model, width, storey.height)
    here = entity.ObjectPlacement
    middle = storey.height / 2
    start = y1 - STAIR_LANDING_M - STAIR_RUN_M + 0.2 if is_north else y0 + STAIR_LANDING_M + STAIR_RUN_M - 0.2
    turn = STAIR_RUN_M - 0.2
    if is_north:
        ups = (((x0, start, 0.0), (1.0, 0.0)), ((x1, start + turn, middle), (-1.0, 0.0)))
        rest = (x0, y1 - STAIR_LANDING_M, middle)
    else:
        ups = (((x1, start, 0.0), (-1.0, 0.0)), ((x0, start - turn, middle), (1.0, 0.0)))
        rest = (x0, y0, middle)
    key = f"{storey.name}/stair/{number}"
    stair = model.file.create_entity(
        "IfcStair",
        guid_of(model.building, key),
        None,
        f"Stair {storey.name}-{number + 1}",
        None,
        None,
        model.placement(here, (0.0, 0.0, 0.0)),
        None,
        None,
        "HALF_TURN_STAIR",
    )
    risers = 2 * max(8, round(middle / 0.168))
    flights = [
        model.product(
            "IfcStairFlight",
            f"{key}/flight{k}",
            f"Flight {k + 1}",
            model.placement(here, at, axis),
            flight,
            None,
            risers // 2,
            risers // 2 - 1,
            round(storey.height / risers, 4),
            0.28,
            "STRAIGHT",
        )
        for k, (at, axis) in enumerate(ups)
    ]
    flights.append(
        model.product("IfcSlab", f"{key}/landing", "Half landing", model.placement(here, rest), landing, None, "LANDING")
    )
    model.aggregate(stair, flights, key)
    model.contain(entity, stair)
    model.properties("Pset_StairCommon", {"NumberOfRiser": risers, "FireExit": True}, stair)


def write_lifts(model: Model, block: Block, storeys: tuple[Storey, ...], ground: Entity) -> None:
    """Each lift as one element: a car at the ground floor and guide rails up its whole shaft."""
    for name, key, x, y, top in lifts_of(block):
        car = Mesh().box(-0.9, -0.85, 0.05, 0.9, 0.85, 2.35)
        rails = Mesh().box(-1.05, -0.05, 0.0, -0.97, 0.05, top, skip="b").box(0.97, -0.05, 0.0, 1.05, 0.05, top, skip="b")
        source = model.mesh_map(("lift", top), [("steel", car), ("dark", rails)])
        body = model.product(
            "IfcTransportElement",
            key,
            name,
            model.placement(ground.ObjectPlacement, (x, y, 0.0)),
            source,
            None,
            "ELEVATOR",
        )
        model.contain(ground, body)


def lifts_of(block: Block) -> list[tuple[str, str, float, float, float]]:
    """(name, key, x, y, top of the shaft in metres) of every lift; two stand side by side in each shaft cell."""
    ground = storeys_of(block)[0]
    top = round(block.elevation(block.storeys - 1) + 2.6, 2)
    out = []
    for n, cell in enumerate(ground.lifts):
        x0, _, x1, _ = cell.rect
        for k in range(2):
            number = 2 * n + k + 1
            out.append(
                (
                    f"{block.id.upper()}-LIFT-{number:02d}",
                    f"lift/{number}",
                    round(x0 + (2 * k + 1) * (x1 - x0) / 4, 3),
                    cell.middle[1],
                    top,
                )
            )
    return out
