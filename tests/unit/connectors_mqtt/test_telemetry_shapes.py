"""Telemetry of numbers takes a shorter way in than words do; both say the same."""

from __future__ import annotations

from unittest.mock import patch

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mqtt import own_topics
from connectors.mqtt.own_topics import MqttConnector
from twin.packs import load_packs
from twin.registry import Device, PointTable
from twin.wire import Quality

TABLE = PointTable([Device(id="e1", kind="env_sensor", name=""), Device(id="e2", kind="env_sensor", name=""),
                    Device(id="g1", kind="gate", name="")], load_packs().kinds)
KEYS = st.sampled_from(["temp", "humidity", "co2", "state", "ghost"])
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-1000, 1000)
WORD = NUMBER | st.booleans() | st.none() | st.sampled_from(["open", "closed", "ajar"])
VALUES = st.dictionaries(KEYS, WORD, max_size=4)
MESSAGES = st.lists(st.dictionaries(st.sampled_from(["e1", "e2", "g1", "e9"]), VALUES), max_size=8)


def plain(messages: list[dict[str, dict[str, object]]]) -> list[tuple[int, float, int, float]]:
    """Value by value."""
    found = []
    for second, message in enumerate(messages):
        for device, values in message.items():
            for key, value in values.items():
                slot = TABLE.slot(device, key)
                if slot is not None:
                    number = float("nan") if value is None else TABLE.spec[slot].number_of(value)  # type: ignore[arg-type]
                    found.append((slot, number, int(Quality.GOOD if np.isfinite(number) else Quality.BAD), float(second)))
    return found


@pytest.mark.parametrize("many", [1, own_topics.MANY])
@given(messages=MESSAGES)
def test_numbers_and_words_come_in_alike(many: int, messages: list[dict[str, dict[str, object]]]) -> None:
    with patch.object(own_topics, "MANY", many):
        _check(messages)


def _check(messages: list[dict[str, dict[str, object]]]) -> None:
    connector = MqttConnector("mqtt://127.0.0.1", "park", TABLE)
    for second, message in enumerate(messages):
        connector.on_message("parktwin/park/telemetry", msgspec.json.encode({"ts": second * 1000, "d": message}))
    said = [(device, key) for message in messages for device, values in message.items() for key in values]
    assert connector.refused["unknown point"] == sum(TABLE.slot(device, key) is None for device, key in said)
    readings = connector._heard.taken()
    rows = list(zip(readings.slot.tolist(), readings.value.tolist(), readings.quality.tolist(), readings.source_time.tolist(),
                    strict=True))
    np.testing.assert_array_equal(np.array(rows, np.float64), np.array(plain(messages), np.float64))
    assert len(connector._heard) == 0


@given(st.lists(st.tuples(st.permutations(["e1", "e2"]), st.permutations(["temp", "co2", "humidity"]), st.integers(1, 2)),
                min_size=2, max_size=6))
def test_a_message_that_is_divided_otherwise_is_not_taken_for_the_last(told: list[tuple[list[str], list[str], int]]) -> None:
    numbers = {key: float(n) for n, key in enumerate(["temp", "co2", "humidity"])}
    with patch.object(own_topics, "MANY", 1):
        _check([{devices[0]: {key: numbers[key] for key in keys[:cut]}, devices[1]: {key: numbers[key] for key in keys[cut:]}}
                for devices, keys, cut in told])
