"""Buildings as stacks of storeys: what stands in a compiled park, and what a scheme takes away and puts there.

Everything is in the park frame, metres. A storey is its outline between two heights; areas, heights, distances and shadows
are all taken from the same stacks, so that no figure contradicts another.
"""

from __future__ import annotations

import difflib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from gis.blocks import STOREY_M
from gis.read import read_layer
from models_bim.georeference import place
from models_bim.read import read_building
from scenes.scheme_file import FootprintFile, Scheme, SchemeBuilding
from scenes.store import open_spaces
from twin.errors import SourceError
from twin.graph import SceneGraph
from twin.park import LayerSpec, ParkSpec
from twin.parkfile import Fault

_WALL_M = 0.35
_GREENS = ("greens",)


@dataclass(frozen=True, slots=True)
class Storey:
    """One storey: outline (Polygon or MultiPolygon) between z0 and z1."""

    outline: shapely.Geometry
    z0: float
    z1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One building. `ground` is the level its height is counted from; storeys below it are cellars."""

    id: str
    name: str
    name_zh: str
    storeys: tuple[Storey, ...]
    ground: float
    is_new: bool = False
    is_dwelling: bool = False
    node: int = 0

    @property
    def top(self) -> float:
        """Level of the roof, metres."""
        return max(s.z1 for s in self.storeys)

    @property
    def height(self) -> float:
        """Roof above ground, metres."""
        return self.top - self.ground

    def above(self) -> list[Storey]:
        """Storeys that count: more than half of them above ground."""
        return [s for s in self.storeys if (s.z0 + s.z1) / 2 > self.ground]

    def footprint(self) -> shapely.Geometry:
        """The ground it covers."""
        return shapely.union_all([s.outline for s in self.above()], grid_size=0.001)

    def floor_area(self) -> float:
        """Gross floor area above ground, m²."""
        return float(sum(s.outline.area for s in self.above()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A compiled park as a planner sees it: its buildings and its lawns."""

    stacks: tuple[Stack, ...]
    greens: tuple[shapely.Geometry, ...]

    def ground_near(self, shape: shapely.Geometry) -> float:
        """Level of the nearest building's foot: what a new building without a level of its own stands on."""
        if not self.stacks:
            return 0.0
        near = min(self.stacks, key=lambda s: shapely.distance(s.storeys[0].outline, shape))
        return near.ground


def open_surroundings(spec: ParkSpec, manifest: dict[str, Any], graph: SceneGraph) -> Surroundings:
    """Read what stands from `build/` (nothing there is ever written)."""
    build = spec.build_dir
    stacks = [*_modelled(spec, manifest, graph), *itertools.chain.from_iterable(
        _blocks(build / "layers" / f"{layer.id}.parquet", layer.id, graph, spec.origin)
        for layer in spec.layers if layer.kind == "buildings")]
    greens = tuple(itertools.chain.from_iterable(
        _shapes(build / "layers" / f"{layer.id}.parquet", spec.origin) for layer in spec.layers if layer.kind in _GREENS))
    return Surroundings(stacks=tuple(stacks), greens=greens)


def _modelled(spec: ParkSpec, manifest: dict[str, Any], graph: SceneGraph) -> list[Stack]:
    """IFC buildings: a storey is the outline of its rooms and the walls between them; its box where it has no rooms."""
    rooms: dict[int, list[shapely.Polygon]] = {}
    for room in open_spaces(spec.build_dir, graph, spec.origin):
        rooms.setdefault(room.storey, []).append(room.polygon)
    found = []
    for entry in manifest.get("buildings", []):
        node, box = int(entry["node"]), entry["bbox"]
        storeys = [Storey(_outline(rooms[s["node"]]), s["elevation"], s["elevation"] + s["height"])
                   for s in entry["storeys"] if s["node"] in rooms]
        if not storeys:
            storeys = [Storey(shapely.box(*box[:2], *box[3:5]), box[2], box[5])]
        storeys.sort(key=lambda s: s.z0)
        ground = min((s.z0 for s in storeys if s.z0 > box[2] - 1.0), key=abs, default=storeys[0].z0)
        name = str(graph.columns["name"][node])
        found.append(Stack(id=entry["id"], name=name, name_zh=str(graph.columns["name_zh"][node] or name), node=node,
                           storeys=tuple(storeys), ground=ground))
    return found


def _outline(rooms: list[shapely.Polygon]) -> shapely.Geometry:
    """Rooms, the walls between them and the wall around them."""
    closed = shapely.buffer(shapely.union_all([shapely.buffer(r, _WALL_M, join_style="mitre") for r in rooms]), 0)
    return shapely.simplify(closed, 0.05)


def _shapes(path: Path, origin: tuple[float, float, float]) -> list[shapely.Geometry]:
    if not path.is_file():
        return []
    shapes = shapely.from_wkb(pq.read_table(path, columns=["geometry"])["geometry"].to_pylist())
    return list(shapely.transform(shapes, lambda xy: xy - np.array(origin[:2])))


def _blocks(path: Path, layer: str, graph: SceneGraph, origin: tuple[float, float, float]) -> list[Stack]:
    """Footprints with a height, in storeys of about 3.6 m."""
    if not path.is_file():
        return []
    nodes = pq.read_table(path, columns=["node"])["node"].to_numpy()
    found = []
    for node, shape in zip(nodes.tolist(), _shapes(path, origin), strict=True):
        z0, z1 = float(graph.columns["bbox"][node, 2]), float(graph.columns["bbox"][node, 5])
        if not node or graph.columns["kind"][node] != "building" or not z1 > z0 or shape.is_empty:
            continue
        key = str(graph.columns["id"][node])
        if not key.startswith(f"{layer}:"):
            continue  # merged into the IFC building that stands on it
        count = max(1, round((z1 - z0) / STOREY_M))
        found.append(Stack(id=key, name=str(graph.columns["name"][node] or key), node=int(node), ground=z0,
                           name_zh=str(graph.columns["name_zh"][node] or graph.columns["name"][node] or key),
                           storeys=_even(shape, z0, z1, count)))
    return found


def _even(shape: shapely.Geometry, z0: float, z1: float, count: int) -> tuple[Storey, ...]:
    levels = np.linspace(z0, z1, count + 1)
    return tuple(Storey(shape, float(low), float(high)) for low, high in itertools.pairwise(levels))


def added_stacks(scheme: Scheme, spec: ParkSpec, around: Surroundings, faults: list[Fault]) -> list[Stack]:
    """The buildings a scheme adds; one that cannot be read becomes a fault and the others go on."""
    found: list[Stack] = []
    for building in scheme.buildings:
        if building.ifc is not None:
            stack = _from_ifc(building, spec, around, faults)
        else:
            assert building.footprint is not None
            base = building.base_m if building.base_m is not None else around.ground_near(building.footprint)
            top = base + building.storeys * building.storey_m
            stack = Stack(id=building.id, name=building.name, name_zh=building.name_zh, is_new=True, ground=base,
                          is_dwelling=building.is_dwelling, storeys=_even(building.footprint, base, top, building.storeys))
        if stack is not None:
            found.append(stack)
    for file in scheme.footprints:
        found.extend(_from_file(file, spec, around, faults))
    return found


def _from_ifc(building: SchemeBuilding, spec: ParkSpec, around: Surroundings, faults: list[Fault]) -> Stack | None:
    assert building.ifc is not None
    try:
        model = read_building([building.ifc], jobs=1)
        placed = place(model, spec, building.id, building.placement)
    except SourceError as error:
        faults.append(Fault(building.line, f"{building.id}: {error.what}", error.mend))
        return None
    park_from_ifc = placed.park_from_ifc
    rise = float(park_from_ifc[2, 3])
    levels = [s.elevation for s in model.storeys]
    rooms: dict[int, list[shapely.Polygon]] = {}
    for space in model.spaces:
        shape = shapely.transform(space.polygon, lambda xy: xy @ park_from_ifc[:2, :2].T + park_from_ifc[:2, 3])
        rooms.setdefault(int(model.entities.storey[space.entity]), []).append(shape)
    storeys = [Storey(_outline(rooms[k]), levels[k] + rise, levels[k] + model.storeys[k].height + rise)
               for k in sorted(rooms) if 0 <= k < len(levels)]
    if not storeys:
        storeys = _by_body(model, park_from_ifc)
    if not storeys:
        faults.append(Fault(building.line, f"{building.id}: {building.ifc.name} holds no body and no rooms",
                            "export it with geometry, or give a footprint and storeys instead"))
        return None
    base = building.base_m if building.base_m is not None else min((s.z0 for s in storeys), key=lambda z: abs(z - rise))
    return Stack(id=building.id, name=building.name, name_zh=building.name_zh, is_new=True, is_dwelling=building.is_dwelling,
                 storeys=tuple(storeys), ground=base)


def _by_body(model: Any, park_from_ifc: NDArray[np.float64]) -> list[Storey]:
    """A building without rooms: the shadow of its body from above, cut at its storeys."""
    from scenes.building_mesh import building_mesh

    mesh = building_mesh(model, park_from_ifc, np.zeros(len(model.entities), np.uint32)).mesh
    if not len(mesh.faces):
        return []
    corners = mesh.position[mesh.faces]
    flat = corners[:, :, :2]
    area = np.abs(np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])) / 2
    shadow = shapely.union_all(shapely.polygons(flat[area > 1e-4]), grid_size=0.01)
    shape = shapely.simplify(shapely.buffer(shapely.buffer(shadow, 0.5), -0.5), 0.1)
    z0, z1 = float(corners[..., 2].min()), float(corners[..., 2].max())
    levels = (s.elevation + float(park_from_ifc[2, 3]) for s in model.storeys)
    cuts = sorted({z0, z1, *(level for level in levels if z0 + 1 < level < z1 - 1)})
    return [Storey(shape, float(low), float(high)) for low, high in itertools.pairwise(cuts)]


def _from_file(file: FootprintFile, spec: ParkSpec, around: Surroundings, faults: list[Fault]) -> list[Stack]:
    try:
        layer = read_layer(LayerSpec(id=file.source.stem, source=file.source, kind="buildings", crs=file.crs,
                                     height_field=file.height_field), spec.crs, spec.origin)
    except SourceError as error:
        faults.append(Fault(file.line, error.what, error.mend))
        return []
    floors = layer.properties.get(file.storeys_field, np.full(len(layer), "", object))
    found = []
    for k, shape in enumerate(layer.geometry):
        height, text = float(layer.height_m[k]), str(floors[k])
        count = round(float(text)) if text.replace(".", "", 1).isdigit() else 0
        if not (height > 1 or count) or shape.area < 1 or shape.geom_type not in ("Polygon", "MultiPolygon"):
            faults.append(Fault(file.line, f"{layer.source}: feature {layer.ids[k]} is no footprint with a height",
                                f"give it {file.storeys_field} or a height_field", "warning"))
            continue
        count = count or max(1, round(height / STOREY_M))
        base = around.ground_near(shape)
        top = base + (height if height > 1 else count * STOREY_M)
        found.append(Stack(id=f"{layer.id}:{layer.ids[k]}", name=str(layer.names[k] or layer.ids[k]), is_new=True,
                           name_zh=str(layer.names_zh[k] or layer.names[k] or layer.ids[k]), is_dwelling=file.is_dwelling,
                           ground=base, storeys=_even(shape, base, top, count)))
    return found


def apply_scheme(scheme: Scheme, added: list[Stack], around: Surroundings,
                 faults: list[Fault]) -> tuple[list[Stack], list[Stack]]:
    """(all buildings of the scheme, those removed).

    Unknown ids and overlaps become faults; an overlapping building stays out.
    """
    known = {stack.id: stack for stack in around.stacks}
    for key in scheme.remove:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            mend = f"did you mean {near[0]!r}?" if near else "use the id of a building or of a footprint (layer:id)"
            faults.append(Fault(scheme.lines.get("remove", 0), f"there is no building {key!r} to remove", mend))
    gone = set(scheme.remove) & set(known)
    staying = [stack for stack in around.stacks if stack.id not in gone]
    prints = [stack.footprint() for stack in staying]
    tree = shapely.STRtree(prints)
    lines = {building.id: building.line for building in scheme.buildings}
    accepted: list[Stack] = []
    for stack in added:
        shape = stack.footprint()
        hits = [staying[k] for k in tree.query(shape, predicate="intersects") if prints[k].intersection(shape).area > 0.5]
        hits += [other for other in accepted if other.footprint().intersection(shape).area > 0.5]
        hits = [other for other in hits if other.top > stack.ground + 0.1 and stack.top > other.ground + 0.1]
        if hits:
            name = ", ".join(f"{other.id} ({other.name})" for other in hits[:3])
            faults.append(Fault(lines.get(stack.id, 0), f"{stack.id} overlaps {name}, so it is left out",
                                f"move it, or add {hits[0].id!r} to remove"))
            continue
        accepted.append(stack)
    return [*staying, *accepted], [known[key] for key in sorted(gone)]
