"""Buildings, storeys and rooms as edits know them: GUID, box along the building's own axes, place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_bim.model import BimModel
from twin.matching import Thing
from twin.overrides import Xyz

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How a building stands: its `anchor` (own metres) at `at` (park metres).

    `heading`: where its own y axis points, degrees clockwise from grid north. `scale`: park metres in one of its own,
    level and upright.
    """

    at: Xyz
    anchor: Xyz
    heading: float
    scale: tuple[float, float] = (1.0, 1.0)

    def matrix(self) -> Matrix:
        """float64 (4, 4) own metres → park metres."""
        turn = math.radians(-self.heading)
        c, s = math.cos(turn) * self.scale[0], math.sin(turn) * self.scale[0]
        matrix = np.eye(4)
        matrix[:2, :2] = [[c, -s], [s, c]]
        matrix[2, 2] = self.scale[1]
        matrix[:3, 3] = np.array(self.at) - matrix[:3, :3] @ np.array(self.anchor)
        return matrix


def pose_of(park_from_ifc: Matrix, anchor: Xyz) -> Pose:
    """The pose that a matrix (4, 4) means, told at an anchor (own metres)."""
    at = park_from_ifc @ np.array([*anchor, 1.0])
    heading = -math.degrees(math.atan2(park_from_ifc[1, 0], park_from_ifc[0, 0])) % 360.0
    level = math.hypot(park_from_ifc[0, 0], park_from_ifc[1, 0])
    return Pose(at=_xyz(at[:3]), anchor=anchor, heading=heading, scale=(level, float(park_from_ifc[2, 2])))


def own_box(model: BimModel) -> NDArray[np.float64] | None:
    """(6,) the building's box in its own metres; None where nothing of it has a shape."""
    return _around(model.boxes)


def anchor_of(model: BimModel) -> Xyz:
    """What a building is held by: the middle of its box, at its foot; own metres."""
    box = own_box(model)
    return (0.0, 0.0, 0.0) if box is None else _xyz(((box[0] + box[3]) / 2, (box[1] + box[4]) / 2, box[2]))


def plot_of(model: BimModel, park_from_ifc: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """`plot_from_ifc`, float64 (4, 4), and where the plot's origin lies (park metres, east and north).

    The space frame `plot` is a building's own: the park's axes and heights, its origin under the building's anchor. Copies
    of a building that are turned alike are the same there, to the last bit.
    """
    plot_from_ifc, anchor = park_from_ifc.copy(), np.array([*anchor_of(model), 1.0])
    plot_from_ifc[:2, 3] = -(park_from_ifc[:2, :3] @ anchor[:3])
    return plot_from_ifc, (float(park_from_ifc[0] @ anchor), float(park_from_ifc[1] @ anchor))


def corners_of(models: Mapping[str, BimModel]) -> dict[str, Xyz]:
    """Low corner of every building's box in its own metres."""
    return {key: _xyz(box[:3]) for key, model in models.items() if (box := own_box(model)) is not None}


def building_things(models: Mapping[str, BimModel], from_source: Mapping[str, Matrix | None]) -> list[Thing]:
    """Every building; `at` is where its sources put the middle of its box, park metres, None where they do not say."""
    out = []
    for row, (key, model) in enumerate(models.items()):
        box, matrix = own_box(model), from_source[key]
        at = None
        if box is not None and matrix is not None:
            at = _xyz((matrix @ np.append((box[:3] + box[3:]) / 2, 1.0))[:3])
        guids = [str(g) for g in model.entities.guid[model.entities.kind == "building"] if g]
        out.append(Thing(kind="building", building=key, guid=guids[0] if guids else "", size=_size(box), at=at, row=row))
    return out


def inner_things(building: str, model: BimModel) -> Iterator[Thing]:
    """Storeys and rooms of a building in its own metres; `row` is the entity's."""
    entities = model.entities
    for index, storey in enumerate(model.storeys):
        box = _around(model.boxes[(entities.storey == index) & (entities.kind != "storey")])
        at = None if box is None else _xyz((*((box[:2] + box[3:5]) / 2), storey.elevation))
        yield Thing(kind="storey", building=building, guid=str(entities.guid[storey.entity]), size=_size(box), at=at,
                    row=storey.entity)
    shapes = {space.entity: space for space in model.spaces}
    for entity in np.flatnonzero(entities.kind == "space").tolist():
        space, box = shapes.get(entity), None
        if space is not None:
            west, south, east, north = space.polygon.bounds
            box = np.array([west, south, space.z0, east, north, space.z1])
        at = None if box is None else _xyz((box[:3] + box[3:]) / 2)
        yield Thing(kind="space", building=building, guid=str(entities.guid[entity]), size=_size(box), at=at, row=entity)


def _around(boxes: NDArray[np.float64]) -> NDArray[np.float64] | None:
    known = boxes[np.isfinite(boxes).all(axis=1)] if len(boxes) else boxes
    return np.concatenate([known[:, :3].min(axis=0), known[:, 3:].max(axis=0)]) if len(known) else None


def _size(box: NDArray[np.float64] | None) -> Xyz | None:
    return None if box is None else _xyz(box[3:] - box[:3])


def _xyz(values: object) -> Xyz:
    x, y, z = (round(float(v), 4) for v in values)  # type: ignore[attr-defined]
    return x, y, z
