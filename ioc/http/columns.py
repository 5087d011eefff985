"""The tree and the outlines of rooms as columns: a page reads a few long lists instead of a hundred thousand objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray


def node_columns(table: Mapping[str, NDArray]) -> dict[str, Any]:
    """The tree ascending in `i`: a list a field, with 3 numbers a row in `anchor` and 6 in `bbox`.

    Text of which much is the same is `{"words": […], "at": […]}`: each once, and which of them every row has.

    Args:
        table: (n,) i, id, parent, kind, name, name_zh, tile, z, h, area; (n, 3) anchor, (n, 6) bbox; lengths are park metres,
            NaN where there are none.
    """
    order = np.argsort(table["i"], kind="stable")
    column = {field: values[order] for field, values in table.items()}
    return {**{field: column[field].tolist() for field in ("i", "id", "parent")},
            **{field: _coded(column[field].tolist()) for field in ("kind", "name", "name_zh", "tile")},
            **{field: np.round(np.nan_to_num(column[field]), 3).ravel().tolist() for field in ("anchor", "bbox")},
            **{field: [None if x != x else x for x in column[field].tolist()] for field in ("z", "h", "area")}}


def room_columns(rooms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rooms: a list a field; the ring of room k is x, y, x, y, … (park metres) in `xy` from `ring[k]` up to `ring[k + 1]`."""
    return {**{field: [room[field] for room in rooms] for field in ("i", "parent", "z0", "z1")},
            "ring": list(accumulate((2 * len(room["ring"]) for room in rooms), initial=0)),
            "xy": [number for room in rooms for point in room["ring"] for number in point]}


def _coded(texts: Sequence[str | None]) -> dict[str, list[Any]]:
    number: dict[str, int] = {}
    at = [number.setdefault(text or "", len(number)) for text in texts]
    return {"words": list(number), "at": at}
