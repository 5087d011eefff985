"""Tiles as they are drawn, in numbers and a frame of their own, settled in the park: its nodes, their names, their place.

So what a tile looks like is drawn once, however often it stands in the park, and what its things are called draws nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.building_tiles import BuildingOutput
from scenes.glb import FeatureNames, assemble, property_table
from scenes.glb_buffer import GlbBuffer
from scenes.read_glb import Glb
from scenes.tileset import Tile

Xy = tuple[float, float]


def settled(data: bytes, dense: NDArray[np.uint32], names: FeatureNames, at: Xy = (0.0, 0.0)) -> bytes:
    """A tile whose property table tells of `dense[n]` where it had number n, moved by `at`; its geometry is not touched.

    Args:
        data: a GLB as `write_glb` leaves it, its property table last.
        dense: (k,) the park-wide dense node index of each number.
        names: of the park's nodes.
        at: park metres, east and north.
    """
    glb = Glb(data)
    gltf, structure = glb.json, glb.json["extensions"]["EXT_structural_metadata"]
    nodes = dense[glb.nodes_of_features()]
    buffer = GlbBuffer.before(gltf, glb.binary, structure["propertyTables"][0]["properties"]["node"]["values"])
    gltf["extensions"]["EXT_structural_metadata"] = property_table(buffer, nodes, names)
    for node in gltf["nodes"]:
        east, up, south = node["translation"]
        node["translation"] = [east + at[0], up, south - at[1]]
    return assemble(gltf, buffer)


def settled_building(drawn: BuildingOutput, building: str, dense: NDArray[np.uint32], names: FeatureNames,
                     at: Xy) -> BuildingOutput:
    """A building's tile and its entry of the manifest in the park; its files lie under `address(building)`."""
    entry = drawn.manifest
    storeys = [{**storey, "id": str(names.id[dense[storey["node"]]]), "node": int(dense[storey["node"]]),
                "tile": storey["tile"] and address(building) + storey["tile"]} for storey in entry["storeys"]]
    tile = _settled_tile(drawn.tile, building, at)
    mass = replace(drawn.mass, position=drawn.mass.position + np.array([*at, 0.0]), node=dense[drawn.mass.node])
    return BuildingOutput(tile, {"id": building, "node": int(dense[entry["node"]]), "bbox": [round(v, 4) for v in tile.box],
                                 "shell": address(building) + entry["shell"], "storeys": storeys}, drawn.triangles, mass)


def address(building: str) -> str:
    """Where the tiles of a building lie, below `tiles/`."""
    return f"b/{building}/"


def _settled_tile(tile: Tile, building: str, at: Xy) -> Tile:
    west, south, low, east, north, high = tile.box
    box = (west + at[0], south + at[1], low, east + at[0], north + at[1], high)
    return Tile(tile.uri and address(building) + tile.uri, tile.layer, box, tile.error_m,
                tuple(_settled_tile(child, building, at) for child in tile.children), tile.replace,
                {"building": building, **tile.extras})
