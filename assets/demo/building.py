"""One building of the sample park as an IFC4 file: storeys, rooms, walls, windows, doors, stairs, furniture, plant."""

from __future__ import annotations

import math
from pathlib import Path

from assets.demo import roofs
from assets.demo.blocks import CRS, ORIGIN, PARK_NAME, Block
from assets.demo.fittings import fittings
from assets.demo.furnish import Item, furnish
from assets.demo.ifcmodel import Entity, Model, guid_of
from assets.demo.meshes import Mesh
from assets.demo.parts import filling_map, flight_maps, slab_map, space_map, thing, wall_map
from assets.demo.plan import SLAB_M, Cell, Gap, Storey, Wall, floor_of, inner
from assets.demo.programs import STAIR_LANDING_M, STAIR_RUN_M, storeys_of
from assets.demo.words import SEALED_USES, USES, storey_name_zh

_QUARTERS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


def write_building(block: Block, path: Path) -> None:
    """Write a building's IFC4 file; metres, its origin at the south-west corner of its ground floor."""
    model = Model(block.id)
    building, place = _spine(model, block)
    storeys = storeys_of(block)
    entities = []
    for storey in storeys:
        entity = _storey_entity(model, place, storey.name, storey_name_zh(storey.number), storey.elevation)
        entities.append(entity)
        model.storey_heights[storey.name] = round(storey.height - SLAB_M, 3)
        _write_storey(model, block, storey, entity)
    roof = _storey_entity(model, place, "RF", "屋面", block.roof_level)
    entities.append(roof)
    roofs.write_roof(model, block, storeys, roof)
    _write_lifts(model, block, storeys, entities[0])
    model.aggregate(building, entities, "storeys")
    model.finish(path)


def _spine(model: Model, block: Block) -> tuple[Entity, Entity]:
    """Project, site and building; a georeferenced building carries an IfcMapConversion."""
    new = model.file.create_entity
    project = new(
        "IfcProject",
        guid_of(block.id, "project"),
        None,
        f"{PARK_NAME} {block.id.upper()}",
        None,
        None,
        None,
        None,
        [model.model],
        model.units,
    )
    site = new(
        "IfcSite",
        guid_of(block.id, "site"),
        None,
        PARK_NAME,
        None,
        None,
        model.placement(None, (0, 0, 0)),
        None,
        None,
        "ELEMENT",
        None,
        None,
        0.0,
        None,
        None,
    )
    place = model.placement(site.ObjectPlacement, (0, 0, 0))
    building = new(
        "IfcBuilding",
        guid_of(block.id, "building"),
        None,
        block.id.upper(),
        block.name,
        block.program,
        place,
        None,
        block.name_zh,
        "ELEMENT",
        0.0,
        None,
        None,
    )
    model.aggregate(project, [site], "project")
    model.aggregate(site, [building], "site")
    model.properties(
        "Pset_BuildingCommon",
        {"Reference": block.id.upper(), "NumberOfStoreys": block.storeys, "IsLandmarked": False},
        building,
    )
    if block.is_georeferenced:
        crs = new("IfcProjectedCRS", CRS, "CGCS2000 / 3-degree Gauss-Kruger CM 120E", None, None, None, None, None)
        turn = math.radians(block.turn_deg)
        new(
            "IfcMapConversion",
            model.model,
            crs,
            block.x + ORIGIN[0],
            block.y + ORIGIN[1],
            ORIGIN[2],
            math.cos(turn),
            math.sin(turn),
            1.0,
        )
    return building, place


def _storey_entity(model: Model, place: Entity, name: str, name_zh: str, elevation: float) -> Entity:
    return model.file.create_entity(
        "IfcBuildingStorey",
        guid_of(model.building, f"storey/{name}"),
        None,
        name,
        None,
        None,
        model.placement(place, (0.0, 0.0, elevation)),
        None,
        name_zh,
        "ELEMENT",
        elevation,
    )


def _write_storey(model: Model, block: Block, storey: Storey, entity: Entity) -> None:
    spaces = {cell.number: _space(model, block, storey, entity, cell) for cell in storey.cells}
    model.aggregate(entity, list(spaces.values()), f"spaces/{storey.name}")
    _slab(model, storey, entity)
    for number, wall in enumerate(storey.walls):
        _wall(model, storey, entity, number, wall)
    for number, stair in enumerate(storey.stairs):
        if storey.number < block.storeys:
            _stair(model, storey, entity, number, stair.rect, stair.is_north)
    for item in [*furnish(block, storey), *fittings(block, storey)]:
        write_item(model, entity, item)
    _services(model, storey, entity)


def _space(model: Model, block: Block, storey: Storey, entity: Entity, cell: Cell) -> Entity:
    use, rect = USES[cell.use], floor_of(cell, storey.outline)
    height = round(storey.height - SLAB_M, 3)
    place = model.placement(entity.ObjectPlacement, (rect[0], rect[1], 0.0))
    space = model.product(
        "IfcSpace",
        f"{storey.name}/space/{cell.number}",
        cell.number,
        place,
        space_map(model, rect, height),
        use.name_zh,
        "ELEMENT",
        "PARKING" if cell.use == "parking" else "INTERNAL",
        None,
        description=use.name,
        object_type=cell.use,
    )
    area = (rect[2] - rect[0]) * (rect[3] - rect[1])
    model.properties(
        "Pset_SpaceCommon",
        {
            "Reference": cell.use,
            "IsExternal": False,
            "PubliclyAccessible": cell.use in ("lobby", "exhibition", "cafe"),
            "HandicapAccessible": cell.use not in SEALED_USES and cell.use != "stair",
        },
        space,
    )
    model.properties(
        "Pset_SpaceOccupancyRequirements",
        {"OccupancyType": use.name, "OccupancyNumber": int(area * use.people_per_m2 + 0.5)},
        space,
    )
    model.quantities(
        "Qto_SpaceBaseQuantities",
        {"NetFloorArea": area, "GrossFloorArea": cell.area},
        {"Height": height},
        space,
        f"{storey.name}/{cell.number}",
    )
    return space


def _slab(model: Model, storey: Storey, entity: Entity) -> None:
    place = model.placement(entity.ObjectPlacement, (0.0, 0.0, 0.0))
    kind = "BASESLAB" if storey.number == 1 else "FLOOR"
    slab = model.product(
        "IfcSlab",
        f"{storey.name}/slab",
        f"{storey.name} floor",
        place,
        slab_map(model, inner(storey.outline, 0.03), storey.holes, SLAB_M, "slab"),
        None,
        kind,
    )
    model.contain(entity, slab)
    model.properties("Pset_SlabCommon", {"IsExternal": False, "LoadBearing": True, "FireRating": "REI 90"}, slab)


def _wall(model: Model, storey: Storey, entity: Entity, number: int, wall: Wall) -> None:
    turn = ((wall.x1 - wall.x0) / wall.length, (wall.y1 - wall.y0) / wall.length)
    place = model.placement(entity.ObjectPlacement, (wall.x0, wall.y0, 0.0), turn)
    kind = "PARAPET" if wall.is_external and wall.height < 1.5 else "STANDARD" if wall.is_external else "PARTITIONING"
    body = model.product(
        "IfcWall",
        f"{storey.name}/wall/{number}",
        f"{'External wall' if wall.is_external else 'Partition'} {storey.name}-{number:03d}",
        place,
        wall_map(model, wall),
        None,
        kind,
    )
    model.contain(entity, body)
    model.properties(
        "Pset_WallCommon",
        {
            "IsExternal": wall.is_external,
            "LoadBearing": wall.is_external,
            "FireRating": "REI 120" if wall.is_external else "EI 60",
        },
        body,
    )
    for k, gap in enumerate(wall.gaps):
        if gap.make:
            _filling(model, storey, entity, (number, k), wall, gap, turn)


def door_key(storey: Storey, gap: Gap) -> str:
    """The key a named door has in its building; its GlobalId follows from it."""
    return f"{storey.name}/door/{gap.name}"


def _filling(
    model: Model, storey: Storey, entity: Entity, at: tuple[int, int], wall: Wall, gap: Gap, turn: tuple[float, float]
) -> None:
    source, kind = filling_map(model, gap)
    is_window = gap.sill > 0
    inset = -wall.thickness / 2 + 0.08 if is_window or gap.make == "entrance" else 0.0
    dx, dy = turn
    x, y = wall.x0 + dx * gap.at - dy * inset, wall.y0 + dy * gap.at + dx * inset
    place = model.placement(entity.ObjectPlacement, (x, y, gap.sill), turn)
    if is_window:
        body = model.product(
            "IfcWindow",
            f"{storey.name}/window/{at[0]}/{at[1]}",
            f"Window {storey.name}-{at[0]:02d}-{at[1]:02d}",
            place,
            source,
            None,
            gap.height,
            gap.width,
            "WINDOW",
            "SINGLE_PANEL",
            None,
        )
        model.typed(kind, "IfcWindowType", f"Window {gap.width:.2f} × {gap.height:.2f} m", source, None, body)
    else:
        body = model.product(
            "IfcDoor",
            door_key(storey, gap),
            f"Door {gap.name}",
            place,
            source,
            None,
            gap.height,
            gap.width,
            "DOOR",
            "SINGLE_SWING_RIGHT",
            None,
            object_type=gap.make,
        )
        model.typed(kind, "IfcDoorType", f"Door {gap.width:.2f} × {gap.height:.2f} m", source, None, body)
        model.properties(
            "Pset_DoorCommon",
            {"IsExternal": wall.is_external, "FireExit": wall.is_external or gap.make == "door_12"},
            body,
        )
    model.contain(entity, body)


def _stair(
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


def write_item(model: Model, entity: Entity, item: Item) -> None:
    """A catalogue thing at its place in a storey."""
    make, source = thing(model, item.make) if item.make != "column" else (None, None)
    place = model.placement(
        entity.ObjectPlacement, (item.x, item.y, item.z), _QUARTERS[item.quarter % 4] if item.quarter % 4 else None
    )
    if make is None:
        body = model.product("IfcColumn", item.key, f"Column {item.key}", place, _column_map(model, entity), None, "COLUMN")
    else:
        rest = [None, make.predefined] if make.cls != "IfcBuildingElementProxy" else [None, "USERDEFINED"]
        body = model.product(
            make.cls,
            item.key,
            item.name or make.name,
            place,
            source,
            *rest,
            object_type={"fcu": "FCU", "machine": "Production cell"}.get(item.make),
        )
        model.typed(item.make, make.type_cls, make.name, source, make.predefined, body)
    model.contain(entity, body)


def _column_map(model: Model, entity: Entity) -> Entity:
    height = model.storey_heights.get(entity.Name, 3.5)
    return model.mesh_map(("column", height), [("column", Mesh().box(-0.25, -0.25, 0.0, 0.25, 0.25, height, skip="bt"))])


def _services(model: Model, storey: Storey, entity: Entity) -> None:
    """A supply duct, a sprinkler main and a chilled water main under the ceiling of each corridor."""
    top = storey.height - SLAB_M
    for cell in storey.cells:
        if cell.use not in ("corridor", "aisle"):
            continue
        x0, y0, x1, y1 = inner(cell.rect, 0.4)
        length = round(x1 - x0, 3)
        rows = (
            (
                "IfcDuctSegment",
                "duct",
                (y0 + y1) / 2,
                top - 0.55,
                [("duct", Mesh().box(0, -0.35, 0, length, 0.35, 0.4))],
                "RIGIDSEGMENT",
            ),
            ("IfcPipeSegment", "sprinkler", y0, top - 0.15, [("pipe_red", Mesh().tube(length, 0.06))], "RIGIDSEGMENT"),
            ("IfcPipeSegment", "chilled", y1, top - 0.2, [("pipe_blue", Mesh().tube(length, 0.09))], "RIGIDSEGMENT"),
        )
        for cls, label, y, z, parts, kind in rows:
            source = model.mesh_map((label, length), parts)
            body = model.product(
                cls,
                f"{storey.name}/{cell.number}/{label}",
                f"{label.capitalize()} {storey.name}-{cell.number}",
                model.placement(entity.ObjectPlacement, (x0, y, round(z, 3))),
                source,
                None,
                kind,
            )
            model.contain(entity, body)


def _write_lifts(model: Model, block: Block, storeys: tuple[Storey, ...], ground: Entity) -> None:
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
