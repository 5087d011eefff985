"""A footprint of the map and a building with a model, or of another layer, recognised as one thing.

In this order: what park.toml declares (`footprint`), what stands on the same ground, what has the same name near by. The
building then takes the footprint's place; whatever speaks against it is told.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.model import Layer
from scenes.double import Standing
from twin.finding import Finding, Level

SAME_SHARE = 0.5  # a footprint this much under (or over) a standing building is that building
NAME_REACH_M = 30.0  # a footprint of a building's name is that building this far from its model, a conflict beyond
_NEAR_M = 15.0  # a model on no footprint, this near to one, may stand wrong
_SHORTEST_NAME = 2


def already_there(layer: Layer, standing: Sequence[Standing], findings: list[Finding],
                  ) -> tuple[NDArray[np.bool_], NDArray[np.uint32]]:
    """Which footprints (n,) of a layer nothing stands on yet, and the node of what stands on the others."""
    stay, node = np.ones(len(layer), dtype=np.bool_), np.zeros(len(layer), dtype=np.uint32)
    if not len(layer) or not standing:
        return stay, node
    found = _Recognised(layer, standing, findings)
    found.by_declaration()
    found.by_ground()
    found.by_name()
    found.tell()
    taken = np.array(sorted(found.taken), dtype=np.intp)
    stay[taken] = False
    node[taken] = [standing[found.taken[row][0]].node for row in taken.tolist()]
    return stay, node


def undeclared(standing: Iterable[Standing], layers: Iterable[Layer]) -> list[Finding]:
    """Footprints that buildings declare in layers the park does not have, or has not as buildings."""
    kinds = {layer.id: layer.kind for layer in layers}
    return [Finding("warning", f"building '{one.id}' names footprint '{declared}', and there is no layer of buildings "
                               f"'{declared.partition(':')[0]}'", f"park.toml:{one.line}" if one.line else one.id,
                    "write footprint = \"<layer>:<feature id>\" with the id of a [[layer]] of kind buildings")
            for one in standing for declared in one.declared if kinds.get(declared.partition(":")[0]) != "buildings"]


class _Recognised:
    """One layer being compared with what stands. `taken`: row → (which of the standing, by what it was known)."""

    def __init__(self, layer: Layer, standing: Sequence[Standing], findings: list[Finding]) -> None:
        self.layer, self.standing, self.findings = layer, standing, findings
        self.taken: dict[int, tuple[int, str]] = {}
        self.settled: set[int] = set()  # buildings that declare their footprints in this layer: nothing else is theirs

    def by_declaration(self) -> None:
        """What park.toml says is so, wherever it lies."""
        row_of = {f"{self.layer.id}:{feature}": row for row, feature in enumerate(self.layer.ids)}
        for k, one in enumerate(self.standing):
            for declared in one.declared:
                if declared.partition(":")[0] != self.layer.id:
                    continue
                self.settled.add(k)
                row = row_of.get(declared)
                if row is None:
                    self._say("warning", f"building '{one.id}' names footprint '{declared}', which is not in the layer",
                              f"park.toml:{one.line}", f"use an id of layer '{self.layer.id}'")
                elif row in self.taken:
                    self._say("error", f"buildings '{self.standing[self.taken[row][0]].id}' and '{one.id}' both declare "
                                       f"footprint '{declared}'; the first has it", f"park.toml:{one.line}",
                              "leave it with one of the two")
                else:
                    self.taken[row] = k, "declared"

    def by_ground(self) -> None:
        """A footprint is the building that shares most of its ground with it; models come before other footprints."""
        layer, shapes = self.layer, np.array([s.footprint for s in self.standing], dtype=object)
        row, k = shapely.STRtree(shapes).query(layer.geometry, predicate="intersects")
        own, other = shapely.area(layer.geometry[row]), shapely.area(shapes[k])
        shared = shapely.area(shapely.intersection(layer.geometry[row], shapes[k]))
        is_model = np.array([self.standing[c].is_model for c in k], dtype=np.bool_)
        measure = np.where(is_model, np.minimum(own, other), own)  # a podium is not the tower that stands on it
        is_same = (shared > SAME_SHARE * measure) & (measure > 0)
        for at in np.lexsort((k, -shared, ~is_model)):
            r, c = int(row[at]), int(k[at])
            if not is_same[at]:
                continue
            if c in self.settled:
                if r not in self.taken:
                    self._say("warning", f"footprint {layer.ids[r]} lies under building '{self.standing[c].id}' and is not "
                                         "the one it declares; both are drawn", f"{layer.id}:{layer.ids[r]}",
                              f"add it to footprint = […] of '{self.standing[c].id}' in park.toml if it is the same building")
            elif r not in self.taken:
                self.taken[r] = c, "ground"
            elif is_model[at] and self.taken[r][1] == "ground":
                first = self.standing[self.taken[r][0]].id
                self._say("warning", f"footprint {layer.ids[r]} lies under both buildings '{first}' and "
                                     f"'{self.standing[c].id}'; its attributes are kept with '{first}'",
                          f"{layer.id}:{layer.ids[r]}",
                          f"name it in park.toml where it belongs: footprint = \"{layer.id}:{layer.ids[r]}\"")

    def by_name(self) -> None:
        """A footprint of the same name near a model that stands on none is its; of the same name elsewhere: told."""
        has_one = {k for k, _ in self.taken.values()}
        for k, row in self._namesakes():
            one, where = self.standing[k], f"{self.layer.id}:{self.layer.ids[row]}"
            holder, how = self.taken.get(row, (k, ""))
            metres = float(self.layer.geometry[row].distance(one.footprint))
            if holder != k and self.standing[holder].is_model and how == "ground":
                self._say("warning", f"footprint {self.layer.ids[row]} has the name of building '{one.id}', but building "
                                     f"'{self.standing[holder].id}' stands on it", where,
                          f"correct their placement, or name it in park.toml: footprint = \"{where}\"")
            elif row not in self.taken and metres > NAME_REACH_M:
                self._say("warning", f"footprint {self.layer.ids[row]} has the name of building '{one.id}', but stands "
                                     f"{metres:.0f} m from its model; both are drawn", where,
                          f"correct the placement of '{one.id}', or name it in park.toml: footprint = \"{where}\"")
            elif row not in self.taken and k not in has_one:
                self.taken[row] = k, "name"

    def _namesakes(self) -> list[tuple[int, int]]:
        """(building, row) where one footprint alone has a name of a building with a model."""
        rows_of = defaultdict[str, set[int]](set)
        for row in range(len(self.layer)):
            for name in (self.layer.names[row], self.layer.names_zh[row]):
                rows_of[plain(str(name))].add(row)
        found = []
        for k, one in enumerate(self.standing):
            rows = set[int]().union(*(rows_of[name] for name in map(plain, one.names) if len(name) >= _SHORTEST_NAME))
            if one.is_model and k not in self.settled and len(rows) == 1:
                found.append((k, min(rows)))
        return found

    def tell(self) -> None:
        """What was merged away, and what does not go together."""
        others: Counter[str] = Counter()
        sample: dict[str, str] = {}
        rows_of = defaultdict[int, list[int]](list)
        for row, (k, how) in sorted(self.taken.items()):
            one = self.standing[k]
            if one.is_model:
                rows_of[k].append(row)
                self._say("note", f"footprint {self.layer.ids[row]} is building '{one.id}' ({_HOW[how]}), which has its own "
                                  "model; the footprint is not drawn, its attributes are kept with the building",
                          f"{self.layer.id}:{self.layer.ids[row]}")
            else:
                there = one.id.split(":")[0]
                others[there] += 1
                sample.setdefault(there, f"{self.layer.ids[row]} is {one.id}")
        for there, count in sorted(others.items()):
            self._say("note", f"buildings of layer '{self.layer.id}' are in layer '{there}' too ({sample[there]}); drawn "
                              "once, attributes of both kept", self.layer.id, count=count)
        for k, rows in rows_of.items():
            if len(rows) > 1 and k not in self.settled:
                ids = ", ".join(str(self.layer.ids[row]) for row in rows[:5])
                self._say("warning", f"{len(rows)} footprints of layer '{self.layer.id}' are building "
                                     f"'{self.standing[k].id}' ({ids}); none of them is drawn", self.layer.id,
                          f"if one is another building, name those that are not: footprint = [\"{self.layer.id}:"
                          f"{self.layer.ids[rows[0]]}\"] in park.toml", count=len(rows))
        self._tell_without(rows_of)

    def _tell_without(self, rows_of: dict[int, list[int]]) -> None:
        """Models on no footprint of a layer that has those of others, or has one close by."""
        free = np.array([row for row in range(len(self.layer)) if row not in self.taken], dtype=np.intp)
        tree = shapely.STRtree(self.layer.geometry[free])
        for k, one in enumerate(self.standing):
            if not one.is_model or k in rows_of or k in self.settled or one.footprint.is_empty:
                continue
            near = tree.query(one.footprint, predicate="dwithin", distance=_NEAR_M)
            if rows_of or len(near):
                beside = f"; footprint {self.layer.ids[free[near.min()]]} is close by" if len(near) else ""
                self._say("note", f"building '{one.id}' has no footprint in layer '{self.layer.id}'{beside}",
                          self.layer.id, f"check where '{one.id}' is placed; if the map is behind, nothing needs doing")

    def _say(self, level: Level, what: str, where: str, mend: str = "", count: int = 1) -> None:
        self.findings.append(Finding(level, what, where, mend, count))


_HOW = {"declared": "declared in park.toml", "ground": "the same ground", "name": "the same name"}


def plain(name: str) -> str:
    """A name to compare: width, case, blanks and punctuation aside."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum())
