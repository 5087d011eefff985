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
from twin.overrides import FILE_NAME, DrawnZone, Group, Override, OverrideError, Place, PutDevice, Rename, Xyz
from twin.packs import PackSet
from twin.park import ParkSpec
from twin.park_points import PREFIX
from twin.ports import Clock

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


Asked = AskPlace | AskName | AskGroup | AskZone | AskDevice


class EditDesk:
    """The edits of a park being served. Safe from any thread.

    Args:
        served: the build that is served.

    `on_published` is called once a newer build stands; the server sets it.
    """

    def __init__(self, spec: ParkSpec, graph: SceneGraph, packs: PackSet, clock: Clock, served: str) -> None:
        self._graph, self._packs, self._clock, self._build = graph, packs, clock, spec.build_dir
        self._served = served
        self._kinds = [{"id": kind.id, "name": kind.name, "name_zh": kind.name_zh} for kind in packs.kinds.values()
                       if not kind.id.startswith(PREFIX)]
        self._lock = threading.RLock()
        self.book = EditBook(spec.root, spec.state_dir / "edits.jsonl", clock.now() * 1000)
        self.targets = Targets.open(spec.build_dir, graph)
        self._built = read_editing(spec.build_dir)
        self.on_published: Callable[[], None] = lambda: None
        self.publisher = Publisher(spec.root, self._published)
        self._footprints: tuple[list[str], np.ndarray] | None = None

    def view(self) -> dict[str, Any]:
        """Everything the page shows; `version` is what a change must name."""
        with self._lock:
            book = self.book
            drafts = [{"key": key, "is_draft": book.published.get(key) != override, **msgspec.to_builtins(override)}
                      for key, override in book.draft.items()]
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
            version, before = self.book.version, self.book.write_file()
            self.publisher.start(lambda is_built: self._ended(is_built, version, before, by))

    def snap(self, building: str, x: float, y: float, heading: float) -> Snap | None:
        """The footprint that a building held at x, y fits best. Raises OverrideError for none of that id."""
        pose = self.targets.pose(building)
        rings = self.targets.standing[building]["outline"]
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
            pose, given = self.targets.pose(asked.building), self.targets.standing[asked.building]["from_source"] or {}
            return Place(target=self.targets.of(asked.building), at=asked.at, anchor=pose.anchor,
                         heading=asked.heading % 360.0, was=tuple(given["at"]) if given else None,
                         was_heading=given.get("heading", 0.0), by=by, when=when)
        if isinstance(asked, AskName):
            return Rename(target=self.targets.of(asked.node), name=asked.name, name_zh=asked.name_zh, by=by, when=when)
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
        corner = self.targets.of(building).corner if building else None
        return PutDevice(id=asked.id, kind=asked.kind, name=asked.name, name_zh=asked.name_zh, at=asked.at,
                         heading=asked.heading, building=building, own=own, corner=corner, by=by, when=when)

    def _refuse_taken(self, key: str, kind: str) -> None:
        index = self._graph.index(key)
        if index and self._graph.columns["kind"][index] != kind:
            raise OverrideError(f"'{key}' is something else in the park", mend="give another id", code="edit.taken",
                                fill={"id": key})

    def _inside(self, at: Xyz) -> tuple[str, Xyz | None]:
        """The building (as the draft has it) whose box holds a point, and the point in its own metres."""
        for key, standing in self.targets.standing.items():
            if standing["size"] is None:
                continue
            own = (np.linalg.inv(self._pose(key).matrix()) @ np.array([*at, 1.0]))[:3]
            low = np.array(standing["corner"])
            if (own >= low - 0.3).all() and (own <= low + np.array(standing["size"]) + 0.3).all():
                x, y, z = own.round(4).tolist()
                return key, (x, y, z)
        return "", None

    def _pose(self, building: str) -> Pose:
        built, override = self.targets.pose(building), self.book.draft.get(f"place:{building}")
        if not isinstance(override, Place):
            given = self.targets.standing[building]["from_source"]
            if self.targets.standing[building]["how"] == "hand" and given:  # the edit was taken out: back to the sources
                return Pose(at=tuple(given["at"]), anchor=built.anchor, heading=given["heading"], scale=built.scale)
            return built
        size = self.targets.standing[building]["size"]
        anchor = override.anchor
        if size and override.target.size and is_same_size(override.target.size, tuple(size)):
            anchor = built.anchor  # held by the same point of the same building, whatever its origin now
        return Pose(at=override.at, anchor=anchor, heading=override.heading, scale=built.scale)

    def _buildings(self) -> list[dict[str, Any]]:
        """Every building with a model, those nothing places first."""
        out = []
        for key, standing in self.targets.standing.items():
            pose = self._pose(key)
            is_placed = standing["how"] != "none" or f"place:{key}" in self.book.draft
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
