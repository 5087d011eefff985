"""A value from the field becomes a number with a quality, or nothing that looks like one."""

from __future__ import annotations

import math

import pytest

from connectors.mqtt import number_of
from twin.packs import load_packs
from twin.registry import Device, PointTable
from twin.wire import Quality


@pytest.fixture(scope="module")
def points() -> PointTable:
    devices = [Device(id="g", kind="gate", name="g"), Device(id="e", kind="env_sensor", name="e")]
    return PointTable(devices, load_packs().kinds)


def test_a_state_travels_by_its_name(points: PointTable) -> None:
    spec = points.spec[points.slot_of("g.state")]
    assert number_of(spec, "open") == (spec.states.index("open"), Quality.GOOD)


@pytest.mark.parametrize(("point", "value"), [("g.state", "ajar"), ("g.state", None), ("e.temp", "warm"), ("e.temp", None)])
def test_what_a_point_cannot_be_is_bad(points: PointTable, point: str, value: str | None) -> None:
    number, quality = number_of(points.spec[points.slot_of(point)], value)
    assert math.isnan(number)
    assert quality == Quality.BAD
