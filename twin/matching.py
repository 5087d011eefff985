"""Which thing of a park an edit means: by GUID first, then by shape and place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from twin.finding import Finding
from twin.overrides import FILE_NAME, Target, Xyz

NO_MATCH = "the edit is kept; choose the place again on the editor page (/editor), or take it out there"

SAME_M = 0.05  # boxes this alike on every side, or within SAME_SHARE, are one shape
SAME_SHARE = 0.02
NEAR_M = 1.0  # rooms and storeys of one shape are the same where their middles are this close
NEAR_BUILDING_M = 25.0
APART_M = 0.2  # of two as near as this to each other neither is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A building, storey or room that an edit may mean. Lengths as in `Target`; no `size` and `at` where it has no shape."""

    kind: str
    building: str
    guid: str
    size: Xyz | None
    at: Xyz | None
    row: int


@dataclass(frozen=True, slots=True)
class Match:
    """The thing that is meant, and what told so."""

    thing: Thing
    by: Literal["id", "guid", "shape"]


@dataclass(frozen=True, slots=True)
class Miss:
    """No thing, or several that are as likely (`count`)."""

    count: int


def find(target: Target, things: Sequence[Thing], corners: Mapping[str, Xyz]) -> Match | Miss:
    """The thing a target means.

    Args:
        things: of the target's park. corners: low corner of every building's box in its own metres.
    """
    kin = [t for t in things if t.kind == target.kind]
    if target.kind == "building":
        named = [t for t in kin if t.building == target.building]
        if named:
            return Match(named[0], "id")
    else:
        within = [t for t in kin if t.building == target.building]
        kin = within or kin
    if target.guid:
        same = [t for t in kin if t.guid == target.guid]
        if same:
            return Match(same[0], "guid") if len(same) == 1 else Miss(len(same))
    return _by_shape(target, kin, corners)


def _by_shape(target: Target, kin: list[Thing], corners: Mapping[str, Xyz]) -> Match | Miss:
    alike = [t for t in kin if target.size and t.size and is_same_size(target.size, t.size)]
    if target.kind == "building" and (target.at is None or any(t.at is None for t in alike)):
        return Match(alike[0], "shape") if len(alike) == 1 else Miss(len(alike))
    reach = NEAR_BUILDING_M if target.kind == "building" else NEAR_M
    for shifts in (False, True):  # the file's own coordinates first, then those of the building's corner
        near = sorted((d, t.row, t) for t in alike if (d := _metres(target, t, corners, shifts)) <= reach)
        if near:
            rivals = [t for d, _, t in near if d - near[0][0] < APART_M]
            return Match(near[0][2], "shape") if len(rivals) == 1 else Miss(len(rivals))
    return Miss(0)


def missed(key: str, who: str, miss: Miss) -> Finding:
    """An edit that matches nothing, or several things."""
    what = f"edit '{key}' matches nothing: {who} is not in the sources by GUID, nor by shape and place" if not miss.count \
        else f"edit '{key}' matches {miss.count} things: {who} cannot be told from others of its shape"
    return Finding("warning", what, FILE_NAME, NO_MATCH, code="edit.missed" if not miss.count else "edit.several",
                   fill={"key": key})


def is_same_size(one: Xyz, other: Xyz) -> bool:
    """Whether two boxes are as large as each other."""
    return all(abs(a - b) <= max(SAME_M, SAME_SHARE * max(abs(a), abs(b))) for a, b in zip(one, other, strict=True))


def _metres(target: Target, thing: Thing, corners: Mapping[str, Xyz], shifts: bool) -> float:
    if target.at is None or thing.at is None:
        return math.inf
    shift = (0.0, 0.0, 0.0)
    if shifts:
        now = corners.get(thing.building)
        if target.kind == "building" or target.corner is None or now is None:
            return math.inf
        shift = (now[0] - target.corner[0], now[1] - target.corner[1], now[2] - target.corner[2])
    return math.dist([a + s for a, s in zip(target.at, shift, strict=True)], thing.at)
