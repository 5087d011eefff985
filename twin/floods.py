"""Floods told as what they are: what one dead supply explains, and what is the same thing in one place.

An alarm is explained by the nearest live alarm up the line that says a supply or a network is gone (`explains` in its rule),
when its own rule is what such a loss looks like (`follows`): a dead panel explains its hundred silent lamps, never a fire. Up
the line means the devices that feed this one, or a place it stands in. What is left is folded by sort and place, the smallest
place first: storey, building, park. Pure: columns in, groups out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: So many of one sort in one place are a flood, not alarms of their own.
FLOOD_SIZE = 5
MOST_ROWS = 50
#: An effect may be heard of so much before its cause: silence shows after three periods, the cause after its own delay.
EARLIER_SECS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Live alarms that call somebody, as columns. `rule` numbers the sort (kind and rule), `places` (n, 3) the storey,
    building and park a device stands in (node indices, 0 where none); `explains` and `follows` are bits of what is lost."""

    id: NDArray[np.int64]
    rule: NDArray[np.int64]
    device: NDArray[np.int64]
    priority: NDArray[np.int64]
    raised: NDArray[np.float64]
    is_active: NDArray[np.bool_]
    places: NDArray[np.int64]
    explains: NDArray[np.int64]
    follows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alarms told as one. `cause`: row of the alarm that explains the others, -1 where sort and place (`node`) are all they
    share, with `rule` -1 where even sorts are mixed. `rows`: of `Standing`, the cause first, then as they came."""

    cause: int
    rule: int
    node: int
    rows: NDArray[np.int64]


def grouped(now: Standing, upstream: Callable[[int], Sequence[int]]) -> list[Group]:
    """The floods among live alarms; what is in none stands alone.

    Args:
        now: the live alarms.
        upstream: device → the devices that supply it, nearest first.
    """
    cause = roots(explained_by(now, upstream))
    out = [Group(cause=int(root), rule=-1, node=0,
                 rows=np.concatenate([[root], _by_time(now, np.flatnonzero(cause == root))]))
           for root in np.unique(cause[cause >= 0])]
    is_free = cause < 0
    is_free[[group.cause for group in out]] = False
    for level in range(now.places.shape[1]):
        rows = np.flatnonzero(is_free & (now.places[:, level] > 0))
        for members in _same(now.rule[rows], now.places[rows, level], rows):
            if len(members) >= FLOOD_SIZE:
                out.append(Group(cause=-1, rule=int(now.rule[members[0]]), node=int(now.places[members[0], level]),
                                 rows=_by_time(now, members)))
                is_free[members] = False
    return _few_enough(now, out, np.flatnonzero(is_free))


def explained_by(now: Standing, upstream: Callable[[int], Sequence[int]]) -> NDArray[np.int64]:
    """For each row the row of the alarm that explains it; -1 where nothing does."""
    found = np.full(len(now.id), -1, np.int64)
    lost: dict[int, list[int]] = {}
    for row in np.flatnonzero((now.explains > 0) & now.is_active).tolist():
        lost.setdefault(int(now.device[row]), []).append(row)
    if not lost:
        return found
    for row in np.flatnonzero(now.follows > 0).tolist():
        causes = (cause for device in upstream(int(now.device[row])) for cause in lost.get(device, ())
                  if now.explains[cause] & now.follows[row] and now.raised[cause] <= now.raised[row] + EARLIER_SECS)
        found[row] = next(causes, -1)
    return found


def roots(cause: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first cause of each row: the cause of its cause, and so on. A ring of causes has none."""
    root = cause.copy()
    for _ in range(64):
        above = np.where(root >= 0, cause[root], -1)
        if not (above >= 0).any():
            return root
        root = np.where(above >= 0, above, root)
    root[(root >= 0) & (np.where(root >= 0, cause[root], -1) >= 0)] = -1
    return root


def _same(rule: NDArray[np.int64], node: NDArray[np.int64], rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of equal rule and node, together."""
    if not len(rows):
        return []
    order = np.lexsort((rows, node, rule))
    cuts = np.flatnonzero((np.diff(rule[order]) != 0) | (np.diff(node[order]) != 0)) + 1
    return np.split(rows[order], cuts)


def _by_time(now: Standing, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[np.lexsort((now.id[rows], now.raised[rows]))]


def _few_enough(now: Standing, groups: list[Group], alone: NDArray[np.int64]) -> list[Group]:
    """Never more than `MOST_ROWS` rows: the least urgent of the rest are told together, by priority."""
    over = len(groups) + len(alone) - MOST_ROWS
    if over <= 0:
        return groups
    alone = alone[np.lexsort((now.raised[alone], now.priority[alone]))]
    room = max(MOST_ROWS - 4 - len(groups), 0)
    rest = alone[room:]
    groups = sorted(groups, key=lambda group: (int(now.priority[group.rows].min()), -len(group.rows)))
    kept = groups[: MOST_ROWS - 4]
    rest = np.concatenate([rest, *(group.rows for group in groups[MOST_ROWS - 4:])])
    park = int(now.places[rest[0], -1])
    return [*kept, *(Group(cause=-1, rule=-1, node=park, rows=_by_time(now, rest[now.priority[rest] == priority]))
                     for priority in np.unique(now.priority[rest]).tolist())]
