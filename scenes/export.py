"""A compiled park as files other programs open: glTF, CityJSON, GeoPackage, GeoParquet. Our ids go with everything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import trimesh
from numpy.typing import NDArray

from scenes.bodies import Body, bodies
from scenes.colour import to_gltf
from scenes.store import LAYERS, SPACES, open_graph
from twin.errors import NotBuiltError, TwinError
from twin.graph import SceneGraph

FORMATS = ("glb", "city.json", "gpkg", "geoparquet", "ifc")
#: Layer kinds as CityJSON calls them.
_CITY_TYPES = {"roads": "Road", "paths": "Road", "water": "WaterBody", "greens": "PlantCover", "landuse": "LandUse",
               "parcels": "LandUse", "trees": "SolitaryVegetationObject", "furniture": "CityFurniture",
               "lamps": "CityFurniture", "bollards": "CityFurniture", "gates": "CityFurniture",
               "paving": "TransportSquare", "parking": "TransportSquare"}
_YUP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


class NothingToExport(TwinError):
    """No such node, or nothing is drawn of it."""


def read_manifest(build: Path) -> dict[str, Any]:
    """The manifest of a compiled park.

    Raises:
        NotBuiltError: the park was never built.
    """
    path = build / "manifest.json"
    if not path.is_file():
        raise NotBuiltError("the park is not built", mend="run `parktwin build` on the park folder", where=str(build))
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def below(graph: SceneGraph, node_id: str) -> NDArray[np.bool_]:
    """Which nodes (bool by dense index) a node and its subtree are.

    Raises:
        NothingToExport: the park has no such node.
    """
    index = graph.index(node_id)
    if not index:
        raise NothingToExport(f"'{node_id}' is no node of this park", mend="take an id from nodes.parquet or the address bar")
    wanted = np.zeros(graph.size, dtype=np.bool_)
    wanted[list(graph.subtree(index))] = True
    return wanted


def scene_of(build: Path, node_id: str = "park", matrix: NDArray[np.float64] | None = None) -> trimesh.Scene:
    """A trimesh scene of a node and all below it, park frame (z up, metres); geometry and scene nodes bear our ids.

    Args:
        matrix: (4, 4) put on every node; none for the park frame.

    Raises:
        NothingToExport: no such node, or nothing is drawn of it.
    """
    graph = open_graph(build)
    scene, place = trimesh.Scene(), np.eye(4) if matrix is None else matrix
    for body in bodies(build, below(graph, node_id)):
        name = str(graph.columns["id"][body.node])
        scene.geometry[name] = _mesh(body, told(graph, body.node))  # add_geometry walks the whole scene every time
        scene.graph.update(frame_to=name, geometry=name, matrix=place)
    if not scene.geometry:
        raise NothingToExport(f"nothing is drawn for '{node_id}'", mend="choose a building, storey, room or layer feature")
    return scene


def told(graph: SceneGraph, index: int) -> dict[str, Any]:
    """What goes with every exported thing of ours."""
    c = graph.columns
    return {"id": str(c["id"][index]), "node": int(index), "name": str(c["name"][index]), "cls": str(c["cls"][index]),
            "guid": str(c["guid"][index]), "parent": str(c["id"][c["parent"][index]])}


def _mesh(body: Body, said: dict[str, Any]) -> trimesh.Trimesh:
    rgba = np.column_stack([body.colour, np.full(len(body.colour), 255, np.uint8)])
    return trimesh.Trimesh(body.vertices, body.faces, vertex_colors=rgba, process=False, metadata=said)


def write_glb_file(build: Path, target: Path, node_id: str = "park") -> int:
    """One GLB (y up, metres from the park's origin); a mesh each thing with our ids as its extras. Returns how many."""
    scene = scene_of(build, node_id, _YUP)
    target.write_bytes(_linear_glb(scene))
    return len(scene.geometry)


def _linear_glb(scene: trimesh.Scene) -> bytes:
    """A scene as GLB with colours linear, as glTF has them; trimesh would write display bytes, which look washed out."""
    for mesh in scene.geometry.values():
        mesh.vertex_attributes["_COLOUR"] = to_gltf(np.asarray(mesh.visual.vertex_colors)[:, :3])
        mesh.visual = trimesh.visual.ColorVisuals(mesh)
    return bytes(scene.export(file_type="glb", tree_postprocessor=_name_colours))


def _name_colours(tree: dict[str, Any]) -> None:
    for mesh in tree["meshes"]:
        attributes = mesh["primitives"][0]["attributes"]
        attributes["COLOR_0"] = row = attributes.pop("_COLOUR")
        tree["accessors"][row]["normalized"] = True


def tables_of(build: Path) -> dict[str, gpd.GeoDataFrame]:
    """Every map layer and the rooms as GeoDataFrames in the park's CRS, each row with our node id."""
    graph = open_graph(build)
    files = {path.stem: path for path in sorted((build / LAYERS).glob("*.parquet"))}
    files |= {"spaces": build / SPACES} if (build / SPACES).is_file() else {}
    return {name: _with_ids(gpd.read_parquet(path), graph) for name, path in files.items()}


def _with_ids(frame: gpd.GeoDataFrame, graph: SceneGraph) -> gpd.GeoDataFrame:
    ids = [str(graph.columns["id"][k]) for k in frame["node"]]
    names = [str(graph.columns["name"][k]) for k in frame["node"]]
    rest = frame.drop(columns=["node"] + (["name"] if "name" in frame else []))
    frame = gpd.GeoDataFrame(pd.concat([pd.DataFrame({"node": frame["node"].astype("int64"), "node_id": ids, "name": names},
                                                     index=frame.index), rest], axis=1), geometry="geometry", crs=frame.crs)
    return frame


def write_geopackage(build: Path, target: Path) -> int:
    """One GeoPackage, a table a layer and one of rooms. Returns how many rows."""
    target.unlink(missing_ok=True)
    count = 0
    for name, frame in tables_of(build).items():
        if len(frame):
            _told_apart(frame).to_file(target, layer=name, engine="pyogrio", driver="GPKG")
            count += len(frame)
    return count


def _told_apart(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns whose names differ by more than their case, as SQL needs them; `fid` is the table's own."""
    taken, names = {"fid"}, []
    for name in map(str, frame.columns):
        free = name
        while free.lower() in taken:
            free = f"source_{free}"
        taken.add(free.lower())
        names.append(free)
    return frame.set_axis(names, axis="columns")


def write_geoparquet(build: Path, target: Path) -> int:
    """A folder of GeoParquet files, one a layer and one of rooms. Returns how many rows."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    tables = tables_of(build)
    for name, frame in tables.items():
        frame.to_parquet(target / f"{name}.parquet", index=False, compression="zstd")
    return sum(len(frame) for frame in tables.values())


def write_city_json(build: Path, target: Path, node_id: str = "park") -> int:
    """CityJSON 2.0 in the park's CRS: buildings with storeys' and elements' faces under them, and map features.

    Returns how many city objects.
    """
    manifest, graph = read_manifest(build), open_graph(build)
    origin, place = np.array(manifest["origin"]), _Vertices()
    objects: dict[str, dict[str, Any]] = {}
    for body in bodies(build, below(graph, node_id)):
        building = graph.ancestor(body.node, "building")
        owner = building or body.node
        kind = "Building" if building else _CITY_TYPES.get(str(graph.columns["cls"][owner]), "GenericCityObject")
        shape: dict[str, Any] = {"type": "MultiSurface", "lod": "3" if building else "1", "boundaries": []}
        item = objects.setdefault(str(graph.columns["id"][owner]),
                                  {"type": kind, "attributes": told(graph, owner), "geometry": [shape]})
        rows = place.rows(body.vertices + origin)
        item["geometry"][0]["boundaries"] += [[[int(v) for v in face]] for face in rows[body.faces]
                                              if len(set(face.tolist())) == 3]
    crs = str(manifest["crs"]).upper().removeprefix("EPSG:")
    document = {"type": "CityJSON", "version": "2.0", "transform": {"scale": [0.001] * 3, "translate": origin.tolist()},
                "metadata": {"title": manifest["name"], "referenceSystem": f"https://www.opengis.net/def/crs/EPSG/0/{crs}"},
                "CityObjects": objects, "vertices": place.table(origin)}
    target.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return len(objects)


class _Vertices:
    """Vertices of a CityJSON document, each place (to the millimetre) once."""

    def __init__(self) -> None:
        self.index: dict[tuple[int, int, int], int] = {}

    def rows(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Row of each point (n, 3)."""
        out = np.empty(len(points), dtype=np.int64)
        for k, key in enumerate(map(tuple, np.rint(points * 1000).astype(np.int64).tolist())):
            out[k] = self.index.setdefault(key, len(self.index))
        return out

    def table(self, origin: NDArray[np.float64]) -> list[list[int]]:
        """Whole millimetres from the origin."""
        zero = np.rint(origin * 1000).astype(np.int64)
        return [[int(v) for v in np.array(key) - zero] for key in self.index]
