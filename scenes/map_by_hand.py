"""Buildings of the map put elsewhere by edits, before the merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import affine_transform

from gis.model import Ground, Layer, Shell
from scenes.by_hand import Move
from scenes.map_buildings import MapBuildings, MapMatch, anchor_of_outline, outlines_of, size_of_outline
from scenes.things import Pose
from twin.finding import Finding
from twin.matching import Miss, is_same_size, missed
from twin.overrides import FILE_NAME, Override, Place, is_of_map

DEEPEST_M, HIGHEST_M = -100.0, 1_000.0  # what is moved along with a building stands between these, park metres


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An outline that was put elsewhere: its id, how it stands now, and as its layer has it (park metres)."""

    id: str
    pose: Pose
    geometry: shapely.Geometry
    rise_m: float

    def move(self) -> Move:
        """What goes along with it."""
        x0, y0, x1, y1 = self.geometry.bounds
        matrix = self.pose.matrix()
        matrix[2, 3] = self.rise_m
        return Move(self.id, np.array([x0, y0, DEEPEST_M, x1, y1, HIGHEST_M]), matrix, self.geometry)


def place_map_buildings(layers: Sequence[Layer], overrides: Mapping[str, Override], ground: Ground,
                        findings: list[Finding]) -> tuple[tuple[Layer, ...], tuple[Placed, ...]]:
    """The layers with every outline where the edits put it, and what was moved. Edits that match nothing are told.

    A building of the map stands on the ground wherever it is; the height an edit gives is not used.
    """
    wanted = {key: o for key, o in overrides.items() if isinstance(o, Place) and is_of_map(o.target.building)}
    if not wanted:
        return tuple(layers), ()
    known, out, placed = MapBuildings(outlines_of(layers)), list(layers), dict[str, Placed]()
    spots = [(k, row) for k, layer in enumerate(layers) if layer.kind == "buildings" for row in range(len(layer))]
    for key, override in wanted.items():
        found = known.find(override.target)
        if isinstance(found, Miss):
            findings.append(missed(key, f"building '{override.target.building}' of the map", found))
            continue
        at, row = spots[found.row]
        geometry = layers[at].geometry[row]
        told = _remark(key, override, found, geometry)
        findings += [told] if told else []
        if found.id in placed:
            findings.append(Finding("warning", f"two edits place building '{found.id}'; the later one, '{key}', holds",
                                    FILE_NAME, "undo one of the two on the editor page"))
        pose = Pose(at=(override.at[0], override.at[1], 0.0), anchor=anchor_of_outline(geometry), heading=override.heading)
        moved = affine_transform(geometry, _flat(pose))
        rise = float(ground.height_at(np.array([pose.at[:2]]))[0] - ground.height_at(np.array([pose.anchor[:2]]))[0])
        placed[found.id] = Placed(found.id, pose, geometry, rise)
        out[at] = _with(out[at], row, moved, pose.matrix())
    return tuple(out), tuple(placed.values())


def _remark(key: str, override: Place, found: MapMatch, geometry: shapely.Geometry) -> Finding | None:
    target = override.target
    if found.by == "shape":
        return Finding("note", f"edit '{key}' is taken for building '{found.id}' of the map by shape and place; its id is "
                               "new", FILE_NAME)
    if target.size is not None and not is_same_size(target.size, size_of_outline(geometry)):
        return Finding("warning", f"the outline of building '{found.id}' is not as large as when it was placed by hand",
                       FILE_NAME, "look whether it still stands right on the editor page (/editor)")
    return None


def _flat(pose: Pose) -> list[float]:
    matrix = pose.matrix()
    return [matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1], matrix[0, 3], matrix[1, 3]]


def _with(layer: Layer, row: int, geometry: shapely.Geometry, matrix: NDArray[np.float64]) -> Layer:
    shapes = layer.geometry.copy()
    shapes[row] = geometry
    shells = layer.shells
    if shells and shells[row] is not None:
        shells = (*shells[:row], _turned(shells[row], matrix), *shells[row + 1:])  # type: ignore[arg-type]
    return replace(layer, geometry=shapes, shells=shells)


def _turned(shell: Shell, matrix: NDArray[np.float64]) -> Shell:
    return Shell(tuple(tuple(ring @ matrix[:3, :3].T + matrix[:3, 3] for ring in rings) for rings in shell.rings), shell.role)
