"""The devices inside the buildings: storey by storey, room by room, door by door."""

from __future__ import annotations

from typing import Any

from assets.demo.blocks import Block
from assets.demo.building import door_key
from assets.demo.cameras import looking, room_cameras
from assets.demo.circulation import lifts_of
from assets.demo.fittings import MODELLED, fittings, is_occupied, wants_smoke
from assets.demo.furnish import furnish
from assets.demo.ifcmodel import guid_of
from assets.demo.plan import Cell, Storey
from assets.demo.programs import storeys_of
from assets.demo.registry_row import Row, floor_tag, room_names
from assets.demo.words import USES


def building_devices(block: Block) -> list[Row]:
    tag = block.id.upper()
    place, zh = block.name, f"{block.name_zh} "
    rows = [
        Row(id=f"{tag}-MTR-00", kind="meter", place=place, place_zh=f"{zh}总", building=block.id, feeds=block.id),
        Row(id=f"{tag}-WTR-01", kind="water_meter", place=place, place_zh=zh, building=block.id, feeds=block.id),
    ]
    for storey in storeys_of(block):
        rows.extend(_storey(block, storey))
    rows += [
        Row(
            id=name,
            kind="lift",
            place=f"{tag} {name[-2:]}",
            place_zh=f"{tag} {name[-2:]} 号",
            building=block.id,
            storey="1F",
            guid=guid_of(block.id, key),
        )
        for name, key, *_ in lifts_of(block)
    ]
    rows += _doors(block)
    roof = block.roof_level
    if block.has_pv:
        for k in range(2):
            x, y = block.park_from_local(block.length * (0.3 + 0.4 * k), block.width * 0.4)
            rows.append(
                Row(
                    id=f"{tag}-PVI-{k + 1:02d}",
                    kind="pv_inverter",
                    place=f"{tag} roof {k + 1}",
                    place_zh=f"{tag} 屋面 {k + 1} 号",
                    building=block.id,
                    storey="RF",
                    at=(x, y, roof + 0.8),
                    feeds=f"{tag}-MTR-00",
                )
            )
    if block.program != "gatehouse":
        rows.append(
            Row(
                id=f"{tag}-SCR-01",
                kind="screen",
                place=f"{tag} entrance",
                place_zh=f"{tag} 入口",
                building=block.id,
                storey="1F",
                space=next((c.number for c in storeys_of(block)[0].cells if c.use in ("lobby", "corridor", "aisle")), ""),
            )
        )
    return rows


def _storey(block: Block, storey: Storey) -> list[Row]:
    tag, rows = floor_tag(block, storey), []
    base: dict[str, Any] = {"building": block.id, "storey": storey.name}
    where, where_zh = f"{block.id.upper()} {storey.name}", f"{block.id.upper()} {storey.name} "
    rows.append(
        Row(
            id=f"{tag}-MTR-00",
            kind="meter",
            place=where,
            place_zh=where_zh,
            feeds=f"{block.id}:{guid_of(block.id, f'storey/{storey.name}')}",
            **base,
        )
    )
    corridor = next((c for c in storey.cells if c.use in ("corridor", "aisle")), storey.cells[0])
    if block.program != "gatehouse":
        x, py = block.park_from_local(corridor.rect[0] + 0.6, corridor.middle[1])
        rows.append(
            Row(
                id=f"{tag}-DB-01",
                kind="panel",
                place=where,
                place_zh=where_zh,
                at=(x, py, storey.elevation + 1.5),
                space=corridor.number,
                feeds=f"{block.id}:{guid_of(block.id, f'storey/{storey.name}')}",
                **base,
            )
        )
    modelled = set()
    for item in [*furnish(block, storey), *fittings(block, storey)]:
        if item.device and item.device not in ("chiller", "pump", "transformer", "fire_pump"):
            cell = next(c for c in storey.cells if c.number == item.space)
            room, room_zh = room_names(block, storey, cell)
            modelled.add((item.device, item.space))
            device_id = item.name.replace(f"-{storey.name}-", f"-F{storey.number}-")
            rows.append(
                Row(
                    id=device_id,
                    kind=item.device,
                    place=room,
                    place_zh=room_zh,
                    space=item.space,
                    guid=guid_of(block.id, item.key),
                    heading=looking(block, -1.0, 0.0) if item.device == "camera" else None,
                    **base,
                )
            )
    for cell in storey.cells:
        rows.extend(_room_devices(block, storey, cell, modelled))
    x0, _, x1, _ = corridor.rect
    y = corridor.middle[1]
    if block.program not in ("gatehouse",):
        for k, share in enumerate((0.15, 0.85) if block.program != "tower" else (0.15,)):
            x, py = block.park_from_local(x0 + (x1 - x0) * share, y)
            rows.append(
                Row(
                    id=f"{tag}-HYD-{k + 1:02d}",
                    kind="hydrant",
                    place=f"{where} {k + 1}",
                    place_zh=f"{where_zh}{k + 1} 号",
                    at=(x, py, storey.elevation + 1.1),
                    space=corridor.number,
                    **base,
                )
            )
        x, py = block.park_from_local((x0 + x1) / 2, y)
        rows.append(
            Row(
                id=f"{tag}-SPK-01",
                kind="speaker",
                place=where,
                place_zh=where_zh,
                at=(x, py, storey.elevation + storey.height - 0.6),
                space=corridor.number,
                **base,
            )
        )
    rows.extend(room_cameras(block, storey, modelled))
    return rows


def _room_devices(block: Block, storey: Storey, cell: Cell, modelled: set[tuple[str, str]]) -> list[Row]:
    """Lighting, sensors and sub-meters of one room; dormitory rooms share a circuit a corridor."""
    tag = floor_tag(block, storey)
    room, room_zh = room_names(block, storey, cell)
    base: dict[str, Any] = {
        "building": block.id,
        "storey": storey.name,
        "space": cell.number,
        "place": room,
        "place_zh": room_zh,
    }
    is_room, rows = is_occupied(cell.use), []
    light = cell.use in ("corridor", "aisle", "parking", "production", "datahall", "cooling") or (
        is_room and cell.use != "dorm" and (cell.area > 62 or block.id == "a3")
    )
    if light:
        rows.append(Row(id=f"{tag}-LGT-{cell.number}", kind="lighting", **base))
    if (
        is_room
        and cell.use != "dorm"
        and cell.area > 30
        and block.id not in MODELLED
        and ("env_sensor", cell.number) not in modelled
    ):
        rows.append(Row(id=f"{tag}-ENV-{cell.number}", kind="env_sensor", **base))
    if wants_smoke(block, cell) and ("smoke", cell.number) not in modelled:
        rows.append(Row(id=f"{tag}-SMK-{cell.number}", kind="smoke", **base))
    if cell.use in ("server", "datahall", "cooling", "kitchen", "production", "lab") and block.program in (
        "rd",
        "datacentre",
        "canteen",
        "hall",
        "energy",
        "lab",
    ):
        rows.append(
            Row(
                id=f"{tag}-MTR-{cell.number}",
                kind="meter",
                feeds=f"{block.id}:{guid_of(block.id, f'{storey.name}/space/{cell.number}')}",
                **base,
            )
        )
    return rows


def _doors(block: Block) -> list[Row]:
    """Access control on every outside door and on the rooms that are kept locked."""
    rows = []
    locked = {"server", "datahall", "substation", "security", "ioc", "archive", "cooling", "pumps", "ups", "control"}
    for storey in storeys_of(block):
        uses = {c.number: c.use for c in storey.cells}
        for wall in storey.walls:
            for gap in wall.gaps:
                if (
                    gap.sill > 0
                    or not gap.make
                    or not (wall.is_external or uses.get(gap.space) in locked)
                    or gap.name.endswith("D2")
                ):
                    continue
                number = gap.name.split("-", 1)[1]
                zh = "出入口" if wall.is_external else USES[uses[gap.space]].name_zh
                name = "entrance" if wall.is_external else USES[uses[gap.space]].name
                rows.append(
                    Row(
                        id=f"{floor_tag(block, storey)}-DOOR-{number}",
                        kind="door",
                        place=f"{block.id.upper()} {storey.name} {name} {number}",
                        place_zh=f"{block.id.upper()} {storey.name} {zh} {number} ",
                        building=block.id,
                        storey=storey.name,
                        space=gap.space,
                        guid=guid_of(block.id, door_key(storey, gap)),
                    )
                )
    return rows
