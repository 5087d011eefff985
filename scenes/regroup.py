"""Names, groups and zones given by hand, put on the node table; what the sources call things stays in the properties."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely

from models_bim.model import BimModel
from scenes.map_buildings import MapBuildings
from scenes.rows import NodeRows
from scenes.spread import Spread
from scenes.things import building_things, corners_of, inner_things
from twin.finding import Finding
from twin.matching import Miss, Thing, find, missed
from twin.overrides import FILE_NAME, DrawnZone, Group, Nest, Override, Rename, Target, is_of_map

Spreads = Mapping[str, tuple[BimModel, Spread]]


class Regroup:
    """The edits of one merge.

    Args:
        buildings: every building read, with its rows. map_buildings: those of the map.
        park: node of the park.
    """

    def __init__(self, rows: NodeRows, buildings: Spreads, map_buildings: MapBuildings, park: int,
                 findings: list[Finding]) -> None:
        self._rows, self._buildings, self._park, self._findings = rows, buildings, park, findings
        models = {key: model for key, (model, _) in buildings.items()}
        self._corners = corners_of(models)
        self._things: list[Thing] = building_things(models, dict.fromkeys(models))
        for key, model in models.items():
            self._things.extend(inner_things(key, model))
        self._map = map_buildings
        self._outlines = {space.node: space.polygon for _, spread in buildings.values() for space in spread.spaces}

    def apply(self, overrides: Mapping[str, Override]) -> None:
        """Names first, then groups, rooms in rooms, zones; each that matches nothing is told."""
        for key, override in overrides.items():
            if isinstance(override, Rename):
                for node in self._nodes(key, [override.target]):
                    self._rename(node, override.name, override.name_zh)
        for key, override in overrides.items():
            if isinstance(override, Group):
                self._group(key, override)
        for key, override in overrides.items():  # a room of a group that lies in another one lies there
            if isinstance(override, Nest):
                self._nest(key, override)
        zones = [(z, shapely.Polygon(z.ring)) for z in overrides.values() if isinstance(z, DrawnZone)]
        for zone, shape in sorted(zones, key=lambda pair: -pair[1].area):  # of two about one building the smaller holds
            self._zone(zone, shape)

    def _nodes(self, key: str, targets: list[Target]) -> list[int]:
        out = []
        for target in targets:
            if is_of_map(target.building):
                out += self._on_map(key, target)
                continue
            found = find(target, self._things, self._corners)
            if isinstance(found, Miss):
                self._findings.append(missed(key, f"the {target.kind} '{target.guid or target.building}'", found))
                continue
            if found.by == "shape":
                self._findings.append(Finding("note", f"edit '{key}' is taken for a {target.kind} of "
                                              f"'{found.thing.building}' by shape and place; its GUID is new", FILE_NAME))
            spread = self._buildings[found.thing.building][1]
            out.append(spread.node if target.kind == "building" else int(spread.nodes[found.thing.row]))
        return out

    def _on_map(self, key: str, target: Target) -> list[int]:
        match = self._map.find(target)
        if isinstance(match, Miss):
            self._findings.append(missed(key, f"building '{target.building}' of the map", match))
            return []
        if match.by == "shape":
            self._findings.append(Finding("note", f"edit '{key}' is taken for building '{match.id}' of the map by shape and "
                                          "place; its id is new", FILE_NAME))
        return [self._rows.index_of[match.id]] if match.id in self._rows.index_of else []

    def _rename(self, node: int, name: str, name_zh: str) -> None:
        self._rows.set_text("name", node, name.strip() or name_zh.strip())
        self._rows.set_text("name_zh", node, name_zh.strip())

    def _nest(self, key: str, nest: Nest) -> None:
        inner, outer = self._nodes(key, [nest.target]), self._nodes(key, [nest.into])
        if not inner or not outer:
            return
        room, into, rows = inner[0], outer[0], self._rows
        if self._home(room) != self._home(into):
            self._findings.append(Finding("warning", f"edit '{key}' puts a room into one of another storey; left out",
                                          FILE_NAME, "choose a room of the same storey (/editor)"))
            return
        above = into
        while above and above != room:
            above = rows.parent(above)
        if above:
            self._findings.append(Finding("warning", f"edit '{key}' puts a room into one that lies in it; left out",
                                          FILE_NAME, "take one of the two out (/editor)"))
            return
        rows.reparent(room, into)
        if room in self._outlines and into in self._outlines:  # of floor that both have the inner one has the area
            shared = self._outlines[room].intersection(self._outlines[into]).area
            rows.set_number("area", into, max(0.0, rows.number("area", into) - shared))

    def _group(self, key: str, group: Group) -> None:
        members = list(dict.fromkeys(self._nodes(key, list(group.members))))
        if not members:
            return
        home = self._home(members[0])
        others = [node for node in members if self._home(node) != home]
        if others:
            self._findings.append(Finding("warning", f"group '{group.id}' holds rooms of several storeys; only those of "
                                          "the first are in it", FILE_NAME, "make a group a storey (/editor)", len(others)))
        node = self._rows.add(group.id, "zone", home, name=group.name or group.name_zh, name_zh=group.name_zh, cls="group",
                              source=FILE_NAME)
        for member in members:
            if member not in others:
                self._rows.reparent(member, node)

    def _home(self, node: int) -> int:
        """What a thing stands in apart from groups and rooms: a room's storey, a storey's building."""
        above = self._rows.parent(node)
        while above and (self._rows.text("cls", above) == "group" or self._rows.text("kind", above) == "space"):
            above = self._rows.parent(above)
        return above

    def _zone(self, zone: DrawnZone, shape: shapely.Polygon) -> None:
        rows = self._rows
        node = rows.index_of.get(zone.id, 0)
        if node and rows.text("kind", node) != "zone":
            self._findings.append(Finding("error", f"zone '{zone.id}' has the id of something else in the park; left out",
                                          FILE_NAME, "draw it again under another id"))
            return
        if node:
            self._rename(node, zone.name, zone.name_zh)
        else:
            node = rows.add(zone.id, "zone", self._park, name=zone.name or zone.name_zh, name_zh=zone.name_zh, cls="zone",
                            source=FILE_NAME)
        count = 0
        for index in range(1, len(rows) + 1):
            if rows.text("kind", index) == "building" and shape.contains(shapely.Point(*self._middle(index))):
                rows.reparent(index, node)
                count += 1
        if not count:
            self._findings.append(Finding("note", f"no building has its middle in zone '{zone.id}'", FILE_NAME))
            spot = shape.representative_point()
            rows.anchor[node] = (float(spot.x), float(spot.y), 0.0)

    def _middle(self, node: int) -> tuple[float, float]:
        box = self._rows.box[node]
        return ((box[0] + box[3]) / 2, (box[1] + box[4]) / 2) if np.isfinite(box[0]) else self._rows.anchor[node][:2]
