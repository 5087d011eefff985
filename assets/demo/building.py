"""One building of the sample park as an IFC4 file: storeys, rooms, walls, windows, doors, stairs, furniture, plant."""

from __future__ import annotations

import math
from pathlib import Path

from assets.demo import roofs
from assets.demo.blocks import CRS, ORIGIN, PARK_NAME, Block
from assets.demo.circulation import write_lifts, write_stair
from assets.demo.equipment import write_item, write_services
from assets.demo.fittings import fittings
from assets.demo.furnish import furnish
from assets.demo.ifcmodel import Entity, Model, guid_of
from assets.demo.parts import filling_map, slab_map, space_map, wall_map
from assets.demo.plan import SLAB_M, Cell, Gap, Storey, Wall, floor_of, inner
from assets.demo.programs import storeys_of
from assets.demo.words import SEALED_USES, USES, storey_name_zh


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
    write_lifts(model, block, storeys, entities[0])
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
            write_stair(model, storey, entity, number, stair.rect, stair.is_north)
    for item in [*furnish(block, storey), *fittings(block, storey)]:
        write_item(model, entity, item)
    write_services(model, storey, entity)


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
