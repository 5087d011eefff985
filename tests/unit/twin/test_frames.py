"""Frames say what was put in, and the TypeScript says the same as the Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
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


@given(st.lists(st.tuples(st.integers(0, 4_000_000), st.floats(width=32, allow_nan=False)), max_size=40,
                unique_by=lambda r: r[0]))
def test_an_overlay_holds_any_nodes_in_their_order(rows: list[tuple[int, float]]) -> None:
    nodes, values = [r[0] for r in rows], [r[1] for r in rows]
    columns = decode(overlay_frame(1, nodes, values, seq=1, server_time_ms=0.0)).columns
    assert list(zip(columns["node"].tolist(), columns["value"].tolist(), strict=True)) == sorted(rows)


def test_neighbours_cost_a_byte_beside_their_value_and_a_cut_frame_is_refused() -> None:
    frame = overlay_frame(1, np.arange(1, 1001), np.ones(1000), seq=1, server_time_ms=0.0)
    assert len(frame) == 24 + 1000 * 5
    for wrong in (frame[:-1], frame + b"\x01", frame[:-1] + b"\xff"):
        with pytest.raises(FrameError):
            decode(wrong)


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


def test_the_typescript_decoder_reads_steps(tmp_path: Path) -> None:
    nodes = [0, 1, 254, 255, 510, 700_000]
    (tmp_path / "f.bin").write_bytes(overlay_frame(3, nodes, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5], seq=1, server_time_ms=0.0))
    told = run_in_node(tmp_path, """
        import { readFileSync } from "node:fs";
        import { decodeFrame } from "SOURCE/wire";
        const b = readFileSync(process.argv[2]);
        const f: any = decodeFrame(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength) as ArrayBuffer);
        console.log(JSON.stringify([f.extra, [...f.node], [...f.value]]));
        """, "f.bin")
    assert told.strip() == "[3,[0,1,254,255,510,700000],[0.5,1.5,2.5,3.5,4.5,5.5]]"
