"""Chance without state: the same seed, number and instant give the same draw, on any machine."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

_A, _B, _C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        x = x + _A
        x = (x ^ (x >> np.uint64(30))) * _B
        x = (x ^ (x >> np.uint64(27))) * _C
        return x ^ (x >> np.uint64(31))


def uniform(seed: int, number: NDArray | int, turn: NDArray | int) -> NDArray[np.float64]:
    """Draws in [0, 1) for (number, turn) pairs (broadcast)."""
    a = _mix(np.atleast_1d(np.asarray(number)).astype(np.uint64) ^ np.uint64(seed & 0xFFFFFFFF))
    b = _mix(a ^ np.atleast_1d(np.asarray(turn)).astype(np.int64).view(np.uint64))
    return (b >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, number: NDArray | int, turn: NDArray | int) -> NDArray[np.float64]:
    """Standard normal draws for (number, turn) pairs, within ±3.5."""
    u = np.maximum(uniform(seed, number, turn), 1e-9)
    v = uniform(seed + 7919, number, turn)
    return np.clip(np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v), -3.5, 3.5)


def seed_of(text: str) -> int:
    """A number of a text, the same everywhere."""
    return zlib.crc32(text.encode())
