"""The spatial scene graph: park → zone → building → storey → space → element / device, as columns.

Row k describes the node with dense index k; row 0 is nobody (feature 0 is never a real one).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NODE_KINDS = ("none", "park", "zone", "building", "storey", "space", "element", "device", "feature")


@dataclass(frozen=True, slots=True)
class Node:
    """One row made readable, for the one thing a person has clicked. Lengths are park-frame metres."""

    index: int
    id: str
    kind: str
    parent: int
    name: str
    name_zh: str | None
    cls: str
    guid: str | None
    source: str
    anchor: tuple[float, float, float]
    bbox: tuple[float, float, float, float, float, float]
    elevation: float | None
    height: float | None
    area: float | None
    tile: str | None
    element: int


class SceneGraph:
    """Columns of every node, with the questions asked of them.

    Args:
        columns: one array a column, all of length n+1 (row 0 reserved); the names of `Node`'s fields,
            with `anchor` (n+1, 3) and `bbox` (n+1, 6) in park-frame metres, float64.
        aliases: further ids nodes are known by (footprints merged into the building that stands there).
    """

    def __init__(self, columns: dict[str, NDArray], aliases: Mapping[str, int] | None = None) -> None:
        self.columns, self.aliases = columns, dict(aliases or {})
        self.size = len(columns["id"])
        self.parent: NDArray[np.uint32] = columns["parent"]
        self._index_of = {node_id: i for i, node_id in enumerate(columns["id"]) if i}
        order = np.argsort(self.parent[1:], kind="stable") + 1
        self._child_order = order
        self._child_start = np.searchsorted(self.parent[order], np.arange(self.size + 1))

    def __len__(self) -> int:
        return self.size - 1

    def index(self, node_id: str) -> int:
        """Dense index of a node id or alias; 0 when there is none."""
        return self._index_of.get(node_id) or self.aliases.get(node_id, 0)

    def children(self, index: int) -> NDArray[np.intp]:
        """Dense indices directly under a node, in build order."""
        return self._child_order[self._child_start[index]: self._child_start[index + 1]]

    def path(self, index: int) -> list[int]:
        """From the park down to the node itself."""
        steps = []
        while index:
            steps.append(index)
            index = int(self.parent[index])
        return steps[::-1]

    def subtree(self, index: int) -> Iterator[int]:
        """The node and everything under it, depth first."""
        stack = [index]
        while stack:
            here = stack.pop()
            yield here
            stack.extend(int(child) for child in self.children(here)[::-1])

    def ancestor(self, index: int, kind: str) -> int:
        """The nearest node of a kind at or above this one; 0 when there is none."""
        kinds = self.columns["kind"]
        while index and kinds[index] != kind:
            index = int(self.parent[index])
        return index

    def ancestor_of(self, index: int, kinds: Sequence[str]) -> int:
        """The nearest node of any of some kinds at or above this one; 0 when there is none."""
        here = self.columns["kind"]
        while index and here[index] not in kinds:
            index = int(self.parent[index])
        return index

    def of_kind(self, kind: str) -> NDArray[np.intp]:
        """Dense indices of every node of a kind."""
        return np.flatnonzero(self.columns["kind"] == kind)

    def node(self, index: int) -> Node:
        """One readable row."""
        c = self.columns

        def number(name: str) -> float | None:
            value = float(c[name][index])
            return None if np.isnan(value) else value

        return Node(
            index=index, id=str(c["id"][index]), kind=str(c["kind"][index]), parent=int(self.parent[index]),
            name=str(c["name"][index]), name_zh=c["name_zh"][index] or None, cls=str(c["cls"][index]),
            guid=c["guid"][index] or None, source=str(c["source"][index]),
            anchor=tuple(float(v) for v in c["anchor"][index]),  # type: ignore[arg-type]
            bbox=tuple(float(v) for v in c["bbox"][index]),  # type: ignore[arg-type]
            elevation=number("elevation"), height=number("height"), area=number("area"),
            tile=c["tile"][index] or None, element=int(c["element"][index]),
        )
