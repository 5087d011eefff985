"""Things of a park by what they are called: all words, in any order, somewhere in name, Chinese name, id or class.

A million names are one piece of text, not a million strings, which a search scans for its rarest word.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.graph import SceneGraph

#: In the order hits are shown; kinds that are not named come last.
KINDS = ("building", "storey", "space", "device", "zone", "park", "feature", "element")
_AT_ONCE = 65_536


class SearchIndex:
    """The names of a graph's nodes."""

    def __init__(self, graph: SceneGraph) -> None:
        kinds = graph.columns["kind"][1:].astype(str)
        rank = np.full(len(kinds), len(KINDS))
        for k, kind in enumerate(KINDS):
            rank[kinds == kind] = k
        self._node = (np.argsort(rank, kind="stable") + 1).astype(np.uint32)
        text, ends = bytearray(), np.zeros(len(self._node), np.int64)
        for start in range(0, len(self._node), _AT_ONCE):
            for row, line in enumerate(_lines(graph, self._node[start:start + _AT_ONCE]), start):
                text += line
                ends[row] = len(text)
        self._text, self._ends = bytes(text), ends

    def find(self, query: str, limit: int) -> list[int]:
        """Node indices of the first hits, places before devices before elements; none where the query has no word."""
        words = [word.encode() for word in query.lower().split()]
        rarest = min(sorted(words, key=len)[-3:], key=self._text.count) if len(words) > 1 else (words or [b""])[0]
        found: list[int] = []
        at = 0
        while words and len(found) < limit:
            at = self._text.find(rarest, at)
            if at < 0:
                break
            row = int(np.searchsorted(self._ends, at, side="right"))
            end = int(self._ends[row])
            line = self._text[int(self._ends[row - 1]) if row else 0:end]
            if all(word in line for word in words):
                found.append(int(self._node[row]))
            at = end
        return found


def _lines(graph: SceneGraph, nodes: np.ndarray) -> Iterator[bytes]:
    """What each node is searched by, lower case, a line each."""
    name, zh, own, cls = (graph.columns[key][nodes] for key in ("name", "name_zh", "id", "cls"))
    for k in range(len(nodes)):
        yield f"{name[k]} {zh[k] or ''} {own[k]} {cls[k]}".lower().replace("\n", " ").encode(errors="replace") + b"\n"
