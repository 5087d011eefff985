"""A scheme's IFC: its storeys as a stack to measure, and what of it is seen from outside to look at."""

from __future__ import annotations

import itertools

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.mesh import Mesh
from models_bim.georeference import place
from models_bim.model import BimModel
from models_bim.read import read_building
from scenes.building_mesh import BuildingMesh, building_mesh
from scenes.schemes.file import SchemeBuilding, both_fault
from scenes.schemes.stack import Stack, Storey, outline_of
from scenes.shell import outer_shell
from twin.errors import SourceError
from twin.park import ParkSpec
from twin.parkfile import Fault

F64 = NDArray[np.float64]


def stack_of_ifc(building: SchemeBuilding, spec: ParkSpec, faults: list[Fault]) -> Stack | None:
    """The building of an IFC file in the park frame; None with a fault where it cannot be read or placed."""
    model = _read(building, faults)
    park_from_ifc = None if model is None else _placed(model, building, spec, faults)
    if model is None or park_from_ifc is None:
        return None
    whole = building_mesh(model, park_from_ifc, np.zeros(len(model.entities), np.uint32))
    rise = float(park_from_ifc[2, 3])
    storeys = _by_rooms(model, park_from_ifc) or _by_body(model, whole, rise)
    if not storeys:
        file = building.ifc.name if building.ifc else ""
        faults.append(both_fault(
            building.line, (f"{building.id}: {file} holds no body and no rooms",
                            f"{building.id}：{file} 里没有形体也没有房间"),
            ("export it with geometry, or give a footprint and storeys instead",
             "导出时带上几何，或改写 footprint 和 storeys")))
        return None
    base = building.base_m if building.base_m is not None else min((s.z0 for s in storeys), key=lambda z: abs(z - rise))
    return Stack(id=building.id, name=building.name, name_zh=building.name_zh, is_new=True, is_dwelling=building.is_dwelling,
                 storeys=tuple(storeys), ground=base, model=_shell(whole))


def _read(building: SchemeBuilding, faults: list[Fault]) -> BimModel | None:
    assert building.ifc is not None
    try:
        return read_building([building.ifc], jobs=1)
    except SourceError as error:
        faults.append(both_fault(
            building.line, (f"{building.id}: {error.what}", f"{building.id}：读不出 {building.ifc.name}"),
            (error.mend, f"请重新导出 IFC2X3 或 IFC4 文件（{error.what}）")))
    return None


def _placed(model: BimModel, building: SchemeBuilding, spec: ParkSpec, faults: list[Fault]) -> F64 | None:
    try:
        return place(model, spec, building.id, building.placement).park_from_ifc
    except SourceError as error:
        faults.append(both_fault(
            building.line, (f"{building.id}: {error.what}", f"{building.id}：IFC 里的地理参照定不出位置"),
            ("write placement = { at = [x, y, z], rotation = 0.0 } under this [[building]]",
             "在这个 [[building]] 下写 placement = { at = [x, y, z], rotation = 0.0 }")))
    return None


def _by_rooms(model: BimModel, park_from_ifc: F64) -> list[Storey]:
    rooms: dict[int, list[shapely.Polygon]] = {}
    for space in model.spaces:
        shape = shapely.transform(space.polygon, lambda xy: xy @ park_from_ifc[:2, :2].T + park_from_ifc[:2, 3])
        rooms.setdefault(int(model.entities.storey[space.entity]), []).append(shape)
    rise, levels = float(park_from_ifc[2, 3]), model.storeys
    return [Storey(outline_of(rooms[k]), levels[k].elevation + rise, levels[k].elevation + levels[k].height + rise)
            for k in sorted(rooms) if 0 <= k < len(levels)]


def _by_body(model: BimModel, whole: BuildingMesh, rise: float) -> list[Storey]:
    """A building without rooms: the shadow of its body from above, cut at its storeys."""
    if not len(whole.mesh.faces):
        return []
    corners = whole.mesh.position[whole.mesh.faces]
    flat = corners[:, :, :2]
    area = np.abs(np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])) / 2
    shadow = shapely.union_all(shapely.polygons(flat[area > 1e-4]), grid_size=0.01)
    shape = shapely.simplify(shapely.buffer(shapely.buffer(shadow, 0.5), -0.5), 0.1)
    z0, z1 = float(corners[..., 2].min()), float(corners[..., 2].max())
    cuts = sorted({z0, z1, *(level for s in model.storeys if z0 + 1 < (level := s.elevation + rise) < z1 - 1)})
    return [Storey(shape, float(low), float(high)) for low, high in itertools.pairwise(cuts)]


def _shell(whole: BuildingMesh) -> Mesh | None:
    return outer_shell(whole) if len(whole.mesh.faces) else None
