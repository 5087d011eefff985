"""The sample park's buildings: valid IFC, the same every time, with rooms that doors and stairs connect."""

from __future__ import annotations

import gc
from itertools import pairwise
from pathlib import Path

import ifcopenshell
import ifcopenshell.util.element
import ifcopenshell.validate
import pytest

from assets.demo.blocks import BLOCK_OF, BLOCKS
from assets.demo.building import write_building
from assets.demo.plan import inner
from assets.demo.programs import storeys_of


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bim")
    out = {}
    for key in BLOCK_OF:
        out[key] = folder / f"{key}.ifc"
        write_building(BLOCK_OF[key], out[key])
    return out


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("key", sorted(BLOCK_OF))
def test_building_is_valid_ifc4(written: dict[str, Path], key: str) -> None:
    log = ifcopenshell.validate.json_logger()
    ifcopenshell.validate.validate(ifcopenshell.open(written[key]), log, express_rules=key == "g2")
    gc.collect()  # the rule checker leaves its own file open: let that be told here
    assert log.statements == []


def test_two_generations_are_the_same_bytes(written: dict[str, Path], tmp_path: Path) -> None:
    again = tmp_path / "b3.ifc"
    write_building(BLOCK_OF["b3"], again)
    assert again.read_bytes() == written["b3"].read_bytes()


def test_third_floor_of_a3_has_what_a_storey_has(written: dict[str, Path]) -> None:
    model = ifcopenshell.open(written["a3"])
    storey = next(s for s in model.by_type("IfcBuildingStorey") if s.Name == "3F")
    inside = ifcopenshell.util.element.get_decomposition(storey)
    count = {
        cls: sum(e.is_a(cls) for e in inside)
        for cls in ("IfcSpace", "IfcDoor", "IfcWindow", "IfcStairFlight", "IfcFurniture", "IfcSensor")
    }
    assert count["IfcSpace"] >= 14
    assert count["IfcDoor"] >= 14
    assert count["IfcWindow"] >= 50
    assert count["IfcStairFlight"] == 4
    assert count["IfcFurniture"] >= 40
    assert count["IfcSensor"] >= 10
    room = next(s for s in model.by_type("IfcSpace") if s.LongName == "数据机房")
    psets = ifcopenshell.util.element.get_psets(room)
    assert psets["Qto_SpaceBaseQuantities"]["NetFloorArea"] > 30
    assert psets["Pset_SpaceCommon"]["Reference"] == "server"


def test_every_global_id_is_used_once(written: dict[str, Path]) -> None:
    ids = [e.GlobalId for e in ifcopenshell.open(written["a3"]).by_type("IfcRoot")]
    assert len(ids) == len(set(ids))


def test_park_has_many_buildings_of_many_kinds() -> None:
    assert len(BLOCKS) >= 12
    assert len({b.program for b in BLOCKS}) >= 10
    assert max(b.storeys for b in BLOCKS) == 20


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.id)
def test_rooms_of_a_storey_never_overlap(block) -> None:  # type: ignore[no-untyped-def]
    for storey in storeys_of(block):
        rects = [inner(c.rect, 0.01) for c in storey.cells]
        for i, (ax0, ay0, ax1, ay1) in enumerate(rects):
            assert ax0 < ax1, (storey.name, storey.cells[i])
            assert ay0 < ay1, (storey.name, storey.cells[i])
            for bx0, by0, bx1, by1 in rects[i + 1 :]:
                assert not (ax0 < bx1 and bx0 < ax1 and ay0 < by1 and by0 < ay1), (block.id, storey.name)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.id)
def test_gaps_stay_inside_their_walls_and_apart(block) -> None:  # type: ignore[no-untyped-def]
    for storey in storeys_of(block):
        for wall in storey.walls:
            end = 0.0
            for gap in sorted(wall.gaps, key=lambda g: g.at):
                assert gap.at >= end, (block.id, storey.name, gap)
                end = gap.at + gap.width
                assert gap.sill + gap.height <= wall.height + 1e-6
            assert end <= wall.length + 1e-6


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.id)
def test_stairs_and_lifts_stand_over_each_other(block) -> None:  # type: ignore[no-untyped-def]
    storeys = storeys_of(block)
    for lower, upper in pairwise(storeys):
        above = {s.rect[:2] for s in upper.stairs}
        below = {s.rect[:2] for s in lower.stairs}
        if lower.outline == upper.outline:
            assert above == below, (block.id, upper.name)
        assert above, (block.id, upper.name)
        assert {c.rect[0] for c in upper.lifts} == {c.rect[0] for c in lower.lifts}
