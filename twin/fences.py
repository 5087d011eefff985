"""Geofences: a place, a rule, whom it holds for, and who answers. Declared in `fences.toml` or drawn in the browser."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import shapely

from twin.errors import TwinError
from twin.finding import Finding
from twin.pack_spec import Response
from twin.shared.papers import Paper

Rule = Literal["enter", "leave", "dwell", "forbidden", "cross"]
#: What alarms of fences are keyed with: `fence:<fence id>.<track id>`.
PREFIX = "fence:"
_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
MOST_CORNERS = 200


class FenceError(TwinError):
    """A fence cannot be used as it is."""


class Fence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fence. Place: `node` (a zone, building, storey or room), or `ring` (a polygon), or `line`; park metres.

    `z`: height band in metres, for a ring or line (a node has its own). `kinds`, `roles`, `except_roles`: for whom; no
    roles means all. `mins`: how long a stay may be (dwell). `hours`: local times between which the rule holds, over
    midnight when the second is earlier; always when absent.
    """

    id: str
    name: str
    rule: Rule
    response: Response
    name_zh: str = ""
    priority: Literal[1, 2, 3, 4] = 2
    node: str = ""
    ring: tuple[tuple[float, float], ...] = ()
    line: tuple[tuple[float, float], ...] = ()
    z: tuple[float, float] | None = None
    kinds: tuple[Literal["person", "vehicle"], ...] = ("person", "vehicle")
    roles: tuple[str, ...] = ()
    except_roles: tuple[str, ...] = ()
    mins: float = 0.0
    hours: tuple[str, str] | None = None

    def holds_at(self, minute: float) -> bool:
        """Whether the rule holds at a minute of the local day (0 to 1440)."""
        if self.hours is None:
            return True
        start, end = (int(text[:2]) * 60 + int(text[3:]) for text in self.hours)
        return start <= minute < end if start <= end else minute >= start or minute < end

    def is_for(self, kind: str, role: str) -> bool:
        """Whether somebody of a kind and role is meant."""
        return kind in self.kinds and (not self.roles or role in self.roles) and role not in self.except_roles


@dataclass(frozen=True, slots=True)
class Placed:
    """A fence where it stands: geometry in park metres, height band (metres, infinite where none), its node (0: none)."""

    fence: Fence
    shape: shapely.Geometry
    z0: float
    z1: float
    node: int


#: Node id → outline (park metres), z0, z1, dense index; None when there is no such place.
Outline = Callable[[str], tuple[shapely.Geometry, float, float, int] | None]


def faults(fence: Fence) -> Iterator[tuple[str, str, str]]:
    """Everything in a fence that does not hold together, as (what, mend, code)."""
    if not _ID.fullmatch(fence.id):
        yield f"id '{fence.id}' is empty or holds other signs", "use letters, digits, '-' and '_'", "fence.id"
    if not fence.name.strip():
        yield "the fence has no name", "name it", "fence.no_name"
    answer = fence.response
    if not answer.owner.strip() or not answer.owner_zh.strip() or not answer.steps or not answer.steps_zh \
            or answer.deadline_mins <= 0:
        yield ("nobody answers it: a fence without an owner, steps and a deadline only makes noise",
               "give response.owner, owner_zh, steps, steps_zh and a deadline_mins above zero", "fence.no_answer")
    if (bool(fence.node), bool(fence.ring), bool(fence.line)).count(True) != 1:
        yield "the place is not one of node, ring and line", "give exactly one of them", "fence.place"
    if fence.line and fence.rule != "cross":
        yield f"a line cannot be '{fence.rule}'", "use rule = \"cross\", or give a ring", "fence.line"
    if (fence.line and len(fence.line) < 2) or (fence.ring and len(fence.ring) < 3):
        yield "the outline has too few corners", "a line needs 2, a ring 3", "fence.few"
    if max(len(fence.ring), len(fence.line)) > MOST_CORNERS:
        yield "the outline has too many corners", f"use at most {MOST_CORNERS}", "fence.many"
    if fence.ring and len(fence.ring) >= 3 and not _is_sound(fence.ring):
        yield "the ring crosses itself or has no area", "draw it round once, without crossing", "fence.crossed"
    if fence.rule == "dwell" and not 0 < fence.mins <= 24 * 60:
        yield "a dwell fence needs mins", "give mins above 0 and at most 1440", "fence.mins"
    if fence.rule == "forbidden" and fence.hours is None and not (fence.roles or fence.except_roles):
        yield ("a forbidden fence without hours or roles would hold for all at all times", "give hours or roles",
               "fence.always")
    if fence.hours is not None and not all(_CLOCK.fullmatch(text) for text in fence.hours):
        yield f"hours {list(fence.hours)} are no times", 'write ["22:00", "06:00"]', "fence.hours"
    if not fence.kinds:
        yield "the fence is for nobody", "give kinds: person, vehicle or both", "fence.nobody"
    if fence.z is not None and not fence.z[0] < fence.z[1]:
        yield "the height band is empty", "give z = [low, high] in metres", "fence.band"


def check(fence: Fence) -> Fence:
    """The fence itself, when it holds together. Raises FenceError with its first fault."""
    for what, mend, code in faults(fence):
        raise FenceError(f"fence '{fence.id}': {what}", mend=mend, code=code, fill={"id": fence.id})
    return fence


def placed(fence: Fence, outline: Outline) -> Placed:
    """A fence with its geometry. Raises FenceError when its node does not exist or has no outline."""
    if fence.node:
        found = outline(fence.node)
        if found is None:
            raise FenceError(f"fence '{fence.id}': there is no place '{fence.node}' with an outline",
                             mend="name a zone, building, storey or room of the park", code="fence.no_place",
                             fill={"node": fence.node})
        shape, z0, z1, node = found
        return Placed(fence, shape, z0, z1, node)
    z0, z1 = fence.z or (-float("inf"), float("inf"))
    return Placed(fence, shapely.LineString(fence.line) if fence.line else shapely.Polygon(fence.ring), z0, z1, 0)


class FenceFiles:
    """A park's fences: `fences.toml` (declared, read only) and `state/fences.json` (drawn)."""

    def __init__(self, declared: Path, drawn: Paper) -> None:
        self._paper = drawn
        self.declared, self.findings = read_declared(declared)
        self.drawn: tuple[Fence, ...] = ()
        self.reread()

    def reread(self) -> None:
        """Take the drawn fences as they are kept now."""
        try:
            body = self._paper.read()
            self.drawn = tuple(msgspec.json.decode(body, type=list[Fence])) if body is not None else ()
        except msgspec.DecodeError as error:
            self.findings.append(Finding("warning", f"the drawn fences cannot be read ({error})", str(self._paper.path),
                                         "correct the file, or remove it and draw them again"))

    def all(self) -> tuple[Fence, ...]:
        """Every fence, declared ones first."""
        return (*self.declared, *self.drawn)

    def add(self, fence: Fence) -> None:
        """Keep a drawn fence. Raises FenceError when it does not hold together or its id is taken."""
        check(fence)
        if any(fence.id == other.id for other in self.all()):
            raise FenceError(f"fence '{fence.id}' exists already", mend="give it another id", code="fence.taken",
                             fill={"id": fence.id})
        self._write((*self.drawn, fence))

    def remove(self, fence_id: str) -> Fence:
        """Forget a drawn fence. Raises FenceError for one that is declared or not there."""
        found = next((fence for fence in self.drawn if fence.id == fence_id), None)
        if found is None:
            is_declared = any(fence.id == fence_id for fence in self.declared)
            raise FenceError(f"fence '{fence_id}' " + ("is declared in fences.toml" if is_declared else "does not exist"),
                             mend="remove it from that file" if is_declared else "read the list again",
                             code="fence.declared" if is_declared else "fence.gone", fill={"id": fence_id})
        self._write(tuple(fence for fence in self.drawn if fence is not found))
        return found

    def _write(self, fences: Sequence[Fence]) -> None:
        self._paper.write(msgspec.json.format(msgspec.json.encode(list(fences))), time.time())
        self.drawn = tuple(fences)


def read_declared(path: Path) -> tuple[tuple[Fence, ...], list[Finding]]:
    """The sound fences of a `fences.toml`, and a finding for every other; nothing where there is no file."""
    if not path.is_file():
        return (), []
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("fence", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return (), [Finding("error", f"cannot be read ({error})", path.name, "make it valid TOML in UTF-8")]
    return _parsed(rows if isinstance(rows, list) else [], path.name)


def _parsed(rows: Iterable[object], where: str) -> tuple[tuple[Fence, ...], list[Finding]]:
    kept: dict[str, Fence] = {}
    told: list[Finding] = []
    for number, row in enumerate(rows, 1):
        try:
            fence = check(msgspec.convert(row, Fence))
        except msgspec.ValidationError as error:
            told.append(Finding("error", f"fence {number}: {error}", where,
                                "correct that entry; see docs/how-to/add-a-fence.md"))
            continue
        except FenceError as error:
            told.append(Finding("error", error.what, where, error.mend))
            continue
        if fence.id in kept:
            told.append(Finding("error", f"fence '{fence.id}' exists twice", where, "rename one of the two"))
            continue
        kept[fence.id] = fence
    return tuple(kept.values()), told


def _is_sound(ring: tuple[tuple[float, float], ...]) -> bool:
    polygon = shapely.Polygon(ring)
    return bool(polygon.is_valid and polygon.area > 0.01)
