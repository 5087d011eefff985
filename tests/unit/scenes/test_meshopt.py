"""Packed tiles hold what was put in, are smaller, and are written plain where nothing was built to pack them."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gis.mesh import Surface, box_mesh, join
from scenes import glb, meshopt
from scenes.bake import Light
from scenes.compile import compile_park
from scenes.glb import FeatureNames, TileContent, write_glb
from scenes.read_glb import Glb, Surfaces
from twin.errors import TwinError
from twin.parkfile import load_park

NAMES = FeatureNames(*(np.array(["", "a", "b"], object) for _ in range(3)))

needs_viewer = pytest.mark.skipif(meshopt.compressor() is None, reason="the viewer is not built (tools/setup)")


def _content() -> TileContent:
    boxes = [box_mesh((7.0 * k, 11.0 * (k % 9), 0.4 * k), (5, 4, 3 + k % 5), 0.01 * k, colour=(k % 256, 90, 40),
                      surface=Surface.RIBBON, node=1 + k % 2) for k in range(300)]
    mesh = join(boxes)
    light = Light((np.arange(len(mesh)) * 7 % 251).astype(np.uint8), (np.arange(len(mesh)) % 256).astype(np.uint8))
    edges = mesh.position[mesh.faces[:500, :2]]
    return TileContent(mesh, light, edges)


def _triangles(part: Surfaces) -> np.ndarray:
    """Every triangle with all its corners carry, each turned to begin at its least corner, in one order (m, 3 × values)."""
    values = np.column_stack([part.position, part.colour, part.shade, part.uv, part.node])
    _, rank = np.unique(values, axis=0, return_inverse=True)
    corner = rank.reshape(-1)[part.faces]
    turned = np.take_along_axis(part.faces, (corner.argmin(1)[:, None] + np.arange(3)) % 3, axis=1)
    rows = values[turned].reshape(len(turned), -1)
    return rows[np.lexsort(rows.T)]


def _plain(content: TileContent, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patch:
        patch.setattr(glb, "compressor", lambda: None)
        return write_glb(content, NAMES)


@needs_viewer
def test_packed_tile_holds_the_triangles_and_edges_of_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    packed, plain = Glb(write_glb(_content(), NAMES)), Glb(_plain(_content(), monkeypatch))
    assert len(packed.surfaces()) == len(plain.surfaces()) == 1
    for mine, theirs in zip(packed.surfaces(), plain.surfaces(), strict=True):
        assert np.array_equal(_triangles(mine), _triangles(theirs))
    assert np.array_equal(packed.edges(), plain.edges())


@needs_viewer
def test_packed_tile_is_less_than_half_and_says_so_to_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = write_glb(_content(), NAMES)
    assert len(packed) < 0.5 * len(_plain(_content(), monkeypatch))
    said = Glb(packed).json
    assert "EXT_meshopt_compression" in said["extensionsRequired"]
    fallback = said["buffers"][1]
    assert fallback["extensions"]["EXT_meshopt_compression"]["fallback"]
    assert max(v["byteOffset"] + v["byteLength"] for v in said["bufferViews"] if v["buffer"] == 1) <= fallback["byteLength"]
    assert "EXT_meshopt_compression" not in Glb(_plain(_content(), monkeypatch)).json["extensionsUsed"]


@needs_viewer
def test_same_content_packs_to_the_same_bytes_on_any_thread() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: write_glb(_content(), NAMES), range(8)))) == 1


@needs_viewer
def test_damaged_buffer_is_refused() -> None:
    packer = meshopt.compressor()
    assert packer is not None
    raw = np.arange(4000, dtype="<u2").tobytes()
    good = packer.vertices(raw, 1000, 8)
    assert meshopt.decompressor().decode(good, 1000, 8, "ATTRIBUTES") == raw
    for bad in (good[:-9], b"\xff" + good[1:], b""):
        with pytest.raises(ValueError, match="damaged"):
            meshopt.decompressor().decode(bad, 1000, 8, "ATTRIBUTES")


@needs_viewer
def test_triangles_and_lines_come_back() -> None:
    packer, unpacker = meshopt.compressor(), meshopt.decompressor()
    assert packer is not None
    index = np.random.default_rng(5).permutation(900).astype(np.uint32)
    lines = np.frombuffer(unpacker.decode(packer.sequence(index), 900, 4, "INDICES"), "<u4")
    assert lines.tolist() == index.tolist()
    corners = np.frombuffer(unpacker.decode(packer.triangles(index), 900, 2, "TRIANGLES"), "<u2").reshape(-1, 3)
    assert sorted(map(sorted, corners.tolist())) == sorted(map(sorted, index.reshape(-1, 3).tolist()))
    ordered, rows = packer.ordered(index, 900)
    assert sorted(map(sorted, rows[ordered].reshape(-1, 3).tolist())) == sorted(map(sorted, index.reshape(-1, 3).tolist()))


def test_without_a_viewer_tiles_are_plain_the_report_says_so_and_packed_ones_cannot_be_read(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "gis").mkdir()
    square = {"type": "Feature", "id": "1", "properties": {"height": 9},
              "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [20, 0], [20, 20], [0, 20], [0, 0]]]}}
    (tmp_path / "gis/b.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [square]}))
    (tmp_path / "park.toml").write_text('''[park]
id = "p"
name = "P"
crs = "EPSG:4549"
origin = [0.0, 0.0, 0.0]
timezone = "Asia/Shanghai"
[[layer]]
id = "b"
kind = "buildings"
source = "gis/b.geojson"
crs = "park"
''')
    monkeypatch.setattr(meshopt, "ENCODER", tmp_path / "none.wasm")
    monkeypatch.setattr(meshopt, "DECODER", tmp_path / "none.wasm")
    for cached in (meshopt.compressor, meshopt.packing, meshopt.decompressor):
        cached.cache_clear()
    try:
        result = compile_park(load_park(tmp_path), force=True, jobs=1)
        tiles = [Glb(p.read_bytes()) for p in sorted(result.folder.rglob("*.glb"))]
        assert tiles
        assert all("EXT_meshopt_compression" not in t.json["extensionsUsed"] for t in tiles)
        assert any("not compressed" in f.what and "tools/setup" in f.mend for f in result.findings)
        with pytest.raises(TwinError, match="has not been built"):
            meshopt.decompressor()
    finally:
        for cached in (meshopt.compressor, meshopt.packing, meshopt.decompressor):
            cached.cache_clear()
