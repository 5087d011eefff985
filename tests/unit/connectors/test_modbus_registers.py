"""Registers: word orders, types, and how many requests a map takes."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.modbus import TYPES, blocks_of, register_of


@pytest.mark.parametrize(("order", "words"), [("ABCD", [0x41A4, 0x0000]), ("CDAB", [0x0000, 0x41A4]),
                                              ("BADC", [0xA441, 0x0000]), ("DCBA", [0x0000, 0xA441])])
def test_a_float_in_every_word_order(order: str, words: list[int]) -> None:
    at = register_of("holding:4", "float32", order, 1)
    assert at.value_of(words) == 20.5
    assert at.words_of(20.5) == words


@given(kind=st.sampled_from(sorted(TYPES)), order=st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"]),
       data=st.binary(min_size=8))
def test_registers_come_back_as_they_were(kind: str, order: str, data: bytes) -> None:
    at = register_of("holding:0", kind, order, 1)
    value = struct.unpack_from(TYPES[kind], data)[0]
    if not math.isnan(value) and abs(value) < 2**52:
        assert at.value_of(at.words_of(value)) == value


def test_a_bit_of_a_register() -> None:
    at = register_of("3/holding:7.4", "", "ABCD", 1)
    assert (at.unit, at.start, at.bit) == (3, 7, 4)
    assert at.value_of([0b10000]) is True
    assert at.value_of([0b01111]) is False
    assert register_of("holding:7.0", "", "ABCD", 1).value_of([1]) is True


@pytest.mark.parametrize(("address", "kind"), [("40001", ""), ("holding", ""), ("holding:-1", ""), ("holding:1", "float"),
                                               ("holding:65535", "float32"), ("holding:1.16", ""), ("coil:70000", "")])
def test_what_is_no_register_is_said(address: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r"address|type"):
        register_of(address, kind, "ABCD", 1)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        register_of("holding:1", "int16", "ABCD", 1).words_of(40000.0)


def test_a_thousand_neighbours_take_few_requests() -> None:
    rows = [(None, register_of(f"holding:{2 * n}", "float32", "ABCD", 1)) for n in range(500)]
    rows += [(None, register_of(f"holding:{5000 + 20 * n}", "uint16", "ABCD", 1)) for n in range(3)]
    rows += [(None, register_of("input:0", "uint16", "ABCD", 2))]
    blocks = blocks_of(rows)  # type: ignore[arg-type]
    assert max(block.end - block.start for block in blocks) <= 120
    assert len(blocks) == 9 + 3 + 1
    assert sum(len(block.rows) for block in blocks) == len(rows)
