"""Tiles numbered within their building, told the park's own node numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.read_glb import Glb


def renumbered(data: bytes, dense: NDArray[np.uint32]) -> bytes:
    """A tile whose property table says `dense[n]` wherever it said node `n`; every other byte stands.

    Args:
        data: a GLB as `write_glb` leaves it, its property table uncompressed.
        dense: (k,) the park-wide dense node index of each number.
    """
    glb = Glb(data)
    if "EXT_structural_metadata" not in glb.json.get("extensions", {}):
        return data
    numbers = dense[glb.nodes_of_features()].astype("<u4").tobytes()
    table = glb.json["extensions"]["EXT_structural_metadata"]["propertyTables"][0]
    start = len(data) - len(glb.binary) + glb.json["bufferViews"][table["properties"]["node"]["values"]]["byteOffset"]
    return b"".join([data[:start], numbers, data[start + len(numbers):]])


def renumbered_entry(entry: dict[str, Any], dense: NDArray[np.uint32]) -> dict[str, Any]:
    """A building's entry of the manifest in the park's own node numbers."""
    storeys = [{**storey, "node": int(dense[storey["node"]])} for storey in entry["storeys"]]
    return {**entry, "node": int(dense[entry["node"]]), "storeys": storeys}
