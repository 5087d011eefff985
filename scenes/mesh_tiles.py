"""A reality mesh as tiles in a folder: read, cut, simplified, written as they are done, with their own tileset."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gis.meshtiles import Emit, MeshNode, build_mesh_tree
from gis.photomesh import Surface, read_surfaces, survey_mesh
from gis.surveyfiles import each_file, files_of, once
from scenes.background_folder import Frame, Keep, Progress, nothing_left, told, write_tile, write_tileset
from scenes.mesh_glb import coarse_glb, fine_glb
from scenes.tileset import bounding_box
from twin.finding import Finding
from twin.park import LayerSpec

#: A tile is refined once a cell of its grid would cover four pixels of the viewer's 24 of screen error.
CELL_ERROR = 6.0


def tile_mesh(spec: LayerSpec, frame: Frame, folder: Path, progress: Progress) -> dict[str, Any]:
    """Write the tiles of a reality mesh into a folder; its tileset's `extras` are returned.

    Raises:
        SourceError: it cannot be read, or nothing of it is left to draw.
    """
    findings: list[Finding] = []
    left_out: Counter[str] = Counter()
    keep = Keep(frame, spec.background.heights, left_out)
    files = files_of(spec)
    roots: list[MeshNode] = []
    count = 0

    def tile(one: LayerSpec) -> None:
        nonlocal count
        number = files.index(one)
        surfaces = _kept(one, frame, keep, findings)
        if surfaces:
            roots.append(build_mesh_tree(surfaces, emit, "r" if len(files) == 1 else f"{number}r"))
            count += sum(len(s.corners) for s in surfaces)
        progress(number + 1, len(files) + 1)

    emit = Emit(fine=lambda name, pieces, atlas: write_tile(folder, name, fine_glb(pieces, atlas)),
                coarse=lambda name, mesh: write_tile(folder, name, coarse_glb(mesh)))
    each_file(spec, tile, findings)
    if not roots:
        raise nothing_left(spec, left_out)
    extras = {"kind": "mesh", "triangles": count,
              "findings": [asdict(f) for f in (*once(findings), *told(spec, left_out, count))]}
    write_tileset(folder, _side_by_side([_mesh_tile(root) for root in roots], roots), extras)
    return extras


def _kept(spec: LayerSpec, frame: Frame, keep: Keep, findings: list[Finding]) -> list[Surface]:
    """What is drawn of one file."""
    survey = survey_mesh(spec, frame.park_crs, frame.origin)
    surfaces = []
    for surface in read_surfaces(survey, frame.park_crs, frame.origin, findings):
        rows = np.flatnonzero(keep(surface.corners.mean(axis=1)))
        if len(rows):
            surfaces.append(Surface(surface.corners[rows], None if surface.uv is None else surface.uv[rows], surface.image,
                                    surface.chart[rows], surface.colour[rows]))
    return surfaces


def _side_by_side(tiles: list[dict[str, Any]], roots: list[MeshNode]) -> dict[str, Any]:
    """The tile of one file, or one without content over those of several."""
    if len(tiles) == 1:
        return tiles[0]
    low, high = np.min([r.box[:3] for r in roots], axis=0), np.max([r.box[3:] for r in roots], axis=0)
    return {"boundingVolume": bounding_box((*low.tolist(), *high.tolist())), "refine": "REPLACE",
            "geometricError": 2 * max(tile["geometricError"] for tile in tiles), "children": tiles}


def _mesh_tile(node: MeshNode) -> dict[str, Any]:
    out: dict[str, Any] = {"boundingVolume": bounding_box(node.box), "refine": "REPLACE",
                           "geometricError": node.cell_m * CELL_ERROR}
    if node.triangles:
        out["content"] = {"uri": f"{node.name}.glb"}
    if node.children:
        out["children"] = [_mesh_tile(child) for child in node.children]
    return out
