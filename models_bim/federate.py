"""Several disciplines of one building made one: storeys merged, ids unique, strays given a storey, shapes shared."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_bim.discipline import Discipline, RawProperties, RawStorey, Row
from models_bim.federate_relations import federate_relations
from models_bim.model import UNASSIGNED, BimModel, Entities, Instances, Mesh, Properties, Space, Storey
from models_bim.shape import mesh_digest
from twin.finding import Finding

_SAME_NAME_M = 1.0  # storeys of one name this near are one storey
_SAME_LEVEL_M = 0.25  # storeys this near are one storey whatever they are called
_LAST_HEIGHT_M = (2.2, 8.0)
_BAND_SLACK_M = 0.3  # a thing may begin this far below its storey's elevation (slabs, sills)


@dataclass(slots=True, kw_only=True)
class _Level:
    """A storey being federated: its rows in each file."""

    name: str
    elevation: float
    assumed: bool
    is_part: bool
    members: list[tuple[int, int]]  # (file, STEP id)


def federate(disciplines: list[Discipline]) -> BimModel:
    """One model of one building. Rows are ordered by file, then STEP id; the same files give the same model."""
    findings = [finding for d in disciplines for finding in d.findings]
    levels = _merge_levels(disciplines, findings)
    order = [
        (f, row)
        for f, d in enumerate(disciplines)
        for row in d.rows
        if row.kind != "storey" or any((f, row.step) == level.members[0] for level in levels)
    ]
    keys = _keys(order, disciplines, findings)
    row_of = {(f, row.step): i for i, (f, row) in enumerate(order)}
    for level in levels:
        for member in level.members[1:]:
            row_of[member] = row_of[level.members[0]]
    level_of = {member: i for i, level in enumerate(levels) for member in level.members}
    boxes = _boxes(order, disciplines)
    storey, parent = _places(order, boxes, levels, level_of, row_of, findings)
    entities, storeys = _tables(order, keys, storey, parent, levels, row_of, boxes)
    meshes, instances = _geometry(disciplines, row_of)
    groups, relations = federate_relations(disciplines, row_of)
    return BimModel(
        files=tuple(d.name for d in disciplines),
        schemas=tuple(d.schema for d in disciplines),
        applications=tuple(d.application for d in disciplines),
        entities=entities,
        storeys=storeys,
        spaces=_spaces(disciplines, row_of),
        properties=_properties(disciplines, row_of),
        meshes=meshes,
        instances=instances,
        georeadings=tuple(g for d in disciplines for g in d.georeadings),
        groups=groups,
        relations=relations,
        findings=tuple(findings),
        boxes=np.concatenate([boxes, np.full((len(entities) - len(boxes), 6), np.nan)]),
    )


def _merge_levels(disciplines: list[Discipline], findings: list[Finding]) -> list[_Level]:
    levels: list[_Level] = []
    for f, discipline in enumerate(disciplines):
        taken: set[int] = set()
        for storey in discipline.storeys:
            found = _same_level(storey, levels, taken)
            if found is None:
                levels.append(
                    _Level(
                        name=storey.name or f"Storey {storey.step}",
                        elevation=storey.elevation or 0.0,
                        assumed=storey.assumed,
                        is_part=storey.is_part,
                        members=[],
                    )
                )
                found = len(levels) - 1
            taken.add(found)  # two storeys of one file are never one
            levels[found].members.append((f, storey.step))
    for name, count in sorted(Counter(level.name for level in levels).items()):
        if count > 1:
            findings.append(
                Finding(
                    "warning",
                    f"{count} storeys are named {name!r} at different heights; all are kept",
                    disciplines[0].name,
                    "name storeys apart, or check the units of the files",
                    count,
                    "ifc.storeys.same",
                    {"storeys": str(count), "name": name},
                )
            )
    return sorted(levels, key=lambda level: (level.elevation, level.name, level.members))


def _same_level(storey: RawStorey, levels: list[_Level], taken: set[int]) -> int | None:
    free = [i for i in range(len(levels)) if i not in taken and levels[i].is_part == storey.is_part]
    name = storey.name.casefold()
    if storey.is_part:
        return next((i for i in free if name and levels[i].name.casefold() == name), None)
    for i in free:
        known = storey.elevation is not None and not storey.assumed and not levels[i].assumed
        near = not known or abs(levels[i].elevation - (storey.elevation or 0.0)) <= _SAME_NAME_M
        if name and levels[i].name.casefold() == name and near:
            return i
    level = [i for i in free if storey.elevation is not None and abs(levels[i].elevation - storey.elevation) <= _SAME_LEVEL_M]
    return min(level, key=lambda i: abs(levels[i].elevation - (storey.elevation or 0.0))) if level else None


def _keys(order: list[tuple[int, Row]], disciplines: list[Discipline], findings: list[Finding]) -> list[str]:
    seen: Counter[str] = Counter()
    doubled: dict[str, list[str]] = defaultdict(list)
    nameless: Counter[str] = Counter()
    keys = []
    for f, row in order:
        name = disciplines[f].name
        if not row.guid:
            nameless[name] += 1
            keys.append(f"{name}#{row.step}")
            continue
        seen[row.guid] += 1
        if seen[row.guid] > 1 and row.kind in ("element", "space"):
            doubled[name].append(row.guid)
        keys.append(row.guid if seen[row.guid] == 1 else f"{row.guid}~{seen[row.guid]}")
    for name, guids in sorted(doubled.items()):
        findings.append(
            Finding(
                "warning",
                f"GlobalId {guids[0]} is used more than once; the later ones are told apart by ~2",
                name,
                "give every element its own GlobalId",
                len(guids),
                "ifc.guid.twice",
                {"guid": guids[0]},
            )
        )
    for name, count in sorted(nameless.items()):
        findings.append(
            Finding(
                "warning",
                "things have no GlobalId; they are known by their line number, which changes with every export",
                name,
                "export with GlobalIds",
                count,
                "ifc.guid.none",
            )
        )
    return keys


def _boxes(order: list[tuple[int, Row]], disciplines: list[Discipline]) -> NDArray[np.float64]:
    nothing = (np.nan,) * 6
    return np.array([disciplines[f].boxes.get(row.step, nothing) for f, row in order], dtype=np.float64).reshape(-1, 6)


def _places(
    order: list[tuple[int, Row]],
    boxes: NDArray[np.float64],
    levels: list[_Level],
    level_of: dict[tuple[int, int], int],
    row_of: dict[tuple[int, int], int],
    findings: list[Finding],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Storey index and parent row of each entity. A stray goes to the storey its box begins in, else "unassigned"."""
    parent = np.array([row_of.get((f, row.parent), -1) for f, row in order], dtype=np.int32)
    storey = np.array([level_of.get((f, row.storey), -1) for f, row in order], dtype=np.int32)
    kinds = [row.kind for _, row in order]
    own = {i for i, kind in enumerate(kinds) if kind in ("element", "space")}
    strays = [i for i in sorted(own) if storey[i] < 0 and not _follows(i, parent, own)]
    floors = [k for k, level in enumerate(levels) if not level.is_part]
    elevations = np.array([levels[k].elevation for k in floors])
    boxes = _with_parts(boxes, parent, own)
    banded = unplaced = 0
    for i in strays:
        if floors and np.isfinite(boxes[i, 2]):
            begins = boxes[i, 2] if boxes[i, 5] - boxes[i, 2] > 2 * _BAND_SLACK_M else (boxes[i, 2] + boxes[i, 5]) / 2
            storey[i] = floors[max(0, int(np.searchsorted(elevations, begins + _BAND_SLACK_M, side="right")) - 1)]
            parent[i] = row_of[levels[storey[i]].members[0]]
            banded += 1
        else:
            storey[i], parent[i] = len(levels), len(order)
            unplaced += order[i][1].cls != "IfcAlignment"  # alignments belong to no storey, rightly
    for i in sorted(own):  # parts of strays follow their whole
        whole = i
        for _ in range(50):
            if storey[whole] >= 0 or whole < 0 or parent[whole] not in own:
                break
            whole = int(parent[whole])
        storey[i] = storey[whole]
    _tell_strays(order, strays, banded, unplaced, findings)
    return storey, parent


def _with_parts(boxes: NDArray[np.float64], parent: NDArray[np.int32], own: set[int]) -> NDArray[np.float64]:
    """Boxes where an assembly without a shape of its own takes up what its parts do."""
    grown = boxes.copy()
    for i in sorted(own):
        whole = int(parent[i])
        for _ in range(50):
            if whole not in own or not np.isfinite(boxes[i, 0]):
                break
            grown[whole, :3] = np.fmin(grown[whole, :3], boxes[i, :3])
            grown[whole, 3:] = np.fmax(grown[whole, 3:], boxes[i, 3:])
            whole = int(parent[whole])
    return grown


def _follows(i: int, parent: NDArray[np.int32], own: set[int]) -> bool:
    return int(parent[i]) in own


def _tell_strays(
    order: list[tuple[int, Row]],
    strays: list[int],
    banded: int,
    unplaced: int,
    findings: list[Finding],
) -> None:
    if banded:
        sample = order[strays[0]][1]
        findings.append(
            Finding(
                "note",
                f"elements are in no storey (such as {sample.cls} {sample.name!r}); each went to the storey it begins in",
                "",
                "contain elements in storeys",
                banded,
                "ifc.storey.none",
                {"thing": f"{sample.cls} {sample.name!r}"},
            )
        )
    if unplaced:
        findings.append(
            Finding(
                "warning",
                f"elements belong to no storey; they are under {UNASSIGNED!r}",
                "",
                "contain elements in storeys",
                unplaced,
                "ifc.storey.unassigned",
                {"storey": UNASSIGNED},
            )
        )


def _tables(
    order: list[tuple[int, Row]],
    keys: list[str],
    storey: NDArray[np.int32],
    parent: NDArray[np.int32],
    levels: list[_Level],
    row_of: dict[tuple[int, int], int],
    boxes: NDArray[np.float64],
) -> tuple[Entities, tuple[Storey, ...]]:
    rows = [row for _, row in order]
    files = [f for f, _ in order]
    storeys = [
        Storey(
            entity=row_of[level.members[0]],
            key=keys[row_of[level.members[0]]],
            name=level.name,
            elevation=level.elevation,
            height=_height(i, levels, boxes, storey),
            assumed=level.assumed,
        )
        for i, level in enumerate(levels)
    ]
    if (storey == len(levels)).any():
        inside = boxes[storey == len(levels)]
        known = inside[np.isfinite(inside[:, 0])]
        low, high = (float(known[:, 2].min()), float(known[:, 5].max())) if len(known) else (0.0, 3.0)
        rows.append(Row(step=0, guid="", cls="IfcBuildingStorey", kind="storey", name=UNASSIGNED))
        files.append(0)
        keys = [*keys, UNASSIGNED]
        storey, parent = np.append(storey, len(levels)), np.append(parent, -1)
        storeys.append(
            Storey(entity=len(rows) - 1, key=UNASSIGNED, name=UNASSIGNED, elevation=low, height=high - low, assumed=True)
        )

    def text(values: list[str]) -> NDArray[np.object_]:
        return np.array(values, dtype=object)

    return Entities(
        key=text(keys),
        guid=text([r.guid for r in rows]),
        cls=text([r.cls for r in rows]),
        kind=text([r.kind for r in rows]),
        name=text([r.name for r in rows]),
        long_name=text([r.long_name for r in rows]),
        predefined=text([r.predefined for r in rows]),
        type_name=text([r.type_name for r in rows]),
        parent=parent.astype(np.int32),
        storey=storey.astype(np.int32),
        file=np.array(files, dtype=np.int32),
        step=np.array([r.step for r in rows], dtype=np.int32),
    ), tuple(storeys)


def _height(i: int, levels: list[_Level], boxes: NDArray[np.float64], storey: NDArray[np.int32]) -> float:
    """To the next storey a metre or more above; for the last one and parts of facilities, to the top of what it holds."""
    above = [level.elevation for level in levels if level.elevation >= levels[i].elevation + 1.0 and not level.is_part]
    if above and not levels[i].is_part:
        return round(above[0] - levels[i].elevation, 6)
    tops = boxes[storey == i, 5]
    tops = tops[np.isfinite(tops)]
    rise = float(tops.max()) - levels[i].elevation if len(tops) else 3.0
    if levels[i].is_part:
        return round(max(rise, 0.1), 6)
    return round(float(np.clip(rise, *_LAST_HEIGHT_M)), 6)


def _geometry(disciplines: list[Discipline], row_of: dict[tuple[int, int], int]) -> tuple[tuple[Mesh, ...], Instances]:
    meshes: list[Mesh] = []
    index: dict[bytes, int] = {}
    entity, mesh, matrices = [], [], []
    for f, discipline in enumerate(disciplines):
        for step in sorted(discipline.shapes):
            for shape in discipline.shapes[step]:
                digest = mesh_digest(shape.mesh)
                if digest not in index:
                    index[digest] = len(meshes)
                    meshes.append(shape.mesh)
                entity.append(row_of[f, step])
                mesh.append(index[digest])
                matrices.append(shape.ifc_from_local)
    order = np.argsort(np.array(entity, dtype=np.int32), kind="stable")
    return tuple(meshes), Instances(
        entity=np.array(entity, dtype=np.int32)[order],
        mesh=np.array(mesh, dtype=np.int32)[order],
        ifc_from_local=np.array(matrices, dtype=np.float64).reshape(-1, 4, 4)[order],
    )


def _spaces(disciplines: list[Discipline], row_of: dict[tuple[int, int], int]) -> tuple[Space, ...]:
    return tuple(
        sorted(
            (
                Space(entity=row_of[f, s.step], polygon=s.polygon, z0=s.z0, z1=s.z1)
                for f, d in enumerate(disciplines)
                for s in d.spaces
            ),
            key=lambda s: s.entity,
        )
    )


def _properties(disciplines: list[Discipline], row_of: dict[tuple[int, int], int]) -> Properties:
    said = RawProperties.joined([d.properties for d in disciplines])
    texts = np.array([*said.texts, ""], dtype=object)[:-1]
    rank = np.empty(len(texts), dtype=np.int32)
    rank[sorted(range(len(texts)), key=said.texts.__getitem__)] = np.arange(len(texts))
    entity = _rows_of(disciplines, row_of)
    order = np.lexsort((rank[said.name], rank[said.pset], entity))  # stable: of equals the first file's stands first
    keys = np.stack([entity[order], said.pset[order], said.name[order]])
    # merged storeys have them from every file: the first one wins
    order = order[np.concatenate([[True], (np.diff(keys, axis=1) != 0).any(axis=0)])] if len(order) else order
    return Properties(
        entity=entity[order],
        pset=texts[said.pset[order]],
        name=texts[said.name[order]],
        value=texts[said.value[order]],
        unit=texts[said.unit[order]],
    )


def _rows_of(disciplines: list[Discipline], row_of: dict[tuple[int, int], int]) -> NDArray[np.int32]:
    """The row of the entity that each property is of, files one behind the other."""
    rows = [np.zeros(0, np.int32)]
    for f, discipline in enumerate(disciplines):
        steps, back = np.unique(discipline.properties.step, return_inverse=True)
        rows.append(np.array([row_of[f, int(step)] for step in steps], dtype=np.int32)[back])
    return np.concatenate(rows)
