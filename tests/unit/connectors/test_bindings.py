"""A points file: what a row means, and what is said of one that means nothing."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from connectors.bindings import Binding, read_bindings
from twin.packs import load_packs
from twin.registry import Device, PointTable
from twin.wire import Quality


@pytest.fixture(scope="module")
def points() -> PointTable:
    return PointTable([Device(id="AHU-1", kind="ahu", name="1"), Device(id="AHU-2", kind="ahu", name="2")],
                      load_packs().kinds)


def one(points: PointTable, folder: Path, row: str) -> Binding:
    path = folder / "p.csv"
    path.write_text(f"device,point,address,scale,offset,states,write\n{row}\n", "utf-8")
    read = read_bindings(path, points)
    assert not read.findings
    (binding,) = read.rows
    return binding


@pytest.mark.parametrize(("raw", "value"), [(215, 21.5), ("215", 21.5), (True, 0.1 * 1 + 0.0)])
def test_a_raw_value_is_scaled(points: PointTable, tmp_path: Path, raw: object, value: float) -> None:
    number, quality = one(points, tmp_path, "AHU-1,supply_temp,a,0.1,,,").reading_of(raw)
    assert number == pytest.approx(value)
    assert quality == Quality.GOOD


@pytest.mark.parametrize("raw", [None, "warm", math.inf, math.nan, [1], {"a": 1}, "1e999", 10**400])
def test_what_the_point_cannot_be_is_bad(points: PointTable, tmp_path: Path, raw: object) -> None:
    number, quality = one(points, tmp_path, "AHU-1,supply_temp,a,,,,").reading_of(raw)
    assert math.isnan(number)
    assert quality == Quality.BAD


@pytest.mark.parametrize(("raw", "state"), [(0, "off"), (1.0, "run"), ("7", "fault"), (7, "fault"), (True, "run")])
def test_raw_states_are_named(points: PointTable, tmp_path: Path, raw: object, state: str) -> None:
    binding = one(points, tmp_path, "AHU-1,status,a,,,0=off 1=run 7=fault,")
    assert binding.reading_of(raw) == (binding.spec.states.index(state), Quality.GOOD)
    assert binding.raw_of("fault") == 7


@pytest.mark.parametrize("raw", [3, "auto", -1])
def test_a_state_nobody_named_is_bad(points: PointTable, tmp_path: Path, raw: object) -> None:
    assert one(points, tmp_path, "AHU-1,status,a,,,0=off 1=run,").reading_of(raw)[1] == Quality.BAD
    assert one(points, tmp_path, "AHU-1,status,a,,,,").reading_of(raw)[1] == Quality.BAD


def test_what_is_written_is_what_is_read(points: PointTable, tmp_path: Path) -> None:
    binding = one(points, tmp_path, "AHU-1,supply_setpoint,a,0.1,-40,,=")
    assert binding.write == "a"
    assert binding.reading_of(binding.raw_of(18.5))[0] == pytest.approx(18.5)


def test_a_star_stands_for_every_device_that_has_the_point(points: PointTable, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("device,point,address,write\n*,supply_temp,site/{device}/t,site/{device}/set\n", "utf-8")
    read = read_bindings(path, points)
    assert [(row.device, row.address, row.write) for row in read.rows] == [
        ("AHU-1", "site/AHU-1/t", "site/AHU-1/set"), ("AHU-2", "site/AHU-2/t", "site/AHU-2/set")]


@pytest.mark.parametrize(("row", "said"), [
    ("AHU-9,supply_temp,a,,,,", "no point 'supply_temp' of a device 'AHU-9'"),
    ("AHU-1,warmth,a,,,,", "no point 'warmth'"),
    ("AHU-1,supply_temp,a,zero,,,", "scale 'zero' is not a number"),
    ("AHU-1,supply_temp,a,0,,,", "scale is 0"),
    ("AHU-1,status,a,,,0=off 1=running,", "do not name states of 'status'"),
    ("*,supply_temp,a,,,,", "{device}"),
    ("AHU-2,supply_temp,b,,,,", "already bound on line 2")])
def test_a_row_that_means_nothing_is_said_with_its_line_and_the_rest_counts(points: PointTable, tmp_path: Path, row: str,
                                                                           said: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"device,point,address,scale,offset,states,write\nAHU-2,supply_temp,b,,,,\n{row}\n", "utf-8")
    read = read_bindings(path, points)
    assert len(read.rows) == 1
    (finding,) = read.findings
    assert finding.where == "p.csv:3"
    assert said in finding.what


@pytest.mark.parametrize("text", [b"\xff\xfe", b"", b"device;point;address\n"])
def test_a_file_that_is_no_points_file_is_said(points: PointTable, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "p.csv").write_bytes(text)
    read = read_bindings(tmp_path / "p.csv", points)
    assert not read.rows
    assert read.findings


def test_addresses_not_yet_bound_are_no_fault(points: PointTable, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("device,point,address\n,,holding:1\n", "utf-8")
    assert read_bindings(tmp_path / "p.csv", points).findings == ()
