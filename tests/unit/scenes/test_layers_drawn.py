"""Every kind of layer is drawn on the ground it belongs to, and what its source said is kept with each feature."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from scenes.compile import compile_park
from scenes.read_glb import read_glb
from scenes.store import open_graph, properties_of
from twin.graph import SceneGraph
from twin.parkfile import load_park

sys.path.insert(0, str(Path(__file__).resolve().parent))
from every_kind_park import LAYERS, ground_z, write_park


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_park(load_park(write_park(tmp_path_factory.mktemp("every")))).folder


@pytest.fixture(scope="module")
def graph(build: Path) -> SceneGraph:
    return open_graph(build)


@pytest.fixture(scope="module")
def drawn(build: Path) -> dict[int, np.ndarray]:
    """Dense node → points (n, 3) drawn of it."""
    points: dict[int, list[np.ndarray]] = {}
    for path in (build / "tiles").rglob("*.glb"):
        if not path.name.endswith("_low.glb"):
            for part in read_glb(path).surfaces():
                for node in np.unique(part.node):
                    points.setdefault(int(node), []).append(part.position[part.node == node])
    return {node: np.concatenate(parts) for node, parts in points.items()}


@pytest.mark.parametrize("kind", LAYERS)
def test_every_feature_of_a_kind_is_drawn_where_it_is(kind: str, graph: SceneGraph, drawn: dict[int, np.ndarray]) -> None:
    for k, shape in enumerate(LAYERS[kind][0]):
        node = graph.index(f"{kind}:{kind[:2]}{k}")
        points = drawn[node]
        west, south, east, north = shape.bounds
        slack = 8.0  # widths, crowns, verandas
        assert (points[:, 0] > west - slack).all()
        assert (points[:, 0] < east + slack).all()
        assert (points[:, 1] > south - slack).all()
        assert (points[:, 1] < north + slack).all()


@pytest.mark.parametrize("kind", ["buildings", "trees", "lamps", "bollards", "gates", "furniture", "fence"])
def test_what_stands_up_stands_on_the_slope(kind: str, graph: SceneGraph, drawn: dict[int, np.ndarray]) -> None:
    for k, shape in enumerate(LAYERS[kind][0]):
        points = drawn[graph.index(f"{kind}:{kind[:2]}{k}")]
        foot = points[points[:, 2].argmin()]
        lowest = ground_z(shape.bounds[0]) if kind == "buildings" else ground_z(foot[0])  # a base under all of a slope
        assert foot[2] == pytest.approx(lowest, abs=0.35)


@pytest.mark.parametrize("kind", ["roads", "paths", "paving", "greens", "parking", "landuse", "parcels"])
def test_what_lies_on_the_ground_lies_on_the_slope(kind: str, graph: SceneGraph, drawn: dict[int, np.ndarray]) -> None:
    points = drawn[graph.index(f"{kind}:{kind[:2]}0")]
    assert np.abs(points[:, 2] - ground_z(points[:, 0])).max() < 0.13


def test_pipes_and_cables_lie_at_their_depth_under_the_slope(graph: SceneGraph, drawn: dict[int, np.ndarray]) -> None:
    def depth(node_id: str) -> float:
        points = drawn[graph.index(node_id)]
        return float((ground_z(points[:, 0]) - points[:, 2]).mean())

    assert depth("pipes:pi0") == pytest.approx(1.4, abs=0.06)
    assert depth("cables:ca0") == pytest.approx(0.8, abs=0.06)
    sewer = drawn[graph.index("pipes:pi1")]
    assert sewer[:, 2].mean() == pytest.approx(1.75, abs=0.06), "levels of its own win over a usual depth"
    assert graph.node(graph.index("cables:ca0")).anchor[2] == pytest.approx(ground_z(100) - 0.8, abs=0.1)


@pytest.mark.parametrize("kind", LAYERS)
def test_attributes_reach_the_property_tables(kind: str, build: Path, graph: SceneGraph) -> None:
    for k in range(len(LAYERS[kind][0])):
        rows = properties_of(build, graph.index(f"{kind}:{kind[:2]}{k}"))
        told = {name: value for pset, name, value, _ in rows if pset == kind}
        for name, values in LAYERS[kind][1].items():
            said = str(values[k]).removesuffix(".0")
            assert told.get(name, "") == ("" if said == "nan" else said)
