"""Brick models (Turtle): what equipment and rooms there are, which points they have, where they stand, what they feed."""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from rdflib import RDF, RDFS, Graph, URIRef
from rdflib.term import Node

from twin.errors import SourceError

#: What older models write for what Brick 1.3 says.
CLASSES = {"AHU": "Air_Handling_Unit", "FCU": "Fan_Coil_Unit", "VAV": "Variable_Air_Volume_Box", "RTU": "Rooftop_Unit",
           "Meter": "Electrical_Meter"}
PLACES = {"Room": "room", "Floor": "floor", "Building": "building", "HVAC_Zone": "zone", "Zone": "zone", "Space": "room"}
_POINT = ("Sensor", "Setpoint", "Command", "Status", "Alarm", "Parameter", "Limit", "Point", "Temperature")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrickPoint:
    """One point: its IRI, the end of it, and its class (`Zone_Air_Temperature_Sensor`)."""

    iri: str
    name: str
    cls: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrickThing:
    """Equipment (or a room that has points): `rooms` and `floors` it is in or serves; `feeds` things by name.

    `degrees`: longitude and latitude (WGS 84), where it says them.
    """

    iri: str
    name: str
    label: str
    cls: str
    is_room: bool
    points: tuple[BrickPoint, ...]
    rooms: tuple[str, ...]
    floors: tuple[str, ...]
    feeds: tuple[str, ...]
    degrees: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class BrickModel:
    """Every thing of a file by name, and points nothing has."""

    things: tuple[BrickThing, ...]
    loose: tuple[BrickPoint, ...]


def read_brick(path: Path) -> BrickModel:
    """A Turtle file.

    Raises:
        SourceError: it cannot be read, or is no Turtle.
    """
    graph = Graph()
    logging.getLogger("rdflib").setLevel(logging.ERROR)  # a bad literal is somebody else's, and harmless here
    try:
        graph.parse(data=path.read_bytes(), format="turtle")
    except Exception as error:  # rdflib's parser raises what it likes
        raise SourceError(f"cannot be read as Turtle ({str(error).splitlines()[0] if str(error) else type(error).__name__})",
                          mend="export the Brick model as Turtle (.ttl)", where=str(path)) from error
    return _Reader(graph).model()


class _Reader:
    def __init__(self, graph: Graph) -> None:
        self._cls: dict[Node, str] = {}
        self._measured: set[Node] = set()
        for subject, kind in graph.subject_objects(RDF.type):
            name = _end(kind)
            if "brick" in str(kind).casefold() and name.endswith(_POINT):
                self._measured.add(subject)
            if "brick" in str(kind).casefold() and (subject not in self._cls or len(name) > len(self._cls[subject])):
                self._cls[subject] = name
        self._label = {s: str(o) for s, o in graph.subject_objects(RDFS.label)}
        self._points: dict[Node, set[Node]] = defaultdict(set)
        self._inside: dict[Node, set[Node]] = defaultdict(set)
        self._feeds: dict[Node, set[Node]] = defaultdict(set)
        self._told: dict[Node, list[tuple[str, Node]]] = defaultdict(list)
        for subject, predicate, other in graph:
            match _end(predicate):
                case "hasPoint":
                    self._points[subject].add(other)
                case "isPointOf":
                    self._points[other].add(subject)
                case "isPartOf" | "hasLocation":
                    self._inside[subject].add(other)
                case "hasPart" | "isLocationOf":
                    self._inside[other].add(subject)
                case "feeds":
                    self._feeds[subject].add(other)
                case "isFedBy":
                    self._feeds[other].add(subject)
                case "coordinates" | "latitude" | "longitude" | "lat" | "long" | "value" as way:
                    self._told[subject].append((way, other))
        for place in [place for place in self._inside if self._is_point(place)]:
            for room in [r for r in self._inside[place] if self._place(r) == "room"]:
                self._points[room].add(place)

    def model(self) -> BrickModel:
        things = [self._thing(node) for node in self._cls
                  if isinstance(node, URIRef) and not self._is_point(node)
                  and (self._place(node) is None or (self._place(node) == "room" and self._points.get(node)))]
        owned = set[Node]().union(*self._points.values()) if self._points else set()
        loose = [self._point(node) for node in self._cls if self._is_point(node) and node not in owned]
        return BrickModel(tuple(sorted(things, key=lambda thing: thing.name)), tuple(sorted(loose, key=lambda p: p.name)))

    def _thing(self, node: Node) -> BrickThing:
        rooms, floors = self._where(node)
        return BrickThing(
            iri=str(node), name=_end(node), label=self._label.get(node, ""),
            cls=CLASSES.get(self._cls[node], self._cls[node]),
            is_room=self._place(node) == "room", rooms=rooms, floors=floors,
            points=tuple(sorted((self._point(p) for p in self._points.get(node, ())), key=lambda p: p.name)),
            degrees=self._degrees(node),
            feeds=tuple(sorted(_end(f) for f in self._feeds.get(node, ()) if f in self._cls and self._place(f) is None)))

    def _degrees(self, node: Node) -> tuple[float, float] | None:
        """Longitude and latitude said of a thing, directly or by its `coordinates`; None where they are not whole."""
        said: dict[str, float] = {}
        for way, other in [*self._told[node], *(told for way, at in self._told[node] if way == "coordinates"
                                                for told in self._told[at])]:
            for value in [other, *(v for kind, v in self._told.get(other, ()) if kind == "value")]:
                with contextlib.suppress(ValueError):
                    said[way] = float(value)  # type: ignore[arg-type]
        east, north = said.get("longitude", said.get("long")), said.get("latitude", said.get("lat"))
        if east is None or north is None or not (abs(east) <= 180 and abs(north) <= 90):
            return None
        return east, north

    def _where(self, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Rooms and floors around a thing; else the rooms of the zones it feeds."""
        around = {node} if self._place(node) else set[Node]()
        ways = [node]
        while ways:
            for above in self._inside.get(ways.pop(), ()):
                if above not in around:
                    around.add(above)
                    ways.append(above)
        rooms = {n for n in around if self._place(n) == "room"}
        for zone in [z for z in self._feeds.get(node, ()) if self._place(z)] if not rooms else []:
            rooms |= {zone} if self._place(zone) == "room" else {
                room for room, above in self._inside.items() if zone in above and self._place(room) == "room"}
        floors = {n for n in around | {f for r in rooms for f in self._inside.get(r, ())} if self._place(n) == "floor"}
        return tuple(sorted(_end(r) for r in rooms)), tuple(sorted(_end(f) for f in floors))

    def _point(self, node: Node) -> BrickPoint:
        return BrickPoint(iri=str(node), name=_end(node), cls=self._cls.get(node, ""))

    def _place(self, node: Node) -> str | None:
        return PLACES.get(self._cls.get(node, ""))

    def _is_point(self, node: Node) -> bool:
        return node in self._measured and not self._place(node)


def _end(iri: Node) -> str:
    """The last part of an IRI."""
    return str(iri).replace("#", "/").rstrip("/").rsplit("/", 1)[-1]
