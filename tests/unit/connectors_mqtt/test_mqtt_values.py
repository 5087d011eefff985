"""A value from the field becomes a number with a quality, or nothing that looks like one."""

from __future__ import annotations

import math

import pytest

from twin.packs import load_packs
from twin.registry import Device, PointTable


@pytest.fixture(scope="module")
def points() -> PointTable:
    devices = [Device(id="g", kind="gate", name="g"), Device(id="e", kind="env_sensor", name="e")]
    return PointTable(devices, load_packs().kinds)


def test_a_state_travels_by_its_name(points: PointTable) -> None:
    slot = points.slot_of("g.state")
    assert slot is not None
    assert points.number(slot, "open") == points.spec[slot].states.index("open")


@pytest.mark.parametrize(("point", "value"), [("g.state", "ajar"), ("g.state", None), ("e.temp", "warm"), ("e.temp", None),
                                              ("e.temp", [1.0]), ("e.temp", 10**400), ("g.state", ["open"])])
def test_what_a_point_cannot_be_is_no_number(points: PointTable, point: str, value: object) -> None:
    slot = points.slot_of(point)
    assert slot is not None
    assert math.isnan(points.number(slot, value))
