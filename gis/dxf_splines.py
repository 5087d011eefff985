"""Splines of a DXF drawing that are given by the points they go through, which GDAL refuses the whole drawing for."""

from __future__ import annotations

import io
import itertools
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Group = tuple[bytes, bytes]
STEPS = 12  # pieces between two points
#: Groups every entity may have: layer, line type, colour, paper space, handle.
_COMMON = (b"5", b"6", b"8", b"62", b"67")


def rewrite(source: Path, out: Path) -> int:
    """Write a drawing again to `out` with such splines drawn as lines; how many there were (0: nothing was written).

    Read twice, streamed: drawings may be large, and few have such splines.
    """
    with source.open("rb") as file:
        if not _has(file, b"SPLINE") or not any(_is_by_points(entity) for entity in _entities(file)):
            return 0
    count = 0
    with source.open("rb") as file, out.open("wb") as to:
        for entity in _entities(file):
            drawn = _is_by_points(entity)
            count += drawn
            for code, value in _line(entity) if drawn else entity:
                to.write(code + b"\n" + value + b"\n")
    return count


def _has(file: BinaryIO, word: bytes) -> bool:
    """Whether a file holds a word; it is at its beginning after."""
    if not file.seek(0, io.SEEK_END):
        return False
    file.seek(0)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return held.find(word) >= 0


def _entities(file: BinaryIO) -> Iterator[list[Group]]:
    """Groups from one with code 0 to the next; what is no spline comes group by group."""
    spline: list[Group] | None = None
    for first, second in zip(file, file, strict=False):
        code, value = first.strip(), second.rstrip(b"\r\n")
        if code == b"0":
            if spline is not None:
                yield spline
            spline = [] if value.strip() == b"SPLINE" else None
        if spline is None:
            yield [(code, value)]
        else:
            spline.append((code, value))
    if spline is not None:
        yield spline


def _is_by_points(entity: list[Group]) -> bool:
    codes = [code for code, _ in entity]
    return len(codes) > 1 and b"10" not in codes and codes.count(b"11") > 1


def _line(entity: list[Group]) -> Iterator[Group]:
    """A 3D polyline with the spline's own groups."""
    common = [(code, value) for code, value in entity if code in _COMMON]
    layer = [(code, value) for code, value in entity if code == b"8"][:1]
    yield (b"0", b"POLYLINE")
    yield from common
    yield from ((b"66", b"1"), (b"10", b"0"), (b"20", b"0"), (b"30", b"0"), (b"70", b"8"))
    for x, y, z in through(_points(entity)).tolist():
        yield (b"0", b"VERTEX")
        yield from layer
        yield from ((b"10", b"%.9g" % x), (b"20", b"%.9g" % y), (b"30", b"%.9g" % z), (b"70", b"32"))
    yield (b"0", b"SEQEND")
    yield from layer


def _points(entity: list[Group]) -> NDArray[np.float64]:
    columns = [[float(value) for code, value in entity if code == axis] for axis in (b"11", b"21", b"31")]
    count = min(len(columns[0]), len(columns[1]))
    z = columns[2] if len(columns[2]) == len(columns[0]) else [0.0] * count
    return np.column_stack([columns[0][:count], columns[1][:count], z[:count]])


def through(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (m, 3) of a smooth line through points (n, 3): a natural cubic spline over the chords' length."""
    apart = np.append(True, np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-9)
    points = points[apart]
    if len(points) < 3:
        return points
    from scipy.interpolate import CubicSpline  # slow to load, and few drawings have such splines

    at = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    is_closed = bool(np.allclose(points[0], points[-1]))
    if is_closed:
        points[-1] = points[0]
    fine = np.unique(np.concatenate([np.linspace(a, b, STEPS + 1) for a, b in itertools.pairwise(at)]))
    return np.asarray(CubicSpline(at, points, bc_type="periodic" if is_closed and len(points) > 3 else "natural")(fine))
