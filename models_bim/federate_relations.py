"""Groups and relations of several files made one: the same system, type or material named by two files is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models_bim.discipline import Discipline
from models_bim.model import Group, Relations


def federate_relations(disciplines: list[Discipline], row_of: dict[tuple[int, int], int],
                       ) -> tuple[tuple[Group, ...], Relations]:
    """Groups sorted by kind and key, and relations between entity rows, each once, sorted.

    Args:
        row_of: (file, STEP id) → entity row.
    """
    merged: dict[str, Group] = {}
    for discipline in disciplines:
        for group in discipline.relations.groups:
            known = merged.get(group.key)
            merged[group.key] = group if known is None else replace(known, parent=known.parent or group.parent)
    groups = tuple(sorted(merged.values(), key=lambda g: (g.kind, g.key)))
    index = {group.key: k for k, group in enumerate(groups)}
    found = {
        (kind, row_of.get((f, a), -1), row_of.get((f, b), -1), index.get(key, -1), value)
        for f, discipline in enumerate(disciplines)
        for kind, a, b, key, value in discipline.relations.rows
        if (not a or (f, a) in row_of) and (not b or (f, b) in row_of)
    }
    columns = list(zip(*sorted(found), strict=True)) or [()] * 5
    return groups, Relations(
        kind=np.array(columns[0], dtype=object),
        a=np.array(columns[1], dtype=np.int32),
        b=np.array(columns[2], dtype=np.int32),
        group=np.array(columns[3], dtype=np.int32),
        value=np.array(columns[4], dtype=object),
    )
