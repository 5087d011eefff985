"""What scans and reality meshes share on their way to tiles: which of their points are drawn, what is told, the folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerSpec

F64 = NDArray[np.float64]
TILESET = "tileset.json"
_MASK_CELL_M, _MASK_CELLS = 0.25, 6000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where a background is to go.

    Args:
        reach: box on the plan (park metres) outside which points are taken for strays.
        cut: what buildings cover on the plan; nothing of the background is drawn there.
    """

    park_crs: str
    origin: tuple[float, float, float]
    reach: tuple[float, float, float, float]
    cut: shapely.Geometry


class Keep:
    """Which points of a background are drawn: not too far off, within the heights wanted, not where buildings stand."""

    def __init__(self, frame: Frame, heights: tuple[float, float] | None, left_out: Counter[str]) -> None:
        self.frame, self.heights, self.left_out = frame, heights, left_out
        self.mask: NDArray[np.uint8] | None = None
        if not frame.cut.is_empty:
            from rasterio.features import rasterize  # slow to load, and only backgrounds need it
            from rasterio.transform import from_origin

            xmin, ymin, xmax, ymax = frame.cut.bounds
            self.cell = max(_MASK_CELL_M, max(xmax - xmin, ymax - ymin) / _MASK_CELLS)
            shape = (int((ymax - ymin) / self.cell) + 1, int((xmax - xmin) / self.cell) + 1)
            self.corner = np.array([xmin, ymax])
            self.mask = rasterize([frame.cut], shape, transform=from_origin(xmin, ymax, self.cell, self.cell), dtype="uint8")

    def __call__(self, position: F64) -> NDArray[np.bool_]:
        xmin, ymin, xmax, ymax = self.frame.reach
        x, y, z = position.T
        here = (x >= xmin) & (x <= xmax) & (y >= ymin) & (y <= ymax)
        self._count("far outside the park", ~here)
        if self.heights is not None:
            tall = here & ((z < self.heights[0]) | (z > self.heights[1]))
            self._count("outside the `heights` of park.toml", tall)
            here &= ~tall
        if self.mask is not None:
            row = np.floor((self.corner[1] - y) / self.cell).astype(np.int64)
            column = np.floor((x - self.corner[0]) / self.cell).astype(np.int64)
            inside = here & (row >= 0) & (column >= 0) & (row < self.mask.shape[0]) & (column < self.mask.shape[1])
            covered = np.zeros(len(position), bool)
            covered[inside] = self.mask[row[inside], column[inside]] > 0
            self._count("where a building of the park stands", covered)
            here &= ~covered
        return here

    def _count(self, why: str, which: NDArray[np.bool_]) -> None:
        self.left_out[why] += int(which.sum())


def nothing_left(spec: LayerSpec, left_out: Counter[str]) -> SourceError:
    why = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
    return SourceError(f"layer '{spec.id}': nothing of {spec.source.name} is left to draw ({why or 'it is empty'})",
                       where=spec.where, mend="check its crs, `heights` and `under`")


def told(spec: LayerSpec, left_out: Counter[str], drawn: int) -> list[Finding]:
    what = "points" if spec.kind == "pointcloud" else "triangles"
    out = []
    for reason, count in left_out.items():
        if count:
            level = "warning" if "damaged" in reason or "breaks off" in reason or "cannot be" in reason else "note"
            out.append(Finding("warning" if level == "warning" else "note",
                               f"layer '{spec.id}': {what} left out: {reason} ({drawn:,} are drawn)", spec.source.name,
                               "copy or export it again" if level == "warning" else "", count))
    return out


def write_tile(folder: Path, name: str, data: bytes) -> None:
    (folder / f"{name}.glb").write_bytes(data)


def write_tileset(folder: Path, root: dict[str, Any], extras: dict[str, Any]) -> None:
    error = max(float(root["geometricError"]), 1.0) * 2
    text = json.dumps({"asset": {"version": "1.1", "generator": "parktwin"}, "geometricError": error, "root": root,
                       "extras": extras}, ensure_ascii=False, separators=(",", ":"))
    (folder / TILESET).write_text(text + "\n", encoding="utf-8")
