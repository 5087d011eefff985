"""`Park.open(DIR)`: a compiled park for people who analyse, in the types their field already uses."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import trimesh

from scenes.export import read_manifest, scene_of, tables_of
from scenes.open_graph import open_park_graph
from scenes.open_park import open_compiled
from scenes.relations import GROUPS, open_relations
from scenes.store import NODES, PROPERTIES, find_properties, open_graph
from twin.graph import SceneGraph
from twin.park_graph import ParkGraph
from twin.parkfile import load_park


class Park:
    """A compiled park, read from its folder; nothing is served and nothing is changed.

    Args:
        build: its build folder.
    """

    def __init__(self, build: Path) -> None:
        self.build = build
        self.manifest = read_manifest(build)
        self.scene: SceneGraph = open_graph(build)

    @classmethod
    def open(cls, folder: str | Path) -> Park:
        """The park of a park folder (or of its build folder).

        Raises:
            NotBuiltError: it was never built.
        """
        root = Path(folder)
        return cls(root if (root / "manifest.json").is_file() else root / "build")

    @cached_property
    def graph(self) -> ParkGraph:
        """What is in, contains, feeds, serves, is near, sees, and how to get there (docs/how-to/query-the-graph.md).

        Raises:
            ParkFileError: the build folder stands alone; its park.toml and registry are asked too.
        """
        return open_park_graph(open_compiled(load_park(self.build.parent, strict=False)))

    @property
    def nodes(self) -> pd.DataFrame:
        """The node table, a row a node, indexed by our id; columns as in docs/architecture.md, park-frame metres."""
        frame: pd.DataFrame = pq.read_table(self.build / NODES).to_pandas()
        return frame.set_index("id")

    @property
    def properties(self) -> pd.DataFrame:
        """Attributes: node_id, pset, name, value, unit; a row a value."""
        frame: pd.DataFrame = pq.read_table(self.build / PROPERTIES).to_pandas()
        frame.insert(0, "node_id", [str(self.scene.columns["id"][k]) for k in frame["node"]])
        return frame.drop(columns="node")

    def where(self, *, pset: str = "", name: str = "", value: str = "") -> pd.DataFrame:
        """Rows of `properties` that say this: set and name as written, value whole or with `*` at either end."""
        rows, _ = find_properties(self.build, pset, name, value, 2**31)
        frame = pd.DataFrame(rows, columns=["node", "pset", "name", "value", "unit"])
        frame.insert(0, "node_id", [str(self.scene.columns["id"][k]) for k in frame["node"]])
        return frame.drop(columns="node")

    @property
    def groups(self) -> pd.DataFrame:
        """Systems, zones, types, materials and classes, indexed by id (docs/architecture.md)."""
        frame: pd.DataFrame = pq.read_table(self.build / GROUPS).to_pandas()
        return frame.set_index("id")

    @property
    def relations(self) -> pd.DataFrame:
        """What belongs to what and what flows where: kind, a_id, b_id (node ids), group_id, value; "" for none."""
        found = open_relations(self.build)
        ids = self.scene.columns["id"]
        return pd.DataFrame({
            "kind": found.kind, "a_id": ids[found.a], "b_id": ids[found.b], "group_id": found.groups["id"][found.group],
            "value": found.value})

    @property
    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Every map layer, and "spaces" with the outlines of rooms, in the park's CRS; `node_id` names each row."""
        return tables_of(self.build)

    def trimesh(self, node_id: str = "park") -> trimesh.Scene:
        """A trimesh scene of a node and all below it, park frame, metres; geometry is named by our ids.

        Raises:
            NothingToExport: no such node, or nothing is drawn of it.
        """
        return scene_of(self.build, node_id)

    def pyvista(self, node_id: str = "park") -> Any:
        """The same as a PyVista MultiBlock; blocks are named by our ids and carry `rgb` point colours."""
        import pyvista

        blocks = pyvista.MultiBlock()
        for name, mesh in self.trimesh(node_id).geometry.items():
            poly = pyvista.PolyData.from_regular_faces(mesh.vertices, mesh.faces)
            poly.point_data["rgb"] = mesh.visual.vertex_colors[:, :3]
            blocks[name] = poly
        return blocks

    def view(self, node_id: str = "park", *, width: int = 900, height: int = 540) -> Any:
        """A pythreejs renderer of a part of the park, for a notebook.

        Raises:
            NotInPark: no such node, nothing drawn of it, or too much of it for a notebook.
        """
        from scenes.notebook import view

        return view(self.build, node_id, width=width, height=height)
