"""The registry into the scene graph: every device a node under the room, storey or place it serves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from models_bim.model import BimModel
from scenes.locate import SpaceIndex
from scenes.rows import NodeRows, Point
from scenes.spread import Spread
from twin.finding import Finding
from twin.registry import Device

Buildings = dict[str, tuple[BimModel, Spread]]
Called = dict[str, list[int]]
_HALF_M = 0.15  # half the box a device without a shape is given


def bind(
    rows: NodeRows,
    devices: Sequence[Device],
    buildings: Buildings,
    index: SpaceIndex,
    park: int,
    findings: list[Finding],
) -> None:
    """Add one node a device, in registry order.

    What a device is bound to: its guid's element (and the room that is in), else the space it names, else where x, y, z
    lie, else the storey, else the building. Its position: x, y, z where given, else the element's, else the room's
    middle. A device none of this finds hangs under the park (or its building) and is reported.
    """
    guids = {
        (b, str(guid)): int(spread.nodes[row])
        for b, (model, spread) in buildings.items()
        for row, guid in reversed(list(enumerate(model.entities.guid)))
        if guid
    }
    called = {building: _spaces_called(model) for building, (model, _) in buildings.items()}
    for device in devices:
        if device.id in rows.index_of:
            findings.append(
                Finding(
                    "error",
                    f"device '{device.id}' has the id of something else in the park; left out",
                    f"devices.csv:{device.line}",
                    "give it another id",
                )
            )
            continue
        parent, element, problem = _target(rows, device, buildings, guids, called, index, park)
        if problem:
            findings.append(
                Finding(
                    "warning",
                    f"device '{device.id}' {problem}",
                    f"devices.csv:{device.line}",
                    "correct its guid, space, storey, building or x, y, z in devices.csv",
                )
            )
        at = _position(rows, device, parent, element)
        box = (at[0] - _HALF_M, at[1] - _HALF_M, at[2] - _HALF_M, at[0] + _HALF_M, at[1] + _HALF_M, at[2] + _HALF_M)
        rows.add(
            device.id,
            "device",
            parent,
            name=device.name,
            name_zh=device.name_zh,
            cls=device.kind,
            guid=device.guid if element else "",
            source=f"devices.csv:{device.line}",
            anchor=at,
            box=box,
            element=element,
        )
    findings += [
        Finding("warning", f"device '{device.id}' feeds '{device.feeds}', which is no device and nothing else in the park",
                f"devices.csv:{device.line}", "correct its 'feeds' in devices.csv, or leave it empty")
        for device in devices if device.feeds and device.feeds not in rows.index_of
    ]


def _target(
    rows: NodeRows,
    device: Device,
    buildings: Buildings,
    guids: dict[tuple[str, str], int],
    called: dict[str, Called],
    index: SpaceIndex,
    park: int,
) -> tuple[int, int, str]:
    """(parent node, element node or 0, what could not be found or "")."""
    problem = ""
    if device.building and device.building not in buildings and device.building not in rows.index_of:
        problem = f"names building '{device.building}', which is not in the park"
    if device.guid:
        node = _by_guid(device, buildings, guids)
        if node:
            is_element = rows.text("kind", node) == "element"
            return (_room_above(rows, node) if is_element else node), (node if is_element else 0), problem
        problem = f"points to element '{device.guid}', which is in no model"
    if device.space:
        space = _by_space(device, buildings, called)
        if space:
            return space, 0, problem
        problem = problem or f"names space '{device.space}', which is not there"
    if device.at is not None:
        room = index.at(np.array(device.at))
        return room or _by_name(rows, device, buildings) or park, 0, problem
    storey = _by_name(rows, device, buildings)
    if device.storey and (not storey or rows.text("kind", storey) != "storey"):
        problem = problem or f"names storey '{device.storey}', which is not there"
    return storey or park, 0, problem or ("" if storey else "is bound to nothing")


def _by_guid(device: Device, buildings: Buildings, guids: dict[tuple[str, str], int]) -> int:
    for building in [device.building] if device.building in buildings else sorted(buildings):
        if (building, device.guid) in guids:
            return guids[building, device.guid]
    return 0


def _room_above(rows: NodeRows, node: int) -> int:
    while node and rows.text("kind", node) not in ("space", "storey", "building", "park"):
        node = rows.parent(node)
    return node


def _by_space(device: Device, buildings: Buildings, called: dict[str, Called]) -> int:
    """A space by number, by name or by both, in the storey and building named."""
    for building in [device.building] if device.building in buildings else sorted(buildings):
        model, spread = buildings[building]
        for row in called[building].get(device.space.casefold(), ()):
            above = int(model.entities.storey[row])
            if not device.storey or (above >= 0 and _is_storey(model, above, device.storey)):
                return int(spread.nodes[row])
    return 0


def _spaces_called(model: BimModel) -> Called:
    """Rows of the spaces of a building, ascending, by everything they may be called."""
    entities, called = model.entities, Called()
    for row in np.flatnonzero(entities.kind == "space").tolist():
        name, long_name = str(entities.name[row]).casefold(), str(entities.long_name[row]).casefold()
        for text in {name, long_name, f"{name} {long_name}", str(entities.key[row]).casefold()}:
            called.setdefault(text, []).append(row)
    return called


def _by_name(rows: NodeRows, device: Device, buildings: Buildings) -> int:
    """The storey named in the building named, else the building (which may be a GIS footprint's node), else 0."""
    if device.building in buildings:
        model, spread = buildings[device.building]
        for k, node in enumerate(spread.storeys):
            if device.storey and _is_storey(model, k, device.storey):
                return node
        return spread.node
    return rows.index_of.get(device.building, 0) if device.building else 0


def _is_storey(model: BimModel, storey: int, wanted: str) -> bool:
    row = model.storeys[storey].entity
    names = (model.storeys[storey].name, str(model.entities.long_name[row]), model.storeys[storey].key)
    return wanted.casefold() in (name.casefold() for name in names)


def _position(rows: NodeRows, device: Device, parent: int, element: int) -> Point:
    if device.at is not None:
        return device.at
    for node in (element, parent):
        while node:
            if not math.isnan(rows.anchor[node][0]):
                return rows.anchor[node]
            node = rows.parent(node)
    return (0.0, 0.0, 0.0)
