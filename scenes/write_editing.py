"""What the editor page needs of a build, written: how buildings stand, what their rooms match by, footprints to snap to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from scenes.by_hand import Move, moves_of
from scenes.editing import EDITING, FOOTPRINTS, TARGETS
from scenes.kept import NOTHING_KEPT
from scenes.map_buildings import outlines_of
from scenes.merge import BuildingSource, Merged
from scenes.sources import Sources
from scenes.spread import footprint_of
from scenes.store import write_table
from scenes.things import anchor_of, building_things, corners_of, inner_things, pose_of
from twin.overrides import FILE_NAME, DrawnZone
from twin.park import ParkSpec
from twin.steps import StepStore

_SIMPLE_M = 0.15


def write_editing(folder: Path, spec: ParkSpec, sources: Sources, merged: Merged, store: StepStore = NOTHING_KEPT) -> None:
    """Write editing.json, targets.parquet, footprints.parquet and the overrides as they went in."""
    buildings = sources.buildings
    models = {key: source.model for key, source in buildings.items()}
    corners = corners_of(models)
    things = building_things(models, {key: source.from_source for key, source in buildings.items()})
    document = {
        "buildings": {thing.building: {
            **_standing(buildings[thing.building], store), "guid": thing.guid, "size": thing.size, "source_at": thing.at,
            "corner": corners.get(thing.building), "node": merged.building_nodes[thing.building]} for thing in things},
        "moves": [_written(move) for move in (*moves_of(buildings), *(one.move() for one in sources.placed))],
        "placed": {one.id: {"at": one.pose.at, "heading": one.pose.heading, "rise": one.rise_m} for one in sources.placed},
        "zones": [{"id": zone.id, "ring": zone.ring} for zone in sources.overrides.values() if isinstance(zone, DrawnZone)],
    }
    (folder / EDITING).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    _write_targets(folder, buildings, merged)
    _write_footprints(folder, sources)
    if (spec.root / FILE_NAME).is_file():
        shutil.copyfile(spec.root / FILE_NAME, folder / FILE_NAME)


def _written(move: Move) -> dict[str, Any]:
    outline = None if move.outline is None else shapely.to_wkt(move.outline, rounding_precision=3)
    return {"building": move.building, "box": move.box.tolist(), "matrix": move.matrix.tolist(), "outline": outline}


def _standing(source: BuildingSource, store: StepStore) -> dict[str, Any]:
    anchor = anchor_of(source.model)
    pose = pose_of(source.park_from_ifc, anchor)
    given = None if source.from_source is None else pose_of(source.from_source, anchor)
    is_hand = source.is_placed and (source.from_source is None
                                    or not np.allclose(source.from_source, source.park_from_ifc, atol=1e-6))
    return {"how": "hand" if is_hand else "sources" if source.is_placed else "none",
            "anchor": anchor, "at": pose.at, "heading": round(pose.heading, 6), "scale": pose.scale,
            "from_source": given and {"at": given.at, "heading": round(given.heading, 6)},
            "outline": list(_rings(source, store))}


def _rings(source: BuildingSource, store: StepStore) -> Iterator[list[list[float]]]:
    """Outlines of the ground it covers in its own metres, without holes."""
    shape = footprint_of(source.model, np.eye(4), store).simplify(_SIMPLE_M)
    for part in getattr(shape, "geoms", [shape]):
        if part.area > 1.0:
            yield [[round(float(x), 3), round(float(y), 3)] for x, y in part.exterior.coords[:-1]]


def _write_targets(folder: Path, buildings: dict[str, BuildingSource], merged: Merged) -> None:
    """node u32, then the box of every storey and room in its building's own metres (NaN where it has no shape)."""
    nodes, numbers = [], []
    for key, source in buildings.items():
        for thing in inner_things(key, source.model):
            nodes.append(int(merged.entity_nodes[key][thing.row]))
            numbers.append([*(thing.size or (np.nan,) * 3), *(thing.at or (np.nan,) * 3)])
    table = np.array(numbers, dtype=np.float64).reshape(-1, 6)
    names = ("size_x", "size_y", "size_z", "x", "y", "z")
    write_table(folder / TARGETS, {"node": np.array(nodes, dtype=np.uint32), **{n: table[:, k] for k, n in enumerate(names)}})


def _write_footprints(folder: Path, sources: Sources) -> None:
    """id text, geometry WKB (park metres): building footprints of every map layer, those that a model replaces too.

    All as their layers have them, wherever edits put them.
    """
    outlines = outlines_of(sources.layers, {one.id: one.geometry for one in sources.placed})
    wkb = shapely.to_wkb(np.array(list(outlines.values()), dtype=object)) if outlines else np.zeros(0, dtype="S1")
    write_table(folder / FOOTPRINTS, {"id": np.array(list(outlines), dtype=object), "geometry": wkb})
