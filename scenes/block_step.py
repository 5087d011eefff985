"""Blocks of the map as steps of a build: many footprints drawn, many squares lit, wherever the workshop has room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gis.mesh import Mesh
from gis.model import Ground
from gis.solids import Standing
from gis.terrain import Terrain
from scenes.bake import Light, Occluders, bake
from scenes.kept import part_key
from scenes.shade import Near
from twin.errors import TwinError
from twin.memory import give_back_large
from twin.workshop import Workshop

#: A step is worth sending to another process when it takes a second or so.
FOOTPRINTS_A_STEP = 1024
TRIANGLES_A_STEP = 40_000
F64 = NDArray[np.float64]
Here = Callable[[Path], Path]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class DrawBlocks:
    """The step (`twin.workshop.Step`) that draws some buildings of a layer."""

    standing: Standing
    ground: Ground
    key: str
    name: str = "drawing buildings of the map"
    files: tuple[Path, ...] = ()

    def do(self, here: Here) -> list[Mesh]:
        """One mesh a building."""
        give_back_large()
        return self.standing.meshes(self.ground)


@dataclass(frozen=True, slots=True, eq=False)
class LightSquares:
    """The step that lights some squares, each a mesh and the triangles (m, 3, 3) near it; kept square by square."""

    squares: tuple[tuple[Mesh, F64], ...]
    sun: F64
    key: str = ""
    name: str = "lighting buildings of the map"
    files: tuple[Path, ...] = ()

    def do(self, here: Here) -> list[Light]:
        """The light of each."""
        give_back_large()
        return [bake(mesh, Occluders(corners), self.sun) for mesh, corners in self.squares]


def drawn_blocks(standing: Standing, ground: Ground, ground_key: str, workshop: Workshop) -> list[Mesh]:
    """One mesh a building; drawn in the workshop, some at a time."""
    bare = replace(ground, _cells={}) if isinstance(ground, Terrain) else ground  # without its index
    parts = [standing.take(slice(at, at + FOOTPRINTS_A_STEP)) for at in range(0, len(standing), FOOTPRINTS_A_STEP)]
    steps = (DrawBlocks(part, bare, part_key("drawn blocks", part, ground_key)) for part in parts)
    drawn: dict[int, list[Mesh]] = {}
    for place, made in workshop.finish(steps):
        drawn[place] = _sound(made)
    return [mesh for place in sorted(drawn) for mesh in drawn[place]]


def lit_squares(squares: Iterable[tuple[Mesh, Near]], sun: F64, workshop: Workshop) -> list[Light]:
    """The light of every square, as it depends on what is near alone, a square that stands as it was is not lit again."""
    lights: dict[int, Light] = {}
    sent: list[list[tuple[int, str]]] = []

    def steps() -> Iterator[LightSquares]:
        rows: list[tuple[int, str]] = []
        waiting: list[tuple[Mesh, F64]] = []
        triangles = 0
        for place, (mesh, near) in enumerate(squares):
            key = part_key("lit blocks", mesh, near.key, sun)
            found = workshop.store.find(key)
            if isinstance(found, Light):
                lights[place] = found
                continue
            rows.append((place, key))
            waiting.append((mesh, near.triangles()))
            triangles += len(mesh.faces)
            if triangles >= TRIANGLES_A_STEP:
                sent.append(rows)
                yield LightSquares(tuple(waiting), sun)
                rows, waiting, triangles = [], [], 0
        if waiting:
            sent.append(rows)
            yield LightSquares(tuple(waiting), sun)

    for step, made in workshop.finish(steps()):
        for (place, key), light in zip(sent[step], _sound(made), strict=True):
            workshop.store.keep(key, light)
            lights[place] = light
    return [lights[place] for place in sorted(lights)]


def _sound(made: T | TwinError) -> T:
    if isinstance(made, TwinError):
        raise made
    return made
