"""What exists: the park, its tree, rooms, devices, tracks; one node made readable; search."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from numpy.typing import NDArray

from ioc.access.person import current, require
from ioc.http.columns import node_columns, room_columns
from ioc.http.kept import Kept
from ioc.services import Services
from scenes.bim_report import as_html, read_bim_report
from scenes.store import find_properties
from twin.packs import DeviceKind
from twin.park_points import PREFIX
from twin.parktime import zone_of

Form = Literal["rows", "columns"]
TREE_KINDS = ("park", "zone", "building", "storey", "space")
MANIFEST_KEYS = ("crs", "origin", "bounds", "ground", "latitude", "longitude", "build", "light", "root_transform",
                 "buildings", "backgrounds")


def router(services: Services) -> APIRouter:
    """Routes over the compiled park; their answers change only with a build."""
    routes = APIRouter(tags=["park"])
    graph = services.graph

    kept = Kept({"park": lambda: _park(services), "devices": lambda: _devices(services),
                 "tree.columns": lambda: node_columns(_table(services)), "tree.rows": lambda: {"nodes": _tree(services)},
                 "spaces.columns": lambda: room_columns(services.spaces), "spaces.rows": lambda: {"spaces": services.spaces}},
                seldom={"tree.rows", "spaces.rows"})

    @routes.get("/park")
    def park(request: Request) -> Response:
        """The park, its frame and its tiles."""
        return kept.answer("park", request)

    @routes.get("/tree")
    def tree(request: Request, form: Form = "rows") -> Response:
        """Every node from park to space, an object each, or as columns (see `ioc.http.columns`)."""
        return kept.answer(f"tree.{form}", request)

    @routes.get("/devices")
    def devices(request: Request) -> Response:
        """Device kinds with their points and commands, and every device with its first slot."""
        return kept.answer("devices", request)

    @routes.get("/spaces")
    def spaces(request: Request, form: Form = "rows") -> Response:
        """Outlines of rooms in the park frame (metres), an object each, or as columns (see `ioc.http.columns`)."""
        return kept.answer(f"spaces.{form}", request)

    @routes.get("/tracks")
    def tracks() -> dict[str, Any]:
        """Who and what may be seen moving. Viewers get roles, not names."""
        person = current()
        shows_names = person is not None and person.may("operator")
        return {"tracks": [{"i": t.i, "id": t.id, "kind": t.kind, "role": t.role,
                            "name": t.name if shows_names else t.role,
                            "name_zh": t.name_zh if shows_names else t.role} for t in services.tracks]}

    @routes.get("/nodes/{node_id:path}")
    def node(node_id: str) -> dict[str, Any]:
        """One node: itself, the path to it, what is under it, its properties."""
        index = graph.index(node_id)
        if not index:
            raise HTTPException(404, f"nothing is called '{node_id}' here; search for it by name")
        return {"node": _tree_row(services, index), "path": [_tree_row(services, i) for i in graph.path(index)],
                "children": [_tree_row(services, int(i)) for i in graph.children(index)[:500]],
                "properties": _properties(services, index)}

    @routes.get("/park/bim-report")
    def report(lang: Literal["en", "zh"] = "en", format: Literal["html", "json"] = "html") -> Response:
        """What the build found in the BIM models and what to change in the authoring tool, as a page or as JSON."""
        require("operator", "reading the BIM report")
        found = read_bim_report(services.build_dir)
        return JSONResponse(found) if format == "json" else HTMLResponse(as_html(found, lang))

    @routes.get("/properties")
    def properties(pset: str = "", name: str = "", value: str = "", limit: int = Query(200, ge=1, le=5000)) -> dict[str, Any]:
        """Nodes by what their property sets say: set and name as written, value whole or with * at either end."""
        if not (pset or name or value):
            raise HTTPException(422, "name a pset, a name or a value to look for")
        rows, total = find_properties(services.build_dir, pset, name, value, limit)
        ids = graph.columns["id"]
        return {"total": total, "rows": [{"i": r["node"], "id": str(ids[r["node"]]),
                                          **{k: r[k] for k in ("pset", "name", "value", "unit")}} for r in rows]}

    @routes.get("/search")
    def search(q: str = Query(min_length=1, max_length=100)) -> dict[str, Any]:
        """Nodes whose name, id or class holds every word; places before devices before elements."""
        return {"hits": [_hit(services, index) for index in services.search.find(q, 20)]}

    return routes


def _park(services: Services) -> dict[str, Any]:
    spec, light = services.spec, services.manifest.get("light")
    answer = {key: services.manifest.get(key) for key in MANIFEST_KEYS}
    if light:
        answer["light"] = {**light, "image": "/" + light["image"]}
    return {"id": spec.id, "name": spec.name, "name_zh": spec.name_zh or spec.name, "demo": spec.demo,
            "timezone": zone_of(spec), "tileset": "/tiles/tileset.json", **answer}


def _tree_nodes(services: Services) -> NDArray[np.int64]:
    return np.flatnonzero(np.isin(services.graph.columns["kind"], TREE_KINDS))


def _tree(services: Services) -> list[dict[str, Any]]:
    return [_tree_row(services, int(i)) for i in _tree_nodes(services)]


def _table(services: Services) -> dict[str, NDArray]:
    """What `_tree_row` says of every place, a column a field."""
    c, i = services.graph.columns, _tree_nodes(services)
    named = {"z": "elevation", "h": "height"}
    table = {field: c[named.get(field, field)][i] for field in
             ("id", "parent", "kind", "name", "name_zh", "tile", "anchor", "bbox", "z", "h", "area")}
    has_zh = np.array([bool(text) for text in table["name_zh"]], bool)
    return {**table, "i": i, "name_zh": np.where(has_zh, table["name_zh"], table["name"])}


def _devices(services: Services) -> dict[str, Any]:
    kinds = {kind.id: kind for kind in services.points.kind if not kind.id.startswith(PREFIX)}
    return {"kinds": [_kind_row(kind) for kind in kinds.values()],
            "devices": [row for k in range(len(services.points.devices)) if (row := _device_row(services, k))]}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _tree_row(services: Services, i: int) -> dict[str, Any]:
    c = services.graph.columns
    return {"i": i, "id": str(c["id"][i]), "kind": str(c["kind"][i]), "parent": int(c["parent"][i]),
            "name": str(c["name"][i]), "name_zh": str(c["name_zh"][i] or c["name"][i]), "cls": str(c["cls"][i]),
            "anchor": _finite(c["anchor"][i]), "bbox": _finite(c["bbox"][i]), "z": _number(c["elevation"][i]),
            "h": _number(c["height"][i]), "area": _number(c["area"][i]), "tile": str(c["tile"][i] or "")}


def _finite(values: np.ndarray) -> list[float]:
    return [round(float(v), 3) for v in np.nan_to_num(values)]


def _kind_row(kind: DeviceKind) -> dict[str, Any]:
    return {"id": kind.id, "pack": kind.pack, "name": kind.name, "name_zh": kind.name_zh, "symbol": kind.symbol,
            "points": [{"key": p.key, "name": p.name, "name_zh": p.name_zh, "unit": p.unit, "type": p.type,
                        "states": list(p.states), "states_zh": list(p.states_zh), "low": p.low, "high": p.high, "set": p.set,
                        "period": p.period_secs} for p in kind.points],
            "commands": [{"key": k.key, "name": k.name, "name_zh": k.name_zh, "danger": k.danger, "effect": k.effect,
                          "effect_zh": k.effect_zh,
                          "args": [{"key": a.key, "name": a.name, "name_zh": a.name_zh, "unit": a.unit, "low": a.low,
                                    "high": a.high, "choices": list(a.choices)} for a in k.args]}
                         for k in kind.commands]}


def _device_row(services: Services, k: int) -> dict[str, Any] | None:
    """A device that no node stands for (it was reported unbound) has no place and is left out."""
    device = services.points.devices[k]
    i = services.graph.index(device.id)
    if not i:
        return None
    c = services.graph.columns
    return {"i": i, "id": device.id, "kind": device.kind, "name": device.name, "name_zh": device.name_zh or device.name,
            "parent": int(c["parent"][i]), "pos": _finite(c["anchor"][i]), "slot": int(services.points.first[k])}


def _hit(services: Services, index: int) -> dict[str, Any]:
    c = services.graph.columns
    above = [i for i in services.graph.path(index)[1:-1] if c["kind"][i] in ("building", "storey", "space")]
    return {"i": index, "id": str(c["id"][index]), "kind": str(c["kind"][index]), "name": str(c["name"][index]),
            "name_zh": str(c["name_zh"][index] or c["name"][index]), "path": " · ".join(str(c["name"][i]) for i in above),
            "path_zh": " · ".join(str(c["name_zh"][i] or c["name"][i]) for i in above)}


def _properties(services: Services, index: int) -> list[dict[str, str]]:
    path = services.build_dir / "properties.parquet"
    if not path.exists():
        return []
    table = pq.read_table(path, filters=pc.field("node") == index)
    return [{key: str(row.get(key) or "") for key in ("pset", "name", "value", "unit")} for row in table.to_pylist()]
