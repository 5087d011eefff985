"""A building lifted from its floor plans: slabs, walls, glass, doors, stairs and lifts, as a model read from IFC would be."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from models_bim.model import BimModel, Space, Storey
from scenes.plan_parts import F64, PlanRows, extrude, model_of
from scenes.plans import PlanStorey, Room
from twin.finding import Finding
from twin.park import BuildingSpec

SLAB_M = 0.3
WALL_M, FACADE_M = 0.1, 0.22
UNDER_GROUND_M = 0.1
DOOR_M = (1.6, 2.2)
SILL_M, LINTEL_M = 0.9, 0.7
MAX_ENTRANCES, ENTRANCE_GAP_M = 4, 30.0
_LIFTS = ("lift", "elevator", "电梯", "客梯", "货梯", "dianti")
_STAIRS = ("stair", "楼梯", "escalator", "扶梯", "louti", "futi")


def plan_model(building: BuildingSpec, storeys: list[PlanStorey], findings: list[Finding]) -> BimModel:
    """A model of a building from its plans. What plans do not say is assumed and told: walls, doors, entrances.

    Args:
        storeys: lowest first; the building's own metres.
    """
    rows = PlanRows()
    whole = rows.add("IfcBuilding", "building", building.id, building.name or building.id)
    levels, spaces = [], []
    ground = min(range(len(storeys)), key=lambda k: (storeys[k].elevation < -0.5, abs(storeys[k].elevation)))
    doors = 0
    for k, storey in enumerate(storeys):
        row = rows.add("IfcBuildingStorey", "storey", storey.name, storey.name, storey=k, parent=whole, file=k)
        levels.append(Storey(entity=row, key=storey.name, name=storey.name, elevation=storey.elevation, height=storey.height))
        if storey.name_zh:
            rows.properties.append((row, "Plan", "name_zh", storey.name_zh))
        spaces += [_space(rows, room, storey, k, row) for room in storey.rooms]
        _slabs(rows, storey, storeys[k + 1] if k + 1 < len(storeys) else None, k, row)
        openings = _doors(rows, storey, k, row, is_ground=k == ground)
        doors += len(openings)
        _walls(rows, storey, k, row, openings)
        _facade(rows, storey, k, row, openings, is_buried=storey.elevation < -0.5)
        _ways_up(rows, storey, storeys[k + 1] if k + 1 < len(storeys) else None, k, row)
    _tell(building, storeys, rows, doors, findings)
    return model_of(rows, levels, spaces, storeys, findings)


def _space(rows: PlanRows, room: Room, storey: PlanStorey, k: int, parent: int) -> Space:
    row = rows.add("IfcSpace", "space", room.key, room.name, storey=k, parent=parent, file=k)
    told = {**({"name_zh": room.name_zh} if room.name_zh else {}), **room.properties}
    rows.properties += [(row, "Plan", name, value) for name, value in told.items()]
    return Space(entity=row, polygon=room.polygon, z0=storey.elevation, z1=storey.elevation + storey.height - SLAB_M)


def _slabs(rows: PlanRows, storey: PlanStorey, above: PlanStorey | None, k: int, parent: int) -> None:
    floor = rows.element("IfcSlab", f"{storey.name}-slab", f"Slab {storey.name}", k, parent)
    rows.shape(floor, *extrude(shapely.difference(storey.outline, storey.voids), storey.elevation - SLAB_M, storey.elevation))
    open_sky = storey.outline if above is None else shapely.difference(storey.outline, above.outline)
    top = storey.elevation + storey.height
    if open_sky.area < 4.0:
        return
    is_buried = storey.elevation < -0.5 and top < 0.5  # its ceiling lies just under the ground and never in it
    low = top - SLAB_M - UNDER_GROUND_M if is_buried else top
    roof = rows.element("IfcSlab" if is_buried else "IfcRoof", f"{storey.name}-roof", f"Roof over {storey.name}", k, parent)
    rows.shape(roof, *extrude(shapely.buffer(open_sky, FACADE_M, join_style="mitre"), low, low + SLAB_M))


def _doors(rows: PlanRows, storey: PlanStorey, k: int, parent: int, *, is_ground: bool) -> list[shapely.Polygon]:
    """A door a room, in the middle of its longest straight edge to the hall; entrances from the hall on the ground."""
    halls = [r.polygon for r in storey.rooms if r.is_hall]
    hall = shapely.union_all(halls) if halls else shapely.Polygon()
    places = []
    for room in storey.rooms:
        if not room.is_hall:
            others = hall if hall.distance(room.polygon) < 0.3 else shapely.union_all(
                [o.polygon for o in storey.rooms if o is not room and o.polygon.distance(room.polygon) < 0.3])
            side = _longest_side(room.polygon, others)
            if side is not None:
                places.append((f"{room.key}-door", f"Door {room.name}", side))
    if is_ground:
        outside = shapely.difference(shapely.buffer(storey.outline, 5.0), storey.outline)
        ways_in: list[F64] = []
        for side in _sides(hall if halls else storey.outline, outside):
            middle = side.mean(axis=0)
            if len(ways_in) < MAX_ENTRANCES and all(np.linalg.norm(middle - w) > ENTRANCE_GAP_M for w in ways_in):
                ways_in.append(middle)
                places.append((f"{storey.name}-entrance-{len(ways_in)}", f"Entrance {len(ways_in)}", side))
    return [_door(rows, key, name, side, storey, k, parent) for key, name, side in places]


def _door(rows: PlanRows, key: str, name: str, side: F64, storey: PlanStorey, k: int, parent: int) -> shapely.Polygon:
    """A door leaf in the middle of a side (2, 2); returns the gap it needs in the wall."""
    run = side[1] - side[0]
    length = float(np.linalg.norm(run))
    half = run / length * min(DOOR_M[0], length * 0.7) / 2
    leaf = shapely.LineString([side.mean(axis=0) - half, side.mean(axis=0) + half])
    row = rows.element("IfcDoor", key, name, k, parent)
    rows.shape(row, *extrude(leaf.buffer(0.03, cap_style="flat"), storey.elevation, storey.elevation + DOOR_M[1]))
    return leaf.buffer(FACADE_M * 1.5, cap_style="flat")


def _longest_side(room: shapely.Polygon, others: shapely.Geometry) -> F64 | None:
    return next(iter(_sides(room, others)), None)


def _sides(room: shapely.Geometry, others: shapely.Geometry) -> list[F64]:
    """Straight edges (2, 2) of areas along which others lie, longest first."""
    if others.is_empty:
        return []
    ring = shapely.get_parts(shapely.intersection(shapely.boundary(room), shapely.buffer(others, 0.05)))
    pieces = [np.asarray(p.coords)[:, :2] for p in ring if p.geom_type == "LineString"]
    edges = [line[j: j + 2] for line in pieces for j in range(len(line) - 1)]
    edges = [e for e in edges if np.linalg.norm(e[1] - e[0]) > 0.9]
    return sorted(edges, key=lambda e: (-round(float(np.linalg.norm(e[1] - e[0])), 3), *e[0].round(3).tolist()))


def _walls(rows: PlanRows, storey: PlanStorey, k: int, parent: int, openings: list[shapely.Polygon]) -> None:
    """The walls of every room as a band just inside it, so that neighbours never lie in one another."""
    gaps = shapely.union_all(openings) if openings else shapely.Polygon()
    top = storey.elevation + storey.height - SLAB_M
    for room in storey.rooms:
        if room.is_hall:
            continue
        band = shapely.difference(room.polygon, shapely.buffer(room.polygon, -WALL_M, join_style="mitre"))
        row = rows.element("IfcWall", f"{room.key}-walls", f"Walls of {room.name}", k, parent)
        rows.shape(row, *extrude(shapely.difference(band, gaps), storey.elevation, top))


def _facade(rows: PlanRows, storey: PlanStorey, k: int, parent: int, openings: list[shapely.Polygon], *,
            is_buried: bool) -> None:
    """The outer wall: below ground all of it, above with a band of glass between sill and lintel."""
    band = shapely.difference(shapely.buffer(storey.outline, FACADE_M, join_style="mitre"), storey.outline)
    gaps = shapely.union_all(openings) if openings else shapely.Polygon()
    band = shapely.difference(band, gaps)
    z0, z1 = storey.elevation - SLAB_M, storey.elevation + storey.height - (UNDER_GROUND_M if is_buried else SLAB_M)
    sill, lintel = storey.elevation + SILL_M, z1 - LINTEL_M
    wall = rows.element("IfcWall", f"{storey.name}-facade", f"Outer wall {storey.name}", k, parent)
    if is_buried or lintel - sill < 0.6:
        rows.shape(wall, *extrude(band, z0, z1))
        return
    low, high = extrude(band, z0, sill), extrude(band, lintel, z1 + SLAB_M)
    rows.shape(wall, np.concatenate([low[0], high[0]]), np.concatenate([low[1], high[1] + len(low[0])]))
    glass = rows.element("IfcWindow", f"{storey.name}-glass", f"Glazing {storey.name}", k, parent)
    pane = shapely.difference(shapely.buffer(storey.outline, FACADE_M * 0.6, join_style="mitre"),
                              shapely.buffer(storey.outline, FACADE_M * 0.4, join_style="mitre"))
    rows.shape(glass, *extrude(shapely.difference(pane, gaps), sill, lintel))


def _ways_up(rows: PlanRows, storey: PlanStorey, above: PlanStorey | None, k: int, parent: int) -> None:
    """Lifts and stairs where the plan names them."""
    for room in storey.rooms:
        words = f"{room.name} {room.name_zh}".lower()
        z0, z1 = storey.elevation, storey.elevation + storey.height
        if any(w in words for w in _LIFTS):
            row = rows.element("IfcTransportElement", f"{room.key}-lift", room.name, k, parent)
            spot = shapely.Point(room.polygon.centroid).buffer(0.7, quad_segs=1)
            rows.shape(row, *extrude(spot, z0, z0 + 2.2))
        elif above is not None and any(w in words for w in _STAIRS):
            row = rows.element("IfcStair", f"{room.key}-stair", room.name, k, parent)
            rows.shape(row, *_flight(room.polygon, z0, z1))


def _flight(room: shapely.Polygon, z0: float, z1: float) -> tuple[F64, NDArray]:
    """A straight flight along a room's length: steps as one stepped body."""
    corner = np.asarray(shapely.minimum_rotated_rectangle(room).exterior.coords)[:4, :2]
    if np.linalg.norm(corner[1] - corner[0]) < np.linalg.norm(corner[2] - corner[1]):
        corner = np.roll(corner, -1, axis=0)
    along, across = corner[1] - corner[0], corner[3] - corner[0]
    count = max(2, round((z1 - z0) / 0.17))
    vertices, faces, start = [], [], 0
    for step in range(count):
        a, b = 0.1 + 0.8 * step / count, 0.1 + 0.8 * (step + 1) / count
        tread = shapely.Polygon([corner[0] + along * s + across * t for s, t in ((a, 0.15), (b, 0.15), (b, 0.85), (a, 0.85))])
        top = z0 + (z1 - z0) * (step + 1) / count
        v, f = extrude(tread, top - 0.2, top)
        vertices.append(v)
        faces.append(f + start)
        start += len(v)
    return np.concatenate(vertices), np.concatenate(faces)


def _tell(building: BuildingSpec, storeys: list[PlanStorey], rows: PlanRows, doors: int, findings: list[Finding]) -> None:
    where = ", ".join(dict.fromkeys(s.source for s in storeys))
    findings.append(Finding("note", f"building '{building.id}' is lifted from {len(storeys)} plans; plans have no doors, so "
                                    "each room has one in the middle of its longest edge to the hall", where, count=doors))
    if len(storeys) > 1 and not {"IfcStair", "IfcTransportElement"} & set(rows.cls):
        findings.append(Finding("warning", f"the plans of building '{building.id}' name no stairs and no lifts; its storeys "
                                           "are not joined for walking", where, "name a room 'stair' or 'lift' on each"))
