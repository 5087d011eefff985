"""The tree and the rooms as columns say what the rows say, in Python and in the page's own reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from in_node import run_in_node

from ioc.http.columns import node_columns, room_columns


def node(i: int, kind: str, parent: int, name: str, z: float | None = None) -> dict:
    return {"i": i, "id": f"n{i}", "kind": kind, "parent": parent, "name": name, "name_zh": f"{name}中", "tile": "",
            "anchor": [i + 0.5, 2.0, 3.0], "bbox": [0.0, 1.0, 2.0, 3.0, 4.0, float(i)], "z": z, "h": None, "area": 2.5}


TREE = [node(1, "park", 0, "Park"), node(2, "building", 1, "A"), node(7, "storey", 2, "L1", 3.2), node(9, "zone", 7, "Group"),
        node(10, "space", 9, "Office"), node(40, "space", 7, "Office"), node(41, "building", 1, "B")]
TABLE = {"i": np.array([n["i"] for n in TREE]), "parent": np.array([n["parent"] for n in TREE]),
         **{field: np.array([n[field] for n in TREE], object) for field in ("id", "kind", "name", "name_zh", "tile")},
         **{field: np.array([n[field] for n in TREE], float) for field in ("anchor", "bbox", "z", "h", "area")}}
ROOMS = [{"i": 10, "parent": 7, "z0": 0.0, "z1": 3.0, "ring": [[0.0, 0.0], [4.0, 0.0], [4.0, 3.0]]},
         {"i": 40, "parent": 7, "z0": 0.1, "z1": 3.0, "ring": [[5.0, 0.0], [9.0, 0.0], [9.0, 3.0], [5.0, 3.0]]}]
ASK = """
import { NodeTable, RoomTable } from "SOURCE/places";
const { tree, rooms } = JSON.parse(process.argv[2]);
const places = new NodeTable(tree), outlines = new RoomTable(rooms), ids = (nodes) => nodes.map((n) => n.id);
console.log(JSON.stringify({
  nodes: tree.i.map((i) => places.byIndex.get(i)), highest: places.highest,
  one: places.byIndex.get(40) === places.byId.get("n40"),
  none: [places.byIndex.has(8), places.byId.has("x"), places.parentOf(8), places.children(8, "space").length],
  up: [places.parentOf(10), places.parentOf(1)], children: ids(places.children(7, "space")),
  under: ids(places.under(2, "space")),
  self: ids(places.under(7, "storey")), kinds: ids(places.ofKind("building")), nothing: places.ofKind("door").length,
  rooms: outlines.of(7), same: outlines.of(7)[1] === outlines.get(40), far: outlines.of(2).length,
  indices: [...outlines.indices],
}));
"""


def test_equal_text_is_there_once_and_rings_lie_end_to_end() -> None:
    columns = node_columns({field: values[::-1] for field, values in TABLE.items()})
    assert columns["i"] == [1, 2, 7, 9, 10, 40, 41]
    assert columns["name"] == {"words": ["Park", "A", "L1", "Group", "Office", "B"], "at": [0, 1, 2, 3, 4, 4, 5]}
    assert (len(columns["anchor"]), len(columns["bbox"])) == (21, 42)
    rooms = room_columns(ROOMS)
    assert rooms["ring"] == [0, 6, 14]
    assert rooms["xy"][6:8] == [5.0, 0.0]
    assert room_columns([])["ring"] == [0]


def test_the_page_reads_from_columns_what_the_rows_say(tmp_path: Path) -> None:
    told = {"tree": node_columns(TABLE), "rooms": room_columns(ROOMS)}
    found = json.loads(run_in_node(tmp_path, ASK, json.dumps(told)))
    assert found["nodes"] == TREE
    assert found["highest"] == 41
    assert found["one"]
    assert found["none"] == [False, False, 0, 0]
    assert (found["up"], found["children"], found["under"]) == ([9, 0], ["n40"], ["n10", "n40"])
    assert (found["self"], found["kinds"], found["nothing"]) == (["n7"], ["n2", "n41"], 0)
    assert found["rooms"] == ROOMS
    assert (found["same"], found["far"], found["indices"]) == (True, 0, [10, 40])
