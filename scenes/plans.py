"""Floor plans in: areas of a GIS file as the outline, rooms, voids and hall of one storey, in metres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import PARK
from gis.model import Layer
from twin.errors import SourceError, TwinError
from twin.finding import Finding, as_finding
from twin.park import BuildingSpec, LayerSpec, ParkSpec, PlanSpec

USUAL_HEIGHT_M = 4.5
_SPECK_M2 = 1.0
_OUTLINE_SHARE = 0.6  # an area that covers this much of everything is the storey's own outline
_TOLD_SHARE = 0.002  # how much coordinates and true size may differ without a word
_GRID_M = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """One area of a storey: its key within the building, names, what its source said, and its outline (metres)."""

    key: str
    name: str
    name_zh: str
    polygon: shapely.Polygon
    properties: dict[str, str]
    is_hall: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PlanStorey:
    """A storey drawn by its plan. Lengths in the building's own metres; `voids` are openings in its floor."""

    name: str
    name_zh: str
    elevation: float
    height: float
    outline: shapely.Geometry
    rooms: tuple[Room, ...]
    voids: shapely.Geometry
    source: str


def read_plans(building: BuildingSpec, spec: ParkSpec, findings: list[Finding]) -> list[PlanStorey]:
    """The storeys of a building from its plans, lowest first. A plan that cannot be read leaves the others standing.

    Without a placement the building's own metres are the park's.

    Raises:
        SourceError: none of the plans can be read.
    """
    storeys: list[PlanStorey] = []
    lost: list[TwinError] = []
    for plan in sorted(building.plans, key=lambda p: p.elevation):
        try:
            storeys.append(_storey(plan, _read(plan, building, spec), building, findings))
        except SourceError as error:
            lost.append(error)
    if not storeys:
        raise lost[0]
    findings.extend(map(as_finding, lost))
    return storeys


def _read(plan: PlanSpec, building: BuildingSpec, spec: ParkSpec) -> Layer:
    layer = LayerSpec(id=f"{building.id}-{plan.storey}", source=plan.source, kind="parcels", table=plan.table,
                      crs=PARK if building.placement is not None else plan.crs, name_field=plan.name_field,
                      line=building.line)
    from gis.read import read_layer  # slow to load, and only floor plans need it

    read = read_layer(layer, spec.crs, spec.origin)
    if not len(read):
        raise SourceError(f"plan {plan.source.name} of building '{building.id}' holds no areas", where=plan.source.name,
                          mend="export its rooms as polygons")
    return read


def _storey(plan: PlanSpec, layer: Layer, building: BuildingSpec, findings: list[Finding]) -> PlanStorey:
    findings.extend(f for f in layer.findings if "park.toml says" not in f.what)
    shapes = _sized(plan, layer.geometry, building, findings)
    shapes = shapely.set_precision(shapely.make_valid(shapes), _GRID_M)
    own, outline = _outline(shapes)
    names = layer.names.astype(str)
    is_void = np.isin(names, plan.voids) & ~own
    voids = shapely.intersection(shapely.union_all(shapes[is_void]), outline) if is_void.any() else shapely.Polygon()
    rooms = list(_rooms(plan, layer, shapes, ~own & ~is_void, shapely.difference(outline, voids), findings))
    above = [p.elevation for p in building.plans if p.elevation > plan.elevation + 1.0]
    height = plan.height or (min(above) - plan.elevation if above else USUAL_HEIGHT_M)
    return PlanStorey(plan.storey, plan.name_zh or "", plan.elevation, height, outline, tuple(rooms), voids, plan.source.name)


def _sized(plan: PlanSpec, shapes: NDArray[np.object_], building: BuildingSpec, findings: list[Finding],
           ) -> NDArray[np.object_]:
    """Shapes at their true size: round their middle where they have a place on Earth, from their corner where not."""
    if plan.size is None:
        return shapes
    xmin, ymin, xmax, ymax = shapely.total_bounds(shapes)
    drawn, true = np.array([xmax - xmin, ymax - ymin]), np.array(plan.size)
    factor = true / drawn
    if building.placement is not None:
        return shapely.transform(shapes, lambda xy: (xy - np.array([xmin, ymin])) * factor)
    if np.abs(factor - 1).max() > _TOLD_SHARE:
        findings.append(Finding("note", f"plan {plan.storey} of building '{building.id}' measures {drawn[0]:.1f} × "
                                        f"{drawn[1]:.1f} m by its coordinates, {true[0]:.1f} × {true[1]:.1f} m by `size`; "
                                        f"drawn at its size, residual {np.abs(drawn - true).max() / 2:.2f} m at its rim",
                                plan.source.name))
    middle = np.array([xmin + xmax, ymin + ymax]) / 2
    return shapely.transform(shapes, lambda xy: (xy - middle) * factor + middle)


def _outline(shapes: NDArray[np.object_]) -> tuple[NDArray[np.bool_], shapely.Geometry]:
    """Which shape (n,) is the outline of the storey, and the outline; drawn round the rooms where none is."""
    area = shapely.area(shapes)
    whole = shapely.union_all(shapes, grid_size=_GRID_M)
    largest = int(area.argmax())
    own = np.zeros(len(shapes), dtype=np.bool_)
    others = float(np.delete(area, largest).sum())
    if len(shapes) > 1 and area[largest] > _OUTLINE_SHARE * whole.area and others > 0.1 * area[largest]:
        own[largest] = True
        return own, shapes[largest]
    closed = shapely.buffer(shapely.buffer(whole, 0.4, join_style="mitre"), -0.4, join_style="mitre")
    return own, closed


def _rooms(plan: PlanSpec, layer: Layer, shapes: NDArray[np.object_], chosen: NDArray[np.bool_], floor: shapely.Geometry,
           findings: list[Finding]) -> Iterator[Room]:
    """Rooms without overlaps (the smaller keeps its ground), then the hall: what of the floor no room takes."""
    taken: list[shapely.Geometry] = []
    cut = 0
    rows = np.flatnonzero(chosen)
    for row in rows[np.argsort(shapely.area(shapes[rows]), kind="stable")]:
        free = shapely.intersection(shapes[row], floor, grid_size=_GRID_M)
        near = [t for t in taken if t.intersects(free)]
        own = shapely.difference(free, shapely.union_all(near), grid_size=_GRID_M) if near else free
        cut += bool(near) and own.area < free.area - 0.5
        taken.append(own)
        told = {name: str(values[row]) for name, values in layer.properties.items() if values[row]}
        for k, part in enumerate(_parts(own)):
            key = f"{plan.storey}-{layer.ids[row]}" + (f"-{k + 1}" if k else "")
            yield Room(key, str(layer.names[row]) or str(layer.ids[row]), str(layer.names_zh[row]), part, told)
    if cut:
        findings.append(Finding("note", f"plan {plan.storey}: areas overlap; the smaller keeps its ground", plan.source.name,
                                "cut rooms where they meet", cut))
    hall = shapely.difference(floor, shapely.union_all(taken), grid_size=_GRID_M)
    for k, part in enumerate(_parts(shapely.buffer(hall, 0.0))):
        yield Room(f"{plan.storey}-hall" + (f"-{k + 1}" if k else ""), "Hall", "公共区", part, {}, True)


def _parts(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area > _SPECK_M2]
    return sorted(parts, key=lambda p: -p.area)
