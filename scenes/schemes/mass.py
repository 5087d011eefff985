"""What stands in a compiled park, and what a scheme takes away and puts there, as stacks of storeys in park metres."""

from __future__ import annotations

import difflib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from gis.floors import STOREY_M
from gis.read import read_layer
from scenes.schemes.file import FootprintFile, Scheme, both_fault
from scenes.schemes.ifc import stack_of_ifc
from scenes.schemes.stack import Stack, Storey, even_storeys, outline_of
from scenes.store import open_spaces
from twin.errors import SourceError
from twin.graph import SceneGraph
from twin.park import LayerSpec, ParkSpec
from twin.parkfile import Fault

_GREENS = ("greens",)


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
        storeys = [Storey(outline_of(rooms[s["node"]]), s["elevation"], s["elevation"] + s["height"])
                   for s in entry["storeys"] if s["node"] in rooms]
        if not storeys:
            storeys = [Storey(shapely.box(*box[:2], *box[3:5]), box[2], box[5])]
        storeys.sort(key=lambda s: s.z0)
        ground = min((s.z0 for s in storeys if s.z0 > box[2] - 1.0), key=abs, default=storeys[0].z0)
        name = str(graph.columns["name"][node])
        found.append(Stack(id=entry["id"], name=name, name_zh=str(graph.columns["name_zh"][node] or name), node=node,
                           storeys=tuple(storeys), ground=ground))
    return found


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
                           storeys=even_storeys(shape, z0, z1, count)))
    return found


def added_stacks(scheme: Scheme, spec: ParkSpec, around: Surroundings, faults: list[Fault]) -> list[Stack]:
    """The buildings a scheme adds; one that cannot be read becomes a fault and the others go on."""
    found: list[Stack] = []
    for building in scheme.buildings:
        if building.ifc is not None:
            stack = stack_of_ifc(building, spec, faults)
        else:
            assert building.footprint is not None
            base = building.base_m if building.base_m is not None else around.ground_near(building.footprint)
            top = base + building.storeys * building.storey_m
            storeys = even_storeys(building.footprint, base, top, building.storeys)
            stack = Stack(id=building.id, name=building.name, name_zh=building.name_zh, is_new=True, ground=base,
                          is_dwelling=building.is_dwelling, storeys=storeys)
        if stack is not None:
            found.append(stack)
    for file in scheme.footprints:
        found.extend(_from_file(file, spec, around, faults))
    return found


def _from_file(file: FootprintFile, spec: ParkSpec, around: Surroundings, faults: list[Fault]) -> list[Stack]:
    try:
        layer = read_layer(LayerSpec(id=file.source.stem, source=file.source, kind="buildings", crs=file.crs,
                                     height_field=file.height_field), spec.crs, spec.origin)
    except SourceError as error:
        faults.append(both_fault(file.line, (error.what, f"读不出 {file.source.name}：{error.what}"),
                                 (error.mend, "检查文件格式、坐标系（crs）和字段名")))
        return []
    floors = layer.properties.get(file.storeys_field, np.full(len(layer), "", object))
    found = []
    for k, shape in enumerate(layer.geometry):
        height, text = float(layer.height_m[k]), str(floors[k])
        count = round(float(text)) if text.replace(".", "", 1).isdigit() else 0
        if not (height > 1 or count) or shape.area < 1 or shape.geom_type not in ("Polygon", "MultiPolygon"):
            faults.append(both_fault(
                file.line, (f"{layer.source}: feature {layer.ids[k]} is no footprint with a height",
                            f"{layer.source}：要素 {layer.ids[k]} 不是带高度的建筑轮廓"),
                (f"give it {file.storeys_field} or a height_field", f"给它 {file.storeys_field} 字段，或写 height_field"),
                is_warning=True))
            continue
        count = count or max(1, round(height / STOREY_M))
        base = around.ground_near(shape)
        top = base + (height if height > 1 else count * STOREY_M)
        found.append(Stack(id=f"{layer.id}:{layer.ids[k]}", name=str(layer.names[k] or layer.ids[k]), is_new=True,
                           name_zh=str(layer.names_zh[k] or layer.names[k] or layer.ids[k]), is_dwelling=file.is_dwelling,
                           ground=base, storeys=even_storeys(shape, base, top, count)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """A building that stays out because it would stand in others: those, and the fault that says so."""

    stack: Stack
    hits: tuple[Stack, ...]
    fault: Fault


def apply_scheme(scheme: Scheme, added: list[Stack], around: Surroundings,
                 faults: list[Fault]) -> tuple[list[Stack], list[Stack], list[LeftOut]]:
    """(all buildings of the scheme, those removed, those left out).

    Unknown ids and overlaps become faults; an overlapping building stays out.
    """
    known = {stack.id: stack for stack in around.stacks}
    faults += [_unknown(key, known, scheme.lines.get("remove", 0)) for key in scheme.remove if key not in known]
    gone = set(scheme.remove) & set(known)
    staying = [stack for stack in around.stacks if stack.id not in gone]
    prints = [stack.footprint() for stack in staying]
    tree = shapely.STRtree(prints)
    lines = {building.id: building.line for building in scheme.buildings}
    accepted: list[Stack] = []
    left: list[LeftOut] = []
    for stack in added:
        shape = stack.footprint()
        hits = [staying[k] for k in tree.query(shape, predicate="intersects") if prints[k].intersection(shape).area > 0.5]
        hits += [other for other in accepted if other.footprint().intersection(shape).area > 0.5]
        hits = [other for other in hits if other.top > stack.ground + 0.1 and stack.top > other.ground + 0.1]
        if hits:
            left.append(LeftOut(stack, tuple(hits), _overlap(stack, hits, lines.get(stack.id, 0))))
        else:
            accepted.append(stack)
    faults += [item.fault for item in left]
    return [*staying, *accepted], [known[key] for key in sorted(gone)], left


def _unknown(key: str, known: dict[str, Stack], line: int) -> Fault:
    near = difflib.get_close_matches(key, known, 1)
    mend = (f"did you mean {near[0]!r}?", f"是不是 {near[0]!r}？") if near else (
        "use the id of a building or of a footprint (layer:id)", "写建筑的编号，或轮廓的“图层:编号”")
    return both_fault(line, (f"there is no building {key!r} to remove", f"没有可拆除的建筑 {key!r}"), mend)


def _overlap(stack: Stack, hits: list[Stack], line: int) -> Fault:
    first = hits[0]
    others, others_zh = (", ".join(f"{s.id} ({name})" for s, name in pairs) for pairs in (
        [(s, s.name) for s in hits[:3]], [(s, s.name_zh) for s in hits[:3]]))
    if first.is_new:
        mend = (f"move it, or move {first.id!r}", f"移开它，或移开 {first.id!r}")
    else:
        mend = (f"move it, or add {first.id!r} to remove", f"移开它，或把 {first.id!r} 加到 remove")
    return both_fault(line, (f"{stack.id} overlaps {others}, so it is left out",
                             f"{stack.id} 与 {others_zh} 重叠，未放入方案"), mend)
