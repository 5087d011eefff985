"""Compile a park folder: read, merge, draw, write, and put the result in place in one move."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scenes.backgrounds import tile_backgrounds
from scenes.bim_report import LANGS, REPORT, Reported, as_html, bim_report, page_name
from scenes.glb import FeatureNames
from scenes.merge import Merged, merge
from scenes.meshopt import ENCODER, PLAIN, packing
from scenes.output import BuildFolder, build_folder
from scenes.relations import Related, write_relations
from scenes.sources import Progress, Sources, read_sources
from scenes.standing import FORMAT, MANIFEST, BuildResult, name_of_build, standing
from scenes.store import columns_of, layer_columns, write_layer, write_nodes, write_properties, write_spaces
from scenes.write_editing import write_editing
from twin.finding import Finding
from twin.memory import give_back_large
from twin.park import ParkSpec
from twin.steps import StepStore, user_steps
from twin.workshop import LocalPool, Pool, Workshop

if TYPE_CHECKING:
    from scenes.park_tiles import ParkScene, ParkTiles


def compile_park(spec: ParkSpec, *, progress: Progress = lambda stage, done, total: None, force: bool = False,
                 jobs: int = 2, faults: tuple[Finding, ...] = (), pool: Pool | None = None,
                 keeps_former: bool = False) -> BuildResult:
    """Compile a park into its build folder; on failure the last good build stays.

    Args:
        progress: called with (stage, done, total) from the calling thread.
        force: do every step, also where neither its input nor its code has changed.
        jobs: files read and buildings drawn at a time on this machine.
        faults: what was wrong in the park file; goes into the report first.
        pool: where the steps are done, if not on this machine; it changes no byte of the result.
        keeps_former: leave the build that is replaced aside, for whoever serves it (`output.take_back`).

    Raises:
        SourceError: nothing of the park could be read.
        DiskFullError: the park's disk has no room for the build.
    """
    give_back_large()
    build, inputs = name_of_build(spec)
    found = None if force else standing(spec, build)
    if found is not None:
        return found
    workshop = Workshop(pool or LocalPool(jobs), StepStore(None) if force else user_steps())
    sources = read_sources(spec, progress, workshop)
    with build_folder(spec.build_dir, keeps_former=keeps_former) as folder:
        result = _build(spec, sources, folder, progress, build, inputs, faults, workshop)
    workshop.store.trim()
    return result


def _build(spec: ParkSpec, sources: Sources, folder: BuildFolder, progress: Progress, build: str,
           inputs: dict[str, str], faults: tuple[Finding, ...], workshop: Workshop) -> BuildResult:
    from scenes.park_tiles import write_tiles  # what draws is loaded when all is read: readers may need the memory
    from scenes.walk import build_walk, write_walk

    progress("merge", 0, 1)
    merged = merge(spec, sources.buildings, sources.layers, sources.devices, sources.ground, sources.overrides,
                   workshop.store, {one.id: one.geometry for one in sources.placed})
    progress("merge", 1, 1)
    tiles = write_tiles(_scene(spec, sources, merged), folder.write_tile, progress, workshop,
                        lambda cut: tile_backgrounds(sources.backgrounds, spec, folder.path, cut, progress))
    _note_tiles(merged, tiles)
    progress("tables", 0, 1)
    _write_tables(spec, sources, merged, folder.path)
    write_editing(folder.path, spec, sources, merged, workshop.store)
    ways, unreachable = build_walk(merged, sources.buildings, sources.ground, workshop.store)
    write_walk(folder.path, ways)
    findings = (*faults, *sources.findings, *merged.findings, *unreachable, *tiles.backgrounds.findings, *_unpacked())
    folder.write("report.json", _json([_row(f) for f in findings]))
    bim = bim_report(spec.name, build, _reported(spec, sources), findings)
    folder.write(REPORT, _json(bim))
    for lang in LANGS:
        folder.write(page_name(lang), as_html(bim, lang).encode())
    progress("tables", 1, 1)
    progress("compress", 0, 1)
    folder.squeeze(workshop.store)
    counts = _counts(merged)
    folder.write(MANIFEST, _json(_manifest(spec, tiles, build, inputs, counts, folder.path)))
    progress("compress", 1, 1)
    return BuildResult(build, spec.build_dir, findings, counts, True)


def _scene(spec: ParkSpec, sources: Sources, merged: Merged) -> ParkScene:
    from scenes.building_tiles import BuildingInput
    from scenes.park_tiles import ParkScene

    columns = merged.graph.columns
    buildings = tuple(
        BuildingInput.of(building_id, source.model, source.park_from_ifc, merged.entity_nodes[building_id],
                      merged.building_nodes[building_id], merged.storey_nodes[building_id])
        for building_id, source in sources.buildings.items())
    names = FeatureNames(columns["id"], columns["name"], columns["cls"])
    return ParkScene(spec.crs, spec.origin, merged.layers, sources.ground, buildings, names, sources.backgrounds)


def _reported(spec: ParkSpec, sources: Sources) -> list[Reported]:
    return [Reported(b.id, b.name or b.id, sources.buildings[b.id].model)
            for b in spec.buildings if b.ifc and b.id in sources.buildings]


def _unpacked() -> tuple[Finding, ...]:
    if packing() != PLAIN:
        return ()
    return (Finding("note", "tiles are not compressed: the viewer, which brings the compressor, has not been built",
                    str(ENCODER), "run tools/setup, then build again"),)


def _note_tiles(merged: Merged, tiles: ParkTiles) -> None:
    """Tell every node of a building which tile shows it."""
    column = merged.graph.columns["tile"]
    for building in tiles.buildings:
        column[building["node"]] = building["shell"]
        for storey in building["storeys"]:
            for node in merged.graph.subtree(storey["node"]):
                column[node] = storey["tile"]


def _write_tables(spec: ParkSpec, sources: Sources, merged: Merged, folder: Path) -> None:
    write_nodes(folder, merged.graph)
    write_properties(folder, [*(columns_of(merged.entity_nodes[b], s.model.properties)
                                for b, s in sources.buildings.items()),
                              *(layer_columns(layer, nodes) for layer, nodes in [*merged.absorbed, *merged.layers])])
    write_relations(folder, [Related(b, merged.building_nodes[b], merged.entity_nodes[b], s.model)
                             for b, s in sources.buildings.items()])
    write_spaces(folder, merged.spaces, spec.crs, spec.origin)
    for layer, nodes in merged.layers:
        write_layer(folder, layer, nodes, spec.crs, spec.origin)


def _manifest(spec: ParkSpec, tiles: ParkTiles, build: str, inputs: dict[str, str], counts: dict[str, int],
              folder: Path) -> dict[str, Any]:
    return {
        "format": FORMAT, "id": spec.id, "name": spec.name, "name_zh": spec.name_zh or "", "crs": spec.crs,
        "origin": list(spec.origin), "bounds": list(tiles.bounds),
        "ground": dict(zip(("low", "middle", "high"), tiles.ground, strict=True)), "latitude": tiles.latitude,
        "longitude": tiles.longitude, "build": build, "demo": spec.demo, "tileset": "tiles/tileset.json",
        "light": {"image": "tiles/ground/light.png", "bounds": list(tiles.light_bounds)},
        "root_transform": tiles.root_transform, "buildings": tiles.buildings,
        "backgrounds": list(tiles.backgrounds.manifest), "counts": counts, "inputs": inputs,
        "outputs": {p.relative_to(folder).as_posix(): p.stat().st_size
                    for p in sorted(folder.rglob("*")) if p.is_file()},
    }


def _counts(merged: Merged) -> dict[str, int]:
    kinds, count = np.unique(merged.graph.columns["kind"][1:].astype(str), return_counts=True)
    return dict(zip(kinds.tolist(), count.tolist(), strict=True))


def _row(finding: Finding) -> dict[str, Any]:
    """A row of report.json; what pages alone need is left out where there is none."""
    return {key: value for key, value in asdict(finding).items() if value or key not in ("code", "fill")}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
