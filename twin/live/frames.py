"""The three binary frames of `twin.wire`: encoded once a tick for every browser, decoded for tests and tools."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import TwinError
from twin.wire import HEADER_BYTES, MAGIC, VERSION, FrameKind

_HEADER = struct.Struct("<HBBIIId")
#: In place of a dtype: ascending numbers as steps of one byte from each to the next, the last column of a frame. A byte of
#: 255 is no row of its own but adds 255 to the step that follows.
STEPS = "steps"
_FAR = 255
#: kind → (name, dtype, values a row), in the order of the bytes.
LAYOUT: dict[FrameKind, tuple[tuple[str, str, int], ...]] = {
    FrameKind.VALUES: (("value", "<f8", 1), ("slot", "<u4", 1), ("age_ms", "<u4", 1), ("quality", "<u1", 1)),
    FrameKind.POSITIONS: (("xyz", "<f4", 3), ("track", "<u4", 1), ("heading", "<f4", 1), ("node", "<u4", 1),
                          ("flags", "<u1", 1)),
    FrameKind.OVERLAY: (("value", "<f4", 1), ("node", STEPS, 1)),
}


class FrameError(TwinError):
    """Bytes that are not a frame of this version."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame taken apart: its columns by name (xyz is n×3), times in milliseconds."""

    kind: FrameKind
    seq: int
    extra: int
    server_time_ms: float
    columns: dict[str, NDArray]


def values_frame(slot: ArrayLike, value: ArrayLike, age_ms: ArrayLike, quality: ArrayLike, *, seq: int,
                 server_time_ms: float) -> bytes:
    """Values of n slots: value f64 (states by number), age in ms, quality."""
    return _encode(FrameKind.VALUES, seq, 0, server_time_ms,
                   {"value": value, "slot": slot, "age_ms": age_ms, "quality": quality})


def positions_frame(track: ArrayLike, xyz: ArrayLike, heading: ArrayLike, node: ArrayLike, flags: ArrayLike, *,
                    seq: int, server_time_ms: float) -> bytes:
    """Places of n tracks: xyz n×3 in the park frame (m; NaN: forgotten), heading (rad), containing node."""
    return _encode(FrameKind.POSITIONS, seq, 0, server_time_ms,
                   {"xyz": xyz, "track": track, "heading": heading, "node": node, "flags": flags})


def overlay_frame(channel: int, node: ArrayLike, value: ArrayLike, *, seq: int, server_time_ms: float) -> bytes:
    """One overlay channel: a value a node. The frame holds them by node."""
    nodes = np.asarray(node, np.int64)
    order = np.argsort(nodes, kind="stable")
    return _encode(FrameKind.OVERLAY, seq, channel, server_time_ms,
                   {"value": np.asarray(value, np.float32)[order], "node": nodes[order]})


def decode(data: bytes) -> Frame:
    """A frame taken apart.

    Raises:
        FrameError: wrong magic, version, kind or length.
    """
    if len(data) < HEADER_BYTES:
        raise FrameError(f"a frame of {len(data)} bytes has no header", mend="send whole frames")
    magic, version, kind, n, seq, extra, time_ms = _HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or kind not in LAYOUT:
        raise FrameError(f"not a frame (magic {magic:#x}, version {version}, kind {kind})", mend="reload the page")
    columns, at = {}, HEADER_BYTES
    for name, dtype, width in LAYOUT[FrameKind(kind)]:
        if dtype == STEPS:
            columns[name], at = _from_steps(data[at:], n), len(data)
            continue
        end = at + n * width * np.dtype(dtype).itemsize
        if end > len(data):
            raise FrameError(f"the frame ends inside column '{name}'", mend="send whole frames")
        column = np.frombuffer(data[at:end], dtype)
        columns[name] = column.reshape(n, width) if width > 1 else column
        at = end
    if at != len(data):
        raise FrameError(f"{len(data) - at} bytes too many", mend="send one frame a message")
    return Frame(FrameKind(kind), seq, extra, time_ms, columns)


def _encode(kind: FrameKind, seq: int, extra: int, time_ms: float, columns: dict[str, ArrayLike]) -> bytes:
    n = len(np.asarray(columns[LAYOUT[kind][0][0]]))
    parts = [_to_steps(columns[name]) if dtype == STEPS else np.ascontiguousarray(columns[name], dtype).tobytes()
             for name, dtype, _ in LAYOUT[kind]]
    return b"".join([_HEADER.pack(MAGIC, VERSION, kind, n, seq & 0xFFFFFFFF, extra, time_ms), *parts])


def _to_steps(numbers: ArrayLike) -> bytes:
    far, rest = np.divmod(np.diff(np.asarray(numbers, np.int64), prepend=0), _FAR)
    steps = np.full(int(far.sum()) + len(far), _FAR, np.uint8)
    steps[np.cumsum(far + 1) - 1] = rest
    return steps.tobytes()


def _from_steps(data: bytes, n: int) -> NDArray[np.uint32]:
    steps = np.frombuffer(data, np.uint8)
    numbers = np.cumsum(steps, dtype=np.int64)[steps != _FAR]
    if len(numbers) != n or (len(steps) and steps[-1] == _FAR):
        raise FrameError(f"the frame has {len(numbers)} steps for {n} rows", mend="send whole frames")
    return numbers.astype(np.uint32)
