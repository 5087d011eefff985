"""What the editor page needs of a build: how every building stands, and what was moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from scenes.by_hand import Move, Stand
from scenes.things import Pose

EDITING, TARGETS, FOOTPRINTS = "editing.json", "targets.parquet", "footprints.parquet"


def read_editing(build_dir: Path) -> dict[str, Any]:
    """What `write_editing` said; empty of a build that did not."""
    path = build_dir / EDITING
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {"buildings": {}, "placed": {}, "moves": [], "zones": [], **found}


def read_moves(build_dir: Path) -> tuple[Move, ...]:
    """Buildings of a build that do not stand where their sources put them."""
    return tuple(Move(m["building"], np.array(m["box"]), np.array(m["matrix"]),
                      shapely.from_wkt(m["outline"]) if m.get("outline") else None) for m in read_editing(build_dir)["moves"])


def read_stands(build_dir: Path) -> dict[str, Stand]:
    """How every building that has a model stands."""
    return {key: Stand(Pose(at=tuple(found["at"]), anchor=tuple(found["anchor"]), heading=found["heading"],
                            scale=tuple(found["scale"])).matrix(), found["corner"] and tuple(found["corner"]))
            for key, found in read_editing(build_dir)["buildings"].items()}
