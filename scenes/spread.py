"""One building laid out as nodes: building → storeys → spaces → elements, each with its place in the park."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import affine_transform

from models_bim.model import ATTRIBUTES, BimModel
from scenes.kept import NOTHING_KEPT, part_key
from scenes.locate import SpaceIndex, SpaceShape
from scenes.rows import NAN, NO_BOX, Box, NodeRows, Point
from twin.park import BuildingSpec
from twin.steps import StepStore

#: Pieces of the structure and its shell: they bound rooms, so no room contains them.
_BOUNDING = (
    "IfcWall",
    "IfcSlab",
    "IfcRoof",
    "IfcBeam",
    "IfcColumn",
    "IfcFooting",
    "IfcPile",
    "IfcCurtainWall",
    "IfcPlate",
    "IfcMember",
    "IfcWindow",
    "IfcDoor",
    "IfcStair",
    "IfcRamp",
    "IfcRailing",
    "IfcElementAssembly",
)
_FACILITIES = ("IfcBridge", "IfcRoad", "IfcRailway", "IfcMarineFacility", "IfcFacility")
_CLOSE_GAP_M = 0.3
_LONGEST_NAME = 40
NAME_ZH = ("name_zh", "NameZh", "Name_zh", "中文名称", "名称")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Where a building's rows went: nodes uint32 (entities,) and the ground it covers (park metres)."""

    node: int
    nodes: NDArray[np.uint32]
    storeys: tuple[int, ...]
    spaces: tuple[SpaceShape, ...]
    footprint: shapely.Geometry


def spread_building(
    rows: NodeRows,
    spec: BuildingSpec,
    parent: int,
    model: BimModel,
    park_from_ifc: NDArray[np.float64],
    store: StepStore = NOTHING_KEPT,
) -> Spread:
    """Add a building and everything in it; `park_from_ifc` is float64 (4, 4), metres."""
    entities = model.entities
    key = part_key("boxes", model.digest, park_from_ifc) if model.digest else ""
    boxes = store.recall(key, lambda: park_boxes(model, park_from_ifc))
    zh = _chinese_names(model)
    source = ", ".join(model.files)
    node = rows.add(
        spec.id,
        "building",
        parent,
        name=spec.name or _building_name(model) or spec.id,
        name_zh=spec.name_zh or _building_name_zh(model, zh),
        cls=_building_class(model),
        source=source,
    )
    nodes = np.full(len(entities), node, dtype=np.uint32)
    stretch, rise = float(park_from_ifc[2, 2]), float(park_from_ifc[2, 3])
    storeys = []
    for storey in model.storeys:
        nodes[storey.entity] = rows.add(
            f"{spec.id}:{storey.key}",
            "storey",
            node,
            name=storey.name,
            name_zh=zh.get(storey.entity, ""),
            cls=str(entities.cls[storey.entity]),
            guid=str(entities.guid[storey.entity]),
            source=_file(model, storey.entity),
            elevation=storey.elevation * stretch + rise,
            height=storey.height * stretch,
        )
        storeys.append(int(nodes[storey.entity]))
    spaces = _add_spaces(rows, spec.id, model, park_from_ifc, boxes, zh, nodes, storeys)
    _add_elements(rows, spec.id, model, boxes, zh, nodes, storeys, SpaceIndex(spaces))
    _sum_areas(rows, spaces, node)
    _tidy_boxes(rows, node, boxes)
    return Spread(node=node, nodes=nodes, storeys=tuple(storeys), spaces=tuple(spaces),
                  footprint=footprint_of(model, park_from_ifc, store))


def park_boxes(model: BimModel, park_from_ifc: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 (entities, 6): exact boxes of what is drawn of each entity in park metres; NaN where nothing is."""
    boxes = np.full((len(model.entities), 6), np.nan)
    placed = park_from_ifc @ model.instances.ifc_from_local
    for entity, mesh, matrix in zip(model.instances.entity, model.instances.mesh, placed, strict=True):
        points = model.meshes[mesh].vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        boxes[entity, :3] = np.fmin(boxes[entity, :3], points.min(axis=0))
        boxes[entity, 3:] = np.fmax(boxes[entity, 3:], points.max(axis=0))
    return boxes


def _add_spaces(
    rows: NodeRows,
    building: str,
    model: BimModel,
    park_from_ifc: NDArray[np.float64],
    boxes: NDArray[np.float64],
    zh: dict[int, str],
    nodes: NDArray[np.uint32],
    storeys: list[int],
) -> list[SpaceShape]:
    entities, shapes = model.entities, []
    outline = {space.entity: space for space in model.spaces}
    descriptions = _descriptions(model)
    a = park_from_ifc
    for entity in np.flatnonzero(entities.kind == "space"):
        space = outline.get(int(entity))
        polygon, z0, z1, anchor, box = None, NAN, NAN, (NAN, NAN, NAN), NO_BOX
        if space is not None:
            polygon = affine_transform(space.polygon, [a[0, 0], a[0, 1], a[1, 0], a[1, 1], a[0, 3], a[1, 3]])
            z0, z1 = (float(z * a[2, 2] + a[2, 3]) for z in (space.z0, space.z1))
            anchor = _middle(polygon, (z0 + z1) / 2)
            west, south, east, north = polygon.bounds
            box = (west, south, z0, east, north, z1)
        above = storeys[entities.storey[entity]] if entities.storey[entity] >= 0 else 0
        nodes[entity] = rows.add(
            f"{building}:{entities.key[entity]}",
            "space",
            above,
            name=_space_name(model, int(entity), descriptions),
            name_zh=zh.get(int(entity), ""),
            cls="IfcSpace",
            guid=str(entities.guid[entity]),
            source=_file(model, int(entity)),
            anchor=anchor,
            box=box,
            height=z1 - z0,
            area=polygon.area if polygon is not None else NAN,
        )
        if polygon is not None:
            shapes.append(SpaceShape(node=int(nodes[entity]), storey=above, polygon=polygon, z0=z0, z1=z1))
    return shapes


def _add_elements(
    rows: NodeRows,
    building: str,
    model: BimModel,
    boxes: NDArray[np.float64],
    zh: dict[int, str],
    nodes: NDArray[np.uint32],
    storeys: list[int],
    index: SpaceIndex,
) -> None:
    entities = model.entities
    elements = np.flatnonzero(entities.kind == "element")
    for entity in elements:
        box: Box = tuple(boxes[entity])  # type: ignore[assignment]
        nodes[entity] = rows.add(
            f"{building}:{entities.key[entity]}",
            "element",
            storeys[entities.storey[entity]],
            name=str(entities.name[entity] or entities.type_name[entity] or entities.cls[entity]),
            name_zh=zh.get(int(entity), ""),
            cls=str(entities.cls[entity]),
            guid=str(entities.guid[entity]),
            source=_file(model, int(entity)),
            box=box,
        )
    middles = (boxes[:, :3] + boxes[:, 3:]) / 2
    loose: dict[int, list[int]] = {}
    for row in elements.tolist():
        whole = int(entities.parent[row])
        if whole >= 0 and entities.kind[whole] in ("element", "space"):
            rows.reparent(int(nodes[row]), int(nodes[whole]))
        elif not str(entities.cls[row]).startswith(_BOUNDING) and np.isfinite(middles[row, 0]):
            loose.setdefault(storeys[entities.storey[row]], []).append(row)
    for storey, own in loose.items():
        for row, room in zip(own, index.locate(middles[own], storey=storey, gap_m=_CLOSE_GAP_M).tolist(), strict=True):
            if room:
                rows.reparent(int(nodes[row]), room)


def _sum_areas(rows: NodeRows, spaces: list[SpaceShape], building: int) -> None:
    total: dict[int, float] = {}
    for space in spaces:
        for node in {space.storey, building}:
            total[node] = total.get(node, 0.0) + float(space.polygon.area)
    for node, area in total.items():
        rows.set_number("area", node, area)


def _tidy_boxes(rows: NodeRows, building: int, boxes: NDArray[np.float64]) -> None:
    drawn = boxes[np.isfinite(boxes[:, 0])]
    if len(drawn):
        rows.box[building] = tuple(np.concatenate([drawn[:, :3].min(axis=0), drawn[:, 3:].max(axis=0)]))
        rows.set_number("height", building, rows.box[building][5] - rows.box[building][2])


def footprint_of(model: BimModel, park_from_ifc: NDArray[np.float64], store: StepStore = NOTHING_KEPT) -> shapely.Geometry:
    """The ground a building covers (park metres), from boxes taken in its own frame, where walls run along the axes."""
    cover = store.recall(part_key("cover", model.digest) if model.digest else "", lambda: _cover(model))
    a = park_from_ifc
    return affine_transform(cover, [a[0, 0], a[0, 1], a[1, 0], a[1, 1], a[0, 3], a[1, 3]])


def _cover(model: BimModel) -> shapely.Geometry:
    """The ground it covers in the ifc frame."""
    own = np.isin(model.entities.kind, ("element", "space")) & np.isfinite(model.boxes[:, 0])
    boxes = model.boxes[own]
    if not len(boxes):
        return shapely.Polygon()
    return shapely.union_all(shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 3], boxes[:, 4]), grid_size=0.01)


def _middle(polygon: shapely.Polygon, z: float) -> Point:
    """The point of a room farthest from its walls."""
    x, y = shapely.get_coordinates(shapely.maximum_inscribed_circle(polygon, tolerance=0.1))[0]
    return float(x), float(y), z


def _space_name(model: BimModel, entity: int, descriptions: dict[int, str]) -> str:
    name, long_name = str(model.entities.name[entity]), str(model.entities.long_name[entity])
    if is_chinese(long_name) and entity in descriptions:
        long_name = descriptions[entity]
    return f"{name} {long_name}" if name and long_name and long_name != name else name or long_name or "IfcSpace"


def _building_class(model: BimModel) -> str:
    """IfcBuilding, or what the file holds in its place: a road, a bridge, a railway."""
    facilities = [str(c) for c in model.entities.cls if c in _FACILITIES]
    return facilities[0] if facilities and "IfcBuilding" not in model.entities.cls else "IfcBuilding"


def _building_name(model: BimModel) -> str:
    rows = np.flatnonzero(model.entities.kind == "building")
    return next(
        (
            str(t[r])
            for r in rows
            for t in (model.entities.long_name, model.entities.name)
            if t[r] and not is_chinese(str(t[r]))
        ),
        "",
    )


def _building_name_zh(model: BimModel, zh: dict[int, str]) -> str:
    return next((zh[int(r)] for r in np.flatnonzero(model.entities.kind == "building") if int(r) in zh), "")


def _chinese_names(model: BimModel) -> dict[int, str]:
    """Chinese names: a property that says so, else a LongName in Chinese characters (a room keeps its number)."""
    entities, names = model.entities, dict[int, str]()
    for row, long_name in enumerate(entities.long_name):
        if is_chinese(str(long_name)):
            number = f"{entities.name[row]} " if entities.kind[row] == "space" and entities.name[row] else ""
            names[row] = f"{number}{long_name}"
    for k in np.flatnonzero(np.isin(model.properties.name, NAME_ZH)):
        names[int(model.properties.entity[k])] = str(model.properties.value[k])
    return names


def _descriptions(model: BimModel) -> dict[int, str]:
    """Short Latin descriptions: the other name of rooms whose LongName is Chinese."""
    properties = model.properties
    at = np.flatnonzero((properties.name == "Description") & (properties.pset == ATTRIBUTES))
    return {
        int(properties.entity[k]): str(properties.value[k])
        for k in at
        if len(str(properties.value[k])) <= _LONGEST_NAME and not is_chinese(str(properties.value[k]))
    }


def is_chinese(text: str) -> bool:
    """Whether a text holds any CJK ideograph."""
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)


def _file(model: BimModel, entity: int) -> str:
    return model.files[model.entities.file[entity]]
