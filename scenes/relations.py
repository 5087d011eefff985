"""`groups.parquet` and `relations.parquet`: what belongs together and what flows where, between nodes of the park."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models_bim.model import BimModel, Group
from scenes.store import write_table

GROUPS, RELATIONS = "groups.parquet", "relations.parquet"
#: Groups that mean the same in every building of the park.
_SHARED = ("material", "classification")
_GROUP_TEXT = ("id", "kind", "cls", "name", "label", "predefined", "source")


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """A building's model and the node of each of its entities, uint32 (entities,)."""

    building: str
    node: int
    nodes: NDArray[np.uint32]
    model: BimModel


@dataclass(frozen=True, slots=True, eq=False)
class ParkRelations:
    """Relations of a compiled park as columns; row k of each is one relation (words in docs/architecture.md).

    Args:
        kind: text (n,). a, b: uint32 (n,) nodes, 0 for none. group: uint32 (n,) row of `groups`, 0 for none.
        value: text (n,).
        groups: column name → values, row 0 being no group.
    """

    kind: NDArray[np.object_]
    a: NDArray[np.uint32]
    b: NDArray[np.uint32]
    group: NDArray[np.uint32]
    value: NDArray[np.object_]
    groups: dict[str, NDArray]

    def __len__(self) -> int:
        return len(self.kind)


def write_relations(build_dir: Path, parts: Sequence[Related]) -> None:
    """Write both tables, the same bytes for the same park."""
    index, table = _groups(parts)
    rows = {
        (
            str(r.kind[k]),
            int(part.nodes[r.a[k]]) if r.a[k] >= 0 else 0,
            int(part.nodes[r.b[k]]) if r.b[k] >= 0 else 0,
            index[_id(part, part.model.groups[r.group[k]])] if r.group[k] >= 0 else 0,
            str(r.value[k]),
        )
        for part in parts
        for r in [part.model.relations]
        for k in range(len(r))
    }
    columns = list(zip(*sorted(rows), strict=True)) or [()] * 5
    write_table(build_dir / GROUPS, table)
    write_table(build_dir / RELATIONS, {
        "kind": np.array(columns[0], dtype=str), "a": np.array(columns[1], dtype=np.uint32),
        "b": np.array(columns[2], dtype=np.uint32), "group": np.array(columns[3], dtype=np.uint32),
        "value": np.array(columns[4], dtype=str),
    })


def open_relations(build_dir: Path) -> ParkRelations:
    """Relations of a compiled park; none where it was built before there were any."""
    empty = not (build_dir / RELATIONS).is_file() or not (build_dir / GROUPS).is_file()
    if empty:
        text, none = np.zeros(0, object), np.zeros(0, np.uint32)
        groups = {name: np.array([""], object) for name in _GROUP_TEXT}
        groups |= {name: np.zeros(1, np.uint32) for name in ("parent", "building")}
        return ParkRelations(text, none, none, none, text, groups)
    table, held = pq.read_table(build_dir / RELATIONS), pq.read_table(build_dir / GROUPS)
    groups = {name: np.array(["", *held[name].to_pylist()], dtype=object) for name in _GROUP_TEXT}
    for name in ("parent", "building"):
        groups[name] = np.concatenate([[0], held[name].to_numpy()]).astype(np.uint32)
    a, b, group = (table[name].to_numpy().astype(np.uint32) for name in ("a", "b", "group"))
    kind, value = (np.array(table[name].to_pylist(), dtype=object) for name in ("kind", "value"))
    return ParkRelations(kind, a, b, group, value, groups)


def _id(part: Related, group: Group) -> str:
    return group.key if group.kind in _SHARED else f"{part.building}:{group.key}"


def _groups(parts: Sequence[Related]) -> tuple[dict[str, int], dict[str, NDArray]]:
    """Row of each group id (from 1), and the columns of groups.parquet."""
    found: dict[str, tuple[Related, Group]] = {}
    for part in parts:
        for group in part.model.groups:
            found.setdefault(_id(part, group), (part, group))
    order = sorted(found, key=lambda i: (found[i][1].kind, i))
    index = {group_id: k for k, group_id in enumerate(order, 1)}
    groups = [found[i] for i in order]

    def parent(part: Related, group: Group) -> int:
        by_key = {g.key: g for g in part.model.groups} if group.parent else {}
        return index[_id(part, by_key[group.parent])] if group.parent in by_key else 0

    def text(values: list[str]) -> NDArray:
        return np.array(values, dtype=str)

    return index, {
        "index": np.arange(1, len(order) + 1, dtype=np.uint32),
        "id": text(order),
        "kind": text([g.kind for _, g in groups]),
        "cls": text([g.cls for _, g in groups]),
        "name": text([g.name for _, g in groups]),
        "label": text([g.label for _, g in groups]),
        "predefined": text([g.predefined for _, g in groups]),
        "parent": np.array([parent(p, g) for p, g in groups], dtype=np.uint32),
        "building": np.array([0 if g.kind in _SHARED else p.node for p, g in groups], dtype=np.uint32),
        "source": text(["" if g.kind in _SHARED else ", ".join(p.model.files) for p, g in groups]),
    }
