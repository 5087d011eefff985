"""Our tileset in CesiumJS: a stranger's viewer, in a real browser, without one request to any other host."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import struct
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import Browser as Window
from playwright.sync_api import Page
from pyproj import Transformer
from served_park import free_port

from gis import palette

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
CESIUM = HERE.parents[0] / "peers/node_modules/cesium/Build/Cesium"
TYPES = {".js": "text/javascript", ".json": "application/json", ".html": "text/html; charset=utf-8", ".css": "text/css",
         ".wasm": "application/wasm"}


class Files(http.server.BaseHTTPRequestHandler):
    """The page, Cesium's own build, and a tileset, each from its folder; `harm` may change what is sent of a tile."""

    def __init__(self, *args: Any, build: Path, harm: Callable[[str, bytes], bytes]) -> None:
        self.build, self.harm = build, harm
        super().__init__(*args)

    def do_GET(self) -> None:
        head, _, rest = self.path.split("?")[0].lstrip("/").partition("/")
        folder = {"cesium": CESIUM, "tiles": self.build / "tiles"}.get(head, HERE / "cesium")
        path = folder / (rest if head in ("cesium", "tiles") else head or "index.html")
        body = path.read_bytes() if path.is_file() and path.resolve().is_relative_to(folder.resolve()) else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", TYPES.get(path.suffix, "application/octet-stream"))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(self.harm(rest, body) if head == "tiles" else body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def opened(window: Window, build: Path, harm: Callable[[str, bytes], bytes] = lambda _, body: body) -> Iterator[Page]:
    """The page over a build; fails where it asks any other host for anything."""
    if not CESIUM.is_dir():
        pytest.skip("CesiumJS is not installed (npm ci in tests/peers)")
    port = free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Files, build=build, harm=harm))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here, asked = f"http://127.0.0.1:{port}", list[str]()
    context = window.new_context(viewport={"width": 480, "height": 300})
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith((here, "blob:", "data:"))
                  else (asked.append(route.request.url), route.abort()))
    try:
        page = context.new_page()
        page.goto(f"{here}/")
        page.wait_for_function("told.errors.length || window.tileset", timeout=60_000)
        assert page.evaluate("told.errors") == []
        yield page
        assert asked == []
    finally:
        context.close()
        server.shutdown()
        server.server_close()


def leaves(build: Path) -> dict[str, dict[str, Any]]:
    """uri → tile of every tile with content."""
    found: dict[str, dict[str, Any]] = {}

    def walk(tile: dict[str, Any]) -> None:
        if "content" in tile:
            found[tile["content"]["uri"]] = tile
        for child in tile.get("children", []):
            walk(child)

    walk(json.loads((build / "tiles/tileset.json").read_text())["root"])
    return found


def triangles_of(path: Path) -> int:
    """Triangles of a GLB as its JSON says, each mesh as often as nodes and instances show it."""
    data = path.read_bytes()
    gltf = json.loads(data[20:20 + struct.unpack_from("<I", data, 12)[0]])
    total = 0
    for node in gltf["nodes"]:
        if "mesh" not in node:
            continue
        instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing", {}).get("attributes", {})
        times = gltf["accessors"][next(iter(instancing.values()))]["count"] if instancing else 1
        total += times * sum(gltf["accessors"][p["indices"]]["count"] // 3
                             for p in gltf["meshes"][node["mesh"]]["primitives"] if p.get("mode", 4) == 4)
    return total


def middle_of(build: Path, uri: str) -> tuple[np.ndarray, float]:
    """Middle of a tile's box in ECEF metres, and half its longest side."""
    root = json.loads((build / "tiles/tileset.json").read_text())["root"]["transform"]
    box = leaves(build)[uri]["boundingVolume"]["box"]
    return (np.array(root).reshape(4, 4).T @ [*box[:3], 1.0])[:3], max(box[3], box[7], box[11])


def settle(page: Page) -> None:
    """Until every tile wanted has come or failed."""
    page.wait_for_function("told.isDone", timeout=120_000)


def test_every_tile_comes_with_its_triangles_to_its_place_on_the_earth(window: Window, paged_built: Path) -> None:
    build = paged_built / "build"
    manifest, nodes = json.loads((build / "manifest.json").read_text()), pq.read_table(build / "nodes.parquet").to_pandas()
    uris = leaves(build)
    with opened(window, build) as page:
        middle, half = middle_of(build, next(uri for uri in uris if uri.startswith("b/e1/")))
        page.evaluate("([middle, far]) => look(middle, far)", [middle.tolist(), 8 * half])
        settle(page)
        told = page.evaluate("told")
        assert told["failed"] == []
        assert told["errors"] == []
        assert set(told["loaded"]) == set(uris)
        for uri, tile in told["loaded"].items():
            assert tile["triangles"] == triangles_of(build / "tiles" / uri), uri
        assert sum(tile["triangles"] for tile in told["loaded"].values()) > 20_000
        # the middle the manifest tells, the frame's origin and a building by way of pyproj: none a metre off
        west, south, east, north = manifest["bounds"]
        found = page.evaluate("([x, y]) => geographic(of_park([x, y, 0]))", [(west + east) / 2, (south + north) / 2])
        assert apart(found, (manifest["longitude"], manifest["latitude"])) < 1.0
        origin = Transformer.from_crs(manifest["crs"], "EPSG:4326", always_xy=True).transform(*manifest["origin"][:2])
        assert apart(page.evaluate("geographic(of_park([0, 0, 0]))"), origin) < 1.0
        house = nodes.set_index("id").loc["e1"]
        spot = [(house.xmin + house.xmax) / 2 + manifest["origin"][0], (house.ymin + house.ymax) / 2 + manifest["origin"][1]]
        there = Transformer.from_crs(manifest["crs"], "EPSG:4326", always_xy=True).transform(*spot)
        shell = told["loaded"]["b/e1/shell.glb"]
        found = page.evaluate("point => geographic(point)", shell["middle"])
        assert apart(found, there) < 1.0
        assert found[2] == pytest.approx((house.zmin + house.zmax) / 2, abs=1.0)


def apart(one: list[float], other: tuple[float, float]) -> float:
    """Metres between two longitudes and latitudes a few metres apart."""
    return float(np.hypot((one[0] - other[0]) * 111_320 * np.cos(np.radians(other[1])), (one[1] - other[1]) * 110_950))


def test_things_are_picked_with_our_ids_and_names_where_they_stand(window: Window, paged_built: Path) -> None:
    build = paged_built / "build"
    manifest, nodes = json.loads((build / "manifest.json").read_text()), pq.read_table(build / "nodes.parquet").to_pandas()
    to_park = Transformer.from_crs("EPSG:4326", manifest["crs"], always_xy=True)
    with opened(window, build) as page:
        middle, half = middle_of(build, "b/e1/shell.glb")
        page.evaluate("([middle, far]) => look(middle, far)", [middle.tolist(), 3 * half])
        settle(page)
        page.evaluate("widget.useDefaultRenderLoop = false")  # the picture stands; each pick draws on its own
        picked = [hit for x in range(60, 480, 60) for y in range(60, 300, 60)
                  if (hit := page.evaluate("([x, y]) => pick(x, y)", [x, y]))]
    rows = nodes.set_index("id")
    assert len({hit["properties"]["id"] for hit in picked if hit["properties"]["id"]}) > 3
    checked = 0
    for hit in picked:
        told = hit["properties"]
        if not told["id"] or hit["at"] is None:
            continue
        row = rows.loc[told["id"]]
        assert (told["name"], told["cls"], told["node"]) == (row["name"], row["cls"], row["index"])
        x, y = np.array(to_park.transform(*hit["at"][:2])) - manifest["origin"][:2]
        if np.isfinite(row.xmin):  # the depth buffer is read to a decimetre or so at this distance
            assert row.xmin - 1 < x < row.xmax + 1, told
            assert row.ymin - 1 < y < row.ymax + 1, told
            checked += 1
    assert checked > 8


def test_colours_are_those_of_the_sources(window: Window, paged_built: Path) -> None:
    """Oracle: Cesium draws surfaces without normals unlit, so a road is the palette's grey; not linear, it is lighter."""
    build = paged_built / "build"
    with opened(window, build) as page:
        middle, half = middle_of(build, "b/e1/shell.glb")
        page.evaluate("([middle, far]) => look(middle, far)", [middle.tolist(), 5 * half])
        settle(page)
        page.wait_for_timeout(500)
        seen = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")).astype(int).reshape(-1, 3)
    for colour in (palette.ROAD, palette.LAWN):
        assert (np.abs(seen - colour).max(axis=1) <= 2).sum() > 200, colour


@pytest.mark.parametrize("cut", [0.5, 0.0])
def test_broken_tile_is_told_as_failed(window: Window, paged_built: Path, cut: float) -> None:
    """The control: Cesium does look."""
    def harm(name: str, body: bytes) -> bytes:
        return b"glTF" + body[4:int(len(body) * cut)] if name == "b/e1/shell.glb" else body

    build = paged_built / "build"
    with opened(window, build, harm) as page:
        middle, half = middle_of(build, "b/e1/shell.glb")
        page.evaluate("([middle, far]) => look(middle, far)", [middle.tolist(), 3 * half])
        page.wait_for_function("told.failed.length > 0", timeout=60_000)
        assert [path for path, _ in page.evaluate("told.failed")] == ["/tiles/b/e1/shell.glb"]
