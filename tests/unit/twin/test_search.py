"""Search finds what a plain reading of all names finds, in the order it shows them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin import search
from twin.graph import SceneGraph
from twin.search import KINDS, SearchIndex

WORDS = ["pump", "泵房", "Room", "A3", "a", "é", "x\ny", ""]
NODES = st.lists(st.tuples(st.sampled_from([*KINDS, "group"]), *[st.sampled_from(WORDS)] * 4), max_size=30)


def graph_of(rows: list[tuple[str, ...]]) -> SceneGraph:
    columns = list(zip(("", "", "", "", ""), *rows, strict=True))
    return SceneGraph({**{key: np.array(values, object) for key, values in
                          zip(("kind", "name", "name_zh", "cls", "id"), columns, strict=True)},
                       "parent": np.zeros(len(rows) + 1, np.uint32)})


@given(NODES, st.lists(st.sampled_from(["pump", "PUMP", "泵", "room", "a", "a3", "é", "x", "y", "none"]), max_size=3),
       st.integers(1, 5))
def test_hits_are_those_of_a_plain_reading(rows: list[tuple[str, ...]], words: list[str], limit: int) -> None:
    found = SearchIndex(graph_of(rows)).find(" ".join(words), limit)
    rank = {kind: k for k, kind in enumerate(KINDS)}
    order = sorted(range(len(rows)), key=lambda i: (rank.get(rows[i][0], len(KINDS)), i))
    plain = [i + 1 for i in order if all(
        word.lower() in f"{rows[i][1]} {rows[i][2]} {rows[i][4]} {rows[i][3]}".lower() for word in words)]
    assert found == (plain[:limit] if words else [])


def test_names_are_taken_in_piece_by_piece(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(search, "_AT_ONCE", 3)
    rows = [("space", f"Room {k}", "", "", f"r{k}") for k in range(10)]
    assert SearchIndex(graph_of(rows)).find("room", 20) == list(range(1, 11))
    assert SearchIndex(graph_of(rows)).find("r7", 20) == [8]
    assert SearchIndex(graph_of([])).find("r7", 20) == []
