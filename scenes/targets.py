"""From a node of a compiled park to the target an edit names, and to the pose of a building."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from scenes.editing import TARGETS, read_editing
from scenes.things import Pose
from twin.graph import SceneGraph
from twin.overrides import OverrideError, Target, Xyz


class Targets:
    """What edits call the buildings, storeys and rooms of a build.

    Args:
        standing: `editing.json`'s buildings by id. boxes: node → size and middle, own metres.
    """

    def __init__(self, graph: SceneGraph, standing: dict[str, Any], boxes: dict[int, tuple[float, ...]]) -> None:
        self._graph, self.standing, self._boxes = graph, standing, boxes

    @classmethod
    def open(cls, build_dir: Path, graph: SceneGraph) -> Targets:
        """Those of a build folder; of a build that tells nothing of itself none."""
        path = build_dir / TARGETS
        boxes: dict[int, tuple[float, ...]] = {}
        if path.is_file():
            table = pq.read_table(path)
            columns = [table[name].to_pylist() for name in ("node", "size_x", "size_y", "size_z", "x", "y", "z")]
            boxes = {row[0]: row[1:] for row in zip(*columns, strict=True)}
        return cls(graph, read_editing(build_dir)["buildings"], boxes)

    def of(self, node_id: str) -> Target:
        """The target of a building, storey or room with a model.

        Raises:
            OverrideError: there is none of that id, or it is not from a model.
        """
        index = self._graph.index(node_id)
        kind = str(self._graph.columns["kind"][index])
        owner = self._graph.ancestor(index, "building")
        building = str(self._graph.columns["id"][owner]) if owner else ""
        if kind not in ("building", "storey", "space") or building not in self.standing:
            raise OverrideError(f"'{node_id}' is no building, storey or room of a model", mend="choose one that is",
                                code="edit.target", fill={"node": node_id})
        standing = self.standing[building]
        corner = _xyz(standing["corner"])
        if kind == "building":
            return Target(kind="building", building=building, guid=standing["guid"], size=_xyz(standing["size"]),
                          at=_xyz(standing["source_at"]), corner=corner)
        box = self._boxes.get(index, (np.nan,) * 6)
        return Target(kind="storey" if kind == "storey" else "space", building=building,
                      guid=str(self._graph.columns["guid"][index]), size=_xyz(box[:3]), at=_xyz(box[3:]), corner=corner)

    def pose(self, building: str) -> Pose:
        """How a building of a model stands.

        Raises:
            OverrideError: there is none of that id.
        """
        found = self.standing.get(building)
        if found is None:
            raise OverrideError(f"there is no building '{building}' with a model", mend="choose one that is",
                                code="edit.target", fill={"node": building})
        return Pose(at=tuple(found["at"]), anchor=tuple(found["anchor"]), heading=found["heading"],
                    scale=tuple(found["scale"]))


def _xyz(values: Any) -> Xyz | None:
    if values is None or not np.isfinite(values).all():
        return None
    x, y, z = (float(v) for v in values)
    return x, y, z
