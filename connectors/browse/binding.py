"""What of a park is bound, unbound, ambiguous or never heard of: registry rows, model elements, Brick things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from connectors.browse.offer import Offer
from connectors.browse.suggest import matched, plain_name, tokens
from models_bim.brick import BrickModel, BrickThing
from twin.graph import SceneGraph
from twin.packs import DeviceKind
from twin.registry import Device

State = Literal["bound", "unbound", "ambiguous", "unknown"]
#: What Brick says of where a sensor is, not of what it measures.
WHERE = re.compile(r"Average_|Zone_|Room_|Space_|Air_(?=Temperature|Humidity)|_Sensor$")
#: Elements that carry but do nothing a person watches; ports and the like.
CARRIERS = re.compile(r"Segment$|Fitting$|Port$|Junction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One thing. `row` is what a registry row would say (unbound with a kind), `candidates` what it may be.

    `by`: what binds it (guid, space, coordinate, storey, building). `points`: (point key, its name there).
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
                is_device: Iterable[str]) -> list[Binding]:
    """Every element that could be a device: bound by a registry row, or a row for it.

    Args:
        told: what the model says of a node (predefined type, object type, tag), as one text.
        is_device: IFC classes of things that measure, act or distribute.
    """
    classes, columns = set(is_device), graph.columns
    taken = {int(e): str(columns["id"][i]) for i, e in enumerate(columns["element"]) if e and columns["kind"][i] == "device"}
    out = []
    for node in graph.of_kind("element").tolist():
        cls = str(columns["cls"][node])
        if cls not in classes or CARRIERS.search(cls):
            continue
        name = str(columns["name"][node] or columns["id"][node])
        if node in taken:
            out.append(Binding(source="ifc", name=name, state="bound", by=f"guid of {taken[node]}"))
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


def of_brick(model: BrickModel, devices: Sequence[Device], graph: SceneGraph,
             kinds: Mapping[str, DeviceKind], building: int = 0) -> list[Binding]:
    """Every thing of a Brick model, and rooms whose sensors nothing else carries.

    Args:
        building: the node all of it is in, where that is known; 0: anywhere in the park.
    """
    known = {plain_name(word): device for device in devices for word in (device.id, device.name, device.name_zh) if word}
    made = [_brick_thing(thing, known, devices, graph, kinds, building) for thing in model.things]
    ids = {thing.name: one.row["id"] for thing, one in zip(model.things, made, strict=True) if one.row}
    ids |= {thing.name: device.id for thing in model.things if (device := known.get(plain_name(thing.name)))}
    out = []
    for thing, one in zip(model.things, made, strict=True):
        fed = next((ids[name] for name in thing.feeds if name in ids), "")
        out.append(replace(one, row={**one.row, "feeds": fed}) if one.row and fed else one)
    return out + [Binding(source="brick", name=point.name, state="unknown", why=f"{point.cls} belongs to nothing")
                  for point in model.loose]


def _brick_thing(thing: BrickThing, known: Mapping[str, Device], devices: Sequence[Device], graph: SceneGraph,
                 kinds: Mapping[str, DeviceKind], building: int) -> Binding:
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
    ids, guids = {device.id for device in devices}, {device.guid for device in devices if device.guid}
    out = []
    for one in bindings:
        row = one.row
        if one.state != "unbound" or not row.get("building") or (only and one.kind not in only):
            continue
        if row["id"] in ids or (one.source == "ifc" and row.get("guid") in guids):
            continue
        ids.add(row["id"])
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
