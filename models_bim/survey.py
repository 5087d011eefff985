"""What a BIM manager would want mended in each file of a building: counted, with samples, nothing judged by taste."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from models_bim.model import ATTRIBUTES, BimModel
from twin.finding import Level

SAMPLES = 5
FAR_M = 5_000.0  # a model this far from its own origin shakes in most programs
HEAVY_TRIANGLES = 50_000
_MUCH = 0.2  # the share of elements from which a gap is a warning and no longer a note
_COMMON = {"IfcWall": "Pset_WallCommon", "IfcSlab": "Pset_SlabCommon", "IfcDoor": "Pset_DoorCommon",
           "IfcWindow": "Pset_WindowCommon", "IfcColumn": "Pset_ColumnCommon", "IfcBeam": "Pset_BeamCommon",
           "IfcSpace": "Pset_SpaceCommon"}
_WHOLES = ("IfcElementAssembly", "IfcCurtainWall", "IfcStair", "IfcRamp", "IfcRoof", "IfcAlignment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One sort of gap in one file. `code` names its words (`bim.*` in assets/i18n); `sample`: class, name and GlobalId."""

    code: str
    level: Level
    count: int
    of: int
    sample: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSurvey:
    """One IFC file in numbers. `coverage`: the share of elements that have a name, type, material, property set, class."""

    name: str
    schema: str
    application: str
    elements: int
    rooms: int
    storeys: int
    triangles: int
    classes: tuple[tuple[str, int], ...]
    coverage: dict[str, float]
    issues: tuple[Issue, ...]


def survey(model: BimModel) -> tuple[FileSurvey, ...]:
    """Every file of a building, in the model's order."""
    view = _View(model)
    return tuple(_file(view, k) for k in range(len(model.files)))


class _View:
    """Columns of a model by entity row: who has what."""

    def __init__(self, model: BimModel) -> None:
        self.model, n = model, len(model.entities)
        self.is_element = model.entities.kind == "element"
        self.is_room = model.entities.kind == "space"
        self.has = {kind: self._rows(model.relations.a[model.relations.kind == kind], n)
                    for kind in ("type", "material", "classification", "system")}
        self.has["pset"] = self._rows(model.properties.entity[model.properties.pset != ATTRIBUTES], n)
        self.has["name"] = model.entities.name.astype(str) != ""
        said = model.properties
        self.common = {name: self._rows(said.entity[said.pset == name], n) for name in _COMMON.values()}
        sizes = np.array([len(m.triangles) for m in model.meshes] or [0])
        self.triangles = np.zeros(n, np.int64)
        np.add.at(self.triangles, model.instances.entity, sizes[model.instances.mesh] if len(model.instances) else 0)

    def names(self, rows: NDArray[np.intp]) -> tuple[str, ...]:
        """Samples of some rows as people find them in their program."""
        e = self.model.entities
        return tuple(f"{e.cls[r]} {str(e.name[r])[:60]!r} {e.guid[r]}".replace("'", '"') for r in rows[:SAMPLES])

    @staticmethod
    def _rows(rows: NDArray, n: int) -> NDArray[np.bool_]:
        has = np.zeros(n, np.bool_)
        has[rows[rows >= 0]] = True
        return has


def _file(view: _View, k: int) -> FileSurvey:
    model, here = view.model, view.model.entities.file == k
    elements, rooms = np.flatnonzero(here & view.is_element), np.flatnonzero(here & view.is_room)
    classes, counts = np.unique(model.entities.cls[elements].astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:12]
    return FileSurvey(
        name=model.files[k],
        schema=model.schemas[k] if k < len(model.schemas) else "",
        application=model.applications[k] if k < len(model.applications) else "",
        elements=len(elements),
        rooms=len(rooms),
        storeys=int((here & (model.entities.kind == "storey")).sum()),
        triangles=int(view.triangles[here].sum()),
        classes=tuple((str(classes[i]), int(counts[i])) for i in order),
        coverage={what: round(float(view.has[what][elements].mean()), 4) if len(elements) else 1.0
                  for what in ("name", "type", "material", "pset", "classification")},
        issues=tuple(sorted((issue for issue in _issues(view, elements, rooms, here) if issue.count),
                            key=lambda issue: issue.level != "warning")),
    )


def _issues(view: _View, elements: NDArray[np.intp], rooms: NDArray[np.intp], here: NDArray[np.bool_]) -> Iterator[Issue]:
    cls = view.model.entities.cls.astype(str)
    proxies = elements[np.isin(cls[elements], ("IfcBuildingElementProxy", "IfcProxy"))]
    yield _gap(view, "proxies", proxies, elements)
    for what in ("type", "material", "pset", "name", "classification"):
        yield _gap(view, what, elements[~view.has[what][elements]], elements, only_note=what == "classification")
    for name, pset in _COMMON.items():
        meant = (rooms if name == "IfcSpace" else elements)
        meant = meant[np.char.startswith(cls[meant], name)] if len(meant) else meant
        yield _gap(view, f"common.{name}", meant[~view.common[pset][meant]], meant, only_note=True)
    wholes = np.array(sorted({int(p) for p in view.model.entities.parent if p >= 0}), dtype=np.intp)
    drawn = np.isfinite(view.model.boxes[:, 0]) if len(view.model.boxes) else np.zeros(len(cls), np.bool_)
    bare = elements[~drawn[elements]]
    bare = bare[~np.isin(bare, wholes) & ~np.char.startswith(cls[bare], _WHOLES[0])] if len(bare) else bare
    bare = bare[~np.isin(cls[bare], _WHOLES)]
    yield _gap(view, "shape", bare, elements)
    yield _gap(view, "twice", _twice(view, elements[drawn[elements]]), elements)
    heavy = elements[view.triangles[elements] > HEAVY_TRIANGLES]
    yield _gap(view, "heavy", heavy[np.argsort(-view.triangles[heavy], kind="stable")], elements, only_note=True)
    flowing = elements[[_is_flowing(str(c)) for c in cls[elements]]] if len(elements) else elements
    yield _gap(view, "system", flowing[~view.has["system"][flowing]], flowing)
    yield from _rooms(view, rooms)
    yield from _places(view, here, drawn)


def _rooms(view: _View, rooms: NDArray[np.intp]) -> Iterator[Issue]:
    e = view.model.entities
    outlined = {s.entity for s in view.model.spaces}
    yield _gap(view, "room.outline", rooms[[int(r) not in outlined for r in rooms]] if len(rooms) else rooms, rooms)
    seen: dict[tuple[str, int], int] = {}
    same = [r for r in rooms if e.name[r] and seen.setdefault((str(e.name[r]), int(e.storey[r])), int(r)) != r]
    yield _gap(view, "room.same", np.array(same, dtype=np.intp), rooms)
    unnamed = rooms[[not (e.name[r] or e.long_name[r]) for r in rooms]] if len(rooms) else rooms
    yield _gap(view, "room.name", unnamed, rooms)


def _places(view: _View, here: NDArray[np.bool_], drawn: NDArray[np.bool_]) -> Iterator[Issue]:
    model = view.model
    storeys = np.flatnonzero(here & (model.entities.kind == "storey"))
    used = {int(model.storeys[s].entity) for s in np.unique(model.entities.storey[view.is_element | view.is_room])
            if 0 <= s < len(model.storeys)}
    yield _gap(view, "storey.empty", storeys[[int(s) not in used for s in storeys]] if len(storeys) else storeys, storeys,
               only_note=True)
    if not len(storeys):
        yield Issue(code="storey.none", level="warning", count=1, of=1)
    boxes = model.boxes[here & drawn] if len(model.boxes) else np.zeros((0, 6))
    if len(boxes):
        away = float(np.abs((boxes[:, :2].min(axis=0) + boxes[:, 3:5].max(axis=0)) / 2).max())
        if away > FAR_M:
            yield Issue(code="far", level="warning", count=int(away), of=int(away))
    if not model.georeadings:
        yield Issue(code="place", level="note", count=1, of=1)


def _gap(view: _View, code: str, rows: NDArray[np.intp], of: NDArray[np.intp], *, only_note: bool = False) -> Issue:
    much = len(of) and len(rows) / len(of) > _MUCH
    level: Level = "warning" if much and not only_note else "note"
    return Issue(code=code, level=level, count=len(rows), of=len(of), sample=view.names(rows))


def _twice(view: _View, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Elements of one class that fill the same box to the millimetre with as many triangles as another."""
    seen: set[tuple[object, ...]] = set()
    again = []
    for r in rows:
        key = (view.model.entities.cls[r], int(view.triangles[r]), *np.round(view.model.boxes[r] * 1000).tolist())
        if key in seen:
            again.append(int(r))
        seen.add(key)
    return np.array(again, dtype=np.intp)


@lru_cache(maxsize=512)
def _is_flowing(cls: str) -> bool:
    """Whether a class carries something: pipes, ducts, cables and what hangs on them."""
    for schema in ("IFC4X3_ADD2", "IFC2X3"):
        try:
            declaration = ifcopenshell.schema_by_name(schema).declaration_by_name(cls).as_entity()
        except RuntimeError:
            continue
        return bool(declaration is not None and declaration._is("IfcDistributionElement"))
    return False
