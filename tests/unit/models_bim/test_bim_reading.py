"""What a building is after reading, whatever its file does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ifc_maker import Maker, two_rooms
from made_model import read_made, row_of, storey_of

from models_bim.model import UNASSIGNED
from models_bim.read import glance_file, read_building, read_file
from twin.errors import SourceError


@pytest.mark.parametrize("unit", ["m", "mm", "ft", "inch"])
def test_units_of_the_file_never_reach_the_model(tmp_path: Path, unit: str) -> None:
    maker = Maker(unit=unit)
    storey = maker.storey("L2", 3.5)
    maker.box("IfcWall", (1, 2, 3.5), (4, 0.2, 2.8), storey, Name="W")
    model = read_made(maker, folder=tmp_path)
    assert model.boxes[row_of(model, "W")] == pytest.approx([1, 2, 3.5, 5, 2.2, 6.3], abs=1e-6)
    assert model.storeys[0].elevation == pytest.approx(3.5)


def test_same_shape_is_one_mesh_placed_often_and_recentred(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    for k in range(5):
        maker.box("IfcColumn", (500_000 + 3 * k, 4_000_000, 0), (0.4, 0.4, 3), storey, Name=f"C{k}")
    model = read_made(maker, folder=tmp_path)
    assert (len(model.meshes), len(model.instances)) == (1, 5)
    assert np.abs(model.meshes[0].vertices).max() == pytest.approx(1.5)
    assert model.boxes[row_of(model, "C4")] == pytest.approx([500_012, 4e6, 0, 500_012.4, 4e6 + 0.4, 3], abs=1e-6)


def test_repeated_guid_is_told_apart_and_a_null_one_known_by_its_line(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    first = maker.box("IfcColumn", (0, 0, 0), (1, 1, 1), storey, Name="A")
    maker.box("IfcColumn", (3, 0, 0), (1, 1, 1), storey, guid=first.GlobalId, Name="B")
    nameless = maker.box("IfcColumn", (6, 0, 0), (1, 1, 1), storey, guid=None, Name="C")
    model = read_made(maker, folder=tmp_path)
    keys = [model.entities.key[row_of(model, name)] for name in "ABC"]
    assert keys == [first.GlobalId, f"{first.GlobalId}~2", f"d0.ifc#{nameless.id()}"]
    assert len(set(model.entities.key)) == len(model.entities)
    assert {f.what[:8] for f in model.findings if f.level == "warning"} == {"GlobalId", "things h"}


def test_stray_element_goes_to_the_storey_it_begins_in(tmp_path: Path) -> None:
    maker = Maker()
    maker.storey("L1", 0.0)
    maker.storey("L2", 3.0)
    maker.box("IfcColumn", (0, 0, 2.9), (0.3, 0.3, 3), Name="Stray")  # begins a slab's depth below its storey
    model = read_made(maker, folder=tmp_path)
    assert storey_of(model, "Stray") == "L2"
    assert any(f.level == "note" and "in no storey" in f.what for f in model.findings)


def test_door_without_container_follows_the_wall_it_fills(tmp_path: Path) -> None:
    maker = Maker()
    maker.storey("L1", 0.0)
    upper = maker.storey("L2", 3.0)
    wall = maker.box("IfcWall", (0, 0, 3), (5, 0.2, 3), upper, Name="W")
    door = maker.box("IfcDoor", (1, 0, 0.0), (1, 0.2, 2), Name="D")  # its own height would say L1
    maker.opening(wall, (1, 0, 3), (1, 0.2, 2), door)
    assert storey_of(read_made(maker, folder=tmp_path), "D") == "L2"


def test_parts_follow_their_assembly_which_needs_no_shape(tmp_path: Path) -> None:
    maker = Maker()
    maker.storey("L1", 0.0)
    upper = maker.storey("L2", 3.0)
    whole = maker.root("IfcElementAssembly", Name="Truss")
    maker.contain(upper, [whole])
    maker.aggregate(whole, [maker.box("IfcBeam", (0, 0, 1), (5, 0.2, 0.2), Name="Chord")])
    model = read_made(maker, folder=tmp_path)
    assert storey_of(model, "Chord") == "L2"
    assert model.entities.parent[row_of(model, "Chord")] == row_of(model, "Truss")
    assert not [f for f in model.findings if f.level != "note"]


def test_without_storeys_everything_is_unassigned_and_said(tmp_path: Path) -> None:
    maker = Maker()
    maker.box("IfcWall", (0, 0, 0), (5, 0.2, 3), maker.building, Name="W")
    model = read_made(maker, folder=tmp_path)
    assert [s.name for s in model.storeys] == [UNASSIGNED]
    assert storey_of(model, "W") == UNASSIGNED
    assert any(f.level == "warning" and UNASSIGNED in f.what for f in model.findings)


def test_storey_without_elevation_stands_where_its_placement_is(tmp_path: Path) -> None:
    maker = Maker()
    maker.box("IfcWall", (0, 0, 4), (5, 0.2, 3), maker.storey("L2", None, z=4.0), Name="W")
    assert read_made(maker, folder=tmp_path).storeys[0].elevation == pytest.approx(4.0)


def test_storey_placed_at_zero_stands_at_its_elevation(tmp_path: Path) -> None:
    maker = Maker()
    for name, z in (("L1", 0.0), ("L2", 3.0)):
        maker.box("IfcWall", (0, 0, z), (5, 0.2, 3), maker.storey(name, z, z=0.0), Name=f"W{name}")
    assert [s.elevation for s in read_made(maker, folder=tmp_path).storeys] == [0.0, 3.0]


def test_storeys_that_say_nothing_are_taken_from_what_stands_on_them(tmp_path: Path) -> None:
    maker = Maker()
    for name, z in (("L1", 0.0), ("L2", 3.0), ("L3", 6.0)):
        maker.box("IfcWall", (0, 0, z), (5, 0.2, 3), maker.storey(name, None, z=0.0), Name=f"W{name}")
    model = read_made(maker, folder=tmp_path)
    assert [(s.name, s.elevation, s.assumed) for s in model.storeys] == [
        ("L1", 0.0, True),
        ("L2", 3.0, True),
        ("L3", 6.0, True),
    ]
    assert any("no usable elevation" in f.what for f in model.findings)


def test_wall_that_its_opening_consumes_keeps_its_node(tmp_path: Path) -> None:
    maker = Maker()
    wall = maker.box("IfcWall", (0, 0, 0), (2, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    maker.opening(wall, (0, -0.1, 0), (2, 0.4, 3))
    model = read_made(maker, folder=tmp_path)
    assert np.isnan(model.boxes[row_of(model, "W")]).all()
    assert any("openings left nothing" in f.what for f in model.findings)
    assert "IfcOpeningElement" not in model.entities.cls


def test_room_is_an_outline_between_two_heights_and_not_a_solid(tmp_path: Path) -> None:
    maker = Maker(unit="mm")
    made = two_rooms(maker)
    model = read_made(maker, folder=tmp_path)
    office = next(s for s in model.spaces if model.entities.key[s.entity] == made["office"].GlobalId)
    assert office.polygon.bounds == pytest.approx((6.1, 0.2, 9.8, 5.8), abs=1e-3)
    assert (office.z0, office.z1) == pytest.approx((0.0, 2.8), abs=1e-6)
    assert "space" not in set(model.entities.kind[model.instances.entity])


def test_room_without_a_body_is_kept_and_reported(tmp_path: Path) -> None:
    maker = Maker()
    maker.aggregate(maker.storey("L1", 0.0), [maker.root("IfcSpace", Name="101")])
    model = read_made(maker, folder=tmp_path)
    assert model.entities.kind[row_of(model, "101")] == "space"
    assert model.spaces == ()
    assert any("no floor outline (101)" in f.what for f in model.findings)


def test_type_relation_without_a_type_is_harmless(tmp_path: Path) -> None:
    maker = Maker(schema="IFC2X3")
    wall = maker.box("IfcWall", (0, 0, 0), (2, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    maker.root("IfcRelDefinesByType", RelatedObjects=[wall], RelatingType=None)
    model = read_made(maker, folder=tmp_path)
    assert model.entities.type_name[row_of(model, "W")] == ""


def test_properties_carry_the_unit_they_are_written_in(tmp_path: Path) -> None:
    maker = Maker(unit="mm")
    wall = maker.box("IfcWall", (0, 0, 0), (2, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    maker.properties(
        wall,
        "Pset_WallCommon",
        {"IsExternal": maker.new("IfcBoolean", True), "Thickness": maker.new("IfcPositiveLengthMeasure", 200.0)},
    )
    properties = read_made(maker, folder=tmp_path).properties
    rows = set(zip(properties.pset, properties.name, properties.value, properties.unit, strict=True))
    assert ("Pset_WallCommon", "IsExternal", "True", "") in rows
    assert ("Pset_WallCommon", "Thickness", "200", "mm") in rows


def test_disciplines_share_storeys_by_name_or_by_height(tmp_path: Path) -> None:
    one, other = Maker(), Maker(unit="ft")
    for name, z in (("L1", 0.0), ("L2", 3.0)):
        one.box("IfcWall", (0, 0, z), (5, 0.2, 3), one.storey(name, z), Name=f"W{name}")
    for name, z in (("l1", 0.05), ("Second", 3.1)):
        other.box("IfcPipeSegment", (0, 0, z), (5, 0.1, 0.1), other.storey(name, z), Name=f"P{name}")
    model = read_made(one, other, folder=tmp_path)
    assert [s.name for s in model.storeys] == ["L1", "L2"]
    assert (storey_of(model, "Pl1"), storey_of(model, "PSecond")) == ("L1", "L2")
    assert [s.height for s in model.storeys] == [3.0, pytest.approx(3.0)]


def test_same_name_far_apart_is_not_one_storey(tmp_path: Path) -> None:
    one, other = Maker(), Maker()
    one.box("IfcWall", (0, 0, 0), (5, 0.2, 3), one.storey("Level", 0.0), Name="A")
    other.box("IfcWall", (0, 0, 9), (5, 0.2, 3), other.storey("Level", 9.0), Name="B")
    model = read_made(one, other, folder=tmp_path)
    assert [s.elevation for s in model.storeys] == [0.0, 9.0]
    assert any("different heights" in f.what for f in model.findings)


def test_same_files_give_the_same_model(tmp_path: Path) -> None:
    maker = Maker()
    two_rooms(maker)
    one, other = read_made(maker, folder=tmp_path), read_made(maker, folder=tmp_path)
    assert one.entities.key.tolist() == other.entities.key.tolist()
    assert np.array_equal(one.instances.ifc_from_local, other.instances.ifc_from_local)
    assert all(np.array_equal(a.vertices, b.vertices) for a, b in zip(one.meshes, other.meshes, strict=True))


def test_broken_file_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    maker = Maker()
    two_rooms(maker)
    good, bad = maker.write(tmp_path / "good.ifc"), tmp_path / "bad.ifc"
    bad.write_text("not a model")
    steps: list[tuple[str, str]] = []
    model = read_building([bad, good], progress=lambda file, step, done, total: steps.append((file, step)))
    assert model.files == ("good.ifc",)
    assert (model.findings[0].level, model.findings[0].where) == ("error", "bad.ifc")
    assert ("good.ifc", "properties") in steps


def test_nothing_readable_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.ifc"):
        read_building([tmp_path / "gone.ifc"])


def test_file_that_needs_too_much_memory_ends_its_own_process_only(tmp_path: Path) -> None:
    maker = Maker()
    two_rooms(maker)
    with pytest.raises(SourceError, match=r"a\.ifc"):
        read_file(maker.write(tmp_path / "a.ifc"), progress=lambda *_: None, memory_bytes=200_000_000, timeout_secs=60)


def test_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = Maker().write(tmp_path / "slow.ifc")
    with pytest.raises(SourceError, match="was not read within"):
        read_file(path, progress=lambda *_: None, memory_bytes=0, timeout_secs=0.01)


def test_what_a_kernel_prints_never_reaches_the_channel(tmp_path: Path) -> None:
    path = Maker().write(tmp_path / "a.ifc")
    code = (
        "import os, models_bim.worker as w; read = w.read_discipline\n"
        "def noisy(*a, **k):\n    os.write(1, b'noise from a kernel\\n')\n    return read(*a, **k)\n"
        "w.read_discipline = noisy; raise SystemExit(w.main())"
    )
    request = {"verb": "read", "path": str(path), "library": "opencascade", "memory_bytes": 0,
               "result": str(tmp_path / "out"), "is_lazy": True, "careful_secs": 0.0}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        check=True,
    )
    assert all("step" in json.loads(line) for line in done.stdout.splitlines())
    assert "noise from a kernel" in done.stderr


def test_a_glance_tells_what_a_check_wants_to_know_and_stays_within_its_limits(tmp_path: Path) -> None:
    maker = Maker()
    wall = maker.box("IfcWall", (0, 0, 0), (4, 0.2, 3), maker.storey("L1", 0.0), Name="W")
    path = maker.write(tmp_path / "a.ifc")
    seen = glance_file(path)
    assert wall.GlobalId in seen.guids
    assert not seen.findings
    for limits in ({"memory_bytes": 200_000_000}, {"timeout_secs": 0.01}):
        with pytest.raises(SourceError, match=r"a\.ifc"):
            glance_file(path, **limits)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(SourceError, match="is not an IFC file"):
        glance_file(path)
