"""The sample park's devices.csv: about two thousand devices with believable ids, each bound to where it is."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import LineString

from assets.demo import land
from assets.demo.blocks import BLOCKS, Block
from assets.demo.building import door_key, lifts_of
from assets.demo.fittings import MODELLED, fittings, is_occupied, wants_smoke
from assets.demo.furnish import furnish
from assets.demo.ifcmodel import guid_of
from assets.demo.plan import Cell, Storey
from assets.demo.programs import storeys_of
from assets.demo.words import USES

_COLUMNS = ("id", "kind", "name", "name_zh", "building", "storey", "space", "guid", "x", "y", "z", "feeds")
_LABELS = {
    "ahu": ("Air handling unit", "空调机组"),
    "fcu": ("Fan coil", "风机盘管"),
    "chiller": ("Chiller", "冷水机组"),
    "cooling_tower": ("Cooling tower", "冷却塔"),
    "pump": ("Pump", "水泵"),
    "env_sensor": ("Room climate", "环境传感器"),
    "meter": ("Meter", "电表"),
    "transformer": ("Transformer", "变压器"),
    "pv_inverter": ("PV inverter", "光伏逆变器"),
    "lighting": ("Lighting", "照明回路"),
    "camera": ("Camera", "摄像机"),
    "door": ("Access door", "门禁"),
    "gate": ("Gate", "道闸"),
    "intrusion": ("Perimeter detector", "周界探测器"),
    "smoke": ("Smoke detector", "烟感"),
    "hydrant": ("Hydrant", "消火栓"),
    "fire_pump": ("Fire pump", "消防泵"),
    "lift": ("Lift", "电梯"),
    "water_meter": ("Water meter", "水表"),
    "parking": ("Parking", "停车区"),
    "charger": ("EV charger", "充电桩"),
    "weather": ("Weather station", "气象站"),
    "screen": ("Screen", "信息屏"),
    "speaker": ("Loudspeaker", "广播"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One device; `at` is park metres."""

    id: str
    kind: str
    place: str
    place_zh: str
    building: str = ""
    storey: str = ""
    space: str = ""
    guid: str = ""
    at: tuple[float, float, float] | None = None
    feeds: str = ""

    def cells(self) -> list[str]:
        """The row as CSV cells, names in both languages."""
        name, zh = _LABELS[self.kind]
        xyz = [f"{v:.2f}" for v in self.at] if self.at else ["", "", ""]
        return [
            self.id,
            self.kind,
            f"{self.place} {name}".strip(),
            f"{self.place_zh}{zh}",
            self.building,
            self.storey,
            self.space,
            self.guid,
            *xyz,
            self.feeds,
        ]


def write_devices(path: Path) -> None:
    """Write devices.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(_COLUMNS)
        out.writerows(row.cells() for row in devices())


def devices() -> list[Row]:
    """Every device, park first, then building by building."""
    rows = [*_site(), *_plant_rooms()]
    for block in BLOCKS:
        rows.extend(_building(block))
    return rows


def _floor(block: Block, storey: Storey) -> str:
    return f"{block.id.upper()}-F{storey.number}"


def _room(block: Block, storey: Storey, cell: Cell) -> tuple[str, str]:
    use = USES[cell.use]
    return (
        f"{block.id.upper()} {storey.name} {use.name} {cell.number}",
        f"{block.id.upper()} {storey.name} {use.name_zh} {cell.number} ",
    )


def _building(block: Block) -> list[Row]:
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
    tag, rows = _floor(block, storey), []
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
    modelled = set()
    for item in [*furnish(block, storey), *fittings(block, storey)]:
        if item.device and item.device not in ("chiller", "pump", "transformer", "fire_pump"):
            cell = next(c for c in storey.cells if c.number == item.space)
            room, room_zh = _room(block, storey, cell)
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
                    **base,
                )
            )
    for cell in storey.cells:
        rows.extend(_room_devices(block, storey, cell, modelled))
    corridor = next((c for c in storey.cells if c.use in ("corridor", "aisle")), storey.cells[0])
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
    if block.id not in MODELLED and block.program != "gatehouse":
        x, py = block.park_from_local(x1 - 1.0, y)
        rows.append(
            Row(
                id=f"{tag}-CAM-01",
                kind="camera",
                place=f"{where} corridor",
                place_zh=f"{where_zh}走廊",
                space=corridor.number,
                at=(x, py, storey.elevation + storey.height - 0.8),
                **base,
            )
        )
    return rows


def _room_devices(block: Block, storey: Storey, cell: Cell, modelled: set[tuple[str, str]]) -> list[Row]:
    """Lighting, sensors and sub-meters of one room; dormitory rooms share a circuit a corridor."""
    tag = _floor(block, storey)
    room, room_zh = _room(block, storey, cell)
    base: dict[str, Any] = {
        "building": block.id, "storey": storey.name, "space": cell.number, "place": room, "place_zh": room_zh}
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
    if cell.use in ("datahall", "server") and block.program != "tower":
        rows.append(Row(id=f"{tag}-CAM-{cell.number}", kind="camera", **base))
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
                        id=f"{_floor(block, storey)}-DOOR-{number}",
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


def _plant_rooms() -> list[Row]:
    """Chillers, pumps, transformers and cooling towers, with what each supplies."""
    rows = []
    zones = {"01": "front", "02": "research", "03": "production", "04": "living"}
    for block in BLOCKS:
        for storey in storeys_of(block):
            for item in furnish(block, storey):
                if item.device not in ("chiller", "pump", "transformer", "fire_pump"):
                    continue
                cell = next(c for c in storey.cells if c.number == item.space)
                room, room_zh = _room(block, storey, cell)
                number = item.name.rsplit("-", 1)[1]
                target = (
                    zones.get(number, "")
                    if item.device == "transformer" and block.id == "b3"
                    else "b1"
                    if item.device == "transformer"
                    else ""
                )
                rows.append(
                    Row(
                        id=item.name.replace(f"-{storey.name}-", f"-F{storey.number}-"),
                        kind=item.device,
                        place=f"{room} {number}",
                        place_zh=f"{room_zh}{number} 号",
                        building=block.id,
                        storey=storey.name,
                        space=item.space,
                        guid=guid_of(block.id, item.key),
                        feeds=target,
                    )
                )
    energy = next(b for b in BLOCKS if b.id == "b3")
    for k in range(3):
        x, y = energy.park_from_local(7 + k * 6.0, energy.width * 0.66)
        rows.append(
            Row(
                id=f"B3-RF-CT-{k + 1:02d}",
                kind="cooling_tower",
                place=f"B3 roof {k + 1}",
                place_zh=f"B3 屋面 {k + 1} 号",
                building="b3",
                storey="RF",
                at=(x, y, energy.roof_level + 2.0),
                feeds=f"B3-F1-CH-{k + 1:02d}",
            )
        )
    return rows


def _site() -> list[Row]:
    """What stands outdoors: gates, perimeter, cameras, parking, chargers, weather, screens, hydrants, lamps."""
    rows = [
        Row(
            id="PARK-WX-01",
            kind="weather",
            place="Roof of the River Tower",
            place_zh="塔楼屋顶",
            at=(470.0, 325.0, 88.5),
        ),
        Row(id="PARK-MTR-00", kind="meter", place="Park", place_zh="园区总", at=(160.0, 200.0, 1.0), feeds="park"),
    ]
    for key, name, zh, x, y in land.GATES:
        for k, (lane, lane_zh) in enumerate((("in", "入口"), ("out", "出口"))):
            dx, dy = ((k - 0.5) * 6.0, 0.0) if y < 50 else (0.0, (k - 0.5) * 5.5)
            rows.append(
                Row(
                    id=f"GATE-{key.upper()}-{lane.upper()}",
                    kind="gate",
                    place=f"{name} {lane}",
                    place_zh=f"{zh}{lane_zh}",
                    at=(x + dx, y + dy, 1.0),
                )
            )
        rows.append(Row(id=f"GATE-{key.upper()}-CAM", kind="camera", place=name, place_zh=zh, at=(x + 6, y + 6, 5.0)))
    ring = land.SITE.exterior
    for k in range(32):
        p = ring.interpolate((k + 0.5) / 32, normalized=True)
        rows.append(
            Row(
                id=f"PER-{k + 1:02d}",
                kind="intrusion",
                place=f"Fence section {k + 1}",
                place_zh=f"围栏 {k + 1} 段",
                at=(p.x, p.y, 2.0),
            )
        )
        if k % 2 == 0:
            rows.append(
                Row(
                    id=f"PER-CAM-{k // 2 + 1:02d}",
                    kind="camera",
                    place=f"Fence {k // 2 + 1}",
                    place_zh=f"围栏 {k // 2 + 1} 号",
                    at=(p.x, p.y, 4.5),
                )
            )
    for road in land.ROADS:
        line = LineString(road.line)
        tag = road.id.upper().replace("-", "")
        for k, d in enumerate(np.arange(60.0, line.length, 85.0)):
            p = line.interpolate(float(d))
            if not land.SITE.buffer(-1).contains(p.buffer(8)):
                continue
            rows.append(
                Row(
                    id=f"RD-{tag}-LGT-{k + 1:02d}",
                    kind="lighting",
                    place=f"{road.name} {k + 1}",
                    place_zh=f"{road.name_zh} {k + 1} 段",
                    at=(p.x, p.y, 6.0),
                )
            )
            rows.append(
                Row(
                    id=f"RD-{tag}-CAM-{k + 1:02d}",
                    kind="camera",
                    place=f"{road.name} {k + 1}",
                    place_zh=f"{road.name_zh} {k + 1} 号",
                    at=(p.x + 5, p.y + 5, 5.5),
                )
            )
            rows.append(
                Row(
                    id=f"RD-{tag}-HYD-{k + 1:02d}",
                    kind="hydrant",
                    place=f"{road.name} {k + 1}",
                    place_zh=f"{road.name_zh} {k + 1} 号",
                    at=(p.x - 7, p.y - 7, 0.6),
                )
            )
    for key, name, zh, area, _ in land.PARKING:
        x0, y0, x1, y1 = area.bounds
        rows.append(Row(id=f"PARK-{key}", kind="parking", place=name, place_zh=zh, at=((x0 + x1) / 2, (y0 + y1) / 2, 0.5)))
        for k in range(8):
            rows.append(
                Row(
                    id=f"CHG-{key}-{k + 1:02d}",
                    kind="charger",
                    place=f"{name} {k + 1}",
                    place_zh=f"{zh} {k + 1} 号",
                    at=(x0 + 2.7 * (k + 1), y1 - 0.6, 0.9),
                )
            )
    for level in range(1, 5):
        rows.append(
            Row(
                id=f"PARK-P1-F{level}",
                kind="parking",
                place=f"Parking deck {level}F",
                place_zh=f"停车楼 {level}F ",
                building="p1",
                storey=f"{level}F",
            )
        )
    for k in range(12):
        rows.append(
            Row(
                id=f"CHG-P1-{k + 1:02d}",
                kind="charger",
                place=f"Parking deck {k + 1}",
                place_zh=f"停车楼 {k + 1} 号",
                building="p1",
                storey="1F",
                at=(511.0 + 4.4 * k, 177.5, 0.9),
            )
        )
    for k, (x, y, name, zh) in enumerate(
        (
            (236, 16, "Main gate", "主大门"),
            (330, 186, "Central plaza", "中心广场"),
            (470, 290, "Tower plaza", "塔楼广场"),
        )
    ):
        rows.append(Row(id=f"PARK-SCR-{k + 1:02d}", kind="screen", place=name, place_zh=zh, at=(x, y, 3.0)))
        rows.append(Row(id=f"PARK-SPK-{k + 1:02d}", kind="speaker", place=name, place_zh=zh, at=(x + 4, y, 4.0)))
    return rows
