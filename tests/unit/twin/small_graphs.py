"""Small random parks for the questions of the graph: nodes, devices bound to elements, edges of supply, systems, ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import strategies as st

from twin.graph import SceneGraph
from twin.park_graph import ParkGraph
from twin.seeing import Seeing
from twin.sight import Area, Eye
from twin.supply import PLACES, Supply, System
from twin.walk import WalkGraph

BELOW = {"park": ("zone", "building", "device", "feature"), "zone": ("building", "device"), "building": ("storey", "device"),
         "storey": ("space", "element", "device"), "space": ("element", "device")}
ROOMS = 6.0


def scene(kinds: list[str], parents: list[int], boxes: list[tuple[float, ...]], elements: dict[int, int] | None = None,
          cls: dict[int, str] | None = None) -> SceneGraph:
    """A graph of nodes 1…n; `boxes` are (x, y, z, w, d, h)."""
    n = len(kinds)
    low = np.array([b[:3] for b in boxes], float).reshape(-1, 3)
    size = np.array([b[3:] for b in boxes], float).reshape(-1, 3)
    bbox = np.vstack([np.full((1, 6), np.nan), np.hstack([low, low + size])])
    text = {name: np.array([""] * (n + 1), object) for name in ("name", "name_zh", "guid", "source", "tile")}
    element = np.zeros(n + 1, np.uint32)
    for device, of in (elements or {}).items():
        element[device] = of
    classes = np.array(["", *[(cls or {}).get(k, kind) for k, kind in enumerate(kinds, 1)]], object)
    nan = np.full(n + 1, np.nan)
    return SceneGraph({**text, "id": np.array(["", *[f"n{k}" for k in range(1, n + 1)]], object), "cls": classes,
                       "kind": np.array(["none", *kinds], object), "parent": np.array([0, *parents], np.uint32),
                       "element": element, "anchor": (bbox[:, :3] + bbox[:, 3:]) / 2, "bbox": bbox,
                       "elevation": nan, "height": nan, "area": nan})


@dataclass(frozen=True)
class Park:
    """A random park and what it was made from."""

    graph: SceneGraph
    edges: list[tuple[int, int]]
    systems: list[System]
    walk: WalkGraph

    @property
    def asked(self) -> ParkGraph:
        areas = [Area(node=int(i), storey=int(self.graph.parent[i]), polygon=_floor(self.graph, int(i)), z=0.0)
                 for i in self.graph.of_kind("space")]
        areas.append(Area(node=1, storey=0, polygon=shapely.box(-100, -100, 200, 200), z=0.0))
        return ParkGraph(self.graph, Supply(self.graph, self.edges, self.systems),
                         Seeing(self.graph, lambda: areas, lambda known: cameras(self.graph, known), lambda node_id: None),
                         self.walk)

    def is_kind(self, i: int, *kinds: str) -> bool:
        return self.graph.columns["kind"][i] in kinds

    def above(self, i: int) -> list[int]:
        return self.graph.path(i)[:-1]


def _floor(graph: SceneGraph, i: int) -> shapely.Polygon:
    x, y, _, x2, y2, _ = graph.columns["bbox"][i]
    return shapely.box(x, y, x2, y2)


def cameras(graph: SceneGraph, known: set[int]) -> dict[int, Eye]:
    """Every device in a room of an even index looks around in it."""
    return {int(i): Eye(area=int(graph.parent[i]), at=tuple(graph.columns["anchor"][i][:2]), range_m=4.0, fov_deg=360.0)
            for i in graph.of_kind("device") if int(graph.parent[i]) in known - {1} and i % 2 == 0}


@st.composite
def parks(draw: st.DrawFn) -> Park:
    """Up to 24 nodes under one park, with everything between them that may be."""
    kinds, parents = ["park"], [0]
    for _ in range(draw(st.integers(3, 23))):
        parent = draw(st.integers(1, len(kinds)).filter(lambda k: kinds[k - 1] in BELOW))
        kinds.append(draw(st.sampled_from(BELOW[kinds[parent - 1]])))
        parents.append(parent)
    n = len(kinds)
    number = st.integers(0, 20).map(float)
    boxes = [draw(st.tuples(number, number, st.just(0.0), st.just(ROOMS), st.just(ROOMS), st.just(3.0))) for _ in range(n)]
    elements = [k for k in range(1, n + 1) if kinds[k - 1] == "element"]
    bound = {k: draw(st.sampled_from([0, *elements])) for k in range(1, n + 1) if kinds[k - 1] == "device"}
    ends = st.integers(1, n)
    edges = draw(st.lists(st.tuples(ends.filter(lambda k: kinds[k - 1] in ("device", "element")), ends), max_size=14)
                 if any(k in ("device", "element") for k in kinds) else st.just([]))
    places = [k for k in range(1, n + 1) if kinds[k - 1] in PLACES]
    things = [k for k in range(1, n + 1) if kinds[k - 1] in ("device", "element")]
    systems = [System(id=f"s{k}", kind="system", name=f"s{k}",
                      members=tuple(draw(st.lists(st.sampled_from(things), max_size=4)) if things else ()),
                      serves=tuple(draw(st.lists(st.sampled_from(places), max_size=2))))
               for k in range(draw(st.integers(0, 3)))]
    return Park(scene(kinds, parents, boxes, bound), edges, systems, draw(walks(n)))


@st.composite
def walks(draw: st.DrawFn, nodes: int) -> WalkGraph:
    """Up to ten points, each in a node or outdoors, with some ways between them."""
    m = draw(st.integers(1, 10))
    xyz = np.array([draw(st.tuples(st.integers(0, 20), st.integers(0, 20), st.just(0))) for _ in range(m)], float)
    pair = st.tuples(st.integers(0, m - 1), st.integers(0, m - 1)).filter(lambda p: p[0] != p[1])
    edge = draw(st.lists(pair, max_size=16)) if m > 1 else []
    kinds = [draw(st.sampled_from(["walk", "door", "stair", "ramp", "lift"])) for _ in edge]
    pairs = np.array(edge, np.int32).reshape(-1, 2)
    return WalkGraph(xyz, np.array([draw(st.integers(0, nodes)) for _ in range(m)], np.uint32),
                     np.array([draw(st.sampled_from(["space", "road", "entrance"])) for _ in range(m)], object), pairs,
                     np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1), np.array(kinds, object))
