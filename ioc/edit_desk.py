"""Edits of the park as the editor page makes them: nodes into targets, the journal, snapping to footprints."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow.parquet as pq
import shapely

from ioc.publisher import Publisher
from scenes.editing import FOOTPRINTS, read_editing
from scenes.snap import Snap, snap
from scenes.targets import Targets
from scenes.things import Pose
from twin.edits import Change, EditBook
from twin.graph import SceneGraph
from twin.matching import is_same_size
from twin.overrides import (
    FILE_NAME,
    DrawnZone,
    Group,
    Nest,
    Override,
    OverrideError,
    Place,
    PutDevice,
    Rename,
    Xyz,
    is_of_map,
)
from twin.packs import PackSet
from twin.park import ParkSpec
from twin.park_points import PREFIX
from twin.ports import Clock
from twin.shared.papers import Paper

SHOWN = 60
Name = str


class _Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="what"):
    """What a page asks for: nodes by id, places in park metres."""


class AskPlace(_Asked, frozen=True, kw_only=True, tag="place"):
    building: str
    at: Xyz
    heading: float


class AskName(_Asked, frozen=True, kw_only=True, tag="name"):
    node: str
    name: str
    name_zh: str = ""


class AskNest(_Asked, frozen=True, kw_only=True, tag="nest"):
    node: str
    into: str


class AskGroup(_Asked, frozen=True, kw_only=True, tag="group"):
    id: str
    name: str
    nodes: tuple[str, ...]
    name_zh: str = ""


class AskZone(_Asked, frozen=True, kw_only=True, tag="zone"):
    id: str
    name: str
    ring: tuple[tuple[float, float], ...]
    name_zh: str = ""


class AskDevice(_Asked, frozen=True, kw_only=True, tag="device"):
    id: str
    kind: str
    at: Xyz
    name: str = ""
    name_zh: str = ""
    heading: float | None = None


Asked = AskPlace | AskName | AskNest | AskGroup | AskZone | AskDevice


class EditDesk:
    """The edits of a park being served. Safe from any thread.

    Args:
        served: the build that is served.
        journal: where edits are kept.

    `on_published` is called once a newer build stands; the server sets it.
    """

    def __init__(self, spec: ParkSpec, graph: SceneGraph, packs: PackSet, clock: Clock, served: str, journal: Paper) -> None:
        self._graph, self._packs, self._clock, self._build = graph, packs, clock, spec.build_dir
        self._served = served
        self._kinds = [{"id": kind.id, "name": kind.name, "name_zh": kind.name_zh} for kind in packs.kinds.values()
                       if not kind.id.startswith(PREFIX)]
        self._lock = threading.RLock()
        self._root, self._journal = spec.root, journal
        self._book: EditBook | None = None
        if not journal.is_shared:  # where several servers have it, it is opened by the one that writes, when it is asked for
            self._book = self._opened()
        self.targets = Targets.open(spec.build_dir, graph)
        self._built = read_editing(spec.build_dir)
        self.on_published: Callable[[], None] = lambda: None
        self.publisher = Publisher(spec.root, self._published)
        self._footprints: tuple[list[str], np.ndarray] | None = None
        self._undo_publication: Callable[[], object] | None = None

    @property
    def book(self) -> EditBook:
        """The edits. Raises StoreDown."""
        if self._book is None:
            self._book = self._opened()
        return self._book

    def forget(self) -> None:
        """Another server may have written the journal: it is read anew when it is next asked for."""
        with self._lock:
            self._book = None

    def _opened(self) -> EditBook:
        return EditBook(self._root, self._journal, self._clock.now() * 1000)

    def view(self) -> dict[str, Any]:
        """Everything the page shows; `version` is what a change must name."""
        with self._lock:
            book = self.book
            drafts = [{"key": key, "is_draft": book.published.get(key) != override, **msgspec.to_builtins(override),
                       **self._meant(override)} for key, override in book.draft.items()]
            return {"version": book.version, "is_dirty": book.is_dirty, "undo": _brief(book.next_undo),
                    "redo": _brief(book.next_redo), "overrides": drafts,
                    "removed": [key for key in book.published if key not in book.draft],
                    "journal": [_brief(change) for change in book.changes[-SHOWN:][::-1]],
                    "buildings": self._buildings(), "zones": self._built["zones"], "findings": self._findings(),
                    "publish": self.publisher.state(), "kinds": self._kinds}

    def edit(self, asked: Asked, by: str, seen: int) -> Change:
        """Set one edit. Raises as `EditBook.edit`; OverrideError for a node that cannot be edited."""
        with self._lock:
            return self.book.edit(self._override(asked, by), by, self._now_ms(), seen)

    def remove(self, key: str, by: str, seen: int) -> Change:
        """Take an edit out. Raises as `EditBook.remove`."""
        with self._lock:
            return self.book.remove(key, by, self._now_ms(), seen)

    def step(self, do: Literal["undo", "redo"], by: str, seen: int) -> Change:
        """Undo or redo. Raises as `EditBook.undo`."""
        with self._lock:
            return (self.book.undo if do == "undo" else self.book.redo)(by, self._now_ms(), seen)

    def publish(self, by: str) -> None:
        """Write the draft beside the sources and build; `publisher.state()` tells how far it is.

        Raises:
            OverrideError: a build is under way, or overrides.toml is not TOML.
        """
        with self._lock:
            if self.publisher.is_busy:
                raise OverrideError("a build is under way", mend="wait until it has ended", code="edit.publishing")
            version, before, state = self.book.version, self.book.write_file(), dict(self.book.published)
            self._undo_publication = lambda: self.book.take_back(before, state, by, self._now_ms())
            self.publisher.start(lambda is_built: self._ended(is_built, version, before, by))

    def take_back(self) -> None:
        """What was published last cannot be served: overrides.toml and the journal say so; the draft stays."""
        with self._lock:
            if self._undo_publication is not None:
                self._undo_publication()

    def snap(self, building: str, x: float, y: float, heading: float) -> Snap | None:
        """The footprint that a building held at x, y fits best. Raises OverrideError for none of that id."""
        pose = self.targets.pose(building)
        rings = self.targets.stands(building)["outline"]
        outline = shapely.union_all([shapely.Polygon(ring) for ring in rings]) if rings else shapely.Polygon()
        ids, shapes = self._footprints_of()
        return snap(outline, pose.anchor[:2], (x, y), heading, ids, shapes)

    def footprints(self) -> list[dict[str, Any]]:
        """Building footprints of the map layers: id and outline, park metres."""
        ids, shapes = self._footprints_of()
        parts = ((key, part) for key, shape in zip(ids, shapes, strict=True) for part in getattr(shape, "geoms", [shape]))
        return [{"id": key, "ring": np.round(np.array(part.exterior.coords)[:-1, :2], 2).tolist()} for key, part in parts]

    def _override(self, asked: Asked, by: str) -> Override:
        when = np.datetime_as_string(np.datetime64(int(self._now_ms()), "ms"), unit="s") + "Z"
        if isinstance(asked, AskPlace):
            pose, given = self.targets.pose(asked.building), self.targets.stands(asked.building)["from_source"] or {}
            return Place(target=self.targets.of(asked.building), at=asked.at, anchor=pose.anchor,
                         heading=asked.heading % 360.0, was=tuple(given["at"]) if given else None,
                         was_heading=given.get("heading", 0.0), by=by, when=when)
        if isinstance(asked, AskName):
            return Rename(target=self.targets.of(asked.node), name=asked.name, name_zh=asked.name_zh, by=by, when=when)
        if isinstance(asked, AskNest):
            return self._nest(asked, by, when)
        if isinstance(asked, AskGroup):
            self._refuse_taken(asked.id, "zone")
            members = tuple(self.targets.of(node) for node in dict.fromkeys(asked.nodes))
            return Group(id=asked.id, name=asked.name, name_zh=asked.name_zh, members=members, by=by, when=when)
        if isinstance(asked, AskZone):
            self._refuse_taken(asked.id, "zone")
            return DrawnZone(id=asked.id, name=asked.name, name_zh=asked.name_zh, ring=asked.ring, by=by, when=when)
        self._refuse_taken(asked.id, "device")
        if asked.kind not in self._packs.kinds:
            raise OverrideError(f"there is no kind '{asked.kind}' of device", mend="choose one of the packs",
                                code="edit.kind", fill={"kind": asked.kind})
        building, own = self._inside(asked.at)
        corner = self.targets.of(building).corner if building and not is_of_map(building) else None
        return PutDevice(id=asked.id, kind=asked.kind, name=asked.name, name_zh=asked.name_zh, at=asked.at,
                         heading=asked.heading, building=building, own=own, corner=corner, by=by, when=when)

    def _nest(self, asked: AskNest, by: str, when: str) -> Nest:
        index = [self._graph.index(asked.node), self._graph.index(asked.into)]
        if self._graph.ancestor(index[0], "storey") != self._graph.ancestor(index[1], "storey"):
            raise OverrideError("the two rooms are on different storeys", mend="choose a room of the same storey",
                                code="edit.nest_storey")
        within = {self.targets.node_of(o.target): self.targets.node_of(o.into) for o in self.book.draft.values()
                  if isinstance(o, Nest)}
        at = asked.into
        while at and at != asked.node:
            at = within.pop(at, "")
        if at:
            raise OverrideError("that room lies in this one already", mend="take it out first", code="edit.cycle")
        return Nest(target=self.targets.of(asked.node), into=self.targets.of(asked.into), by=by, when=when)

    def _meant(self, override: Override) -> dict[str, Any]:
        """Ids of the nodes an edit means in this build: `node` (and `into`), or `nodes` of a group; "" for what is gone.

        Of a device put on a building: where that has it now (`at`).
        """
        if isinstance(override, Group):
            return {"nodes": [self.targets.node_of(member) for member in override.members]}
        if isinstance(override, Nest):
            return {"node": self.targets.node_of(override.target), "within": self.targets.node_of(override.into)}
        if isinstance(override, (Place, Rename)):
            return {"node": self.targets.node_of(override.target)}
        if isinstance(override, PutDevice) and override.own is not None and self._graph.index(override.building):
            matrix = self.targets.park_from_own(override.building, self._pose(override.building))
            return {"at": (matrix @ np.array([*override.own, 1.0]))[:3].round(4).tolist()}
        return {}

    def _placing(self, building: str) -> Place | None:
        """The edit of the draft that places a building, by whatever id it knows it."""
        if not is_of_map(building):
            found = self.book.draft.get(f"place:{building}")
            return found if isinstance(found, Place) else None
        mine = [o for o in self.book.draft.values() if isinstance(o, Place) and is_of_map(o.target.building)
                and self.targets.node_of(o.target) == building]
        return mine[-1] if mine else None

    def _refuse_taken(self, key: str, kind: str) -> None:
        index = self._graph.index(key)
        if index and self._graph.columns["kind"][index] != kind:
            raise OverrideError(f"'{key}' is something else in the park", mend="give another id", code="edit.taken",
                                fill={"id": key})

    def _inside(self, at: Xyz) -> tuple[str, Xyz | None]:
        """The building (as the draft has it) that holds a point, and the point in its own metres (`PutDevice.own`)."""
        for key, standing in self.targets.standing.items():
            if standing["size"] is None:
                continue
            own = (np.linalg.inv(self._pose(key).matrix()) @ np.array([*at, 1.0]))[:3]
            low = np.array(standing["corner"])
            if (own >= low - 0.3).all() and (own <= low + np.array(standing["size"]) + 0.3).all():
                x, y, z = own.round(4).tolist()
                return key, (x, y, z)
        moved = [self.targets.node_of(o.target) for o in self.book.draft.values()
                 if isinstance(o, Place) and is_of_map(o.target.building)]
        for key in dict.fromkeys([*filter(None, moved), *self.targets.placed, *self.targets.map_buildings_near(at)]):
            if spot := self.targets.own_of_map(key, self._pose(key), at):
                return key, spot
        return "", None

    def _pose(self, building: str) -> Pose:
        built, override, stands = self.targets.pose(building), self._placing(building), self.targets.stands(building)
        if override is None:
            given = stands["from_source"]
            if stands["how"] == "hand" and given:  # the edit was taken out: back to the sources
                return Pose(at=tuple(given["at"]), anchor=built.anchor, heading=given["heading"], scale=built.scale)
            return built
        if is_of_map(building):  # it stands on the ground and is held by its middle, whatever the edit says
            return Pose(at=(*override.at[:2], built.at[2]), anchor=built.anchor, heading=override.heading)
        size, anchor = stands["size"], override.anchor
        if size and override.target.size and is_same_size(override.target.size, tuple(size)):
            anchor = built.anchor  # held by the same point of the same building, whatever its origin now
        return Pose(at=override.at, anchor=anchor, heading=override.heading, scale=built.scale)

    def _buildings(self) -> list[dict[str, Any]]:
        """Every building with a model, those nothing places first, and those of the map that edits place or placed."""
        on_map = [self.targets.node_of(o.target) for o in self.book.draft.values()
                  if isinstance(o, Place) and is_of_map(o.target.building)]
        moved = dict.fromkeys(key for key in (*on_map, *self.targets.placed) if is_of_map(key))
        out = []
        for key, standing in [*self.targets.standing.items(), *((key, self.targets.stands(key)) for key in moved)]:
            pose = self._pose(key)
            is_placed = standing["how"] != "none" or self._placing(key) is not None
            out.append({"id": key, "node": standing["node"], "how": standing["how"], "is_placed": is_placed,
                        "at": pose.at, "heading": pose.heading, "anchor": pose.anchor, "scale": pose.scale,
                        "outline": standing["outline"], "from_source": standing["from_source"],
                        "built": {"at": standing["at"], "heading": standing["heading"]}})
        return sorted(out, key=lambda row: bool(row["is_placed"]))

    def _findings(self) -> list[dict[str, Any]]:
        path = self._build / "report.json"
        rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        told = [{"what": f.what, "mend": f.mend, "level": f.level, "code": f.code, "fill": f.fill}
                for f in self.book.findings]
        keys = ("what", "mend", "level", "code", "fill")
        return told + [{key: row.get(key, "") for key in keys} for row in rows
                       if row["where"] == FILE_NAME or row.get("code") == "building.unplaced"]

    def _footprints_of(self) -> tuple[list[str], np.ndarray]:
        if self._footprints is None:
            path = Path(self._build / FOOTPRINTS)
            rows = pq.read_table(path).to_pydict() if path.is_file() else {"id": [], "geometry": []}
            self._footprints = rows["id"], np.array(shapely.from_wkb(rows["geometry"]), dtype=object).reshape(-1)
        return self._footprints

    def _ended(self, is_built: bool, version: int, before: str, by: str) -> None:
        with self._lock:
            if is_built:
                self.book.note_published(version, by, self._now_ms())
            else:
                self.book.put_back(before)

    def _published(self, build: str) -> None:
        if build != self._served:
            self.on_published()

    def _now_ms(self) -> float:
        return self._clock.now() * 1000


def _brief(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    after = change.after if change.after is not None else change.before
    return {"n": change.n, "time_ms": change.time_ms, "by": change.by, "do": change.do, "key": change.key, "of": change.of,
            "is_removal": change.after is None, "name": getattr(after, "name", ""), "name_zh": getattr(after, "name_zh", "")}
