"""The node table while it is being filled, row by row, and its boxes while they grow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")
NO_BOX = (NAN,) * 6
NOWHERE = (NAN, NAN, NAN)
TEXT = ("id", "kind", "name", "name_zh", "cls", "guid", "source", "tile")
NUMBERS = ("elevation", "height", "area")
INDICES = ("parent", "element")

Box = tuple[float, float, float, float, float, float]
Point = tuple[float, float, float]


class NodeRows:
    """Nodes in the order they are added; the first added is node 1. Lengths are park metres."""

    def __init__(self) -> None:
        self.index_of: dict[str, int] = {}
        self.aliases: dict[str, int] = {}
        self._text: dict[str, list[str]] = {name: [""] for name in TEXT}
        self._number: dict[str, list[float]] = {name: [NAN] for name in NUMBERS}
        self._index: dict[str, list[int]] = {name: [0] for name in INDICES}
        self.anchor: list[Point] = [NOWHERE]
        self.box: list[Box] = [NO_BOX]
        self._text["kind"][0] = "none"

    def __len__(self) -> int:
        return len(self.anchor) - 1

    def add(
        self,
        node_id: str,
        kind: str,
        parent: int,
        *,
        name: str = "",
        name_zh: str = "",
        cls: str = "",
        guid: str = "",
        source: str = "",
        anchor: Point = NOWHERE,
        box: Box = NO_BOX,
        elevation: float = NAN,
        height: float = NAN,
        area: float = NAN,
        element: int = 0,
    ) -> int:
        """Add a node and say its index. An id already taken gets `~2`, `~3`, …"""
        unique, n = node_id, 1
        while unique in self.index_of:
            n += 1
            unique = f"{node_id}~{n}"
        index = len(self.anchor)
        self.index_of[unique] = index
        text = {
            "id": unique,
            "kind": kind,
            "name": name,
            "name_zh": name_zh,
            "cls": cls,
            "guid": guid,
            "source": source,
            "tile": "",
        }
        for column, value in text.items():
            self._text[column].append(value)
        for column, number in (("elevation", elevation), ("height", height), ("area", area)):
            self._number[column].append(float(number))
        self._index["parent"].append(parent)
        self._index["element"].append(element)
        self.anchor.append((float(anchor[0]), float(anchor[1]), float(anchor[2])))
        self.box.append(tuple(float(v) for v in box))  # type: ignore[arg-type]
        return index

    def alias(self, node_id: str, index: int) -> None:
        """Let a node be known by a further id, unless something has that id."""
        if node_id not in self.index_of:
            self.index_of[node_id] = self.aliases[node_id] = index

    def reparent(self, index: int, parent: int) -> None:
        """Put a node under another."""
        self._index["parent"][index] = parent

    def parent(self, index: int) -> int:
        """The node above."""
        return self._index["parent"][index]

    def text(self, column: str, index: int) -> str:
        """One text cell."""
        return self._text[column][index]

    def set_text(self, column: str, index: int, value: str) -> None:
        """One text cell; an id is never changed."""
        self._text[column][index] = value

    def set_number(self, column: str, index: int, value: float) -> None:
        """One number cell."""
        self._number[column][index] = float(value)

    def number(self, column: str, index: int) -> float:
        """One number cell."""
        return self._number[column][index]

    def enclose(self, top: int) -> None:
        """Grow every box to hold what is under it, and give nodes without an anchor the middle of their box."""
        for index in range(
            len(self), 0, -1
        ):  # what is deeper is mostly later; assemblies are settled by the second pass
            self._grow(index)
        for index in range(len(self), 0, -1):
            self._grow(index)
        for index in range(1, len(self) + 1):
            box = self.box[index]
            if math.isnan(self.anchor[index][0]) and not math.isnan(box[0]):
                self.anchor[index] = ((box[0] + box[3]) / 2, (box[1] + box[4]) / 2, (box[2] + box[5]) / 2)
        for index in range(1, len(self) + 1):
            above = self.parent(index)
            if math.isnan(self.anchor[index][0]) and above and not math.isnan(self.anchor[above][0]):
                self.anchor[index] = self.anchor[above]
        if math.isnan(self.anchor[top][0]):
            self.anchor[top] = (0.0, 0.0, 0.0)

    def columns(self) -> dict[str, NDArray]:
        """The table as `SceneGraph` wants it, row 0 being nobody."""
        columns: dict[str, NDArray] = {name: np.array(values, dtype=object) for name, values in self._text.items()}
        columns |= {name: np.array(values, dtype=np.float64) for name, values in self._number.items()}
        columns |= {name: np.array(values, dtype=np.uint32) for name, values in self._index.items()}
        columns["anchor"] = np.array(self.anchor, dtype=np.float64).reshape(-1, 3)
        columns["bbox"] = np.array(self.box, dtype=np.float64).reshape(-1, 6)
        return columns

    def _grow(self, index: int) -> None:
        above, box = self.parent(index), self.box[index]
        if above and not math.isnan(box[0]):
            self.box[above] = joined(self.box[above], box)


def joined(one: Box, other: Box) -> Box:
    """The box around two, either of which may be missing (NaN)."""
    if math.isnan(one[0]):
        return other
    low = (min(one[0], other[0]), min(one[1], other[1]), min(one[2], other[2]))
    return (*low, max(one[3], other[3]), max(one[4], other[4]), max(one[5], other[5]))
