"""The sample park's devices.csv: about two thousand devices with believable ids, each bound to where it is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from shapely.geometry import LineString

from assets.demo import land
from assets.demo.blocks import BLOCKS
from assets.demo.cameras import heading
from assets.demo.furnish import furnish
from assets.demo.ifcmodel import guid_of
from assets.demo.programs import storeys_of
from assets.demo.registry_buildings import building_devices
from assets.demo.registry_row import COLUMNS, Row, room_names


def write_devices(path: Path) -> None:
    """Write devices.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows(row.cells() for row in devices())


def devices() -> list[Row]:
    """Every device, park first, then building by building."""
    rows = [*_site(), *_plant_rooms()]
    for block in BLOCKS:
        rows.extend(building_devices(block))
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
                room, room_zh = room_names(block, storey, cell)
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


def _along(line: LineString, at: float) -> float:
    """The heading of a line (fence, road) at a distance along it, metres."""
    a, b = line.interpolate(max(0.0, at - 1.0)), line.interpolate(at + 1.0)
    return heading(b.x - a.x, b.y - a.y)


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
        Row(id="PARK-GAS-00", kind="gas_meter", place="Park", place_zh="园区", at=(162.0, 200.0, 1.0), feeds="park"),
        Row(id="PARK-HEAT-00", kind="heat_meter", place="Park", place_zh="园区", at=(164.0, 200.0, 1.0), feeds="park"),
        Row(id="PARK-COOL-00", kind="cooling_meter", place="Park", place_zh="园区", at=(166.0, 200.0, 1.0), feeds="park"),
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
        rows.append(
            Row(
                id=f"GATE-{key.upper()}-CAM",
                kind="camera",
                place=name,
                place_zh=zh,
                at=(x + 6, y + 6, 5.0),
                heading=heading(-1.0, -1.0),
            )
        )
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
                    heading=_along(ring, (k + 0.5) / 32 * ring.length),
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
                    heading=_along(line, float(d)),
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
