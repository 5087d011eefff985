"""A message worded like one before gives the numbers the decoder gives; any other is left to the decoder."""

from __future__ import annotations

import struct

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.mqtt import own_topics
from connectors.mqtt.own_topics import MqttConnector
from connectors.mqtt.wording import LONG_IN, Wordings
from twin.packs import load_packs
from twin.registry import Device, PointTable

SLOTS = np.arange(40, dtype=np.uint32)
TABLE = PointTable([Device(id=f"e{n}", kind="env_sensor", name="") for n in range(10)], load_packs().kinds)
DIGITS = st.text("0123456789", min_size=1, max_size=18)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.3f}"),
    st.integers(-10**17, 10**17).map(str),
    st.tuples(st.sampled_from(["", "-"]), st.integers(0, 10**6).map(str), DIGITS).map(lambda t: f"{t[0]}{t[1]}.{t[2]}"),
    st.sampled_from(["-0", "0", "0.0", "-0.0", "1e3", "1E-3", "-2.5e+2", "9007199254740993", "0.1", "999999999999999"]),
)


def message(numbers: list[str], at: str = "1700000000000", *, is_time_first: bool = True, gap: str = "") -> bytes:
    """Four points of every device, spaced as told."""
    devices = ",".join(f'"e{k // 4}":{gap}{{' + ",".join(f'"p{j}"{gap}:{gap}{numbers[j]}' for j in range(k, k + 4)) + "}"
                       for k in range(0, len(numbers), 4))
    parts = [f'"ts":{gap}{at}', f'"d":{gap}{{{devices}}}']
    return ("{" + f"{gap},{gap}".join(parts if is_time_first else reversed(parts)) + "}").encode()


def decoded(payload: bytes) -> tuple[list[float], float]:
    """As the decoder reads it."""
    told = msgspec.json.decode(payload, type=own_topics._Numbers)
    return [value for device in told.d.values() for value in device.values()], told.ts


def bits(values: list[float]) -> bytes:
    """So that -0.0 is not 0.0."""
    return struct.pack(f"{len(values)}d", *values)


@given(few=st.lists(NUMBERS, min_size=4, max_size=4), at=st.sampled_from(["1700000000000", "1700000000000.1235", "17e11"]),
       is_time_first=st.booleans(), gap=st.sampled_from(["", " ", "\n\t"]))
@example(few=["1" * 18, "0.30000000000000004", "5e-324", "1.7976931348623157e308"], at="1", is_time_first=True, gap="")
def test_numbers_are_read_to_the_bit(few: list[str], at: str, is_time_first: bool, gap: str) -> None:
    wordings, rest = Wordings(), ["20.5"] * 36
    wordings.learn(message(["7"] * 40, is_time_first=is_time_first, gap=gap), SLOTS)
    payload = message(few + rest, at, is_time_first=is_time_first, gap=gap)
    read = wordings.read(payload)
    assert read is not None
    values, time = decoded(payload)
    assert read[0].tolist() == SLOTS.tolist()
    assert read[1].tolist() == values
    assert bits(read[1].tolist()) == bits([float(number) for number in few + rest])
    assert read[2] == time


@pytest.mark.parametrize("word", ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x1", "1_0", "NaN", "null", "true",
                                  '"1"', "1 2", "--1", "1.2.3", "1e999", "[1]"])
def test_what_is_no_number_is_left_to_the_decoder(word: str) -> None:
    wordings = Wordings()
    wordings.learn(message(["7"] * 40), SLOTS)
    for place in (0, 17, 39):
        assert wordings.read(message([*["1"] * place, word, *["1"] * (39 - place)])) is None


@pytest.mark.parametrize("said", [
    b'{"ts":1,"d":{"e0":{"p0":1,"p0":2,"p1":3}}}',
    b'{"ts":1,"seq":9,"d":{"e0":{"p0":1,"p1":3}}}',
    b'{"d":{"e0":{"p0":1,"p1":3}},"seq":{"a":{"ts":5}}}',
    b'{"d":{"e0":{"p0":1,"p1":3}},"at":{},"ts":5}',
    b'{"x":{"e0":{"p0":1}},"ts":4,"d":{"e0":{"p1":3}}}',
])
def test_what_says_more_than_its_values_is_not_learned(said: bytes) -> None:
    wordings = Wordings()
    wordings.learn(said, SLOTS[:2])
    assert wordings.read(said) is None


def test_any_other_byte_is_another_wording() -> None:
    wordings, said = Wordings(), message(["7"] * 40)
    wordings.learn(said, SLOTS)
    assert wordings.read(said) is not None
    for place, letter in enumerate(said):
        other = said[:place] + bytes([letter ^ 0x20 or 1]) + said[place + 1:]
        read = wordings.read(other)
        assert read is None or chr(letter).isdigit(), (place, other)
        assert wordings.read(said[:place]) is None, "cut short"
    assert wordings.read(said + b" ") is None


def test_names_with_digits_quotes_and_braces_are_words() -> None:
    said = rb'{"ts":1,"d":{"e{\"1\\":{"p\u00e91":1,"4":-2.5},"}":{"]7,8":3}}}'
    wordings = Wordings()
    wordings.learn(said, SLOTS[:3])
    read = wordings.read(said.replace(b"-2.5", b"0.125"))
    assert read is not None
    assert (read[1].tolist(), read[2]) == ([1.0, 0.125, 3.0], 1.0)


def test_a_message_of_long_numbers_is_decoded() -> None:
    wordings = Wordings()
    wordings.learn(message(["7"] * 40), SLOTS)
    most = 41 // LONG_IN + 1
    assert wordings.read(message(["0.12345678901234567"] * most + ["1"] * (40 - most))) is not None
    assert wordings.read(message(["0.12345678901234567"] * (most + 1) + ["1"] * (39 - most))) is None


def test_a_connector_hears_the_same_whether_it_knows_the_wording() -> None:
    known, keys = MqttConnector("mqtt://127.0.0.1", "park", TABLE), ("temp", "humidity", "co2")
    for turn in range(4):
        told = {f"e{n}": {key: turn + n / 8 + k for k, key in enumerate(keys)} for n in range(10)}
        if turn == 3:
            told["e7"] = {"temp": 1.0, "ghost": 2.0, "co2": 3.0}
        payload = msgspec.json.encode({"ts": 1000.0 * turn, "d": told})
        fresh = MqttConnector("mqtt://127.0.0.1", "park", TABLE)
        for connector in (known, fresh):
            connector.on_message("parktwin/park/telemetry", payload)
        assert (known._wordings.read(payload) is not None) == (turn in (1, 2)), "learned when it came again, not otherwise"
        mine, others = known._heard.taken(), fresh._heard.taken()
        for column in ("slot", "value", "quality", "source_time"):
            np.testing.assert_array_equal(getattr(mine, column), getattr(others, column))
        assert len(mine.slot) == (30 if turn < 3 else 29)
