"""The graph asked: what is in, contains, feeds, serves, is near, sees, and how to get there."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query

from ioc.access.person import require
from ioc.http.refusal import Refusal
from ioc.services import Services
from twin.graph import SceneGraph
from twin.park_graph import How, NotInGraph, Way
from twin.supply import System

T = TypeVar("T")
Node = Annotated[str, Query(max_length=300, description="id of a node, or of a footprint merged into one")]
Kind = Annotated[str, Query(max_length=100, description="kind (space, device, …) or class (camera, IfcDoor); empty: all")]
Limit = Annotated[int, Query(ge=1, le=5000, description="at most so many rows; `count` says how many there are")]
CARD = 4  # rows a card shows of each relation
CARD_NEAR_M = 15.0


def router(services: Services) -> APIRouter:
    """Routes over the compiled graph; every one of them only reads."""
    routes = APIRouter(prefix="/graph", tags=["graph"])
    graph, scene, lock = services.park_graph, services.graph, threading.Lock()

    def asked(question: Callable[[], T]) -> T:
        """An answer, one question at a time; what is not there is a 404."""
        require("viewer", "reading the graph")
        try:
            with lock:
                return question()
        except NotInGraph as error:
            status = 404 if error.code == "node.unknown" else 422
            raise Refusal(status, f"{error.what}; {error.mend}", error.code, **error.fill) from error

    def rows(ids: Sequence[str], limit: int) -> dict[str, Any]:
        return {"nodes": [_row(scene, graph.supply.systems, one) for one in ids[:limit]], "count": len(ids)}

    @routes.get("/inside")
    def inside(node: Node, kind: Kind = "", deep: bool = True, limit: Limit = 500) -> dict[str, Any]:
        """What is in a place, at any depth or directly (`deep=false`)."""
        return rows(asked(lambda: graph.inside(node, kind, deep=deep)), limit)

    @routes.get("/containers")
    def containers(node: Node) -> dict[str, Any]:
        """What contains it, the park first."""
        return rows(asked(lambda: graph.containers(node)), 100)

    @routes.get("/feeds")
    def feeds(node: Node, deep: bool = False, limit: Limit = 500) -> dict[str, Any]:
        """What it supplies: by the registry and by the flow between IFC ports; `deep`: to the end of the line."""
        return rows(asked(lambda: graph.feeds(node, deep=deep)), limit)

    @routes.get("/fed_by")
    def fed_by(node: Node, deep: bool = False, limit: Limit = 500) -> dict[str, Any]:
        """What supplies it; `deep`: to the beginning of the line."""
        return rows(asked(lambda: graph.fed_by(node, deep=deep)), limit)

    @routes.get("/serves")
    def serves(node: Node, limit: Limit = 500) -> dict[str, Any]:
        """Places a thing or a system serves."""
        return rows(asked(lambda: graph.serves(node)), limit)

    @routes.get("/served_by")
    def served_by(node: Node, limit: Limit = 500) -> dict[str, Any]:
        """Things and systems that supply it or a place it is in, the nearest first."""
        return rows(asked(lambda: graph.served_by(node)), limit)

    @routes.get("/systems")
    def systems(node: Annotated[str, Query(max_length=300, description="a member; empty: all of the park")] = "",
                limit: Limit = 500) -> dict[str, Any]:
        """Systems, zones and groups of the models."""
        return rows([one.id for one in asked(lambda: graph.systems(node))], limit)

    @routes.get("/members")
    def members(system: Annotated[str, Query(max_length=300)], limit: Limit = 500) -> dict[str, Any]:
        """What belongs to a system, zone or group."""
        return rows(asked(lambda: graph.members(system)), limit)

    @routes.get("/near")
    def near(metres: Annotated[float, Query(gt=0, le=5000)], node: Node = "", at: str = "", kind: Kind = "device",
             on_foot: bool = False, limit: Limit = 500) -> dict[str, Any]:
        """What is within so many metres of a node, or of a point (`at=x,y,z`, park metres); with `metres` of each."""
        found = asked(lambda: graph.near(_place(node, at), metres, kind or "device", on_foot=on_foot))
        told = rows([one.id for one in found], limit)
        for row, one in zip(told["nodes"], found, strict=False):
            row["metres"] = round(one.metres, 2)
        return told

    @routes.get("/sees")
    def sees(node: Node, kind: Kind = "", limit: Limit = 500) -> dict[str, Any]:
        """What a camera sees: its room with the `share` of its floor, or buildings; and devices."""
        found = asked(lambda: graph.sees(node, kind))
        told = rows([one.id for one in found], limit)
        for row, one in zip(told["nodes"], found, strict=False):
            row["share"] = None if math.isnan(one.share) else round(one.share, 3)
        return told

    @routes.get("/seen_by")
    def seen_by(node: Node, limit: Limit = 500) -> dict[str, Any]:
        """Cameras that see it, or any room of it."""
        return rows(asked(lambda: graph.seen_by(node)), limit)

    @routes.get("/path")
    def path(start: Node = "", end: Node = "", start_at: str = "", end_at: str = "", how: How = "walk") -> dict[str, Any]:
        """The shortest way on foot or by wheelchair between nodes or points (`start_at`, `end_at`: x,y,z); null for none."""
        return {"way": _way(asked(lambda: graph.path(_place(start, start_at), _place(end, end_at), how)), how)}

    @routes.get("/card")
    def card(node: Node) -> dict[str, Any]:
        """What the card of a node shows: a few rows of each relation, and the way in from its building's entrance."""

        def everything() -> dict[str, Any]:
            at = graph.index(node)
            fed_by = graph.fed_by(node) or [one for one in graph.served_by(node) if one not in graph.supply.systems]
            building = scene.ancestor(at, "building")
            way = graph.path(str(scene.columns["id"][building]), node) if building and building != at else None
            step_free = way and graph.path(str(scene.columns["id"][building]), node, "wheelchair")
            near = graph.near(node, CARD_NEAR_M) if scene.columns["kind"][at] in ("device", "element", "space") else []
            near = [one for one in near if scene.ancestor(scene.index(one.id), "storey") == scene.ancestor(at, "storey")]
            return {"containers": rows(graph.containers(node)[1:], CARD), "feeds": rows(graph.feeds(node), CARD),
                    "fed_by": rows(fed_by, CARD), "serves": rows(graph.serves(node), CARD),
                    "systems": rows([one.id for one in graph.systems(node)], CARD),
                    "seen_by": rows(graph.seen_by(node), CARD), "near": rows([one.id for one in near], CARD),
                    "way": _way(way, "walk"), "step_free": _way(step_free, "wheelchair")}

        return asked(everything)

    return routes


def _place(node: str, at: str) -> str | list[float]:
    """A node's id, or the point written as `x,y,z`."""
    if not at:
        return node
    try:
        return [float(part) for part in at.split(",")]
    except ValueError:
        return [math.nan]


def _row(scene: SceneGraph, systems: dict[str, System], node_id: str) -> dict[str, Any]:
    """One node, or one system (`i` 0), as pages name it."""
    if node_id in systems:
        system = systems[node_id]
        return {"i": 0, "id": node_id, "kind": system.kind, "cls": system.cls, "name": system.name or system.cls,
                "name_zh": system.name or system.cls, "path": "", "path_zh": ""}
    c, i = scene.columns, scene.index(node_id)
    above = [k for k in scene.path(i)[1:-1] if c["kind"][k] in ("building", "storey", "space")]
    return {"i": i, "id": str(c["id"][i]), "kind": str(c["kind"][i]), "cls": str(c["cls"][i]),
            "name": str(c["name"][i] or c["id"][i]), "name_zh": str(c["name_zh"][i] or c["name"][i] or c["id"][i]),
            "path": " · ".join(str(c["name"][k]) for k in above),
            "path_zh": " · ".join(str(c["name_zh"][k] or c["name"][k]) for k in above)}


def _way(way: Way | None, how: How) -> dict[str, Any] | None:
    if way is None:
        return None
    return {"metres": round(way.metres, 1), "how": how, "points": way.xyz.round(2).tolist(), "passed": list(way.passed)}
