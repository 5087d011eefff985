"""Real models read against IfcOpenShell's own, slower words."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import ifcopenshell.util.unit
import numpy as np
import pytest

from models_bim.georeference import place
from models_bim.model import BimModel
from models_bim.read import read_building
from scenes.merge import BuildingSource, merge
from scenes.walk import build_walk
from twin.park import BuildingSpec, ParkSpec, Placement

SHARED = Path(os.environ.get("PARKTWIN_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
IFC = SHARED / "data" / "ifc"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not IFC.is_dir(), reason=f"no real models at {IFC} (set PARKTWIN_SHARED)"),
]
NAMES = (
    "building-architecture",
    "building-hvac",
    "building-landscaping",
    "building-structural",
    "duplex-architecture",
    "duplex-electrical",
    "schependomlaan-windows",
    "schependomlaan-steel",
)
SAMPLE = 25


@pytest.fixture(scope="module")
def models() -> dict[str, BimModel]:
    return {name: read_building([IFC / f"{name}.ifc"]) for name in NAMES}


@pytest.fixture(scope="module")
def files() -> dict[str, ifcopenshell.file]:
    return {name: ifcopenshell.open(IFC / f"{name}.ifc") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_element_and_space_is_there_class_by_class(
    name: str,
    models: dict[str, BimModel],
    files: dict[str, ifcopenshell.file],
) -> None:
    entities = models[name].entities
    ours = Counter(entities.cls[np.isin(entities.kind, ("element", "space"))].tolist())
    theirs = Counter(
        e.is_a() for cls in ("IfcElement", "IfcSpace") for e in files[name].by_type(cls) if not e.is_a("IfcFeatureElement")
    )
    assert ours == theirs


@pytest.mark.parametrize("name", NAMES)
def test_storeys_stand_where_the_file_says(
    name: str,
    models: dict[str, BimModel],
    files: dict[str, ifcopenshell.file],
) -> None:
    scale = ifcopenshell.util.unit.calculate_unit_scale(files[name])
    stated = sorted(s.Elevation * scale for s in files[name].by_type("IfcBuildingStorey") if s.Elevation is not None)
    ours = [s.elevation for s in models[name].storeys if not s.assumed]
    if stated:
        assert ours == pytest.approx(stated, abs=1e-3)
    assert all(a.elevation <= b.elevation for a, b in zip(models[name].storeys, models[name].storeys[1:], strict=False))


@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_within_a_centimetre_of_opencascade(
    name: str,
    models: dict[str, BimModel],
    files: dict[str, ifcopenshell.file],
) -> None:
    model, file = models[name], files[name]
    drawn = np.flatnonzero(np.isfinite(model.boxes[:, 0]) & (model.entities.kind == "element"))
    rows = drawn[np.linspace(0, len(drawn) - 1, min(SAMPLE, len(drawn))).astype(int)]
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    for row in rows:
        shape = ifcopenshell.geom.create_shape(settings, file.by_id(int(model.entities.step[row])))
        points = np.frombuffer(shape.geometry.verts_buffer).reshape(-1, 3)
        theirs = np.concatenate([points.min(axis=0), points.max(axis=0)])
        assert model.boxes[row] == pytest.approx(theirs, abs=0.01), model.entities.name[row]


def test_four_disciplines_are_one_storey_and_one_place() -> None:
    paths = [IFC / f"building-{d}.ifc" for d in ("architecture", "hvac", "landscaping", "structural")]
    model = read_building(paths)
    assert [s.name for s in model.storeys if s.name != "unassigned"] == ["00 groundfloor"]
    park = ParkSpec(root=IFC, id="p", name="P", name_zh=None, crs="EPSG:32760", origin=(729_000.0, 9_063_900.0, 0.0))
    placed = place(model, park, "b", None)
    assert placed.park_from_ifc[:3, 3] == pytest.approx([13.3488, 92.6847, 1.3], abs=1e-3)
    assert np.degrees(np.arctan2(placed.park_from_ifc[1, 0], placed.park_from_ifc[0, 0])) == pytest.approx(60.0)


def test_georeference_in_a_property_set_of_ifc2x3_is_used() -> None:
    model = read_building([IFC / "duplex-georeferenced.ifc"])
    park = ParkSpec(root=IFC, id="p", name="P", name_zh=None, crs="EPSG:2169", origin=(76_600.0, 77_100.0, 0.0))
    placed = place(model, park, "b", None)
    assert placed.park_from_ifc[:2, 3] == pytest.approx([70.0, 79.0], abs=0.5)


def test_duplex_with_its_wiring_becomes_one_park_that_can_be_walked() -> None:
    model = read_building([IFC / "duplex-architecture.ifc", IFC / "duplex-electrical.ifc"])
    spec = ParkSpec(
        root=IFC,
        id="p",
        name="P",
        name_zh=None,
        crs="EPSG:32616",
        origin=(447_000.0, 4_636_000.0, 0.0),
        buildings=(BuildingSpec(id="a1", ifc=(), placement=Placement(at=(0.0, 0.0, 0.0))),),
    )
    source = BuildingSource(model=model, park_from_ifc=np.eye(4))
    merged = merge(spec, {"a1": source})
    kinds = Counter(merged.graph.columns["kind"].tolist())
    assert (kinds["storey"], kinds["space"], kinds["element"]) == (4, 22, 321)
    graph, findings = build_walk(merged, {"a1": source})
    shut = {merged.graph.columns["name"][s.node] for s in merged.spaces} - {
        merged.graph.columns["name"][n]
        for n in graph.node[np.isfinite(graph.distances(np.flatnonzero(graph.kind == "entrance")))]
        if n
    }
    assert shut == {"R301 Roof"}  # nothing leads to the roof
    assert [f.level for f in findings] == ["warning"]
