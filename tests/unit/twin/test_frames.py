"""Frames say what was put in, and the TypeScript says the same as the Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from in_node import run_in_node

from twin.live.frames import FrameError, decode, overlay_frame, positions_frame, values_frame
from twin.wire import Channel, FrameKind
from twin.wire_ts import TARGET, wire_ts

VALUES = values_frame([3, 9], [1.5, np.nan], [10, 4294967295], [0, 4], seq=7, server_time_ms=1e12)


def test_values_come_back() -> None:
    frame = decode(VALUES)
    assert (frame.kind, frame.seq, frame.server_time_ms) == (FrameKind.VALUES, 7, 1e12)
    np.testing.assert_array_equal(frame.columns["value"], [1.5, np.nan])
    assert frame.columns["slot"].tolist() == [3, 9]
    assert frame.columns["age_ms"].tolist() == [10, 4294967295]
    assert frame.columns["quality"].tolist() == [0, 4]
    assert len(VALUES) == 24 + 2 * 17


def test_positions_and_overlays_come_back() -> None:
    frame = decode(positions_frame([5], [[1.0, 2.0, 3.0]], [0.5], [77], [1], seq=1, server_time_ms=0.0))
    assert frame.columns["xyz"].tolist() == [[1.0, 2.0, 3.0]]
    assert frame.columns["node"].tolist() == [77]
    painted = decode(overlay_frame(Channel.CO2, [4, 6], [400.0, np.nan], seq=1, server_time_ms=0.0))
    assert painted.extra == Channel.CO2
    assert painted.columns["node"].tolist() == [4, 6]


@pytest.mark.parametrize("data", [b"", VALUES[:-1], VALUES + b"x", b"XX" + VALUES[2:],
                                  VALUES[:3] + b"\x09" + VALUES[4:]])
def test_what_is_not_a_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode(data)


def test_wire_ts_is_what_the_python_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == wire_ts(), "run `python -m twin.wire_ts`"


def test_the_typescript_decoder_reads_the_python_encoder(tmp_path: Path) -> None:
    (tmp_path / "f.bin").write_bytes(VALUES)
    told = run_in_node(tmp_path, """
        import { readFileSync } from "node:fs";
        import { decodeFrame } from "SOURCE/wire";
        const b = readFileSync(process.argv[2]);
        const f: any = decodeFrame(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength) as ArrayBuffer);
        const columns = [f.value, f.slot, f.age_ms, f.quality].map((c) => [...c]);
        console.log(JSON.stringify([f.n, f.seq, f.timeMs, ...columns]));
        """, "f.bin")
    assert told.strip() == "[2,7,1000000000000,[1.5,null],[3,9],[10,4294967295],[0,4]]"
