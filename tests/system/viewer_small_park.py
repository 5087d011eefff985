"""A park of one building in the tile format the house agrees on, small enough to reason about every pixel.

Park frame, metres: a lawn 200 × 200 about the origin; building `b1` 30 × 20 × 9.6 with three storeys of 3.2;
two rooms each, split at x = 0. Node indices: 1 park, 2 building, 3..5 storeys, 6..11 rooms, 12 lawn, 13 walls.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from scenes.colour import to_gltf

PARK, BUILDING, LAWN, WALLS = 1, 2, 12, 13
STOREYS = (3, 4, 5)
STOREY_METRES, HALF_X, HALF_Y = 3.2, 15.0, 10.0
#: root transform: the park frame moved and turned somewhere on the globe (column-major)
ROOT = [0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -2286489.905, -3487823.145, 4809551.808, 1.0]


def room_node(storey: int, side: int) -> int:
    """Index of a room: side 0 is x < 0, side 1 is x > 0."""
    return 6 + storey * 2 + side


def _quad(
    corners: list[tuple[float, float, float]], node: int, cls: int, colour: tuple[int, int, int], up: int, sun: int
) -> dict[str, Any]:
    return {"corners": corners, "node": node, "cls": cls, "colour": colour, "up": up, "sun": sun}


def _box(z0: float, z1: float, with_roof: bool) -> list[dict[str, Any]]:
    x, y = HALF_X, HALF_Y
    ring = [(-x, -y), (x, -y), (x, y), (-x, y)]
    faces = []
    for k in range(4):
        (ax, ay), (bx, by) = ring[k], ring[(k + 1) % 4]
        faces.append(
            _quad(
                [(ax, ay, z0), (bx, by, z0), (bx, by, z1), (ax, ay, z1)],
                WALLS,
                0,
                (225, 222, 215),
                128,
                150 if k < 2 else 40,
            )
        )
    if with_roof:
        faces.append(_quad([(*p, z1) for p in ring], WALLS, 10, (205, 205, 200), 255, 190))
    return faces


def write_glb(path: Path, faces: list[dict[str, Any]]) -> None:
    """One GLB in the agreed format: u16 positions, albedo + occlusion, _SHADE, feature ids and their property table."""
    points = np.array([c for f in faces for c in f["corners"]], float)
    yup = np.column_stack([points[:, 0], points[:, 2], -points[:, 1]])
    low, span = yup.min(0), np.maximum(np.ptp(yup, axis=0), 1e-3)
    position = np.zeros((len(yup), 4), "<u2")
    position[:, :3] = np.rint((yup - low) / span * 65535)
    colour = to_gltf(np.array([f["colour"] for f in faces for _ in range(4)], np.uint8))
    shade = np.array([(f["sun"], f["up"], f["cls"], 32) for f in faces for _ in range(4)], np.uint8)
    nodes = np.unique([0, *(f["node"] for f in faces)]).astype("<u4")
    local = np.zeros((len(yup), 2), "<u2")
    local[:, 0] = np.searchsorted(nodes, [f["node"] for f in faces for _ in range(4)])
    index = np.concatenate([np.array([0, 1, 2, 0, 2, 3]) + 4 * k for k in range(len(faces))]).astype("<u2")
    body, views = bytearray(), []
    for raw, extra in (
        (position, {"byteStride": 8}),
        (colour, {"byteStride": 8}),
        (shade, {"byteStride": 4}),
        (local, {"byteStride": 4}),
        (index, {}),
        (nodes, {}),
    ):
        body.extend(b"\0" * (-len(body) % 8))
        views.append({"buffer": 0, "byteOffset": len(body), "byteLength": raw.nbytes, **extra})
        body.extend(raw.tobytes())
    body.extend(b"\0" * (-len(body) % 8))
    count = len(yup)
    gltf = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": low.tolist(), "scale": span.tolist()}],
        "extensionsUsed": ["KHR_mesh_quantization", "EXT_mesh_features", "EXT_structural_metadata"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "buffers": [{"byteLength": len(body)}],
        "bufferViews": views,
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5123,
                "normalized": True,
                "count": count,
                "type": "VEC3",
                "min": position[:, :3].min(0).tolist(),
                "max": position[:, :3].max(0).tolist(),
            },
            {"bufferView": 1, "componentType": 5123, "normalized": True, "count": count, "type": "VEC4"},
            {"bufferView": 2, "componentType": 5121, "count": count, "type": "VEC4"},
            {"bufferView": 3, "componentType": 5123, "count": count, "type": "SCALAR"},
            {"bufferView": 4, "componentType": 5123, "count": len(index), "type": "SCALAR"},
        ],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0, "COLOR_0": 1, "_SHADE": 2, "_FEATURE_ID_0": 3},
                        "indices": 4,
                        "mode": 4,
                        "extensions": {
                            "EXT_mesh_features": {
                                "featureIds": [{"featureCount": len(nodes), "attribute": 0, "propertyTable": 0}]
                            }
                        },
                    }
                ]
            }
        ],
        "extensions": {
            "EXT_structural_metadata": {
                "schema": {
                    "id": "t",
                    "classes": {"node": {"properties": {"node": {"type": "SCALAR", "componentType": "UINT32"}}}},
                },
                "propertyTables": [{"class": "node", "count": len(nodes), "properties": {"node": {"values": 5}}}],
            }
        },
    }
    text = json.dumps(gltf).encode()
    text += b" " * (-(len(text) + 20) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(body))
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(body), b"BIN\0")
        + bytes(body)
    )


def _storey_faces(storey: int) -> list[dict[str, Any]]:
    z = storey * STOREY_METRES
    faces = _box(z, z + STOREY_METRES, with_roof=False)
    for side, (x0, x1) in enumerate(((-HALF_X, 0.0), (0.0, HALF_X))):
        ring = [(x0, -HALF_Y, z + 0.05), (x1, -HALF_Y, z + 0.05), (x1, HALF_Y, z + 0.05), (x0, HALF_Y, z + 0.05)]
        faces.append(_quad(ring, room_node(storey, side), 13, (230, 230, 230), 255, 120))
    return faces


def _tile(
    uri: str, layer: str, half: tuple[float, float, float], middle_z: float, error: float, **more: Any
) -> dict[str, Any]:
    box = [0, 0, middle_z, half[0], 0, 0, 0, half[1], 0, 0, 0, half[2]]
    return {
        "boundingVolume": {"box": box},
        "geometricError": error,
        "content": {"uri": uri},
        "extras": {"layer": layer},
        **more,
    }


def write_small_park(build: Path) -> dict[str, Any]:
    """Writes tiles and `world.json` under `build`; returns the world."""
    top = 3 * STOREY_METRES
    lawn = _quad([(-100, -100, 0), (100, -100, 0), (100, 100, 0), (-100, 100, 0)], LAWN, 6, (142, 164, 132), 255, 170)
    write_glb(build / "tiles/ground/lawn.glb", [lawn])
    write_glb(build / "tiles/b/b1/shell.glb", _box(0.0, top, with_roof=True))
    for storey in range(3):
        write_glb(build / f"tiles/b/b1/{storey}.glb", _storey_faces(storey))
    children = [
        _tile("ground/lawn.glb", "ground", (100, 100, 1), 0.0, 0.0),
        _tile("b/b1/shell.glb", "buildings", (HALF_X, HALF_Y, top / 2), top / 2, 0.0, refine="REPLACE"),
    ]
    tileset = {
        "asset": {"version": "1.1"},
        "geometricError": 500,
        "root": {
            "boundingVolume": {"box": [0, 0, 5, 100, 0, 0, 0, 100, 0, 0, 0, 6]},
            "geometricError": 400,
            "refine": "ADD",
            "transform": ROOT,
            "children": children,
        },
    }
    (build / "tiles/tileset.json").write_text(json.dumps(tileset), "utf-8")
    world = _world()
    (build / "world.json").write_text(json.dumps(world), "utf-8")
    return world


def _node(i: int, id: str, kind: str, parent: int, box: list[float], z: float | None = None) -> dict[str, Any]:
    middle = [(box[k] + box[k + 3]) / 2 for k in range(3)]
    return {
        "i": i,
        "id": id,
        "kind": kind,
        "parent": parent,
        "name": id,
        "name_zh": id,
        "anchor": middle,
        "bbox": box,
        "z": z,
        "h": STOREY_METRES,
        "area": 300.0,
        "tile": "",
    }


def _world() -> dict[str, Any]:
    top = 3 * STOREY_METRES
    box = [-HALF_X, -HALF_Y, 0.0, HALF_X, HALF_Y, top]
    tree = [
        _node(PARK, "park", "park", 0, [-100, -100, 0, 100, 100, top]),
        _node(BUILDING, "b1", "building", PARK, box),
    ]
    storeys, spaces = [], []
    for s, node in enumerate(STOREYS):
        z = s * STOREY_METRES
        tree.append(_node(node, f"b1:S{s}", "storey", BUILDING, [*box[:2], z, *box[3:5], z + STOREY_METRES], z))
        storeys.append(
            {
                "id": f"b1:S{s}",
                "node": node,
                "index": s,
                "name": f"{s + 1}F",
                "elevation": z,
                "height": STOREY_METRES,
                "tile": f"b/b1/{s}.glb",
            }
        )
        for side, (x0, x1) in enumerate(((-HALF_X, 0.0), (0.0, HALF_X))):
            i = room_node(s, side)
            tree.append(_node(i, f"b1:R{i}", "space", node, [x0, -HALF_Y, z, x1, HALF_Y, z + STOREY_METRES]))
            spaces.append(
                {
                    "i": i,
                    "parent": node,
                    "z0": z,
                    "z1": z + 3.0,
                    "ring": [[x0, -HALF_Y], [x1, -HALF_Y], [x1, HALF_Y], [x0, HALF_Y]],
                }
            )
    status = {
        "key": "status",
        "name": "s",
        "name_zh": "s",
        "unit": "",
        "type": "state",
        "states": ["off", "run"],
        "states_zh": ["停止", "运行"],
        "low": None,
        "high": None,
        "set": False,
    }
    kind = {
        "id": "ahu",
        "pack": "t",
        "name": "AHU",
        "name_zh": "空调",
        "symbol": "fan",
        "points": [status],
        "commands": [],
    }
    device = {
        "i": 20,
        "id": "ahu-1",
        "kind": "ahu",
        "name": "AHU-1",
        "name_zh": "机组 1",
        "parent": room_node(1, 0),
        "pos": [-7.0, 5.0, 4.4],
        "slot": 0,
    }
    park = {
        "id": "small",
        "name": "Small",
        "name_zh": "小园区",
        "crs": "EPSG:32651",
        "origin": [0, 0, 0],
        "bounds": [-100, -100, 100, 100],
        "latitude": 31,
        "longitude": 121,
        "build": "t",
        "demo": False,
        "tileset": "/build/tiles/tileset.json",
        "light": None,
        "root_transform": ROOT,
        "buildings": [{"id": "b1", "node": BUILDING, "bbox": box, "shell": "b/b1/shell.glb", "storeys": storeys}],
    }
    return {
        "park": park,
        "tree": tree,
        "spaces": spaces,
        "kinds": [kind],
        "devices": [device],
        "tracks": [{"i": 0, "id": "P1", "kind": "person", "name": "P1", "name_zh": "P1", "role": ""}],
    }
