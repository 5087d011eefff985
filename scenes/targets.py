"""From a node of a compiled park to the target an edit names, and to the pose of a building."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from scenes.editing import FOOTPRINTS, TARGETS, read_editing
from scenes.map_buildings import MapBuildings, anchor_of_outline, size_of_outline
from scenes.things import Pose
from twin.graph import SceneGraph
from twin.matching import Miss, Thing, find
from twin.overrides import OverrideError, Target, Xyz, is_of_map

AT_WALL_M = 0.3  # this near to its wall a thing is on a building of the map


class Targets:
    """What edits call the buildings, storeys and rooms of a build.

    Args:
        standing: `editing.json`'s buildings by id, those with a model. boxes: node → size and middle, own metres.
        placed: buildings of the map that were put elsewhere: id → where they are held and their heading.
        outlines: all of the map, as their layers have them, by id.
    """

    def __init__(self, graph: SceneGraph, standing: dict[str, Any], boxes: dict[int, tuple[float, ...]],
                 placed: dict[str, Any], outlines: Callable[[], dict[str, shapely.Geometry]]) -> None:
        self._graph, self.standing, self._boxes, self.placed = graph, standing, boxes, placed
        self._outlines = outlines
        self.node_of = cache(self._node_of)
        self._things = cache(self._all_things)
        self._map = cache(lambda: MapBuildings(outlines()))
        self._tree = cache(lambda: shapely.STRtree(list(outlines().values())))

    @classmethod
    def open(cls, build_dir: Path, graph: SceneGraph) -> Targets:
        """Those of a build folder; of a build that tells nothing of itself none."""
        path = build_dir / TARGETS
        boxes: dict[int, tuple[float, ...]] = {}
        if path.is_file():
            table = pq.read_table(path)
            columns = [table[name].to_pylist() for name in ("node", "size_x", "size_y", "size_z", "x", "y", "z")]
            boxes = {row[0]: row[1:] for row in zip(*columns, strict=True)}
        found = read_editing(build_dir)
        return cls(graph, found["buildings"], boxes, found["placed"], cache(lambda: read_outlines(build_dir)))

    def of(self, node_id: str) -> Target:
        """The target of a building, storey or room with a model.

        Raises:
            OverrideError: there is none of that id, or it is not from a model.
        """
        index = self._graph.index(node_id)
        kind = str(self._graph.columns["kind"][index])
        owner = self._graph.ancestor(index, "building")
        building = str(self._graph.columns["id"][owner]) if owner else ""
        if kind == "building" and is_of_map(building) and building in self._outlines():
            outline = self._outlines()[building]
            return Target(kind="building", building=building, size=size_of_outline(outline), at=anchor_of_outline(outline))
        if kind not in ("building", "storey", "space") or building not in self.standing:
            raise OverrideError(f"'{node_id}' is no building, storey or room", mend="choose one that is",
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
        """How a building stands. Raises as `stands`."""
        found = self.stands(building)
        return Pose(at=tuple(found["at"]), anchor=tuple(found["anchor"]), heading=found["heading"],
                    scale=tuple(found["scale"]))

    def own_of_map(self, building: str, pose: Pose, at: Xyz) -> Xyz | None:
        """A point (park metres) as it would be, were a building of the map that stands so where its layer has it.

        None where the point is neither on the building nor at its wall.
        """
        x, y, z = (np.linalg.inv(self.park_from_own(building, pose)) @ np.array([*at, 1.0]))[:3].round(4).tolist()
        outline = self._outlines().get(building)
        return (x, y, z) if outline is not None and outline.distance(shapely.Point(x, y)) <= AT_WALL_M else None

    def park_from_own(self, building: str, pose: Pose) -> NDArray[np.float64]:
        """float64 (4, 4) from what devices on a building are put by (`PutDevice.own`) to park metres, where it stands so."""
        matrix = pose.matrix()
        if is_of_map(building):  # it is on the ground wherever it is; its own metres are the park's, as its layer has it
            matrix[2, 3] = self.placed.get(building, {}).get("rise", 0.0)
        return matrix

    def map_buildings_near(self, at: Xyz) -> list[str]:
        """Buildings of the map whose layers have them at a point."""
        rows = self._tree().query(shapely.Point(at[:2]), predicate="dwithin", distance=AT_WALL_M)
        names = list(self._outlines())
        return [names[row] for row in sorted(rows)]

    def _node_of(self, target: Target) -> str:
        """The id of the node that a target means in this build, found as the compiler finds it; "" for none."""
        if is_of_map(target.building):
            on_map = self._map().find(target)
            return "" if isinstance(on_map, Miss) else str(self._graph.columns["id"][self._graph.index(on_map.id)])
        corners = {key: corner for key, row in self.standing.items() if (corner := _xyz(row["corner"])) is not None}
        found = find(target, self._things(), corners)
        return "" if isinstance(found, Miss) else str(self._graph.columns["id"][found.thing.row])

    def _all_things(self) -> list[Thing]:
        c = self._graph.columns
        things = [Thing(kind="building", building=key, guid=row["guid"], size=_xyz(row["size"]), at=_xyz(row["source_at"]),
                        row=row["node"]) for key, row in self.standing.items()]
        for node, box in self._boxes.items():
            owner = self._graph.ancestor(node, "building")
            things.append(Thing(kind=str(c["kind"][node]), building=str(c["id"][owner]), guid=str(c["guid"][node]),
                                size=_xyz(box[:3]), at=_xyz(box[3:]), row=node))
        return things

    def stands(self, building: str) -> dict[str, Any]:
        """How a building stands and by what, as in `editing.json`; one of the map by its outline (park metres).

        Raises:
            OverrideError: there is none of that id.
        """
        if building in self.standing:
            return self.standing[building]  # type: ignore[no-any-return]
        outline = self._outlines().get(building) if is_of_map(building) else None
        if outline is None:
            raise OverrideError(f"there is no building '{building}'", mend="choose one that is",
                                code="edit.target", fill={"node": building})
        index = self._graph.index(building)
        x, y, _ = anchor_of_outline(outline)
        foot = float(np.nan_to_num(self._graph.columns["bbox"][index][2]))
        here, heading = (x, y, foot), 0.0
        if building in self.placed:
            at = self.placed[building]["at"]
            here, heading = (at[0], at[1], foot), float(self.placed[building]["heading"])
        rings = [[[round(float(u), 3), round(float(v), 3)] for u, v in part.exterior.coords[:-1]]
                 for part in getattr(outline, "geoms", [outline])]
        return {"how": "hand" if building in self.placed else "sources", "node": index, "anchor": (x, y, foot), "at": here,
                "heading": heading, "scale": (1.0, 1.0), "outline": rings, "size": None,
                "from_source": {"at": (x, y, foot), "heading": 0.0}}


def read_outlines(build_dir: Path) -> dict[str, shapely.Geometry]:
    """Every building outline of the map layers as its layer has it (park metres), by node id."""
    path = build_dir / FOOTPRINTS
    if not path.is_file():
        return {}
    rows = pq.read_table(path).to_pydict()
    return dict(zip(rows["id"], shapely.from_wkb(np.array(rows["geometry"], dtype=object)).tolist(), strict=True))


def _xyz(values: Any) -> Xyz | None:
    if values is None or not np.isfinite(values).all():
        return None
    x, y, z = (float(v) for v in values)
    return x, y, z
