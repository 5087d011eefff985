"""Messages that are worded like one before, with other numbers: only their numbers are read.

A gateway says the same devices and points again and again. Once a message has been decoded and understood, its *wording*
(every byte that is not part of a number) is kept; the next message with the same wording gives its numbers in one compiled
walk, without an object for each name and value. One that differs in a single byte elsewhere is decoded as ever.

Numbers are read exactly: short ones as digits / 10^n, one division of two numbers that a double holds exactly, so correctly
rounded (Clinger 1990, How to read floating-point numbers accurately); long ones and those with exponents by `float`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

#: Wordings of one source together; who says more different things than that is decoded as ever.
MAX_BYTES = 32_000_000
_FIRST_DEVICE = re.compile(rb'[^{"]*\{[^{]*\{\s*"((?:[^"\\]|\\.)*)"')
_TIME_FIRST = re.compile(rb'\s*\{\s*"ts"\s*:\s*')
_TIME_LAST = re.compile(rb'\s*\}\s*\}\s*,\s*"ts"\s*:\s*')
#: Of so many numbers one may be long; a message with more of them is decoded as ever.
LONG_IN = 8
_TENS = 10.0 ** np.arange(16)
_EXAMPLE = b'{"ts":1,"d":{"a":{"b":2.5}}}'
_QUOTE, _MINUS, _POINT, _ZERO, _BACKSLASH, _E = (np.uint8(ord(letter)) for letter in '"-.0\\e')
_ONE = np.uint64(1)  # what indexes unsigned is not looked at for indices below zero


@numba.njit(cache=True)
def _after_digits(text, at):  # type: ignore[no-untyped-def]
    """Where the digits that begin at `at` end."""
    while at < np.uint64(len(text)) and np.uint8(text[at] - _ZERO) <= 9:
        at += _ONE
    return at


@numba.njit(cache=True)
def _after_number(text, at):  # type: ignore[no-untyped-def]
    """Where the JSON number (RFC 8259) that begins at `at` ends; `at` where none does."""
    begin, size = at, np.uint64(len(text))
    if at < size and text[at] == _MINUS:
        at += _ONE
    first, at = at, _after_digits(text, at)
    if at == first or (at > first + _ONE and text[first] == _ZERO):
        return begin
    if at < size and text[at] == _POINT:
        point, at = at, _after_digits(text, at + _ONE)
        if at == point + _ONE:
            return begin
    if at < size and text[at] | np.uint8(32) == _E:
        at += _ONE
        if at < size and (text[at] == _MINUS or text[at] == np.uint8(43)):  # +
            at += _ONE
        power, at = at, _after_digits(text, at)
        if at == power:
            return begin
    return at


@numba.njit(cache=True)
def _numbers_in(text, found):  # type: ignore[no-untyped-def]
    """Begin and end of every number outside strings, into rows of `found`; how many, -1 where it is no JSON or too many."""
    at, count, size = np.uint64(0), 0, np.uint64(len(text))
    while at < size:
        letter = text[at]
        if letter == _QUOTE:
            at += _ONE
            while at < size and text[at] != _QUOTE:
                at += np.uint64(2) if text[at] == _BACKSLASH else _ONE
            at += _ONE
        elif letter == _MINUS or np.uint8(letter - _ZERO) <= 9:
            after = _after_number(text, at)
            if after == at or count == len(found):
                return -1
            found[count, 0], found[count, 1] = at, after
            at = after
            count += 1
        else:
            at += _ONE
    return count


@numba.njit(cache=True)
def _read(text, words, ends, values, long):  # type: ignore[no-untyped-def]
    """The numbers between `words`, into `values`; how many are left to do (index, begin, end in rows of `long`).

    -1 where the text is worded otherwise, or is not worth it.
    """
    at, word, left, size, count = np.uint64(0), np.uint64(0), 0, np.uint64(len(text)), len(values)
    for k in range(count + 1):
        more = np.uint64(ends[k]) - word
        if size - at < more:
            return -1
        differs = np.uint8(0)
        for i in range(more):
            differs |= text[at + i] ^ words[word + i]
        if differs:
            return -1
        at += more
        word += more
        if k == count:
            break
        begin = at
        is_negative = at < size and text[at] == _MINUS
        if is_negative:
            at += _ONE
        first, digits = at, np.int64(0)
        while at < size and np.uint8(text[at] - _ZERO) <= 9:
            digits = digits * 10 + np.int64(text[at] - _ZERO)
            at += _ONE
        whole, decimals = at - first, np.uint64(0)
        if at < size and text[at] == _POINT:
            at += _ONE
            point = at
            while at < size and np.uint8(text[at] - _ZERO) <= 9:
                digits = digits * 10 + np.int64(text[at] - _ZERO)
                at += _ONE
            decimals = at - point
        is_short = whole and (whole == _ONE or text[first] != _ZERO) and at - first <= np.uint64(15)
        if is_short and (decimals or text[at - _ONE] != _POINT) and not (at < size and text[at] | np.uint8(32) == _E):
            values[k] = -(digits / _TENS[decimals]) if is_negative else digits / _TENS[decimals]
            continue
        at = _after_number(text, begin)
        if at == begin or left == len(long):
            return -1
        long[left, 0], long[left, 1], long[left, 2] = k, begin, at
        left += 1
    return left if at == size else -1


@dataclass(frozen=True, slots=True, eq=False)
class _Wording:
    """The bytes between the numbers, joined, and where each part ends; whose numbers they are; room for the long ones."""

    words: NDArray[np.uint8]
    ends: NDArray[np.int64]
    long: NDArray[np.int64]
    slots: NDArray[np.uint32]
    is_time_first: bool


class Wordings:
    """The wordings of one source, by the first device they name."""

    def __init__(self) -> None:
        self._by_first: dict[bytes, _Wording] = {}
        self._bytes = 0
        self.learn(_EXAMPLE, np.zeros(1, np.uint32))  # so that it is compiled before the first message
        self.read(_EXAMPLE)
        self._by_first.clear()

    def read(self, payload: bytes) -> tuple[NDArray[np.uint32], NDArray[np.float64], float] | None:
        """(slots, values, `ts` as the message has it) of a message worded like one that was learned; None for another."""
        first = _FIRST_DEVICE.match(payload)
        wording = self._by_first.get(first[1]) if first else None
        if wording is None:
            return None
        values = np.empty(len(wording.ends) - 1)
        left = _read(np.frombuffer(payload, np.uint8), wording.words, wording.ends, values, wording.long)
        if left < 0:
            return None
        for k, begin, end in wording.long[:left].tolist():
            values[k] = float(payload[begin:end])
            if not math.isfinite(values[k]):
                return None  # 1e999: the decoder says what is wrong
        if wording.is_time_first:
            return wording.slots, values[1:], float(values[0])
        return wording.slots, values[:-1], float(values[-1])

    def learn(self, payload: bytes, slots: NDArray[np.uint32]) -> None:
        """Keep the wording of a message of numbers alone, {"ts", "d"}, whose values belong to `slots` in their order.

        One that says more than those, or a name twice, has another count of numbers and is not kept.
        """
        first = _FIRST_DEVICE.match(payload)
        text, spans = np.frombuffer(payload, np.uint8), np.empty((len(slots) + 1, 2), np.int64)
        if first is None or _numbers_in(text, spans) != len(spans):
            return
        is_time_first = _TIME_FIRST.fullmatch(payload, 0, spans[0, 0]) is not None
        if not is_time_first and _TIME_LAST.fullmatch(payload, spans[-2, 1], spans[-1, 0]) is None:
            return
        begins, ends = np.append(0, spans[:, 1]), np.append(spans[:, 0], len(text))
        is_word = np.ones(len(text), bool)
        for begin, end in spans.tolist():
            is_word[begin:end] = False
        self._forget(first[1])
        if self._bytes + len(text) > MAX_BYTES:
            return
        long = np.empty((1 + len(spans) // LONG_IN, 3), np.int64)
        wording = _Wording(text[is_word], np.cumsum(ends - begins), long, slots, is_time_first)
        self._by_first[first[1]] = wording
        self._bytes += len(wording.words)

    def _forget(self, first: bytes) -> None:
        old = self._by_first.pop(first, None)
        self._bytes -= len(old.words) if old else 0
