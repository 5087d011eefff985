"""What of a park is bound, unbound, ambiguous or never heard of: registry rows, model elements, Brick things."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from connectors.browse.offer import Offer
from connectors.browse.suggest import matched, plain_name, tokens
from models_bim.brick import BrickModel, BrickThing
from twin.graph import SceneGraph
from twin.packs import DeviceKind
from twin.registry import Device

ParkOf = Callable[[float, float], tuple[float, float]]
State = Literal["bound", "unbound", "ambiguous", "unknown"]
#: What Brick says of where a sensor is, not of what it measures.
WHERE = re.compile(r"Average_|Zone_|Room_|Space_|Air_(?=Temperature|Humidity)|_Sensor$")
#: Elements that carry but do nothing a person watches; ports and the like.
CARRIERS = re.compile(r"Segment$|Fitting$|Port$|Junction")


#: A thing and a device this near each other, of a fitting kind and on one storey, are one; of two as near none is.
NEAR_M, TIE_M = 1.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One thing. `row` is what a registry row would say (unbound with a kind), `candidates` what it may be.

    `by`: what binds it (guid, name, space, coordinate, storey, building). `points`: (point key, its name there).
    """

    source: str
    name: str
    state: State
    kind: str = ""
    by: str = ""
    why: str = ""
    row: dict[str, str] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()
    points: tuple[tuple[str, str], ...] = ()


def of_registry(devices: Sequence[Device], graph: SceneGraph) -> list[Binding]:
    """Every registry row: by what it stands where it stands, or what it names that is not there."""
    out = []
    kinds = graph.columns["kind"]
    for device in devices:
        node = graph.index(device.id)
        above = str(kinds[int(graph.parent[node])]) if node else ""
        made = Binding(source="registry", name=device.id, kind=device.kind, state="bound")
        has_element = bool(node and graph.columns["element"][node])
        if not node:
            made = replace(made, state="unbound", why="it is not in the build; run parktwin build")
        elif device.guid and not has_element and str(graph.columns["guid"][int(graph.parent[node])] or "") != device.guid:
            made = replace(made, state="unknown", why=f"no model has element '{device.guid}'")
        elif device.guid:
            made = replace(made, by="guid")
        elif device.space and above != "space":
            made = replace(made, state="unknown", why=f"there is no space '{device.space}'")
        elif device.space:
            made = replace(made, by="space")
        elif device.at is not None:
            made = replace(made, by="coordinate")
        elif above in ("storey", "building"):
            made = replace(made, by=above)
        else:
            made = replace(made, state="unbound", why="it names no guid, space, storey, building or coordinates")
        out.append(made)
    return out


def of_elements(graph: SceneGraph, told: Mapping[int, str], kinds: Mapping[str, DeviceKind],
                is_device: Iterable[str], devices: Sequence[Device] = ()) -> list[Binding]:
    """Every element that could be a device: bound by a registry row (by GUID, or a row whose x, y, z are where it is), or a
    row for it.

    Args:
        told: what the model says of a node (predefined type, object type, tag), as one text.
        is_device: IFC classes of things that measure, act or distribute.
        devices: the registry, whose coordinates count.
    """
    classes, columns = set(is_device), graph.columns
    taken = {int(e): str(columns["id"][i]) for i, e in enumerate(columns["element"]) if e and columns["kind"][i] == "device"}
    nodes = [node for node in graph.of_kind("element").tolist()
             if columns["cls"][node] in classes and not CARRIERS.search(str(columns["cls"][node]))]
    fits = {cls: {kind.id for kind in kinds.values() if cls in kind.ifc} for cls in {str(columns["cls"][n]) for n in nodes}}
    near = nearest(graph, [node for node in nodes if node not in taken], [fits[str(columns["cls"][n])] for n in nodes
                                                                         if n not in taken], devices)
    out = []
    for node in nodes:
        cls = str(columns["cls"][node])
        name = str(columns["name"][node] or columns["id"][node])
        if node in taken:
            out.append(Binding(source="ifc", name=name, state="bound", by=f"guid of {taken[node]}"))
            continue
        if found := near.get(node):
            out.append(_by_coordinate("ifc", name, *found))
            continue
        fitting = [kind for kind in kinds.values() if cls in kind.ifc]
        best = _best(fitting, f"{name} {told.get(node, '')}")
        if not fitting:
            out.append(Binding(source="ifc", name=name, state="unknown", why=f"no kind has ifc = \"{cls}\""))
        elif len(best) > 1:
            out.append(Binding(source="ifc", name=name, state="ambiguous", candidates=tuple(kind.id for kind in best),
                               why=f"{cls} may be any of these kinds"))
        else:
            guid, kind = str(columns["guid"][node] or ""), best[0]
            building = str(columns["id"][graph.ancestor(node, "building")])
            row = {"id": _id(f"{building}-{kind.id}-{guid[-8:]}"), "kind": kind.id, "name": name, "building": building,
                   "guid": guid}
            out.append(Binding(source="ifc", name=name, state="unbound", kind=kind.id, row=row))
    return out


def nearest(graph: SceneGraph, nodes: Sequence[int], fitting: Sequence[set[str]],
            devices: Sequence[Device]) -> dict[int, tuple[list[tuple[Device, float]], bool]]:
    """Which devices are where a node is, with their metres, several where they are as near as each other, and whether another
    node is as near to one of them; nodes with none are left out.

    A device counts when its row gives x, y, z, its kind fits, no element is bound to it, it stands on the node's storey, at
    most `NEAR_M` from its box, and is not nearer to another of the nodes.

    Args:
        fitting: ids of the kinds that fit, a set a node.
    """
    placed = [device for device in devices if device.at is not None and (node := graph.index(device.id))
              and not graph.columns["element"][node] and not device.guid]
    if not placed or not nodes:
        return {}
    at = np.array([device.at for device in placed])
    storey = np.array([graph.ancestor(graph.index(device.id), "storey") for device in placed])
    kind = np.array([device.kind for device in placed])
    metres = np.full((len(nodes), len(placed)), np.inf)
    for row, (node, ids) in enumerate(zip(nodes, fitting, strict=True)):
        box = graph.columns["bbox"][node]
        away = np.linalg.norm(at - np.clip(at, box[:3], box[3:]), axis=1)
        metres[row] = np.where((storey == graph.ancestor(node, "storey")) & np.isin(kind, list(ids)) & (away <= NEAR_M), away,
                               np.inf)
    metres[metres > metres.min(axis=0) + TIE_M] = np.inf
    out = {}
    for row, node in enumerate(nodes):
        as_near = np.flatnonzero(np.isfinite(metres[row]) & (metres[row] <= metres[row].min() + TIE_M))
        if len(as_near):
            is_shared = bool((np.isfinite(metres[:, as_near]).sum(axis=0) > 1).any())
            out[node] = [(placed[k], float(metres[row, k])) for k in as_near], is_shared
    return out


def _by_coordinate(source: str, name: str, found: Sequence[tuple[Device, float]], is_shared: bool = False) -> Binding:
    """Bound to the one device there, or ambiguous between several (or where several things are as near to it)."""
    device, metres = found[0]
    if len(found) == 1 and not is_shared:
        return Binding(source=source, name=name, state="bound", kind=device.kind,
                       by=f"coordinate of {device.id}, {metres:.2f} m")
    return Binding(source=source, name=name, state="ambiguous", candidates=tuple(device.id for device, _ in found),
                   why=f"several as near as each other within {NEAR_M:g} m")


def of_brick(model: BrickModel, devices: Sequence[Device], graph: SceneGraph,
             kinds: Mapping[str, DeviceKind], building: int = 0, park_of: ParkOf | None = None) -> list[Binding]:
    """Every thing of a Brick model, and rooms whose sensors nothing else carries.

    Args:
        building: the node all of it is in, where that is known; 0: anywhere in the park.
        park_of: (longitude, latitude) in degrees → park metres, for things that say their coordinates.
    """
    known = {plain_name(word): device for device in devices for word in (device.id, device.name, device.name_zh) if word}
    made = [_brick_thing(thing, known, devices, graph, kinds, building, park_of) for thing in model.things]
    ids = {thing.name: one.row["id"] for thing, one in zip(model.things, made, strict=True) if one.row}
    ids |= {thing.name: device.id for thing in model.things if (device := known.get(plain_name(thing.name)))}
    out = []
    for thing, one in zip(model.things, made, strict=True):
        fed = next((ids[name] for name in thing.feeds if name in ids), "")
        out.append(replace(one, row={**one.row, "feeds": fed}) if one.row and fed else one)
    return out + [Binding(source="brick", name=point.name, state="unknown", why=f"{point.cls} belongs to nothing")
                  for point in model.loose]


def _brick_thing(thing: BrickThing, known: Mapping[str, Device], devices: Sequence[Device], graph: SceneGraph,
                 kinds: Mapping[str, DeviceKind], building: int, park_of: ParkOf | None) -> Binding:
    made = Binding(source="brick", name=thing.label or thing.name, state="unknown")
    offers = [Offer(address=point.name, group=thing.name, name=WHERE.sub("", point.cls)) for point in thing.points]
    fitting = [kind for kind in kinds.values() if kind.brick == thing.cls]
    if not fitting:  # a room, or equipment without a kind: its sensors may still be one device of the room
        found = {kind.id: matched(offers, kind) for kind in kinds.values() if kind.brick.endswith("_Sensor")}
        most = max((len(points) for points in found.values()), default=0)
        fitting = [kinds[key] for key, points in found.items() if most and len(points) == most]
        if not fitting or len(thing.rooms) != 1:
            return replace(made, why=f"no kind has brick = \"{thing.cls}\"")
    device = known.get(plain_name(thing.name)) or known.get(plain_name(thing.label))
    if device is not None:
        return replace(made, state="bound", kind=device.kind, by=f"name of {device.id}")
    if thing.degrees and park_of:
        near = _near_brick(park_of(*thing.degrees), thing, {kind.id for kind in fitting}, devices, graph)
        if near:
            return _by_coordinate("brick", made.name, near)
    if len(fitting) > 1:
        return replace(made, state="ambiguous", candidates=tuple(kind.id for kind in fitting),
                       why=f"{thing.cls} may be any of these kinds")
    kind = fitting[0]
    points = tuple((key, name) for name, key in matched(offers, kind).items())
    places = rooms_called(thing.rooms, thing.floors, graph, building)
    if thing.rooms and not places:
        return replace(made, kind=kind.id, points=points, candidates=thing.rooms, why="no room here is called like its own")
    if not places and building:
        places = [building]
    if len(places) > 1:
        return replace(made, state="ambiguous", kind=kind.id, points=points,
                       candidates=tuple(str(graph.columns["id"][place]) for place in places), why="several rooms fit")
    there = [other.id for other in devices if places and other.kind == kind.id
             and places[0] in graph.path(graph.index(other.id))]
    if there:
        return replace(made, state="ambiguous", kind=kind.id, points=points, candidates=tuple(there),
                       why="may be a device of that room which is registered already")
    where = _place(places[0], graph) if places else {}
    row = {"id": _id(thing.name), "kind": kind.id, "name": thing.label or thing.name, **where}
    return replace(made, state="unbound", kind=kind.id, points=points, row=row,
                   why="" if places else "it stands nowhere; say --building")


def _near_brick(at: tuple[float, float], thing: BrickThing, fitting: set[str], devices: Sequence[Device],
                graph: SceneGraph) -> list[tuple[Device, float]]:
    """Devices of a fitting kind where a Brick thing is in plan, on a floor called like its own where it names one."""
    floors = {_bare(floor) for floor in thing.floors}
    near = []
    for device in devices:
        if device.at is None or device.kind not in fitting:
            continue
        storey = graph.ancestor(graph.index(device.id), "storey") if graph.index(device.id) else 0
        metres = float(np.hypot(device.at[0] - at[0], device.at[1] - at[1]))
        if metres <= NEAR_M and (not floors or (storey and _bare(str(graph.columns["name"][storey])) in floors)):
            near.append((device, metres))
    least = min((metres for _, metres in near), default=0.0)
    return [(device, metres) for device, metres in near if metres <= least + TIE_M]


def rooms_called(names: Sequence[str], floors: Sequence[str], graph: SceneGraph, building: int = 0) -> list[int]:
    """Rooms (of a building, where one is given) called so, by name or GUID; of several those on a storey like a floor."""
    columns = graph.columns
    wanted = {_bare(name) for name in names}
    found = [node for node in graph.of_kind("space").tolist()
             if wanted & {_bare(str(columns["name"][node])), _bare(str(columns["name"][node]).split(" ")[0]),
                          _bare(str(columns["guid"][node] or "")), _bare(str(columns["id"][node]))}
             and (not building or building in graph.path(node))]
    if len(found) > 1 and floors:
        levels = {_bare(floor) for floor in floors}
        narrow = [node for node in found if _bare(str(columns["name"][graph.ancestor(node, "storey")])) in levels]
        return narrow or found
    return found


def new_rows(bindings: Iterable[Binding], devices: Sequence[Device], only: Sequence[str] = ()) -> list[dict[str, str]]:
    """Registry rows for what is unbound, of some kinds; never one whose id or element is registered already."""
    ids, guids = {device.id for device in devices}, {(device.building, device.guid) for device in devices if device.guid}
    out = []
    for one in bindings:
        row = one.row
        if one.state != "unbound" or not row.get("building") or (only and one.kind not in only):
            continue
        if row["id"] in ids or (one.source == "ifc" and guids & {(row["building"], row["guid"]), ("", row["guid"])}):
            continue
        ids.add(row["id"])
        if one.source == "ifc":
            guids.add((row["building"], row["guid"]))
        out.append(row)
    return out


def _best(kinds: Sequence[DeviceKind], said: str) -> list[DeviceKind]:
    """Of the kinds a class fits those that what the model says speaks for most."""
    text, words = plain_name(said), tokens(said)

    def weight(kind: DeviceKind) -> int:
        named = sum(plain_name(part) in text for part in {kind.id, kind.name, *kind.brick.split("_")[:1]} if part)
        measured = sum(point.key in text for point in kind.points if len(point.key) > 2)
        return 2 * named + len(words & tokens(kind.id)) + measured

    if len(kinds) < 2:
        return list(kinds)
    most = max(weight(kind) for kind in kinds)
    return [kind for kind in kinds if weight(kind) == most]


def _place(node: int, graph: SceneGraph) -> dict[str, str]:
    columns = graph.columns
    building, storey = graph.ancestor(node, "building"), graph.ancestor(node, "storey")
    if node == building:
        return {"building": str(columns["id"][building])}
    return {"building": str(columns["id"][building]), "storey": str(columns["name"][storey]),
            "space": str(columns["name"][node]), "guid": str(columns["guid"][node] or "")}


def _bare(name: str) -> str:
    """'room_C180', 'Room 1071' and 'RM-C180' without the word for room or floor."""
    return re.sub(r"^(room|rm|space|floor|level|storey|f|l)(?=[0-9a-z]*[0-9])", "", plain_name(name)) or plain_name(name)


def _id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_$-]+", "-", text).strip("-") or "device"
