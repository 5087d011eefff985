"""The registry reads what it can and names the rest."""

from pathlib import Path

import pytest

from twin.packs import PackSet, load_packs
from twin.registry import Device, PointTable, read_registry


@pytest.fixture(scope="module")
def packs() -> PackSet:
    return load_packs()


def test_every_fault_is_named_with_its_line_and_the_good_rows_stay(tmp_path: Path, packs: PackSet) -> None:
    path = tmp_path / "devices.csv"
    path.write_text("id,kind,name,name_zh,building,storey,space,guid,x,y,z,feeds\n"
                    "ahu-1,ahu,Air,空调,a1,1F,,,,,,\n"
                    "ahu-1,ahu,,,,,,,,,,\n"
                    "x/y,ahu,,,,,,,,,,\n"
                    "z,toaster,,,,,,,,,,\n"
                    "cam-1,camera,,,,,,,1,east,,\n"
                    "cam-2,camera,,,,,,,1,2,,cam-2\n", encoding="utf-8")
    registry = read_registry(path, packs)
    assert [device.id for device in registry.devices] == ["ahu-1", "cam-2"]
    assert sorted(fault.line for fault in registry.faults) == [3, 4, 5, 6, 7]
    assert all(fault.mend for fault in registry.faults)
    assert registry.devices[1].at == (1.0, 2.0, 0.0)
    assert registry.devices[1].name == "cam-2"


def test_unknown_column_is_a_fault_not_a_silence(tmp_path: Path, packs: PackSet) -> None:
    path = tmp_path / "devices.csv"
    path.write_text("id,kind,flor\nahu-1,ahu,1\n", encoding="utf-8")
    registry = read_registry(path, packs)
    assert [fault.what for fault in registry.faults] == ["column 'flor' is unknown"]
    assert len(registry.devices) == 1


def test_slots_run_device_by_device_in_point_order(packs: PackSet) -> None:
    table = PointTable([Device(id="m1", kind="meter", name="m"), Device(id="g1", kind="gate", name="g")], packs.kinds)
    points = [f"m1.{p.key}" for p in packs.kinds["meter"].points] + [f"g1.{p.key}" for p in packs.kinds["gate"].points]
    assert table.ids == points
    assert table.slot_of("g1.state") == len(packs.kinds["meter"].points) == table.slots_of(1).start
    assert table.slot("g1", "nothing") is None
    assert table.slots_of_key("power").tolist() == [0]
    assert table.period.dtype == "float64"
    assert int(table.device[-1]) == 1
