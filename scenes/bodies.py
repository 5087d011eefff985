"""What is drawn of a compiled park, thing by thing: triangles and colours of every node, read back from the tiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.read_glb import read_glb
from scenes.stills import finest_tiles


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The body of one node in the park frame (metres): vertices (n, 3), faces (m, 3), albedo (n, 3) sRGB bytes."""

    node: int
    vertices: NDArray[np.float64]
    faces: NDArray[np.uint32]
    colour: NDArray[np.uint8]


def bodies(build: Path, wanted: NDArray[np.bool_] | None = None) -> Iterator[Body]:
    """Bodies of a compiled park at full detail, ascending by node; positions as exact as the tiles (a few millimetres).

    Args:
        wanted: bool by dense index; all but the ground that belongs to nobody where None.
    """
    found: dict[int, list[tuple[NDArray, NDArray, NDArray]]] = defaultdict(list)
    for path in finest_tiles(build):
        for part in read_glb(path).surfaces():
            owner = part.node[part.faces[:, 0]]
            order = np.argsort(owner, kind="stable")
            names, first = np.unique(owner[order], return_index=True)
            for node, rows in zip(names.tolist(), np.split(order, first[1:]), strict=True):
                if node and (wanted is None or wanted[node]):
                    used, back = np.unique(part.faces[rows], return_inverse=True)
                    found[node].append((part.position[used], back.reshape(-1, 3), part.colour[used, :3]))
    for node in sorted(found):
        parts = found[node]
        start = np.cumsum([0, *(len(p) for p, _, _ in parts)])
        yield Body(node, np.concatenate([p for p, _, _ in parts]),
                   np.concatenate([f + s for (_, f, _), s in zip(parts, start[:-1], strict=True)]).astype(np.uint32),
                   np.concatenate([c for _, _, c in parts]))
