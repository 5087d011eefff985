"""`parktwin bench scene`: large files made of small ones, children measured, rows that tell the truth about peers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import ifcopenshell
import ifcopenshell.util.placement
import pytest
import shapely

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from parktwin.bench.child import Cost, Failed, run
from parktwin.bench.city import footprints
from parktwin.bench.contenders import Contender, Made
from parktwin.bench.ifc_replica import GAP_M, replicate
from parktwin.bench.race import race, versus


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("building") / "g2.ifc"
    write_building(next(block for block in BLOCKS if block.id == "g2"), path)
    return path


def test_a_replica_holds_every_product_so_many_times_under_one_building(building: Path, tmp_path: Path) -> None:
    target = tmp_path / "large.ifc"
    copies = replicate(building, target, 3 * building.stat().st_size)
    one, many = ifcopenshell.open(building), ifcopenshell.open(target)
    assert copies >= 3
    assert target.stat().st_size >= 3 * building.stat().st_size
    assert len(many.by_type("IfcElement")) == copies * len(one.by_type("IfcElement"))
    for cls in ("IfcProject", "IfcSite", "IfcBuilding", "IfcBuildingStorey"):
        assert len(many.by_type(cls)) == len(one.by_type(cls)), cls
    guids = [root.GlobalId for root in many.by_type("IfcRoot")]
    assert len(set(guids)) == len(guids)


def test_the_first_copy_stands_a_gap_beside_the_original(building: Path, tmp_path: Path) -> None:
    target = tmp_path / "two.ifc"
    assert replicate(building, target, building.stat().st_size + 1) == 2
    file = ifcopenshell.open(target)
    placed = sorted((p for p in file.by_type("IfcElement") if p.ObjectPlacement), key=lambda p: p.id())
    half = len(placed) // 2
    x = [ifcopenshell.util.placement.get_local_placement(p.ObjectPlacement)[0, 3] for p in placed]
    assert [b - a for a, b in zip(x[:half], x[half:], strict=True)] == pytest.approx([GAP_M] * half)


def test_numbers_inside_texts_are_no_references(tmp_path: Path) -> None:
    source = tmp_path / "s.ifc"
    source.write_text("ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n#1=IFCPROJECT('0000000000000000000000',$,'P',$,$,$,$,$,$);\n"
                      "#2=IFCDOOR('0000000000000000000001',$,'it''s #1; (\\X2\\4E00\\X0\\',$,$,$,$,$,$,$);\nENDSEC;\n"
                      "END-ISO-10303-21;\n")
    target = tmp_path / "t.ifc"
    copies = replicate(source, target, 700)
    doors = re.findall(r"IFCDOOR\('(.{22})',\$,'(.*?)',\$,", target.read_text())
    assert len({guid for guid, _ in doors}) == len(doors) == copies > 1
    assert {name for _, name in doors} == {"it''s #1; (\\X2\\4E00\\X0\\"}


def test_a_child_is_charged_for_what_its_children_burn() -> None:
    burn = "x = 0\nfor k in range(6_000_000): x += k\n"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}], check=True)\nprint('done')"
    alone = run([sys.executable, "-c", "print('done')"])
    cost = run([sys.executable, "-c", code])
    assert cost.said.strip() == "done"
    assert cost.cpu_s > alone.cpu_s + 0.05
    assert cost.peak_mb > 1


def test_memory_that_a_process_shares_with_its_forks_counts_once() -> None:
    share = "held = b'x' * 120_000_000; import os, time; forks = [os.fork() for _ in range(2)]; {own}time.sleep(0.6)"
    shared, apart = (run([sys.executable, "-c", share.format(own=own)]).peak_mb for own in ("", "mine = bytearray(held); "))
    assert 120 < shared < 300, "four processes, one block"
    assert apart > 480, "each with a block of its own as well"


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(Failed, match="no such luck"):
        run([sys.executable, "-c", "raise SystemExit('no such luck')"])
    with pytest.raises(Failed):
        run(["/nowhere/at/all"])


def _costing(name: str, walls: list[float], calls: list[str]) -> Contender:
    turn = iter(walls)

    def make(files: object, folder: Path) -> Made:
        calls.append(name)
        return Made(Cost(wall_s=next(turn), cpu_s=1.0, peak_mb=10.0), sent_bytes=100)

    return Contender(name, make)


def test_contenders_take_turns_and_the_median_of_the_rounds_counts(tmp_path: Path) -> None:
    calls: list[str] = []
    contenders = [_costing("parktwin", [1, 2, 50, 60, 3, 4], calls), _costing("other", [4, 4, 4, 4, 4, 6], calls),
                  Contender("gone", lambda files, folder: pytest.fail("absent"), "gone is not installed (do this)")]
    results = race(contenders, [[tmp_path / "a"], [tmp_path / "b"]], tmp_path, 3)
    assert calls[:4] == ["parktwin", "other", "other", "parktwin"]
    beside, missing = versus(results, "build", "s", lambda m: m.cost.wall_s, targets={"other": 0.9, "gone": 1.0})
    assert (beside.ours, beside.peer) == (7, 8)
    assert beside.met is True
    assert missing.peer is None
    assert missing.met is None
    assert "do this" in missing.note


def test_a_peer_that_fails_has_a_row_that_says_so(tmp_path: Path) -> None:
    def fail(files: object, folder: Path) -> Made:
        raise Failed("out of memory")

    results = race([_costing("parktwin", [1], []), Contender("other", fail)], [[tmp_path / "a"]], tmp_path, 1)
    (row,) = versus(results, "build", "s", lambda m: m.cost.wall_s, targets={"other": 0.9})
    assert (row.ours, row.peer, row.met) == (1, None, None)
    assert "out of memory" in row.note


def test_the_city_is_the_same_every_time_and_as_large_as_asked() -> None:
    shapes, heights, uses = footprints(300)
    again, _, _ = footprints(300)
    assert len(shapes) == len(heights) == len(uses) == 300
    assert shapely.is_valid(shapes).all()
    assert shapely.equals_exact(shapes, again).all()
    tree = shapely.STRtree(shapes)
    assert len(tree.query(shapes, predicate="intersects").T) == 300, "no two touch"
