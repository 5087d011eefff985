"""The compiled park's tables on disk: written the same byte for byte from the same park, read back as columns."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from gis.model import Layer
from models_bim.model import Properties
from scenes.locate import SpaceShape
from scenes.rows import INDICES, NUMBERS, TEXT
from twin.errors import NotBuiltError
from twin.graph import SceneGraph

if TYPE_CHECKING:
    import geopandas as gpd

NODES, PROPERTIES, SPACES, LAYERS = "nodes.parquet", "properties.parquet", "spaces.parquet", "layers"
ALIASES = "aliases.parquet"
_ANCHOR = ("anchor_x", "anchor_y", "anchor_z")
_BOX = ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")
_ROWS_A_GROUP = 65_536
Origin = tuple[float, float, float]


def write_nodes(build_dir: Path, graph: SceneGraph) -> None:
    """Write nodes.parquet, one row a node, sorted by index, and aliases.parquet, one row a further id."""
    c = graph.columns
    columns: dict[str, pa.Array] = {"index": pa.array(np.arange(1, graph.size, dtype=np.uint32))}
    columns |= {name: pa.array(c[name][1:], pa.string()) for name in TEXT}
    columns |= {name: pa.array(c[name][1:].astype(np.uint32)) for name in INDICES}
    columns |= {name: pa.array(c["anchor"][1:, k]) for k, name in enumerate(_ANCHOR)}
    columns |= {name: pa.array(c["bbox"][1:, k]) for k, name in enumerate(_BOX)}
    columns |= {name: pa.array(c[name][1:].astype(np.float64)) for name in NUMBERS}
    order = [
        "index",
        "id",
        "kind",
        "parent",
        "name",
        "name_zh",
        "cls",
        "guid",
        "source",
        *_ANCHOR,
        *_BOX,
        *NUMBERS,
        "tile",
        "element",
    ]
    _write(pa.table({name: columns[name] for name in order}), build_dir / NODES)
    known = sorted(graph.aliases.items())
    ids, nodes = pa.array([i for i, _ in known], pa.string()), pa.array([n for _, n in known], pa.uint32())
    _write(pa.table({"id": ids, "node": nodes}), build_dir / ALIASES)


def open_graph(build_dir: Path) -> SceneGraph:
    """The scene graph of a compiled park.

    Raises:
        NotBuiltError: there is no nodes.parquet.
    """
    table = _read(build_dir / NODES)
    columns: dict[str, NDArray] = {}
    for name in TEXT:
        texts = np.array(table[name].to_pylist(), dtype=object) if name == "id" else _shared(table[name])
        columns[name] = np.concatenate([np.array([""], dtype=object), texts])
    columns["kind"][0] = "none"
    for name in INDICES:
        columns[name] = np.concatenate([[0], table[name].to_numpy()]).astype(np.uint32)
    for name in NUMBERS:
        columns[name] = np.concatenate([[np.nan], table[name].to_numpy()])
    for name, parts in (("anchor", _ANCHOR), ("bbox", _BOX)):
        body = np.column_stack([table[part].to_numpy() for part in parts])
        columns[name] = np.concatenate([np.full((1, len(parts)), np.nan), body])
    known = _read(build_dir / ALIASES).to_pydict() if (build_dir / ALIASES).is_file() else {"id": [], "node": []}
    return SceneGraph(columns, dict(zip(known["id"], known["node"], strict=True)))


def _shared(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """(n,) text or None; equal texts are one string in memory."""
    coded = pa.concat_arrays(column.chunks or [pa.array([], pa.string())]).dictionary_encode(null_encoding="encode")
    return np.array(coded.dictionary.to_pylist(), dtype=object)[coded.indices.to_numpy()]


@dataclass(frozen=True, slots=True, eq=False)
class PropertyRows:
    """Attributes, a row each: node uint32 (n,), and pset, name, value, unit as text (n,)."""

    node: NDArray[np.uint32]
    pset: NDArray[np.object_]
    name: NDArray[np.object_]
    value: NDArray[np.object_]
    unit: NDArray[np.object_]


def columns_of(nodes: NDArray[np.uint32], properties: Properties) -> PropertyRows:
    """The properties of a building whose entities have these nodes."""
    p = properties
    return PropertyRows(nodes[p.entity].astype(np.uint32), p.pset, p.name, p.value, p.unit)


def layer_columns(layer: Layer, nodes: NDArray[np.uint32]) -> PropertyRows:
    """Every attribute a GIS layer's features came with, in a set named after the layer."""
    filled = [(name, np.flatnonzero(values.astype(str) != ""), values) for name, values in layer.properties.items()]
    size = sum(len(rows) for _, rows, _ in filled)
    node = np.concatenate([nodes[rows] for _, rows, _ in filled] or [np.zeros(0, np.uint32)]).astype(np.uint32)
    name = np.repeat(np.array([n for n, _, _ in filled], dtype=object), [len(rows) for _, rows, _ in filled])
    value = np.concatenate([values[rows] for _, rows, values in filled] or [np.zeros(0, dtype=object)])
    return PropertyRows(node, np.full(size, layer.id, dtype=object), name, value, np.full(size, "", dtype=object))


def write_properties(build_dir: Path, parts: Sequence[PropertyRows]) -> None:
    """Write properties.parquet, sorted by node."""
    node = np.concatenate([part.node for part in parts] or [np.zeros(0, np.uint32)]).astype(np.uint32)
    order = np.argsort(node, kind="stable")
    columns: dict[str, pa.Array] = {"node": pa.array(node[order])}
    for name in ("pset", "name", "value", "unit"):
        text = np.concatenate([getattr(part, name) for part in parts] or [np.zeros(0, object)])
        columns[name] = pa.array(text[order], pa.string())  # never as fixed width: the longest would cost for all
    _write(pa.table(columns), build_dir / PROPERTIES)


def properties_of(build_dir: Path, node: int) -> list[tuple[str, str, str, str]]:
    """(set, name, value, unit) rows of one node, in the order of sets and names; empty where it has none."""
    path = build_dir / PROPERTIES
    if not path.is_file():
        return []
    rows = pq.read_table(path, filters=[("node", "=", node)]).to_pylist()
    return [(row["pset"], row["name"], row["value"], row["unit"]) for row in rows]


def find_properties(build_dir: Path, pset: str, name: str, value: str, limit: int) -> tuple[list[dict[str, Any]], int]:
    """The first rows (node, pset, name, value, unit) that say this, and how many do in all.

    Args:
        pset, name, value: as written; "" for any. A `*` at the start or the end of `value` stands for anything.
    """
    path = build_dir / PROPERTIES
    if not path.is_file():
        return [], 0
    asked = [pc.field(column) == text for column, text in (("pset", pset), ("name", name)) if text]
    inner = value.strip("*")
    if value and inner == value:
        asked.append(pc.field("value") == value)
    elif inner:
        match = {(True, True): pc.match_substring, (False, True): pc.starts_with, (True, False): pc.ends_with}
        asked.append(match[value.startswith("*"), value.endswith("*")](pc.field("value"), inner))
    table = pq.read_table(path, filters=functools.reduce(operator.and_, asked) if asked else None)
    return table.slice(0, limit).to_pylist(), table.num_rows


def write_spaces(build_dir: Path, spaces: Sequence[SpaceShape], crs: str, origin: Origin) -> None:
    """Write spaces.parquet: GeoParquet in the park's CRS (so with the origin added); z0 and z1 stay park metres."""
    import geopandas as gpd  # slow to load, and only a build writes

    shapes = [shapely.transform(s.polygon, lambda xy: xy + np.array(origin[:2])) for s in spaces]
    frame = gpd.GeoDataFrame(
        {
            "node": np.array([s.node for s in spaces], dtype=np.uint32),
            "z0": np.array([s.z0 for s in spaces], dtype=float),
            "z1": np.array([s.z1 for s in spaces], dtype=float),
        },
        geometry=gpd.GeoSeries(shapes, crs=crs),
    )
    _write_frame(frame, build_dir / SPACES)


def open_spaces(build_dir: Path, graph: SceneGraph, origin: Origin) -> tuple[SpaceShape, ...]:
    """Rooms of a compiled park in the park frame, ascending by node.

    Raises:
        NotBuiltError: there is no spaces.parquet.
    """
    table = _read(build_dir / SPACES)
    shapes = shapely.transform(shapely.from_wkb(table["geometry"].to_pylist()), lambda xy: xy - np.array(origin[:2]))
    return tuple(
        SpaceShape(node=node, storey=graph.ancestor(node, "storey"), polygon=shape, z0=z0, z1=z1)
        for node, z0, z1, shape in zip(
            table["node"].to_pylist(), table["z0"].to_pylist(), table["z1"].to_pylist(), shapes, strict=True
        )
    )


def write_layer(build_dir: Path, layer: Layer, nodes: NDArray[np.uint32], crs: str, origin: Origin) -> None:
    """Write layers/<id>.parquet: GeoParquet in the park's CRS with `node` and every source column as text."""
    import geopandas as gpd  # slow to load, and only a build writes

    (build_dir / LAYERS).mkdir(parents=True, exist_ok=True)
    shapes = shapely.transform(layer.geometry, lambda xy: xy + np.array(origin[:2]))
    taken = {"node", "id", "name", "height_m", "width_m", "depth_m", "medium", "geometry"}
    more = {f"source_{k}" if k in taken else k: v.astype(str) for k, v in layer.properties.items()}
    frame = gpd.GeoDataFrame(
        {
            "node": nodes.astype(np.uint32),
            "id": layer.ids.astype(str),
            "name": layer.names.astype(str),
            "height_m": layer.height_m,
            "width_m": layer.width_m,
            "depth_m": layer.depth_m,
            "medium": layer.medium.astype(str),
            **more,
        },
        geometry=gpd.GeoSeries(list(shapes), crs=crs),
    )
    _write_frame(frame, build_dir / LAYERS / f"{layer.id}.parquet")


def write_table(path: Path, columns: dict[str, NDArray]) -> None:
    """Write plain columns as Parquet, the same bytes for the same columns."""
    _write(pa.table({name: pa.array(values) for name, values in columns.items()}), path)


def _write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=3,
        row_group_size=_ROWS_A_GROUP,
        version="2.6",
        write_statistics=True,
    )


def _write_frame(frame: gpd.GeoDataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False, compression="zstd", row_group_size=_ROWS_A_GROUP)


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        raise NotBuiltError(
            f"the park is not built (no {path.name})", mend="run `parktwin build` on the park folder", where=str(path)
        )
    return pq.read_table(path)
