"""Buildings and devices put by hand: edits that change where something stands, applied before the merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.merge import BuildingSource
from scenes.things import Pose, building_things, corners_of, own_box, pose_of
from twin.finding import Finding
from twin.matching import Miss, find, is_same_size, missed
from twin.overrides import FILE_NAME, Override, Place, PutDevice, Xyz, is_of_map
from twin.packs import PackSet
from twin.registry import Device

_AT_WALL_M = 0.5
UNPLACED = "building.unplaced"  # the code of the finding about a building that nothing places


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A building that was moved by hand.

    `box` (6,) is where it stood, park metres; `matrix` (4, 4) takes a point from there to where it stands now.
    `outline`, where there is one, is the ground it stood on, for buildings that do not fill their box.
    """

    building: str
    box: NDArray[np.float64]
    matrix: NDArray[np.float64]
    outline: shapely.Geometry | None = None

    def holds(self, at: NDArray[np.float64]) -> bool:
        """Whether a point (3,) is in it or at its wall."""
        if self.outline is not None and self.outline.distance(shapely.Point(at[:2])) > _AT_WALL_M:
            return False
        return bool((at >= self.box[:3] - _AT_WALL_M).all() and (at <= self.box[3:] + _AT_WALL_M).all())


@dataclass(frozen=True, slots=True, eq=False)
class Stand:
    """How a building with a model stands: `matrix` (4, 4) park metres from its own; `corner` the low one of its own box."""

    matrix: NDArray[np.float64]
    corner: Xyz | None


def stands_of(buildings: Mapping[str, BuildingSource]) -> dict[str, Stand]:
    """How every building stands."""
    corners = corners_of({key: source.model for key, source in buildings.items()})
    return {key: Stand(source.park_from_ifc, corners.get(key)) for key, source in buildings.items()}


def place_by_hand(buildings: dict[str, BuildingSource], overrides: Mapping[str, Override],
                  findings: list[Finding]) -> dict[str, BuildingSource]:
    """Every building where the edits put it; the others as they stand. Edits that match nothing are told."""
    models = {key: source.model for key, source in buildings.items()}
    things = building_things(models, {key: source.from_source for key, source in buildings.items()})
    out = dict(buildings)
    taken: dict[str, str] = {}
    for key, override in overrides.items():
        if not isinstance(override, Place) or is_of_map(override.target.building):
            continue
        found = find(override.target, things, {})
        if isinstance(found, Miss):
            findings.append(missed(key, f"building '{override.target.building}'", found))
            continue
        building = found.thing.building
        if building in taken:
            findings.append(Finding("warning", f"edits '{taken[building]}' and '{key}' both place building '{building}'; "
                                               "the later one holds", FILE_NAME, "undo one of the two on the editor page"))
        taken[building] = key
        if found.by != "id":
            findings.append(Finding("note", f"the place of building '{override.target.building}' is taken for '{building}', "
                                            f"which matches by {found.by}", FILE_NAME))
        out[building] = _placed(out[building], override, building, findings)
    unplaced = [f for f in findings if f.code == UNPLACED and f.fill["building"] in taken]
    findings[:] = [f for f in findings if f not in unplaced]
    findings += [Finding("note", f"building '{f.fill['building']}' stands where a person placed it; its sources do not say",
                         f.where) for f in unplaced]
    return out


def _placed(source: BuildingSource, override: Place, building: str, findings: list[Finding]) -> BuildingSource:
    scale = pose_of(source.park_from_ifc, (0.0, 0.0, 0.0)).scale if source.from_source is not None else (1.0, 1.0)
    anchor = override.anchor
    box = own_box(source.model)
    target = override.target
    if box is not None and target.size is not None:
        if is_same_size(target.size, tuple(box[3:] - box[:3])):
            if target.corner is not None:  # the same building from another origin keeps its place
                anchor = _moved(anchor, target.corner, tuple(box[:3]))
        else:
            findings.append(Finding(
                "warning", f"building '{building}' is not as large as when it was placed by hand "
                           f"({_by(target.size)} then, {_by(tuple(box[3:] - box[:3]))} m now)", FILE_NAME,
                "look whether it still stands right on the editor page (/editor)"))
    matrix = Pose(at=override.at, anchor=anchor, heading=override.heading, scale=scale).matrix()
    before = None
    if override.was is not None:
        before = Pose(at=override.was, anchor=anchor, heading=override.was_heading, scale=scale).matrix()
    return replace(source, park_from_ifc=matrix, is_placed=True, moved_from=before)


def moves_of(buildings: Mapping[str, BuildingSource]) -> tuple[Move, ...]:
    """Buildings that were moved from where they stood."""
    out = []
    for key, source in buildings.items():
        box = own_box(source.model)
        if source.moved_from is None or box is None:
            continue
        ends = np.array([[box[i], box[1 + j], box[2 + k], 1.0] for i in (0, 3) for j in (0, 3) for k in (0, 3)])
        there = (ends @ source.moved_from.T)[:, :3]
        out.append(Move(key, np.concatenate([there.min(axis=0), there.max(axis=0)]),
                        source.park_from_ifc @ np.linalg.inv(source.moved_from)))
    return tuple(out)


def follow(devices: Sequence[Device], moves: Sequence[Move]) -> tuple[Device, ...]:
    """Devices of the registry, those of a moved building where it took them.

    A device belongs to the building it names, else to the one in whose box (as the sources put it) it stands.
    """
    return tuple(_followed(device, moves) for device in devices)


def _followed(device: Device, moves: Sequence[Move]) -> Device:
    if device.at is None:
        return device
    at = np.array(device.at)
    for move in moves:
        if device.building == move.building or (not device.building and move.holds(at)):
            x, y, z = (move.matrix @ np.append(at, 1.0))[:3].tolist()
            turn = np.degrees(np.arctan2(move.matrix[1, 0], move.matrix[0, 0]))
            return replace(device, at=(x, y, z), heading=(device.heading - turn) % 360.0)
    return device


def put_devices(devices: Sequence[Device], overrides: Mapping[str, Override], stands: Mapping[str, Stand],
                moves: Sequence[Move], packs: PackSet, findings: list[Finding]) -> tuple[Device, ...]:
    """The registry with devices put by hand: known ones where they were put, new ones after all others.

    One put on a building goes where that goes: by the building's own metres, on one of the map by `moves`.
    """
    out = {device.id: device for device in devices}
    for key, override in overrides.items():
        if isinstance(override, PutDevice):
            if override.kind not in packs.kinds:
                findings.append(Finding("error", f"edit '{key}': kind '{override.kind}' is in no pack; it is left out",
                                        FILE_NAME, "choose another kind on the editor page, or bring the pack back"))
                continue
            out[override.id] = _put(out.get(override.id), override, stands.get(override.building), moves)
    return tuple(out.values())


def _put(known: Device | None, override: PutDevice, stand: Stand | None, moves: Sequence[Move]) -> Device:
    at, heading = override.at, override.heading
    if stand is not None and override.own is not None:
        own = override.own
        if override.corner is not None and stand.corner is not None:
            own = _moved(own, override.corner, stand.corner)
        x, y, z = (stand.matrix @ np.array([*own, 1.0]))[:3].tolist()
        at = (x, y, z)
    facing, building = float("nan") if heading is None else heading, override.building
    if is_of_map(building) and override.own is not None:  # its id may be another's by now, its ground is not
        at, building = _carried(override.own, moves), ""
    if known is not None:
        return replace(known, at=at, guid="", space="", storey="", building=building,
                       name=override.name or known.name, name_zh=override.name_zh or known.name_zh,
                       heading=known.heading if heading is None else facing)
    return Device(id=override.id, kind=override.kind, name=override.name or override.id, name_zh=override.name_zh,
                  building=building, at=at, heading=facing)


def _carried(at: Xyz, moves: Sequence[Move]) -> Xyz:
    """Where a point on a building of the map, as its layer has it, is now."""
    for move in moves:
        if is_of_map(move.building) and move.holds(np.array(at)):
            x, y, z = (move.matrix @ np.array([*at, 1.0]))[:3].tolist()
            return x, y, z
    return at


def _moved(at: Xyz, then: Xyz, now: Sequence[float]) -> Xyz:
    return at[0] + now[0] - then[0], at[1] + now[1] - then[1], at[2] + now[2] - then[2]


def _by(size: Sequence[float]) -> str:
    return " × ".join(f"{v:.1f}" for v in size)
