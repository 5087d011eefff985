"""Drawing a building as a step of a build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.building_body import BuildingBody, Whole
from scenes.building_tiles import BuildingInput, BuildingOutput, tile_building
from scenes.kept import CODE_ROOMS
from scenes.meshopt import packing
from twin.memory import give_back_large
from twin.steps import code_digest, key_of

Files = list[tuple[str, bytes]]
Drawn = tuple[BuildingOutput | None, Files]


@dataclass(frozen=True, slots=True, eq=False)
class DrawBuilding:
    """The step (`twin.workshop.Step`) that draws one building, in its own numbers and its plot: copies of it are drawn once.

    Args:
        body: asked for its triangles only where the building is drawn; sent to another process it takes them along.
        around: triangles (m, 3, 3) of the neighbourhood that throws shadow on it, to the millimetre.
    """

    source: BuildingInput
    body: BuildingBody | Whole
    around: NDArray[np.float64]
    sun: NDArray[np.float64]
    files: tuple[Path, ...] = ()

    @classmethod
    def of(cls, body: BuildingBody, around: NDArray[np.float64], sun: NDArray[np.float64]) -> DrawBuilding:
        """The step for a building of a park, without what its drawing does not ask for; `around` in park metres."""
        bare = replace(body.source, model=body.source.model.bare(), dense=np.zeros(0, np.uint32))
        return cls(bare, body, np.round(around - np.array([*body.source.at, 0.0]), 3) + 0.0, sun)

    @property
    def name(self) -> str:
        """For messages."""
        return f"drawing building '{self.source.id}'"

    @property
    def key(self) -> str:
        """Of everything that shows in the building's files; empty where its model does not say what it was read from."""
        source = self.source
        if not source.model.digest:
            return ""
        numbers = np.concatenate([[source.node, *source.storey_nodes], source.nodes]).astype(np.int64)
        return key_of("building", code_digest(*CODE_ROOMS), packing(), source.model.digest, *(
            array.tobytes() for array in (source.plot_from_ifc, numbers, self.around, self.sun)))

    def do(self, here: Callable[[Path], Path]) -> Drawn:
        """Tile, manifest entry and files."""
        give_back_large()
        files: Files = []
        output = tile_building(self.source, self.body.mesh, self.around, self.sun,
                               lambda name, data: files.append((name, data)))
        return output, files
