"""What somebody may see of people who may not follow them: no names, and places by storey and ten metres.

Whoever may `track` (operators and up) sees everything as it is. For all others every way out goes through here: frames,
messages, answers of REST, replay, reports.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from ioc.access.person import Person
from twin.access import decide
from twin.graph import SceneGraph
from twin.live.views import ROLES_ZH
from twin.ports import TrackInfo
from twin.wire import DispatchView

GRID_M = 10.0
#: Fields that are no text for people: never touched.
PLAIN = frozenset({"t", "tag", "id", "key", "state", "kind", "role", "device", "what", "cls", "unit", "point"})
T = TypeVar("T")


def sees_people(person: Person | None) -> bool:
    """Whether a person may see who is where."""
    return person is not None and not person.is_screen and decide(person.role, "track").allowed


class Discretion:
    """Takes names and exact places out. Safe from any thread.

    Args:
        graph: for the storey of a node.
        tracks: who must not be named.
    """

    def __init__(self, graph: SceneGraph, tracks: Iterable[TrackInfo]) -> None:
        kind = graph.columns["kind"]
        self._storey = np.array([graph.ancestor(i, "storey") if kind[i] in ("space", "element", "device") else i
                                 for i in range(graph.size)], np.uint32)
        self._words: dict[str, str] = {}
        for track in tracks:
            role = track.role or track.kind
            for name, word in ((track.name, role), (track.name_zh, ROLES_ZH.get(role, role))):
                if name.strip() and name not in (track.role, track.kind):
                    self._words[name] = word
        self._pattern = _any_of(self._words)

    def text(self, text: str) -> str:
        """The same words with roles in the place of names."""
        return text if self._pattern is None else self._pattern.sub(lambda found: self._words[found.group()], text)

    def of(self, thing: T) -> T:
        """A message, an answer or a report's facts, every text in it as `text` has it; dispatches without who and whence."""
        return self._of(thing)  # type: ignore[no-any-return]

    def json(self, body: bytes) -> bytes:
        """A JSON document likewise."""
        return json.dumps(self._of(json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()

    def places(self, xyz: NDArray[Any], node: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
        """Places (n, 3) as the middles of ten-metre squares, and storeys in the place of rooms."""
        out = np.array(xyz, np.float64).reshape(-1, 3)
        out[:, :2] = np.floor(out[:, :2] / GRID_M) * GRID_M + GRID_M / 2
        out[:, 2] = np.floor(out[:, 2])
        return out, self._storey[np.asarray(node, np.int64)]

    # ---- inside -------------------------------------------------------------------------------------------------
    def _of(self, thing: Any, field: str = "") -> Any:
        if isinstance(thing, str):
            return thing if field in PLAIN else self.text(thing)
        if isinstance(thing, DispatchView):
            thing = msgspec.structs.replace(thing, person="", track=-1, name=thing.role, route=[],
                                            name_zh=ROLES_ZH.get(thing.role, thing.role))
        if isinstance(thing, dict):
            if "route" in thing and "person" in thing:
                thing = {**thing, "person": "", "track": -1, "route": [], "name": thing.get("role", ""),
                         "name_zh": ROLES_ZH.get(thing.get("role", ""), thing.get("role", ""))}
            return {key: self._of(value, str(key)) for key, value in thing.items()}
        if isinstance(thing, list | tuple) and type(thing) in (list, tuple):
            return type(thing)(self._of(value, field) for value in thing)
        if isinstance(thing, msgspec.Struct):
            return msgspec.structs.replace(thing, **{name: self._of(getattr(thing, name), name)
                                                     for name in thing.__struct_fields__})
        if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            return dataclasses.replace(thing, **{f.name: self._of(getattr(thing, f.name), f.name)
                                                 for f in dataclasses.fields(thing) if f.init})
        return thing


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for any of many words as whole words, the longest first, branching on the first letter."""
    by_letter: defaultdict[str, list[str]] = defaultdict(list)
    for word in sorted(words, key=len, reverse=True):
        end = "(?![A-Za-z])" if word[-1].isascii() else ""  # Chinese has no spaces between words
        by_letter[word[0]].append(re.escape(word[1:]) + end)
    branches = [("(?<![A-Za-z])" if letter.isascii() else "") + f"{re.escape(letter)}(?:{'|'.join(rest)})"
                for letter, rest in by_letter.items()]
    return re.compile("|".join(branches)) if branches else None
