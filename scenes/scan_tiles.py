"""A point cloud as tiles in a folder: read in pieces, cut, written as they are done, with their own tileset."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gis.octree import Node, Spool, build_octree
from gis.scan import read_points, survey_scan
from gis.surveyfiles import each_file
from scenes.background_folder import Frame, Keep, Progress, nothing_left, told, write_tile, write_tileset
from scenes.background_glb import points_glb
from scenes.tileset import bounding_box
from twin.finding import Finding
from twin.park import LayerSpec

#: A tile is refined once the gap between its points would cover three pixels of the viewer's 24 of screen error.
POINT_ERROR = 8.0


def tile_scan(spec: LayerSpec, frame: Frame, folder: Path, progress: Progress) -> dict[str, Any]:
    """Write the tiles of a point cloud into a folder; its tileset's `extras` are returned.

    Raises:
        SourceError: it cannot be read, or nothing of it is left to draw.
    """
    findings: list[Finding] = []
    scans = each_file(spec, lambda one: survey_scan(one, frame.park_crs, frame.origin), findings)
    count, before = sum(scan.count for scan in scans), 0
    left_out: Counter[str] = Counter()
    keep = Keep(frame, spec.background.heights, left_out)
    with tempfile.TemporaryDirectory(prefix="scan-", dir=folder) as scratch:
        spool = Spool(Path(scratch))
        for scan in scans:
            for points in read_points(scan, frame.park_crs, frame.origin, left_out, _after(before, count, progress)):
                here = keep(points.position)
                spool.add(points.position[here], points.colour[here])
            before += scan.count
        if not spool.count:
            raise nothing_left(spec, left_out)
        root, thinned = build_octree(spool, spec.background.spacing_m, lambda name, position, colour, spacing: write_tile(
            folder, name, points_glb(position, colour, spacing)))
    left_out[f"nearer than {spec.background.spacing_m * 100:g} cm to another"] += thinned
    drawn = _total(root)
    extras = {"kind": "pointcloud", "points": drawn, "read": count,
              "findings": [asdict(f) for f in (*findings, *told(spec, left_out, drawn))]}
    write_tileset(folder, _point_tile(root), extras)
    return extras


def _after(before: int, count: int, progress: Progress) -> Callable[[int], None]:
    """Progress of one file among several: of `count` points, `before` were in those read already."""
    return lambda done: progress(before + done, count)


def _total(node: Node) -> int:
    return node.count + sum(_total(child) for child in node.children)


def _point_tile(node: Node) -> dict[str, Any]:
    out: dict[str, Any] = {"boundingVolume": bounding_box(node.box), "refine": "ADD",
                           "geometricError": node.spacing_m * POINT_ERROR if node.children else 0.0}
    if node.count:
        out["content"] = {"uri": f"{node.name}.glb"}
    if node.children:
        out["children"] = [_point_tile(child) for child in node.children]
    return out
